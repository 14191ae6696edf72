"""How much of each phase there is: the table under the phase map.

* `FractionTable`: per cent per phase, for all particles and for each; colors.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QColorDialog,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

if TYPE_CHECKING:
    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.workspace import Workspace

__all__ = ["FractionTable"]

#: Pixels; a longer table scrolls.
MAX_HEIGHT = 320


class FractionTable(QTableWidget):
    """Shows per cent of each phase, ambiguous and not assigned pixels.

    A click on a color changes it everywhere: writes `workspace.phase_map` and
    `workspace.resolved` with the new color.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        events = workspace.events
        self._signals = (events.phase_map, events.resolved, events.threshold)
        for signal in self._signals:
            signal.connect(self._fill)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.verticalHeader().setVisible(False)
        self.cellClicked.connect(self._on_click)
        self._fill()

    def _fill(self, *_: Any) -> None:
        workspace = self._workspace
        phases, stacks = workspace.best_map(), workspace.stacks
        if phases is None or stacks is None:
            self.setRowCount(0)
            return
        parts: list[slice | None] = [None]
        offsets = stacks.offsets
        if len(stacks) > 1:
            parts += [slice(low, high) for low, high in itertools.pairwise(offsets)]
        titles = ["", "phase", "all (%)", *stacks.names]
        self.setColumnCount(len(parts) + 2)
        self.setHorizontalHeaderLabels(titles)
        names = [*phases.names, "ambiguous", "not assigned"]
        self.setRowCount(len(names))
        columns = [_column(workspace, phases, part) for part in parts]
        for row, name in enumerate(names):
            self._set_color(row, phases)
            self.setItem(row, 1, QTableWidgetItem(name))
            for column, values in enumerate(columns):
                item = QTableWidgetItem(f"{values[row]:.2f}")
                item.setTextAlignment(
                    Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
                self.setItem(row, column + 2, item)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.setColumnWidth(0, 24)
        height = self.verticalHeader().length() + header.height() + 18
        self.setMinimumHeight(min(height, MAX_HEIGHT))

    def _set_color(self, row: int, phases: PhaseMap) -> None:
        item = QTableWidgetItem()
        if row < phases.n_phases:
            item.setBackground(QColor(phases.colors[row]))
            item.setToolTip("Click to change the color everywhere.")
        self.setItem(row, 0, item)

    def _on_click(self, row: int, column: int) -> None:
        phases = self._workspace.best_map()
        if column == 0 and phases is not None and row < phases.n_phases:
            color = QColorDialog.getColor(QColor(phases.colors[row]), self)
            if color.isValid():
                self.set_color(row, color.name())

    def set_color(self, phase: int, color: str) -> None:
        """Give a phase (counted from 0) another color, in every map."""
        for field in ("phase_map", "resolved"):
            phases: PhaseMap | None = getattr(self._workspace, field)
            if phases is not None and phase < phases.n_phases:
                colors = list(phases.colors)
                colors[phase] = color
                setattr(self._workspace, field, phases.with_colors(colors))


def _column(workspace: Workspace, phases: PhaseMap, part: slice | None) -> list[float]:
    """Return per cent of each phase, then of ambiguous and not assigned pixels."""
    where = part if part is not None else slice(None)
    labels = phases.labels[where]
    total = max(len(labels), 1)
    assigned = max(int(np.count_nonzero(labels)), 1)
    pearson = workspace.phase_map
    ambiguous = 0.0
    if pearson is not None:
        unclear = pearson.ambiguous(workspace.threshold)[where]
        ambiguous = 100.0 * np.count_nonzero(unclear) / assigned
    missing = 100.0 * np.count_nonzero(labels == 0) / total
    return [*phases.fractions(where), float(ambiguous), float(missing)]
