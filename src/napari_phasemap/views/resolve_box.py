"""What the latent space says about ambiguous pixels: the lower half of the dock.

* `ResolveBox`: method, scope, the table of changes and how far methods agree.
* `resolve`: the step itself, for a job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from napari_phasemap.core.progress import OnProgress, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_phasemap.core.changes import ChangeTable
    from napari_phasemap.core.phasemap import PhaseMap

__all__ = ["METHODS", "ResolveBox", "Resolved", "resolve"]

#: Methods as a user reads them.
METHODS = {
    "mahalanobis": "Mahalanobis distance to the phases' clusters",
    "knn": "nearest neighbors",
    "centroid": "nearest centroid",
    "euclidean": "Euclidean distance to the references",
}


@dataclass(frozen=True, eq=False)
class Resolved:
    """A resolved map with what a user must know to trust it.

    Parameters
    ----------
    phase_map : PhaseMap
        After the chosen method.
    table : ChangeTable
        From which phase to which.
    disagreement : bool ndarray of shape (n_pixels,)
        Unambiguous pixels in the latent cluster of another phase.
    agreement : mapping of str to float
        Share of the ambiguous pixels to which another method gives the same phase.
    n_ambiguous, n_changed : int
        Ambiguous pixels, and how many of them changed.
    """

    phase_map: PhaseMap
    table: ChangeTable
    disagreement: NDArray[np.bool_]
    agreement: Mapping[str, float]
    n_ambiguous: int
    n_changed: int


def resolve(
    latent: NDArray[np.float32],
    markers: Mapping[str, NDArray[np.float32]],
    phases: PhaseMap,
    /,
    *,
    method: str,
    threshold: float,
    scope: str,
    on_progress: OnProgress = ignore_progress,
) -> Resolved:
    """Assign in the latent space by all methods; keep one, compare the others.

    Raises
    ------
    ValueError
        If the method needs the references' coordinates and they are not known.
    """
    from napari_phasemap.core.changes import change_table, disagreement
    from napari_phasemap.core.comparison import all_assignments
    from napari_phasemap.core.latent import LatentSpace

    places = None
    if all(name in markers for name in phases.names):
        places = np.array([markers[name] for name in phases.names])
    maps = all_assignments(
        LatentSpace(latent, places),
        phases,
        threshold=threshold,
        scope=scope,  # type: ignore[arg-type]
        on_progress=on_progress,
    )
    if method not in maps:
        raise ValueError(
            f"{METHODS[method]} needs the references in the latent space; load the "
            "references, then press Apply"
        )
    chosen = maps[method]
    ambiguous = phases.ambiguous(threshold)
    return Resolved(
        phase_map=chosen,
        table=change_table(phases, chosen),
        disagreement=disagreement(phases, chosen, threshold=threshold),
        agreement={
            name: float((other.labels == chosen.labels)[ambiguous].mean())
            for name, other in maps.items()
            if name != method and ambiguous.any()
        },
        n_ambiguous=int(ambiguous.sum()),
        n_changed=int((chosen.labels != phases.labels)[ambiguous].sum()),
    )


class ResolveBox(QGroupBox):
    """Shows the choice of method and what came of it; the dock connects the buttons."""

    def __init__(self) -> None:
        super().__init__("Resolve ambiguity")
        layout = QVBoxLayout(self)
        form = QFormLayout()
        self._method = QComboBox()
        for method, text in METHODS.items():
            self._method.addItem(text, method)
        shortened = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self._method.setSizeAdjustPolicy(shortened)
        self._all = QCheckBox("re-assign all pixels")
        self._all.setToolTip("To see false positives of the correlation (Fig. S6b).")
        form.addRow("by", self._method)
        layout.addLayout(form)
        layout.addWidget(self._all)
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
        self._table = QTableWidget()
        self._table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self._table.verticalHeader().setVisible(False)
        self._table.setVisible(False)
        layout.addWidget(self._table)

    def value(self) -> dict[str, str]:
        """Return method and scope."""
        scope = "all" if self._all.isChecked() else "ambiguous"
        return {"method": str(self._method.currentData()), "scope": scope}

    def set_method(self, method: str) -> None:
        """Choose a method."""
        self._method.setCurrentIndex(self._method.findData(method))

    def show_result(self, resolved: Resolved) -> None:
        """Say how much changed and how far methods agree."""
        others = ", ".join(
            f"{name} {100 * share:.0f} %" for name, share in resolved.agreement.items()
        )
        changed = 100.0 * resolved.n_changed / max(resolved.n_ambiguous, 1)
        self._text.setText(
            f"{resolved.n_ambiguous} pixels were ambiguous, {resolved.n_changed} of "
            f"them ({changed:.1f} %) changed phase. Same phase by other methods: "
            f"{others or 'none could be run'}. {int(resolved.disagreement.sum())} "
            "unambiguous pixels lie in the cluster of another phase."
        )
        self.select.setEnabled(bool(resolved.disagreement.any()))
        self._fill(resolved.table)

    def clear(self) -> None:
        """Forget the last result."""
        self._text.setText("")
        self._table.setVisible(False)
        self.select.setEnabled(False)

    def _fill(self, table: ChangeTable) -> None:
        rows = table.rows
        self._table.setColumnCount(len(table.header))
        self._table.setHorizontalHeaderLabels(list(table.header))
        self._table.setRowCount(len(rows))
        for row, values in enumerate(rows):
            for column, value in enumerate(values):
                text = f"{value:.2f}" if isinstance(value, float) else str(value)
                text = "" if text == "nan" else text
                self._table.setItem(row, column, QTableWidgetItem(text))
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        height = self._table.verticalHeader().length() + header.height() + 18
        self._table.setMinimumHeight(min(height, 260))
        self._table.setVisible(True)
