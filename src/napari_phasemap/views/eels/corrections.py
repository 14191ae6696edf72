"""What is put right in the analyzed image before its edges are run.

* `Corrections`: spikes and the energy axis, on the Image page of the EELS dock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.eels.corrections import (
    ONSET_REACH,
    Corrected,
    calibrated,
    despiked,
)
from napari_phasemap.core.eels.recipe import EDGES
from napari_phasemap.views.shell.dock import guarded
from napari_phasemap.workspace.steps import analyze

if TYPE_CHECKING:
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.views.shell.job import JobRow
    from napari_phasemap.workspace import Workspace

__all__ = ["Corrections"]


class Corrections(QGroupBox):
    """Puts corrected stacks into `workspace.stacks`, a line of history each."""

    def __init__(self, workspace: Workspace, job: JobRow) -> None:
        super().__init__("Corrections")
        self.workspace = workspace
        self.job = job
        layout = QVBoxLayout(self)
        self._spikes = QPushButton("Remove spikes")
        self._spikes.setToolTip(
            "Replaces counts that stand out by 10 standard deviations from their "
            "spectrum and from the pixels around them."
        )
        self._spikes.clicked.connect(self.remove_spikes)
        self.edge = QComboBox()
        self.edge.setToolTip("A known edge; its energy is where it belongs.")
        self.measured = QDoubleSpinBox()
        self.measured.setDecimals(2)
        self.measured.setSuffix(" eV")
        self.measured.setSpecialValueText("automatic")
        self.measured.setToolTip(
            "Where the edge begins in the data now. 'automatic' takes the steepest "
            f"rise within {ONSET_REACH:g} eV of where it belongs."
        )
        self._calibrate = QPushButton("Calibrate energy")
        self._calibrate.setToolTip("Moves the energies; no count is changed.")
        self._calibrate.clicked.connect(self.calibrate)
        short = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.edge.setMinimumContentsLength(8)
        self.edge.setSizeAdjustPolicy(short)
        form = QFormLayout()
        form.addRow("known edge", self.edge)
        form.addRow("is now at", self.measured)
        row = QHBoxLayout()
        row.addWidget(self._spikes)
        row.addWidget(self._calibrate)
        layout.addLayout(form)
        layout.addLayout(row)
        self.set_stacks(workspace.stacks)

    def set_stacks(self, stacks: StackSet | None) -> None:
        """Offer the edges that lie on the axis."""
        before = self.edge.currentText()
        self.edge.clear()
        low = high = 0.0
        if stacks is not None:
            low, high = float(stacks[0].energy[0]), float(stacks[0].energy[-1])
        names = [name for name, onset in EDGES.items() if low < onset < high]
        for name in names:
            self.edge.addItem(f"{name}  {EDGES[name]:g} eV", name)
        if before in [self.edge.itemText(i) for i in range(len(names))]:
            self.edge.setCurrentText(before)
        # The lowest value stands for "automatic".
        self.measured.setRange(max(low, 0.0), max(high, 0.0))
        self.measured.setValue(self.measured.minimum())
        self._spikes.setEnabled(stacks is not None)
        for control in (self.edge, self.measured, self._calibrate):
            control.setEnabled(bool(names))

    @guarded
    def remove_spikes(self) -> None:
        """Replace spikes by what is around them."""
        self.job.start(
            despiked,
            self._stacks(),
            on_done=self._set_corrected,
            text="spikes",
        )

    @guarded
    def calibrate(self) -> None:
        """Move the energies so that the chosen edge lies where it belongs."""
        automatic = self.measured.value() <= self.measured.minimum()
        self.job.start(
            calibrated,
            self._stacks(),
            self.edge.currentData(),
            None if automatic else self.measured.value(),
            on_done=self._set_corrected,
            text="energies",
        )

    def _stacks(self) -> StackSet:
        if self.workspace.stacks is None:
            raise InputError("no image is analyzed yet; press 'Analyze this image'")
        return self.workspace.stacks

    def _set_corrected(self, corrected: Corrected) -> None:
        if self.workspace.stacks is not corrected.before:
            show_info("The image changed meanwhile; do it again.")
            return
        if corrected.changed:
            analyze(self.workspace, corrected.after, "correct the image")
        show_info(corrected.words)
