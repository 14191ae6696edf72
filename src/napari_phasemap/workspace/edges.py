"""What happens to the analyzed edges of a workspace, each as a step to take back.

* `put_edges`: results taken in; `remove_edge`: forgotten.
* `show_edge`: which one the phase map and the latent space show; `shown_edge`.
* `put_classes`: other classes of one edge, merged, painted or renamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.workspace.state import Workspace

__all__ = [
    "put_classes",
    "put_edges",
    "remove_edge",
    "show_edge",
    "shown_edge",
]


def shown_edge(workspace: Workspace, /) -> EdgeAnalysis | None:
    """Return the edge that the phase map and the latent space show.

    Parameters
    ----------
    workspace : Workspace
        With or without edges.

    Returns
    -------
    EdgeAnalysis or None
        None where there is none.
    """
    return workspace.edges.get(workspace.edge)


def put_edges(workspace: Workspace, analyses: Iterable[EdgeAnalysis], /) -> None:
    """Take results in; show the first of them unless the shown one is among them.

    Parameters
    ----------
    workspace : Workspace
        Its `edges` and `computed` get them; what references said of them is forgotten.
        `computed` only saves work, so that it is no part of the step.
    analyses : iterable of EdgeAnalysis
        Of the pixels of the workspace.
    """
    new = {analysis.recipe.name: analysis for analysis in analyses}
    if not new:
        return
    known = {n: said for n, said in workspace.class_names.items() if n not in new}
    workspace.computed = {**workspace.computed, **new}
    _step(
        workspace,
        f"run {', '.join(new)}",
        {**workspace.edges, **new},
        workspace.edge if workspace.edge in new else next(iter(new)),
        class_names=known,
        resolved=None,
    )


def show_edge(workspace: Workspace, name: str, /) -> None:
    """Show an analyzed edge as phase map and latent space.

    Parameters
    ----------
    workspace : Workspace
        A resolved map is of another edge, so that it goes.
    name : str
        One of `workspace.edges`.
    """
    _step(workspace, f"show {name}", workspace.edges, name, resolved=None)


def remove_edge(workspace: Workspace, name: str, /) -> None:
    """Forget an edge; the first of the others is shown in its place.

    Parameters
    ----------
    workspace : Workspace
        Where the edge is; nothing happens where it is not.
    name : str
        Its name.
    """
    workspace.computed = _without(workspace.computed, name)
    rest = _without(workspace.edges, name)
    shown = workspace.edge if workspace.edge in rest else next(iter(rest), "")
    _step(
        workspace,
        f"remove {name}",
        rest,
        shown,
        class_names=_without(workspace.class_names, name),
    )


def put_classes(workspace: Workspace, analysis: EdgeAnalysis, text: str, /) -> None:
    """Take an edge with other classes in.

    Parameters
    ----------
    workspace : Workspace
        What references said of other numbers of classes is forgotten.
    analysis : EdgeAnalysis
        One of the workspace's edges with other classes.
    text : str
        Names the step in the menu.
    """
    name = analysis.recipe.name
    before = workspace.edges[name].classes.n_phases
    named = workspace.class_names
    if before != analysis.classes.n_phases:
        named = _without(named, name)
    edges = {**workspace.edges, name: analysis}
    _step(workspace, text, edges, workspace.edge, class_names=named)


def _step(
    workspace: Workspace,
    text: str,
    edges: Mapping[str, EdgeAnalysis],
    shown: str,
    **more: Any,
) -> None:
    """Change the edges and which is shown; phase map and latent space follow."""
    changes: dict[str, Any] = {**more, "edges": edges, "edge": shown}
    old, new = shown_edge(workspace), edges.get(shown)
    if new is not None:
        changes["phase_map"] = new.classes
        if old is None or not _same_picture(old, new):
            changes["latent_markers"] = {}
            changes["latent_name"] = f"{new.kind} {new.recipe.name}"
            changes["latent"] = new.picture()
    workspace.apply(text, **changes)


def _same_picture(old: EdgeAnalysis, new: EdgeAnalysis) -> bool:
    return (
        old.recipe.name == new.recipe.name
        and old.values is new.values
        and old.embedding is new.embedding
    )


def _without(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a mapping without a key: the same object where there is none."""
    if name not in fields:
        return fields
    return {key: value for key, value in fields.items() if key != name}
