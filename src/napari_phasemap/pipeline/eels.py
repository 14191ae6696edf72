"""From a spectrum image on disk to a folder with classes, bonds and a figure.

* `run_eels`: the workflow of `core.eels.workflow`, read from and written to files.
* `write_eels`: the folder alone, for an analysis that is there; `write_edges`: for
  edges that are there.
* `name_by_files`: classes explained by reference spectra from files.
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.eels.jump_ratio import suggest_jump_ratio
from napari_phasemap.core.eels.recipe import edge_recipe, parse_edge, suggest_recipe
from napari_phasemap.core.eels.workflow import (
    EelsAnalysis,
    analyze_edges,
    compare_edges,
)
from napari_phasemap.io.read import read_stack
from napari_phasemap.pipeline.bundle import check_output, replacing_results, written
from napari_phasemap.pipeline.drawing import DrawingProcess
from napari_phasemap.pipeline.recipe import HEADER, provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.naming import ClassNames
    from napari_phasemap.core.eels.recipe import EdgeRecipe
    from napari_phasemap.core.eels.thickness import Thickness

__all__ = ["draw_figure", "name_by_files", "run_eels", "write_edges", "write_eels"]


def run_eels(
    path: str | PathLike[str],
    edges: Sequence[str],
    output: str | PathLike[str],
    /,
    *,
    low_loss: str | PathLike[str] | None = None,
    preset: str = "recommended",
    n_clusters: int | None = None,
    method: str | None = None,
    embed: bool = True,
    seed: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> EelsAnalysis:
    """Analyze the edges of a spectrum image and write the results.

    Parameters
    ----------
    path : str or path
        The spectrum image.
    edges : sequence of str
        ``"Si_L:70-95:99-130"`` (name, fit window, signal window in eV), or the name of
        a known edge alone for suggested windows. The jump ratio is a suggested one.
    output : str or path
        Folder for the results.
    low_loss : str or path, optional
        File with the low loss of the same pixels; default the one in `path`, if any.
    preset : {"recommended", "paper"}, default="recommended"
        Table of settings.
    n_clusters : int, optional
        Classes per edge; default the preset's.
    method : {"poisson", "least_squares"}, optional
        Background fit; default the preset's.
    embed : bool, default=True
        Whether UMAP embeddings are made.
    seed : int, optional
        Seed of everything random; default the preset's.
    overwrite : bool, default=False
        Whether the results of an earlier run may be replaced.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    EelsAnalysis
        What was written.

    Raises
    ------
    ValueError
        If no edge is given, or windows or files do not fit.
    FileExistsError
        If the folder holds something and may not be overwritten.
    """
    if not edges:
        raise InputError("no edge; give at least one, for example Si_L:70-95:99-130")
    check_output(Path(output), overwrite=overwrite)
    core, low = _read(Path(path), None if low_loss is None else Path(low_loss))
    changes: dict[str, Any] = {
        "n_clusters": n_clusters,
        "method": method,
        "seed": seed,
        "embed": None if embed else False,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    recipes = [_recipe(text, core, preset, given) for text in edges]
    found = analyze_edges(core, recipes, low_loss=low, on_progress=on_progress)
    inputs = [Path(path), *([Path(low_loss)] if low_loss is not None else [])]
    write_eels(found, output, inputs=inputs, overwrite=overwrite)
    return found


def write_eels(
    analysis: EelsAnalysis,
    output: str | PathLike[str],
    /,
    *,
    inputs: Sequence[Path] = (),
    overwrite: bool = False,
    draw: Callable[[EelsAnalysis, Path, OnProgress], None] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Path:
    """Write an analysis: maps, spectra, pairs, figure and settings.

    Parameters
    ----------
    analysis : EelsAnalysis
        From `analyze_edges`.
    output : str or path
        Folder, made if it is missing.
    inputs : sequence of Path, optional
        Files it came from, for the provenance.
    overwrite : bool, default=False
        Whether the results of an earlier run may be replaced.
    draw : callable, optional
        Draws the figure; default `draw_figure`, here. A window has a process for it.
    on_progress : callable, optional
        Told while the figure is drawn; may raise `Cancelled`.

    Returns
    -------
    Path
        The folder: ``maps.npz`` (labels, net sums, signal-to-noise, embeddings and
        t/lambda as images), one ``spectra_<edge>.csv`` per edge, one
        ``pairs_<a>_<b>.csv`` per pair of edges, ``eels.png``, ``.svg`` and ``.pdf`` and
        ``recipe.json``.
    """
    output = Path(output)
    with replacing_results(output, overwrite=overwrite) as folder:
        np.savez_compressed(folder / "maps.npz", **_images(analysis))
        for edge in analysis.edges.values():
            _write_spectra(folder / f"spectra_{_stem(edge.recipe.name)}.csv", edge)
        for (a, b), pairs in analysis.pairs.items():
            pairs.to_csv(folder / f"pairs_{_stem(a)}_{_stem(b)}.csv")
        (draw or draw_figure)(analysis, folder, on_progress)
        settings = {
            **HEADER,
            "command": "eels",
            "edges": [asdict(edge.recipe) for edge in analysis.edges.values()],
            "warnings": list(analysis.warnings),
            "found": {name: _found(edge) for name, edge in analysis.edges.items()},
            "failed": dict(analysis.failed),
            "history": list(analysis.stack.history),
            "provenance": provenance(inputs),
            **written(folder),
        }
        text = json.dumps(settings, indent=2, default=str)
        (folder / "recipe.json").write_text(text + "\n", encoding="utf-8")
    return output


def draw_figure(
    analysis: EelsAnalysis, folder: Path, on_progress: OnProgress = ignore_progress, /
) -> None:
    """Draw the figure of an analysis as PNG, SVG and PDF into a folder.

    Parameters
    ----------
    analysis : EelsAnalysis
        What to draw.
    folder : Path
        Where to.
    on_progress : callable, optional
        Called with (step, total, text).
    """
    from napari_phasemap.figures import eels_sheet, save_figure

    figure = eels_sheet(analysis)
    for step, suffix in enumerate(kinds := ("png", "svg", "pdf")):
        on_progress(step, len(kinds), f"figure as {suffix.upper()}")
        save_figure(figure, folder / f"eels.{suffix}")


def _found(edge: EdgeAnalysis) -> dict[str, Any]:
    """Return in words how sure presence and classes of an edge are."""
    seen = edge.presence
    return {
        "presence": "every pixel is taken" if seen is None else seen.reason,
        "presence_is_sure": seen is None or seen.sure,
        "classes": edge.kinds.reason,
        "n_kinds": edge.kinds.n_kinds,
    }


def write_edges(
    stack: SpectralStack,
    edges: Mapping[str, EdgeAnalysis],
    measured: Thickness | None,
    folder: Path,
    /,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Path:
    """Write the figure and the tables of analyzed edges into a folder.

    Parameters
    ----------
    stack : SpectralStack
        What the edges were analyzed in.
    edges : mapping of str to EdgeAnalysis
        By name, with their classes as they are.
    measured : Thickness or None
        Of the same pixels.
    folder : Path
        Made if it is missing.
    overwrite : bool, default=False
        Whether the results of an earlier run may be replaced.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Path
        The folder, as `write_eels` fills it.

    Raises
    ------
    InputError
        If there is no edge.
    """
    found = compare_edges(stack, edges, measured=measured, on_progress=on_progress)
    on_progress(0, 0, f"writing {folder.name}")
    # A dock calls this in a thread, where matplotlib must not draw.
    with DrawingProcess() as drawing:
        return write_eels(
            found,
            folder,
            overwrite=overwrite,
            draw=partial(drawing.draw, "eels"),
            on_progress=on_progress,
        )


def name_by_files(
    analysis: EdgeAnalysis,
    paths: Sequence[Path],
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> ClassNames:
    """Explain the classes of an edge by reference spectra from files.

    Parameters
    ----------
    analysis : EdgeAnalysis
        With its classes as they are.
    paths : sequence of Path
        Spectra of pure phases without background.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    ClassNames
        See `name_classes`.
    """
    from napari_phasemap.core.eels.naming import name_classes
    from napari_phasemap.io.spectra import read_references

    on_progress(0, 2, "reading references")
    references = read_references(paths)
    on_progress(1, 2, "comparing")
    tangents = analysis.recipe.fit_window is not None
    return name_classes(analysis.spectra, references, tangents=tangents)


def _read(
    path: Path, low_path: Path | None
) -> tuple[SpectralStack, SpectralStack | None]:
    """Return the core loss and, where there is one, the low loss of its pixels."""
    found = read_stack(path)
    stacks = [found] if isinstance(found, SpectralStack) else found
    core = [stack for stack in stacks if not _has_zero(stack)]
    if len(core) != 1:
        names = ", ".join(repr(stack.name) for stack in stacks)
        raise InputError(
            f"{path.name} holds {len(core)} core-loss stacks ({names}); give a file "
            "with one"
        )
    if low_path is None:
        same = [s for s in stacks if _has_zero(s) and s.shape == core[0].shape]
        return core[0], same[0] if same else None
    low = read_stack(low_path)
    if not isinstance(low, SpectralStack):
        raise InputError(
            f"{low_path.name} holds {len(low)} stacks; give a file with one"
        )
    return core[0], low


def _has_zero(stack: SpectralStack) -> bool:
    return bool(stack.energy[0] <= 0.0 <= stack.energy[-1])


def _recipe(
    text: str, stack: SpectralStack, preset: str, given: dict[str, Any]
) -> EdgeRecipe:
    """Return the recipe that a word of the command line means."""
    if ":" in text:
        recipe = edge_recipe(*parse_edge(text), preset=preset, **given)
    else:
        known = suggest_recipe(text, stack)
        recipe = edge_recipe(
            known.name, known.fit_window, known.window, preset=preset, **given
        )
    try:
        return replace(recipe, jump_ratio=suggest_jump_ratio(stack, recipe))
    except InputError:  # running the edge will say what is wrong, and run the others
        return recipe


def _images(analysis: EelsAnalysis) -> dict[str, Any]:
    """Return every per-pixel result as an image."""
    from napari_phasemap.core.data.stack_set import StackSet

    stacks = StackSet([analysis.stack])
    out: dict[str, Any] = {}
    for name, edge in analysis.edges.items():
        stem = _stem(name)
        out[f"{stem}_classes"] = stacks.to_image(edge.classes.labels, 0, fill=0)
        out[f"{stem}_net"] = stacks.to_image(edge.edge.signal, 0)
        out[f"{stem}_snr"] = stacks.to_image(edge.edge.snr, 0)
        if edge.embedding is not None:
            out[f"{stem}_embedding"] = stacks.to_image(edge.embedding, 0)
    if analysis.thickness is not None:
        out["t_over_lambda"] = stacks.to_image(analysis.thickness.t_over_lambda, 0)
    return out


def _write_spectra(path: Path, edge: EdgeAnalysis) -> None:
    """Write energy, means and standard errors as columns."""
    spectra = edge.spectra
    header = ["energy_eV"]
    for name in spectra.names:
        header += [name, f"{name} standard error"]
    columns = [spectra.energy]
    for mean, error in zip(spectra.mean, spectra.standard_error, strict=True):
        columns += [mean, error]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(np.column_stack(columns).tolist())


def _stem(name: str) -> str:
    """Return a name that every file system takes."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
