"""What a change of the phase map is for the edge that the phase map shows.

* `with_edge`: the changes of a step, with the edge's own classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_phasemap.core.eels.edge import EdgeAnalysis

__all__ = ["with_edge"]


def with_edge(
    edges: Mapping[str, EdgeAnalysis], shown: str, changes: Mapping[str, Any], /
) -> dict[str, Any]:
    """Return changes with what another phase map is for the edge that it shows.

    Parameters
    ----------
    edges : mapping of str to EdgeAnalysis
        The analyzed edges, as they are before.
    shown : str
        Which of them the phase map shows; "" for none.
    changes : mapping of str to object
        Fields of the workspace and their new values.

    Returns
    -------
    dict
        The edge's classes first, so that whoever hears of the phase map finds them.
    """
    analysis, phases = edges.get(shown), changes.get("phase_map")
    if analysis is None or phases is None or "edges" in changes:
        return dict(changes)
    if phases.method != analysis.classes.method or phases is analysis.classes:
        return dict(changes)
    return {"edges": {**edges, shown: analysis.with_classes(phases)}, **changes}
