"""The edges to analyze: name, windows, threshold and number of classes, typed.

* `EdgeTable`: a row per edge.
* `EdgeRow`: what a row says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.shell.job import tell_error

if TYPE_CHECKING:
    from napari_phasemap.core.eels.recipe import EdgeRecipe

__all__ = ["EdgeRow", "EdgeTable"]

COLUMNS = ("edge", "fit (eV)", "signal (eV)", "jump >", "k")
TIPS = (
    "Name of the edge.",
    "Window in front of the edge where the background is fitted, for example 70-95. "
    "Empty: no background is subtracted and every pixel is analyzed.",
    "Window of the edge itself, for example 99-130.",
    "Smallest jump ratio of a pixel that has the edge; 'all' takes every pixel.",
    "Number of classes; 'auto' takes the largest number that halves agree on.",
)
#: Rows that are seen without scrolling.
MOST_SHOWN = 5


@dataclass(frozen=True)
class EdgeRow:
    """What a row of the table says; see `EdgeRecipe`."""

    name: str
    fit_window: tuple[float, float] | None
    window: tuple[float, float]
    jump_ratio: float = 1.05
    n_clusters: int | Literal["auto"] = "auto"

    @classmethod
    def from_recipe(cls, recipe: EdgeRecipe) -> EdgeRow:
        """Return the row of a recipe."""
        return cls(
            recipe.name,
            recipe.fit_window,
            recipe.window,
            recipe.jump_ratio,
            recipe.n_clusters,
        )


class EdgeTable(QTableWidget):
    """Shows and edits the edges. `changed` says which row has another content."""

    changed = Signal(int)
    #: Name of an edge that has another name now, or is gone.
    forgotten = Signal(str)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self._rows: list[EdgeRow] = []
        self.setHorizontalHeaderLabels(COLUMNS)
        for column, tip in enumerate(TIPS):
            self.horizontalHeaderItem(column).setToolTip(tip)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(22)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self._fit_height()
        self.itemChanged.connect(self._on_item)

    def rows(self) -> tuple[EdgeRow, ...]:
        """Return all edges."""
        return tuple(self._rows)

    @property
    def current(self) -> int | None:
        """Number of the chosen row."""
        row = self.currentRow()
        return row if 0 <= row < len(self._rows) else None

    def add(self, row: EdgeRow) -> None:
        """Add an edge and choose it; a name that is taken gets a number."""
        name, number = row.name, 2
        while name in {other.name for other in self._rows}:
            name, number = f"{row.name} {number}", number + 1
        self._rows.append(replace(row, name=name))
        self.setRowCount(len(self._rows))
        self._fill(len(self._rows) - 1)
        self._fit_height()
        self.setCurrentCell(len(self._rows) - 1, 0)

    def remove(self, index: int) -> None:
        """Take an edge out."""
        name = self._rows.pop(index).name
        self.removeRow(index)
        self._fit_height()
        self.forgotten.emit(name)

    def set_row(self, index: int, row: EdgeRow, *, tell: bool = True) -> None:
        """Replace an edge, from the plots; `changed` is not emitted while dragging."""
        if row != self._rows[index]:
            self._rows[index] = row
            self._fill(index)
            if tell:
                self.changed.emit(index)

    def _fit_height(self) -> None:
        """Take as much room as the rows need, and scroll beyond `MOST_SHOWN`."""
        shown = min(max(len(self._rows), 1), MOST_SHOWN)
        rows = shown * self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(rows + self.horizontalHeader().sizeHint().height() + 6)

    def _fill(self, index: int) -> None:
        row = self._rows[index]
        texts = (
            row.name,
            _window_text(row.fit_window),
            _window_text(row.window),
            "all" if row.jump_ratio == -np.inf else f"{row.jump_ratio:.3g}",
            str(row.n_clusters),
        )
        self.blockSignals(True)
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(TIPS[column])
            self.setItem(index, column, item)
        self.blockSignals(False)

    def _on_item(self, item: QTableWidgetItem) -> None:
        """Take what was typed, or say what is wrong and show the old value again."""
        index, column = item.row(), item.column()
        try:
            row = _typed(self._rows[index], column, item.text())
            if column == 0:
                self._check_name(row.name, index)
        except InputError as error:
            tell_error(error)
            row = self._rows[index]
        before = self._rows[index]
        changed = row != before
        self._rows[index] = row
        self._fill(index)
        if row.name != before.name:
            self.forgotten.emit(before.name)
        if changed:
            self.changed.emit(index)

    def _check_name(self, name: str, index: int) -> None:
        others = [row.name for i, row in enumerate(self._rows) if i != index]
        if not name or name in others:
            raise InputError(
                f"{name!r} is no new name for an edge; there are {', '.join(others)}"
            )


def _typed(row: EdgeRow, column: int, text: str) -> EdgeRow:
    """Return the row with one cell as typed."""
    text = text.strip()
    changes: dict[str, Any]
    if column == 0:
        changes = {"name": text}
    elif column == 1:
        changes = {"fit_window": _window(text) if text else None}
    elif column == 2:
        changes = {"window": _window(text)}
    elif column == 3:
        changes = {"jump_ratio": _number(text, "all", -np.inf, float)}
    else:
        changes = {"n_clusters": _number(text, "auto", "auto", int)}
        if changes["n_clusters"] != "auto" and changes["n_clusters"] < 1:
            raise InputError(f"{text} classes: give 1 or more, or 'auto'")
    return replace(row, **changes)


def _window(text: str) -> tuple[float, float]:
    number = r"(-?\d+(?:\.\d*)?)"
    found = re.fullmatch(rf"{number}\s*(?:-|–|:|to|\s)\s*{number}(?:\s*eV)?", text)
    if found is None:
        raise InputError(f"{text!r} is not a window in eV, for example 70-95")
    low, high = float(found[1]), float(found[2])
    if not low < high:
        raise InputError(f"window {low:g}-{high:g} eV: the first is below the second")
    return low, high


def _number(text: str, word: str, value: Any, kind: type) -> Any:
    if text.lower() == word:
        return value
    try:
        return kind(text)
    except ValueError as error:
        raise InputError(f"{text!r} is neither a number nor {word!r}") from error


def _window_text(window: tuple[float, float] | None) -> str:
    return "" if window is None else f"{window[0]:g}-{window[1]:g}"
