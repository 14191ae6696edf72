"""An extra beyond the paper: let neighboring pixels decide together.

The paper classifies each pixel alone. Where phases form domains larger than a pixel,
neighbors help more than any latent space (docs/accuracy.md); where they do not, this
invents domains. So nothing here is a default.

* `chi_square_map`: log-likelihoods of the phases from a map by correlation.
* `smooth_potts`: labels that prefer to agree with their neighbors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack_set import StackSet

__all__ = ["chi_square_map", "smooth_potts"]


def chi_square_map(stacks: StackSet, phase_map: PhaseMap, /) -> PhaseMap:
    r"""Turn correlations into log-likelihoods, which know how noisy a pixel is.

    A spectrum fitted by scale and offset of reference k leaves the residual sum of
    squares :math:`S\,(1 - r_k^2)`, with S the spectrum's own sum of squares around its
    mean; the score is :math:`-S (1 - r_k^2) / 2 \sigma^2`. The variance of an optical
    density is 1 / counts, so :math:`\sigma^2 = c\, e^{OD}` with the mean OD of the
    pixel, and c such that the median pixel has the residual that its degrees of freedom
    call for.

    Parameters
    ----------
    stacks : StackSet
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
    if len(phase_map.labels) != stacks.n_pixels:
        raise InputError(f"{phase_map.n_pixels=} of the map != {stacks.n_pixels=}")
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
    stacks: StackSet,
    phase_map: PhaseMap,
    /,
    *,
    strength: float = 1.5,
    n_iterations: int = 20,
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    r"""Let each pixel's four neighbors in its image vote for its phase.

    Mean-field solution of a Potts model [1]_: the probability of phase k at pixel i is
    :math:`q_i(k) \propto \exp(s_i(k) + J \sum_j q_j(k))` over the neighbors j that are
    analyzed, iterated from the scores s alone.

    Parameters
    ----------
    stacks : StackSet
        Where the pixels lie.
    phase_map : PhaseMap
        Scores are log-densities: from `chi_square_map` or an ``assign_`` function.
    strength : float, default=1.5
        J: what one agreeing neighbor is worth, in nats; 0 changes nothing.
    n_iterations : int, default=20
        Sweeps over all pixels.
    on_progress : callable, optional
        May raise `Cancelled`.

    Returns
    -------
    PhaseMap
        Scores are ln q, so the margin is a log-odds. Pixels without scores keep label
        0 and do not vote.

    Raises
    ------
    ValueError
        If there are no scores, or `strength` is negative.

    References
    ----------
    .. [1] Li, Markov Random Field Modeling in Image Analysis,
       DOI: 10.1007/978-1-84800-279-1, chapter 3.
    """
    if phase_map.scores is None:
        raise InputError("the map has no scores; chi_square_map or assign_ gives them")
    if strength < 0 or n_iterations < 1:
        raise InputError(
            f"needed: strength >= 0 and n_iterations >= 1; got {strength} and "
            f"{n_iterations}"
        )
    result = np.full(phase_map.scores.shape, np.nan, dtype=np.float32)
    n_steps = len(stacks) * n_iterations
    parts = zip(
        stacks, stacks.split(phase_map.scores), stacks.split(result), strict=True
    )
    for index, (stack, scores, out) in enumerate(parts):
        known = np.isfinite(scores).any(axis=1)
        own = np.where(np.isfinite(scores), scores, -np.inf)
        own[~known] = 0.0
        image = np.zeros((*stack.shape, scores.shape[1]), dtype=np.float32)
        log_q = _log_normalized(own)
        for sweep in range(n_iterations):
            on_progress(index * n_iterations + sweep, n_steps, "asking neighbors")
            image[stack.mask] = np.where(known[:, None], np.exp(log_q), 0.0)
            log_q = _log_normalized(own + strength * _of_neighbors(image)[stack.mask])
        out[known] = log_q[known]
    return PhaseMap.from_scores(
        result,
        phase_map.names,
        colors=phase_map.colors,
        method=f"{phase_map.method} with neighbors",
        parameters={
            **phase_map.parameters,
            "strength": strength,
            "n_iterations": n_iterations,
        },
    )


def _log_normalized(scores: NDArray[Any]) -> NDArray[np.float32]:
    """Return the scores of each row minus the logarithm of their summed exp."""
    top = scores.max(axis=1, keepdims=True)
    shifted = scores - top
    total = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return np.asarray(shifted - total, dtype=np.float32)


def _of_neighbors(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum over the four neighbors of every pixel; the border has fewer."""
    total = np.zeros_like(image)
    total[1:] += image[:-1]
    total[:-1] += image[1:]
    total[:, 1:] += image[:, :-1]
    total[:, :-1] += image[:, 1:]
    return total
