"""What the columns of reference files are, shown and asked before they are used.

* `ColumnRoles`: a small window with a table of roles and the spectra they give.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.prepare.column_words import Role
from napari_phasemap.io.spectra import references_of
from napari_phasemap.views.widgets.plot import PlotView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.prepare.column_roles import ColumnTable

__all__ = ["ColumnRoles"]

HEADER = ("column", "role", "from", "to", "why")
#: What stands in the table for each role.
TEXTS: dict[Role, str] = {
    "energy": "energy", "mu": "mu, OD, normalized", "i0": "I0",
    "transmitted": "transmitted", "fluorescence": "fluorescence", "other": "not used",
}  # fmt: skip


class ColumnRoles(QDialog):
    """Shows the columns of reference files; emits what they give when accepted."""

    chosen = Signal(object)

    def __init__(
        self, tables: Sequence[ColumnTable], parent: QWidget, *, theme: str = "dark"
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("What are these columns?")
        self.resize(560, 620)
        self._tables: list[ColumnTable] = list(tables)
        layout = QVBoxLayout(self)
        self._file = QComboBox()
        self._file.addItems([table.source for table in tables])
        self._file.setVisible(len(tables) > 1)
        layout.addWidget(self._file)
        self._columns = QTableWidget(0, len(HEADER))
        self._columns.setHorizontalHeaderLabels(list(HEADER))
        self._columns.verticalHeader().setVisible(False)
        sections = self._columns.horizontalHeader()
        sections.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        layout.addWidget(self._columns, 1)
        self._unit = QComboBox()
        self._unit.addItems(["energies by their size", "energies in eV", "in keV"])
        layout.addWidget(self._unit)
        self._said = QLabel()
        self._said.setWordWrap(True)
        layout.addWidget(self._said)
        self._plot = PlotView("")
        self._plot.set_theme(theme)
        layout.addWidget(self._plot, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.use = buttons.addButton(
            "Use as references", QDialogButtonBox.ButtonRole.AcceptRole
        )
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self._file.currentIndexChanged.connect(self._fill)
        self._unit.currentIndexChanged.connect(self._on_unit)
        first = next((n for n, t in enumerate(tables) if not t.is_plain), 0)
        self._file.setCurrentIndex(first)
        self._fill()

    def set_role(self, row: int, role: Role) -> None:
        """Say what a column of the file that is shown is."""
        box = self._columns.cellWidget(row, 1)
        box.setCurrentIndex(get_args(Role).index(role))

    def _fill(self, *_: object) -> None:
        """Show the columns of the chosen file."""
        table = self._table
        self._columns.setRowCount(len(table.columns))
        for row, column in enumerate(table.columns):
            values = table.values[:, row]
            texts = (column.label, None, f"{values.min():.5g}", f"{values.max():.5g}")
            for at, text in enumerate((*texts, column.reason)):
                if text is not None:
                    self._columns.setItem(row, at, QTableWidgetItem(text))
            box = QComboBox()
            box.addItems([TEXTS[role] for role in get_args(Role)])
            box.setCurrentIndex(get_args(Role).index(column.role))
            box.currentIndexChanged.connect(self._on_role)
            self._columns.setCellWidget(row, 1, box)
        self._unit.blockSignals(True)
        self._unit.setCurrentIndex({None: 0, "eV": 1, "keV": 2}[table.told_unit])
        self._unit.blockSignals(False)
        self._show()

    def _on_role(self, *_: object) -> None:
        roles: dict[str, list[int]] = {}
        for row in range(self._columns.rowCount()):
            role = get_args(Role)[self._columns.cellWidget(row, 1).currentIndex()]
            if role != "other":
                roles.setdefault(role, []).append(row + 1)
        self._table = self._table.with_roles(roles)
        self._show()

    def _on_unit(self, index: int) -> None:
        units = (None, "eV", "keV")
        self._table = replace(self._table, told_unit=units[index])  # type: ignore[arg-type]
        self._show()

    def _show(self) -> None:
        """Draw what the columns of this file give, or say what is missing."""
        try:
            spectra = references_of([self._table])
        except InputError as error:
            # The list of columns stands in the table above.
            self._said.setText(self._table.doubt or str(error).splitlines()[0])
            self._plot.set_empty("No spectrum yet.")
        else:
            self._said.setText(f"{self._table.how()}; {_span(spectra)}")
            self._plot.draw(lambda axes: _draw(axes, spectra))
        self.use.setEnabled(not any(table.doubt for table in self._tables))

    def _accept(self) -> None:
        try:
            references = references_of(self._tables)
        except InputError as error:
            self._said.setText(str(error))
            return
        self.accept()
        self.chosen.emit(references)

    @property
    def _table(self) -> ColumnTable:
        at: int = self._file.currentIndex()
        return self._tables[at]

    @_table.setter
    def _table(self, table: ColumnTable) -> None:
        self._tables[self._file.currentIndex()] = table


def _span(spectra: ReferenceSpectra) -> str:
    low, high = spectra.energy[[0, -1]]
    return f"{spectra.n_energies} energies, {low:g} to {high:g} eV"


def _draw(axes: Axes, spectra: ReferenceSpectra) -> None:
    from napari_phasemap.figures import draw_references

    draw_references(axes, spectra)
    axes.set_ylabel("mu")
