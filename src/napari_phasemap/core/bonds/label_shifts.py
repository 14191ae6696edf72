"""What chance alone makes of two label maps: all shifts of one against the other.

* `shift_null`: every toroidal shift by Fourier transforms (exact counts).
* `permutation_null`: independent permutations of pixels, for uncorrelated labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_phasemap.core.data.progress import OnProgress

    Images = list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]

__all__ = ["ShiftNull", "permutation_null", "shift_null"]

#: Shifts that keep a smaller share of the pixels in both masks are left out.
LEAST_OVERLAP = 0.5
#: Up to this many pixels, single precision counts exactly after rounding.
SINGLE_PRECISION_PIXELS = 2**17
#: Counts kept between the two passes; beyond, they are computed twice.
KEPT_COUNTS = 2**26
#: Two deviations that differ by less are the same: counts are whole numbers.
TIE = 1e-6


@dataclass(frozen=True, eq=False)
class ShiftNull:
    """How the maps as they are compare with the null.

    Parameters
    ----------
    z, p, p_family : ndarray of shape (n_a, n_b)
        Per pair; NaN where not tested. Dimensionless.
    mean_bits, p_bits : float
        Mean mutual information under the null, and the share that reaches it.
    n_null : int
        Members of the null, the maps as they are included.
    """

    z: NDArray[np.float64]
    p: NDArray[np.float64]
    p_family: NDArray[np.float64]
    mean_bits: float
    p_bits: float
    n_null: int


def shift_null(
    images: Images,
    sizes: tuple[int, int],
    tested: NDArray[np.bool_],
    n_null: int,
    seed: int,
    on_progress: OnProgress,
) -> ShiftNull:
    """Compare with all shifts; member 0 of the null is no shift.

    Parameters
    ----------
    images : list of (labels a, labels b, mask), one per stack
        Images of shape (n_rows, n_cols); labels count inside the mask.
    sizes : tuple of int
        Numbers of classes, class 0 included.
    tested : bool ndarray of shape (n_classes_a, n_classes_b)
        Pairs to test.
    n_null : int
        Random combinations of shifts, with more than one stack.
    seed : int
        Seed of the combinations.
    on_progress : callable
        Called with (step, total, text).

    Returns
    -------
    ShiftNull
        The tables of every member of the null and what follows of them.
    """
    correlators = [_Correlator(*image, sizes) for image in images]
    rng = np.random.default_rng(seed)
    overlaps = [c.overlap() for c in correlators]
    picks: list[NDArray[np.intp]] = []
    for overlap in overlaps:
        allowed = np.flatnonzero(overlap >= LEAST_OVERLAP * overlap[0])
        if len(overlaps) > 1:
            drawn = rng.choice(allowed, n_null)
            allowed = np.concatenate([[0], drawn])
        picks.append(allowed)

    def member(i: int, j: int) -> NDArray[np.float64]:
        """Return the counts of a pair over the null."""
        total = np.zeros(len(picks[0]))
        for correlator, pick in zip(correlators, picks, strict=True):
            total += correlator.counts(i, j)[pick]
        return total

    return _compare(member, sizes, tested, on_progress)


def permutation_null(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    sizes: tuple[int, int],
    tested: NDArray[np.bool_],
    n_null: int,
    seed: int,
    on_progress: OnProgress,
) -> ShiftNull:
    """Compare with random permutations of pixels; member 0 is no permutation.

    Parameters
    ----------
    a, b : ndarray of int of shape (n_pixels,)
        Labels of the same pixels, 0 for absent.
    sizes : tuple of int
        Numbers of classes, class 0 included.
    tested : bool ndarray of shape (n_classes_a, n_classes_b)
        Pairs to test.
    n_null : int
        Random permutations.
    seed : int
        Of the permutations.
    on_progress : callable
        Called with (step, total, text).

    Returns
    -------
    ShiftNull
        The tables of every member of the null and what follows of them.
    """
    rng = np.random.default_rng(seed)
    counts = np.empty((n_null + 1, *sizes), dtype=np.int64)
    key = a * sizes[1]
    for index in range(n_null + 1):
        other = b if index == 0 else rng.permutation(b)
        pairs = np.bincount(key + other, minlength=sizes[0] * sizes[1])
        counts[index] = pairs.reshape(sizes)
        if index % 100 == 0:
            on_progress(index, n_null + 1, "permutations")

    def member(i: int, j: int) -> NDArray[np.float64]:
        return counts[:, i, j].astype(np.float64)

    return _compare(member, sizes, tested, on_progress)


def _compare(
    member: Callable[[int, int], NDArray[np.float64]],
    sizes: tuple[int, int],
    tested: NDArray[np.bool_],
    on_progress: OnProgress,
) -> ShiftNull:
    """Return z and p of every pair from its counts over the null."""
    kept: dict[tuple[int, int], NDArray[np.float32]] = {}
    rows = [np.zeros(0)] * sizes[0]
    columns = [np.zeros(0)] * sizes[1]
    n_steps = sizes[0] * sizes[1]
    for step, (i, j) in enumerate(_pairs(sizes)):
        on_progress(step, 2 * n_steps, "counting shifted pairs")
        n = member(i, j)
        if n.size * n_steps <= KEPT_COUNTS:
            kept[i, j] = n.astype(np.float32)
        rows[i] = rows[i] + n if rows[i].size else n
        columns[j] = columns[j] + n if columns[j].size else n
    total = np.sum(rows, axis=0)
    bits = np.log2(total)
    for margin in (*rows, *columns):
        bits -= _n_log2_n(margin) / total
    largest = np.zeros(len(total))
    observed = np.full(sizes, np.nan)
    p = np.full(sizes, np.nan)
    for step, (i, j) in enumerate(_pairs(sizes)):
        on_progress(n_steps + step, 2 * n_steps, "comparing")
        n = np.asarray(kept[i, j] if kept else member(i, j), dtype=np.float64)
        bits += _n_log2_n(n) / total
        if not tested[i, j]:
            continue
        expected = rows[i] * columns[j] / total
        deviation = (n - expected) / np.sqrt(np.maximum(expected, 0.5))
        deviation -= deviation.mean()
        spread = deviation.std()
        if spread < TIE:
            continue
        deviation /= spread
        size = np.abs(deviation)
        observed[i, j] = deviation[0]
        p[i, j] = np.mean(size >= size[0] - TIE)
        np.maximum(largest, size, out=largest)
    family = np.full(sizes, np.nan)
    ordered = np.sort(largest)
    for i, j in _pairs(sizes):
        if np.isfinite(observed[i, j]):
            below = np.searchsorted(ordered, abs(observed[i, j]) - TIE)
            family[i, j] = 1.0 - below / len(ordered)
    on_progress(2 * n_steps, 2 * n_steps, "done")
    return ShiftNull(
        z=observed,
        p=p,
        p_family=family,
        mean_bits=float(bits.mean()),
        p_bits=float(np.mean(bits >= bits[0] - TIE)),
        n_null=len(total),
    )


class _Correlator:
    """Counts of pairs of labels for every shift of the second image."""

    def __init__(
        self,
        a: NDArray[np.int64],
        b: NDArray[np.int64],
        mask: NDArray[np.bool_],
        sizes: tuple[int, int],
    ) -> None:
        from scipy.fft import rfft2

        exact = a.size > SINGLE_PRECISION_PIXELS
        dtype = np.float64 if exact else np.float32
        self._shape = a.shape
        self._a, self._b = (
            [rfft2(((image == i) & mask).astype(dtype)) for i in range(size)]
            for image, size in zip((a, b), sizes, strict=True)
        )
        self._mask = rfft2(mask.astype(dtype))

    def counts(self, i: int, j: int) -> NDArray[np.float64]:
        """Return how many pixels of class i meet class j, for every shift, flat."""
        return self._correlate(np.conj(self._a[i]), self._b[j])

    def overlap(self) -> NDArray[np.float64]:
        """Return how many pixels are in both masks, for every shift, flat."""
        return self._correlate(np.conj(self._mask), self._mask)

    def _correlate(
        self, first: NDArray[np.complexfloating], second: NDArray[np.complexfloating]
    ) -> NDArray[np.float64]:
        from scipy.fft import irfft2

        raw = irfft2(first * second, s=self._shape)
        return np.asarray(np.rint(raw).ravel(), dtype=np.float64)


def _pairs(sizes: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            yield i, j


def _n_log2_n(n: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return n log2 n, 0 at 0."""
    return np.asarray(n * np.log2(np.maximum(n, 1.0)), dtype=np.float64)
