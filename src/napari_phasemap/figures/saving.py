"""Figures on disk.

* `save_figure`: to a file, never half of one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.figure import Figure

__all__ = ["save_figure"]


def save_figure(
    figure: Figure,
    path: str | PathLike[str],
    /,
    *,
    overwrite: bool = False,
    dpi: float = 300.0,
) -> Path:
    """Save a figure; the ending of the name tells the format.

    Parameters
    ----------
    figure : Figure
        What to save.
    path : str or path
        Ends with .png, .svg, .pdf or .tif.
    overwrite : bool, default=False
        Replace an existing file.
    dpi : float, default=300.0
        Dots per inch of PNG and TIFF.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    ValueError
        If the ending is unknown.
    """
    path = Path(path)
    known = (".png", ".svg", ".pdf", ".tif", ".tiff")
    if path.suffix.lower() not in known:
        raise InputError(f"{path.name!r} does not end with one of {', '.join(known)}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; choose another name or overwrite it")
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        figure.savefig(part, dpi=dpi)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
