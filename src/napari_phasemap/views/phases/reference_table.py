"""The references as a table: made, renamed, left out, saved.

* `ReferenceTable`: one row per reference; its menu makes one of measured pixels.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.phases.reference_making import reference_from
from napari_phasemap.io.reference_files import write_references
from napari_phasemap.views.shell.dock import guarded
from napari_phasemap.views.shell.job import tell_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.workspace import Workspace

__all__ = ["ReferenceTable"]

HEADER = ("name", "lowest", "highest", "error")
#: Width of a column of numbers, in pixels: a dock is narrow.
NUMBERS = 54
FILES = "CSV (*.csv);;XDI (*.nor *.xdi)"


class ReferenceTable(QWidget):
    """Lists the references and changes them, each change as a step of the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._table = QTableWidget(0, len(HEADER))
        self._table.setHorizontalHeaderLabels(list(HEADER))
        self._table.verticalHeader().setVisible(False)
        self._table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        header = self._table.horizontalHeader()
        header.setDefaultSectionSize(NUMBERS)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._table.itemChanged.connect(self._on_item)
        layout.addWidget(self._table)
        row = QHBoxLayout()
        self._make = QPushButton("Make from")
        self._make.setToolTip("The mean spectrum of measured pixels, with its error.")
        self._menu = QMenu(self._make)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._make.setMenu(self._menu)
        self._leave = QPushButton("Leave out")
        self._leave.setToolTip("Take the selected references away; Undo brings them.")
        self._leave.clicked.connect(self.leave_out)
        self._save = QPushButton("Save…")
        self._save.clicked.connect(self._ask_file)
        for button in (self._make, self._leave, self._save):
            row.addWidget(button)
        layout.addLayout(row)

    def show_references(self, references: ReferenceSpectra | None) -> None:
        """Show what the workspace holds."""
        self._table.blockSignals(True)
        self._table.setRowCount(0 if references is None else len(references))
        for row in range(self._table.rowCount()):
            self._fill_row(row, references)
        self._table.blockSignals(False)
        for button in (self._leave, self._save):
            button.setEnabled(references is not None)

    def sources(self) -> dict[str, NDArray[np.bool_]]:
        """Return the pixels that a reference can be made of, by their name."""
        stacks, phases = self.workspace.stacks, self.workspace.phase_map
        if stacks is None:
            return {}
        found: dict[str, NDArray[np.bool_]] = {}
        if self.workspace.selection is not None and self.workspace.selection.any():
            found["selection"] = self.workspace.selection
        for one in self.workspace.selections:
            found[f"selection {one.name}"] = one.pixels
        if phases is not None:
            for at, phase in enumerate(phases.names):
                found[f"phase {phase}"] = phases.labels == at + 1
        for at, name in enumerate(stacks.names):
            inside = np.zeros(stacks.n_pixels, dtype=bool)
            inside[int(stacks.offsets[at]) : int(stacks.offsets[at + 1])] = True
            found[f"particle {name}"] = inside
        return {name: pixels for name, pixels in found.items() if pixels.any()}

    def make(self, source: str) -> None:
        """Make the mean of some pixels a reference, as one step."""
        references, stacks = self.workspace.references, self.workspace.stacks
        if stacks is None:
            raise InputError("there is no optical density to make a reference of")
        taken = () if references is None else references.names
        name, number = f"mean of {source}", 2
        while name in taken:
            name, number = f"mean of {source} ({number})", number + 1
        made = reference_from(stacks, self.sources()[source], name)
        joined = made if references is None else references.joined(made)
        self.workspace.apply(f"reference {name}", references=joined)

    @guarded
    def leave_out(self) -> None:
        """Take the selected references away."""
        references = self.workspace.references
        rows = {index.row() for index in self._table.selectedIndexes()}
        if references is None or not rows:
            raise InputError("no reference is selected; click on one in the table")
        kept = [n for row, n in enumerate(references.names) if row not in rows]
        left = references.select(kept) if kept else None
        self.workspace.apply(f"leave out {len(rows)} references", references=left)

    def save(self, path: Path) -> None:
        """Write the references; the dialog has asked before it replaces a file."""
        if self.workspace.references is not None:
            write_references(self.workspace.references, path, overwrite=True)

    def _fill_row(self, row: int, references: ReferenceSpectra | None) -> None:
        if references is None:
            return
        values, error = references.spectra[row], ""
        if references.errors is not None and np.isfinite(references.errors[row]).any():
            error = f"{np.nanmean(references.errors[row]):.2g}"
        name = references.names[row]
        texts = (name, f"{values.min():.4g}", f"{values.max():.4g}", error)
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            if column:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            self._table.setItem(row, column, item)

    def _fill_menu(self) -> None:
        self._menu.clear()
        for source in self.sources():
            action = self._menu.addAction(source)
            action.triggered.connect(lambda *_, s=source: self._try_to_make(s))

    def _try_to_make(self, source: str) -> None:
        try:
            self.make(source)
        except InputError as error:
            tell_error(error)

    def _on_item(self, item: QTableWidgetItem) -> None:
        """Rename a reference; a name that is taken is told and goes back."""
        references = self.workspace.references
        if references is None or item.column():
            return
        names = list(references.names)
        names[item.row()] = item.text().strip()
        try:
            if not names[item.row()]:
                raise InputError("a reference has a name")
            renamed = replace(references, names=tuple(names))
        except InputError as error:
            tell_error(error)
            self.show_references(references)
            return
        self.workspace.apply("rename a reference", references=renamed)

    @guarded
    def _ask_file(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save references", "references.csv", FILES
        )
        if path:
            self.save(Path(path))
