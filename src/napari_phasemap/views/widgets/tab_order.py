"""The way of the Tab key through a dock: as a person reads, and seen.

* `order_by_place`: from top to bottom, from left to right.
* `FOCUS_STYLE`: a frame around what has the keyboard.
"""

from __future__ import annotations

from itertools import pairwise

from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QWidget

__all__ = ["FOCUS_STYLE", "order_by_place"]

#: Seen on napari's dark and light theme (contrast above 3 with either).
FOCUS_COLOR = "#3b8eea"
FOCUS_STYLE = (
    "QPushButton:focus, QToolButton:focus, QComboBox:focus, QAbstractSpinBox:focus,"
    " QLineEdit:focus, QSlider:focus, QTabBar:focus, QAbstractItemView:focus"
    f" {{ border: 1px solid {FOCUS_COLOR}; }}"
    f" QCheckBox:focus, QRadioButton:focus {{ color: {FOCUS_COLOR}; }}"
)
#: Controls whose middles differ by fewer pixels stand in one row.
ROW = 10


def order_by_place(inside: QWidget) -> None:
    """Let Tab go through the visible controls in the order of reading."""
    found = [
        one
        for one in inside.findChildren(QWidget)
        if one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    places = {id(one): _middle(one, inside) for one in found}
    found.sort(key=lambda one: places[id(one)][1])
    rows: list[list[QWidget]] = []
    for one in found:
        last = places[id(rows[-1][-1])][1] if rows else -ROW
        if rows and places[id(one)][1] - last < ROW:
            rows[-1].append(one)
        else:
            rows.append([one])
    way = [one for row in rows for one in sorted(row, key=lambda w: places[id(w)][0])]
    for before, after in pairwise(way):
        QWidget.setTabOrder(before, after)


def _middle(one: QWidget, inside: QWidget) -> tuple[int, int]:
    place = one.mapTo(inside, QPoint(one.width() // 2, one.height() // 2))
    return place.x(), place.y()
