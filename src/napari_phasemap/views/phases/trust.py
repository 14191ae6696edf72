"""How far phases can be trusted: what the Phase map dock does beside correlating.

* `Trust`: computes probabilities, checks references, names what fits none.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Shapes

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.data.subset import with_mean_spectrum
from napari_phasemap.core.phases.reference_check import check_references
from napari_phasemap.core.prepare.noise_level import estimate_noise
from napari_phasemap.pipeline.probabilities import both_maps
from napari_phasemap.views.phases.posterior_box import PosteriorBox
from napari_phasemap.views.phases.report_box import RECALIBRATE, ReportBox
from napari_phasemap.views.shell.dock import guarded
from napari_phasemap.views.shell.maps import (
    known_correlation,
    ready_to_compare,
    take_maps,
)
from napari_phasemap.views.shell.regions import draw_region, region_mask
from napari_phasemap.workspace import POSTERIOR
from napari_phasemap.workspace.steps import undo_past

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.phases.reference_check import ReferenceReport
    from napari_phasemap.pipeline.probabilities import BothMaps
    from napari_phasemap.views.phases.layer_box import LayerBox
    from napari_phasemap.views.phases.method_box import MethodBox
    from napari_phasemap.views.shell.dock import Dock

__all__ = ["Trust"]

FLAT_REGION = "flat region"


class Trust:
    """What the buttons of `report` and `posterior` do; both are shown by the dock.

    Parameters
    ----------
    dock : Dock
        Whose job row runs the steps.
    method : MethodBox
        Has the options of the posterior.
    layers : LayerBox
        Has the layers that are wanted.
    """

    def __init__(self, dock: Dock, method: MethodBox, layers: LayerBox) -> None:
        self._dock, self._method, self._layers = dock, method, layers
        self._workspace = dock.workspace
        self.report, self.posterior = (
            ReportBox(dock.workspace),
            PosteriorBox(dock.workspace),
        )
        self.report.asked.connect(self.check)
        self.report.apply.clicked.connect(self.apply)
        self.report.undo.clicked.connect(self.undo)
        box = self.posterior
        box.draw_flat.clicked.connect(self.draw_flat)
        box.use_flat.clicked.connect(self.use_flat)
        box.select_unknown.clicked.connect(self.select_unknown)
        box.add_reference.clicked.connect(self.add_unknown)
        box.select_odd.clicked.connect(self.select_contradicted)
        events = self._workspace.events
        for signal in (
            events.method, events.stacks, events.posterior, events.phase_map
        ):  # fmt: skip
            dock.listen(signal, box.follow)
        for signal in (events.level, events.threshold):
            dock.listen(signal, box.later)

    # ---- What a user does ----

    @guarded
    def compute(self) -> None:
        """Compute probabilities, and the correlation where it is not there."""
        stacks, references = ready_to_compare(
            self._workspace, "compare with references"
        )
        self._dock.job.start(
            _with(both_maps, self._method.options()),
            stacks,
            references,
            known_correlation(self._workspace, references),
            on_done=partial(self._on_maps, stacks, references),
            text="probabilities",
        )

    @guarded
    def check(self) -> None:
        """Check the references against the stacks; nothing is changed."""
        stacks, references = ready_to_compare(self._workspace, "check references with")
        self._dock.job.start(
            check_references,
            stacks,
            references,
            per_particle=self.report.per_particle.isChecked(),
            on_done=self._on_report,
            text="checking references",
        )

    @guarded
    def apply(self) -> None:
        """Take the accepted corrections and make the map again."""
        self.report.apply_accepted()
        self._again()

    @guarded
    def undo(self) -> None:
        """Take the corrections back; the maps of before come with them."""
        if self._dock.job.running:
            raise InputError("a step is still running; wait for it or cancel it first")
        undo_past(self._workspace, RECALIBRATE)
        self.report.clear()
        self._layers.show_wanted()

    @guarded
    def select_unknown(self) -> None:
        """Select the pixels that fit no reference."""
        self._workspace.select(self.posterior.unknown_pixels(), "select unknown")

    @guarded
    def select_contradicted(self) -> None:
        """Select the sure pixels of Pearson that have another phase."""
        self._workspace.select(self.posterior.odd_pixels(), "select contradicted")

    @guarded
    def add_unknown(self) -> None:
        """Make the mean of the unknown pixels a reference, and compute again."""
        stacks, references = ready_to_compare(self._workspace, "average")
        pixels, number, name = self.posterior.unknown_pixels(), 1, "unknown"
        while name in references.names:
            number, name = number + 1, f"unknown {number + 1}"
        more = with_mean_spectrum(references, stacks, pixels, name)
        self._workspace.apply(f"reference {name}", references=more)
        self.compute()

    @guarded
    def draw_flat(self) -> None:
        """Let a person outline an even part of the specimen."""
        draw_region(self._dock.viewer, FLAT_REGION, self._dock.link)

    @guarded
    def use_flat(self) -> None:
        """Estimate the noise of every stack from what is outlined on it."""
        stacks, references = ready_to_compare(self._workspace, "estimate the noise of")
        drawn = [
            layer
            for layer in self._dock.viewer.layers
            if isinstance(layer, Shapes) and layer.name == FLAT_REGION
        ]
        changed, where = [], False
        for stack in stacks:
            regions = [region_mask(layer, stack, self._dock.link) for layer in drawn]
            if regions and regions[0].any():
                stack, where = estimate_noise(stack, region=regions[0]), True
            changed.append(stack)
        if not where:
            raise InputError(
                "nothing is drawn; press 'Draw a flat region' and outline an even part "
                "of a particle"
            )
        kept = ("phase_map", "resolved", "latent", "latent_name", "latent_markers")
        self._workspace.recalibrate(
            StackSet(changed), references, "noise of a flat region", keep=kept
        )
        self._again()

    # ---- What comes back ----

    def _on_maps(
        self, stacks: StackSet, references: ReferenceSpectra, maps: BothMaps
    ) -> None:
        take_maps(self._workspace, stacks, references, maps)
        self._layers.show_wanted()

    def _on_report(self, report: ReferenceReport) -> None:
        same = report.stacks is self._workspace.stacks
        if not same or report.references is not self._workspace.references:
            self._dock.tell("Stacks or references changed meanwhile; check again.")
            return
        self.report.show_report(report)

    def _again(self) -> None:
        """Make the map again that was shown."""
        if self._workspace.method == POSTERIOR:
            self.compute()
        else:
            correlate: Any = self._method.asked
            correlate.emit()


def _with(function: Callable[..., Any], options: dict[str, bool]) -> Callable[..., Any]:
    """Return a function with options, for a job that has names of its own."""
    return partial(function, **options)
