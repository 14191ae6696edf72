"""The workspace as files: what the Save button writes.

* `save_workspace`: results, table, figures and recipe in a new folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_phasemap.core.progress import OnProgress, ignore_progress

if TYPE_CHECKING:
    from pathlib import Path

    from napari_phasemap.workspace import Workspace

__all__ = ["results_of", "save_workspace"]


def results_of(workspace: Workspace) -> Any:
    """Return a snapshot of the workspace that may be written in another thread.

    Raises
    ------
    ValueError
        If there is no phase map yet.
    """
    from napari_phasemap.io.results import Results

    if workspace.stacks is None or workspace.phase_map is None:
        raise ValueError("there is nothing to save yet; correlate first")
    maps = {"phase_map": workspace.phase_map}
    if workspace.resolved is not None:
        maps["resolved"] = workspace.resolved
    return Results(
        stacks=workspace.stacks,
        references=workspace.references,
        maps=maps,
        latent=workspace.latent,
        latent_name=workspace.latent_name,
        features=dict(workspace.features),
        selections=tuple(workspace.selections),  # type: ignore[arg-type]
        threshold=workspace.threshold,
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
    """Write a snapshot into a new folder, as the command line does."""
    from napari_phasemap.pipeline.bundle import write_bundle

    return write_bundle(results, folder, overwrite=overwrite, on_progress=on_progress)


def _recipe(workspace: Workspace) -> dict[str, Any]:
    """Return what was done: by hand in napari, so steps instead of a command."""
    from napari_phasemap.pipeline.recipe import provenance

    stacks = workspace.stacks or ()
    maps = (workspace.phase_map, workspace.resolved)
    return {
        "provenance": provenance([]),
        "threshold": workspace.threshold,
        "histories": {stack.name: list(stack.history) for stack in stacks},
        "steps": [
            {"method": phases.method, "parameters": dict(phases.parameters)}
            for phases in maps
            if phases is not None
        ],
    }
