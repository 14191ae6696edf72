"""Which energies to measure next: a dock of its own.

* `PlanEnergies`: parameters, the chosen energies over the references, what others give.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QTabWidget,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.planning.choosing import choose_energies
from napari_phasemap.core.planning.gain import energy_gain, steps_around
from napari_phasemap.io.energy_list import write_energies
from napari_phasemap.views.phases.loading import load_references
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.opening import spectra_files
from napari_phasemap.views.widgets.forms import ParameterForm
from napari_phasemap.views.widgets.plot import PlotView

if TYPE_CHECKING:
    import napari.viewer

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.planning.gain import EnergyGain
    from napari_phasemap.core.planning.plan import EnergyPlan
    from napari_phasemap.workspace import Workspace

__all__ = ["PlanEnergies"]

#: What a user chooses by; the rest is for scripts.
SHOWN = ("dose", "optical_density", "offset", "forced", "low", "high", "spacing",
         "criterion")  # fmt: skip
NEXT = "Open dense references of the phases you expect, then choose."


@dataclass(frozen=True, eq=False)
class _Planned:
    """What a job hands back."""

    references: ReferenceSpectra
    plan: EnergyPlan
    over_number: EnergyGain
    over_dose: EnergyGain


class PlanEnergies(Dock):
    """Chooses the energies that tell the references apart best.

    Writes `workspace.references` when files are opened here.
    """

    title = "Plan energies"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.planned: _Planned | None = None
        opener = QPushButton("Open references…")
        opener.clicked.connect(self.open_references)
        self.body.addWidget(opener)
        form = QFormLayout()
        self._number, self._dwell = QSpinBox(), QDoubleSpinBox()
        self._number.setRange(2, 1000)
        self._number.setValue(13)
        self._dwell.setRange(0.001, 1e6)
        self._dwell.setDecimals(3)
        self._dwell.setValue(1.0)
        self._dwell.setToolTip("Written beside every energy.")
        form.addRow("energies", self._number)
        form.addRow("dwell (ms)", self._dwell)
        self.body.addLayout(form)
        self._form = ParameterForm(choose_energies, SHOWN)
        self.body.addWidget(self._form.native)
        self.body.addLayout(self._make_buttons())
        self._said = QLabel()
        self._said.setWordWrap(True)
        self.body.addWidget(self._said)
        self._plots = [PlotView("Nothing chosen yet.") for _ in range(3)]
        tabs = QTabWidget()
        for plot, title in zip(
            self._plots, ("energies", "how many", "how much dose"), strict=True
        ):
            plot.set_theme(self.viewer.theme)
            self.listen(self.viewer.events.theme, plot.on_theme)
            tabs.addTab(plot, title)
        tabs.setMinimumHeight(260)
        self.body.addWidget(tabs)
        self.body.addStretch(1)
        self.listen(self.workspace.events.references, self._on_references)
        self._on_references(self.workspace.references)

    # ---- What a user does ----

    def open_references(self) -> None:
        """Ask for files of dense references and load them."""
        paths, _ = QFileDialog.getOpenFileNames(
            self, "Open dense reference spectra", "", spectra_files()
        )
        if paths:
            load_references(self, [Path(path) for path in paths], self._use)

    @guarded
    def choose(self) -> None:
        """Choose energies, and what others would give, beside the window."""
        references = self.workspace.references
        if references is None:
            raise InputError("there are no reference spectra; press 'Open references…'")
        self.job.start(
            _plan,
            references,
            self._number.value(),
            self._form.value(),
            on_done=self._show,
            text="choosing energies",
        )

    @guarded
    def ask_file(self) -> None:
        """Ask where to write the list of energies."""
        path, _ = QFileDialog.getSaveFileName(
            self, "Save energies", "energies.txt", "Text (*.txt)"
        )
        if path:
            self.save(Path(path))

    def save(self, path: Path) -> None:
        """Write one energy per line with its dwell time; the dialog has asked."""
        if self.planned is not None:
            write_energies(
                self.planned.plan, path, dwell=self._dwell.value(), overwrite=True
            )
            self.tell(f"Saved {path.name}")

    # ---- Following the workspace ----

    def _use(self, references: ReferenceSpectra) -> None:
        self.workspace.references = references

    def _on_references(self, references: ReferenceSpectra | None) -> None:
        self._choose.setEnabled(references is not None)
        if references is None:
            self.set_hint(NEXT)
            return
        low, high = references.energy[[0, -1]]
        self.set_hint(
            f"{len(references)} references, {references.n_energies} energies from "
            f"{low:g} to {high:g} eV to choose from."
        )

    def _show(self, planned: _Planned) -> None:
        from napari_phasemap.figures import draw_energy_gain, draw_energy_plan

        self.planned = planned
        energies = ", ".join(f"{energy:g}" for energy in planned.plan.energy)
        self._said.setText(f"{planned.plan.summary()}\n{energies} eV")
        self._plots[0].draw(
            lambda axes: draw_energy_plan(axes, planned.references, planned.plan)
        )
        self._plots[1].draw(
            lambda axes: draw_energy_gain(axes, planned.over_number, over="energies")
        )
        self._plots[2].draw(
            lambda axes: draw_energy_gain(
                axes, planned.over_dose, over="photons per pixel"
            )
        )
        self._save.setEnabled(True)

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self._choose = QPushButton("Choose energies")
        self._choose.clicked.connect(self.choose)
        self._save = QPushButton("Save energies…")
        self._save.setToolTip("One energy per line, with the dwell time.")
        self._save.setEnabled(False)
        self._save.clicked.connect(self.ask_file)
        row.addWidget(self._choose)
        row.addWidget(self._save)
        return row


def _plan(
    references: ReferenceSpectra, n: int, wanted: dict[str, Any], /, *, on_progress: Any
) -> _Planned:
    """Choose energies, and what others would give, in a job."""
    plan = choose_energies(references, n, **wanted, on_progress=on_progress)
    numbers, doses = steps_around(n, plan.dose, references.n_energies)
    over_number, over_dose = (
        energy_gain(
            references,
            numbers=counts,
            doses=at,
            on_progress=on_progress,
            **(wanted if not at else {k: v for k, v in wanted.items() if k != "dose"}),
        )
        for counts, at in ((numbers, ()), ((n,), doses))
    )
    return _Planned(references, plan, over_number, over_dose)
