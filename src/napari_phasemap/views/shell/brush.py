"""One key to draw on the images: what is drawn becomes the selection of all views.

* `Brush`: lasso, rectangle, brush, and back; `brush_for`: the one of a viewer.
* `DRAW_KEYS`: their keys, which no layer of napari uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.kinds import SELECTION
from napari_phasemap.views.shell.link import link_for
from napari_phasemap.views.shell.regions import SELECTION_REGION, start_selecting
from napari_phasemap.views.shell.registry import of_viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_phasemap.views.shell.link import ViewerLink

__all__ = ["DRAW_KEYS", "Brush", "brush_for"]

#: Key: what is drawn with. They work while the canvas has the keyboard.
DRAW_KEYS = {"Q": "lasso", "W": "rectangle", "G": "brush", "H": "hand"}
#: Modes of napari's shapes.
SHAPES = {"lasso": "add_polygon_lasso", "rectangle": "add_rectangle"}
#: Width of a new brush, in pixels of the image.
BRUSH_SIZE = 5
#: What layers are in when the mouse moves the view.
MOVING = "pan_zoom"


def brush_for(viewer: Any) -> Brush:
    """Return the brush of a viewer, made on first use."""
    return of_viewer(viewer, Brush, Brush)


class Brush:
    """Chooses what a drag on the images does."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer, self._link = ref(viewer), ref(link_for(viewer))
        for key, tool in DRAW_KEYS.items():
            viewer.bind_key(key, _taker(self, tool), overwrite=True)

    def take(self, tool: str) -> None:
        """Take "lasso", "rectangle", "brush" or "hand", which moves the view.

        Raises
        ------
        ValueError
            If there is nothing to draw on, or the images are shown in 3-D.
        """
        viewer, link = self._viewer(), self._link()
        if viewer is None or link is None:
            return
        if tool in SHAPES:
            start_selecting(viewer, link, SHAPES[tool])
        elif tool == "brush":
            self._paint(viewer, link)
        else:
            self._rest(viewer, link)

    def _paint(self, viewer: Any, link: ViewerLink) -> None:
        """Paint in the layer of the selection; erasing takes pixels out."""
        stacks = link.workspace.stacks
        if stacks is None:
            raise InputError("there are no stacks to select pixels of; open them first")
        if viewer.dims.ndisplay != 2:
            raise InputError(
                "pixels are painted on flat images; switch to 2-D (Ctrl+Y)"
            )
        if link.workspace.selection is None:
            link.workspace.selection = np.zeros(stacks.n_pixels, dtype=bool)
        is_new = not link.results.layers(SELECTION)
        if is_new:
            link.results.show(SELECTION)
        layer = link.results.layers(SELECTION)[0]
        if is_new:
            layer.brush_size = BRUSH_SIZE
        layer.visible = True
        viewer.layers.selection.active = layer
        layer.selected_label = 1
        layer.mode = "paint"

    def _rest(self, viewer: Any, link: ViewerLink) -> None:
        """Let the mouse move the view and point at pixels again."""
        active = viewer.layers.selection.active
        if active is not None:
            active.mode = MOVING
        ours = (SELECTION_REGION, *(x.name for x in link.results.layers(SELECTION)))
        names = [source.name for source in link.workspace.sources]
        layers = [layer for layer in map(link.stack_layer, names) if layer is not None]
        if layers and active is not None and active.name in ours:
            viewer.layers.selection.active = layers[0]


def _taker(brush: Brush, tool: str) -> Callable[[Any], None]:
    """Return what a key calls; napari keeps it, so it holds the brush weakly."""
    held = ref(brush)

    def take(_: Any) -> None:
        found = held()
        if found is None:
            return
        try:
            found.take(tool)
        except InputError as error:
            tell_error(error)

    return take
