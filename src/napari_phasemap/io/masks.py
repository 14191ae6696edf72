"""Which pixels are analyzed, from text, arrays and images.

* `read_mask`: one bool per pixel.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.assemble import check_size
from napari_phasemap.io.damage import is_no_pipe, parsing

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["read_mask"]

#: Characters of a text mask that keep a pixel; blank, 0, "." and "-" leave it out.
KEPT = frozenset("Oo1Xx#*")
LEFT_OUT = frozenset(" 0.-")


def read_mask(
    path: str | PathLike[str], shape: tuple[int, int], /
) -> NDArray[np.bool_]:
    """Read which pixels are analyzed.

    Parameters
    ----------
    path : str or path
        A text of one line per row with ``O`` or ``1`` where a pixel is kept and a blank
        or ``0`` where not (short lines are filled with blanks), an ``.npy`` array, or a
        TIFF or PNG image: what is not zero is kept.
    shape : tuple of int
        Rows and columns that the mask must have.

    Returns
    -------
    ndarray of bool of `shape`
        True where a pixel is kept; rows in the order of the file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the mask has another shape or the file is no mask.
    """
    path = Path(path)
    with parsing(path):
        return _mask(path, shape)


def _mask(path: Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a mask of any kind."""
    is_no_pipe(path)
    with path.open("rb") as file:
        head = file.read(8)
    values: NDArray[Any]
    if head.startswith(b"\x93NUMPY"):
        from napari_phasemap.io.arrays import load_npy

        values = load_npy(path)
    elif head.startswith((b"II", b"MM", b"\x89PNG")):
        values = _image(path)
    else:
        values = _text_mask(path, shape)
    if values.ndim == 3:
        values = np.asarray(values[..., :3].any(axis=2))
    if values.shape != tuple(shape):
        raise InputError(
            f"the mask {path.name} has the shape {values.shape}, the stack {shape}"
        )
    kept: NDArray[np.bool_] = np.nan_to_num(values) != 0
    return kept


def _image(path: Path) -> NDArray[np.generic]:
    """Read a TIFF or PNG image."""
    if path.suffix.lower() != ".png":
        from napari_phasemap.io.tiff import load_pages

        return np.squeeze(load_pages(path))
    import imageio.v3 as iio

    # From memory, where no more can be read than there is, whatever a chunk claims.
    content = path.read_bytes()
    properties = iio.improps(content, extension=".png")
    check_size(properties.shape, len(content), path.name)
    return np.asarray(iio.imread(content, extension=".png"))


def _text_mask(path: Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read one character per pixel, or numbers in columns."""
    if path.stat().st_size > 8 * (shape[0] + 1) * (shape[1] + 1) + 1024:
        raise InputError(
            f"{path.name} has {path.stat().st_size} bytes, too many for a mask of "
            f"{shape[0]} x {shape[1]} pixels"
        )
    lines = path.read_bytes().decode("latin-1").splitlines()
    words = [line.replace(",", " ").replace(";", " ").split() for line in lines]
    if words and all(len(row) == shape[1] > 1 for row in words):
        lines = ["".join(row) for row in words]
    strange = set("".join(lines)) - KEPT - LEFT_OUT
    if strange:
        raise InputError(
            f"{path.name} is no mask: it has the characters {sorted(strange)[:5]}; "
            "expected O or 1 for kept, blank or 0 for left out"
        )
    width = max((len(line) for line in lines), default=0)
    if len(lines) != shape[0] or width > shape[1]:
        raise InputError(
            f"the mask {path.name} has {len(lines)} lines of up to {width} characters, "
            f"the stack {shape[0]} rows and {shape[1]} columns"
        )
    mask = np.zeros(shape, dtype=bool)
    for row, line in enumerate(lines):
        mask[row, : len(line)] = [mark in KEPT for mark in line]
    return mask
