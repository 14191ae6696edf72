"""What has to be put right in a spectrum image before its edges are compared.

* `align_zero_loss`: low loss and its core loss brought to a common zero.
* `calibrate_onset`: the axis moved so that a known edge lies where it should.
* `find_spikes`, `remove_spikes`: channels that one event filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.eels.thickness import channel_width, thickness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.eels.thickness import Thickness

__all__ = ["align_zero_loss", "calibrate_onset", "find_spikes", "remove_spikes"]

#: Values that are compared with their spectrum between two reports.
BLOCK = 4_000_000
#: Channels that are moved between two reports.
CHANNELS_PER_REPORT = 32


def align_zero_loss(
    low_loss: SpectralStack,
    core_loss: SpectralStack | None = None,
    /,
    *,
    measured: Thickness | None = None,
    on_progress: OnProgress = ignore_progress,
) -> tuple[SpectralStack, SpectralStack | None]:
    """Bring every pixel's zero loss to 0 eV by relabeling channels.

    Channels are moved by whole channels per pixel and the axis by the remaining
    fraction, so no count is interpolated. The core loss of the same pixels is moved by
    the same energies. Where all pixels move alike, only the axis changes.

    Parameters
    ----------
    low_loss : SpectralStack
        With the zero-loss peak.
    core_loss : SpectralStack, optional
        Same pixels.
    measured : Thickness, optional
        From `thickness`, if it is already there.
    on_progress : callable, optional
        Called with (step, total, text); may raise `Cancelled`.

    Returns
    -------
    low_loss, core_loss : SpectralStack
        Shorter by the channels that do not exist in every pixel. Pixels outside the
        mask move by the median. Both say so in `SpectralStack.zero_loss`.

    Raises
    ------
    InputError
        If the two have different pixels, or only one of them is aligned already.
    """
    if core_loss is not None and core_loss.shape != low_loss.shape:
        raise InputError(
            f"low loss of {low_loss.shape} pixels, core loss of {core_loss.shape}; "
            "they must show the same pixels"
        )
    if core_loss is not None and low_loss.zero_loss is None is not core_loss.zero_loss:
        raise InputError(
            f"the zero loss of {core_loss.name!r} is at {core_loss.zero_loss:g} eV in "
            f"every pixel already, that of {low_loss.name!r} is not aligned: moving "
            "both would move the first twice"
        )
    measured = measured or thickness(low_loss, on_progress=on_progress)
    shift = np.zeros(low_loss.shape)
    shift[:] = np.median(measured.zero_loss)
    shift[low_loss.mask] = measured.zero_loss
    aligned = _relabeled(low_loss, shift, on_progress)
    if core_loss is None:
        return aligned, None
    return aligned, _relabeled(core_loss, shift, on_progress)


def calibrate_onset(
    stack: SpectralStack, /, *, window: tuple[float, float], onset: float
) -> SpectralStack:
    """Move the energy axis so that an edge's steepest rise lies at a known energy.

    Only the axis changes; counts stay as they are.

    Parameters
    ----------
    stack : SpectralStack
        Any stack.
    window : tuple of float
        Energies (low, high) in eV that hold this one rise, on the present axis.
    onset : float
        Where it belongs, in eV.

    Returns
    -------
    SpectralStack
        With the moved axis.

    Raises
    ------
    ValueError
        If the window holds fewer than five channels, or nothing rises in it.
    """
    used = (stack.energy >= window[0]) & (stack.energy <= window[1])
    if used.sum() < 5:
        raise InputError(
            f"window {window[0]:g}-{window[1]:g} eV holds {int(used.sum())} channels "
            f"of {stack.energy[0]:g}-{stack.energy[-1]:g} eV; at least 5 are needed"
        )
    from scipy.ndimage import gaussian_filter1d

    flat = np.asarray(stack.data[used]).reshape(int(used.sum()), -1)
    mean = np.nanmean(flat[:, stack.mask.ravel()], axis=1, dtype=np.float64)
    energy = stack.energy[used]
    slope = np.gradient(gaussian_filter1d(mean, 1.0, mode="nearest"), energy)
    steepest = int(slope.argmax())
    if slope[steepest] <= 0:
        raise InputError(
            f"nothing rises between {window[0]:g} and {window[1]:g} eV in "
            f"{stack.name!r}; choose a window around the edge's onset"
        )
    shift = onset - float(energy[steepest])
    return stack.with_energy_moved(
        shift, f"energy moved by {shift:+.3f} eV, so that the rise is at {onset:g} eV"
    )


def find_spikes(
    stack: SpectralStack,
    /,
    *,
    threshold: float = 10.0,
    on_progress: OnProgress = ignore_progress,
) -> NDArray[np.bool_]:
    """Return which channels stand out from their spectrum and from their neighbors.

    A spike exceeds the median of five channels around it, and the median of the 3 x 3
    pixels around it, by `threshold` standard deviations of counting noise. An edge or
    a zero loss stands out from its spectrum only, a bright pixel from its neighbors.

    Parameters
    ----------
    stack : SpectralStack
        Counts.
    threshold : float, default=10.0
        In standard deviations.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    bool ndarray of shape (n_energies, n_rows, n_cols)
        True where there is a spike.

    Raises
    ------
    ValueError
        If `stack` holds no counts.
    """
    if stack.quantity != "counts":
        raise InputError(f"spikes are found in counts; {stack.name!r} has others")
    from scipy.ndimage import median_filter

    data = np.asarray(stack.data)
    out = np.zeros(data.shape, dtype=bool)
    rows = max(1, BLOCK // max(data[:, 0].size, 1))
    for low in range(0, data.shape[1], rows):
        on_progress(low, data.shape[1], "looking for spikes")
        part = data[:, low : low + rows]
        along = median_filter(part, size=(5, 1, 1), mode="nearest")
        out[:, low : low + rows] = part - along > threshold * np.sqrt(
            np.maximum(along, 1.0)
        )
    channels = np.flatnonzero(out.any(axis=(1, 2)))
    for number, channel in enumerate(channels):
        on_progress(number, len(channels), "comparing with neighbors")
        # Most channels have no candidate, so the neighbors are looked at only there.
        beside = median_filter(data[channel], size=3, mode="nearest")
        out[channel] &= data[channel] - beside > threshold * np.sqrt(
            np.maximum(beside, 1.0)
        )
    return out


def remove_spikes(
    stack: SpectralStack,
    /,
    *,
    threshold: float = 10.0,
    on_progress: OnProgress = ignore_progress,
) -> SpectralStack:
    """Replace spikes by the median of the five channels around them; says how many.

    Parameters
    ----------
    stack : SpectralStack
        Counts.
    threshold : float, default=10.0
        See `find_spikes`.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    SpectralStack
        The same object where there is no spike.
    """
    spikes = find_spikes(stack, threshold=threshold, on_progress=on_progress)
    if not spikes.any():
        return stack
    data = np.array(stack.data)
    for channel, row, col in np.argwhere(spikes):
        around = np.asarray(stack.data[max(channel - 2, 0) : channel + 3, row, col])
        data[channel, row, col] = np.median(around)
    return stack.with_step(
        f"{int(spikes.sum())} spikes above {threshold:g} sigma replaced", data=data
    )


def _relabeled(
    stack: SpectralStack, shift: NDArray[np.float64], on_progress: OnProgress
) -> SpectralStack:
    """Return a stack whose pixel energies are lower by `shift`."""
    step = channel_width(stack)
    common = float(np.median(shift))
    moves = np.rint((shift - common) / step).astype(np.intp)
    line = f"zero loss at 0: axis moved by {-common:.3f} eV"
    if not moves.any():
        return stack.with_step(line, energy=stack.energy - common, zero_loss=0.0)
    lowest, highest = int(moves.min()), int(moves.max())
    n = stack.n_energies - (highest - lowest)
    if n < 2:
        raise InputError(
            f"zero losses of {stack.name!r} differ by {(highest - lowest) * step:g} eV"
            ", as much as the axis is long; check that every pixel has a zero-loss peak"
        )
    data = np.asarray(stack.data).reshape(stack.n_energies, -1)
    out = np.empty((n, data.shape[1]), dtype=np.float32)
    rows, columns = (moves - lowest).ravel(), np.arange(data.shape[1])
    for channel in range(n):
        if channel % CHANNELS_PER_REPORT == 0:
            on_progress(channel, n, f"relabeling {stack.name}")
        out[channel] = data[rows + channel, columns]
    energy = stack.energy[-lowest : -lowest + n] - common
    return stack.with_step(
        f"{line}, pixels by {lowest} to {highest} channels",
        data=out.reshape(n, *stack.shape),
        energy=energy,
        zero_loss=0.0,
    )
