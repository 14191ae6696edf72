"""Where the results of edges lie in the viewer.

* `edges_for`: the `EdgeLink` of a viewer.
* `EdgeLink`: analyzed edges as layers.
* `classes_of`: the kind of layer on which painting edits the classes of an edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.shell.kinds import Kind, Values, of_phases
from napari_phasemap.views.shell.link import link_for
from napari_phasemap.views.shell.registry import of_viewer
from napari_phasemap.workspace.edges import put_classes, shown_edge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.thickness import Thickness
    from napari_phasemap.workspace import Workspace

__all__ = ["THICKNESS", "EdgeLink", "classes_of", "edges_for"]

#: Name of the thickness layer and of the per-pixel values.
THICKNESS = "thickness t/λ"
THICKNESS_KIND = Kind(THICKNESS)
#: What a labels layer counts to.
MOST_CLASSES = 255


def edges_for(viewer: Any) -> EdgeLink:
    """Return the edge link of a viewer, made on first use."""
    return of_viewer(viewer, EdgeLink, EdgeLink)


def classes_of(edge: str) -> Kind:
    """Return the kind of an edge's classes: painting a layer edits the analysis."""

    def classes(workspace: Workspace) -> PhaseMap | None:
        analysis = workspace.edges.get(edge)
        return None if analysis is None else analysis.classes

    def store(workspace: Workspace, changed: PhaseMap, text: str) -> None:
        analysis = workspace.edges[edge].with_classes(changed)
        put_classes(workspace, analysis, f"{text} of {edge}")

    def about(workspace: Workspace) -> dict[str, Any]:
        analysis = workspace.edges[edge]
        return {"step": analysis.classes.method, "parameters": _settings(analysis)}

    return of_phases(f"{edge} classes", classes, store, about=about)


def net_counts_of(edge: str) -> Kind:
    """Return the kind of an edge's net counts."""
    return Kind(f"{edge} net")


def snr_of(edge: str) -> Kind:
    """Return the kind of an edge's signal to noise ratio."""
    return Kind(f"{edge} SNR")


class EdgeLink:
    """Keeps the layers in step with `workspace.edges`.

    Writes `features`, and `edges` with `edge` where classes were painted or recolored
    on a layer, or the phase map became another one.
    """

    def __init__(self, viewer: Any) -> None:
        self._link = link_for(viewer)
        self.workspace = self._link.workspace
        self._drawn: dict[str, EdgeAnalysis] = {}
        self._active = ""
        self._showing = False
        events = self.workspace.events
        events.edges.connect(self._on_edges)
        events.edge.connect(self._on_edges)
        events.phase_map.connect(self._on_phase_map)
        events.thickness.connect(self._on_thickness)
        events.stacks.connect(self._on_stacks)

    # ---- Following the workspace ----

    def _on_stacks(self, _: StackSet | None) -> None:
        self._drawn.clear()
        self._active = ""

    def _on_edges(self, *_: Any) -> None:
        if self._showing or self.workspace.stacks is None:
            return
        self._showing = True
        try:
            self._draw_layers()
        finally:
            self._showing = False

    def _on_phase_map(self, phases: PhaseMap | None) -> None:
        """Take classes that were changed elsewhere; let go if it is another map."""
        analysis = shown_edge(self.workspace)
        if self._showing or analysis is None or phases is analysis.classes:
            return
        if phases is None or phases.method != analysis.classes.method:
            self.workspace.edge = ""
        else:
            changed = analysis.with_classes(phases)
            edges = self.workspace.edges
            self.workspace.edges = {**edges, analysis.recipe.name: changed}

    def _on_thickness(self, measured: Thickness | None) -> None:
        if measured is None or self.workspace.stacks is None:
            return
        t = measured.t_over_lambda
        self._add_features({THICKNESS: t})
        highest = float(np.nanmax(t, initial=0.1))
        about = {"step": "thickness", "parameters": {"half_width": measured.half_width}}
        picture = Values(t, about, "magma", (0.0, highest))
        self._link.results.put(THICKNESS_KIND, picture)

    # ---- Layers ----

    def _draw_layers(self) -> None:
        workspace = self.workspace
        for name in [n for n in self._drawn if n not in workspace.edges]:
            del self._drawn[name]
            for kind in (classes_of(name), net_counts_of(name), snr_of(name)):
                self._link.results.hide(kind)
        for name, analysis in workspace.edges.items():
            old = self._drawn.get(name)
            self._drawn[name] = analysis
            if old is None or old.edge is not analysis.edge:
                self._draw_maps(name, analysis)
            if old is None or old.classes is not analysis.classes:
                new = old is None or old.recipe is not analysis.recipe
                self._draw_classes(name, analysis, make=new)
        self._show_only(workspace.edge)

    def _draw_maps(self, name: str, analysis: EdgeAnalysis) -> None:
        edge = analysis.edge
        about = {"step": "net edge", "parameters": _settings(analysis)}
        maps = {net_counts_of(name): edge.signal, snr_of(name): edge.snr}
        for kind, values in maps.items():
            known = values[np.isfinite(values)]
            low, high = np.percentile(known, (1.0, 99.5)) if known.size else (0.0, 1.0)
            limits = (float(low), float(max(high, low + 1e-6)))
            picture = Values(values, about, "viridis", limits)
            self._link.results.put(kind, picture, visible=False)
        self._add_features({kind.name: values for kind, values in maps.items()})

    def _draw_classes(self, name: str, analysis: EdgeAnalysis, *, make: bool) -> None:
        kind, classes = classes_of(name), analysis.classes
        if classes.n_phases > MOST_CLASSES:
            raise InputError(
                f"{classes.n_phases} classes of {name} do not fit a labels layer of "
                f"{MOST_CLASSES}; choose fewer"
            )
        picture = kind.draw(self.workspace) if kind.draw else None
        if picture is not None:
            self._link.results.put(kind, picture, make=make)

    def _show_only(self, active: str) -> None:
        """Show the active edge's classes alone: other maps would be mixed with them."""
        if active == self._active or active not in self.workspace.edges:
            return
        self._active = active
        results = self._link.results
        for layer in results.layers(THICKNESS_KIND):
            layer.visible = False
        for name in self.workspace.edges:
            for layer in results.layers(classes_of(name)):
                layer.visible = name == active
        for layer in results.layers(classes_of(active))[:1]:
            self._link.activate(layer)

    def _add_features(self, values: Mapping[str, Any]) -> None:
        known = self.workspace.features
        if any(known.get(name) is not value for name, value in values.items()):
            self.workspace.features = {**known, **values}


def _settings(analysis: EdgeAnalysis) -> dict[str, Any]:
    """Return the settings of an analysis for the provenance."""
    from dataclasses import asdict

    return asdict(analysis.recipe)
