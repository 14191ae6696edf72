"""A table of how many pixels went from which phase to which.

* `ChangeView`: shows a `ChangeTable`, or anything else with header and rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from qtpy.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ChangeView"]

#: Pixels; a longer table scrolls.
MAX_HEIGHT = 260


class Table(Protocol):
    """What has rows of values under titles."""

    @property
    def header(self) -> tuple[str, ...]:
        """Titles of the columns."""

    @property
    def rows(self) -> Sequence[tuple[Any, ...]]:
        """Values, row by row."""


class ChangeView(QTableWidget):
    """Hidden until there is something to show."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.verticalHeader().setVisible(False)
        self.setVisible(False)

    def show_table(self, table: Table) -> None:
        """Show a table in place of the last one."""
        rows = table.rows
        self.setColumnCount(len(table.header))
        self.setHorizontalHeaderLabels(list(table.header))
        self.setRowCount(len(rows))
        for row, values in enumerate(rows):
            for column, value in enumerate(values):
                text = f"{value:.2f}" if isinstance(value, float) else str(value)
                text = "" if text == "nan" else text
                self.setItem(row, column, QTableWidgetItem(text))
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        height = self.verticalHeader().length() + header.height() + 18
        self.setMinimumHeight(min(height, MAX_HEIGHT))
        self.setVisible(True)
