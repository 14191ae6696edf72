"""From what the instrument wrote to pixels that are worth analyzing.

* `prepare`: the whole way, the same for docks, command line and scripts.
* `preprocess`: incident intensity and optical density.
* `masking`: which pixels are the particle.
* `alignment`: frames that drifted.
* `combining`: binned, cropped and averaged; `noise_level`: noise of what was opened as
  optical density.
* `column_recognition` (`column_words`, `column_roles`), `energy_units`: which column
  of a text file is what, and mu from them; energies in eV.
* `energy_axis`: calibration, cropping, the line before the edge.

Reading files is in `io`; background subtraction of energy-loss edges in `eels`.
"""
