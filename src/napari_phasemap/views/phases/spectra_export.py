"""The spectra that are shown, elsewhere: as numbers or as a picture.

* `as_text`, `save_numbers`: a table.
* `picture`, `save_picture`, `as_image`: the plot on white.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from qtpy.QtGui import QImage

from napari_phasemap.core.phases.curves import curve_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from napari_phasemap.core.phases.curves import Curve

__all__ = ["as_image", "as_text", "picture", "save_numbers", "save_picture"]

#: Width and height in inches, and dots per inch of pixels.
SIZE, DPI = (6.0, 4.0), 200


def as_text(
    energy: NDArray[np.float64], curves: Sequence[Curve], /, *, separator: str = "\t"
) -> str:
    """Return a table with a row of headings and a row per energy."""
    headings, numbers = curve_table(energy, curves)
    text = io.StringIO()
    table = csv.writer(text, delimiter=separator, lineterminator="\n")
    table.writerow(headings)
    table.writerows([f"{value:.8g}" for value in row] for row in numbers)
    return text.getvalue()


def save_numbers(
    path: Path, energy: NDArray[np.float64], curves: Sequence[Curve], /
) -> None:
    """Write the table with commas.

    Raises
    ------
    OSError
        If the file can not be written.
    """
    path.write_text(as_text(energy, curves, separator=","), encoding="utf-8")


def picture(draw: Callable[[Figure], Any], /) -> Figure:
    """Return a figure of its own; `draw` puts axes on it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    return figure


def save_picture(path: Path, draw: Callable[[Figure], Any], /) -> None:
    """Write the plot; the ending gives the format.

    Raises
    ------
    OSError, ValueError
        If the file can not be written, or the ending means nothing.
    """
    picture(draw).savefig(path)


def as_image(draw: Callable[[Figure], Any], /) -> QImage:
    """Return the plot as pixels."""
    canvas: Any = picture(draw).canvas
    canvas.draw()
    width, height = canvas.get_width_height()
    form = QImage.Format.Format_RGBA8888
    return QImage(bytes(canvas.buffer_rgba()), width, height, 4 * width, form).copy()
