"""What the colors of the scatter mean, and which classes are drawn.

* `LegendTab`: a list with color, name, number and per cent; or the ends of a scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.views.scatter.colors import Coloring
    from napari_phasemap.views.scatter.scatter import Scatter

__all__ = ["LegendTab"]

CODE = Qt.ItemDataRole.UserRole
#: Listed only where there are such points.
NO_CLASS = ("not assigned", "in none")


class LegendTab(QWidget):
    """Lists the classes; unchecked ones are not drawn.

    `classRequested` (code of the class) asks to select all points of a class.
    """

    classRequested = Signal(int)

    def __init__(self, scatter: Scatter) -> None:
        super().__init__()
        self._scatter = scatter
        self._list = QTreeWidget()
        self._list.setRootIsDecorated(False)
        self._list.setHeaderLabels(["class", "pixels", "%"])
        self._list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._list.header().setStretchLastSection(False)
        for column in (1, 2):
            self._list.header().setSectionResizeMode(
                column, QHeaderView.ResizeMode.ResizeToContents
            )
        self._list.itemChanged.connect(self._on_checked)
        self._list.itemDoubleClicked.connect(self.isolate)
        self._list.setMinimumHeight(60)
        self._ramp, self._ends = QLabel(), QLabel()
        self._ramp.setScaledContents(True)
        self._ramp.setFixedHeight(14)
        buttons = QHBoxLayout()
        for text, slot, tip in (
            ("Show all", self.show_all, "Draw all classes again."),
            ("Isolate", self.isolate, "Draw the marked class alone (double click)."),
            ("Select", self._on_select, "Select all pixels of the marked class."),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            buttons.addWidget(button)
        self._classes = QWidget()
        inner = QVBoxLayout(self._classes)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self._list, 1)
        inner.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self._ramp)
        layout.addWidget(self._ends)
        layout.addWidget(self._classes, 1)

    def refresh(self) -> None:
        """Show the meaning of the scatter's colors."""
        coloring = self._scatter.scene.coloring
        self._ramp.setVisible(coloring.limits is not None)
        self._ends.setVisible(coloring.limits is not None)
        self._classes.setVisible(coloring.limits is None)
        if coloring.limits is not None:
            self._show_scale(coloring)
        else:
            self._show_classes(coloring)

    def show_all(self, *_: Any) -> None:
        """Draw every class."""
        self._set_shown(np.ones(len(self._scatter.scene.shown), dtype=bool))

    def isolate(self, *_: Any) -> None:
        """Draw the marked class alone."""
        code = self._marked()
        if code is not None:
            self._set_shown(np.arange(len(self._scatter.scene.shown)) == code)

    def _show_scale(self, coloring: Coloring) -> None:
        shades = np.ascontiguousarray(coloring.colors[None, :-1])
        n_shades = shades.shape[1]
        image = QImage(
            shades.data, n_shades, 1, 3 * n_shades, QImage.Format.Format_RGB888
        )
        self._ramp.setPixmap(QPixmap.fromImage(image.copy()))
        low, high = coloring.limits or (0.0, 1.0)
        n_grey = int(coloring.counts[-1])
        missing = f"; {n_grey} without a value, grey" if n_grey else ""
        self._ends.setText(f"{coloring.title}: {low:.4g} to {high:.4g}{missing}")
        self._ends.setWordWrap(True)

    def _show_classes(self, coloring: Coloring) -> None:
        counts, shown = coloring.counts, self._scatter.scene.shown
        total = max(int(counts.sum()), 1)
        with signals_blocked(self._list):
            self._list.clear()
            for code, name in enumerate(coloring.names):
                if name in NO_CLASS and not counts[code]:
                    continue
                share = 100 * counts[code] / total
                row = [name, f"{counts[code]}", f"{share:.2f}"]
                item = QTreeWidgetItem(row)
                item.setData(0, CODE, code)
                item.setIcon(0, _swatch(coloring.colors[code]))
                for column in (1, 2):
                    item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
                state = Qt.CheckState.Checked
                if not shown[code]:
                    state = Qt.CheckState.Unchecked
                item.setCheckState(0, state)
                item.setToolTip(0, name)
                self._list.addTopLevelItem(item)
        self._list.setIconSize(QSize(12, 12))

    def _set_shown(self, shown: NDArray[np.bool_]) -> None:
        self._scatter.set_shown(shown)
        self.refresh()

    def _on_checked(self, item: QTreeWidgetItem, _: int) -> None:
        shown = self._scatter.scene.shown.copy()
        shown[item.data(0, CODE)] = item.checkState(0) == Qt.CheckState.Checked
        self._scatter.set_shown(shown)

    def _on_select(self, *_: Any) -> None:
        code = self._marked()
        if code is not None:
            self.classRequested.emit(code)

    def _marked(self) -> int | None:
        item = self._list.currentItem()
        return None if item is None else int(item.data(0, CODE))


def _swatch(color: NDArray[np.uint8]) -> QIcon:
    pixels = QPixmap(12, 12)
    pixels.fill(QColor(*(int(value) for value in color)))
    return QIcon(pixels)
