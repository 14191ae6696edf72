"""How the field of view drifted from energy to energy, and how that is undone.

* `estimate_shifts`: the shift of every frame.
* `align`: move the frames back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import counting_noise
from napari_phasemap.core.data.progress import OnProgress, ignore_progress

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.noise import Noise
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["align", "estimate_shifts"]

#: Standard deviation, in pixels, of the smoothing before edges are looked for.
SMOOTHING = 1.0
#: Pixels around a point over which splines of any order have died away.
IMPULSE = 12
#: A step between neighbors is an outlier beyond so many scaled median deviations ...
OUTLIER = 8.0
#: ... and beyond so many pixels, so that a stack without drift has no outliers.
LEAST_OUTLIER = 2.0


def estimate_shifts(
    stack: SpectralStack,
    /,
    *,
    reference: Literal["neighbor", "mean"] = "neighbor",
    upsample: int = 20,
    on_progress: OnProgress = ignore_progress,
) -> NDArray[np.float64]:
    """Estimate how far each frame must be moved to lie on the others.

    Frames are smoothed and turned into edge images, because contrast changes with
    energy where edges stay; their shift is the peak of the phase correlation [1]_.

    Parameters
    ----------
    stack : SpectralStack
        Counts or optical density; at least 8 rows and columns.
    reference : {"neighbor", "mean"}, default="neighbor"
        * "neighbor": each frame against the one before, added up. Follows contrast
          that changes along the stack; small errors add up. A step far away from
          all others is taken for a failure and replaced by the median step.
        * "mean": each frame against the mean of all, once more after a first
          alignment by neighbors. No errors add up; needs structure that is seen at
          all energies.
    upsample : int, default=20
        Shifts are found to 1 / `upsample` pixel.
    on_progress : callable, optional
        Told the number of frames done; may raise `Cancelled`.

    Returns
    -------
    ndarray of shape (n_energies, 2)
        Pixels along (row, column) to be given to `align`. Their mean over energies
        is 0, so that as little as possible leaves the field of view. Missing frames
        get the interpolation between their neighbors.

    Raises
    ------
    ValueError
        If the frames are too small, or an option is unknown.

    References
    ----------
    .. [1] M. Guizar-Sicairos, S. T. Thurman, J. R. Fienup, Opt. Lett. 33 (2008)
       156-158, DOI: 10.1364/OL.33.000156
    """
    if min(stack.shape) < 8:
        raise InputError(
            f"alignment needs at least 8 rows and columns; got {stack.shape}"
        )
    if reference not in ("neighbor", "mean"):
        raise InputError(f"{reference=} is not one of neighbor, mean")
    present = np.flatnonzero(~stack.missing_frames)
    n_passes = 1 if reference == "neighbor" else 2
    total = n_passes * len(present)
    steps = np.zeros((len(present), 2))
    before = None
    for done, index in enumerate(present):
        on_progress(done, total, "estimating drift")
        edges = _edges(np.asarray(stack.data[index]))
        if before is not None:
            steps[done] = _shift(before, edges, upsample)
        before = edges
    steps[1:] = _without_outliers(steps[1:])
    shifts = _at_all_energies(stack, present, np.cumsum(steps, axis=0))
    if reference == "mean":
        mean = _edges(_mean_of_aligned(stack, present, shifts))
        for done, index in enumerate(present):
            on_progress(len(present) + done, total, "estimating drift")
            moved = _moved(np.asarray(stack.data[index]), shifts[index], order=1)
            correction = _shift(mean, _edges(moved), upsample)
            if np.hypot(*correction) <= LEAST_OUTLIER:
                shifts[index] += correction
    on_progress(total, total, "estimating drift")
    centered: NDArray[np.float64] = shifts - shifts.mean(axis=0)
    return centered


def align(
    stack: SpectralStack,
    shifts: ArrayLike,
    /,
    *,
    order: int = 1,
    on_progress: OnProgress = ignore_progress,
) -> SpectralStack:
    """Move every frame by its shift.

    Parameters
    ----------
    stack : SpectralStack
        In memory or a dask array, which is loaded frame by frame.
    shifts : array_like of shape (n_energies, 2)
        Pixels along (row, column), from `estimate_shifts`.
    order : int, default=1
        Of the spline between pixels: 0 moves by whole pixels and leaves values as they
        were measured; 1 interpolates linearly; 3 is sharper and may overshoot.
    on_progress : callable, optional
        Told the number of frames done; may raise `Cancelled`.

    Returns
    -------
    SpectralStack
        float32. Pixels that not every frame covers with finite values hold NaN in
        those frames and are taken from the mask; `history` says how many. The mask
        itself does not move.

    Raises
    ------
    ValueError
        If `shifts` does not fit, is not finite, or leaves no common pixel, or if
        `order` is above 1 and a frame holds NaN.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack([[[1, 2, 3]], [[2, 3, 4]]], [1.0, 2.0])
    >>> aligned = align(stack, [[0, 0], [0, 1]])
    >>> aligned.data[1].tolist(), aligned.mask.tolist()
    ([[nan, 2.0, 3.0]], [[False, True, True]])
    """
    values = np.array(shifts, dtype=np.float64)
    if values.shape != (stack.n_energies, 2):
        raise InputError(f"{values.shape=} of shifts != ({stack.n_energies}, 2)")
    if not np.isfinite(values).all():
        raise InputError("shifts must be finite")
    if order not in range(6):
        raise InputError(f"spline order is 0 to 5; got {order}")
    data = np.empty(stack.data.shape, dtype=np.float32)
    covered = np.ones(stack.shape, dtype=bool)
    for index, shift in enumerate(values):
        on_progress(index, stack.n_energies, "aligning")
        if stack.missing_frames[index]:
            data[index] = np.nan
            continue
        frame = np.asarray(stack.data[index])
        if order > 1 and not np.isfinite(frame).all():
            raise InputError(
                f"the frame at {stack.energy[index]:g} eV of {stack.name!r} has pixels "
                f"without a value, which a spline of order {order} would spread over "
                "the image; use order 1 or 0, or align the counts"
            )
        data[index] = _moved(frame, shift, order)
        covered &= np.isfinite(data[index])
    if not covered.any():
        raise InputError(
            f"shifts of up to {np.abs(values).max():.4g} pixels leave no pixel of "
            f"{stack.shape} common to all frames"
        )
    on_progress(stack.n_energies, stack.n_energies, "aligning")
    n_lost = int(np.count_nonzero(stack.mask & ~covered))
    return stack.with_step(
        f"aligned, shifts up to {np.abs(values).max():.2f} pixels, spline order "
        f"{order}, {n_lost} pixels outside some frame masked",
        data=data,
        mask=stack.mask & covered,
        noise=_averaged_noise(stack, values, order),
    )


def _edges(frame: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the strength of edges less its mean, fading towards the borders."""
    from scipy.ndimage import gaussian_gradient_magnitude

    finite = np.isfinite(frame)
    fill = float(np.median(frame[finite])) if finite.any() else 0.0
    whole = np.where(finite, frame, fill).astype(np.float64)
    edges = gaussian_gradient_magnitude(whole, SMOOTHING, mode="nearest")
    # A window keeps the borders of the image, which do not move, from being aligned.
    rows, cols = (np.hanning(n + 2)[1:-1] for n in frame.shape)
    windowed: NDArray[np.float64] = (edges - edges.mean()) * np.sqrt(
        rows[:, None] * cols
    )
    return windowed


