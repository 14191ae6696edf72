"""The workspace as files: what the Save button writes.

* `snapshot`, `results_of`: what there is, for a thread that writes it.
* `save_workspace`: results, table, figures and recipe in a new folder.
* `open_results`, `show_results`: what was saved, back in the workspace.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.workspace import PEARSON, POSTERIOR, Selection
from napari_phasemap.workspace.made import Made

if TYPE_CHECKING:
    from pathlib import Path

    from napari_phasemap.views.shell.link import ViewerLink
    from napari_phasemap.workspace import Workspace

__all__ = ["open_results", "results_of", "save_workspace", "show_results", "snapshot"]


def results_of(workspace: Workspace) -> Any:
    """Return a snapshot of the workspace that may be written in another thread.

    Raises
    ------
    ValueError
        If there is no phase map yet.
    """
    if workspace.stacks is None or workspace.phase_map is None:
        raise InputError("there is nothing to save yet; correlate first")
    return snapshot(workspace)


def snapshot(workspace: Workspace) -> Any:
    """Return what there is, with or without a phase map.

    Raises
    ------
    ValueError
        If no pixels are analyzed yet.
    """
    from napari_phasemap.io.results import Results

    if workspace.stacks is None:
        raise InputError(
            "there is nothing to save yet; open stacks and convert them first"
        )
    found = {
        "phase_map": workspace.phase_map,
        "resolved": workspace.resolved,
        "posterior": workspace.posterior,
    }
    maps = {name: one for name, one in found.items() if one is not None}
    return Results(
        stacks=workspace.stacks,
        references=workspace.references,
        maps=maps,
        latent=workspace.latent,
        latent_name=workspace.latent_name,
        features=dict(workspace.features),
        selections=tuple(workspace.selections),  # type: ignore[arg-type]
        threshold=workspace.threshold,
        level=workspace.level,
        recipe=_recipe(workspace),
    )


def save_workspace(
    results: Any,
    folder: Path,
    /,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Path:
    """Write a snapshot into a new folder, as the command line does.

    The figures are drawn in a process of their own, see `pipeline.drawing`.
    """
    from napari_phasemap.pipeline.bundle import write_bundle
    from napari_phasemap.pipeline.drawing import DrawingProcess

    with DrawingProcess() as drawing:
        return write_bundle(
            results,
            folder,
            overwrite=overwrite,
            draw=partial(drawing.draw, "results"),
            on_progress=on_progress,
        )


def open_results(path: Path, /, *, on_progress: OnProgress = ignore_progress) -> Any:
    """Read results that were saved here or written by the command line."""
    from napari_phasemap.io.results import read_results

    on_progress(0, 1, f"reading {path.name}")
    return read_results(path)


def show_results(results: Any, link: ViewerLink) -> None:
    """Put results into the workspace in place of what is there."""
    workspace = link.workspace
    link.close_stack(*(source.name for source in workspace.sources))
    link.open_stacks(list(results.stacks))
    workspace.set_stacks(results.stacks)
    workspace.references = results.references
    workspace.threshold, workspace.level = results.threshold, results.level
    maps = dict(results.maps)
    workspace.phase_map = maps.get("phase_map", next(iter(maps.values()), None))
    workspace.features = dict(results.features)
    workspace.latent_name = results.latent_name
    workspace.latent = results.latent
    workspace.resolved = maps.get("resolved")
    workspace.posterior = maps.get("posterior")
    workspace.method = PEARSON if workspace.posterior is None else POSTERIOR
    workspace.made = Made(
        references=results.references,
        threshold=None if workspace.resolved is None else results.threshold,
    )
    workspace.selections = tuple(
        Selection(named.name, named.pixels, named.color) for named in results.selections
    )


def _recipe(workspace: Workspace) -> dict[str, Any]:
    """Return what was done: by hand in napari, so steps instead of a command."""
    from napari_phasemap.pipeline.recipe import provenance

    stacks = workspace.stacks or ()
    maps = (workspace.phase_map, workspace.resolved, workspace.posterior)
    return {
        "provenance": provenance([]),
        "threshold": workspace.threshold,
        "level": workspace.level,
        "histories": {stack.name: list(stack.history) for stack in stacks},
        "steps": [
            {"method": phases.method, "parameters": dict(phases.parameters)}
            for phases in maps
            if phases is not None
        ],
    }
