"""A heat map of pairs of classes whose cells can be clicked.

* `HeatMap`: draws `ClassPairs` with partners on the diagonal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal

from napari_phasemap.core.bonds.pair_order import diagonal_order
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.widgets.plot import PlotView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_phasemap.core.bonds.mutual_information import ClassPairs

__all__ = ["HeatMap"]

CHOSEN_COLOR = "#00c000"
#: What the color bar says per value.
TITLES = {
    "log2_lift": "log2 lift",
    "n": "pixels",
    "contribution": "contribution (bits)",
}


class HeatMap(PlotView):
    """Shows pairs of classes. `cell` carries the two classes of a clicked cell."""

    cell = Signal(int, int)

    def __init__(self) -> None:
        super().__init__("Press Compare to see which classes share pixels.")
        self.setMinimumHeight(200)
        self._order: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
        self._frame: Any = None
        self._connected = False

    def show_pairs(
        self,
        pairs: ClassPairs,
        names: tuple[str, str],
        *,
        value: Any = "log2_lift",
        alpha: float = 0.01,
    ) -> None:
        """Draw the pairs."""
        self._order = order = diagonal_order(pairs)

        def draw(axes: Axes) -> None:
            from napari_phasemap.figures.eels import draw_pairs

            image = draw_pairs(
                axes, pairs, names=names, alpha=alpha, value=value, order=order
            )
            axes.set_title("hatched: not significant")
            bar = axes.figure.colorbar(image, ax=axes, fraction=0.05)
            bar.set_label(TITLES[value])
            for number in axes.texts:
                number.set_fontsize(8)
            self._frame = None

        self.draw(draw)
        if not self._connected:
            self._connected = True
            self.canvas.mpl_connect("button_release_event", self._on_click)

    def place_of(self, a: int, b: int) -> tuple[int, int]:
        """Return row and column where a pair is drawn."""
        if self._order is None:
            raise InputError("nothing is drawn yet")
        rows, columns = self._order
        return int(np.flatnonzero(rows == a)[0]), int(np.flatnonzero(columns == b)[0])

    def _on_click(self, event: Any) -> None:
        if event.inaxes is not self.axes or self._order is None or event.button != 1:
            return
        rows, columns = self._order
        row, col = round(event.ydata), round(event.xdata)
        if 0 <= row < len(rows) and 0 <= col < len(columns):
            self._mark(row, col)
            self.cell.emit(int(rows[row]), int(columns[col]))

    def _mark(self, row: int, col: int) -> None:
        from matplotlib.patches import Rectangle

        if self._frame is not None:
            self._frame.remove()
        self._frame = self.axes.add_patch(
            Rectangle(
                (col - 0.5, row - 0.5),
                1,
                1,
                fill=False,
                edgecolor=CHOSEN_COLOR,
                linewidth=2.5,
            )
        )
        self.redraw()
