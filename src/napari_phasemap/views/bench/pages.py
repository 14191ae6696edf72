"""Which pages the form of an arrangement has, and where the steps of its way are.

* `ARRANGEMENTS`: the pages of each.
* `PLACES`: the page of each step, and the title of its box there.
* `build`: make a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_phasemap.workspace.path import eels_path_of, path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.views.shell.dock import Dock
    from napari_phasemap.workspace import Workspace
    from napari_phasemap.workspace.path import Station

__all__ = ["ARRANGEMENTS", "EELS", "PATHS", "PLACES", "STXM", "TITLES", "build"]

STXM, EELS = "STXM", "EELS"
DATA, PHASES, LATENT, FIGURE = "Data", "Phases", "Latent space", "Figure"
EDGES, PAIRS = "Edges", "Pairs"
#: Titles of all pages in the order of their tabs.
TITLES = (DATA, PHASES, EDGES, PAIRS, LATENT, FIGURE)
ARRANGEMENTS = {
    STXM: (DATA, PHASES, LATENT, FIGURE),
    EELS: (EDGES, PAIRS, FIGURE),
}
PATHS: dict[str, Callable[[Workspace], tuple[Station, ...]]] = {
    STXM: path_of,
    EELS: eels_path_of,
}
#: Of each step: its page, and what its box (or the page's own tab) is called.
PLACES = {
    STXM: {
        "Open": (DATA, ""),
        "Convert": (DATA, "Optical density"),
        "Pixels": (DATA, "Analyzed pixels"),
        "References": (PHASES, "References"),
        "Correlate": (PHASES, "Phases"),
        "Resolve": (LATENT, "Resolve ambiguity"),
        "Figure": (FIGURE, ""),
    },
    EELS: {
        "Open": (EDGES, "Image"),
        "Pixels": (EDGES, "Image"),
        "Edges": (EDGES, "Edges"),
        "Classes": (EDGES, "Classes"),
        "Figure": (FIGURE, ""),
    },
}


def build(title: str, viewer: Any, workspace: Workspace) -> Dock:
    """Return a new page: a dock that can stand alone as well."""
    if title == DATA:
        from napari_phasemap.views.phases.data_panel import DataPanel

        return DataPanel(viewer, workspace)
    if title == PHASES:
        from napari_phasemap.views.phases.phase_panel import PhasePanel

        return PhasePanel(viewer, workspace)
    if title == LATENT:
        from napari_phasemap.views.training.latent_panel import LatentPanel

        return LatentPanel(viewer, workspace)
    if title == EDGES:
        from napari_phasemap.views.eels.panel import EelsPanel

        return EelsPanel(viewer, workspace)
    if title == PAIRS:
        from napari_phasemap.views.eels.co_occurrence import CoOccurrencePanel

        return CoOccurrencePanel(viewer, workspace)
    from napari_phasemap.views.bench.figure_page import FigurePage

    return FigurePage(viewer, workspace)
