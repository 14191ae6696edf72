"""Where every frame lies, from the shifts of many pairs of frames.

* `register`: positions of all frames, how sure each is, which could not be placed.
* `Spectrum`, `spectrum_of`, `pair_shift`: a frame ready for comparing; a comparison.

Each frame is compared with those 1, 2, 4, 8 ... frames later, and positions are fitted
to all pairs at once, as in the bundle adjustment of maps from photographs: a frame that
was really displaced is followed, because all its pairs say so; a pair that failed is
outvoted by the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Registration", "Spectrum", "pair_shift", "register", "spectrum_of"]

#: Standard deviation, in pixels, of the smoothing before edges are looked for.
SMOOTHING = 1.0
#: Pairs are so many frames apart, as far as there are frames.
DISTANCES = (1, 2, 4, 8, 16, 32)
#: Images up to so many pixels a side are searched whole; larger ones on a coarser grid.
COARSE_SIDE = 384
#: Pixels around the coarse peak that are searched, in steps of `FINE_STEP`.
FINE_REACH, FINE_STEP = 3.0, 0.25
#: Pixels by which a pair may disagree with the fit before it counts less.
TOLERANCE = 0.5
#: The tolerance starts wide and narrows by this factor (graduated non-convexity).
NARROWING = 1.4
#: A pair agrees if its weight in the fit, 0 to 1, is above this.
AGREES = 0.25


#: A frame is not placed where the second best shift of its pairs is nearly as good: the
#: second peak of the correlation, at least `APART` of the image (and 4 pixels) away, is
#: above this share of the first. Unrelated frames have 0.77 to 1, related ones less.
INDISTINCT, APART = 0.77, 1 / 16


class Pair(NamedTuple):
    """One frame against another, see `pair_shift`.

    Attributes
    ----------
    shift : ndarray of shape (2,)
        Pixels along (row, column); 0 where a frame has no edges.
    likeness : float
        Correlation of the edges at that shift, from 0 to 1.
    second : float
        Height of the second peak of the correlation over that of the first, 0 to 1.
    """

    shift: NDArray[np.float64]
    likeness: float
    second: float


class Spectrum(NamedTuple):
    """The edges of one frame as half a Fourier transform, see `spectrum_of`.

    Attributes
    ----------
    values : ndarray of complex64 of shape (n_rows, n_cols // 2 + 1)
        Fourier transform of the edge image. In the unit of the stack.
    shape : tuple of int
        Rows and columns of the frame.
    power : float
        Sum of squares of the edge image.
    """

    values: NDArray[np.complex64]
    shape: tuple[int, int]
    power: float


@dataclass(frozen=True, eq=False)
class Registration:
    """Where frames lie, see `register`.

    Parameters
    ----------
    shifts : ndarray of shape (n_frames, 2)
        Pixels along (row, column) that bring each frame onto the others; mean 0.
    standard_error : ndarray of shape (n_frames,)
        Of the shift, in pixels along one axis, from how well pairs agree; NaN for a
        frame that could not be placed.
    placed : ndarray of bool of shape (n_frames,)
        Whether two of its pairs (one, where it has no more) agree with the others. The
        shift of the other frames is interpolated.
    """

    shifts: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    placed: NDArray[np.bool_]


def spectrum_of(frame: NDArray[np.float32], /) -> Spectrum:
    """Return the edges of a frame, fading towards its borders, ready for `pair_shift`.

    Contrast changes with energy and may invert; edges stay where they are.

    Parameters
    ----------
    frame : ndarray of shape (n_rows, n_cols)
        Counts or optical density; NaN counts as the median.

    Returns
    -------
    Spectrum
    """
    from scipy.fft import rfft2
    from scipy.ndimage import gaussian_gradient_magnitude

    finite = np.isfinite(frame)
    fill = float(np.median(frame[finite])) if finite.any() else 0.0
    whole = np.where(finite, frame, np.float32(fill)).astype(np.float32, copy=False)
    whole = whole - np.float32(fill)
    edges = gaussian_gradient_magnitude(whole, SMOOTHING, mode="nearest")
    # A window keeps the borders of the image, which do not move, from being aligned.
    rows, cols = (np.sqrt(np.hanning(n + 2)[1:-1]) for n in frame.shape)
    window = (rows[:, None] * cols).astype(np.float32)
    windowed = (edges - edges.mean()) * window
    values = rfft2(windowed).astype(np.complex64, copy=False)
    n_rows, n_cols = frame.shape
    return Spectrum(values, (n_rows, n_cols), float(np.square(windowed).sum()))


def pair_shift(fixed: Spectrum, moving: Spectrum, /, *, upsample: int = 20) -> Pair:
    """Return the shift that brings one frame onto another, and how sure it is.

    The peak of the cross-correlation [1]_: first on whole pixels, then by Fourier sums
    on ever finer steps around it.

    Parameters
    ----------
    fixed, moving : Spectrum
        Of frames of one shape.
    upsample : int, default=20
        The shift is found to 1 / `upsample` pixel.

    Returns
    -------
    Pair

    References
    ----------
    .. [1] M. Guizar-Sicairos, S. T. Thurman, J. R. Fienup, Opt. Lett. 33 (2008)
       156-158, DOI: 10.1364/OL.33.000156
    """
    if not (fixed.power and moving.power):
        return Pair(np.zeros(2), 0.0, 1.0)
    product = fixed.values * np.conj(moving.values)
    center, second = _coarse_peak(product, fixed.shape)
    center, _ = _fine_peak(product, fixed.shape, center, FINE_REACH, FINE_STEP)
    shift, peak = _fine_peak(product, fixed.shape, center, FINE_STEP, 1.0 / upsample)
    n_pixels = fixed.shape[0] * fixed.shape[1]
    likeness = peak / (n_pixels * np.sqrt(fixed.power * moving.power))
    return Pair(shift, float(np.clip(likeness, 0.0, 1.0)), second)


def register(
    frames: Sequence[int],
    spectrum: Callable[[int], Spectrum],
    /,
    *,
    upsample: int = 20,
    on_pair: Callable[[int, int], None] = lambda done, total: None,
) -> Registration:
    """Place frames by the shifts of pairs that are 1, 2, 4, 8 ... frames apart.

    Positions minimize the sum of a redescending function of the disagreements (Geman
    and McClure), approached from a convex one (graduated non-convexity [1]_).

    Parameters
    ----------
    frames : sequence of int
        Numbers of the frames, in order.
    spectrum : callable
        Returns the `Spectrum` of a frame by its number; called once for each.
    upsample : int, default=20
        Shifts of pairs are found to 1 / `upsample` pixel.
    on_pair : callable, optional
        Told the number of pairs done and their total; what it raises ends the search.

    Returns
    -------
    Registration
        One row per frame.

    References
    ----------
    .. [1] H. Yang, P. Antonante, V. Tzoumas, L. Carlone, IEEE Robot. Autom. Lett. 5
       (2020) 1127-1134, DOI: 10.1109/LRA.2020.2965893
    """
    from threadpoolctl import threadpool_limits

    pairs = list(_pairs(len(frames)))
    spectra: dict[int, Spectrum] = {}
    found = []
    # The products are small: a second thread costs more than it brings.
    with threadpool_limits(1):
        for done, (first, second) in enumerate(pairs):
            on_pair(done, len(pairs))
            for one in (first, second):
                if one not in spectra:
                    spectra[one] = spectrum(frames[one])
            found.append(pair_shift(spectra[first], spectra[second], upsample=upsample))
            # Pairs run by their first frame: after its last one it is not needed.
            if done + 1 == len(pairs) or pairs[done + 1][0] != first:
                del spectra[first]
        ends = np.array(pairs, dtype=np.intp).reshape(-1, 2)
        return _fitted(len(frames), ends, found)


def _pairs(n_frames: int) -> Iterator[tuple[int, int]]:
    """Yield pairs of frames, by their first frame."""
    for first in range(n_frames):
        for distance in DISTANCES:
            if first + distance < n_frames:
                yield first, first + distance


def _coarse_peak(
    product: NDArray[np.complex64], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], float]:
    """Return the shift of the largest correlation, and how high the second peak is.

    Edges are smooth, so that the low frequencies of a large image suffice.
    """
    from scipy.fft import irfft2

    rows, cols = (min(n, max(COARSE_SIDE, n // 4)) for n in shape)
    low = _low_frequencies(product, shape, rows, cols)
    correlation = irfft2(low, s=(rows, cols))
    row, col = divmod(int(correlation.argmax()), cols)
    height = float(correlation[row, col])
    apart = max(4, int(APART * min(rows, cols)))
    near = np.ix_(
        np.arange(row - apart, row + apart + 1) % rows,
        np.arange(col - apart, col + apart + 1) % cols,
    )
    correlation[near] = -np.inf
    second = float(np.clip(correlation.max() / height, 0.0, 1.0)) if height > 0 else 1.0
    signed = [
        n - size if n > size // 2 else n for n, size in ((row, rows), (col, cols))
    ]
    return np.array(signed) * np.array(shape) / (rows, cols), second


def _low_frequencies(
    product: NDArray[np.complex64], shape: tuple[int, int], rows: int, cols: int
) -> NDArray[np.complex64]:
    """Return the frequencies that an image of `rows` by `cols` has."""
    if (rows, cols) == shape:
        return product
    half = (rows - 1) // 2
    kept = np.zeros((rows, cols // 2 + 1), dtype=product.dtype)
    columns = (cols + 1) // 2
    kept[: half + 1, :columns] = product[: half + 1, :columns]
    if half:
        kept[-half:, :columns] = product[-half:, :columns]
    return kept


def _fine_peak(
    product: NDArray[np.complex64],
    shape: tuple[int, int],
    center: NDArray[np.float64],
    reach: float,
    step: float,
) -> tuple[NDArray[np.float64], float]:
    """Return shift and height of the largest correlation around `center`."""
    count = int(np.ceil(reach / step))
    offsets = step * np.arange(-count, count + 1)
    n_rows, n_cols = shape
    at_rows, at_cols = center[0] + offsets, center[1] + offsets
    rows = np.exp(2j * np.pi * at_rows[:, None] * np.fft.fftfreq(n_rows))
    cols = np.exp(2j * np.pi * np.fft.rfftfreq(n_cols)[:, None] * at_cols)
    # Half a spectrum: columns between the first and the middle one stand for two.
    cols[1 : (n_cols + 1) // 2] *= 2
    sums = rows.astype(np.complex64) @ (product @ cols.astype(np.complex64))
    row, col = np.unravel_index(int(sums.real.argmax()), sums.shape)
    return np.array([at_rows[row], at_cols[col]]), float(sums.real[row, col])


def _fitted(
    n_frames: int,
    pairs: NDArray[np.intp],
    found: Sequence[Pair],
) -> Registration:
    """Return positions that most pairs agree with; surer pairs have more to say."""
    shifts = np.zeros((n_frames, 2))
    if not len(pairs):
        return Registration(shifts, np.full(n_frames, np.nan), np.ones(n_frames, bool))
    steps = np.array([pair.shift for pair in found])
    second = np.array([pair.second for pair in found])
    likeness = np.array([pair.likeness for pair in found])
    # The first fit is by absolute values, which a few failed pairs cannot carry away.
    say = np.square(likeness * (1.0 - second)) + 1e-6
    weights = say
    for _ in range(10):
        shifts, residuals = _least_squares(n_frames, pairs, steps, weights)
        weights = say / np.maximum(residuals, TOLERANCE)
    width = max(float(residuals.max()) / TOLERANCE, 1.0)
    while True:
        limit = (width * TOLERANCE) ** 2
        weights = say * np.square(limit / (residuals**2 + limit))
        shifts, residuals = _least_squares(n_frames, pairs, steps, weights)
        if width <= 1.0:
            break
        width = max(width / NARROWING, 1.0)
    weights = np.square(TOLERANCE**2 / (residuals**2 + TOLERANCE**2))
    return _judged(shifts, pairs, residuals, weights, second)


def _least_squares(
    n_frames: int,
    pairs: NDArray[np.intp],
    steps: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions (mean 0) and by how many pixels each pair disagrees."""
    laplacian, right = _normal_equations(n_frames, pairs, steps, weights)
    shifts = np.linalg.solve(laplacian, right)
    disagreement = steps - (shifts[pairs[:, 1]] - shifts[pairs[:, 0]])
    return shifts, np.hypot(*disagreement.T)


def _normal_equations(
    n_frames: int,
    pairs: NDArray[np.intp],
    steps: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the matrix and the right side of the weighted fit."""
    first, second = pairs.T
    laplacian = np.zeros((n_frames, n_frames))
    np.add.at(laplacian, (first, first), weights)
    np.add.at(laplacian, (second, second), weights)
    np.add.at(laplacian, (first, second), -weights)
    np.add.at(laplacian, (second, first), -weights)
    right = np.zeros((n_frames, 2))
    np.add.at(right, second, weights[:, None] * steps)
    np.add.at(right, first, -weights[:, None] * steps)
    # Only differences are known: the mean is set to 0, and a frame without any pair
    # that counts is held where it is.
    return laplacian + 1.0 / n_frames + 1e-9 * np.eye(n_frames), right


def _judged(
    shifts: NDArray[np.float64],
    pairs: NDArray[np.intp],
    residuals: NDArray[np.float64],
    weights: NDArray[np.float64],
    second: NDArray[np.float64],
) -> Registration:
    """Return positions with their errors; frames without agreement are interpolated."""
    n_frames = len(shifts)
    agreeing = weights > AGREES
    placed = np.zeros(n_frames, dtype=bool)
    for frame in range(n_frames):
        own = (pairs == frame).any(axis=1)
        agree = own & agreeing
        placed[frame] = agree.sum() >= min(int(own.sum()), 2) and bool(
            np.median(second[agree]) < INDISTINCT
        )
    laplacian, _ = _normal_equations(
        n_frames, pairs, np.zeros((len(pairs), 2)), weights
    )
    spread = np.linalg.inv(laplacian).diagonal() - 1.0 / n_frames
    freedom = max(float(weights.sum()) - n_frames + 1, 1.0)
    # Both axes are in a residual, hence the 2.
    variance = float((weights * residuals**2).sum()) / (2 * freedom)
    error = np.sqrt(np.maximum(variance * spread, 0.0))
    if placed.any() and not placed.all():
        frames = np.arange(n_frames)
        known = frames[placed]
        shifts = np.stack(
            [np.interp(frames, known, axis[placed]) for axis in shifts.T], axis=1
        )
    error[~placed] = np.nan
    return Registration(shifts - shifts.mean(axis=0), error, placed)
