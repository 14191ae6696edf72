"""What tells two selections apart, in numbers.

* `CompareBox`: pixels, phases and particles of A and B.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_phasemap.core.phases.comparing import SelectionComparison

__all__ = ["CompareBox"]

WIDTH = 190


class CompareBox(QTreeWidget):
    """A table with one column for A and one for B, in per cent of their pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.setRootIsDecorated(False)
        self.setHeaderLabels(["", "A", "B"])
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setMinimumWidth(150)
        self.setMaximumWidth(WIDTH)

    def show_comparison(self, found: SelectionComparison | None) -> None:
        """Show other numbers, or none."""
        self.clear()
        if found is None:
            return
        self._add("pixels", [f"{count}" for count in found.n_pixels])
        if found.n_common:
            self._add("in both", [f"{found.n_common}", ""])
        self._add_shares(found, found.phase_names, found.phases, "phases, %")
        if len(found.particle_names) > 1:
            self._add_shares(
                found, found.particle_names, found.particles, "particles, %"
            )

    def _add_shares(
        self,
        found: SelectionComparison,
        names: Sequence[str],
        counts: NDArray[np.int64],
        title: str,
    ) -> None:
        shares = found.shares(counts)
        rows = [i for i in range(len(names)) if counts[:, i].any()]
        if rows:
            self._add(title, ["", ""], bold=True)
        for i in rows:
            self._add(names[i], [f"{share:.1f}" for share in shares[:, i]])

    def _add(self, name: str, values: Sequence[str], *, bold: bool = False) -> None:
        item = QTreeWidgetItem([name, *values])
        item.setToolTip(0, name)
        for column in (1, 2):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        if bold:
            font = item.font(0)
            font.setBold(True)
            item.setFont(0, font)
        self.addTopLevelItem(item)
