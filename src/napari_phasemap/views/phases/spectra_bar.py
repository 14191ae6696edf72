"""The controls of the Spectra dock: what is shown, against what, and where it goes.

* `Options`: what a person chose. `SpectraBar`: the row of controls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QComboBox, QMenu, QPushButton, QWidget
from superqt import QFlowLayout
from superqt.utils import signals_blocked

from napari_phasemap.core.phases.curves import WAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_phasemap.core.phases.curves import Way

__all__ = ["ACTIONS", "Options", "SpectraBar"]

#: What can be shown: name, shown at first, tool tip.
SHOWN = (
    ("phases", True, "Mean of each phase, band: standard deviation."),
    ("references", False, "As loaded, on the energies of the stacks."),
    ("residual", False, "What the best sum of references leaves, below the plot."),
    ("peaks and edge", False, "Energies of the highest peaks and of the edge, in eV."),
    ("legend", True, "Names inside the plot; drag it where it is in the way."),
)
#: What the buttons do: name, tool tip.
ACTIONS = (
    (
        "Select on image",
        "Draw around pixels on the image (keys Q lasso, W rectangle, G brush): they "
        "and their points in the latent view are selected. Move or delete the shape to "
        "change the selection.",
    ),
    ("Clear", "Select nothing."),
)
#: What is compared: name, tool tip.
PAIR = (
    ("Set A", "Keep the selection as A, to compare with B."),
    ("Set B", "Keep the selection as B, to compare with A."),
)
EXPORTS = ("Save numbers…", "Copy numbers", "Save picture…", "Copy picture")
WAY_TIPS = {
    "as measured": "In the unit of the stacks.",
    "normalized": "Minus mean, over standard deviation: what r compares.",
    "difference": "Minus a spectrum of the list beside, scaled to each curve.",
    "ratio": "Over a spectrum of the list beside, scaled to each curve.",
}


@dataclass(frozen=True)
class Options:
    """What is shown.

    Parameters
    ----------
    phases, references, residual, peaks, legend : bool
        Which parts.
    way : str
        One of `WAYS`.
    against : str
        Name of what curves are compared with.
    compare : bool
        Whether A and B are shown instead.
    """

    phases: bool
    references: bool
    residual: bool
    peaks: bool
    legend: bool
    way: Way
    against: str
    compare: bool


class SpectraBar(QWidget):
    """Wraps where it is narrow.

    `changed` after another choice, `asked` (name) after a button or an export.
    """

    changed = Signal()
    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown = {name: self._toggle(name, on, tip) for name, on, tip in SHOWN}
        self._ways, self._against = _combo(WAYS, 8), _combo((), 9)
        for row, way in enumerate(WAYS):
            self._ways.setItemData(row, WAY_TIPS[way], 3)  # Qt.ToolTipRole
        self._ways.setToolTip("What is plotted of each spectrum.")
        self._against.setToolTip("What difference and ratio compare with.")
        self._against.setVisible(False)
        tip = "Means with standard errors, difference, phases and particles."
        self._compare = self._toggle("Show A and B", False, tip)
        pair = [self._action(name, tip) for name, tip in PAIR]
        row = QFlowLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setHorizontalSpacing(4)
        row.setVerticalSpacing(2)
        row.addWidget(_menu_button("Show", self._shown.values()))
        row.addWidget(self._ways)
        row.addWidget(self._against)
        for name, tip in ACTIONS:
            button = QPushButton(name)
            button.setToolTip(tip)
            button.clicked.connect(partial(self._ask, name))
            row.addWidget(button)
        row.addWidget(_menu_button("Compare", [*pair, self._compare]))
        row.addWidget(_menu_button("Export", [self._action(name) for name in EXPORTS]))
        self._ways.currentTextChanged.connect(self._on_way)
        self._against.currentTextChanged.connect(self._on_changed)

    def options(self) -> Options:
        """Return what is chosen."""
        on = {name: action.isChecked() for name, action in self._shown.items()}
        return Options(
            phases=on["phases"],
            references=on["references"],
            residual=on["residual"],
            peaks=on["peaks and edge"],
            legend=on["legend"],
            way=cast("Way", self._ways.currentText()),
            against=str(self._against.currentText()),
            compare=self._compare.isChecked(),
        )

    def show_part(self, name: str, *, shown: bool = True) -> None:
        """Show "phases", "references", "residual", "peaks and edge" or "legend"."""
        self._shown[name].setChecked(shown)

    def set_way(self, way: Way, against: str = "") -> None:
        """Plot something else of each spectrum."""
        if against:
            self._against.setCurrentText(against)
        self._ways.setCurrentText(way)

    def set_compare(self, compare: bool) -> None:
        """Show A and B instead, or all spectra."""
        self._compare.setChecked(compare)

    def offer(self, standards: Iterable[str]) -> None:
        """Offer other spectra to compare with."""
        names = list(standards)
        if [self._against.itemText(i) for i in range(self._against.count())] == names:
            return
        current = self._against.currentText()
        with signals_blocked(self._against):
            self._against.clear()
            self._against.addItems(names)
            if current in names:
                self._against.setCurrentText(current)

    def _toggle(self, name: str, on: bool, tip: str) -> QAction:
        action = QAction(name, self)
        action.setCheckable(True)
        action.setChecked(on)
        action.setToolTip(tip)
        action.toggled.connect(self._on_changed)
        return action

    def _action(self, name: str, tip: str = "") -> QAction:
        action = QAction(name, self)
        action.setToolTip(tip)
        action.triggered.connect(partial(self._ask, name))
        return action

    def _ask(self, name: str, *_: Any) -> None:
        self.asked.emit(name)

    def _on_way(self, way: str) -> None:
        self._against.setVisible(way in ("difference", "ratio"))
        self.changed.emit()

    def _on_changed(self, *_: Any) -> None:
        self.changed.emit()


def _menu_button(text: str, actions: Iterable[QAction]) -> QPushButton:
    button = QPushButton(text)
    menu = QMenu(button)
    menu.setToolTipsVisible(True)
    menu.addActions(list(actions))
    button.setMenu(menu)
    return button


def _combo(items: Iterable[str], n_letters: int) -> QComboBox:
    combo = QComboBox()
    combo.addItems(list(items))
    combo.setMinimumContentsLength(n_letters)
    combo.setSizeAdjustPolicy(
        QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    return combo
