"""Neighbors and noise for maps that were made without them.

* `chi_square_map`: log-likelihoods of the phases from a map by correlation.
* `smooth_potts`: the neighbors of `posterior_map` for the scores of any map.

`posterior_map` does both at once, and better. Both stay: `smooth_potts` puts its prior
on anything else that has log scores (``assign_`` in latent spaces, classes through
`class_likelihoods`), and `chi_square_map` makes such scores of a map by correlation
whose references are not at hand.
"""

from __future__ import annotations

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import Stacks, StackSet, as_set
from napari_phasemap.core.phases.potts import SMALLEST, NeighborPrior

__all__ = ["chi_square_map", "smooth_potts"]

#: Estimates of the strength, with messages in between.
N_ROUNDS = 4


def chi_square_map(stacks: Stacks, phase_map: PhaseMap, /) -> PhaseMap:
    r"""Turn correlations into log-likelihoods, which know how noisy a pixel is.

    For a map by correlation whose references are not at hand; where they are,
    `posterior_map` knows more.

    A spectrum fitted by scale and offset of reference k leaves the residual sum of
    squares :math:`S\,(1 - r_k^2)`, with S the spectrum's own sum of squares around its
    mean; the score is :math:`-S (1 - r_k^2) / 2 \sigma^2`. The variance of an optical
    density is 1 / counts, so :math:`\sigma^2 = c\, e^{OD}` with the mean OD of the
    pixel, and c such that the median pixel has the residual that its degrees of freedom
    call for.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        What `phase_map` was made of. Other quantities than optical density have one
        variance for all pixels.
    phase_map : PhaseMap
        From `pearson_map` with scores.

    Returns
    -------
    PhaseMap
        Ranked as by correlation; the margin is a difference of log-likelihoods.

    Raises
    ------
    ValueError
        If lengths differ, the map has no correlations, or there are fewer than four
        energies (scale, offset and noise are fitted).
    """
    if phase_map.method != "pearson" or phase_map.scores is None:
        raise InputError("a map by pearson_map with its scores is needed")
    stacks = _set_of(stacks, phase_map)
    if stacks.n_energies < 4:
        raise InputError(f"four energies or more are needed; got {stacks.n_energies}")
    spread = np.empty(stacks.n_pixels)
    variance = np.ones(stacks.n_pixels)
    for index, part in enumerate(stacks.split(spread)):
        spectra = stacks.stack_spectra(index)
        part[:] = spectra.var(axis=1, dtype=np.float64) * stacks.n_energies
        if stacks.quantity == "optical_density":
            mean = spectra.mean(axis=1, dtype=np.float64)
            stacks.split(variance)[index][:] = np.exp(mean)
    residual = spread[:, None] * (1.0 - np.clip(phase_map.scores, 0.0, 1.0) ** 2)
    smallest = np.min(residual, axis=1)
    finite = np.isfinite(smallest)
    scale = 1.0
    if finite.any():
        scale = float(np.median(smallest[finite] / variance[finite]))
        scale = max(scale / (stacks.n_energies - 2), float(np.finfo(np.float32).tiny))
    return PhaseMap.from_scores(
        -0.5 * residual / (scale * variance)[:, None],
        phase_map.names,
        colors=phase_map.colors,
        method="chi-square",
        parameters={"noise_variance_at_zero_density": scale},
    )


def smooth_potts(
    stacks: Stacks,
    phase_map: PhaseMap,
    /,
    *,
    strength: float | None = 1.5,
    n_iterations: int = 20,
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    r"""Let each pixel's eight neighbors in its image vote for its phase.

    The prior of `posterior_map` on the scores of any map: see `NeighborPrior`.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Where the pixels lie.
    phase_map : PhaseMap
        Scores are log-densities: from `chi_square_map`, an ``assign_`` function in a
        latent space, or `class_likelihoods`. Pixels without scores are left out.
    strength : float, default=1.5
        J: what one agreeing neighbor is worth, in nats; 0 changes nothing. None
        estimates it from each particle.
    n_iterations : int, default=20
        Sweeps over all pixels.
    on_progress : callable, optional
        May raise `Cancelled`.

    Returns
    -------
    PhaseMap
        Scores are log-probabilities, so the margin is a log-odds. Pixels without scores
        keep label 0 and do not vote.

    Raises
    ------
    InputError
        If there are no scores, lengths differ, or `strength` is negative.
    """
    stacks = _set_of(stacks, phase_map)
    if phase_map.scores is None:
        raise InputError("the map has no scores; chi_square_map or assign_ gives them")
    if (strength is not None and strength < 0) or n_iterations < 1:
        raise InputError(
            f"needed: strength >= 0 and n_iterations >= 1; got {strength} and "
            f"{n_iterations}"
        )
    result = np.full(phase_map.scores.shape, np.nan, dtype=np.float32)
    sweeps = [n_iterations // N_ROUNDS] * (N_ROUNDS - 1) if strength is None else []
    sweeps.append(n_iterations - sum(sweeps))
    n_steps = len(stacks) * len(sweeps)
    strengths = []
    parts = zip(
        stacks, stacks.split(phase_map.scores), stacks.split(result), strict=True
    )
    for index, (stack, scores, out) in enumerate(parts):
        known = np.isfinite(scores).any(axis=1)
        mask = np.zeros(stack.shape, dtype=bool)
        mask[stack.mask] = known
        own = np.where(np.isfinite(scores[known]), scores[known], -np.inf)
        likelihoods = np.exp(own - own.max(axis=1, keepdims=True)).astype(np.float32)
        marginals = likelihoods / likelihoods.sum(axis=1, keepdims=True)
        prior = NeighborPrior(mask, scores.shape[1], strength)
        for round_, n_sweeps in enumerate(sweeps):
            on_progress(index * len(sweeps) + round_, n_steps, "asking neighbors")
            prior.update(likelihoods, marginals, n_sweeps)
        logs = np.log(np.maximum(marginals, SMALLEST))
        out[known] = np.where(np.isfinite(scores[known]), logs, np.nan)
        strengths.append(prior.strength)
    return PhaseMap.from_scores(
        result,
        phase_map.names,
        colors=phase_map.colors,
        method=f"{phase_map.method} with neighbors",
        parameters={
            **phase_map.parameters,
            "strength": strengths if strength is None else strength,
            "n_iterations": n_iterations,
        },
    )


def _set_of(stacks: Stacks, phase_map: PhaseMap) -> StackSet:
    """Return the stacks as a set that the map belongs to, or raise."""
    stacks = as_set(stacks)
    if phase_map.n_pixels != stacks.n_pixels:
        raise InputError(f"{phase_map.n_pixels=} of the map != {stacks.n_pixels=}")
    return stacks
