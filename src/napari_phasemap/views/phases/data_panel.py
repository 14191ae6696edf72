"""From files to optical density: the first dock.

* `DataPanel`: opens stacks, converts counts to optical density, masks the background.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.prepare.prepare import PixelSource, keep_pixels, to_density
from napari_phasemap.views.phases.arrangement_box import ArrangementBox
from napari_phasemap.views.phases.choices import I0Choice, MaskChoice
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.opening import open_paths, stack_files
from napari_phasemap.workspace.steps import analyze

if TYPE_CHECKING:
    import napari.viewer
    from numpy.typing import NDArray

    from napari_phasemap.core.data.progress import OnProgress
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.prepare.prepare import I0Source
    from napari_phasemap.workspace import Workspace

__all__ = ["DataPanel"]

ANALYZED = 1
COLUMNS = ("stack", "analyzed", "file holds", "rows x cols", "energies (eV)")


class DataPanel(Dock):
    """Lists the open stacks and prepares them for the analysis.

    Writes `workspace.sources` (by opening layers) and `workspace.stacks`.
    """

    title = "Data"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.body.addLayout(self._make_open_row())
        self._list = self._make_list()
        self.body.addWidget(self._list)
        self.arrangement = ArrangementBox(self.link)
        self.listen(self.link.places.changed, self.arrangement.follow)
        self.body.addWidget(self.arrangement)
        self.body.addWidget(self._make_reading())
        self._i0 = I0Choice(self.viewer, self.link)
        self._mask = MaskChoice(self.viewer, self.link)
        self.body.addWidget(self._make_step("Optical density", self._i0, self.convert))
        self.body.addWidget(self._make_step("Analyzed pixels", self._mask, self.mask))
        self.body.addStretch(1)
        events = self.workspace.events
        self.listen(events.sources, self._on_sources)
        self.listen(events.stacks, self._on_change)
        self._on_sources(self.workspace.sources)

    # ---- What a user does ----

    def open_files(self) -> None:
        """Ask for files and open them."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Open stacks", "", stack_files())
        if paths:
            self.open_paths([Path(path) for path in paths])

    def open_paths(self, paths: list[Path]) -> None:
        """Read files beside the window and show them; one that fails stops no other."""
        failures: list[Exception] = []
        self.job.start(
            open_paths,
            paths,
            energies=self._energies.text().strip() or None,
            detector=self._detector.text().strip() or None,
            failures=failures,
            on_done=lambda stacks: self._on_read(stacks, failures),
            text="reading",
        )

    def open_sample(self) -> None:
        """Open the sample particles as they come from the microscope."""
        from napari_phasemap.io.samples import sample_paths

        self.open_paths(sample_paths())

    @guarded
    def convert(self) -> None:
        """Convert the checked stacks to optical density."""
        stacks = self.checked()
        if not stacks:
            raise InputError(
                "no stack is checked; open a file or check one in the list"
            )
        jobs = [
            (s, self._i0.source(s) if s.quantity == "counts" else None) for s in stacks
        ]
        self.job.start(
            to_densities, jobs, on_done=self._on_density, text="optical density"
        )

    @guarded
    def mask(self) -> None:
        """Mask the stacks under analysis; what is left keeps its results."""
        stacks = self.workspace.stacks
        if stacks is None:
            raise InputError(
                "there is no optical density yet; convert the stacks first, then "
                "choose the pixels"
            )
        own = {source.name: source.mask for source in self.workspace.sources}
        jobs = [(s, self._mask.source(s), own.get(s.name)) for s in stacks]
        self.job.start(masked, jobs, on_done=self._on_masked, text="masking")

    def checked(self) -> list[SpectralStack]:
        """Return the checked stacks in the order of the list."""
        return [
            stack
            for stack, item in zip(self.workspace.sources, self._items(), strict=True)
            if item.checkState(0) == Qt.CheckState.Checked
        ]

    # ---- Following the workspace ----

    def _on_sources(self, sources: tuple[SpectralStack, ...]) -> None:
        unchecked = {
            item.text(0)
            for item in self._items()
            if item.checkState(0) != Qt.CheckState.Checked
        }
        self._list.clear()
        for stack in sources:
            energies = "none"
            if stack.n_energies:
                low, high = stack.energy[0], stack.energy[-1]
                energies = f"{stack.n_energies}: {low:g}-{high:g}"
            rows, cols = stack.shape
            holds = stack.quantity.replace("_", " ")
            item = QTreeWidgetItem(
                [stack.name, "", holds, f"{rows} x {cols}", energies]
            )
            state = Qt.CheckState.Checked
            if stack.name in unchecked or stack.n_energies < 2:
                state = Qt.CheckState.Unchecked
            item.setCheckState(0, state)
            item.setToolTip(0, "\n".join([repr(stack), *stack.history]))
            self._list.addTopLevelItem(item)
        for column in range(len(COLUMNS)):
            self._list.resizeColumnToContents(column)
        self._analyze_densities(sources)
        self._on_change()

    def _analyze_densities(self, sources: tuple[SpectralStack, ...]) -> None:
        """Analyze stacks that are optical density already without a further click."""
        ready = [s for s in sources if s.quantity == "optical_density"]
        analyzed = self.workspace.stacks
        if not ready or len(ready) != len(sources) or analyzed is not None:
            return
        first = ready[0]
        kept = []
        for stack in ready:
            if np.array_equal(stack.energy, first.energy):
                try:
                    kept.append(keep_pixels(stack, PixelSource("none")))
                except InputError as error:
                    tell_error(error)
        if kept:
            self.workspace.set_stacks(StackSet(kept))

    def _on_change(self, *_: Any) -> None:
        stacks, sources = self.workspace.stacks, self.workspace.sources
        analyzed = {} if stacks is None else {s.name: s for s in stacks}
        # Another dock may hear of sources first and analyze them: this list is older.
        for item in self._items():
            stack = analyzed.get(item.text(0))
            item.setText(
                ANALYZED, "no" if stack is None else f"{stack.n_pixels} pixels"
            )
            self._list.resizeColumnToContents(ANALYZED)
        if not sources:
            hint = "Open your stacks, or the sample particles."
        elif stacks is None:
            hint = "Choose how I0 is found, then convert to optical density."
        elif all(stack.mask.all() for stack in stacks):
            hint = "Mask the background, then open Plugins > Phase map > Phase map."
        else:
            hint = "Ready: open Plugins > Phase map > Phase map and correlate."
        self.set_hint(hint)

    def _on_read(self, stacks: list[SpectralStack], failures: list[Exception]) -> None:
        for error in failures:
            tell_error(error)
        self.link.open_stacks(stacks)
        for stack in stacks:
            missing = stack.energy[stack.missing_frames]
            if missing.size:
                listed = ", ".join(f"{e:g}" for e in missing[:8])
                self.tell(
                    f"{stack.name}: {missing.size} frames are missing and left out "
                    f"({listed} eV)."
                )

    def _on_density(self, stacks: list[SpectralStack]) -> None:
        analyze(self.workspace, StackSet(stacks), "optical density")
        for stack in stacks:
            if stack.history and not stack.mask.all():
                self.tell(f"{stack.name}: {stack.history[-1]}")

    def _on_masked(self, stacks: list[SpectralStack]) -> None:
        analyze(self.workspace, StackSet(stacks), "mask")
        for stack in stacks:
            warning = stack.history[-2] if len(stack.history) > 1 else ""
            if warning.startswith("warning: the mask"):
                self.tell(warning)

    # ---- Controls ----

    def _make_open_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for text, slot in (
            ("Open files…", self.open_files),
            ("Open sample", self.open_sample),
            ("Remove", self._remove),
        ):
            button = QPushButton(text)
            button.clicked.connect(slot)
            row.addWidget(button)
        return row

    def _make_list(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels(COLUMNS)
        tree.setRootIsDecorated(False)
        tree.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        tree.setMinimumHeight(110)
        tree.itemDoubleClicked.connect(self._show_again)
        tree.setToolTip("Double-click shows a stack whose layer was deleted.")
        return tree

    def _make_step(self, title: str, choice: QWidget, slot: Any) -> QGroupBox:
        box = QGroupBox(title)
        layout = QVBoxLayout(box)
        layout.addWidget(choice)
        button = QPushButton(choice.action)
        button.clicked.connect(slot)
        layout.addWidget(button)
        return box

    def _make_reading(self) -> QWidget:
        """Return what only some files need, folded away."""
        self._energies = QLineEdit()
        self._energies.setPlaceholderText("text file, for images without energies")
        choose = QPushButton("…")
        choose.setMaximumWidth(32)
        choose.clicked.connect(self._choose_energies)
        row = QHBoxLayout()
        row.addWidget(self._energies)
        row.addWidget(choose)
        self._detector = QLineEdit()
        self._detector.setPlaceholderText("first one")
        self._detector.setToolTip(
            "Name of the detector, for files with several; the history names them."
        )
        form = QFormLayout()
        form.addRow("energies", row)
        form.addRow("detector", self._detector)
        inner = QWidget()
        inner.setLayout(form)
        folded = QCollapsible("Reading options")
        folded.addWidget(inner)
        return folded

    def _choose_energies(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Energies, one per line")
        if path:
            self._energies.setText(path)

    def _items(self) -> list[QTreeWidgetItem]:
        tree = self._list
        return [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]

    def _remove(self) -> None:
        names = [item.text(0) for item in self._list.selectedItems()]
        if not names:
            self.tell("Select the stacks to remove in the list first.")
        self.link.close_stack(*names)

    def _show_again(self, item: QTreeWidgetItem, _: int) -> None:
        self.link.show_stack(item.text(0))


def to_densities(
    jobs: list[tuple[SpectralStack, I0Source | None]], /, *, on_progress: OnProgress
) -> list[SpectralStack]:
    """Convert each stack with its own I0; what holds no counts passes unchanged."""
    done = []
    for number, (stack, source) in enumerate(jobs):
        on_progress(number, len(jobs), f"optical density of {stack.name}")
        done.append(to_density(stack, source))
    return done


def masked(
    jobs: list[tuple[SpectralStack, PixelSource, NDArray[np.bool_] | None]],
    /,
    *,
    on_progress: OnProgress,
) -> list[SpectralStack]:
    """Choose the pixels of each stack within the mask that it was opened with."""
    done = []
    for number, (stack, source, own) in enumerate(jobs):
        on_progress(number, len(jobs), f"masking {stack.name}")
        done.append(keep_pixels(stack, source, own=own))
    return done
