"""What the map of probabilities says, in words and as a table.

* `PosteriorBox`: noise, what a gap means, unknown pixels, disagreement with Pearson.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QGroupBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout
from superqt import QCollapsible

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.phases.abstention import contradicted
from napari_phasemap.core.phases.contradictions import contradictions
from napari_phasemap.core.phases.decisions import (
    decisions_of,
    gap_sentence,
    noise_sentence,
    strangers,
)
from napari_phasemap.views.widgets.change_view import ChangeView
from napari_phasemap.workspace import POSTERIOR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.workspace import Workspace

__all__ = ["PosteriorBox"]

#: Milliseconds after a slider was moved last until words and table follow.
FOLLOW_AFTER = 150


class PosteriorBox(QGroupBox):
    """Shown with the method *Posterior*; the dock connects the buttons."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("Probabilities")
        self._workspace = workspace
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.draw_flat = QPushButton("Draw a flat region")
        self.draw_flat.setToolTip("Outline pixels of even material on the image.")
        self.use_flat = QPushButton("Noise from it")
        self.use_flat.setToolTip(
            "Estimate the noise from differences of neighbors inside the drawn region, "
            "for particles that were opened as optical density."
        )
        self.select_unknown = QPushButton("Select unknown")
        self.add_reference = QPushButton("Add mean spectrum as a reference")
        self.add_reference.setToolTip(
            "The mean of the unknown pixels becomes one more reference, and the "
            "probabilities are computed again. Check references first: the others are "
            "brought to the energies of the stacks."
        )
        self.select_odd = QPushButton("Select contradicted")
        self.select_odd.setToolTip("Unambiguous by Pearson, another phase here.")
        self._table = ChangeView()
        self._more = QCollapsible("Pixels that contradict Pearson")
        self._more.addWidget(self._table)
        self._more.addWidget(self.select_odd)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        for buttons in (
            (self.draw_flat, self.use_flat),
            (self.add_reference,),
            (self.select_unknown,),
        ):
            row = QHBoxLayout()
            for button in buttons:
                row.addWidget(button)
            layout.addLayout(row)
        layout.addWidget(self._more)
        # A timer of the widget's own dies with it.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FOLLOW_AFTER)
        self._timer.timeout.connect(self.follow)
        self.follow()

    def unknown_pixels(self) -> NDArray[np.bool_]:
        """Return the pixels that fit no reference.

        Raises
        ------
        InputError
            If there is none.
        """
        posterior = self._workspace.posterior
        found = None if posterior is None else decisions_of(posterior).unknown
        if found is None or not found.any():
            raise InputError("no pixel is unknown: all fit one of the references")
        return found

    def odd_pixels(self) -> NDArray[np.bool_]:
        """Return the pixels of `contradicted`.

        Raises
        ------
        InputError
            If the maps are not both there.
        """
        pearson, posterior = self._comparable(), self._workspace.posterior
        if pearson is None or posterior is None:
            raise InputError("there are no two maps of the same phases to compare")
        return contradicted(pearson, posterior, threshold=self._workspace.threshold)

    def later(self, *_: Any) -> None:
        """Follow soon: what is said here need not keep up with a slider."""
        self._timer.start()

    def follow(self, *_: Any) -> None:
        """Say what there is to say."""
        workspace = self._workspace
        stacks, posterior = workspace.stacks, workspace.posterior
        self.setVisible(workspace.method == POSTERIOR)
        if not self.isVisibleTo(self.parentWidget()):
            return
        counted = stacks is not None and all(
            one.noise is not None and one.noise.source == "photon counts"
            for one in stacks
        )
        for button in (self.draw_flat, self.use_flat):
            button.setVisible(stacks is not None and not counted)
        strange = posterior is not None and decisions_of(posterior).unknown.any()
        for button in (self.select_unknown, self.add_reference):
            button.setVisible(bool(strange))
        pearson = self._comparable()
        self._more.setVisible(pearson is not None)
        if stacks is None:
            self.text.setText("")
        elif posterior is None:
            self.text.setText(_noise_to_come(stacks))
        else:
            self.text.setText("\n".join(self._sentences(posterior, pearson)))

    def _comparable(self) -> PhaseMap | None:
        """Return the correlation where it is of the phases of the posterior."""
        pearson, posterior = self._workspace.phase_map, self._workspace.posterior
        if pearson is None or posterior is None or pearson.names != posterior.names:
            return None
        return pearson

    def _sentences(self, posterior: PhaseMap, pearson: PhaseMap | None) -> list[str]:
        workspace, told = self._workspace, decisions_of(posterior)
        n_pixels = max(posterior.n_pixels, 1)
        n_undecided = int(told.undecided(workspace.level).sum())
        n_unknown = int(told.unknown.sum())
        said = strangers(posterior)
        if n_unknown == posterior.n_pixels:
            said.append("No pixel fits any reference: the map says nothing.")
        said.append(
            f"{n_undecided} pixels ({100 * n_undecided / n_pixels:.1f} %) are "
            f"undecided, {n_unknown} ({100 * n_unknown / n_pixels:.1f} %) unknown."
        )
        about = posterior.parameters
        said.append(noise_sentence(about["stacks"], about["noise"]))
        if pearson is not None:
            said.append(gap_sentence(pearson, posterior, gap=workspace.threshold))
            found = contradictions(pearson, posterior, threshold=workspace.threshold)
            n_odd = int(found.where.sum())
            self._more.setText(f"{n_odd} pixels contradict Pearson")
            self._table.show_table(found)
            self.select_odd.setEnabled(n_odd > 0)
        return said


def _noise_to_come(stacks: StackSet) -> str:
    sources = [
        "residual of the best fits, one scale" if s.noise is None else s.noise.source
        for s in stacks
    ]
    return noise_sentence(stacks.names, sources)
