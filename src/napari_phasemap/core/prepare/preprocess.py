"""How raw counts become optical density.

* `estimate_i0`: the incident intensity, from the stack itself or from a spectrum.
* `optical_density`: ``-ln(I / I0)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import counting_noise, density_noise
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.prepare.masking import image_mask, mean_image

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["estimate_i0", "optical_density"]

#: Slack when an I0 spectrum is interpolated, in eV, for rounding at its ends.
EDGE_SLACK = 1e-6


def estimate_i0(
    stack: SpectralStack,
    /,
    *,
    method: Literal["brightest", "region", "spectrum"] = "brightest",
    percentile: float = 95.0,
    region: ArrayLike | None = None,
    spectrum: tuple[ArrayLike, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Estimate the incident intensity I0 at every energy.

    Parameters
    ----------
    stack : SpectralStack
        Transmitted intensity, in counts. Its mask is not used: the background may lie
        outside the particle.
    method : {"brightest", "region", "spectrum"}, default="brightest"
        * "brightest": mean of the pixels that are brightest on average over energies;
          right where the field of view holds some empty background.
        * "region": mean of the pixels of `region`, drawn on empty background.
        * "spectrum": `spectrum`, interpolated linearly to the stack's energies.
    percentile : float, default=95.0
        For "brightest": percentile of the mean images above which a pixel counts as
        background, 0 to 100.
    region : array_like of bool of shape (n_rows, n_cols), optional
        For "region".
    spectrum : tuple of array_like of shape (n,), optional
        For "spectrum": energies in eV, increasing, and counts.

    Returns
    -------
    ndarray of shape (n_energies,)
        Counts, float64; NaN at missing frames. Pixels with NaN or an infinite value in
        any other frame are left out.

    Raises
    ------
    ValueError
        If `stack` does not hold counts, if no pixel is left, or if `spectrum` does not
        cover the stack's energies.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack(np.arange(16.0).reshape(2, 2, 4), [280.0, 285.0])
    >>> estimate_i0(stack, percentile=80).tolist()
    [6.5, 14.5]
    """
    _refuse(stack, "counts", "I0 is estimated from counts")
    if method == "spectrum":
        if spectrum is None:
            raise InputError('method="spectrum" needs spectrum=(energy, counts)')
        return _interpolated(stack, *spectrum)
    mean = mean_image(stack)
    if method == "region":
        chosen = image_mask(stack, region, "region") & np.isfinite(mean)
        if not chosen.any():
            raise InputError("the region holds no pixel with counts at every energy")
    elif method == "brightest":
        if not 0.0 <= percentile <= 100.0:
            raise InputError(f"percentile is from 0 to 100; got {percentile}")
        finite = mean[np.isfinite(mean)]
        if not finite.size:
            raise InputError(f"{stack.name!r} has no pixel with counts at every energy")
        chosen = np.isfinite(mean) & (mean >= np.percentile(finite, percentile))
    else:
        raise InputError(f"{method=} is not one of brightest, region, spectrum")
    i0 = np.full(stack.n_energies, np.nan)
    for index in np.flatnonzero(~stack.missing_frames):
        i0[index] = np.asarray(stack.data[index])[chosen].mean(dtype=np.float64)
    return i0


