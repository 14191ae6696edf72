"""Which layer shows what: one viewer and its workspace.

* `workspace_for`: the workspace of a viewer, made on first use.
* `link_for`: the `ViewerLink` of a viewer.
* `ViewerLink`: stacks as image layers side by side, the energy as text, and the parts
  that place them (`ParticleLayout`), show results (`ResultLayers`), names
  (`ParticleNames`), pointing (`Pointer`) and one particle alone (`Walk`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from napari.layers import Image

from napari_phasemap.io.npe2 import METADATA_KEY, contrast_limits, stack_layer
from napari_phasemap.views.shell.inserting import inserting
from napari_phasemap.views.shell.layout import ParticleLayout
from napari_phasemap.views.shell.names import ParticleNames
from napari_phasemap.views.shell.pointer import Pointer
from napari_phasemap.views.shell.registry import of_viewer
from napari_phasemap.views.shell.result_layers import ResultLayers
from napari_phasemap.views.shell.status import tell_pixels
from napari_phasemap.views.shell.walk import Walk
from napari_phasemap.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_phasemap.core.data.layout import Place
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import StackSet

__all__ = ["ViewerLink", "link_for", "workspace_for"]


def link_for(viewer: Any) -> ViewerLink:
    """Return the link of a viewer, made on first use."""
    return of_viewer(viewer, ViewerLink, ViewerLink)


def workspace_for(viewer: Any) -> Workspace:
    """Return the workspace that all views of a viewer share."""
    return link_for(viewer).workspace


class ViewerLink:
    """Connects the layers of one viewer with one workspace, both ways.

    Writes `workspace.sources` when stacks appear among the layers, and
    `workspace.energy_index` when the slider moves. Shows whatever the workspace holds.
    """

    def __init__(self, viewer: ViewerModel, workspace: Workspace | None = None) -> None:
        self._viewer = ref(viewer)
        self.workspace = workspace or Workspace()
        self._stack_layers: dict[str, Any] = {}
        self._arriving: list[SpectralStack] | None = None
        self.places = ParticleLayout(self.workspace)
        self.results = ResultLayers(viewer, self.workspace, self.places)
        self.pointer = Pointer(viewer, self.workspace, self.places)
        self.names = ParticleNames(viewer, self.places)
        self.places.changed.connect(self.arrange)  # before the view is fitted to it
        self.walk = Walk(viewer, self.places, self.stack_layer)
        viewer.layers.events.inserted.connect(self._on_layer_inserted)
        viewer.dims.events.current_step.connect(self._on_step)
        viewer.layers.selection.events.active.connect(self._on_step)
        self.workspace.events.stacks.connect(self._on_stacks)
        for layer in list(viewer.layers):
            self._adopt(layer)

    # ---- Stacks and their layers ----

    def open_stacks(self, stacks: Sequence[SpectralStack]) -> None:
        """Show stacks as image layers; the workspace learns of all of them at once.

        Each layer is made where it will lie: napari looks at all layers again for every
        one that moves.
        """
        viewer = self._viewer()
        if viewer is None:
            return
        first = not self._stack_layers
        named = self._named(stacks)
        self._arriving = []
        try:
            self.places.expect(named)
            with inserting(viewer):
                for stack in named:
                    self._add(viewer, stack)
        finally:
            arrived, self._arriving = tuple(self._arriving), None
            self.workspace.sources = (*self.workspace.sources, *arrived)
            self.places.expect(())
        self.names.move()
        self._on_step()
        if first:
            viewer.reset_view()

    def _add(self, viewer: Any, stack: SpectralStack) -> None:
        """Make the layer of a stack where it will lie."""
        data, attributes, _ = stack_layer(stack, in_nm=self.in_nm)
        place = self.places.place(stack.name)
        if place is not None:
            attributes["scale"] = (1.0, *place.scale)
            attributes["translate"] = (0.0, *place.translate)
        viewer.add_image(data, **attributes)

    def _named(self, stacks: Sequence[SpectralStack]) -> list[SpectralStack]:
        """Return stacks under names that no other stack has."""
        taken = {s.name for s in self.workspace.sources if self.stack_layer(s.name)}
        named = []
        for stack in stacks:
            named.append(_with_new_name(stack, taken))
            taken.add(named[-1].name)
        return named

    def show_stack(self, name: str) -> None:
        """Show a stack again whose layer was deleted."""
        if self.stack_layer(name) is not None:
            return
        analyzed = self.workspace.stacks or ()
        known = {s.name: s for s in (*self.workspace.sources, *analyzed)}
        self.open_stacks([known[name]])

    def close_stack(self, *names: str) -> None:
        """Take stacks out of the workspace and their layers out of the viewer."""
        workspace, viewer = self.workspace, self._viewer()
        analyzed = () if workspace.stacks is None else workspace.stacks.names
        if not set(names).isdisjoint(analyzed):
            workspace.set_stacks(None)
        layers = [layer for layer in map(self.stack_layer, names) if layer is not None]
        for name in names:
            self._stack_layers.pop(name, None)
        workspace.sources = tuple(s for s in workspace.sources if s.name not in names)
        if viewer is not None and layers:
            with viewer.layers.batched_update():
                for layer in layers:
                    viewer.layers.remove(layer)

    def stack_layer(self, name: str) -> Layer | None:
        """Return the image layer of a stack, None where the user deleted it."""
        viewer, layer = self._viewer(), self._stack_layers.get(name, lambda: None)()
        if viewer is None or layer is None or layer not in viewer.layers:
            return None
        return layer

    @property
    def in_nm(self) -> bool:
        """Whether every stack knows its pixel size."""
        return self.places.in_nm

    def arrange(self) -> None:
        """Lay every image where its particle lies, and with it what belongs to it."""
        for source in self.workspace.sources:
            layer, place = self.stack_layer(source.name), self.places.place(source.name)
            if layer is not None and place is not None:
                _put(layer, place, self.places.unit)
        self.results.move()
        self.pointer.move()
        if self._arriving is None:  # names lie above the images
            self.names.move()

    def fit(self) -> None:
        """Fit the view to the particles that are shown."""
        viewer = self._viewer()
        images = [self.stack_layer(name) for name in self.places.layout.places]
        shown = [layer for layer in images if layer is not None]
        if viewer is not None and shown:
            viewer.reset_view(layers=shown)

    def _on_layer_inserted(self, event: Any) -> None:
        self._adopt(event.value)

    def _adopt(self, layer: Layer) -> None:
        """Take a layer that holds a stack into the workspace."""
        about = layer.metadata.get(METADATA_KEY)
        if not isinstance(layer, Image) or not isinstance(about, dict):
            return
        stack = about.get("stack")
        if about.get("kind") != "stack" or stack is None:
            return
        arriving = self._arriving
        known = {s.name for s in (*self.workspace.sources, *(arriving or ()))}
        tell_pixels(layer, self.workspace, self.places)
        if stack.name in known and self.stack_layer(stack.name) is None:
            self._stack_layers[stack.name] = ref(layer)  # shown again after deletion
            self.arrange()
            return
        stack = _with_new_name(stack, known)
        layer.metadata = {METADATA_KEY: {"kind": "stack", "stack": stack}}
        layer.name = stack.name
        self._stack_layers[stack.name] = ref(layer)
        if arriving is not None:
            arriving.append(stack)
            return
        self.workspace.sources = (*self.workspace.sources, stack)
        self._on_step()

    def _on_stacks(self, stacks: StackSet | None) -> None:
        """Show the analyzed version of each stack in the layer that it came from."""
        self.results.clear()
        self.places.follow_stacks()
        analyzed = {} if stacks is None else {stack.name: stack for stack in stacks}
        for source in self.workspace.sources:
            layer = self.stack_layer(source.name)
            stack = analyzed.get(source.name, source)
            if layer is None or layer.metadata[METADATA_KEY]["stack"] is stack:
                continue
            if layer.data is not stack.data:
                layer.data = stack.data
                layer.contrast_limits = contrast_limits(stack)
            layer.metadata = {METADATA_KEY: {"kind": "stack", "stack": stack}}
        self._on_step()

    def activate(self, layer: Layer) -> None:
        """Let the layer controls show a layer."""
        viewer = self._viewer()
        if viewer is not None and layer in viewer.layers:
            viewer.layers.selection.active = layer

    # ---- Energy of the frame shown ----

    def _on_step(self, event: Any = None) -> None:
        viewer = self._viewer()
        stack = self._stack_in_front()
        if viewer is None or stack is None or viewer.dims.ndim < 3:
            return
        index = min(int(viewer.dims.current_step[-3]), stack.n_energies - 1)
        self.workspace.energy_index = index
        text = viewer.canvas.overlays["text"]
        text.text = f"{stack.energy[index]:.2f} eV"
        text.position = "top_left"
        text.font_size = 14
        text.visible = True
        viewer.canvas.overlays["scale_bar"].visible = self.in_nm

    @property
    def energy(self) -> float | None:
        """Energy of the frame shown, in eV; None without a stack."""
        stack = self._stack_in_front()
        if stack is None:
            return None
        return float(
            stack.energy[min(self.workspace.energy_index, len(stack.energy) - 1)]
        )

    def show_energy(self, energy: float) -> None:
        """Move the slider to the frame whose energy in eV is nearest."""
        stack = self._stack_in_front()
        if stack is not None:
            self.show_frame(int(np.argmin(np.abs(stack.energy - energy))))

    def show_frame(self, index: int) -> None:
        """Move the slider to a frame; one beyond the ends is the first or the last."""
        viewer, stack = self._viewer(), self._stack_in_front()
        if viewer is None or stack is None or viewer.dims.ndim < 3:
            return
        axis = viewer.dims.ndim - 3
        viewer.dims.set_current_step(axis, min(max(index, 0), stack.n_energies - 1))

    def _stack_in_front(self) -> SpectralStack | None:
        """Return the stack of the active layer, else the first one."""
        viewer = self._viewer()
        if viewer is None or not self.workspace.sources:
            return None
        active = viewer.layers.selection.active
        about = {} if active is None else active.metadata.get(METADATA_KEY, {})
        stack: SpectralStack = about.get("stack") or self.workspace.sources[0]
        return stack


def _with_new_name(stack: SpectralStack, known: set[str]) -> SpectralStack:
    """Return the stack under a name that no other stack has."""
    name, number = stack.name, 2
    while name in known:
        name, number = f"{stack.name} [{number}]", number + 1
    return stack if name == stack.name else replace(stack, name=name)


def _put(layer: Layer, place: Place, unit: str) -> None:
    """Put an image where its particle lies; what lies there already stays untouched."""
    if [str(one) for one in layer.units[-2:]] != [unit, unit]:
        layer.units = (*layer.units[:-2], unit, unit)
    if not np.allclose(layer.scale[-2:], place.scale, rtol=1e-9, atol=0):
        layer.scale = (*layer.scale[:-2], *place.scale)
    if not np.allclose(layer.translate[-2:], place.translate, rtol=1e-9):
        layer.translate = (*layer.translate[:-2], *place.translate)
