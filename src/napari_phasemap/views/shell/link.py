"""Which layer shows what: one viewer and its workspace.

* `workspace_for`: the workspace of a viewer, made on first use.
* `link_for`: the `ViewerLink` of a viewer.
* `ViewerLink`: stacks as image layers side by side, the energy as text, and the parts
  that show results (`ResultLayers`) and pointing (`Pointer`).
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari.layers import Image

from napari_phasemap.io.npe2 import (
    METADATA_KEY,
    contrast_limits,
    image_grid,
    stack_layer,
)
from napari_phasemap.views.shell.pointer import Pointer
from napari_phasemap.views.shell.result_layers import ResultLayers
from napari_phasemap.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import StackSet

__all__ = ["ViewerLink", "link_for", "workspace_for"]

#: Free space between two particles, as a share of the wider one.
GAP = 0.06
#: How many times wider than high a layout of equal particles is.
ROW_ASPECT = 1.6

_LINKS: WeakKeyDictionary[Any, ViewerLink] = WeakKeyDictionary()


def link_for(viewer: Any) -> ViewerLink:
    """Return the link of a viewer, made on first use.

    napari hands widgets a proxy of the viewer, which dies early: the viewer itself is
    the key. The link holds the viewer weakly, or no viewer would ever be released.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    if viewer not in _LINKS:
        _LINKS[viewer] = ViewerLink(viewer)
    return _LINKS[viewer]


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
        self.results = ResultLayers(viewer, self.workspace, self)
        self.pointer = Pointer(viewer, self.workspace, self)
        viewer.layers.events.inserted.connect(self._on_layer_inserted)
        viewer.dims.events.current_step.connect(self._on_step)
        viewer.layers.selection.events.active.connect(self._on_step)
        self.workspace.events.stacks.connect(self._on_stacks)
        for layer in list(viewer.layers):
            self._adopt(layer)

    # ---- Stacks and their layers ----

    def open_stacks(self, stacks: Sequence[SpectralStack]) -> None:
        """Show stacks as image layers; the workspace learns of them by that."""
        viewer = self._viewer()
        if viewer is None:
            return
        first = not self._stack_layers
        in_nm = self.in_nm and all(stack.pixel_size for stack in stacks)
        if not in_nm:
            self.arrange(in_nm=False)
        for stack in stacks:
            data, attributes, _ = stack_layer(stack, in_nm=in_nm)
            viewer.add_image(data, **attributes)
        if first:
            viewer.reset_view()

    def show_stack(self, name: str) -> None:
        """Show a stack again whose layer was deleted."""
        if self.stack_layer(name) is not None:
            return
        analyzed = self.workspace.stacks or ()
        known = {s.name: s for s in (*self.workspace.sources, *analyzed)}
        self.open_stacks([known[name]])

    def close_stack(self, name: str) -> None:
        """Take a stack out of the workspace and its layer out of the viewer."""
        workspace = self.workspace
        if workspace.stacks is not None and name in workspace.stacks.names:
            workspace.set_stacks(None)
        layer = self.stack_layer(name)
        self._stack_layers.pop(name, None)
        workspace.sources = tuple(s for s in workspace.sources if s.name != name)
        viewer = self._viewer()
        if viewer is not None and layer is not None and layer in viewer.layers:
            viewer.layers.remove(layer)
        self.arrange()

    def stack_layer(self, name: str) -> Layer | None:
        """Return the image layer of a stack, None where the user deleted it."""
        viewer, layer = self._viewer(), self._stack_layers.get(name, lambda: None)()
        if viewer is None or layer is None or layer not in viewer.layers:
            return None
        return layer

    def grid(self, stack: SpectralStack) -> dict[str, Any]:
        """Return where a 2-D layer of `stack` lies: where its image lies now."""
        layer = self.stack_layer(stack.name)
        grid = image_grid(stack, in_nm=self.in_nm)
        if layer is not None:
            grid["translate"] = tuple(layer.translate[-2:])
            grid["scale"] = tuple(layer.scale[-2:])
        return grid

    @property
    def in_nm(self) -> bool:
        """Whether every stack knows its pixel size: napari wants one unit for all."""
        return all(stack.pixel_size is not None for stack in self.workspace.sources)

    def arrange(self, *, in_nm: bool | None = None) -> None:
        """Lay the stacks side by side in the order they were opened, in rows."""
        in_nm = self.in_nm if in_nm is None else in_nm
        shown = [
            (stack, layer)
            for stack in self.workspace.sources
            if (layer := self.stack_layer(stack.name)) is not None
        ]
        per_row = ceil(sqrt(len(shown) * ROW_ASPECT))
        top = 0.0
        for first in range(0, len(shown), max(per_row, 1)):
            top += _arrange_row(shown[first : first + per_row], top, in_nm)
        self.results.move()
        self.pointer.move()

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
        known = {source.name for source in self.workspace.sources}
        if stack.name in known and self.stack_layer(stack.name) is None:
            self._stack_layers[stack.name] = ref(layer)  # shown again after deletion
        else:
            stack = _with_new_name(stack, known)
            layer.metadata = {METADATA_KEY: {"kind": "stack", "stack": stack}}
            layer.name = stack.name
            self._stack_layers[stack.name] = ref(layer)
            self.workspace.sources = (*self.workspace.sources, stack)
        self.arrange()
        self._on_step()

    def _on_stacks(self, stacks: StackSet | None) -> None:
        """Show the analyzed version of each stack in the layer that it came from."""
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


def _arrange_row(
    row: Sequence[tuple[SpectralStack, Layer]], top: float, in_nm: bool
) -> float:
    """Place one row of stacks; return its height with the gap below."""
    left, height = 0.0, 0.0
    for stack, layer in row:
        grid = image_grid(stack, left, in_nm=in_nm)
        layer.scale = (*layer.scale[:-2], *grid["scale"])
        if tuple(str(unit) for unit in layer.units[-2:]) != grid["units"]:
            layer.units = (*layer.units[:-2], *grid["units"])
        translate = (grid["translate"][0] + top, left)
        layer.translate = (*layer.translate[:-2], *translate)
        n_rows, n_cols = stack.shape
        left += n_cols * abs(grid["scale"][1]) * (1 + GAP)
        height = max(height, n_rows * abs(grid["scale"][0]) * (1 + GAP))
    return height
