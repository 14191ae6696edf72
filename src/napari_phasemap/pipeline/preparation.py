"""Take one stack from the file to the pixels that are analyzed.

* `prepare`: `core.prepare.prepare` with the words and files of the command line.
* `i0_source`, `pixel_source`: what such a word or file means.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.prepare import prepare as preparing
from napari_phasemap.core.prepare.prepare import I0Source, PixelSource
from napari_phasemap.pipeline.parameters import Preparation

if TYPE_CHECKING:
    from os import PathLike

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["i0_source", "pixel_source", "prepare"]


def prepare(
    stack: SpectralStack, preparation: Preparation | None = None, /
) -> SpectralStack:
    """Convert one stack to optical density and mask it.

    Parameters
    ----------
    stack : SpectralStack
        As read. What is no counts any more is only masked.
    preparation : Preparation, optional
        Where I0 comes from and which pixels are analyzed.

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
    wanted = preparation or Preparation()
    return preparing.prepare(
        stack,
        i0=i0_source(wanted.i0, percentile=wanted.i0_percentile),
        min_counts=wanted.min_counts,
        pixels=pixel_source(wanted.mask, stack.shape),
    )


def i0_source(word: str | PathLike[str], /, *, percentile: float = 95.0) -> I0Source:
    """Return where I0 comes from.

    Parameters
    ----------
    word : str or path
        "brightest", "none", or a text file with a spectrum.
    percentile : float, default=95.0
        For "brightest", see `estimate_i0`.

    Returns
    -------
    I0Source

    Raises
    ------
    OSError
        If it is neither a word nor a file that can be read.
    ValueError
        If the file holds no spectrum.
    """
    from napari_phasemap.io.spectra import read_spectrum

    if word == "brightest":
        return I0Source("brightest", percentile)
    if word == "none":
        return I0Source("none")
    path = _file(word, "i0", "brightest, none")
    return I0Source("spectrum", spectrum=read_spectrum(path), text=path.name)


def pixel_source(word: str | PathLike[str], shape: tuple[int, int], /) -> PixelSource:
    """Return which pixels are analyzed.

    Parameters
    ----------
    word : str or path
        "otsu", "none", or a file with a mask.
    shape : tuple of int
        Rows and columns of the stack.

    Returns
    -------
    PixelSource

    Raises
    ------
    OSError
        If it is neither a word nor a file that can be read.
    ValueError
        If the file holds no mask of this shape.
    """
    from napari_phasemap.io.masks import read_mask

    if word == "otsu":
        return PixelSource("otsu")
    if word == "none":
        return PixelSource("none")
    path = _file(word, "mask", "otsu, none")
    return PixelSource("mask", mask=read_mask(path, shape), text=path.name)


def _file(word: str | PathLike[str], parameter: str, words: str) -> Path:
    """Return a path, or raise where a parameter is neither one of its words nor one."""
    path = Path(word)
    if not path.is_file():
        raise FileNotFoundError(
            f"{parameter}={str(word)!r} is neither {words} nor a file"
        )
    return path
