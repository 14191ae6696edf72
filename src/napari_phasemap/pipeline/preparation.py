"""Take one stack from the file to the pixels that are analyzed.

* `prepare`: incident intensity, optical density, mask.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.prepare.masking import mask_from
from napari_phasemap.core.prepare.preprocess import estimate_i0, optical_density

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["prepare"]


def prepare(
    stack: SpectralStack,
    /,
    *,
    i0: str = "brightest",
    i0_percentile: float = 95.0,
    min_counts: float = 0.0,
    mask: str = "otsu",
) -> SpectralStack:
    """Convert one stack to optical density and mask it.

    Parameters
    ----------
    stack : SpectralStack
        As read. What is no counts any more is only masked.
    i0 : str, default="brightest"
        Where the incident intensity comes from: "brightest" (mean of the brightest
        pixels), "none" (the file holds optical density already) or a text file with a
        spectrum.
    i0_percentile : float, default=95.0
        For "brightest": percentile above which a pixel is background.
    min_counts : float, default=0.0
        Pixels with no more counts at some energy are left out.
    mask : str, default="otsu"
        Which pixels are analyzed: "otsu" (those thicker than Otsu's threshold), "none"
        (all) or a file with a mask. Pixels that the stack's own mask leaves out stay
        out.

    Returns
    -------
    SpectralStack
        Optical density (or net counts), masked; the history says how.

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        If a step refuses the stack, or no pixel is left.
    """
    if stack.quantity == "counts" and i0 == "none":
        stack = stack.with_step(
            "taken as optical density, as asked for", quantity="optical_density"
        )
    elif stack.quantity == "counts":
        values = _incident(stack, i0, i0_percentile)
        detail = f", percentile {i0_percentile:g}" if i0 == "brightest" else ""
        stack = stack.with_step(f"I0: {i0}{detail}")
        stack = optical_density(stack, values, min_counts=min_counts)
    kept, notes = _masked(stack, mask)
    kept = kept & stack.mask
    if not kept.any():
        raise InputError(
            f"no pixel of {stack.name!r} is left to analyze; mask={mask!r}"
        )
    for note in notes:
        stack = stack.with_step(f"warning: {note}")
    n_kept = np.count_nonzero(kept)
    return stack.with_step(f"mask: {mask}, {n_kept} pixels kept", mask=kept)


def _incident(stack: SpectralStack, i0: str, percentile: float) -> NDArray[np.float64]:
    if i0 == "brightest":
        return estimate_i0(stack, method="brightest", percentile=percentile)
    from napari_phasemap.io.spectra import read_spectrum

    _check_file(i0, "i0", "brightest, none")
    return estimate_i0(stack, method="spectrum", spectrum=read_spectrum(i0))


def _masked(
    stack: SpectralStack, mask: str
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return the mask, and what was warned of while making it."""
    if mask == "none":
        return stack.mask, ()
    if mask != "otsu":
        from napari_phasemap.io.spectra import read_mask

        _check_file(mask, "mask", "otsu, none")
        loaded = read_mask(mask, stack.shape)
        return mask_from(stack, method="mask", mask=loaded), ()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kept = mask_from(stack, method="otsu")
    return kept, tuple(str(one.message) for one in caught)


def _check_file(path: str, parameter: str, words: str) -> None:
    """Raise where a parameter is neither one of its words nor a file."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{parameter}={path!r} is neither {words} nor a file")
