"""From a stack as it was read to the pixels that are analyzed: one way for every door.

* `prepare`: optical density, then the mask; what `run` does with every particle.
* `to_density`, `keep_pixels`: the two steps alone, as the Data dock takes them.
* `I0Source`, `PixelSource`: how the incident intensity and the pixels are found.

Files are read by who calls: everything here is arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.prepare.masking import chosen_pixels, mean_image
from napari_phasemap.core.prepare.preprocess import estimate_i0, optical_density

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["I0Source", "PixelSource", "keep_pixels", "prepare", "to_density"]

I0Method: TypeAlias = Literal["brightest", "region", "spectrum", "none"]
PixelMethod: TypeAlias = Literal["otsu", "threshold", "mask", "none"]


@dataclass(frozen=True, eq=False)
class I0Source:
    """Where the incident intensity comes from.

    Parameters
    ----------
    method : {"brightest", "region", "spectrum", "none"}, default="brightest"
        As for `estimate_i0`; with "none" the stack is taken as optical density.
    percentile : float, default=95.0
        For "brightest", see `estimate_i0`.
    region : array_like of bool of shape (n_rows, n_cols), optional
        For "region": empty background.
    spectrum : tuple of array_like of shape (n,), optional
        For "spectrum": energies in eV and counts.
    text : str, optional
        What the history calls the region or the spectrum, for example a file's name.
    """

    method: I0Method = "brightest"
    percentile: float = 95.0
    region: ArrayLike | None = None
    spectrum: tuple[ArrayLike, ArrayLike] | None = None
    text: str = ""

    def __str__(self) -> str:
        if self.method == "brightest":
            return f"brightest pixels, percentile {self.percentile:g}"
        if self.method == "region" and self.region is not None:
            n_pixels = np.count_nonzero(self.region)
            return f"{self.text or 'region'}, {n_pixels} pixels"
        return self.text or self.method


@dataclass(frozen=True, eq=False)
class PixelSource:
    """Which pixels are analyzed.

    Parameters
    ----------
    method : {"otsu", "threshold", "mask", "none"}, default="otsu"
        As for `mask_from`; "none" leaves out no pixel that can be analyzed.
    low, high : float, optional
        For "threshold": smallest and largest mean optical density.
    mask : array_like of shape (n_rows, n_cols), optional
        For "mask": what is not 0 is kept, dimensionless; a file's image, or a drawn
        region.
    text : str, optional
        What the history calls this mask, for example the file's name.
    """

    method: PixelMethod = "otsu"
    low: float | None = None
    high: float | None = None
    mask: ArrayLike | None = None
    text: str = ""

    def __str__(self) -> str:
        if self.method != "threshold":
            return self.text or self.method
        ends = ((self.low, "from"), (self.high, "to"))
        words = [f"{word} {end:g}" for end, word in ends if end is not None]
        return " ".join(["mean", *words])


def prepare(
    stack: SpectralStack,
    /,
    *,
    i0: I0Source | None = None,
    min_counts: float = 0.0,
    pixels: PixelSource | None = None,
    on_progress: OnProgress = ignore_progress,
) -> SpectralStack:
    """Convert one stack to optical density and choose the pixels that are analyzed.

    Parameters
    ----------
    stack : SpectralStack
        As read, with the mask that its file holds, if any.
    i0 : I0Source, optional
        How I0 is found; default the brightest pixels.
    min_counts : float, default=0.0
        As for `optical_density`.
    pixels : PixelSource, optional
        Which pixels are analyzed; default those above Otsu's threshold.
    on_progress : callable, optional
        Told the number of frames done; may raise `Cancelled`.

    Returns
    -------
    SpectralStack
        As `keep_pixels` returns it.

    Raises
    ------
    ValueError
        If a step refuses the stack, or no pixel is left.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> counts = np.tile([100.0, 10.0, 12.0, 0.0], (2, 1, 1))
    >>> stack = SpectralStack(counts, [280.0, 285.0], mask=[[True, True, False, True]])
    >>> ready = prepare(stack, i0=I0Source(percentile=90))
    >>> ready.mask.tolist(), ready.history[-1]
    ([[False, True, False, False]], 'mask: otsu and the own mask, 1 pixels kept')
    """
    density = to_density(stack, i0, min_counts=min_counts, on_progress=on_progress)
    return keep_pixels(density, pixels, own=stack.mask)


def to_density(
    stack: SpectralStack,
    i0: I0Source | None = None,
    /,
    *,
    min_counts: float = 0.0,
    on_progress: OnProgress = ignore_progress,
) -> SpectralStack:
    """Convert counts to optical density; what is no counts any more passes unchanged.

    Parameters
    ----------
    stack : SpectralStack
        Any quantity.
    i0, min_counts, on_progress
        As for `prepare`.

    Returns
    -------
    SpectralStack
        Optical density, or net counts as they were. The mask of `stack` without the
        pixels that have no logarithm.

    Raises
    ------
    ValueError
        As for `estimate_i0` and `optical_density`.
    """
    i0 = i0 or I0Source()
    if stack.quantity != "counts":
        return stack
    if i0.method == "none":
        return stack.with_step(
            "taken as optical density, as asked for", quantity="optical_density"
        )
    values = estimate_i0(
        stack,
        method=i0.method,
        percentile=i0.percentile,
        region=i0.region,
        spectrum=i0.spectrum,
    )
    stack = stack.with_step(f"I0: {i0}")
    return optical_density(
        stack, values, min_counts=min_counts, on_progress=on_progress
    )


def keep_pixels(
    stack: SpectralStack,
    pixels: PixelSource | None = None,
    /,
    *,
    own: ArrayLike | None = None,
) -> SpectralStack:
    """Choose the pixels that are analyzed, within the mask that the stack came with.

    A mask that a file brought along restricts: what it leaves out stays out, whatever
    is chosen here. A pixel with NaN, or an infinite value, at an energy whose frame is
    not missing is never in. Otsu's threshold looks at all other pixels, those outside
    the own mask too: without the background there would be nothing to separate.

    Parameters
    ----------
    stack : SpectralStack
        Optical density or net counts.
    pixels : PixelSource, optional
        Default Otsu's threshold.
    own : array_like of bool of shape (n_rows, n_cols), optional
        The mask that the stack came with, where pixels have been chosen before and are
        chosen anew; default `stack.mask`.

    Returns
    -------
    SpectralStack
        With the new mask. The history says how it was made and how many pixels it
        keeps, and has a line "warning: ..." where the choice looks odd.

    Raises
    ------
    ValueError
        As for `mask_from`; if no pixel is left.
    """
    pixels = pixels or PixelSource()
    chosen, note = _chosen(stack, pixels)
    allowed = stack.mask if own is None else np.asarray(own, dtype=bool)
    if allowed.shape != stack.shape:
        raise InputError(f"{allowed.shape=} of the own mask != {stack.shape=}")
    kept = chosen & allowed
    if not kept.any():
        raise InputError(
            f"no pixel of {stack.name!r} is left to analyze: {pixels} keeps "
            f"{np.count_nonzero(chosen)} pixels, its own mask "
            f"{np.count_nonzero(allowed)}, and none is in both"
        )
    if note:
        stack = stack.with_step(f"warning: {note}")
    restricted = "" if allowed.all() else " and the own mask"
    line = f"mask: {pixels}{restricted}, {np.count_nonzero(kept)} pixels kept"
    return stack.with_step(line, mask=kept)


def _chosen(stack: SpectralStack, pixels: PixelSource) -> tuple[NDArray[np.bool_], str]:
    """Return what a source keeps of all pixels that can be analyzed, and a warning."""
    if pixels.method == "none":
        return np.asarray(np.isfinite(mean_image(stack))), ""
    return chosen_pixels(
        stack,
        method=pixels.method,
        low=pixels.low,
        high=pixels.high,
        mask=pixels.mask,
    )