def optical_density(
    stack: SpectralStack,
    i0: ArrayLike,
    /,
    *,
    min_counts: float = 0.0,
    i0_variance: ArrayLike = 0.0,
    gain: float = 1.0,
    dark: float = 0.0,
    on_progress: OnProgress = ignore_progress,
) -> SpectralStack:
    """Convert transmitted intensity to optical density.

    ``OD = -ln(I / I0)`` per pixel and energy (Beer-Lambert law [1]_).

    Parameters
    ----------
    stack : SpectralStack
        Transmitted intensity, in counts; aligned.
    i0 : array_like of shape (n_energies,)
        Incident intensity on the energies of `stack`, in the same unit.
    min_counts : float, default=0.0
        A pixel that has no more than this at some energy is masked, not repaired. The
        default masks what has no logarithm; a few counts keep noise out as well. So is
        one with an infinite value.
    i0_variance : array_like of shape (n_energies,) or (), default=0.0
        Variance of `i0` in counts squared: ``gain * i0 / n`` for a mean over n pixels.
    gain : float, default=1.0
        Counts per photon: an intensity that is no number of photons has another.
    dark : float, default=0.0
        Dark level in counts, taken off intensity and `i0`; its noise stays.
    on_progress : callable, optional
        Told the number of frames done; may raise `Cancelled`.

    Returns
    -------
    SpectralStack
        float32, quantity "optical_density", with the noise that `variance` needs.
        Pixels without counts hold NaN at every energy and are taken from the mask;
        `history` says how many. Missing frames stay NaN. A dask array stays one, but is
        read once for the mask.

    Raises
    ------
    ValueError
        If `stack` does not hold counts, if `i0` does not fit or is not positive at
        every frame there is, or if no pixel has counts at every energy.

    References
    ----------
    .. [1] J. Stöhr, NEXAFS Spectroscopy, Springer 1992, section 5.1,
       DOI: 10.1007/978-3-662-02853-7

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack(np.full((2, 1, 1), np.exp(-1.0)), [280.0, 285.0])
    >>> optical_density(stack, [1.0, 1.0]).data.ravel().tolist()
    [1.0, 1.0]
    """
    _refuse(stack, "counts", "optical density is made from counts")
    if not (np.isfinite(gain) and gain > 0 and np.isfinite(dark) and dark >= 0):
        raise InputError(
            f"gain (counts per photon) is positive and dark (counts) not negative; got "
            f"{gain=} and {dark=}"
        )
    incident = _checked_i0(stack, np.asarray(i0, dtype=np.float64) - dark)
    log_i0 = np.log(incident).astype(np.float32)
    # Counts that were aligned or binned carry a smaller noise than one photon each.
    before = stack.noise or counting_noise(stack.n_energies)
    noise = density_noise(
        incident,
        i0_variance=i0_variance,
        gain=gain * before.shot[before.frames],
        dark=dark,
    )
    present = np.flatnonzero(~stack.missing_frames)
    in_memory = isinstance(stack.data, np.ndarray)
    data: Any = np.empty(stack.data.shape, np.float32) if in_memory else None
    empty = np.zeros(stack.shape, dtype=bool)
    for done, index in enumerate(present):
        on_progress(done, len(present), "optical density")
        frame = _without_dark(np.asarray(stack.data[index]), dark)
        empty |= ~((frame > min_counts) & (frame < np.inf))
        if in_memory:
            _log_ratio(frame, log_i0[index], data[index])
    n_empty = int(np.count_nonzero(empty))
    if n_empty == empty.size:
        raise InputError(
            f"no pixel of {stack.name!r} has more than {min_counts:g} counts at every "
            "energy; lower min_counts or leave out frames without beam"
        )
    if in_memory:
        data[stack.missing_frames] = np.nan
        if n_empty:
            data[:, empty] = np.nan
    else:
        data = _lazy_log_ratio(_without_dark(stack.data, dark), log_i0, empty)
    on_progress(len(present), len(present), "optical density")
    return stack.with_step(
        f"optical density, {n_empty} pixels with no more than {min_counts:g} counts "
        "masked",
        data=data,
        mask=stack.mask & ~empty,
        quantity="optical_density",
        noise=noise,
    )


def _refuse(stack: SpectralStack, wanted: str, reason: str) -> None:
    """Raise unless the stack holds what is wanted."""
    if stack.quantity != wanted:
        raise InputError(
            f"{reason}; {stack.name!r} holds {stack.quantity.replace('_', ' ')}"
        )


def _interpolated(
    stack: SpectralStack, energy: ArrayLike, counts: ArrayLike
) -> NDArray[np.float64]:
    """Return a spectrum on the stack's energies, or raise where it does not reach."""
    x, y = np.asarray(energy, dtype=float), np.asarray(counts, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or not x.size:
        raise InputError(f"I0 energies {x.shape} and counts {y.shape} do not match")
    if (np.diff(x) <= 0).any():
        raise InputError("the energies of the I0 spectrum must increase")
    low, high = stack.energy[0], stack.energy[-1]
    if low < x[0] - EDGE_SLACK or high > x[-1] + EDGE_SLACK:
        raise InputError(
            f"the I0 spectrum ({x[0]:g}-{x[-1]:g} eV) does not cover the stack "
            f"{stack.name!r} ({low:g}-{high:g} eV); crop the stack or load another I0"
        )
    i0: NDArray[np.float64] = np.interp(stack.energy, x, y)
    return i0


def _checked_i0(stack: SpectralStack, i0: ArrayLike) -> NDArray[np.float64]:
    """Return I0 as float64, NaN at missing frames, or raise."""
    values = np.array(i0, dtype=np.float64)
    if values.shape != stack.energy.shape:
        raise InputError(f"{values.shape=} of i0 != {stack.energy.shape} energies")
    missing = stack.missing_frames
    bad = ~missing & ~((values > 0) & np.isfinite(values))
    if bad.any():
        at = int(np.argmax(bad))
        raise InputError(
            f"I0 must be positive at every energy; it is {values[at]:g} at "
            f"{stack.energy[at]:g} eV"
        )
    values[missing] = np.nan
    return values


def _without_dark(data: Any, dark: float) -> Any:
    """Return data less a dark level, or the very data where there is none."""
    return data - np.float32(dark) if dark else data


def _log_ratio(
    frame: NDArray[np.float32], log_i0: np.float32, out: NDArray[np.float32]
) -> None:
    """Write ``log_i0 - ln(frame)`` into `out`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        np.log(frame, out=out)
    np.subtract(log_i0, out, out=out)


def _lazy_log_ratio(
    data: Any, log_i0: NDArray[np.float32], empty: NDArray[np.bool_]
) -> Any:
    """Return the optical density of a dask array as a dask array."""

    def of_block(
        block: NDArray[np.float32], i0: NDArray[np.float32], drop: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(drop, np.float32(np.nan), i0 - np.log(block))

    import dask.array as da

    chunks_e, chunks_y, chunks_x = data.chunks
    i0 = da.from_array(log_i0[:, None, None], chunks=(chunks_e, 1, 1))
    drop = da.from_array(empty[None], chunks=(1, chunks_y, chunks_x))
    return da.map_blocks(of_block, data, i0, drop, dtype=np.float32)
