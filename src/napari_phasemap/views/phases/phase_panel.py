"""References, correlation and what comes of it: the second dock.

* `PhasePanel`: references and their check, method, layers on demand and the table of
  fractions.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.phases.fractions import FractionTable
from napari_phasemap.views.phases.layer_box import LayerBox
from napari_phasemap.views.phases.loading import load_references
from napari_phasemap.views.phases.method_box import MethodBox
from napari_phasemap.views.phases.palette_box import PaletteBox
from napari_phasemap.views.phases.reference_table import ReferenceTable
from napari_phasemap.views.phases.trust import Trust
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.kinds import PHASE, RESOLVED
from napari_phasemap.views.shell.maps import ready_to_compare, take_map
from napari_phasemap.views.shell.opening import spectra_files
from napari_phasemap.views.widgets.plot import PlotView
from napari_phasemap.workspace import POSTERIOR
from napari_phasemap.workspace.path import Standing, path_of, saveable
from napari_phasemap.workspace.steps import note_saved, put_references

if TYPE_CHECKING:
    import napari.viewer
    from matplotlib.axes import Axes

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.views.shell.kinds import Kind
    from napari_phasemap.workspace import Workspace

__all__ = ["PhasePanel"]

#: Pixels: a text that wraps makes a scroll area stretch what can be stretched.
PLOT_HEIGHT = 230


def _load_correlation() -> None:
    from napari_phasemap.core.phases.correlation import warm_up

    warm_up()


class PhasePanel(Dock):
    """Compares every pixel with the references and shows what comes of it.

    Writes `workspace.references`, `phase_map`, `posterior`, `method`, `threshold` and
    `level`; `stacks` where a check of the references is applied.
    """

    title = "Phase map"
    load_ahead = staticmethod(_load_correlation)

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.method = MethodBox(self.workspace)
        self.layers = LayerBox(self.link)
        self.trust = Trust(self, self.method, self.layers)
        self.body.addWidget(self._make_start())
        self.body.addWidget(self._make_references())
        self.body.addWidget(self.method)
        self.body.addWidget(self.trust.posterior)
        self.body.addWidget(self.layers)
        self.method.asked.connect(self.compute)
        self.fractions = FractionTable(self.workspace)
        self.body.addWidget(self.fractions)
        self.colors = PaletteBox(self.workspace)
        self.body.addWidget(self.colors)
        self.body.addLayout(self._make_save())
        self.body.addStretch(1)
        events = self.workspace.events
        self.listen(events.references, self._on_references)
        self.listen(events.phase_map, self._on_phase_map)
        for signal in (events.stacks, events.made):
            self.listen(signal, self._on_state)
        self.listen(events.posterior, self._on_method)
        for signal in (events.method, events.threshold, events.level):
            self.listen(signal, self.method.follow)
        self.listen(events.method, self._on_method)
        self.listen(self.viewer.layers.events.removed, self.layers.follow)
        self.listen(self.link.results.changed, self.layers.follow)
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
    def compute(self) -> None:
        """Make the map of the chosen method."""
        if self.workspace.method == POSTERIOR:
            self.trust.compute()
        else:
            self.correlate()

    @guarded
    def correlate(self) -> None:
        """Correlate all pixels with the references, beside the window."""
        stacks, references = ready_to_compare(self.workspace)
        from napari_phasemap.core.phases.correlation import pearson_map

        self.job.start(
            pearson_map,
            stacks,
            references,
            on_done=partial(self._on_map, stacks, references),
            text="correlating",
        )

    def set_layer(self, kind: Kind, wanted: bool) -> None:
        """Show or remove the layers of a kind."""
        self.layers.set_layer(kind, wanted)

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
        put_references(self.workspace, references)
        for first, second in references.indistinguishable_pairs():
            self.tell(
                f"{first} and {second} have the same shape: no threshold can tell them "
                "apart. Remove one of the two."
            )

    def _on_map(
        self, stacks: StackSet, references: ReferenceSpectra, phases: PhaseMap
    ) -> None:
        take_map(self.workspace, stacks, references, phases)
        self.layers.show_wanted()
        if phases.n_unassigned:
            self.tell(
                f"{phases.n_unassigned} pixels are constant or not finite and have no "
                "phase."
            )

    def _on_references(self, references: ReferenceSpectra | None) -> None:
        self._on_state()
        self.trust.report.clear()
        self._table.show_references(references)
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
            self.method.propose_gap(*shown.closest_pair())
        self.method.propose.setEnabled(len(references) > 1)

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
        self._save.setEnabled(phases is not None)
        self._on_method()

    def _on_method(self, *_: Any) -> None:
        self.layers.follow_method()
        self._on_state()

    def _on_state(self, *_: Any) -> None:
        workspace = self.workspace
        (correlated,) = (x for x in path_of(workspace) if x.name == "Correlate")
        stale = correlated.text if correlated.standing == Standing.STALE else ""
        if workspace.stacks is None and workspace.sources:
            hint = (
                "Convert the stacks to optical density in Plugins > Phase map > Data."
            )
        elif workspace.stacks is None:
            hint = "Open the sample particles here, or your stacks in the Data dock."
        elif workspace.references is None:
            hint = "Open the reference spectra of the phases you expect."
        elif workspace.method == POSTERIOR and workspace.posterior is None:
            hint = "Press Compute probabilities."
        elif workspace.phase_map is None:
            hint = "Press Correlate."
        elif stale:
            hint = f"{stale} Press Correlate to make it again."
        else:
            hint = "Move the slider; open Plugins > Phase map > Spectra to look inside."
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
        layout.addWidget(self.trust.report)
        self._plot = PlotView("No references yet.")
        self._heat = PlotView("No references yet.")
        tabs = QTabWidget()
        tabs.addTab(self._plot, "spectra")
        tabs.addTab(self._heat, "how alike")
        self._table = ReferenceTable(self.workspace)
        tabs.addTab(self._table, "table")
        tabs.setFixedHeight(PLOT_HEIGHT)
        layout.addWidget(tabs)
        for plot in (self._plot, self._heat):
            plot.set_theme(self.viewer.theme)
            self.listen(self.viewer.events.theme, plot.on_theme)
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
            self.link.results.show(PHASE, RESOLVED)

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
            on_done=partial(self._on_saved, saveable(self.workspace)),
            text="saving",
        )

    def _on_saved(self, saved: tuple[Any, ...], path: Path) -> None:
        note_saved(self.workspace, saved)
        self.tell(f"Saved in {path}")
