"""A place for a matplotlib figure in a dock, made when there is something to draw.

* `PlotView`: a canvas in the colors of napari's theme.
* `paint_theme`: those colors on any figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PlotView", "paint_theme"]


#: Milliseconds between making a figure and painting it: the window lives in between.
PAINT_AFTER = 6


class PlotView(QWidget):
    """Shows what a drawing function puts on its axes.

    matplotlib is loaded at the first drawing, never when a dock opens empty.
    """

    def __init__(self, empty_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._empty = QLabel(empty_text)
        self._empty.setWordWrap(True)
        self._layout.addWidget(self._empty)
        self.canvas: Any = None
        self.axes: Any = None
        self.theme = "dark"
        self.setMinimumHeight(120)
        # A timer of the widget's own dies with it.
        self._painter = QTimer(self)
        self._painter.setSingleShot(True)
        self._painter.setInterval(PAINT_AFTER)
        self._painter.timeout.connect(self.redraw)

    def draw(self, function: Callable[[Axes], Any]) -> Any:
        """Clear the axes, call ``function(axes)`` and return what it returns."""
        self._make_canvas()
        figure = self.axes.figure
        figure.clear()
        self.axes = figure.add_subplot()
        artists = function(self.axes)
        self._paint_theme()
        self._painter.start()
        return artists

    def redraw(self) -> None:
        """Paint again after artists were changed."""
        if self.canvas is not None:
            self.canvas.draw_idle()

    def set_empty(self, text: str) -> None:
        """Show a sentence instead of the figure."""
        self._empty.setText(text)
        self._empty.setVisible(True)
        if self.canvas is not None:
            self.canvas.setVisible(False)

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        self.theme = str(theme)
        if self.axes is not None:
            self._paint_theme()
            self.canvas.draw_idle()

    def on_theme(self, event: Any) -> None:
        """Follow the viewer's theme event."""
        self.set_theme(event.value)

    def _make_canvas(self) -> None:
        if self.canvas is None:
            from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
            from matplotlib.figure import Figure

            figure = Figure(layout="constrained")
            self.axes = figure.add_subplot()
            self.canvas = FigureCanvasQTAgg(figure)  # type: ignore[no-untyped-call]
            self.canvas.setMinimumSize(100, 100)
            self.canvas.setSizePolicy(
                QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding
            )
            self._layout.addWidget(self.canvas, 1)
        self._empty.setVisible(False)
        self.canvas.setVisible(True)

    def _paint_theme(self) -> None:
        paint_theme(self.axes.figure, self.theme)


def paint_theme(figure: Figure, theme: str) -> None:
    """Give a figure the background and text color of a napari theme."""
    colors = get_theme(theme)
    text, back = colors.text.as_hex(), colors.background.as_hex()
    figure.set_facecolor(back)
    for axes in figure.axes:
        axes.set_facecolor(back)
        axes.tick_params(colors=text, which="both", labelsize=8)
        for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
            label.set_color(text)
            label.set_fontsize(9)
        for spine in axes.spines.values():
            spine.set_edgecolor(text)
        legend = axes.get_legend()
        if legend is not None:
            legend.get_frame().set(facecolor=back, edgecolor="none", alpha=0.7)
            for entry in legend.get_texts():
                entry.set(color=text, fontsize=7)
