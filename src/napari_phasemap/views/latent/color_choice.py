"""What the colors of the latent space show.

* `ColorChoice`: a list of the colorings that there are. Until a person chooses, the
  one that tells most is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox
from superqt.utils import signals_blocked

from napari_phasemap.views.scatter.colors import PROBABLE, colorings

if TYPE_CHECKING:
    from napari_phasemap.workspace import Workspace

__all__ = ["CLUSTERS", "ColorChoice"]

CLUSTERS = "k-means cluster"
#: The coloring by the map that tells the phases, by its field of the workspace.
TOLD_BY = {"resolved": "resolved phase", "posterior": PROBABLE, "phase_map": "phase"}
#: Colorings that are shown unasked where there is no such map, the first that there is.
TELLING = (CLUSTERS, "intensity")


class ColorChoice(QComboBox):
    """The colorings of a workspace; `currentText` is the one that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._is_chosen = False
        self.setToolTip("What the colors show.")
        self.setMinimumContentsLength(10)
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.activated.connect(self._on_activated)

    def offer(self, workspace: Workspace) -> None:
        """List what there is to color by; a choice that is still there stays."""
        names, current = colorings(workspace), self.currentText()
        if not (self._is_chosen and current in names):
            self._is_chosen = False
            telling = (TOLD_BY[workspace.shown_map], *TELLING)
            current = next((name for name in telling if name in names), names[0])
        listed = [self.itemText(i) for i in range(self.count())]
        if listed == names and current == self.currentText():
            return
        with signals_blocked(self):
            self.clear()
            self.addItems(names)
            self.setCurrentText(current)

    def choose(self, name: str) -> None:
        """Show a coloring as if a person had chosen it, once it is offered."""
        self._is_chosen = True
        self.setCurrentText(name)

    def _on_activated(self, *_: Any) -> None:
        self._is_chosen = True
