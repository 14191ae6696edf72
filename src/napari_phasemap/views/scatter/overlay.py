"""Text and marks over the points, painted by Qt: on the screen and into figures.

* `Overlay`: a transparent widget on the canvas, so that a mark or a lasso moves
  without drawing a million points again.
* `paint_marks`, `paint_legend`: the painters, at any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSizeF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from napari_phasemap.core.data.palettes import CURSOR, SELECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.latent.frame import Label
    from napari_phasemap.views.scatter.colors import Coloring
    from napari_phasemap.views.scatter.tools import Stroke

__all__ = ["Marks", "Overlay", "paint_legend", "paint_marks"]

FONT_POINTS = 8.5


@dataclass(frozen=True, eq=False)
class Marks:
    """What stands on the points, in pixels.

    Parameters
    ----------
    labels : sequence of Label
        Ticks and titles of the axes.
    places : mapping of str to (float, float)
        Named markers.
    cursor : (float, float), optional
        The marked point.
    stroke : Stroke, optional
        The drag in progress.
    note : str
        A line in the lower left corner.
    foreground, background : str
        Hexadecimal colors of the text and behind it.
    scale : float
        Enlarges text and marks; 1 on the screen.
    """

    labels: Sequence[Label] = ()
    places: tuple[tuple[str, float, float], ...] = ()
    cursor: tuple[float, float] | None = None
    stroke: Stroke | None = None
    note: str = ""
    foreground: str = "#ffffff"
    background: str = "#000000"
    scale: float = 1.0


class Overlay(QWidget):
    """Lies on the canvas, takes no mouse events, paints what `marks` returns."""

    def __init__(self, canvas: QWidget, marks: Callable[[], Marks]) -> None:
        super().__init__(canvas)
        self._marks = marks
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setGeometry(canvas.rect())

    def paintEvent(self, event: Any) -> None:
        """Paint the marks."""
        painter = QPainter(self)
        paint_marks(painter, self._marks(), self.width(), self.height())
        painter.end()


def font(scale: float, *, bold: bool = False) -> QFont:
    """Return the font of the scatter in pixels, so that it scales with the figure."""
    chosen = QFont()
    chosen.setPixelSize(max(1, round(FONT_POINTS * 4 / 3 * scale)))
    chosen.setBold(bold)
    return chosen


def paint_marks(painter: QPainter, marks: Marks, width: float, height: float) -> None:
    """Paint labels, markers, cursor and stroke onto an area of this size."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    text, scale = QColor(marks.foreground), marks.scale
    _paint_labels(painter, marks.labels, text, scale, QRectF(0, 0, width, height))
    painter.setFont(font(scale, bold=True))
    _paint_markers(painter, marks, QRectF(0.0, 0.0, width, height))
    if marks.cursor is not None:
        _paint_cursor(painter, QPointF(*marks.cursor), scale)
    if marks.stroke is not None:
        _paint_stroke(painter, marks.stroke)
    if marks.note:
        painter.setFont(font(scale))
        painter.setPen(text)
        painter.drawText(QPointF(6 * scale, height - 6 * scale), marks.note)


def paint_legend(
    painter: QPainter,
    coloring: Coloring,
    shown: NDArray[np.bool_],
    *,
    width: float,
    foreground: str,
    scale: float,
) -> None:
    """Paint the classes, or the scale, into the upper right corner."""
    painter.setFont(font(scale))
    metrics = QFontMetricsF(painter.font())
    line, pad = metrics.height() * 1.15, 8 * scale
    painter.setPen(QColor(foreground))
    if coloring.limits is not None:
        _paint_scale(painter, coloring, metrics, width, foreground, scale)
        return
    counts = coloring.counts
    codes = [c for c in np.flatnonzero(shown & (counts > 0)) if coloring.names]
    if not codes:
        return
    widest = max(metrics.horizontalAdvance(coloring.names[c]) for c in codes)
    left = width - pad - widest - line
    for row, code in enumerate(codes):
        top = pad + row * line
        box = QRectF(left, top + 0.2 * line, 0.6 * line, 0.6 * line)
        painter.fillRect(box, QColor(*(int(v) for v in coloring.colors[code])))
        place = QPointF(left + line, top + metrics.ascent())
        painter.drawText(place, coloring.names[code])


def _paint_scale(
    painter: QPainter,
    coloring: Coloring,
    metrics: QFontMetricsF,
    width: float,
    foreground: str,
    scale: float,
) -> None:
    """Paint a color bar with its ends."""
    low, high = coloring.limits or (0.0, 1.0)
    length, thick, pad = 140 * scale, 10 * scale, 8 * scale
    left = width - pad - length
    shades = coloring.colors[:-1]
    step = length / len(shades)
    for index, shade in enumerate(shades):
        box = QRectF(left + index * step, pad, step + 0.5, thick)
        painter.fillRect(box, QColor(*(int(v) for v in shade)))
    painter.setPen(QColor(foreground))
    base = pad + thick + metrics.ascent()
    painter.drawText(QPointF(left, base), f"{low:.3g}")
    end = f"{high:.3g}"
    right = left + length - metrics.horizontalAdvance(end)
    painter.drawText(QPointF(right, base), end)
    title = coloring.title
    middle = left + 0.5 * (length - metrics.horizontalAdvance(title))
    painter.drawText(QPointF(middle, base + metrics.height()), title)


