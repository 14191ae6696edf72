"""Which method tells the phases, and from where on a pixel is called unclear.

* `MethodBox`: Pearson or posterior, its options, its button and its slider.
"""

from __future__ import annotations

from textwrap import fill
from time import monotonic
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)
from superqt import QLabeledDoubleSlider
from superqt.utils import signals_blocked

from napari_phasemap.core.data.parameters import parameters_of
from napari_phasemap.core.phases.posterior import posterior_map
from napari_phasemap.workspace import PEARSON, POSTERIOR
from napari_phasemap.workspace.steps import set_level, set_threshold

if TYPE_CHECKING:
    from napari_phasemap.workspace import Workspace

__all__ = ["MethodBox"]

#: Largest threshold of the slider, more where the references differ by more; the
#: paper uses 0.005.
MAX_THRESHOLD = 0.05
#: Smallest and largest probability below which a pixel is undecided.
LEVELS = 0.2, 0.999
#: Seconds within which moves of a slider are one step to take back.
SAME_DRAG = 0.8
#: Letters in a line of a tool tip.
TIP_WIDTH = 72
METHODS = (
    (
        PEARSON,
        "Pearson (paper)",
        "Pearson's r with each reference; the paper's method.",
    ),
    (
        POSTERIOR,
        "Posterior",
        "A probability for each phase from the noise, mixtures and neighbors; pixels "
        "that fit no reference are unknown.",
    ),
)
RUN_TEXTS = {PEARSON: "Correlate", POSTERIOR: "Compute probabilities"}


class MethodBox(QGroupBox):
    """Writes `workspace.method`, `threshold` and `level`; `asked` to compute a map."""

    asked = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("Phases")
        self._workspace = workspace
        self.method = QComboBox()
        for number, (name, text, tip) in enumerate(METHODS):
            self.method.addItem(text, name)
            self.method.setItemData(
                number, fill(tip, TIP_WIDTH), Qt.ItemDataRole.ToolTipRole
            )
        self.run = QPushButton(RUN_TEXTS[PEARSON])
        self.threshold, self.level = _slider(0.0005), _slider(0.01)
        self.threshold.setRange(0.0, MAX_THRESHOLD)
        self.threshold.setToolTip(
            "Ambiguous where Q1 - Q2 is smaller (0.005: R = 0.5)."
        )
        self.level.setRange(*LEVELS)
        self.level.setToolTip("Undecided where the phase is less probable than this.")
        self.propose = QPushButton("Use the closest pair's gap")
        self._what = QLabel()
        self._gap = workspace.threshold
        self._moved = 0.0
        self._options = self._make_options()
        self._lay_out()
        self.threshold.setValue(workspace.threshold)
        self.level.setValue(workspace.level)
        self.method.currentIndexChanged.connect(self._on_chosen)
        self.run.clicked.connect(self.asked)
        self.threshold.valueChanged.connect(self._set_threshold)
        self.level.valueChanged.connect(self._set_level)
        self.propose.clicked.connect(self._use_proposed)
        self.follow()

    def options(self) -> dict[str, bool]:
        """Return the options of the posterior."""
        return {name: box.isChecked() for name, box in self._options.items()}

    def propose_gap(self, first: str, second: str, gap: float) -> None:
        """Offer the gap of the most alike references as threshold."""
        self.propose.setText(f"Use {gap:.4f}")
        self.propose.setToolTip(
            f"{first} and {second} are the most alike: their r differs from 1 by "
            f"{gap:.5f}. A larger threshold calls even pure pixels ambiguous."
        )
        self._gap = gap
        self.threshold.setMaximum(max(MAX_THRESHOLD, 1.2 * gap))

    def follow(self, *_: Any) -> None:
        """Show what the workspace holds."""
        workspace, posterior = self._workspace, self._workspace.method == POSTERIOR
        with signals_blocked(self.method):
            self.method.setCurrentIndex(self.method.findData(workspace.method))
        self.run.setText(RUN_TEXTS[workspace.method])
        self._what.setText(
            "undecided: probability below" if posterior else "ambiguous: Q1 - Q2 below"
        )
        for widget in (self.level, self._row):
            widget.setVisible(posterior)
        for widget in (self.threshold, self.propose):
            widget.setVisible(not posterior)
        for slider, value in (
            (self.threshold, workspace.threshold),
            (self.level, workspace.level),
        ):
            if abs(slider.value() - value) > 1e-9:
                with signals_blocked(slider):  # it rounds
                    slider.setValue(value)

    def _on_chosen(self, _: int) -> None:
        self._workspace.method = str(self.method.currentData())

    def _set_threshold(self, value: float) -> None:
        set_threshold(self._workspace, value, goes_on=self._goes_on())

    def _set_level(self, value: float) -> None:
        set_level(self._workspace, value, goes_on=self._goes_on())

    def _goes_on(self) -> bool:
        """Whether this is the same drag of a slider as the last change."""
        before, self._moved = self._moved, monotonic()
        return self._moved - before < SAME_DRAG

    def _use_proposed(self) -> None:
        set_threshold(self._workspace, round(self._gap, 4))

    def _make_options(self) -> dict[str, QCheckBox]:
        boxes = {}
        # The width of a blur is no yes or no: it is left at its default.
        for one in (p for p in parameters_of(posterior_map) if p.type is bool):
            boxes[one.name] = QCheckBox(one.label)
            boxes[one.name].setChecked(one.default)
            boxes[one.name].setToolTip(fill(one.text, TIP_WIDTH))
        return boxes

    def _lay_out(self) -> None:
        self._row = QWidget()
        row = QHBoxLayout(self._row)
        row.setContentsMargins(0, 0, 0, 0)
        for box in self._options.values():
            row.addWidget(box)
        row.addStretch(1)
        form = QFormLayout()
        form.addRow("Method", self.method)
        layout = QGridLayout(self)
        layout.addLayout(form, 0, 0, 1, 2)
        layout.addWidget(self._row, 1, 0, 1, 2)
        layout.addWidget(self.run, 2, 0, 1, 2)
        layout.addWidget(self._what, 3, 0, 1, 2)
        layout.addWidget(self.threshold, 4, 0)
        layout.addWidget(self.propose, 4, 1)
        layout.addWidget(self.level, 5, 0, 1, 2)
        layout.setColumnStretch(0, 1)


def _slider(step: float) -> QLabeledDoubleSlider:
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setDecimals(4 if step < 0.001 else 3)
    slider.setSingleStep(step)
    return slider
