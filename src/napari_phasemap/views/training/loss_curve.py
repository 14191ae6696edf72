"""How the loss falls while a model learns, painted in the window's thread.

* `LossCurve`: shows the losses per epoch, also while they come from a job.
* `Epochs`: takes the losses from the thread of the job; no Qt object.

matplotlib is not made for threads, and its figure of the same curves costs 60 to 130 ms
of the window's time; painting them takes about one.
"""

from __future__ import annotations

from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.theme import get_theme
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QFont, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_phasemap.figures.history import CURVES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Epochs", "LossCurve", "epoch_ticks", "loss_ticks"]

EMPTY = "The loss appears here while the model learns."
HEIGHT = 190
#: Milliseconds between two looks for new epochs.
LOOK_EVERY = 400
#: Left, top, right and bottom margin and the size of letters, in pixels.
MARGINS = (52.0, 8.0, 10.0, 34.0)
LETTERS = 10
#: Steps of the labels of a decade, of which the finest that fits is taken.
STEPS: tuple[tuple[float, ...], ...] = ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
MOST_TICKS = 6
STYLES = {"-": Qt.PenStyle.SolidLine, "--": Qt.PenStyle.DashLine}


class Epochs:
    """The losses so far, by name; written by one thread, read by another."""

    def __init__(self, history: Mapping[str, Sequence[float]] | None = None) -> None:
        self._values = {k: list(v) for k, v in (history or {}).items()}
        self.n_epochs = max(map(len, self._values.values()), default=0)

    def add(self, losses: Mapping[str, float]) -> None:
        """Add an epoch."""
        for key, value in losses.items():
            self._values.setdefault(key, []).append(value)
        self.n_epochs += 1

    def curve(self, key: str) -> NDArray[np.float64]:
        """Return one loss per epoch, NaN where a logarithm has no place for it."""
        values = np.array(self._values.get(key, ()), dtype=np.float64)
        return np.where(np.isfinite(values) & (values > 0), values, np.nan)


