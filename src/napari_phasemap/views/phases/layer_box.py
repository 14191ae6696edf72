"""Which layers of results are shown.

* `LayerBox`: a check box per kind, and a menu of the phases for one more layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QCheckBox, QGroupBox, QMenu, QPushButton, QVBoxLayout

from napari_phasemap.views.shell.kinds import (
    AMBIGUITY,
    PHASE,
    RELIABILITY,
    SHADED,
    correlation,
)
from napari_phasemap.views.shell.probability_kinds import (
    BY_PROBABILITY,
    CONTRADICTED,
    PROBABILITY,
    probability_of,
)
from napari_phasemap.workspace import PEARSON, POSTERIOR

if TYPE_CHECKING:
    from qtpy.QtGui import QAction

    from napari_phasemap.views.shell.kinds import Kind
    from napari_phasemap.views.shell.link import ViewerLink

__all__ = ["LayerBox"]

BOTH = (PEARSON, POSTERIOR)
#: Layers on demand: kind, methods, text of the check box, tool tip.
LAYERS = (
    (
        PHASE,
        BOTH,
        "phase",
        "The phase with the highest r, or the most probable one, in its color.",
    ),
    (
        AMBIGUITY,
        BOTH,
        "ambiguity",
        "Gray where Q1 - Q2, or the probability, is below the slider.",
    ),
    (RELIABILITY, (PEARSON,), "reliability", "R = 100 (Q1 - Q2), bright is reliable."),
    (
        SHADED,
        (PEARSON,),
        "reliability as brightness",
        "Phase colors, as bright as the pixel is reliable.",
    ),
    (
        PROBABILITY,
        (POSTERIOR,),
        "probability",
        "How probable the phase of a pixel is: 1 is white.",
    ),
    (
        BY_PROBABILITY,
        (POSTERIOR,),
        "probability as brightness",
        "Phase colors, as bright as the phase is probable.",
    ),
    (
        CONTRADICTED,
        (POSTERIOR,),
        "contradicts Pearson",
        "Pixels that are unambiguous by Pearson and have another phase here.",
    ),
)


class LayerBox(QGroupBox):
    """Shows and hides layers; follows those that a person deleted."""

    def __init__(self, link: ViewerLink) -> None:
        super().__init__("Layers")
        self._link = link
        layout = QVBoxLayout(self)
        self.boxes: dict[Kind, QCheckBox] = {}
        for kind, _, text, tip in LAYERS:
            check = QCheckBox(text)
            check.setToolTip(tip)
            check.setChecked(kind in (PHASE, AMBIGUITY))
            check.toggled.connect(lambda on, k=kind: self.set_layer(k, on))
            self.boxes[kind] = check
            layout.addWidget(check)
        self.actions: dict[Kind, QAction] = {}
        self.each = QPushButton()
        self.each.setToolTip("One phase at a time, in one layer.")
        layout.addWidget(self.each)
        self.follow_method()

    def set_layer(self, kind: Kind, wanted: bool) -> None:
        """Show or remove the layers of a kind."""
        results = self._link.results
        if not wanted:
            results.hide(kind)
            return
        results.show(kind)
        for layer in results.layers(kind):
            layer.visible = True  # the eye may have been closed

    def show_wanted(self) -> None:
        """Show the layers whose boxes are checked, the phases at least."""
        method = self._link.workspace.method
        wanted = [
            kind
            for kind, methods, *_ in LAYERS
            if method in methods and self.boxes[kind].isChecked()
        ]
        self._link.results.show(*(wanted or [PHASE]))

    def follow(self, *_: Any) -> None:
        """Follow layers that were deleted or hidden by hand, or show another kind."""
        workspace, results = self._link.workspace, self._link.results
        if workspace.phase_map is None and workspace.posterior is None:
            return
        for kind, box in (*self.boxes.items(), *self.actions.items()):
            box.blockSignals(True)
            box.setChecked(results.is_seen(kind))
            box.blockSignals(False)

    def follow_method(self, *_: Any) -> None:
        """Offer the layers of the method, and each of its phases for another."""
        workspace, kinds = self._link.workspace, self._link.results.kinds()
        for kind, methods, *_rest in LAYERS:
            self.boxes[kind].setVisible(workspace.method in methods)
        posterior = workspace.shown_map == POSTERIOR
        phases = workspace.posterior if posterior else workspace.phase_map
        menu = QMenu(self.each)
        self.actions.clear()
        for name in () if phases is None else phases.names:
            kind = probability_of(name) if posterior else correlation(name)
            self.actions[kind] = action = menu.addAction(kind.name)
            action.setCheckable(True)
            action.setChecked(kind in kinds)
            action.toggled.connect(lambda on, k=kind: self.set_layer(k, on))
        self.each.setText("probability of" if posterior else "correlation r with")
        before = self.each.menu()
        self.each.setMenu(menu)
        if before is not None:
            before.deleteLater()
        self.each.setEnabled(phases is not None)
