"""How far the per cent of a phase would change if the pixels were drawn again.

* `fraction_intervals`: intervals by a bootstrap over blocks of pixels.
* `FractionIntervals`: what comes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import as_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import Stacks, StackSet

__all__ = ["FractionIntervals", "fraction_intervals"]

#: Fewer blocks than this say nothing about their spread.
LEAST_BLOCKS = 4


@dataclass(frozen=True, eq=False)
class FractionIntervals:
    """Per cent of each phase with its interval, see `fraction_intervals`.

    Parameters
    ----------
    names : tuple of str
        The phases.
    stacks : tuple of str
        The particles; the first row of the arrays is all of them together.
    fractions : ndarray of shape (1 + n_stacks, n_phases)
        Per cent of the assigned pixels; NaN where none is assigned.
    low, high : ndarray of shape (1 + n_stacks, n_phases)
        Ends of the interval, per cent; NaN with too few blocks.
    confidence : float
        Share of such intervals that is meant to hold the truth.
    block : int
        Side of the blocks in pixels.
    """

    names: tuple[str, ...]
    stacks: tuple[str, ...]
    fractions: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    confidence: float
    block: int


def fraction_intervals(
    phases: PhaseMap,
    stacks: Stacks,
    /,
    *,
    block: int = 8,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> FractionIntervals:
    """Return the per cent of each phase with an interval that neighbors do not shrink.

    Neighboring pixels are no independent measurements. Whole blocks of pixels are drawn
    again with replacement, particle by particle, and the interval holds the middle of
    the fractions that come of it (block bootstrap [1]_). It is about which pixels were
    seen, not about wrong references or wrongly assigned pixels.

    Parameters
    ----------
    phases : PhaseMap
        In the pixel order of `stacks`.
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Tells where pixels lie.
    block : int, default=8
        Side of the blocks in pixels: larger than the grains that are seen.
    confidence : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=1000
        How often blocks are drawn.
    seed : int, default=0
        Of the draws.

    Returns
    -------
    FractionIntervals
        Rows without at least 4 blocks that hold assigned pixels have no interval (NaN).

    Raises
    ------
    ValueError
        If pixels differ, or a number is out of its range.

    References
    ----------
    .. [1] S. N. Lahiri, Resampling Methods for Dependent Data, Springer (2003), Ch. 12,
       DOI: 10.1007/978-1-4757-3803-2

    Examples
    --------
    >>> from napari_phasemap.core.data.phasemap import PhaseMap
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack(np.ones((1, 16, 16)), [280.0], name="P1")
    >>> left = np.arange(256) % 16 < 8
    >>> phases = PhaseMap.from_scores(np.stack([left, ~left], axis=1), ["a", "b"])
    >>> found = fraction_intervals(phases, stack, block=4)
    >>> found.fractions[0].tolist(), bool(found.low[0, 0] < 50 < found.high[0, 0])
    ([50.0, 50.0], True)
    """
    stacks = as_set(stacks)
    _check(phases, stacks, block, confidence, n_resamples)
    rng = np.random.default_rng(seed)
    resampled = np.zeros((1 + len(stacks), n_resamples, phases.n_phases))
    counts = np.zeros((1 + len(stacks), phases.n_phases))
    enough = np.zeros(1 + len(stacks), dtype=bool)
    for row, (labels, stack) in enumerate(
        zip(stacks.split(phases.labels), stacks, strict=True), start=1
    ):
        blocks = _counts_of_blocks(labels, stack, phases.n_phases, block)
        counts[row] = blocks.sum(axis=0)
        enough[row] = len(blocks) >= LEAST_BLOCKS
        if len(blocks):
            share = np.full(len(blocks), 1.0 / len(blocks))
            drawn = rng.multinomial(len(blocks), share, size=n_resamples)
            resampled[row] = drawn @ blocks
    counts[0], resampled[0] = counts[1:].sum(axis=0), resampled[1:].sum(axis=0)
    enough[0] = bool(enough[1:].any())
    tail = 50.0 * (1.0 - confidence)
    low, high = _percentiles(_per_cent(resampled), (tail, 100.0 - tail))
    low[~enough] = high[~enough] = np.nan
    return FractionIntervals(
        names=phases.names,
        stacks=stacks.names,
        fractions=_per_cent(counts),
        low=low,
        high=high,
        confidence=confidence,
        block=block,
    )


def _check(
    phases: PhaseMap, stacks: StackSet, block: int, confidence: float, n_resamples: int
) -> None:
    if phases.n_pixels != stacks.n_pixels:
        raise InputError(
            f"the map has {phases.n_pixels} pixels, the stacks have {stacks.n_pixels}; "
            "give the stacks that the map was made from"
        )
    if block < 1 or n_resamples < 1:
        raise InputError(f"{block=} and {n_resamples=} must be at least 1")
    if not 0.0 < confidence < 1.0:
        raise InputError(f"{confidence=} is not between 0 and 1")


def _counts_of_blocks(
    labels: NDArray[np.int64], stack: SpectralStack, n_phases: int, block: int
) -> NDArray[np.int64]:
    """Return assigned pixels per block and phase, (n_blocks, n_phases)."""
    rows, cols = np.nonzero(stack.mask)
    across = -(-stack.shape[1] // block)
    number = rows // block * across + cols // block
    assigned = labels > 0
    _, place = np.unique(number[assigned], return_inverse=True)
    n_blocks = int(place.max()) + 1 if place.size else 0
    flat = place * n_phases + labels[assigned].astype(np.int64) - 1
    counts = np.bincount(flat, minlength=n_blocks * n_phases)
    return counts.reshape(n_blocks, n_phases)


def _per_cent(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return counts as per cent of their sum along the last axis, NaN where it is 0."""
    total = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(100.0 * counts / np.where(total > 0, total, np.nan))


def _percentiles(
    fractions: NDArray[np.float64], ends: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two percentiles over the draws, NaN where there are none."""
    empty = np.asarray(np.isnan(fractions).all(axis=1, keepdims=True))
    low, high = np.nanpercentile(np.where(empty, 0.0, fractions), ends, axis=1)
    return np.where(empty[:, 0], np.nan, low), np.where(empty[:, 0], np.nan, high)
