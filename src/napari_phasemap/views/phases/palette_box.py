"""Other colors for all phases at once.

* `PaletteBox`: a choice of color-blind safe sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QComboBox

from napari_phasemap.core.data.palettes import PALETTES, palette_colors

if TYPE_CHECKING:
    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.workspace import Workspace

__all__ = ["PaletteBox"]

#: Pixels of one color in the list, and how many are shown.
SWATCH, N_SHOWN = 10, 7


class PaletteBox(QComboBox):
    """Writes the maps of the workspace in the colors of a set, as one step."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.setToolTip(
            "Colors of all phases, everywhere; all sets are color-blind safe."
        )
        for name, colors in PALETTES.items():
            self.addItem(_swatches(colors), name)
        self.setIconSize(QSize(SWATCH * N_SHOWN, SWATCH))
        self.activated.connect(self._on_chosen)

    def take(self, name: str) -> None:
        """Give all phases the colors of a set."""
        changes: dict[str, PhaseMap] = {}
        for field in ("phase_map", "resolved", "posterior"):
            phases: PhaseMap | None = getattr(self._workspace, field)
            if phases is not None:
                changes[field] = phases.with_colors(
                    palette_colors(name, phases.n_phases)
                )
        self._workspace.apply(f"colors {name}", **changes)

    def _on_chosen(self, row: int) -> None:
        self.take(self.itemText(row))


def _swatches(colors: tuple[str, ...]) -> QIcon:
    """Return the first colors of a set side by side."""
    pixels = QPixmap(SWATCH * N_SHOWN, SWATCH)
    pixels.fill(QColor("transparent"))
    painter = QPainter(pixels)
    for number, color in enumerate(colors[:N_SHOWN]):
        painter.fillRect(number * SWATCH, 0, SWATCH, SWATCH, QColor(color))
    painter.end()
    return QIcon(pixels)
