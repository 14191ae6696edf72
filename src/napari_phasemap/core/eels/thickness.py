"""How thick a specimen is, and where its energy zero lies: what the low loss tells.

* `thickness`: t/lambda by the log ratio, with the zero-loss position of every pixel.
* `channel_width`: the step of a uniform energy axis.
* `specimen_mask`: where there is specimen at all.
* `thickness_bins`: the thickness as classes, for comparing with chemical classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.text_table import described

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.bonds.mutual_information import ClassPairs
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = [
    "Thickness",
    "channel_width",
    "specimen_mask",
    "thickness",
    "thickness_bins",
    "thickness_warning",
]

#: Where the zero-loss peak is looked for, in eV from zero of the axis.
SEARCH = 30.0
#: A wider peak (full width at half maximum, eV) is a plasmon, not the zero loss.
WIDEST_ZERO_LOSS = 6.0
#: How far from the zero loss the first minimum behind it is looked for, in eV.
LONGEST_TAIL = 12.0
#: Channels between two reports.
CHANNELS_PER_REPORT = 32
#: Classes that share more than this part of their information with the thickness are
#: bands of thickness rather than chemistry.
THICKNESS_SHARE = 0.3


@dataclass(frozen=True, eq=False, repr=False)
class Thickness:
    """Thickness and zero-loss position per pixel, in pixel order.

    Parameters
    ----------
    t_over_lambda : ndarray of float32 of shape (n_pixels,)
        Thickness in inelastic mean free paths; 0 where nothing was counted.
    zero_loss : ndarray of float32 of shape (n_pixels,)
        Position of the zero-loss peak, in eV on the axis of the file.
    counted : bool ndarray of shape (n_pixels,)
        False where there are no counts or no finite ones.
    half_width : float
        Half of the window around the zero loss that counts as elastic, in eV.
    """

    t_over_lambda: NDArray[np.float32]
    zero_loss: NDArray[np.float32]
    counted: NDArray[np.bool_]
    half_width: float

    def __repr__(self) -> str:
        t, zero = self.t_over_lambda[self.counted], self.zero_loss[self.counted]
        span = "none"
        if len(t):
            span = f"{t.min():.3g} .. {t.max():.3g}, median {np.median(t):.3g}"
        return described(
            f"Thickness of {len(self.counted)} pixels",
            {
                "t/lambda": span,
                "zero loss": f"{np.median(zero):.3g} eV" if len(zero) else "none",
                "elastic": f"within {self.half_width:.3g} eV",
                "without counts": f"{int((~self.counted).sum())} pixels",
            },
        )


def thickness(
    low_loss: SpectralStack,
    /,
    *,
    half_width: float | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Thickness:
    """Estimate the thickness as ``t / lambda = ln(I_total / I_zero)``.

    I_zero is what lies within `half_width` of the pixel's own zero-loss centre, with
    fractions of the outer channels; I_total is everything above the lower end.

    Parameters
    ----------
    low_loss : SpectralStack
        Low-loss spectra that contain the zero-loss peak; counts.
    half_width : float, optional
        In eV; default the distance to the first minimum of the mean spectrum behind
        the peak.
    on_progress : callable, optional
        Called with (step, total, text); may raise `Cancelled`.

    Returns
    -------
    Thickness
        Maps in pixel order.

    Raises
    ------
    ValueError
        If there is no zero-loss peak near zero of the axis.

    Notes
    -----
    Log-ratio method: R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron
    Microscope, 3rd ed., Sec. 5.1. Losses beyond the axis are missed, so end the axis
    well above the plasmons. Negative counts after dark correction are added as they
    are.
    """
    energy, step = low_loss.energy, channel_width(low_loss)
    _check_holds_zero(low_loss)
    data = np.asarray(low_loss.data).reshape(low_loss.n_energies, -1)
    on_progress(0, 4, "thickness: total counts")
    total = np.ones(len(data), dtype=np.float32) @ data
    mean = _mean_spectrum(low_loss, data, np.isfinite(total), on_progress)
    peak = _peak_channel(low_loss, mean)
    on_progress(2, 4, "thickness: zero-loss positions")
    centers = _zero_loss(data, peak, step)
    if half_width is None:
        half_width = _first_minimum(mean, peak, step) * step
    if not half_width > step:
        raise InputError(f"{half_width=} eV is not above the channel of {step:g} eV")
    width = half_width / step
    on_progress(3, 4, "thickness: elastic counts")
    counted = np.isfinite(total) & (total > 0)
    centers = np.where(counted, centers, np.median(centers[counted]))
    # Channel k covers k - 0.5 .. k + 0.5; its cumulative sum ends at k + 0.5.
    first = max(int(np.floor(centers.min() - width)) - 1, 0)
    last = min(int(np.ceil(centers.max() + width)) + 2, len(energy))
    sums = np.zeros((last - first + 1, data.shape[1]), dtype=np.float64)
    np.cumsum(data[first:last], axis=0, out=sums[1:])
    before = np.ones(first, dtype=np.float32) @ data[:first]
    low = _at(sums, centers - width + 0.5 - first)
    high = _at(sums, centers + width + 0.5 - first)
    elastic = high - low
    everything = total - before - low
    good = counted & (elastic > 0) & (everything > 0)
    t = np.zeros(len(good))
    t[good] = np.log(everything[good] / elastic[good])
    kept = low_loss.mask.ravel()
    position = np.interp(centers, np.arange(len(energy)), energy)
    return Thickness(
        t_over_lambda=read_only(t[kept].astype(np.float32)),
        zero_loss=read_only(position[kept].astype(np.float32)),
        counted=read_only(good[kept]),
        half_width=float(half_width),
    )


def specimen_mask(
    measured: Thickness, stack: SpectralStack, /, *, least: float = 0.05
) -> NDArray[np.bool_]:
    """Return where there is specimen: t/lambda of at least `least`.

    Parameters
    ----------
    measured : Thickness
        From `thickness` of `stack`.
    stack : SpectralStack
        The low loss.
    least : float, default=0.05
        Thinnest specimen in mean free paths (about 5 nm).

    Returns
    -------
    bool ndarray of shape (n_rows, n_cols)
        For `SpectralStack.with_mask`.
    """
    image = np.zeros(stack.shape, dtype=bool)
    image[stack.mask] = measured.counted & (measured.t_over_lambda >= least)
    return image


def thickness_bins(measured: Thickness, /, *, n_bins: int = 5) -> PhaseMap:
    """Sort pixels into `n_bins` equally filled bins of thickness.

    Parameters
    ----------
    measured : Thickness
        From `thickness`.
    n_bins : int, default=5
        Number of bins; fewer where many pixels are equally thick.

    Returns
    -------
    PhaseMap
        Bins named by their t/lambda; 0 where nothing was counted.
    """
    t, counted = measured.t_over_lambda, measured.counted
    if not counted.any():
        raise InputError("no pixel has counts, so there is no thickness to sort")
    limits = np.unique(np.quantile(t[counted], np.linspace(0, 1, n_bins + 1)[1:-1]))
    labels = np.where(counted, np.searchsorted(limits, t, side="right") + 1, 0)
    edges = [float(t[counted].min()), *map(float, limits), float(t[counted].max())]
    names = [f"{a:.3g}-{b:.3g}" for a, b in pairwise(edges)]
    distance = np.where(counted, 0.0, np.nan).astype(np.float32)
    return PhaseMap(
        labels=labels.astype(np.uint8),
        runner_up=np.zeros(len(t), dtype=np.uint8),
        best=distance,
        margin=distance,
        names=tuple(f"t/λ {name} ({i + 1})" for i, name in enumerate(names)),
        method="thickness",
        parameters={"n_bins": n_bins},
    )


def thickness_warning(pairs: ClassPairs, name: str = "edge") -> str | None:
    """Return a sentence if classes are bands of thickness, else None.

    Parameters
    ----------
    pairs : ClassPairs
        Mutual information of an edge's classes with `thickness_bins`.
    name : str, default="edge"
        Name of the edge.

    Returns
    -------
    str or None
        What to say, with the number that says so.
    """
    if pairs.p_value >= 0.05 or pairs.adjusted < THICKNESS_SHARE:
        return None
    return (
        f"the classes of {name} follow the thickness (adjusted mutual information "
        f"{pairs.adjusted:.2f}): they may be thickness bands, not chemistry"
    )


def channel_width(stack: SpectralStack) -> float:
    """Return the width of a channel, or raise where channels differ.

    Parameters
    ----------
    stack : SpectralStack
        With a uniform energy axis of 5 channels or more.

    Returns
    -------
    float
        In eV.
    """
    steps = np.diff(stack.energy)
    if len(steps) < 4 or np.ptp(steps) > 1e-3 * steps.mean():
        raise InputError(
            f"{stack.name!r} needs a uniform energy axis of 5 or more channels; it has "
            f"{stack.n_energies} channels"
        )
    return float(steps.mean())


def _check_holds_zero(stack: SpectralStack) -> None:
    energy = stack.energy
    if energy[0] > 0 or energy[-1] < 0:
        raise InputError(
            f"{stack.name!r} covers {energy[0]:g}-{energy[-1]:g} eV, not 0 eV: it is "
            "no low loss; choose the stack with the zero-loss peak"
        )


def _mean_spectrum(
    stack: SpectralStack,
    data: NDArray[np.float32],
    finite: NDArray[np.bool_],
    on_progress: OnProgress,
) -> NDArray[np.float64]:
    """Return the mean of the finite pixels of the mask, or raise where there is none.

    Channel by channel: a copy of the chosen pixels would take longer than the sums.
    """
    chosen = np.flatnonzero(finite & stack.mask.ravel())
    if not chosen.size:
        raise InputError(f"{stack.name!r} has no finite pixel inside its mask")
    every = chosen.size == data.shape[1]
    mean = np.empty(len(data))
    for channel, values in enumerate(data):
        if channel % CHANNELS_PER_REPORT == 0:
            on_progress(1, 4, "thickness: mean spectrum")
        mean[channel] = (values if every else values[chosen]).mean(dtype=np.float64)
    return mean


def _peak_channel(stack: SpectralStack, mean: NDArray[np.float64]) -> int:
    """Return the channel of the zero loss in the mean spectrum, or raise."""
    energy, step = stack.energy, channel_width(stack)
    near = np.abs(energy) <= SEARCH
    peak = int(np.flatnonzero(near)[mean[near].argmax()])
    outside = np.flatnonzero(mean <= mean[peak] / 2.0)
    left = int(max(outside[outside < peak], default=-1))
    right = int(min(outside[outside > peak], default=-1))
    width = (right - left - 1) * step
    if mean[peak] <= 0 or left < 0 or right < 0 or width > WIDEST_ZERO_LOSS:
        raise InputError(
            f"{stack.name!r} has no zero-loss peak within {SEARCH:g} eV of 0: its "
            f"maximum there is at {energy[peak]:g} eV and {width:g} eV wide, a zero "
            f"loss is narrower than {WIDEST_ZERO_LOSS:g} eV; calibrate the axis first"
        )
    return peak


def _zero_loss(
    data: NDArray[np.float32], peak: int, step: float
) -> NDArray[np.float64]:
    """Return the zero-loss centre of every pixel, in channels.

    The vertex of the parabola through the logarithms of the highest channel and its
    two neighbors: exact for a Gaussian.
    """
    reach = max(round(5.0 / step), 2)
    first, last = max(peak - reach, 1), min(peak + reach + 1, len(data) - 1)
    near: NDArray[np.float32] = np.nan_to_num(data[first:last])
    best = near.argmax(axis=0) + first
    columns = np.arange(data.shape[1])
    rows = [np.asarray(data[best + d, columns]) for d in (-1, 0, 1)]
    triple = [np.log(np.fmax(row, np.float32(0.5))) for row in rows]
    bend = triple[0] - 2.0 * triple[1] + triple[2]
    with np.errstate(invalid="ignore", divide="ignore"):
        offset = np.where(bend < 0, 0.5 * (triple[0] - triple[2]) / bend, 0.0)
    return np.asarray(best + np.clip(offset, -0.5, 0.5), dtype=np.float64)


def _first_minimum(mean: NDArray[np.float64], peak: int, step: float) -> float:
    """Return how many channels behind the peak the mean spectrum has its minimum."""
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(mean[peak:], 1.0)
    reach = max(int(LONGEST_TAIL / step), 3)
    rises = np.flatnonzero(np.diff(smooth[:reach]) > 0)
    return float(max(rises[0] if len(rises) else reach // 2, 2))


def _at(
    sums: NDArray[np.float64], position: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return cumulative sums at fractional positions along the first axis."""
    position = np.clip(position, 0.0, len(sums) - 1.0)
    index = np.minimum(position.astype(np.intp), len(sums) - 2)
    part = position - index
    columns = np.arange(sums.shape[1])
    out: NDArray[np.float64] = (
        sums[index, columns] * (1.0 - part) + sums[index + 1, columns] * part
    )
    return out