def _shift(
    fixed: NDArray[np.float64], moving: NDArray[np.float64], upsample: int
) -> NDArray[np.float64]:
    """Return the shift that brings `moving` onto `fixed`."""
    from skimage.registration import phase_cross_correlation

    if not (fixed.any() and moving.any()):
        return np.zeros(2)
    found: Any = phase_cross_correlation(
        fixed, moving, upsample_factor=upsample, normalization=None
    )
    return np.asarray(found[0], dtype=np.float64)


def _without_outliers(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return steps with those far from the others replaced by the median of all."""
    if len(steps) < 4:
        return steps
    median = np.median(steps, axis=0)
    far = np.hypot(*(steps - median).T)
    # 1.4826 makes the median deviation that of a normal distribution.
    limit = max(OUTLIER * 1.4826 * float(np.median(far)), LEAST_OUTLIER)
    return np.where((far > limit)[:, None], median, steps)


def _at_all_energies(
    stack: SpectralStack, present: NDArray[np.int64], shifts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return shifts of the present frames interpolated to all frames."""
    if not present.size:
        return np.zeros((stack.n_energies, 2))
    frames = np.arange(stack.n_energies)
    return np.stack([np.interp(frames, present, axis) for axis in shifts.T], axis=1)


def _mean_of_aligned(
    stack: SpectralStack, present: NDArray[np.int64], shifts: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the mean of the moved frames; pixels outside some frame are NaN."""
    total = np.zeros(stack.shape)
    for index in present:
        total += _moved(np.asarray(stack.data[index]), shifts[index], order=1)
    mean: NDArray[np.float32] = (total / max(len(present), 1)).astype(np.float32)
    return mean


def _averaged_noise(
    stack: SpectralStack, shifts: NDArray[np.float64], order: int
) -> Noise | None:
    """Return the noise after interpolation, which averages neighboring pixels."""
    noise = stack.noise
    if noise is None and stack.quantity == "counts":
        noise = counting_noise(stack.n_energies)
    if noise is None:
        return None
    return noise.reduced([_squared_weights(shift, order) for shift in shifts])


def _squared_weights(shift: NDArray[np.float64], order: int) -> float:
    """Return the sum of the squared weights that make an interpolated value."""
    point = np.zeros((2 * IMPULSE + 1, 2 * IMPULSE + 1), dtype=np.float32)
    point[IMPULSE, IMPULSE] = 1.0
    response = _moved(point, shift - np.round(shift), order)
    return float(np.nansum(response.astype(np.float64) ** 2))


def _moved(
    frame: NDArray[np.float32], shift: NDArray[np.float64], order: int
) -> NDArray[np.float32]:
    """Return a frame moved by `shift`, NaN where it does not reach."""
    from scipy import ndimage

    moved: NDArray[np.float32] = ndimage.shift(
        frame, shift, order=order, mode="constant", cval=np.nan
    )
    return moved
