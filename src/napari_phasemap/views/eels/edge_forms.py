"""Which edges are analyzed and how: the second page of the EELS dock.

* `EdgesPage`: the table, the plots that follow it, and the settings.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.eels.jump_ratio import suggest_jump_ratio
from napari_phasemap.core.eels.recipe import (
    EDGES,
    PRESETS,
    EdgeRecipe,
    edge_recipe,
    suggest_recipe,
)
from napari_phasemap.views.eels.preview import AgreementPlot, JumpPlot, SubtractionPlot
from napari_phasemap.views.eels.table import EdgeRow, EdgeTable
from napari_phasemap.views.eels.windows import WindowPlot
from napari_phasemap.views.widgets.forms import ParameterForm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["EdgesPage"]

#: Settings that all edges share; the others are in the table.
SHARED = (
    "method", "background_neighbors", "significance", "present_neighbors",
    "n_components", "weighted", "score_neighbors", "representation", "cluster_on",
    "n_neighbors", "min_distance", "seed",
)  # fmt: skip
SOURCE = (
    "Onset energies from the Gatan EELS Atlas (Ahn and Krivanek, 1983) and the X-ray "
    "Data Booklet (LBNL, 2009), Table 1-1."
)
#: napari's theme puts the arrow of a menu over the text.
ARROW_STYLE = (
    "QPushButton { padding-right: 16px; }"
    "QPushButton::menu-indicator { subcontrol-position: right center; right: 6px; }"
)
#: Width in pixels to which a button with an edge's name may shrink.
LEAST_BUTTON = 60
#: Shortest fit window in eV that is still suggested.
LEAST_FIT = 8.0
_NEUTRAL = EdgeRecipe("", None, (0.0, 1.0))


class EdgesPage(QWidget):
    """Shows the edges and what their settings do; `recipes` says what to run.

    `edited` says that the current edge or the settings changed; `moving` that a window
    is being dragged, so that only quick things should follow.
    """

    edited = Signal()
    moving = Signal()
    threshold_moved = Signal(float)
    run_one = Signal()
    run_all = Signal()
    suggest = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.table = EdgeTable()
        self.windows = WindowPlot()
        self.subtraction = SubtractionPlot()
        self.jumps = JumpPlot()
        self.agreement = AgreementPlot()
        self.numbers = self._make_number_tab()
        self._stack: SpectralStack | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 2, 2)
        layout.addLayout(self._make_add_row())
        layout.addWidget(self.table)
        layout.addWidget(self.windows, 1)
        self.tabs = QTabWidget()
        for plot, name in (
            (self.subtraction, "subtraction"),
            (self.jumps, "jump ratio"),
            (self.numbers, "classes"),
        ):
            self.tabs.addTab(plot, name)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(self._make_settings())
        self.table.currentCellChanged.connect(self._on_current)
        self.table.changed.connect(self._on_row)
        self.windows.dragged.connect(self._on_window)
        self.jumps.dragged.connect(self._on_threshold)
        self.agreement.chosen.connect(self._on_number)
        self.tabs.currentChanged.connect(lambda _: self.edited.emit())
        self._show_names()

    # ---- What is set ----

    def set_stack(self, stack: SpectralStack | None) -> None:
        """Offer the edges on the axis of another stack."""
        self._stack = stack
        self._fill_menu()
        if stack is None:
            self.windows.set_empty("Choose a spectrum image first.")

    @property
    def current_name(self) -> str:
        """Name of the chosen edge, empty without any."""
        index = self.table.current
        return "" if index is None else self.table.rows()[index].name

    def recipe(self, index: int | None = None) -> EdgeRecipe | None:
        """Return the recipe of an edge, default the current one; None without any.

        Raises
        ------
        ValueError
            If a setting is no number.
        """
        index = self.table.current if index is None else index
        if index is None or index >= len(self.table.rows()):
            return None
        row = self.table.rows()[index]
        return edge_recipe(
            row.name,
            row.fit_window,
            row.window,
            preset=self._preset.currentText(),
            **self._form.value(),
            jump_ratio=row.jump_ratio,
            n_clusters=row.n_clusters,
            embed=self._umap.isChecked(),
            n_dimensions=self._dimensions.currentIndex() + 2,
        )

    def recipes(self) -> list[EdgeRecipe]:
        """Return the recipes of all edges."""
        found = [self.recipe(index) for index in range(len(self.table.rows()))]
        return [recipe for recipe in found if recipe is not None]

    def redraw_windows(self) -> None:
        """Draw the spectrum with all windows again."""
        self.windows.set_rows(self.table.rows(), self.table.current)

    # ---- What a user does ----

    def add_edge(self, name: str) -> None:
        """Add a known edge with suggested windows and jump ratio."""
        if self._stack is not None:
            recipe = suggest_recipe(
                name, self._stack, preset=self._preset.currentText()
            )
            row = beside(EdgeRow.from_recipe(recipe), self.table.rows())
            try:
                recipe = replace(
                    recipe, fit_window=row.fit_window, **self._form.value()
                )
                jump_ratio = suggest_jump_ratio(self._stack, recipe)
            except InputError:  # running the edge will say what is wrong
                jump_ratio = recipe.jump_ratio
            self.table.add(replace(row, jump_ratio=jump_ratio))

    def add_window(self, *, background: bool) -> None:
        """Add an edge of one's own: windows to be dragged, or the whole axis."""
        if self._stack is None:
            return
        low, high = float(self._stack.energy[0]), float(self._stack.energy[-1])
        third = (high - low) / 3
        fit, window = None, (low, high)
        if background:
            fit = (round(low + third / 2, 1), round(low + third, 1))
            window = (round(low + 1.2 * third, 1), round(low + 2 * third, 1))
        name = "edge" if background else "whole axis"
        recipe = edge_recipe(name, fit, window, preset=self._preset.currentText())
        self.table.add(EdgeRow.from_recipe(recipe))

    def _remove(self) -> None:
        if self.table.current is not None:
            self.table.remove(self.table.current)
            self._on_row()

    def _on_current(self, row: int, _: int, before: int, __: int) -> None:
        if row != before:
            self._on_row()

    def _on_row(self, *_: Any) -> None:
        self._show_names()
        self.redraw_windows()
        self.edited.emit()

    def _on_window(self, name: str, low: float, high: float, done: bool) -> None:
        index = self.table.current
        if index is None:
            return
        row = self.table.rows()[index]
        window = (low, high)
        changed = (
            replace(row, window=window)
            if name == "window"
            else replace(row, fit_window=window)
        )
        self.table.set_row(index, changed, tell=False)
        if done:
            self._on_row()
        else:
            self.moving.emit()

    def _on_threshold(self, threshold: float, done: bool) -> None:
        index = self.table.current
        if index is not None:
            row = replace(self.table.rows()[index], jump_ratio=threshold)
            self.table.set_row(index, row, tell=False)
            self.threshold_moved.emit(threshold)

    def _on_number(self, number: int) -> None:
        index = self.table.current
        if index is not None:
            row = replace(self.table.rows()[index], n_clusters=number)
            self.table.set_row(index, row)

    def _on_preset(self, preset: str) -> None:
        """Take the preset's values, in the table too."""
        values = replace(_NEUTRAL, **PRESETS[preset])
        self._form.set_value(values)
        for index, row in enumerate(self.table.rows()):
            jump = values.jump_ratio if row.fit_window is not None else row.jump_ratio
            self.table.set_row(
                index, replace(row, jump_ratio=jump, n_clusters=values.n_clusters)
            )
        self.edited.emit()

    # ---- Controls ----

    def _show_names(self) -> None:
        self._run.setText(f"Run {self.current_name}".strip())
        for button in (self._run, self._all, self._suggest, self._take_out):
            button.setEnabled(self.table.current is not None)

    def _make_add_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(3)
        self._add = QPushButton("Add edge")
        self._add.setToolTip(SOURCE)
        self._add.setStyleSheet(ARROW_STYLE)
        self._take_out = QPushButton("Remove")
        self._take_out.clicked.connect(self._remove)
        self._run = QPushButton("Run")
        self._run.setToolTip("Analyze the chosen edge; what did not change stays.")
        self._run.clicked.connect(lambda: self.run_one.emit())
        # A long name must not make the dock scroll.
        self._run.setMinimumWidth(LEAST_BUTTON)
        self._run.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._all = QPushButton("Run all")
        self._all.setToolTip("Analyze every edge of the table.")
        self._all.clicked.connect(lambda: self.run_all.emit())
        row.addWidget(self._add)
        row.addWidget(self._take_out)
        row.addStretch(1)
        row.addWidget(self._run)
        row.addWidget(self._all)
        return row

    def _fill_menu(self) -> None:
        menu = QMenu(self._add)
        menu.setToolTipsVisible(True)
        stack = self._stack
        if stack is not None:
            for name, onset in EDGES.items():
                try:
                    suggest_recipe(name, stack)
                except InputError:
                    continue  # no room on this axis
                action = menu.addAction(f"{name}   {onset:g} eV")
                action.setToolTip(SOURCE)
                action.triggered.connect(lambda _=False, n=name: self.add_edge(n))
            menu.addSeparator()
            own = menu.addAction("windows of my own")
            own.triggered.connect(lambda: self.add_window(background=True))
            whole = menu.addAction("whole axis, no background")
            whole.triggered.connect(lambda: self.add_window(background=False))
        self._add.setMenu(menu)
        self._add.setEnabled(stack is not None)

    def _make_settings(self) -> QVBoxLayout:
        layout = QVBoxLayout()
        row = QHBoxLayout()
        self._preset = QComboBox()
        self._preset.addItems(list(PRESETS))
        self._preset.setToolTip(
            "'paper' is the published recipe: 30 components of all pixels, 20 classes "
            "on the UMAP picture."
        )
        self._umap = QCheckBox("UMAP")
        self._umap.setToolTip("The picture for the Latent view; the slowest step.")
        self._umap.setChecked(True)
        row.addWidget(self._preset)
        self._dimensions = QComboBox()
        self._dimensions.addItems(["2-D", "3-D"])
        self._dimensions.setToolTip("Axes of the picture; 3-D can be turned.")
        self._umap.toggled.connect(self._dimensions.setEnabled)
        row.addWidget(self._umap)
        row.addWidget(self._dimensions)
        row.addStretch(1)
        self._form = ParameterForm(_NEUTRAL, SHARED)
        more = QCollapsible("All settings")
        more.addWidget(self._form.native)
        layout.addLayout(row)
        layout.addWidget(more)
        self._preset.currentTextChanged.connect(self._on_preset)
        return layout

    def _make_number_tab(self) -> QWidget:
        tab = QWidget()
        layout = QVBoxLayout(tab)
        layout.setContentsMargins(0, 0, 0, 0)
        self._suggest = QPushButton("Suggest number")
        self._suggest.setToolTip("How many classes two halves of the pixels agree on.")
        self._suggest.clicked.connect(lambda: self.suggest.emit())
        layout.addWidget(self.agreement, 1)
        layout.addWidget(self._suggest)
        return tab


def beside(row: EdgeRow, others: Sequence[EdgeRow]) -> EdgeRow:
    """Return a row whose fit window begins behind the other edges in it.

    The other edge's window is left out if that leaves `LEAST_FIT`.
    """
    if row.fit_window is None:
        return row
    low, high = row.fit_window
    inside = [o.window[1] for o in others if low < o.window[1] and o.window[0] < high]
    begin = max([low, *(end for end in inside if high - end >= LEAST_FIT)])
    return replace(row, fit_window=(begin, high))
