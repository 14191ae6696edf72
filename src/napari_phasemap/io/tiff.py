"""Stacks in multi-page TIFF: one page per energy, the energies beside it.

* `recognises`, `read`: for the table of formats in `read`.
* `load_pages`: the pages as one array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.assemble import NM_PER_UNIT, assemble, check_size
from napari_phasemap.io.energies import beside_by_name, energies_for

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.io.assemble import Options

__all__ = ["EXTENSIONS", "companions", "load_pages", "read", "recognises"]

EXTENSIONS = (".tif", ".tiff")

_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file starts like a TIFF.

    Parameters
    ----------
    path : Path
        The file.
    head : bytes
        Its first bytes.

    Returns
    -------
    bool
        Decided by content.
    """
    return head.startswith(_SIGNATURES)


def companions(path: Path) -> list[Path]:
    """Return the text file of the same name that may hold the energies.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Path
        One or none.
    """
    return beside_by_name(path)[:1]


def read(path: Path, options: Options) -> list[SpectralStack]:
    """Read the pages and their energies.

    Parameters
    ----------
    path : Path
        The file.
    options : Options
        What the caller asks for.

    Returns
    -------
    list of SpectralStack
        One.
    """
    pages = load_pages(path)
    if pages.ndim != 3:
        raise InputError(
            f"{path.name} has the shape {pages.shape}; a stack has one gray page per "
            "energy"
        )
    energy, note = energies_for(path, len(pages), options.energies)
    pixel_size, metadata = _description(path)
    return [
        assemble(
            np.array(pages, dtype=np.float32),
            energy,
            name=path.stem,
            options=options,
            source=f"read {path.name} (TIFF, {len(pages)} pages)",
            pixel_size=pixel_size,
            metadata=metadata,
            notes=[note],
        )
    ]


def load_pages(path: Path) -> NDArray[Any]:
    """Return the pages of the first series, of shape (n_pages, n_rows, n_cols).

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray of shape (n_pages, n_rows, n_cols)
        As they are stored.

    Raises
    ------
    ValueError
        If the file is damaged, has colors or claims more than it holds.
    """
    import tifffile

    try:
        # An OME-TIFF may name other files as parts of it; they are not opened.
        with tifffile.TiffFile(path, _multifile=False) as file:
            if not file.series:
                raise InputError(f"{path.name} is a TIFF without an image")
            series = file.series[0]
            if "S" in series.axes:
                raise InputError(f"{path.name} is a color image, not a stack of counts")
            check_size(series.shape, path.stat().st_size, path.name)
            values = np.asarray(series.asarray())
    except tifffile.TiffFileError as error:
        raise InputError(f"{path.name} is no valid TIFF: {error}") from error
    if values.dtype.kind not in "biuf":
        raise InputError(f"{path.name} holds {values.dtype}, not real numbers")
    return values[None] if values.ndim == 2 else values


def _description(path: Path) -> tuple[tuple[float, float] | None, dict[str, Any]]:
    """Return the pixel size, where ImageJ or OME wrote one, and the description."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        tags = {
            tag.name: tag.value
            for tag in page.tags.values()
            if isinstance(tag.value, str | int | float) or tag.name in _RESOLUTION
        }
        unit = str((file.imagej_metadata or {}).get("unit", "")).strip().lower()
    scale = NM_PER_UNIT.get(unit.replace("\\u00b5", "µ"))
    steps = [_pixels_per_unit(tags.get(name)) for name in _RESOLUTION]
    if scale is None or not all(steps):
        return None, tags
    dx, dy = (scale / step for step in steps if step)
    return (round(dy, 6), round(dx, 6)), tags


_RESOLUTION = ("XResolution", "YResolution")


def _pixels_per_unit(value: Any) -> float | None:
    try:
        top, bottom = value
        return float(top) / float(bottom)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
