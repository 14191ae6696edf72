"""What the EELS docks run beside the window: plain functions with ``on_progress``.

* `mean_spectrum`, `jump_ratios`: what the plots show.
* `analyze_edges`: the steps for several edges, one failure not stopping the others.
* `edit_classes`, `measure_thickness`, `align_stacks`, `name_by`: further steps.
* `despiked`, `calibrated`: the image put right; `save_sheet`: figure and tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import FORESEEN, InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import StackSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.naming import ClassNames
    from napari_phasemap.core.eels.presence import Presence
    from napari_phasemap.core.eels.recipe import EdgeRecipe
    from napari_phasemap.core.eels.thickness import Thickness
    from napari_phasemap.process.embedder import EmbedderProcess

__all__ = [
    "Analyzed",
    "Corrected",
    "align_stacks",
    "analyze_edges",
    "calibrated",
    "clustered_values",
    "despiked",
    "edit_classes",
    "jump_ratios",
    "mean_spectrum",
    "measure_thickness",
    "name_by",
    "save_sheet",
    "suggest_number",
]


#: How far in eV from its place an edge is looked for.
ONSET_REACH = 12.0


@dataclass(frozen=True, eq=False)
class Analyzed:
    """What came of several edges: results, and a sentence per edge that failed."""

    stack: SpectralStack
    done: tuple[EdgeAnalysis, ...]
    failed: tuple[str, ...]
    warnings: tuple[str, ...]


def mean_spectrum(
    stack: SpectralStack, /, *, on_progress: OnProgress = ignore_progress
) -> NDArray[np.float64]:
    """Return the mean of the masked pixels, (n_energies,); NaN for none."""
    from napari_phasemap.core.data.subset import mean_spectrum as mean_of

    on_progress(0, 1, "mean spectrum")
    mean = np.full(stack.n_energies, np.nan)
    if stack.n_pixels:
        alone = StackSet([stack])
        mean[alone.energy_used] = mean_of(alone, np.ones(stack.n_pixels, dtype=bool))
    return mean


def jump_ratios(
    stack: SpectralStack,
    recipe: EdgeRecipe,
    previous: EdgeAnalysis | None,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Presence:
    """Return the jump ratio of every pixel and what it says, as in the run."""
    from napari_phasemap.core.eels.edge import subtracted
    from napari_phasemap.core.eels.presence import measure_presence

    if recipe.fit_window is None:
        raise InputError(f"{recipe.name} has no fit window, so there is no jump ratio")
    on_progress(0, 1, f"{recipe.name}: jump ratios")
    return measure_presence(
        subtracted(stack, recipe, previous),
        significance=recipe.significance,
        neighbors=recipe.present_neighbors,
    )


def analyze_edges(
    stack: SpectralStack,
    recipes: Sequence[EdgeRecipe],
    previous: Mapping[str, EdgeAnalysis],
    measured: Thickness | None,
    embedder: EmbedderProcess,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Analyzed:
    """Analyze edges one after the other; steps that did not change are taken over."""
    from napari_phasemap.core.eels.edge import analyze_edge

    if any(recipe.embed or recipe.cluster_on == "embedding" for recipe in recipes):
        embedder.begin()
    done, failed, warnings = [], [], []
    for number, recipe in enumerate(recipes):
        report = _part_of(on_progress, number, len(recipes))
        try:
            analysis = analyze_edge(
                stack,
                recipe,
                previous=previous.get(recipe.name),
                embed=embedder.umap_embedding,
                on_progress=report,
            )
        except FORESEEN as error:
            failed.append(f"{recipe.name}: {error}")
            continue
        done.append(analysis)
        if measured is not None:
            warning = _thickness_bands(analysis, measured)
            warnings += [warning] if warning else []
    return Analyzed(stack, tuple(done), tuple(failed), tuple(warnings))


def _part_of(on_progress: OnProgress, number: int, total: int) -> OnProgress:
    """Return a report of one edge as a part of all."""

    def report(step: int, steps: int, text: str) -> None:
        on_progress(number * steps + min(step, steps - 1), total * steps, text)

    return report


def _thickness_bands(analysis: EdgeAnalysis, measured: Thickness) -> str | None:
    from napari_phasemap.core.bonds.mutual_information import mutual_information
    from napari_phasemap.core.eels.thickness import thickness_bins, thickness_warning

    bins = thickness_bins(measured)
    pairs = mutual_information(analysis.classes, bins, stacks=analysis.stack)
    return thickness_warning(pairs, analysis.recipe.name)


def clustered_values(analysis: EdgeAnalysis) -> NDArray[np.float32]:
    """Return what k-means ran on."""
    on_picture = analysis.recipe.cluster_on == "embedding"
    if on_picture and analysis.embedding is not None:
        return analysis.embedding
    return analysis.values


def suggest_number(
    stack: SpectralStack,
    recipe: EdgeRecipe,
    previous: EdgeAnalysis | None,
    embedder: EmbedderProcess,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> EdgeAnalysis:
    """Analyze an edge with the suggested number of classes; UMAP only if it is there.

    What was done for an earlier result is not done again.
    """
    from napari_phasemap.core.eels.edge import analyze_edge

    pictured = previous is not None and previous.embedding is not None
    recipe = replace(recipe, n_clusters="auto", embed=recipe.embed and pictured)
    return analyze_edge(
        stack,
        recipe,
        previous=previous,
        embed=embedder.umap_embedding,
        on_progress=on_progress,
    )


def edit_classes(
    analysis: EdgeAnalysis,
    edit: Callable[[PhaseMap], PhaseMap],
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> EdgeAnalysis:
    """Change the classes by hand; their spectra and stabilities follow."""
    on_progress(0, 1, "classes")
    changed = replace(analysis, classes=edit(analysis.classes))
    return refreshed(changed, on_progress=on_progress)


def refreshed(
    analysis: EdgeAnalysis, *, on_progress: OnProgress = ignore_progress
) -> EdgeAnalysis:
    """Return an analysis whose spectra and stabilities are those of its classes."""
    from napari_phasemap.core.eels.naming import class_spectra
    from napari_phasemap.core.learn.clustering import class_stability

    classes, values = analysis.classes, clustered_values(analysis)
    return replace(
        analysis,
        stability=class_stability(values, classes, on_progress=on_progress),
        spectra=class_spectra(analysis.edge, classes),
    )


def measure_thickness(
    low_loss: SpectralStack,
    mask: NDArray[np.bool_],
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Thickness:
    """Measure the thickness of the pixels of a mask."""
    from napari_phasemap.core.eels.thickness import thickness

    return thickness(low_loss.with_mask(mask), on_progress=on_progress)


def align_stacks(
    low_loss: SpectralStack,
    core_loss: SpectralStack,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> tuple[SpectralStack, Any]:
    """Bring the zero loss to 0 eV in both."""
    from napari_phasemap.core.eels.axis import align_zero_loss

    return align_zero_loss(
        low_loss.with_mask(core_loss.mask), core_loss, on_progress=on_progress
    )


@dataclass(frozen=True, eq=False)
class Corrected:
    """Stacks before and after a correction."""

    before: StackSet
    after: StackSet

    @property
    def changed(self) -> bool:
        """Whether any stack is another one."""
        return any(a is not b for a, b in zip(self.before, self.after, strict=True))

    @property
    def words(self) -> str:
        """What was done to every stack."""
        lines = []
        for old, new in zip(self.before, self.after, strict=True):
            said = "nothing to correct" if old is new else new.history[-1]
            lines.append(f"{new.name}: {said}")
        return "; ".join(lines)


def despiked(
    stacks: StackSet, /, *, on_progress: OnProgress = ignore_progress
) -> Corrected:
    """Take spikes out of every stack."""
    from napari_phasemap.core.eels.axis import remove_spikes

    done = [remove_spikes(stack, on_progress=on_progress) for stack in stacks]
    return Corrected(stacks, StackSet(done))


def calibrated(
    stacks: StackSet,
    edge: str,
    measured: float | None,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Corrected:
    """Move the energies so that an edge lies where it should.

    `measured` is where it begins now, in eV; None looks for the steepest rise.
    """
    from napari_phasemap.core.eels.axis import calibrate_onset
    from napari_phasemap.core.eels.recipe import EDGES
    from napari_phasemap.core.prepare.energy_axis import calibrate_energy

    known = EDGES[edge]
    done = []
    for number, stack in enumerate(stacks):
        on_progress(number, len(stacks), f"energies of {stack.name}")
        if measured is None:
            window = (known - ONSET_REACH, known + ONSET_REACH)
            done.append(calibrate_onset(stack, window=window, onset=known))
        else:
            done.append(calibrate_energy(stack, shift=known - measured))
    return Corrected(stacks, StackSet(done))


def save_sheet(
    stack: SpectralStack,
    edges: Mapping[str, EdgeAnalysis],
    measured: Thickness | None,
    folder: Path,
    /,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Path:
    """Write the figure and the tables of analyzed edges into a folder."""
    from napari_phasemap.core.eels.workflow import compare_edges
    from napari_phasemap.pipeline.drawing import DrawingProcess
    from napari_phasemap.pipeline.eels import write_eels

    found = compare_edges(stack, edges, measured=measured, on_progress=on_progress)
    on_progress(0, 0, f"writing {folder.name}")
    with DrawingProcess() as drawing:
        draw = partial(drawing.draw, "eels")
        return write_eels(
            found, folder, overwrite=overwrite, draw=draw, on_progress=on_progress
        )


def name_by(
    analysis: EdgeAnalysis,
    paths: Sequence[Path],
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> ClassNames:
    """Explain the classes by reference spectra from files."""
    from napari_phasemap.core.eels.naming import class_spectra, name_classes
    from napari_phasemap.io.spectra import read_references

    on_progress(0, 2, "reading references")
    references = read_references(paths)
    on_progress(1, 2, "comparing")
    spectra = class_spectra(analysis.edge, analysis.classes)
    return name_classes(
        spectra, references, tangents=analysis.recipe.fit_window is not None
    )
