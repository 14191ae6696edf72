"""How the field of view drifted from energy to energy, and how that is undone.

* `estimate_shifts`: the shift of every frame.
* `register_frames`: the same, with how sure each is and which could not be placed.
* `align`: move the frames back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import counting_noise
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.prepare.registration import (
    Registration,
    pair_shift,
    register,
    spectrum_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.noise import Noise
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["align", "estimate_shifts", "register_frames"]

#: Pixels by which the mean of all frames may correct what pairs of frames found.
LARGEST_CORRECTION = 2.0
#: Pixels around a point over which splines of any order have died away.
IMPULSE = 12


def estimate_shifts(
    stack: SpectralStack,
    /,
    *,
    reference: Literal["neighbor", "mean"] = "neighbor",
    upsample: int = 20,
    on_progress: OnProgress = ignore_progress,
) -> NDArray[np.float64]:
    """Estimate how far each frame must be moved to lie on the others.

    The shifts of `register_frames`, which also says how sure each is and which frames
    could not be placed.

    Parameters
    ----------
    stack : SpectralStack
        Counts or optical density; at least 8 rows and columns.
    reference : {"neighbor", "mean"}, default="neighbor"
        * "neighbor": frames against those 1, 2, 4, 8 ... frames later. Follows contrast
          that changes along the stack, and single frames that were displaced.
        * "mean": each frame against the mean of all, once more after a first
          alignment by neighbors; needs structure that is seen at all energies.
    upsample : int, default=20
        Shifts of pairs are found to 1 / `upsample` pixel.
    on_progress : callable, optional
        Told the comparisons done and their number; may raise `Cancelled`.

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
    """
    return register_frames(
        stack, reference=reference, upsample=upsample, on_progress=on_progress
    ).shifts


def register_frames(
    stack: SpectralStack,
    /,
    *,
    reference: Literal["neighbor", "mean"] = "neighbor",
    upsample: int = 20,
    on_progress: OnProgress = ignore_progress,
) -> Registration:
    """Find where each frame lies, how sure that is, and which could not be placed.

    Parameters
    ----------
    stack : SpectralStack
        Counts or optical density; at least 8 rows and columns.
    reference : {"neighbor", "mean"}, default="neighbor"
        As in `estimate_shifts`.
    upsample : int, default=20
        Shifts of pairs are found to 1 / `upsample` pixel.
    on_progress : callable, optional
        Told the comparisons done and their number; may raise `Cancelled`.

    Returns
    -------
    Registration
        One row per energy. Missing frames are not placed.

    Raises
    ------
    ValueError
        If the frames are too small, or an option is unknown.
    """
    if min(stack.shape) < 8:
        raise InputError(
            f"alignment needs at least 8 rows and columns; got {stack.shape}"
        )
    if reference not in ("neighbor", "mean"):
        raise InputError(f"{reference=} is not one of neighbor, mean")
    present = [int(index) for index in np.flatnonzero(~stack.missing_frames)]
    found = register(
        present,
        lambda index: spectrum_of(np.asarray(stack.data[index])),
        upsample=upsample,
        on_pair=lambda done, total: on_progress(done, total, "estimating drift"),
    )
    shifts = _at_all_energies(stack, present, found.shifts)
    if reference == "mean":
        shifts = _against_mean(stack, present, shifts, upsample, on_progress)
    error = np.full(stack.n_energies, np.nan)
    placed = np.zeros(stack.n_energies, dtype=bool)
    error[present], placed[present] = found.standard_error, found.placed
    on_progress(1, 1, "estimating drift")
    return Registration(shifts - shifts.mean(axis=0), error, placed)


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


def _against_mean(
    stack: SpectralStack,
    present: Sequence[int],
    shifts: NDArray[np.float64],
    upsample: int,
    on_progress: OnProgress,
) -> NDArray[np.float64]:
    """Return shifts corrected by comparing each frame with the mean of all."""
    mean = spectrum_of(_mean_of_aligned(stack, present, shifts))
    corrected = shifts.copy()
    for done, index in enumerate(present):
        on_progress(done, len(present), "comparing with the mean")
        moved = _moved(np.asarray(stack.data[index]), shifts[index], order=1)
        correction = pair_shift(mean, spectrum_of(moved), upsample=upsample).shift
        if np.hypot(*correction) <= LARGEST_CORRECTION:
            corrected[index] += correction
    return corrected


def _at_all_energies(
    stack: SpectralStack, present: Sequence[int], shifts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return shifts of the present frames interpolated to all frames."""
    if not present:
        return np.zeros((stack.n_energies, 2))
    frames = np.arange(stack.n_energies)
    return np.stack([np.interp(frames, present, axis) for axis in shifts.T], axis=1)


def _mean_of_aligned(
    stack: SpectralStack, present: Sequence[int], shifts: NDArray[np.float64]
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
