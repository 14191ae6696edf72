"""Learn a latent space and resolve ambiguous pixels in it: the third dock.

* `LatentPanel`: trains in a child process, resolves, saves and applies models.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.latent.methods import ASSIGNMENTS
from napari_phasemap.core.phases.decisions import mean_chance
from napari_phasemap.models.child import TrainerProcess
from napari_phasemap.pipeline.latent_steps import (
    Encoded,
    apply_model,
    load_model,
    train,
)
from napari_phasemap.pipeline.probabilities import both_maps
from napari_phasemap.pipeline.resolving import (
    Resolved,
    evidence_of,
    expectation,
    resolve,
)
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.kinds import DISAGREEMENT, PHASE, RESOLVED
from napari_phasemap.views.shell.maps import (
    known_correlation,
    ready_to_compare,
    take_maps,
)
from napari_phasemap.views.training.model_box import ModelBox
from napari_phasemap.views.training.resolve_box import ResolveBox
from napari_phasemap.workspace import POSTERIOR
from napari_phasemap.workspace.steps import put_latent, put_resolved

if TYPE_CHECKING:
    import napari.viewer

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.latent.methods import Evidence
    from napari_phasemap.pipeline.probabilities import BothMaps
    from napari_phasemap.workspace import Workspace

__all__ = ["LatentPanel"]

#: Milliseconds after threshold or maps changed last until it is said what to expect.
EXPECT_AFTER = 150


class LatentPanel(Dock):
    """Trains the model on the stacks and re-assigns ambiguous pixels.

    Writes `workspace.latent` with its name and markers, and `workspace.resolved`.
    """

    title = "Latent space"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.trainer = self.child(TrainerProcess)
        self.model = ModelBox()
        self.resolving = ResolveBox()
        self.body.addWidget(self.model)
        self.body.addWidget(self.resolving)
        self._open_view = QPushButton("Open the linked latent view")
        self._open_view.clicked.connect(self.open_view)
        self.body.addWidget(self._open_view)
        self.body.addStretch(1)
        self.model.train.clicked.connect(self.train)
        self.model.apply.clicked.connect(self.apply)
        self.model.save.clicked.connect(self._ask_save)
        self.model.load.clicked.connect(self._ask_load)
        self.resolving.run.clicked.connect(self.resolve)
        self.resolving.select.clicked.connect(self.select_disagreement)
        self.resolving.use_posterior.clicked.connect(self.use_posterior)
        self.model.losses.set_theme(self.viewer.theme)
        self.listen(self.viewer.events.theme, self.model.losses.on_theme)
        self._disagreement: Any = None
        events = self.workspace.events
        self.listen(events.stacks, self._on_stacks)
        for signal in (
            events.latent, events.phase_map, events.resolved, events.references
        ):  # fmt: skip
            self.listen(signal, self._on_state)
        # What to expect need not keep up with a slider.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(EXPECT_AFTER)
        self._soon.timeout.connect(self._say_expectation)
        for signal in (events.phase_map, events.posterior, events.threshold):
            self.listen(signal, self._expect_soon)
        self._on_stacks(self.workspace.stacks)
        self._say_expectation()

    # ---- What a user does ----

    @guarded
    def train(self) -> None:
        """Train on the checked particles, beside the window and napari's process."""
        stacks = self._stacks_to("train on")
        chosen, parameters = self.model.chosen(), self.model.parameters()
        self.job.start(
            train,
            self.trainer,
            stacks,
            self._covering_references(stacks),
            chosen,
            preset=self.model.preset.currentText(),
            seed=self.model.seed.value(),
            parameters=parameters,
            on_epoch=self.model.losses.begin(),
            on_done=self._on_encoded,
            on_cancel=self.trainer.cancel,
            text="training",
        )

    @guarded
    def apply(self) -> None:
        """Encode the stacks with the model there is."""
        if self.trainer.summary is None:
            raise InputError("there is no model yet; train one or load one")
        stacks = self._stacks_to("encode")
        self.job.start(
            apply_model,
            self.trainer,
            stacks,
            self._covering_references(stacks),
            on_done=self._on_encoded,
            on_cancel=self.trainer.cancel,
            text="encoding",
        )

    @guarded
    def resolve(self) -> None:
        """Assign the ambiguous pixels by what the latent space says."""
        workspace = self.workspace
        if workspace.phase_map is None:
            raise InputError(
                "there is no phase map to resolve; correlate in Plugins > Phase map > "
                "Phase map first"
            )
        choice = self.resolving.value()
        self.job.start(
            resolve,
            self._evidence(workspace.phase_map),
            threshold=workspace.threshold,
            method=choice["method"],
            scope=choice["scope"],
            on_done=partial(self._on_resolved, workspace.threshold),
            text="resolving",
        )

    @guarded
    def use_posterior(self) -> None:
        """Let probabilities tell the phases; computed here where they are not known."""
        workspace = self.workspace
        stacks, references = ready_to_compare(workspace, "compare with references")
        is_present = workspace.made.references is references
        if workspace.posterior is not None and is_present:
            workspace.method = POSTERIOR
            self.link.results.show(PHASE)
            return
        self.job.start(
            both_maps,
            stacks,
            references,
            known_correlation(workspace, references),
            on_done=partial(self._on_maps, stacks, references),
            text="probabilities",
        )

    @guarded
    def select_disagreement(self) -> None:
        """Select the unambiguous pixels in the cluster of another phase."""
        if self._disagreement is not None:
            self.workspace.select(self._disagreement, "select disagreement")

    def open_view(self) -> None:
        """Open the linked 3-D view of the latent space."""
        self.viewer.window.add_plugin_dock_widget("napari-phasemap", "Latent view")

    def save_model(self, folder: Path, *, overwrite: bool = False) -> None:
        """Write the model into a folder."""
        self.job.start(
            self.trainer.save,
            folder,
            overwrite=overwrite,
            on_done=lambda _: self.tell(f"Model saved in {folder}"),
            text="saving the model",
        )

    def load_model(self, folder: Path) -> None:
        """Load a model and encode the stacks with it."""
        stacks = self.workspace.stacks
        self.job.start(
            load_model,
            self.trainer,
            folder,
            stacks,
            None if stacks is None else self._covering_references(stacks),
            on_done=self._on_loaded,
            on_cancel=self.trainer.cancel,
            text="loading the model",
        )

    # ---- What comes back ----

    def _on_encoded(self, encoded: Encoded) -> None:
        workspace = self.workspace
        history = encoded.summary.get("history")
        if history:
            self.model.losses.show_history(history)
        if workspace.stacks is not encoded.stacks:
            self.tell("The stacks changed meanwhile; press Apply to encode them.")
            return
        self.resolving.clear()
        put_latent(
            workspace,
            encoded.latent,
            "GMVAE",
            markers=encoded.markers,
            features={"mixture component": encoded.components},
        )

    def _on_loaded(self, encoded: Encoded | None) -> None:
        if encoded is not None:
            self._on_encoded(encoded)
        else:
            self.tell("Model loaded; open stacks, then press Apply.")
        self._on_state()

    def _on_resolved(self, threshold: float, resolved: Resolved) -> None:
        workspace = self.workspace
        if workspace.phase_map is None or (
            len(resolved.disagreement) != workspace.phase_map.n_pixels
        ):
            self.tell("The phase map changed meanwhile; press Resolve again.")
            return
        self._disagreement = resolved.disagreement
        put_resolved(workspace, threshold, resolved.phase_map)
        self.link.results.show(RESOLVED)
        self.link.results.show(DISAGREEMENT, visible=False)
        ambiguous = workspace.phase_map.ambiguous(threshold)
        posterior, chance = workspace.posterior, float("nan")
        if posterior is not None and posterior.names == resolved.phase_map.names:
            chance = mean_chance(posterior, resolved.phase_map.labels, ambiguous)
        self.resolving.show_result(resolved, chance)

    def _on_maps(
        self, stacks: StackSet, references: ReferenceSpectra, maps: BothMaps
    ) -> None:
        take_maps(self.workspace, stacks, references, maps)
        self.link.results.show(PHASE)

    # ---- Following the workspace ----

    def _on_stacks(self, stacks: StackSet | None) -> None:
        self.model.set_stacks(() if stacks is None else stacks.names)
        self._disagreement = None
        self.resolving.clear()
        self._on_state()

    def _on_state(self, *_: Any) -> None:
        workspace = self.workspace
        if workspace.stacks is None:
            hint = "Open optical-density stacks first (Data, or the sample particles)."
        elif workspace.latent is None:
            hint = "Press Train: the model learns from the spectra of all particles."
        elif workspace.phase_map is None:
            hint = "Correlate in the Phase map dock, then resolve ambiguity here."
        elif workspace.resolved is None:
            hint = "Press Resolve ambiguity, or open the linked latent view."
        else:
            hint = "Compare the layers phase and resolved phase; look at disagreement."
        self.set_hint(hint)
        phases = workspace.phase_map
        evidence = None if phases is None else self._evidence(phases)
        self.resolving.run.setEnabled(
            evidence is not None
            and any(not row.lacks(evidence) for row in ASSIGNMENTS.values())
        )

    def _expect_soon(self, *_: Any) -> None:
        self._soon.start()

    def _say_expectation(self) -> None:
        """Say what to expect of resolving, before it is pressed."""
        workspace, text = self.workspace, ""
        if workspace.phase_map is not None and workspace.phase_map.method == "pearson":
            text = expectation(
                workspace.phase_map, workspace.posterior, threshold=workspace.threshold
            )
        self.resolving.expect.setText(text)
        self.resolving.use_posterior.setVisible(bool(text))

    def _evidence(self, phases: PhaseMap) -> Evidence:
        """Return what is known of the pixels of a phase map."""
        workspace = self.workspace
        return evidence_of(
            phases,
            latent=workspace.latent,
            markers=workspace.latent_markers,
            stacks=workspace.stacks,
            references=workspace.references,
        )

    def _stacks_to(self, purpose: str) -> StackSet:
        if self.workspace.stacks is None:
            raise InputError(f"there is no optical density to {purpose}; open it first")
        return self.workspace.stacks

    def _covering_references(self, stacks: StackSet) -> Any:
        """Return the references if they cover the stacks: they become markers."""
        references = self.workspace.references
        if references is None:
            return None
        low, high = references.energy[0], references.energy[-1]
        covered = np.all((stacks.energy >= low) & (stacks.energy <= high))
        return references if covered else None

    def _ask_save(self) -> None:
        if self.trainer.summary is None:
            self.tell("There is no model yet; train one or load one.")
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save the model as a new folder")
        if path:
            self.save_model(Path(path))

    def _ask_load(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a saved model")
        if folder:
            self.load_model(Path(folder))
