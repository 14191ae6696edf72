"""Which pixel is meant: hover, click, cursor mark and selection on the images.

* `Pointer`: mouse on the images to the workspace, workspace to marks on the images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_phasemap.io.npe2 import METADATA_KEY
from napari_phasemap.views.shell.label_colors import label_colors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.views.shell.link import ViewerLink
    from napari_phasemap.workspace import Workspace

__all__ = ["SELECTION_COLOR", "Pointer"]

#: Width of the cursor in pixels of the image: it must not cover a narrow one.
SMALLEST_MARK, LARGEST_MARK = 1.5, 7.0
#: Bright on grey images and different from every phase color.
SELECTION_COLOR = "#ffff33"
CURSOR_COLOR = "#ff2020"
#: Canvas pixels that the mouse may move between press and release of a click.
CLICK_SLACK = 3


class Pointer:
    """Links the mouse on the images and the selection layers with the workspace.

    Writes `hover` while the mouse moves over an image, `cursor` on a click (in
    pan/zoom mode) and `selection` when a selection layer is painted.
    """

    def __init__(
        self, viewer: ViewerModel, workspace: Workspace, link: ViewerLink
    ) -> None:
        self._viewer = ref(viewer)
        self._workspace = workspace
        self._link = ref(link)
        self._layers: dict[str, Any] = {}
        self._mark: Any = lambda: None
        viewer.mouse_move_callbacks.append(self._on_move)
        viewer.mouse_drag_callbacks.append(self._on_press)
        events = workspace.events
        events.cursor.connect(self._on_cursor)
        events.selection.connect(self._on_selection)
        events.selections.connect(self._on_selection)
        events.stacks.connect(self._on_stacks)

    # ---- Mouse to workspace ----

    def pixel_at(self, position: Any) -> int | None:
        """Return the pixel at a world position, None beside the analyzed pixels."""
        stacks, link = self._workspace.stacks, self._link()
        if stacks is None or link is None:
            return None
        for index, stack in enumerate(stacks):
            grid = link.grid(stack)
            place = np.subtract(position[-2:], grid["translate"]) / grid["scale"]
            row, col = np.floor(place + 0.5).astype(int)
            if 0 <= row < stack.shape[0] and 0 <= col < stack.shape[1]:
                return stacks.pixel_at(index, int(row), int(col))
        return None

    def _on_move(self, viewer: Any, event: Any) -> None:
        if viewer.dims.ndisplay == 2 and self._workspace.stacks is not None:
            self._workspace.hover = self.pixel_at(event.position)

    def _on_press(self, viewer: Any, event: Any) -> Iterator[None]:
        """Take a click, not a drag, in a mode in which clicks do not edit."""
        active = viewer.layers.selection.active
        if active is not None and str(active.mode) not in ("pan_zoom", "Mode.PAN_ZOOM"):
            return
        start = np.array(event.pos)
        yield
        while event.type == "mouse_move":
            yield
        if event.button not in (1, None) or self._workspace.stacks is None:
            return
        if np.abs(np.array(event.pos) - start).max() <= CLICK_SLACK:
            self._workspace.cursor = self.pixel_at(event.position)

    # ---- Workspace to marks ----

    def prepare(self) -> None:
        """Make the selection layers now: the first labels layer takes half a second."""
        stacks = self._workspace.stacks
        if stacks is not None and not all(self._layer(s.name) for s in stacks):
            self._draw(stacks, make=True)

    def move(self) -> None:
        """Put the marks where the particles' images lie."""
        link, stacks = self._link(), self._workspace.stacks
        if stacks is None or link is None:
            return
        for stack in stacks:
            layer = self._layer(stack.name)
            if layer is not None:
                grid = link.grid(stack)
                layer.scale, layer.units = grid["scale"], grid["units"]
                layer.translate = grid["translate"]
        self._on_cursor(self._workspace.cursor)

    def _on_stacks(self, stacks: StackSet | None) -> None:
        viewer = self._viewer()
        for name in list(self._layers):
            layer = self._layer(name)
            if viewer is not None and layer is not None:
                viewer.layers.remove(layer)
        self._layers.clear()

    def _on_selection(self, _: Any = None) -> None:
        """Write the selection into its layers, made when something is selected."""
        workspace = self._workspace
        if workspace.stacks is None or workspace.selection is None:
            return
        if len(workspace.selection) != workspace.stacks.n_pixels:
            return
        wanted = bool(workspace.selections) or bool(workspace.selection.any())
        self._draw(workspace.stacks, make=wanted)

    def _draw(self, stacks: StackSet, *, make: bool) -> None:
        workspace = self._workspace
        values = np.zeros(stacks.n_pixels, dtype=np.uint8)
        for number, named in enumerate(workspace.selections):
            values[named.pixels] = number + 2
        if workspace.selection is not None:
            values[workspace.selection] = 1
        colors = (SELECTION_COLOR, *(s.color for s in workspace.selections))
        for index, stack in enumerate(stacks):
            layer = self._layer(stack.name)
            image = stacks.to_image(values, index, 0)
            if layer is None and make:
                layer = self._add(stack, image)
            if layer is None:
                continue
            if layer.metadata[METADATA_KEY].get("colors") != colors:
                layer.colormap = label_colors(colors)
                layer.metadata[METADATA_KEY]["colors"] = colors
            if not np.array_equal(layer.data, image):
                layer.data[:] = image
                layer.refresh()

    def _add(self, stack: SpectralStack, image: NDArray[np.uint8]) -> Layer | None:
        viewer, link = self._viewer(), self._link()
        if viewer is None or link is None:
            return None
        active = viewer.layers.selection.active
        layer = viewer.add_labels(
            image,
            name=f"{stack.name} selection",
            opacity=0.6,
            metadata={METADATA_KEY: {"kind": "selection", "particle": stack.name}},
            **link.grid(stack),
        )
        viewer.layers.selection.active = active
        layer.events.labels_update.connect(self._on_painted)
        layer.events.set_data.connect(self._on_painted)
        self._layers[stack.name] = ref(layer)
        return layer

    def _layer(self, name: str) -> Layer | None:
        viewer, layer = self._viewer(), self._layers.get(name, lambda: None)()
        if viewer is None or layer is None or layer not in viewer.layers:
            return None
        return layer

    def _on_painted(self, event: Any) -> None:
        """Take what was painted into a selection layer as the selection."""
        stacks, selection = self._workspace.stacks, self._workspace.selection
        if stacks is None or selection is None:
            return
        painted = selection.copy()
        for part, stack in zip(stacks.split(painted), stacks, strict=True):
            layer = self._layer(stack.name)
            if layer is not None:
                part[:] = layer.data[stack.mask] == 1
        if not np.array_equal(painted, selection):
            self._workspace.select(painted, "paint the selection")

    def _on_cursor(self, pixel: int | None) -> None:
        """Mark the chosen pixel and bring it into view."""
        viewer, stacks, link = self._viewer(), self._workspace.stacks, self._link()
        mark = self._mark()
        if viewer is None or link is None:
            return
        if pixel is None or stacks is None:
            if mark is not None and mark in viewer.layers:
                mark.visible = False
            return
        index, row, col = stacks.locate(pixel)
        grid = link.grid(stacks[index])
        place = np.array(grid["translate"]) + np.array(grid["scale"]) * (row, col)
        narrow = max(SMALLEST_MARK, 0.5 * min(stacks[index].shape))
        size = min(LARGEST_MARK, narrow) * abs(grid["scale"][1])
        if mark is None or mark not in viewer.layers:
            active = viewer.layers.selection.active
            mark = viewer.add_points(
                [place],
                name="cursor",
                symbol="cross",
                face_color="transparent",
                border_color=CURSOR_COLOR,
                border_width=0.12,
                size=size,
                units=grid["units"],
                axis_labels=grid["axis_labels"],
            )
            viewer.layers.selection.active = active
            self._mark = ref(mark)
        else:
            mark.data = [place]
            mark.size = size
            mark.visible = True
        self._bring_into_view(viewer, place)

    def _bring_into_view(self, viewer: Any, place: NDArray[np.float64]) -> None:
        if viewer.dims.ndisplay != 2:
            return
        half = np.array(viewer.canvas.size) / (2 * viewer.scene.camera.zoom)
        center = np.array(viewer.scene.camera.center[-2:])
        if (np.abs(place - center) > half).any():
            viewer.scene.camera.center = tuple(place)
