"""The classes of the edge that is shown: how many, how sure, what they may be.

* `ClassTable`: a row per class, names typed, colors clicked.
* `ClassesPage`: the table with its spectra; the dock acts on the buttons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_phasemap.views.widgets.quick_plot import QuickPlot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.naming import ClassNames

__all__ = ["ClassTable", "ClassesPage"]

COLUMNS = ("", "class", "pixels", "%", "stable", "reference")
TIPS = (
    "Click to change the color everywhere.",
    "Type another name.",
    "",
    "Per cent of the pixels that have the edge.",
    "How well the class is found again in half of the pixels, 0 to 1 (below 0.6: not "
    "stable). Empty after painting by hand.",
    "Reference with the largest share in the class's spectrum, and the second; "
    "'unexplained' is the part of the spectrum that no reference shows.",
)
#: Below this share of the best reference the name is open.
OPEN_NAME = 0.6


class ClassTable(QTableWidget):
    """Shows classes. Emits what a user wants changed: label and name, or color."""

    renamed = Signal(int, str)
    recolored = Signal(int, str)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setHorizontalHeaderLabels(COLUMNS)
        for column, tip in enumerate(TIPS):
            self.horizontalHeaderItem(column).setToolTip(tip)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(24)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.setMinimumHeight(150)
        self.itemChanged.connect(self._on_item)
        self.cellClicked.connect(self._on_click)

    def chosen(self) -> list[int]:
        """Return the labels of the chosen rows, counted from 1."""
        return sorted({index.row() + 1 for index in self.selectedIndexes()})

    def show_classes(
        self, analysis: EdgeAnalysis | None, names: ClassNames | None
    ) -> None:
        """Fill the table."""
        self.blockSignals(True)
        classes = None if analysis is None else analysis.classes
        self.setRowCount(0 if classes is None else classes.n_phases)
        if analysis is not None and classes is not None:
            counts = np.bincount(classes.labels, minlength=classes.n_phases + 1)[1:]
            shares = classes.fractions()
            known = len(analysis.stability) == classes.n_phases
            for row, name in enumerate(classes.names):
                stable = analysis.stability[row] if known else np.nan
                texts = (
                    "",
                    name,
                    f"{counts[row]}",
                    f"{shares[row]:.1f}",
                    f"{stable:.2f}" if np.isfinite(stable) else "",
                    _match(names, row),
                )
                for column, text in enumerate(texts):
                    self._put(row, column, text)
                self.item(row, 0).setBackground(QColor(classes.colors[row]))
        self.setColumnWidth(0, 24)
        self.blockSignals(False)

    def _put(self, row: int, column: int, text: str) -> None:
        item = QTableWidgetItem(text)
        item.setToolTip(text if column == 5 else TIPS[column])
        if column != 1:
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
        if column in (2, 3, 4):
            item.setTextAlignment(
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            )
        self.setItem(row, column, item)

    def _on_item(self, item: QTableWidgetItem) -> None:
        if item.column() == 1:
            self.renamed.emit(item.row() + 1, item.text())

    def _on_click(self, row: int, column: int) -> None:
        if column == 0:
            before = self.item(row, 0).background().color()
            color = QColorDialog.getColor(before, self)
            if color.isValid():
                self.recolored.emit(row + 1, color.name())


def _match(names: ClassNames | None, row: int) -> str:
    """Return a class's reference in words."""
    if names is None or row >= len(names.names) or not names.names[row]:
        return ""
    best, other = names.names[row], names.runner_up[row]
    text = f"{best} {names.score[row]:.2f}"
    if other:
        text += f", {other} {np.sort(names.shares[row])[-2]:.2f}"
    if names.score[row] < OPEN_NAME:
        text = f"? {text}"
    return f"{text}; unexplained {names.residual[row]:.2f}"


class ClassesPage(QWidget):
    """Shows the classes of one edge and their spectra."""

    edge_chosen = Signal(str)
    merge = Signal()
    split = Signal()
    select = Signal()
    undo = Signal()
    open_references = Signal()
    use_names = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.edge = QComboBox()
        self.edge.setToolTip(
            "The edge whose classes are the phase map, and whose UMAP is the latent "
            "space of the Latent view."
        )
        self.edge.activated.connect(
            lambda index: self.edge_chosen.emit(self.edge.itemText(index))
        )
        self.table = ClassTable()
        self.plot = QuickPlot("Run an edge to see the spectra of its classes.")
        self.plot.setMinimumHeight(170)
        self.note = QLabel()
        self.note.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("shown edge"))
        row.addWidget(self.edge, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 2, 2)
        layout.addLayout(row)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        layout.addLayout(self._make_buttons())
        layout.addWidget(self.plot, 1)

    def set_edges(self, names: list[str], active: str) -> None:
        """List the analyzed edges."""
        self.edge.blockSignals(True)
        self.edge.clear()
        self.edge.addItems(names)
        self.edge.setCurrentIndex(names.index(active) if active in names else -1)
        self.edge.blockSignals(False)

    def show_analysis(
        self, analysis: EdgeAnalysis | None, names: ClassNames | None
    ) -> None:
        """Show classes and spectra of an analysis."""
        self.table.show_classes(analysis, names)
        self._use.setEnabled(names is not None)
        for button in self._buttons:
            button.setEnabled(analysis is not None)
        if analysis is None:
            self.note.setText("")
            self.plot.set_empty("Run an edge to see the spectra of its classes.")
            return
        n_present = int(np.count_nonzero(analysis.present))
        found = analysis.decomposition
        kept = f"{found.n_components} components kept"
        if analysis.values.shape[1] == 1:
            kept = "one component kept, so that classes are steps of one amount"
        self.note.setText(
            f"{n_present} of {len(analysis.present)} pixels have the edge; {kept}; "
            f"{found.n_significant} above the noise ({found.noise}). "
            f"{_sentence(analysis.kinds.reason)} {_where(analysis)}"
        )
        self.plot.draw(lambda axes: _draw_spectra(axes, analysis))

    def _make_buttons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(3)
        self._buttons = []
        for number, (text, tip, signal) in enumerate(
            (
                ("Merge", "Make one class of the chosen rows.", self.merge),
                ("Split", "Split the chosen class.", self.split),
                ("Select", "Light up the chosen classes everywhere.",
                 self.select),
                ("Undo", "Take the last change of classes or selection back.",
                 self.undo),
                ("References…",
                 "Spectra of pure phases without background (MSA, CSV and others).",
                 self.open_references),
                ("Use names", "Name the classes by their references.",
                 self.use_names),
            )
        ):  # fmt: skip
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, s=signal: s.emit())
            self._buttons.append(button)
            if number < 4:
                grid.addWidget(button, 0, number)
            else:
                grid.addWidget(button, 1, 2 * (number - 4), 1, 2)
        self._use = self._buttons.pop()
        return grid


def _where(analysis: EdgeAnalysis) -> str:
    """Say what decided where the edge is."""
    found = analysis.presence
    return "" if found is None else _sentence(found.reason)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _draw_spectra(axes: Axes, analysis: EdgeAnalysis) -> None:
    """Draw the mean spectra of the classes: the table says which color is which."""
    from napari_phasemap.figures.eels import draw_class_spectra

    draw_class_spectra(axes, analysis)
    kind = "net" if analysis.recipe.fit_window is not None else "mean"
    quantity = analysis.stack.quantity.replace("_", " ")
    axes.set(xlabel="energy (eV)", ylabel=f"{kind} {quantity}", title="")
    axes.ticklabel_format(axis="y", scilimits=(-3, 4))  # or long numbers hide the name
    axes.margins(x=0.0)
