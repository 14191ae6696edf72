"""Which reference a pixel resembles, and how far that can be trusted.

* `correlation` (with the compiled `kernels`): Pearson maps.
* `baselines`: linear combination fit.
* `posterior`, `particle_posterior`, `potts`, `blur` (with the compiled
  `posterior_kernels` and `blur_kernels`): probabilities from noise, mixtures,
  neighbors, and what is blurred.
* `reference_check` (`reference_fit`, `distortion`, `reference_corrections`,
  `reference_cautions`):
  whether references and I0 fit the measurement, and what is corrected.
* `abstention`: undecided and unknown pixels, sets with a promise; `decisions`: what a
  map says of every pixel in the end, for drawing and counting.
* `contradictions`: sure pixels that the posterior contradicts, as map and table.
* `calibration`: whether probabilities mean what they say, where the truth is known.
* `neighbors`: chi-square and smoothing over neighboring pixels for other maps.
* `changes`: what a second phase map changed, and where two disagree.
* `intervals`: how sure the per cent of a phase are.
* `reference_making`: references made of measured pixels.
* `matching`: a library ranked by how much a spectrum resembles it.
* `spectra`: mean spectra of phases.

Assignment in a latent space is in `latent`; classes without references in `learn`.
"""
