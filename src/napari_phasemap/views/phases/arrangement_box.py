"""How the particles lie on the canvas: a row of controls of the Data dock.

* `ArrangementBox`: rows, a grid, a column of a table, or one particle alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.layout import Arrangement
from napari_phasemap.views.shell.walk import NEXT, PREVIOUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_phasemap.views.shell.link import ViewerLink

__all__ = ["ArrangementBox"]

ROWS, COLUMNS, TABLE, ALONE = "in rows", "in columns:", "by a table…", "one alone"
TIPS = (
    (ROWS, "All particles, in rows that suit the window."),
    (COLUMNS, "All particles, so many in a row."),
    (
        TABLE,
        "A CSV file whose first column names the particles: every value of the chosen "
        "column, for example a state of charge, begins a new row.",
    ),
    (
        ALONE,
        "Double-click a particle to see it alone and again to see all; "
        f"{NEXT} and {PREVIOUS} on the image go on to the next.",
    ),
)


class ArrangementBox(QWidget):
    """Writes `ViewerLink.places`; whoever holds it lets it `follow` them."""

    def __init__(self, link: ViewerLink) -> None:
        super().__init__()
        self._link = link
        self._table: Mapping[str, Mapping[str, str]] = {}
        self.choice, self.columns = QComboBox(), QSpinBox()
        self.column, self.names = QComboBox(), QCheckBox("names")
        for number, (text, tip) in enumerate(TIPS):
            self.choice.addItem(text)
            self.choice.setItemData(number, tip, 3)
        self.choice.setToolTip("How the particles lie on the canvas. " + TIPS[-1][1])
        self.columns.setRange(1, 99)
        self.columns.setValue(4)
        self.column.setToolTip("Column of the table.")
        self.column.setMinimumContentsLength(6)
        self.column.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self.names.setToolTip("Names above the particles.")
        self.names.setChecked(link.names.wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.choice, self.columns, self.column):
            row.addWidget(widget)
        row.setStretchFactor(self.column, 1)
        row.addStretch(1)
        row.addWidget(self.names)
        self.choice.activated.connect(self._on_choice)
        self.columns.valueChanged.connect(self._arrange)
        self.column.currentTextChanged.connect(self._arrange)
        self.names.toggled.connect(self._on_names)
        self._show_controls()

    def open_table(self, path: Path) -> None:
        """Arrange the particles by the first column of a table with values.

        Raises
        ------
        InputError
            If the table names none of the particles.
        """
        from napari_phasemap.io.particle_table import read_particle_table

        self._table = read_particle_table(path, self._link.places.names)
        self.column.blockSignals(True)
        self.column.clear()
        self.column.addItems([name for name, values in self._table.items() if values])
        self.column.blockSignals(False)
        self.choice.setCurrentText(TABLE)
        self._arrange()

    def _on_choice(self, _: int) -> None:
        chosen = self.choice.currentText()
        if chosen == ALONE:
            if not self._link.places.alone:
                self._link.walk.step(1)
        elif chosen == TABLE:
            self._ask_table()
        else:
            self._arrange()
        self._show_controls()

    def _ask_table(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Table of particles", "", "Tables (*.csv *.txt *.tsv);;All files (*)"
        )
        try:
            if path:
                self.open_table(Path(path))
        except (InputError, OSError) as error:
            tell_error(error)
        if not self._table:
            self.follow()

    def _arrange(self, *_: object) -> None:
        chosen, places = self.choice.currentText(), self._link.places
        if chosen == COLUMNS:
            places.arrangement = Arrangement(n_columns=self.columns.value())
        elif chosen == TABLE and self._table:
            groups = self._table.get(self.column.currentText(), {})
            places.arrangement = Arrangement(groups=groups)
        else:
            places.arrangement = Arrangement()
        self._link.fit()
        self._show_controls()

    def follow(self) -> None:
        """Follow a layout that was chosen elsewhere."""
        places = self._link.places
        text = ROWS
        if places.alone:
            text = ALONE
        elif places.arrangement.groups is not None:
            text = TABLE
        elif places.arrangement.n_columns is not None:
            text = COLUMNS
        self.choice.setCurrentText(text)
        self._show_controls()

    def _on_names(self, wanted: bool) -> None:
        self._link.names.wanted = wanted

    def _show_controls(self) -> None:
        chosen = self.choice.currentText()
        self.columns.setVisible(chosen == COLUMNS)
        self.column.setVisible(chosen == TABLE)