class LossCurve(QWidget):
    """Shows reconstruction error and divergence per epoch on a logarithmic scale."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(100)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.theme = "dark"
        self.epochs = Epochs()
        self._n_shown = 0
        # A timer of the widget's own dies with it.
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY)
        self._timer.timeout.connect(self._look)

    def sizeHint(self) -> QSize:
        """Return the size of the plot."""
        return QSize(300, HEIGHT)

    def set_theme(self, theme: str) -> None:
        """Paint in the colors of a theme from now on."""
        self.theme = str(theme)
        self.update()

    def on_theme(self, event: Any) -> None:
        """Follow the viewer's theme event."""
        self.set_theme(event.value)

    def begin(self) -> Callable[[Mapping[str, float]], None]:
        """Forget the last training; return what takes the epochs of the next one."""
        self._set(Epochs())
        self._timer.start()
        return self.epochs.add

    def show_history(self, history: Mapping[str, Sequence[float]]) -> None:
        """Show the losses of a whole training."""
        self._timer.stop()
        self._set(Epochs(history))

    def _set(self, epochs: Epochs) -> None:
        self.epochs, self._n_shown = epochs, epochs.n_epochs
        self.update()

    def _look(self) -> None:
        if self.epochs.n_epochs != self._n_shown:
            self._n_shown = self.epochs.n_epochs
            self.update()

    def paintEvent(self, event: Any) -> None:
        """Paint the curves, or what will be here."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        curves = [
            (label, QPen(QColor(color), 1.4, STYLES[style]), self.epochs.curve(key))
            for key, label, color, style in CURVES
        ]
        curves = [curve for curve in curves if np.isfinite(curve[2]).any()]
        if curves:
            _Plot(painter, self.rect().toRectF(), self.theme).paint(curves)
        else:
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            painter.drawText(self.rect(), Qt.TextFlag.TextWordWrap, EMPTY)
        painter.end()


class _Plot:
    """Paints curves with axes and legend into an area."""

    def __init__(self, painter: QPainter, area: QRectF, theme: str) -> None:
        colors = get_theme(theme)
        self._text = QColor(colors.text.as_hex())
        self._back = QColor(colors.background.as_hex())
        left, top, right, bottom = MARGINS
        self._inside = area.adjusted(left, top, -right, -bottom)
        self._painter = painter
        font = QFont()
        font.setPixelSize(LETTERS)
        painter.setFont(font)
        painter.fillRect(area, self._back)

    def paint(self, curves: list[tuple[str, QPen, NDArray[np.float64]]]) -> None:
        """Paint everything."""
        every = np.concatenate([values for _, _, values in curves])
        low, high = float(np.nanmin(every)), float(np.nanmax(every))
        if high < 1.01 * low:
            low, high = low / 1.5, high * 1.5
        n_epochs = max(values.size for _, _, values in curves)
        self._frame(low, high, n_epochs)
        for _, pen, values in curves:
            self._painter.setPen(pen)
            known = np.flatnonzero(np.isfinite(values)).tolist()
            places = [
                QPointF(self._x(i + 1, n_epochs), self._y(values[i], low, high))
                for i in known
            ]
            self._painter.drawPolyline(QPolygonF(places))
            if len(places) == 1:
                self._painter.drawEllipse(places[0], 1.5, 1.5)
        self._legend([(label, pen) for label, pen, _ in curves])

    def _x(self, epoch: float, n_epochs: int) -> float:
        share = (epoch - 1) / max(n_epochs - 1, 1)
        return float(self._inside.left() + share * self._inside.width())

    def _y(self, loss: float, low: float, high: float) -> float:
        share = log10(loss / low) / log10(high / low)
        return float(self._inside.bottom() - share * self._inside.height())

    def _frame(self, low: float, high: float, n_epochs: int) -> None:
        painter, inside, align = self._painter, self._inside, Qt.AlignmentFlag
        painter.setPen(self._text)
        painter.drawLine(inside.topLeft(), inside.bottomLeft())
        painter.drawLine(inside.bottomLeft(), inside.bottomRight())
        for loss in loss_ticks(low, high):
            y = self._y(loss, low, high)
            painter.drawLine(QPointF(inside.left() - 3, y), QPointF(inside.left(), y))
            room = QRectF(14, y - LETTERS, inside.left() - 20, 2 * LETTERS)
            painter.drawText(room, align.AlignRight | align.AlignVCenter, f"{loss:g}")
        for epoch in epoch_ticks(n_epochs):
            x, y = self._x(epoch, n_epochs), inside.bottom()
            painter.drawLine(QPointF(x, y), QPointF(x, y + 3))
            room = QRectF(x - 30, y + 3, 60, 1.5 * LETTERS)
            painter.drawText(room, align.AlignHCenter | align.AlignTop, f"{epoch}")
        room = QRectF(inside.left(), inside.bottom() + 16, inside.width(), 16)
        painter.drawText(room, align.AlignHCenter | align.AlignTop, "epoch")
        painter.save()
        painter.translate(0, inside.center().y())
        painter.rotate(-90)
        room = QRectF(-inside.height() / 2, 0, inside.height(), 16)
        painter.drawText(room, align.AlignCenter, "loss")
        painter.restore()

    def _legend(self, entries: list[tuple[str, QPen]]) -> None:
        painter, inside = self._painter, self._inside
        metrics = painter.fontMetrics()
        width = max(metrics.horizontalAdvance(label) for label, _ in entries) + 30
        height = 1.3 * LETTERS
        box = QRectF(0, 0, width, height * len(entries) + 4)
        box.moveTopRight(inside.topRight())
        back = QColor(self._back)
        back.setAlphaF(0.75)
        painter.fillRect(box, back)
        for row, (label, pen) in enumerate(entries):
            y = box.top() + 2 + (row + 0.5) * height
            painter.setPen(pen)
            painter.drawLine(QPointF(box.left(), y), QPointF(box.left() + 22, y))
            painter.setPen(self._text)
            room = QRectF(box.left() + 26, y - height, width, 2 * height)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, label)


def loss_ticks(low: float, high: float) -> list[float]:
    """Return few round numbers from `low` to `high`, both positive.

    Examples
    --------
    >>> loss_ticks(0.004, 0.3)
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
    """
    if not (isfinite(low) and isfinite(high) and 0 < low < high):
        return []
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks: list[float] = []
    for steps in STEPS:
        ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= MOST_TICKS:
            break
    every = ceil(len(ticks) / MOST_TICKS)
    return ticks[::every] if every > 1 else ticks


def epoch_ticks(n_epochs: int) -> list[int]:
    """Return few round numbers of epochs.

    Examples
    --------
    >>> epoch_ticks(40)
    [10, 20, 30, 40]
    """
    if n_epochs < 2:
        return [1]
    decade = 10 ** floor(log10(n_epochs))
    steps = [max(decade * share // 10, 1) for share in (1, 2, 5, 10)]
    step = next(s for s in steps if n_epochs / s < MOST_TICKS or s == steps[-1])
    return list(range(step, n_epochs + 1, step))
