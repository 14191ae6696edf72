"""What the latent space says about ambiguous pixels: the lower half of the dock.

* `ResolveBox`: method, scope, the table of changes and how far methods agree.
"""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from napari_phasemap.core.latent.methods import ASSIGNMENTS
from napari_phasemap.views.widgets.change_view import ChangeView

if TYPE_CHECKING:
    from napari_phasemap.pipeline.resolving import Resolved

__all__ = ["ResolveBox"]


class ResolveBox(QGroupBox):
    """Shows the choice of method and what came of it; the dock connects the buttons."""

    def __init__(self) -> None:
        super().__init__("Resolve ambiguity")
        layout = QVBoxLayout(self)
        form = QFormLayout()
        self._method = QComboBox()
        for number, (method, row) in enumerate(ASSIGNMENTS.items()):
            self._method.addItem(row.text, method)
            tip = Qt.ItemDataRole.ToolTipRole
            self._method.setItemData(number, row.summary, tip)
        shortened = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self._method.setSizeAdjustPolicy(shortened)
        self._all = QCheckBox("re-assign all pixels")
        self._all.setToolTip("To see false positives of the correlation (Fig. S6b).")
        form.addRow("by", self._method)
        layout.addLayout(form)
        layout.addWidget(self._all)
        self.expect = QLabel("")
        self.expect.setWordWrap(True)
        layout.addWidget(self.expect)
        self.use_posterior = QPushButton("Use probabilities instead")
        self.use_posterior.setToolTip(
            "Let the noise, mixtures and neighbors tell the phases: method Posterior "
            "of the Phase map dock."
        )
        layout.addWidget(self.use_posterior)
        row = QHBoxLayout()
        self.run = QPushButton("Resolve ambiguity")
        self.select = QPushButton("Select disagreement")
        self.select.setToolTip(
            "Select the unambiguous pixels that lie in the latent cluster of another "
            "phase; also shown as a layer."
        )
        self.select.setEnabled(False)
        row.addWidget(self.run)
        row.addWidget(self.select)
        layout.addLayout(row)
        self._text = QLabel("")
        self._text.setWordWrap(True)
        layout.addWidget(self._text)
        self._table = ChangeView()
        layout.addWidget(self._table)

    def value(self) -> dict[str, str]:
        """Return method and scope."""
        scope = "all" if self._all.isChecked() else "ambiguous"
        return {"method": str(self._method.currentData()), "scope": scope}

    def show_result(self, resolved: Resolved, chance: float = nan) -> None:
        """Say how much changed and how far methods agree.

        Parameters
        ----------
        resolved : Resolved
            What came of it.
        chance : float, default=NaN
            How often it is right by the probabilities, where they are known.
        """
        text = str(resolved)
        if not isnan(chance):
            text += (
                f" By their probabilities the ambiguous pixels are now right in "
                f"{100 * chance:.0f} % of the cases."
            )
        self._text.setText(text)
        self.select.setEnabled(bool(resolved.disagreement.any()))
        self._table.show_table(resolved.table)

    def clear(self) -> None:
        """Forget the last result."""
        self._text.setText("")
        self._table.setVisible(False)
        self.select.setEnabled(False)
