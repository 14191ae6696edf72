"""Whether the references fit the measurement, and what is corrected.

* `ReportBox`: a `ReferenceReport` in sentences; each correction can be accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from napari_phasemap.core.phases.reference_check import ReferenceReport
    from napari_phasemap.workspace import Workspace

__all__ = ["RECALIBRATE", "ReportBox"]

#: How the step of the history begins.
RECALIBRATE = "recalibrate"

PER_PARTICLE_TIP = (
    "Give every particle its own error of I0: right where each has its own I0."
)


class ReportBox(QWidget):
    """Asks for a check and shows its report; `applied` once corrections were taken.

    Writes `workspace.stacks` and `references`, as one step that can be undone.
    """

    asked = Signal()
    applied = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._report: ReferenceReport | None = None
        self._boxes: dict[str, QCheckBox] = {}
        self.check = QPushButton("Check references")
        self.check.setToolTip(
            "Fit energy shift, stray light, baseline and I0 errors on sure pixels, and "
            "say what each would change. Nothing is changed before you accept it."
        )
        self.per_particle = QCheckBox("I0 per particle")
        self.per_particle.setToolTip(PER_PARTICLE_TIP)
        self.apply = QPushButton("Apply checked")
        self.undo = QPushButton("Undo")
        self.undo.setToolTip("Take the corrections back, with the maps of before.")
        self._said = QVBoxLayout()
        self._said.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widgets in ((self.check, self.per_particle), (self.apply, self.undo)):
            row = QHBoxLayout()
            for widget in widgets:
                row.addWidget(widget)
            layout.addLayout(row)
            if widgets[0] is self.check:
                layout.addLayout(self._said)
        self.check.clicked.connect(self.asked)
        self.clear()

    def show_report(self, report: ReferenceReport) -> None:
        """Show what was found; what is suggested is checked."""
        self.clear()
        self._report = report
        for correction, text in zip(report.corrections, report.sentences, strict=True):
            if not correction.significant:
                self._say(text)
                continue
            row = QHBoxLayout()
            box = QCheckBox()
            box.setChecked(correction.name in report.suggested)
            box.setToolTip(f"Correct the {correction.name}.")
            self._boxes[correction.name] = box
            row.addWidget(box)
            row.addWidget(_label(text), 1)
            self._said.addLayout(row)
        for warning in report.warnings:
            self._say(f"Caution: {warning}")
        self.apply.setVisible(bool(self._boxes))

    def clear(self) -> None:
        """Forget the report: it is about other stacks or references."""
        self._report = None
        self._boxes = {}
        _empty(self._said)
        self.apply.setVisible(False)
        self.undo.setVisible(False)

    def apply_accepted(self) -> None:
        """Take the checked corrections, as a step of the history.

        Raises
        ------
        InputError
            If none is checked, or stacks or references are others by now.
        """
        report, workspace = self._report, self._workspace
        accepted = [name for name, box in self._boxes.items() if box.isChecked()]
        if report is None or not accepted:
            raise InputError("no correction is checked; check those to apply")
        same = report.stacks is workspace.stacks
        if not same or report.references is not workspace.references:
            raise InputError(
                "stacks or references changed after the check; press 'Check references'"
            )
        stacks, references = report.apply(accepted)
        text = f"{RECALIBRATE}: {', '.join(accepted)}"
        workspace.recalibrate(stacks, references, text)
        self.clear()
        self._say(f"Applied: {', '.join(accepted)}.")
        self.undo.setVisible(True)
        self.applied.emit()

    def _say(self, text: str) -> None:
        self._said.addWidget(_label(text))


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _empty(layout: QVBoxLayout | QHBoxLayout) -> None:
    """Remove everything in a layout."""
    while layout.count():
        item = layout.takeAt(0)
        if item.widget() is not None:
            item.widget().deleteLater()
        elif item.layout() is not None:
            _empty(item.layout())