def _paint_labels(
    painter: QPainter,
    labels: Sequence[Label],
    color: QColor,
    scale: float,
    area: QRectF,
) -> None:
    """Paint titles, kept inside the area, and the ticks that have room there."""
    taken: list[QRectF] = []
    for label in sorted(labels, key=lambda one: not one.bold):
        if not (np.isfinite(label.x) and np.isfinite(label.y)):
            continue
        painter.setFont(font(scale, bold=label.bold))
        metrics = QFontMetricsF(painter.font())
        size = QSizeF(metrics.horizontalAdvance(label.text), metrics.height())
        box = QRectF(QPointF(), size)
        box.moveCenter(QPointF(label.x, label.y))
        if label.bold:
            box = _inside(box, area)
        elif not area.contains(box) or any(box.intersects(one) for one in taken):
            continue
        taken.append(box)
        painter.setPen(color)
        painter.drawText(box.topLeft() + QPointF(0, metrics.ascent()), label.text)


def _inside(box: QRectF, area: QRectF) -> QRectF:
    """Return a box moved into an area, as far as it fits."""
    x = min(max(box.left(), area.left() + 2), area.right() - box.width() - 2)
    y = min(max(box.top(), area.top()), area.bottom() - box.height())
    return QRectF(x, y, box.width(), box.height())


def _paint_markers(painter: QPainter, marks: Marks, area: QRectF) -> None:
    """Paint a diamond and a name for every place; names keep clear of one another."""
    r = 5.0 * marks.scale
    metrics = QFontMetricsF(painter.font())
    places = [(name, QPointF(x, y)) for name, x, y in marks.places]
    taken = [QRectF(p.x() - r, p.y() - r, 2 * r, 2 * r) for _, p in places]
    for _, place in places:
        diamond = QPolygonF(
            [
                QPointF(place.x() + dx * r, place.y() + dy * r)
                for dx, dy in ((0, -1), (1, 0), (0, 1), (-1, 0))
            ]
        )
        painter.setPen(QPen(QColor(marks.background), 1.5 * marks.scale))
        painter.setBrush(QColor(marks.foreground))
        painter.drawPolygon(diamond)
    painter.setPen(QColor(marks.foreground))
    for name, place in places:
        box = _free_box(metrics, name, place, 1.6 * r, taken, area)
        taken.append(box)
        painter.drawText(QPointF(box.left(), box.top() + metrics.ascent()), name)


def _free_box(
    metrics: QFontMetricsF,
    name: str,
    place: QPointF,
    gap: float,
    taken: Sequence[QRectF],
    area: QRectF,
) -> QRectF:
    """Return room for a name beside its place: right, left, above, below, or corners.

    Where there is none, the name lies to the right of its place over others.
    """
    width, height = metrics.horizontalAdvance(name), metrics.height()
    boxes = [
        QRectF(
            place.x() - 0.5 * width + across * (gap + 0.5 * width),
            place.y() - 0.5 * height + down * (0.5 * gap + 0.5 * height),
            width,
            height,
        )
        for across, down in (
            (1, 0), (-1, 0), (0, -1.4), (0, 1.4), (1, -1), (1, 1), (-1, -1), (-1, 1)
        )
    ]  # fmt: skip
    for box in boxes:
        if area.contains(box) and not any(box.intersects(other) for other in taken):
            return box
    return boxes[0]


def _paint_cursor(painter: QPainter, place: QPointF, scale: float) -> None:
    """Paint a ring that is seen on any color: red on a black rim."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, line in (("#000000", 4.0), (CURSOR, 2.0)):
        painter.setPen(QPen(QColor(color), line * scale))
        painter.drawEllipse(place, 8 * scale, 8 * scale)


def _paint_stroke(painter: QPainter, stroke: Stroke) -> None:
    fill = QColor(SELECTION)
    fill.setAlpha(30)
    painter.setBrush(fill)
    points = [QPointF(x, y) for x, y in stroke.points]
    for color, line in (("#000000", 3.0), (SELECTION, 1.5)):
        painter.setPen(QPen(QColor(color), line))
        if stroke.tool == "lasso":
            painter.drawPolygon(QPolygonF(points))
        elif stroke.tool == "rectangle":
            painter.drawRect(QRectF(points[0], points[1]).normalized())
        else:
            offset = points[1] - points[0]
            radius = (offset.x() ** 2 + offset.y() ** 2) ** 0.5
            painter.drawEllipse(points[0], radius, radius)
