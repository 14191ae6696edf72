"""Where a map had better say nothing.

* `probability`: of the phase that each pixel has.
* `undecided`: pixels whose best phase is not probable enough.
* `unknown`: pixels that fit no reference.
* `contradicted`: sure pixels of one map that another finds improbable.
* `conformal_sets`: phases that a labelled region cannot rule out.
* `chance_of_error`: what a gap Q1 - Q2 means at this dose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.stack_set import as_set

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import Stacks

__all__ = [
    "chance_of_error",
    "conformal_sets",
    "contradicted",
    "probability",
    "undecided",
    "unknown",
]

#: Fewest labelled pixels that a set with a promise of 90 % can be made from.
FEWEST_LABELS = 50
#: Fewest pixels around a gap whose chance of error means anything.
FEWEST_PIXELS = 50


def probability(phase_map: PhaseMap, /) -> NDArray[np.float32]:
    """Return the probability of the phase that each pixel has.

    Parameters
    ----------
    phase_map : PhaseMap
        With log-probabilities.

    Returns
    -------
    ndarray of float32 of shape (n_pixels,)
        0 to 1, NaN without a phase, 1 where a person decided.

    Examples
    --------
    >>> from napari_phasemap.core.data.phasemap import PhaseMap
    >>> scores = np.log([[0.75, 0.25], [0.5, 0.5]])
    >>> phases = PhaseMap.from_scores(scores, ["a", "b"], method="posterior")
    >>> probability(phases.with_labels([1, 2])).tolist()
    [0.75, 1.0]
    """
    by_hand = (phase_map.runner_up == 0) & np.isposinf(phase_map.margin)
    found = np.exp(phase_map.best, dtype=np.float32)
    found[by_hand] = 1.0
    found[phase_map.labels == 0] = np.nan
    return found


def undecided(phase_map: PhaseMap, /, *, level: float = 0.9) -> NDArray[np.bool_]:
    """Return the pixels whose best phase has a probability below a level.

    Parameters
    ----------
    phase_map : PhaseMap
        With log-probabilities: from `posterior_map` or `smooth_potts`.
    level : float, default=0.9
        0 to 1.

    Returns
    -------
    ndarray of bool of shape (n_pixels,)
        Never where there is no label, or where a person decided.
    """
    _check_share("level", level)
    _probabilities(phase_map)
    with np.errstate(invalid="ignore"):
        return np.asarray(probability(phase_map) < level)


def unknown(phase_map: PhaseMap, /, *, rate: float = 0.01) -> NDArray[np.bool_]:
    """Return the pixels that fit no reference, at a false-discovery rate.

    The misfit of each pixel is held against that of pixels which do fit, and as many
    are called unknown as keep the expected share of mistakes among them below `rate`
    (Benjamini and Hochberg [1]_).

    Parameters
    ----------
    phase_map : PhaseMap
        From `posterior_map`.
    rate : float, default=0.01
        Expected share of known pixels among those that are called unknown.

    Returns
    -------
    ndarray of bool of shape (n_pixels,)

    Raises
    ------
    InputError
        If the map does not tell misfits.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289-300,
       DOI: 10.1111/j.2517-6161.1995.tb02031.x
    """
    _check_share("rate", rate)
    if phase_map.misfit is None:
        raise InputError("the map does not tell how well pixels fit; use posterior_map")
    chance = np.where(np.isfinite(phase_map.misfit), phase_map.misfit, 1.0)
    ordered = np.sort(chance)
    allowed = rate * np.arange(1, len(chance) + 1) / max(len(chance), 1)
    below = np.flatnonzero(ordered <= allowed)
    if not below.size:
        return np.zeros(len(chance), dtype=bool)
    return np.asarray(chance <= ordered[below[-1]])


def contradicted(
    phase_map: PhaseMap,
    posterior: PhaseMap,
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    level: float = 0.5,
) -> NDArray[np.bool_]:
    """Return which unambiguous pixels of one map have another phase in the posterior.

    Parameters
    ----------
    phase_map : PhaseMap
        By correlation.
    posterior : PhaseMap
        From `posterior_map`, of the same pixels and phases.
    threshold : float, default=0.005
        Smallest unambiguous margin of `phase_map`.
    level : float, default=0.5
        Probability that the other phase has at least.

    Returns
    -------
    ndarray of bool of shape (n_pixels,)

    Raises
    ------
    InputError
        If the maps differ in pixels or phases.
    """
    if phase_map.n_pixels != posterior.n_pixels or phase_map.names != posterior.names:
        raise InputError(
            f"maps differ: {phase_map.n_pixels} pixels of {phase_map.names}, "
            f"{posterior.n_pixels} of {posterior.names}"
        )
    sure = (phase_map.labels > 0) & ~phase_map.ambiguous(threshold)
    _probabilities(posterior)
    probable = np.nan_to_num(probability(posterior)) >= level
    other = (posterior.labels > 0) & (posterior.labels != phase_map.labels)
    return np.asarray(sure & other & probable)


def conformal_sets(
    phase_map: PhaseMap,
    truth: ArrayLike,
    /,
    *,
    coverage: float = 0.9,
    stacks: Stacks | None = None,
    neighbors: float = 0.5,
) -> NDArray[np.bool_]:
    r"""Return for every pixel the phases that labelled pixels cannot rule out.

    Split conformal prediction [1]_: the set holds the true phase with the probability
    `coverage`, whatever the probabilities of the map are worth, for pixels that are
    like the labelled ones (exchangeable with them). With `stacks`, the score of a phase
    is averaged with its mean over the eight neighbors, as published for hyperspectral
    images [2]_: the promise is the same, the sets are smaller and smoother.

    Parameters
    ----------
    phase_map : PhaseMap
        With log-probabilities.
    truth : array_like of int of shape (n_pixels,)
        Phase of the labelled pixels, from 1; 0 where it is not known.
    coverage : float, default=0.9
        0 to 1.
    stacks : StackSet, SpectralStack or sequence of SpectralStack, optional
        Where the pixels lie; default every pixel for itself.
    neighbors : float, default=0.5
        Weight of the neighbors' mean score (lambda in [2]_), 0 to 1.

    Returns
    -------
    ndarray of bool of shape (n_pixels, n_phases)
        Empty sets are possible: nothing is as probable as the labelled pixels are.

    Raises
    ------
    InputError
        If fewer than 50 pixels with scores are labelled, or lengths differ.

    Notes
    -----
    One labelled region is like the rest only where the rest is like it: label pixels of
    every phase, inside and at boundaries.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World,
       DOI: 10.1007/b106715
    .. [2] K. Liu et al., Spatial-aware conformal prediction for trustworthy
       hyperspectral image classification, arXiv:2409.01236 (2024)
    """
    _check_share("coverage", coverage)
    known = np.asarray(truth)
    if known.shape != phase_map.labels.shape:
        raise InputError(f"{known.shape=} of the truth != {phase_map.labels.shape=}")
    probabilities = _probabilities(phase_map)
    if stacks is not None:
        probabilities = _with_neighbors(probabilities, phase_map, stacks, neighbors)
    rows = np.flatnonzero((known > 0) & (phase_map.labels > 0))
    if rows.size < FEWEST_LABELS:
        raise InputError(
            f"{rows.size} labelled pixels promise nothing; label at least "
            f"{FEWEST_LABELS}"
        )
    scores = np.sort(probabilities[rows, known[rows].astype(int) - 1])
    rank = int(np.floor((1.0 - coverage) * (rows.size + 1)))
    least = scores[rank - 1] if rank > 0 else 0.0
    return np.asarray(probabilities >= least)


def _with_neighbors(
    probability: NDArray[np.float64],
    phase_map: PhaseMap,
    stacks: Stacks,
    weight: float,
) -> NDArray[np.float64]:
    """Return probabilities averaged with those of the neighbors in the same image."""
    from scipy.ndimage import convolve

    if not 0.0 <= weight <= 1.0:
        raise InputError(f"neighbors is between 0 and 1; got {weight}")
    stacks = as_set(stacks)
    if stacks.n_pixels != len(probability):
        raise InputError(
            f"{len(probability)} pixels of the map != {stacks.n_pixels=}; give the "
            "stacks that the map was made of"
        )
    ring = np.ones((3, 3))
    ring[1, 1] = 0.0
    out = probability.copy()
    assigned = phase_map.labels > 0
    for index, (own, there) in enumerate(
        zip(stacks.split(out), stacks.split(assigned), strict=True)
    ):
        seen = stacks.to_image(assigned, index, fill=False).astype(np.float64)
        around = convolve(seen, ring, mode="constant")[stacks[index].mask]
        voted = there & (around > 0)
        for column in own.T:
            image = np.zeros(seen.shape)
            image[stacks[index].mask] = column
            total = convolve(image * seen, ring, mode="constant")[stacks[index].mask]
            mean = total[voted] / around[voted]
            column[voted] = (1.0 - weight) * column[voted] + weight * mean
    return out


def chance_of_error(
    phase_map: PhaseMap, posterior: PhaseMap, /, *, gap: float = DEFAULT_THRESHOLD
) -> float:
    """Return how often the best phase is wrong where the gap Q1 - Q2 is about `gap`.

    By the posterior's own account, so no truth is needed.

    Parameters
    ----------
    phase_map : PhaseMap
        By correlation.
    posterior : PhaseMap
        Of the same pixels and phases.
    gap : float, default=0.005
        Pixels with a margin from 0.8 to 1.25 times this are looked at.

    Returns
    -------
    float
        0 to 1; NaN where fewer than 50 pixels have such a gap.
    """
    near = (phase_map.margin > 0.8 * gap) & (phase_map.margin < 1.25 * gap)
    rows = np.flatnonzero(near & (phase_map.labels > 0) & (posterior.labels > 0))
    if rows.size < FEWEST_PIXELS:
        return float("nan")
    own = _probabilities(posterior)[rows, phase_map.labels[rows].astype(int) - 1]
    return float(1.0 - own.mean())


def _probabilities(phase_map: PhaseMap) -> NDArray[np.float64]:
    """Return the probabilities of shape (n_pixels, n_phases), 0 without scores."""
    if phase_map.scores is None:
        raise InputError(f"the map by {phase_map.method} holds no probabilities")
    values = np.exp(phase_map.scores.astype(np.float64))
    total = np.nansum(values, axis=1)
    if np.any(np.abs(total[phase_map.labels > 0] - 1.0) > 1e-3):
        raise InputError(
            f"the scores by {phase_map.method} are no log-probabilities; use "
            "posterior_map or smooth_potts"
        )
    return np.nan_to_num(values)


def _check_share(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise InputError(f"{name} is between 0 and 1; got {value}")
