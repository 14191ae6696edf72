"""How the loss falls while a model learns, drawn beside the window's thread.

* `LossCurve`: takes epochs from any thread, shows the curve as an image.
"""

from __future__ import annotations

from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QSizePolicy

from napari_phasemap.views.widgets.plot import paint_theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LossCurve"]

#: Seconds between two drawings.
DRAW_EVERY = 1.0
HEIGHT = 190
DPI = 100


class _Painter(QObject):
    """Carries a drawn image from the thread that drew it to the window."""

    painted = Signal(QImage)


class LossCurve(QLabel):
    """Shows reconstruction error and divergence per epoch.

    matplotlib takes a good part of a frame and more on a busy machine. `add` is called
    in the thread of the training job and draws there, so that the window goes on.
    """

    def __init__(self) -> None:
        super().__init__("The loss appears here while the model learns.")
        self.setWordWrap(True)
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(100)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.theme = "dark"
        self._history: dict[str, list[float]] = {}
        self._drawn = 0.0
        self._painter = _Painter()
        self._painter.painted.connect(self._on_painted)

    def set_theme(self, theme: str) -> None:
        """Draw in the colors of a theme from now on."""
        self.theme = str(theme)

    def on_theme(self, event: Any) -> None:
        """Follow the viewer's theme event."""
        self.set_theme(event.value)
        self.show_history(dict(self._history))

    def begin(self) -> None:
        """Forget the last training."""
        self._history, self._drawn = {}, 0.0

    def add(self, losses: Mapping[str, float]) -> None:
        """Add an epoch and draw, if the last drawing is old enough; any thread."""
        for key, value in losses.items():
            self._history.setdefault(key, []).append(value)
        if monotonic() - self._drawn > DRAW_EVERY:
            self._drawn = monotonic()
            self._paint()

    def show_history(self, history: Mapping[str, Sequence[float]]) -> None:
        """Draw the losses of a whole training, in a thread of its own."""
        self._history = {key: list(values) for key, values in history.items()}
        if self._history:
            Thread(target=self._paint, daemon=True).start()

    def _paint(self) -> None:
        self._painter.painted.emit(self._image())

    def _image(self) -> QImage:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from napari_phasemap.figures import draw_history

        size = max(self.width(), 200) / DPI, HEIGHT / DPI
        # Fixed margins: a layout that fits itself draws everything twice.
        figure = Figure(figsize=size, dpi=DPI)
        figure.subplots_adjust(left=0.16, right=0.98, top=0.97, bottom=0.22)
        canvas = FigureCanvasAgg(figure)
        draw_history(figure.add_subplot(), self._history)
        paint_theme(figure, self.theme)
        canvas.draw()  # type: ignore[no-untyped-call]
        width, height = canvas.get_width_height()
        pixels = bytes(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        kind = QImage.Format.Format_RGBA8888
        return QImage(pixels, width, height, 4 * width, kind).copy()

    def _on_painted(self, image: QImage) -> None:
        self.setPixmap(QPixmap.fromImage(image))
