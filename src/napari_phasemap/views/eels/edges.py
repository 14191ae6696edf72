"""Where the results of edges lie in the viewer.

* `edges_for`: the `EdgeLink` of a viewer.
* `EdgeLink`: analyzed edges as layers, and what is painted on them as classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.shell.label_colors import changed_colors
from napari_phasemap.views.shell.link import link_for
from napari_phasemap.workspace.edges import put_classes, shown_edge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.thickness import Thickness

__all__ = ["THICKNESS", "EdgeLink", "edges_for", "layer_kinds"]

#: Kind of the thickness layer and name of the per-pixel values.
THICKNESS = "thickness t/λ"
#: What a labels layer counts to.
MOST_CLASSES = 255

_LINKS: WeakKeyDictionary[Any, EdgeLink] = WeakKeyDictionary()


def edges_for(viewer: Any) -> EdgeLink:
    """Return the edge link of a viewer, made on first use."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    if viewer not in _LINKS:
        _LINKS[viewer] = EdgeLink(viewer)
    return _LINKS[viewer]


def layer_kinds(edge: str) -> tuple[str, str, str]:
    """Return the kinds of an edge's layers: classes, net counts, signal to noise."""
    return f"{edge} classes", f"{edge} net", f"{edge} SNR"


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
        self._painted: WeakSet[Any] = WeakSet()
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
            self._store(analysis, phases)

    def _store(self, analysis: EdgeAnalysis, classes: PhaseMap) -> None:
        workspace, changed = self.workspace, analysis.with_classes(classes)
        workspace.edges = {**workspace.edges, analysis.recipe.name: changed}

    def _on_thickness(self, measured: Thickness | None) -> None:
        if measured is None or self.workspace.stacks is None:
            return
        t = measured.t_over_lambda
        self._add_features({THICKNESS: t})
        highest = float(np.nanmax(t, initial=0.1))
        self._link.results.show_values(
            THICKNESS,
            t,
            {"step": "thickness", "parameters": {"half_width": measured.half_width}},
            colormap="magma",
            contrast_limits=(0.0, highest),
        )

    # ---- Layers ----

    def _draw_layers(self) -> None:
        workspace = self.workspace
        for name in [n for n in self._drawn if n not in workspace.edges]:
            del self._drawn[name]
            for kind in layer_kinds(name):
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
        _, net, snr = layer_kinds(name)
        edge = analysis.edge
        about = {"step": "net edge", "parameters": _settings(analysis)}
        for kind, values in ((net, edge.signal), (snr, edge.snr)):
            known = values[np.isfinite(values)]
            low, high = np.percentile(known, (1.0, 99.5)) if known.size else (0.0, 1.0)
            self._link.results.show_values(
                kind,
                values,
                about,
                colormap="viridis",
                contrast_limits=(float(low), float(max(high, low + 1e-6))),
                visible=False,
            )
        self._add_features({net: edge.signal, snr: edge.snr})

    def _draw_classes(self, name: str, analysis: EdgeAnalysis, *, make: bool) -> None:
        kind = layer_kinds(name)[0]
        classes = analysis.classes
        if classes.n_phases > MOST_CLASSES:
            raise InputError(
                f"{classes.n_phases} classes of {name} do not fit a labels layer of "
                f"{MOST_CLASSES}; choose fewer"
            )
        about = {"step": classes.method, "parameters": _settings(analysis)}
        results = self._link.results
        results.show_labels(
            kind, classes.labels, classes.names, classes.colors, about, make=make
        )
        for layer in self._class_layers(name):
            if layer not in self._painted:
                layer.events.labels_update.connect(self._on_painted)
                layer.events.set_data.connect(self._on_painted)
                layer.events.colormap.connect(self._on_colors)
                self._painted.add(layer)

    def _show_only(self, active: str) -> None:
        """Show the active edge's classes alone: other maps would be mixed with them."""
        if active == self._active or active not in self.workspace.edges:
            return
        self._active = active
        for layer in self._layers(THICKNESS):
            layer.visible = False
        for name in self.workspace.edges:
            for layer in self._class_layers(name):
                layer.visible = name == active
        for layer in self._class_layers(active)[:1]:
            self._link.activate(layer)

    def _class_layers(self, name: str) -> list[Any]:
        return self._layers(layer_kinds(name)[0])

    def _layers(self, kind: str) -> list[Any]:
        stacks = self.workspace.stacks or ()
        layers = [self._link.results.layer(stack.name, kind) for stack in stacks]
        return [layer for layer in layers if layer is not None]

    def _on_painted(self, event: Any) -> None:
        """Take classes that were painted by hand."""
        stacks = self.workspace.stacks
        if self._showing or stacks is None:
            return
        for name, analysis in dict(self.workspace.edges).items():
            classes = analysis.classes
            labels = classes.labels.copy()
            kind = layer_kinds(name)[0]
            for part, stack in zip(stacks.split(labels), stacks, strict=True):
                layer = self._link.results.layer(stack.name, kind)
                if layer is not None:
                    shown = layer.data[stack.mask]
                    part[:] = np.where(shown <= classes.n_phases, shown, part)
            if np.array_equal(labels, classes.labels):
                continue
            painted = classes.with_labels(labels)
            if name == self.workspace.edge:
                self.workspace.phase_map = painted
            else:
                self._store(analysis, painted)

    def _on_colors(self, event: Any) -> None:
        """Take other colors of a layer (napari can shuffle them) into the classes."""
        if self._showing:
            return
        for name, analysis in dict(self.workspace.edges).items():
            if event.source not in self._class_layers(name):
                continue
            colors = changed_colors(event.source, analysis.classes.colors)
            if not colors:
                continue
            recolored = analysis.with_classes(analysis.classes.with_colors(colors))
            put_classes(self.workspace, recolored, f"colors of {name}")

    def _add_features(self, values: Mapping[str, Any]) -> None:
        known = self.workspace.features
        if any(known.get(name) is not value for name, value in values.items()):
            self.workspace.features = {**known, **values}


def _settings(analysis: EdgeAnalysis) -> dict[str, Any]:
    """Return the settings of an analysis for the provenance."""
    from dataclasses import asdict

    return asdict(analysis.recipe)
