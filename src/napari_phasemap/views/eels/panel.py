"""From a spectrum image to the classes of its edges: the EELS dock.

* `EelsPanel`: image, edges and classes, one page each.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.mosaic import mosaic
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.data.subset import mean_spectrum
from napari_phasemap.core.eels.axis import align_zero_loss
from napari_phasemap.core.eels.thickness import thickness
from napari_phasemap.core.eels.workflow import (
    EelsAnalysis,
    analyze_edges,
    suggest_number,
)
from napari_phasemap.pipeline.eels import write_edges
from napari_phasemap.process.embedder import EmbedderProcess
from napari_phasemap.views.eels.classes import ClassesPage
from napari_phasemap.views.eels.corrections import Corrections
from napari_phasemap.views.eels.edge_forms import EdgesPage
from napari_phasemap.views.eels.edges import edges_for
from napari_phasemap.views.eels.editing import ClassEditor
from napari_phasemap.views.eels.following import AT_ONCE, EdgePreviews
from napari_phasemap.views.eels.source import SourcePage, holds_zero_loss
from napari_phasemap.views.eels.table import EdgeRow
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.widgets.fitted import FittedTabs
from napari_phasemap.workspace.edges import put_edges, remove_edge
from napari_phasemap.workspace.path import saveable
from napari_phasemap.workspace.steps import analyze as put_pixels
from napari_phasemap.workspace.steps import note_saved

if TYPE_CHECKING:
    from collections.abc import Mapping

    import napari.viewer

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.recipe import EdgeRecipe
    from napari_phasemap.core.eels.thickness import Thickness
    from napari_phasemap.workspace import Workspace

__all__ = ["EelsPanel"]

IMAGE, EDGES, CLASSES = range(3)


class EelsPanel(Dock):
    """Analyzes edges and edits their classes.

    Writes `workspace.stacks` (with "Analyze this image" and "Zero loss to 0 eV"),
    `thickness`, `suggestions`, `selection`, and the edges with what shows them.
    """

    title = "EELS classes"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        edges_for(self.viewer)  # draws the layers
        self.embedder = self.child(EmbedderProcess)
        self.source = SourcePage(self.viewer, self.link)
        self.setup = EdgesPage()
        self.classes = ClassesPage()
        self.pages = FittedTabs()
        for page, name in (
            (self.source, "Image"),
            (self.setup, "Edges"),
            (self.classes, "Classes"),
        ):
            self.pages.addTab(page, name)
        self.corrections = Corrections(self.workspace, self.job)
        self.source.add_corrections(self.corrections)
        self.body.addWidget(self.pages, 1)
        self._stack: SpectralStack | None = None
        self.editor = ClassEditor(self.classes, self.workspace, self.job)
        self.previews = EdgePreviews(self.setup, self.workspace, self.job)
        self._save = QPushButton("Save figure and tables…")
        self._save.setToolTip(
            "A new folder with the figure (PNG, SVG, PDF), maps, spectra and pairs of "
            "the analyzed edges, as the command line writes it."
        )
        self._save.clicked.connect(self._ask_folder)
        self.body.addWidget(self._save)
        self._connect()
        self._on_sources(self.workspace.sources)
        self._on_stacks(self.workspace.stacks)
        self._take_results()

    def _connect(self) -> None:
        events = self.workspace.events
        self.listen(events.sources, self._on_sources)
        self.listen(events.stacks, self._on_stacks)
        for signal in (events.edges, events.edge, events.class_names):
            self.listen(signal, self._on_edges)
        self.listen(events.suggestions, self.previews.show_agreement)
        for signal in (events.cursor, events.hover):
            self.listen(signal, self.previews.on_pointed)
        self.listen(events.thickness, self._on_thickness)
        source, setup = self.source, self.setup
        source.analyze.connect(self.analyze)
        source.measure.connect(self.measure_thickness)
        source.align.connect(self.align)
        setup.edited.connect(self._on_state)
        setup.run_one.connect(self.run)
        setup.run_all.connect(self.run_all)
        setup.suggest.connect(self.suggest)
        setup.table.forgotten.connect(self._forget)
        for plot in (
            setup.windows,
            setup.subtraction,
            setup.jumps,
            setup.agreement,
            self.classes.plot,
        ):
            plot.set_theme(self.viewer.theme)
            self.listen(self.viewer.events.theme, plot.on_theme)

    def _take_results(self) -> None:
        """Go on where a dock that was closed left off."""
        for analysis in self.workspace.edges.values():
            self.setup.table.add(EdgeRow.from_recipe(analysis.recipe))

    # ---- Image ----

    @guarded
    def analyze(self) -> None:
        """Analyze the chosen image, in the chosen pixels."""
        stack = self.source.chosen()
        mask = self.source.specimen.mask(stack, self.source.chosen_low_loss())
        if not mask.any():
            raise InputError(f"the mask leaves no pixel of {stack.name!r}; change it")
        if not mask.all():
            words = self.source.specimen.describe()
            stack = stack.with_step(
                f"mask: {words}, {int(mask.sum())} pixels", mask=mask
            )
        put_pixels(self.workspace, StackSet([stack]), "mask")
        self.pages.setCurrentIndex(EDGES)

    @guarded
    def measure_thickness(self) -> None:
        """Measure the thickness of the analyzed pixels."""
        stack, low_loss = self._pair()
        self.job.start(
            thickness,
            low_loss.with_mask(stack.mask),
            on_done=self._set_thickness,
            text="thickness",
        )

    @guarded
    def align(self) -> None:
        """Bring every pixel's zero loss to 0 eV."""
        stack, low_loss = self._pair()
        self.job.start(
            align_zero_loss,
            low_loss.with_mask(stack.mask),
            stack,
            on_done=self._set_aligned,
            text="zero loss",
        )

    def _pair(self) -> tuple[SpectralStack, SpectralStack]:
        """Return the analyzed image and its low loss, or say what is missing."""
        low_loss, stacks = self.source.chosen_low_loss(), self.workspace.stacks
        if stacks is None:
            raise InputError("no image is analyzed yet; press 'Analyze this image'")
        stack = stacks[0]
        if low_loss is None:
            raise InputError(
                f"{stack.name!r} has no low loss; open one of the same "
                f"{stack.shape[0]} x {stack.shape[1]} pixels whose axis holds 0 eV"
            )
        if len(stacks) > 1 or stack.shape != low_loss.shape:
            raise InputError(
                f"the low loss has {low_loss.shape} pixels, what is analyzed is "
                f"{', '.join(s.name for s in stacks)} of {[s.shape for s in stacks]}; "
                "they must show the same pixels"
            )
        return stack, low_loss

    def _set_thickness(self, measured: Thickness) -> None:
        stacks = self.workspace.stacks
        if stacks is None or stacks.n_pixels != len(measured.t_over_lambda):
            self.tell("The pixels changed meanwhile; press 'Thickness map' again.")
            return
        self.workspace.thickness = measured

    def _set_aligned(self, aligned: tuple[SpectralStack, SpectralStack]) -> None:
        _, core_loss = aligned
        put_pixels(self.workspace, StackSet([core_loss]), "zero loss")
        self.tell(core_loss.history[-1])

    # ---- Edges ----

    @guarded
    def run(self) -> None:
        """Analyze the current edge."""
        recipe = self.setup.recipe()
        self._start([] if recipe is None else [recipe])

    @guarded
    def run_all(self) -> None:
        """Analyze all edges."""
        self._start(self.setup.recipes())

    def _start(self, recipes: list[EdgeRecipe]) -> None:
        stack = self._analyzed()
        if not recipes:
            raise InputError("there is no edge yet; press 'Add edge'")
        if any(recipe.embed or recipe.cluster_on == "embedding" for recipe in recipes):
            self.embedder.begin()
        workspace = self.workspace
        self.job.start(
            analyze_edges,
            stack,
            recipes,
            previous=EelsAnalysis(stack, workspace.computed),
            measured=workspace.thickness,
            embed=self.embedder.umap_embedding,
            on_done=self._on_analyzed,
            text=recipes[0].name,
        )

    def _forget(self, name: str) -> None:
        remove_edge(self.workspace, name)

    @guarded
    def suggest(self) -> None:
        """Suggest the number of classes of the current edge."""
        stack, recipe = self._analyzed(), self.setup.recipe()
        if recipe is None:
            raise InputError("there is no edge yet; press 'Add edge'")
        self.job.start(
            suggest_number,
            stack,
            recipe,
            previous=self.workspace.computed.get(recipe.name),
            embed=self.embedder.umap_embedding,
            on_done=self._on_suggested,
            text="classes",
        )

    def _analyzed(self) -> SpectralStack:
        if self._stack is None:
            raise InputError(
                "no image is analyzed yet; choose one on the page 'Image' and press "
                "'Analyze this image'"
            )
        return self._stack

    def _on_analyzed(self, analyzed: EelsAnalysis) -> None:
        if analyzed.stack is not self._stack:
            self.tell("The image changed meanwhile; run the edges again.")
            return
        self._keep_suggestions(analyzed.edges)
        put_edges(self.workspace, analyzed.edges.values())
        for name, why in analyzed.failed.items():
            tell_error(InputError(f"{name}: {why}"))
        for text in analyzed.warnings:
            self.tell(text)
        self.pages.setCurrentIndex(CLASSES)

    def _on_suggested(self, analysis: EdgeAnalysis) -> None:
        if analysis.stack is self._stack:
            workspace, name = self.workspace, analysis.recipe.name
            workspace.computed = {**workspace.computed, name: analysis}
            self._keep_suggestions({name: analysis})

    def _keep_suggestions(self, analyses: Mapping[str, EdgeAnalysis]) -> None:
        """Take the numbers of classes; where none was asked for the last ones stay."""
        found = {
            name: analysis.suggestion
            for name, analysis in analyses.items()
            if analysis.suggestion is not None
        }
        if found:
            self.workspace.suggestions = {**self.workspace.suggestions, **found}

    # ---- Files ----

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Save into a new folder inside")
        if folder:
            self.save(Path(folder) / "eels_results")

    def save(self, folder: Path, *, overwrite: bool = False) -> None:
        """Write figure and tables of the analyzed edges, beside the window."""
        edges = self.workspace.edges
        if not edges:
            tell_error(InputError("there is nothing to save yet; run an edge first"))
            return
        self.job.start(
            write_edges,
            next(iter(edges.values())).stack,
            edges,
            self.workspace.thickness,
            folder,
            overwrite=overwrite,
            on_done=partial(self._on_saved, saveable(self.workspace)),
            text="saving",
        )

    def _on_saved(self, saved: tuple[Any, ...], path: Path) -> None:
        note_saved(self.workspace, saved)
        self.tell(f"Saved in {path}")

    # ---- Following the workspace ----

    def _on_sources(self, sources: tuple[SpectralStack, ...]) -> None:
        self.source.set_sources(sources)
        paired = self.source.chosen_low_loss()
        if self.workspace.stacks is None and paired is not None:
            chosen = self.source.chosen()
            if chosen.quantity == "counts" and not holds_zero_loss(chosen):
                self.workspace.set_stacks(StackSet([chosen]))
        self._on_state()

    def _on_stacks(self, stacks: StackSet | None) -> None:
        self.corrections.set_stacks(stacks)
        self._stack = None if stacks is None else mosaic(stacks)
        self.setup.set_stack(self._stack)
        self.previews.set_stack(self._stack)
        self.source.note.setText("")
        if stacks is not None and stacks.n_pixels:
            self._start_mean(stacks)
        self.editor.show_soon()
        self._on_state()

    def _start_mean(self, stacks: StackSet) -> None:
        """Get the mean spectrum, beside the window where it takes long."""
        everywhere = np.ones(stacks.n_pixels, dtype=bool)
        show = partial(self._set_mean, self._stack)
        if stacks.n_pixels * stacks.n_energies <= AT_ONCE:
            show(mean_spectrum(stacks, everywhere))
        else:
            self.job.start(
                mean_spectrum, stacks, everywhere, on_done=show, text="mean spectrum"
            )

    def _set_mean(self, stack: SpectralStack | None, mean: Any) -> None:
        if stack is None or stack is not self._stack:
            return
        self.previews.set_stack(stack, mean)
        self.source.note.setText(
            f"Analyzed: {stack.name}, {stack.n_pixels} pixels, {stack.n_energies} "
            f"energies {stack.energy[0]:g}-{stack.energy[-1]:g} eV, "
            f"{stack.quantity.replace('_', ' ')}."
        )

    def _on_thickness(self, measured: Thickness | None) -> None:
        if measured is not None:
            t = measured.t_over_lambda[measured.counted]
            if t.size:
                self.source.note.setText(
                    f"t/λ from {t.min():.2f} to {t.max():.2f}, median "
                    f"{np.median(t):.2f}; elastic: {measured.half_width:.1f} eV around "
                    "the zero loss."
                )

    def _on_edges(self, *_: Any) -> None:
        self.editor.show_soon()
        self._on_state()

    def _on_state(self, *_: Any) -> None:
        workspace = self.workspace
        self._save.setEnabled(bool(workspace.edges))
        if workspace.stacks is None and not workspace.sources:
            hint = (
                "Open a spectrum image with File > Open, or File > Open Sample > Phase "
                "map > Si-C composite."
            )
        elif workspace.stacks is None:
            hint = "Choose the spectrum image and its pixels, then press Analyze."
        elif self.setup.table.current is None:
            hint = "Page Edges: add the edges that you see in the mean spectrum."
        elif not workspace.edges:
            hint = "Drag the windows, look at the subtraction, then press Run."
        else:
            hint = (
                "Page Classes: look at them; open Co-occurrence to compare two edges."
            )
        self.set_hint(hint)
