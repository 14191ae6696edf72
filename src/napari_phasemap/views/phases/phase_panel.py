"""References, correlation and what comes of it: the second dock.

* `PhasePanel`: references, threshold, layers on demand and the table of fractions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
)
from superqt import QLabeledDoubleSlider

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.phases.fractions import FractionTable
from napari_phasemap.views.phases.loading import load_references
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.kinds import (
    AMBIGUITY,
    PHASE,
    RELIABILITY,
    RESOLVED,
    SHADED,
    correlation,
)
from napari_phasemap.views.shell.opening import spectra_files
from napari_phasemap.views.widgets.plot import PlotView

if TYPE_CHECKING:
    import napari.viewer
    from matplotlib.axes import Axes

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.views.shell.kinds import Kind
    from napari_phasemap.workspace import Workspace

__all__ = ["PhasePanel"]

#: Layers on demand: kind, text of the check box, tool tip.
LAYERS = (
    (PHASE, "phase", "The phase with the highest r, in its color."),
    (AMBIGUITY, "ambiguity", "Grey where Q1 - Q2 is below the threshold."),
    (RELIABILITY, "reliability", "R = 100 (Q1 - Q2), bright is reliable."),
    (
        SHADED,
        "reliability as brightness",
        "Phase colors, as bright as the pixel is reliable.",
    ),
)
#: Largest threshold of the slider, more where the references differ by more; the
#: paper uses 0.005.
MAX_THRESHOLD = 0.05


class PhasePanel(Dock):
    """Correlates every pixel with the references and shows what comes of it.

    Writes `workspace.references`, `phase_map` and `threshold`.
    """

    title = "Phase map"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.body.addWidget(self._make_start())
        self.body.addWidget(self._make_references())
        self.body.addWidget(self._make_correlation())
        self.body.addWidget(self._make_layers())
        self.fractions = FractionTable(self.workspace)
        self.body.addWidget(self.fractions)
        self.body.addLayout(self._make_save())
        self.body.addStretch(1)
        events = self.workspace.events
        self.listen(events.references, self._on_references)
        self.listen(events.phase_map, self._on_phase_map)
        self.listen(events.stacks, self._on_state)
        self.listen(events.threshold, self._on_threshold)
        self.listen(self.viewer.layers.events.removed, self._on_layers)
        self.listen(self.link.results.changed, self._on_layers)
        self._on_references(self.workspace.references)
        self._on_phase_map(self.workspace.phase_map)

    # ---- What a user does ----

    def open_sample(self) -> None:
        """Open the sample particles as optical density with their references."""
        from napari_phasemap.views.shell.opening import sample_densities

        self.job.start(sample_densities, on_done=self._on_sample, text="sample")

    def open_references(self) -> None:
        """Ask for reference files and load them."""
        paths, _ = QFileDialog.getOpenFileNames(
            self, "Open reference spectra", "", spectra_files()
        )
        if paths:
            self.load_references([Path(path) for path in paths])

    def load_references(self, paths: list[Path]) -> None:
        """Load references from files, replacing those there are.

        Where the columns of a file are not clear, or mu is computed, they are shown.
        """
        load_references(self, paths, self._set_references)

    @guarded
    def correlate(self) -> None:
        """Correlate all pixels with the references, beside the window."""
        stacks, references = self.workspace.stacks, self.workspace.references
        if stacks is None:
            raise InputError(
                "there is no optical density to correlate; open stacks and convert "
                "them in Plugins > Phase map > Data"
            )
        if references is None:
            raise InputError("there are no reference spectra; press 'Open references…'")
        from napari_phasemap.core.phases.correlation import pearson_map

        self.job.start(
            pearson_map, stacks, references, on_done=self._on_map, text="correlating"
        )

    def set_layer(self, kind: Kind, wanted: bool) -> None:
        """Show or remove the layers of a kind."""
        results = self.link.results
        (results.show if wanted else results.hide)(kind)

    # ---- Following the workspace ----

    def _on_sample(self, stacks: list[Any]) -> None:
        from napari_phasemap.core.data.stack_set import StackSet
        from napari_phasemap.io.samples import sample_references

        self.link.open_stacks(stacks)
        names = [s.name for s in stacks]
        opened = [s for s in self.workspace.sources if s.name in names]
        self.workspace.set_stacks(StackSet(opened))
        self.load_references(sample_references())

    def _set_references(self, references: ReferenceSpectra) -> None:
        self.workspace.references = references
        for first, second in references.indistinguishable_pairs():
            self.tell(
                f"{first} and {second} have the same shape: no threshold can tell them "
                "apart. Remove one of the two."
            )

    def _on_map(self, phases: PhaseMap) -> None:
        old = self.workspace.phase_map
        if old is not None and old.names == phases.names:
            phases = phases.with_colors(old.colors)
        self.workspace.resolved = None
        self.workspace.phase_map = phases
        wanted = [kind for kind, box in self._boxes.items() if box.isChecked()]
        for kind in wanted or [PHASE]:  # inserting a layer sets the boxes
            self.link.results.show(kind)
        if phases.n_unassigned:
            self.tell(
                f"{phases.n_unassigned} pixels are constant or not finite and have no "
                "phase."
            )

    def _on_references(self, references: ReferenceSpectra | None) -> None:
        self._on_state()
        if references is None:
            self._plot.set_empty("No references yet.")
            self._heat.set_empty("No references yet.")
            return
        from napari_phasemap.figures import draw_reference_correlation, draw_references

        def draw(axes: Axes) -> None:
            draw_references(axes, references)
            # In a narrow dock the usual legend would lie over the first peak.
            axes.legend(
                loc="upper left", handlelength=0.8, handletextpad=0.3, borderpad=0.1
            )

        self._plot.draw(draw)
        if len(references) > 1:
            shown = self._at_stack_energies(references)
            self._heat.draw(lambda axes: draw_reference_correlation(axes, shown))
            first, second, gap = shown.closest_pair()
            self._propose.setText(f"Use {gap:.4f}")
            self._propose.setToolTip(
                f"{first} and {second} are the most alike: their r differs from 1 by "
                f"{gap:.5f}. A larger threshold calls even pure pixels ambiguous."
            )
            self._proposed = gap
            self._slider.setMaximum(max(MAX_THRESHOLD, 1.2 * gap))
        self._propose.setEnabled(len(references) > 1)

    def _at_stack_energies(self, references: ReferenceSpectra) -> ReferenceSpectra:
        """Return the references where the stacks were measured, if they cover it."""
        stacks = self.workspace.stacks
        if stacks is None:
            return references
        try:
            return references.resample(stacks.energy)
        except InputError:
            return references

    def _on_phase_map(self, phases: PhaseMap | None) -> None:
        names = () if phases is None else phases.names
        menu = QMenu(self._correlations)
        for name in names:
            kind = correlation(name)
            action = menu.addAction(kind.name)
            action.setCheckable(True)
            action.setChecked(kind in self.link.results.kinds())
            action.toggled.connect(lambda on, k=kind: self.set_layer(k, on))
        self._correlations.setMenu(menu)
        self._correlations.setEnabled(bool(names))
        self._save.setEnabled(phases is not None)
        self._on_state()

    def _on_threshold(self, threshold: float) -> None:
        if abs(self._slider.value() - threshold) > 1e-9:
            self._slider.setValue(threshold)

    def _on_layers(self, *_: Any) -> None:
        """Follow layers that were deleted by hand."""
        kinds = self.link.results.kinds()
        if self.workspace.phase_map is None:
            return
        for kind, box in self._boxes.items():
            box.blockSignals(True)
            box.setChecked(kind in kinds)
            box.blockSignals(False)

    def _on_state(self, *_: Any) -> None:
        workspace = self.workspace
        if workspace.stacks is None and workspace.sources:
            hint = (
                "Convert the stacks to optical density in Plugins > Phase map > Data."
            )
        elif workspace.stacks is None:
            hint = "Open the sample particles here, or your stacks in the Data dock."
        elif workspace.references is None:
            hint = "Open the reference spectra of the phases you expect."
        elif workspace.phase_map is None:
            hint = "Press Correlate."
        else:
            hint = (
                "Move the threshold; open Plugins > Phase map > Spectra to look inside."
            )
        self.set_hint(hint)
        self._start.setVisible(not workspace.sources)

    # ---- Controls ----

    def _make_start(self) -> QPushButton:
        self._start = QPushButton("Open sample particles")
        self._start.setToolTip("Four simulated cathode particles with references.")
        self._start.clicked.connect(self.open_sample)
        return self._start

    def _make_references(self) -> QGroupBox:
        box = QGroupBox("References")
        layout = QVBoxLayout(box)
        button = QPushButton("Open references…")
        button.clicked.connect(self.open_references)
        layout.addWidget(button)
        self._plot = PlotView("No references yet.")
        self._heat = PlotView("No references yet.")
        tabs = QTabWidget()
        tabs.addTab(self._plot, "spectra")
        tabs.addTab(self._heat, "how alike")
        tabs.setMinimumHeight(200)
        layout.addWidget(tabs)
        for plot in (self._plot, self._heat):
            plot.set_theme(self.viewer.theme)
            self.listen(self.viewer.events.theme, plot.on_theme)
        return box

    def _make_correlation(self) -> QGroupBox:
        box = QGroupBox("Correlation")
        layout = QGridLayout(box)
        button = QPushButton("Correlate")
        button.clicked.connect(self.correlate)
        layout.addWidget(button, 0, 0, 1, 2)
        self._slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0.0, MAX_THRESHOLD)
        self._slider.setDecimals(4)
        self._slider.setSingleStep(0.0005)
        self._slider.setValue(self.workspace.threshold)
        self._slider.setToolTip("Ambiguous where Q1 - Q2 is smaller (0.005: R = 0.5).")
        self._slider.valueChanged.connect(self._set_threshold)
        self._propose = QPushButton("Use the closest pair's gap")
        self._propose.clicked.connect(self._use_proposed)
        self._proposed = self.workspace.threshold
        layout.addWidget(self._slider, 1, 0)
        layout.addWidget(self._propose, 1, 1)
        layout.setColumnStretch(0, 1)
        return box

    def _make_layers(self) -> QGroupBox:
        box = QGroupBox("Layers")
        layout = QVBoxLayout(box)
        self._boxes: dict[Kind, QCheckBox] = {}
        for kind, text, tip in LAYERS:
            check = QCheckBox(text)
            check.setToolTip(tip)
            check.setChecked(kind in (PHASE, AMBIGUITY))
            check.toggled.connect(lambda on, k=kind: self.set_layer(k, on))
            self._boxes[kind] = check
            layout.addWidget(check)
        self._correlations = QPushButton("correlation r with")
        layout.addWidget(self._correlations)
        return box

    def _make_save(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self._open = QPushButton("Open results…")
        self._open.setToolTip("results.h5, saved here or by the command line.")
        self._open.clicked.connect(self._ask_results)
        row.addWidget(self._open)
        self._save = QPushButton("Save results…")
        self._save.setToolTip("A folder with results.h5, summary.csv and figures.")
        self._save.clicked.connect(self._ask_folder)
        row.addWidget(self._save)
        return row

    def _set_threshold(self, value: float) -> None:
        self.workspace.threshold = float(value)

    def _use_proposed(self) -> None:
        self.workspace.threshold = round(self._proposed, 4)

    def _ask_results(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open results", "", "Results (*.h5);;All files (*)"
        )
        if path:
            self.open_results(Path(path))

    def open_results(self, path: Path) -> None:
        """Show saved results in place of what is there."""
        from napari_phasemap.views.shell.saving import open_results, show_results

        def show(results: Any) -> None:
            show_results(results, self.link)
            for kind in (PHASE, RESOLVED):
                self.link.results.show(kind)

        self.job.start(open_results, path, on_done=show, text="reading results")

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Save into a new folder inside")
        if folder:
            self.save(Path(folder) / "phasemap_results")

    def save(self, folder: Path, *, overwrite: bool = False) -> None:
        """Write everything there is into a new folder, beside the window."""
        from napari_phasemap.views.shell.saving import results_of, save_workspace

        try:
            results = results_of(self.workspace)
        except InputError as error:
            tell_error(error)
            return
        self.job.start(
            save_workspace,
            results,
            folder,
            overwrite=overwrite,
            on_done=lambda path: self.tell(f"Saved in {path}"),
            text="saving",
        )
