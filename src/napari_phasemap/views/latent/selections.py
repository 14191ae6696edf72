"""What to do with the selected pixels.

* `SelectionTab`: change the selection, keep it under a name, turn it into a phase, a
  reference spectrum or an exclusion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.palettes import PALETTE
from napari_phasemap.core.latent.selection import within_mahalanobis
from napari_phasemap.views.shell.dock import guarded
from napari_phasemap.workspace import Selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.views.latent.actions import LatentActions
    from napari_phasemap.workspace import Workspace

__all__ = ["SelectionTab"]

#: Width in pixels that a distance with its buttons needs.
DISTANCE_WIDTH = 104


class SelectionTab(QWidget):
    """Writes `selection`, `selections`, and through them maps, references and masks."""

    def __init__(self, workspace: Workspace, actions: LatentActions) -> None:
        super().__init__()
        self._workspace = workspace
        self._phases, self._distance = QComboBox(), QDoubleSpinBox()
        self._distance.setRange(0.1, 20.0)
        self._distance.setValue(2.0)
        self._distance.setDecimals(1)
        self._distance.setSuffix(" σ")
        self._distance.setFixedWidth(DISTANCE_WIDTH)
        self._target, self._name = QComboBox(), QLineEdit()
        self._target.setEditable(True)
        self._target.setToolTip("A phase of the map, or a new name for a new phase.")
        for combo in (self._phases, self._target):
            combo.setMinimumContentsLength(6)
            combo.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self._name.setPlaceholderText("name")
        self._list = QListWidget()
        self._list.setMinimumHeight(40)
        self._list.setMaximumHeight(90)
        self._list.itemDoubleClicked.connect(self.recall)
        form = QFormLayout(self)
        form.setContentsMargins(2, 2, 2, 2)
        self._undo = self._button("Undo", actions.undo)
        self._redo = self._button("Redo", actions.redo)
        clear = self._button("Clear", actions.clear)
        form.addRow(_row(self._undo, self._redo, clear))
        grow_tip = "Add the clusters of points that the selection touches."
        grow = self._button("Grow to cluster", actions.grow, grow_tip)
        form.addRow(_row(self._button("Invert", actions.invert), grow))
        near_tip = "Pixels within so many standard deviations of a phase."
        near = self._button("Select", self.select_near, near_tip)
        form.addRow(_row(self._distance, self._phases, near))
        form.addRow(
            "assign to", _row(self._target, self._button("Assign", self.assign))
        )
        form.addRow("keep as", _row(self._name, self._button("Keep", self.keep)))
        form.addRow(self._list)
        form.addRow(
            _row(
                self._button("Recall", self.recall, "Select these pixels again."),
                self._button("Remove", self.remove),
            )
        )
        reference_tip = "The mean spectrum becomes a reference under the name above."
        exclude_tip = "Take these pixels out of the analysis; can be undone."
        form.addRow(
            _row(
                self._button("As reference", self.as_reference, reference_tip),
                self._button("Exclude", self.exclude, exclude_tip),
            )
        )
        self.refresh()

    # ---- What a user does ----

    @guarded
    def select_near(self) -> None:
        """Select all pixels within some standard deviations of the chosen phase."""
        workspace, name = self._workspace, str(self._phases.currentText())
        phases, latent = workspace.best_map(), workspace.latent
        if phases is None or latent is None or name not in phases.names:
            raise InputError("an ellipsoid needs a phase map and a latent space")
        members = phases.labels == phases.names.index(name) + 1
        distance = self._distance.value()
        found = within_mahalanobis(latent, members, distance=distance)
        workspace.select(found, f"within {distance:g} sigma of {name}")

    @guarded
    def assign(self) -> None:
        """Give the selected pixels the chosen phase."""
        self._workspace.assign_selection(str(self._target.currentText()).strip())

    @guarded
    def keep(self) -> None:
        """Keep the selection under a name."""
        workspace = self._workspace
        if workspace.selection is None or not workspace.selection.any():
            raise InputError("no pixel is selected; there is nothing to keep")
        used = [s.color for s in workspace.selections]
        color = next((c for c in reversed(PALETTE) if c not in used), PALETTE[-1])
        name = str(self._name.text()).strip()
        name = name or f"selection {len(used) + 1}"
        kept = Selection(name, workspace.selection.copy(), color)
        others = tuple(s for s in workspace.selections if s.name != name)
        workspace.apply(f"keep {name}", selections=(*others, kept))

    @guarded
    def recall(self) -> None:
        """Select the pixels of the marked named selection."""
        kept = self._marked()
        self._workspace.select(kept.pixels.copy(), f"recall {kept.name}")

    @guarded
    def remove(self) -> None:
        """Forget the marked named selection."""
        kept = self._marked()
        others = tuple(s for s in self._workspace.selections if s is not kept)
        self._workspace.apply(f"remove {kept.name}", selections=others)

    @guarded
    def as_reference(self) -> None:
        """Make the mean spectrum of the selection a reference."""
        references = self._workspace.references
        number = 1 if references is None else len(references) + 1
        name = str(self._name.text()).strip() or f"selection {number}"
        self._workspace.add_reference_from_selection(name)

    @guarded
    def exclude(self) -> None:
        """Take the selected pixels out of the analysis."""
        self._workspace.exclude_selection()

    # ---- Following the workspace ----

    def refresh(self, *_: Any) -> None:
        """Show the phases, the named selections and what can be undone."""
        phases, history = self._workspace.best_map(), self._workspace.history
        names = [] if phases is None else list(phases.names)
        for combo in (self._phases, self._target):
            if [combo.itemText(i) for i in range(combo.count())] != names:
                with signals_blocked(combo):
                    text = combo.currentText()
                    combo.clear()
                    combo.addItems(names)
                    if text in names:
                        combo.setCurrentText(text)
        row = self._list.currentRow()
        self._list.clear()
        for kept in self._workspace.selections:
            pixels = QPixmap(12, 12)
            pixels.fill(QColor(kept.color))
            text = f"{kept.name} ({int(kept.pixels.sum())})"
            self._list.addItem(QListWidgetItem(QIcon(pixels), text))
        self._list.setCurrentRow(min(row, self._list.count() - 1))
        for button, steps in (
            (self._undo, history.done),
            (self._redo, history.undone),
        ):
            button.setEnabled(bool(steps))
            button.setToolTip(steps[-1].text if steps else "")

    def _marked(self) -> Selection:
        row = int(self._list.currentRow())
        if not 0 <= row < len(self._workspace.selections):
            raise InputError("no named selection is marked; click one in the list")
        kept: Selection = self._workspace.selections[row]
        return kept

    @staticmethod
    def _button(text: str, slot: Callable[[], None], tip: str = "") -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda: slot())
        return button


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return row
