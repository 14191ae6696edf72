"""Which classes of two edges share their pixels: the Co-occurrence dock.

* `CoOccurrencePanel`: two edges, the heat map of their classes, and what it says.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.eels.compared import (
    Compared,
    compare_maps,
    describe,
    describe_pair,
    pair_table,
)
from napari_phasemap.views.eels.edges import edges_for
from napari_phasemap.views.eels.heat_map import HeatMap
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.kinds import Classes, Kind
from napari_phasemap.views.widgets.fitted import FittedBox

if TYPE_CHECKING:
    import napari.viewer

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.workspace import Workspace

__all__ = ["CoOccurrencePanel"]

THICKNESS_BINS = "(thickness)"
#: What the heat map may show: data of the combo box and its text.
VALUES = (
    ("log2_lift", "log2 lift"),
    ("n", "pixels n"),
    ("contribution", "contribution (bits)"),
)
#: What a labels layer counts to.
MOST_PAIRS = 255
PAIRS = "co-occurrence"


class CoOccurrencePanel(Dock):
    """Compares the classes of two edges, or of one with the thickness.

    Writes `workspace.selection`.
    """

    title = "Co-occurrence"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.edges = edges_for(self.viewer)
        self.compared: Compared | None = None
        self.first, self.second = QComboBox(), QComboBox()
        self.value = QComboBox()
        for data, text in VALUES:
            self.value.addItem(text, data)
        self.alpha = QDoubleSpinBox()
        self.depleted = QCheckBox("layer shows depleted pairs, too")
        self.plot = HeatMap()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.chosen = QLabel()
        self.chosen.setWordWrap(True)
        box = FittedBox()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._make_controls())
        layout.addWidget(self.summary)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.chosen)
        layout.addLayout(self._make_buttons())
        self.body.addWidget(box, 1)
        self.value.currentIndexChanged.connect(self._draw)
        self.alpha.valueChanged.connect(self._draw)
        self.plot.cell.connect(self.select_pair)
        self.plot.set_theme(self.viewer.theme)
        self.listen(self.viewer.events.theme, self.plot.on_theme)
        events = self.workspace.events
        for signal in (events.edges, events.thickness, events.stacks):
            self.listen(signal, self._on_edges)
        self._on_edges()

    # ---- What a user does ----

    @guarded
    def compare(self) -> None:
        """Compare the chosen maps, beside the window."""
        workspace = self.workspace
        if workspace.stacks is None or not workspace.edges:
            raise InputError(
                "no edge is analyzed yet; run two in Plugins > Phase map > EELS classes"
            )
        names = (self.first.currentText(), self.second.currentText())
        if names[0] == names[1]:
            raise InputError(
                f"{names[0]} is compared with itself; choose another edge on one side"
            )
        self.job.start(
            compare_maps,
            workspace.stacks,
            names,
            (self._map(names[0]), self._map(names[1])),
            workspace.thickness,
            on_done=self._on_compared,
            text="mutual information",
        )

    @guarded
    def show_layer(self) -> None:
        """Label every pixel by its significant pair, with the table of pairs."""
        from napari_phasemap.core.bonds.co_occurrence import co_occurrence_map

        compared = self._result()
        pairs = co_occurrence_map(
            compared.pairs,
            *compared.maps,
            alpha=self.alpha.value(),
            depleted=self.depleted.isChecked(),
        )
        if not pairs.names:
            raise InputError(
                f"no pair of {compared.names[0]} and {compared.names[1]} has a "
                f"family-wise p below {self.alpha.value():g}; the smallest is "
                f"{np.nanmin(compared.pairs.p_family):.3g}"
            )
        kind = Kind(f"{PAIRS} {compared.names[0]} & {compared.names[1]}")
        names = pairs.names[:MOST_PAIRS]
        labels = np.where(pairs.labels <= MOST_PAIRS, pairs.labels, 0)
        about = {"step": pairs.method, "parameters": dict(pairs.parameters)}
        results = self.link.results
        results.put(kind, Classes(labels, names, pairs.colors[:MOST_PAIRS], about))
        table = pair_table(compared.pairs, names)
        for layer in results.layers(kind):
            layer.features = table

    @guarded
    def export(self) -> None:
        """Ask for a file and write the table of pairs."""
        self._result()
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the table of pairs", "", "Comma-separated values (*.csv)"
        )
        if path:
            self.save(Path(path), overwrite=True)

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the table of pairs."""
        self._result().pairs.to_csv(path, overwrite=overwrite)
        self.tell(f"Saved {path}")

    def select_pair(self, a: int, b: int) -> None:
        """Select the pixels of a pair of classes, 0 for absent."""
        compared = self.compared
        if compared is None or self._is_stale(compared):
            self.tell("The classes have changed; press Compare again.")
            return
        pixels = (compared.maps[0].labels == a) & (compared.maps[1].labels == b)
        self.workspace.select(pixels, "select pair")
        self.chosen.setText(describe_pair(compared.pairs, a, b))

    # ---- Following the workspace ----

    def _on_compared(self, compared: Compared) -> None:
        self.compared = compared
        self.summary.setText(describe(compared))
        self.chosen.setText("Click a cell: its pixels light up in image and scatter.")
        self._draw()
        self._on_state()

    def _on_edges(self, *_: Any) -> None:
        names = list(self.workspace.edges)
        others = [*names, THICKNESS_BINS] if self.workspace.thickness else names
        for box, listed in ((self.first, names), (self.second, others)):
            before = box.currentText()
            box.blockSignals(True)
            box.clear()
            box.addItems(listed)
            box.setCurrentIndex(listed.index(before) if before in listed else -1)
            box.blockSignals(False)
        if names and self.first.currentIndex() < 0:
            self.first.setCurrentIndex(0)
        if others and self.second.currentIndex() < 0:
            self.second.setCurrentIndex(min(1, len(others) - 1))
        if self.compared is not None and self.workspace.stacks is None:
            self.compared = None
        self._draw()
        self._on_state()

    def _on_state(self) -> None:
        n_maps = self.second.count()
        if not self.workspace.edges:
            hint = "Analyze edges in Plugins > Phase map > EELS classes first."
        elif n_maps < 2:
            hint = "Analyze a second edge, or measure the thickness, to compare."
        elif self.compared is None:
            hint = "Choose two edges and press Compare."
        elif self._is_stale(self.compared):
            hint = "The classes have changed since: press Compare again."
        else:
            hint = "Click a cell; make a layer of the significant pairs."
        self.set_hint(hint)

    def _is_stale(self, compared: Compared) -> bool:
        """Whether the maps are not those of the workspace any more."""
        try:
            now = [self._map(name) for name in compared.names]
        except InputError:
            return True
        return any(
            not np.array_equal(new.labels, old.labels) or new.names != old.names
            for new, old in zip(now, compared.maps, strict=True)
        )

    def _map(self, name: str) -> PhaseMap:
        if name == THICKNESS_BINS and self.workspace.thickness is not None:
            from napari_phasemap.core.eels.thickness import thickness_bins

            return thickness_bins(self.workspace.thickness)
        if name not in self.workspace.edges:
            raise InputError(f"there is no edge {name!r}; choose two and press Compare")
        return self.workspace.edges[name].classes

    def _result(self) -> Compared:
        if self.compared is None:
            raise InputError("nothing is compared yet; choose two edges, press Compare")
        if self._is_stale(self.compared):
            raise InputError("the classes have changed since; press Compare again")
        return self.compared

    def _draw(self, *_: Any) -> None:
        if self.compared is None:
            self.plot.set_empty("Press Compare to see which classes share pixels.")
            self.summary.setText("")
            self.chosen.setText("")
            return
        self.plot.show_pairs(
            self.compared.pairs,
            self.compared.names,
            value=self.value.currentData(),
            alpha=self.alpha.value(),
        )

    # ---- Controls ----

    def _make_controls(self) -> QGridLayout:
        grid = QGridLayout()
        for box in (self.first, self.second, self.value):
            box.setMinimumContentsLength(6)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        compare_button = QPushButton("Compare")
        compare_button.setToolTip(
            "Mutual information against all shifts of one map over the other, which "
            "keeps the maps' own spatial structure."
        )
        compare_button.clicked.connect(self.compare)
        self.alpha.setRange(0.001, 0.5)
        self.alpha.setDecimals(3)
        self.alpha.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.alpha.setMaximumWidth(90)
        self.alpha.setSingleStep(0.01)
        self.alpha.setValue(0.01)
        self.alpha.setPrefix("p < ")
        self.alpha.setToolTip("Largest family-wise p of a significant pair.")
        self.value.setToolTip("What the colors of the heat map show.")
        for column, widget in enumerate((self.first, self.second, compare_button)):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.value, 1, 0, 1, 2)
        grid.addWidget(self.alpha, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _make_buttons(self) -> QVBoxLayout:
        layout = QVBoxLayout()
        row = QHBoxLayout()
        for text, tip, slot in (
            (
                "Make layer",
                "A label per significant pair; the layer's features hold the table.",
                self.show_layer,
            ),
            ("Save table…", "All pairs as CSV.", self.export),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            row.addWidget(button)
        layout.addWidget(self.depleted)
        layout.addLayout(row)
        return layout
