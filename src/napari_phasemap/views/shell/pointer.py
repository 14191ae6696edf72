"""Which pixel is meant: hover, click and cursor mark on the images.

* `Pointer`: mouse on the images to the workspace, cursor to a mark on the images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_phasemap.core.data.palettes import CURSOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_phasemap.views.shell.layout import ParticleLayout
    from napari_phasemap.workspace import Workspace

__all__ = ["Pointer"]

#: Width of the cursor in pixels of the image: it must not cover a narrow one.
SMALLEST_MARK, LARGEST_MARK = 1.5, 7.0
#: Canvas pixels that the mouse may move between press and release of a click.
CLICK_SLACK = 3


class Pointer:
    """Links the mouse on the images with the workspace.

    Writes `hover` while the mouse moves over an image and `cursor` on a click (in
    pan/zoom mode).
    """

    def __init__(
        self, viewer: ViewerModel, workspace: Workspace, places: ParticleLayout
    ) -> None:
        self._viewer = ref(viewer)
        self._workspace = workspace
        self._places = places
        self._mark: Any = lambda: None
        viewer.mouse_move_callbacks.append(self._on_move)
        viewer.mouse_drag_callbacks.append(self._on_press)
        workspace.events.cursor.connect(self._on_cursor)

    # ---- Mouse to workspace ----

    def _on_move(self, viewer: Any, event: Any) -> None:
        if viewer.dims.ndisplay == 2 and self._workspace.stacks is not None:
            self._workspace.hover = self._places.pixel_at(event.position)

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
            self._workspace.cursor = self._places.pixel_at(event.position)

    # ---- Workspace to mark ----

    def move(self) -> None:
        """Put the mark where its particle lies."""
        self._mark_pixel(self._workspace.cursor)

    def _on_cursor(self, pixel: int | None) -> None:
        """Mark the chosen pixel and bring it into view."""
        place = self._mark_pixel(pixel)
        viewer = self._viewer()
        if viewer is not None and place is not None:
            self._bring_into_view(viewer, place)

    def _mark_pixel(self, pixel: int | None) -> NDArray[np.float64] | None:
        """Mark a pixel; return where it is, None for none."""
        viewer, mark = self._viewer(), self._mark()
        if viewer is None:
            return None
        there = mark is not None and mark in viewer.layers
        found = None if pixel is None else self._places.world(pixel)
        if pixel is None or found is None:
            if there:
                mark.visible = False
            return None
        place, size = np.array(found), self._mark_size(pixel)
        if there:
            mark.data, mark.size, mark.visible = [place], size, True
            units = (self._places.unit,) * 2
            if tuple(map(str, mark.units)) != units:
                mark.units = units
        else:
            self._add_mark(viewer, place, size)
        return place

    def _mark_size(self, pixel: int) -> float:
        stacks = self._workspace.stacks
        if stacks is None:
            return SMALLEST_MARK
        stack = stacks[stacks.locate(pixel)[0]]
        place = self._places.place(stack.name)
        width = 1.0 if place is None else place.step[1]
        narrow = max(SMALLEST_MARK, 0.5 * min(stack.shape))
        return min(LARGEST_MARK, narrow) * width

    def _add_mark(self, viewer: Any, place: NDArray[np.float64], size: float) -> None:
        active = viewer.layers.selection.active
        mark = viewer.add_points(
            [place],
            name="cursor",
            symbol="cross",
            face_color="transparent",
            border_color=CURSOR,
            border_width=0.12,
            size=size,
            units=(self._places.unit,) * 2,
            axis_labels=("y", "x"),
        )
        viewer.layers.selection.active = active
        self._mark = ref(mark)

    def _bring_into_view(self, viewer: Any, place: NDArray[np.float64]) -> None:
        if viewer.dims.ndisplay != 2:
            return
        half = np.array(viewer.canvas.size) / (2 * viewer.scene.camera.zoom)
        center = np.array(viewer.scene.camera.center[-2:])
        if (np.abs(place - center) > half).any():
            viewer.scene.camera.center = tuple(place)
