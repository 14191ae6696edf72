"""Where a user drew: shapes as masks on the pixel grids of the stacks.

* `draw_region`: start drawing on a shapes layer of a given name.
* `region_mask`: what was drawn, on the pixels of one stack.
* `select_region`: turn what was drawn into the selection.
* `start_selecting`: draw, and what is drawn becomes the selection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.palettes import SELECTION
from napari_phasemap.core.prepare.masking import inside_polygons
from napari_phasemap.io.npe2 import METADATA_KEY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.views.shell.link import ViewerLink

__all__ = ["draw_region", "region_mask", "select_region", "start_selecting"]

#: Shapes layer whose shapes are the selection.
SELECTION_REGION = "selection region"
#: What napari says when shapes are there, moved or gone, not while a mouse draws them.
SETTLED = ("added", "changed", "removed")
#: Corners of the polygon that stands for an ellipse.
N_ELLIPSE = 72


def draw_region(
    viewer: Any, name: str, link: ViewerLink, mode: str = "add_polygon_lasso"
) -> Shapes:
    """Return the shapes layer `name`, made if needed, ready to draw in a mode."""
    if viewer.dims.ndisplay != 2:
        raise InputError("regions are drawn on flat images; switch to 2-D (Ctrl+Y)")
    layer = next(
        (x for x in viewer.layers if isinstance(x, Shapes) and x.name == name), None
    )
    if layer is None:
        units = {}
        if link.workspace.sources:
            unit = link.places.unit
            units = {"units": (unit, unit), "axis_labels": ("y", "x")}
        layer = viewer.add_shapes(
            ndim=2,
            name=name,
            face_color="#ffffff33",
            edge_color=SELECTION,
            edge_width=_line_width(viewer),
            **units,
        )
    viewer.layers.selection.active = layer
    layer.mode = mode
    return layer


def region_mask(
    layer: Shapes, stack: SpectralStack, link: ViewerLink
) -> NDArray[np.bool_]:
    """Return the pixels of `stack` inside the shapes, of shape (n_rows, n_cols).

    A stack that is not shown has none.
    """
    place = link.places.place(stack.name)
    if place is None:
        return np.zeros(stack.shape, dtype=bool)
    polygons = []
    for corners, kind in zip(layer.data, layer.shape_type, strict=True):
        if kind in ("line", "path"):
            continue
        outline = _ellipse(corners) if kind == "ellipse" else np.asarray(corners)
        world = np.array([layer.data_to_world(corner)[-2:] for corner in outline])
        polygons.append((world - place.translate) / place.scale)
    return inside_polygons(stack.shape, polygons)


def select_region(layer: Shapes, link: ViewerLink) -> int:
    """Select the analyzed pixels inside the shapes; return how many there are."""
    stacks = link.workspace.stacks
    if stacks is None:
        raise InputError("there are no stacks to select pixels of; open them first")
    masks = [region_mask(layer, stack, link) for stack in stacks]
    chosen = stacks.join(masks)
    link.workspace.select(chosen, "select a drawn region")
    return int(chosen.sum())


def start_selecting(
    viewer: Any, link: ViewerLink, mode: str = "add_polygon_lasso"
) -> Shapes:
    """Let the user draw shapes on the image whose pixels become the selection.

    Moving or deleting a shape later changes the selection with it. What was drawn
    before goes; until something new is drawn its pixels stay selected.
    """
    if link.workspace.stacks is None:
        raise InputError("there are no stacks to select pixels of; open them first")
    layer = draw_region(viewer, SELECTION_REGION, link, mode)
    if len(layer.data):
        with layer.events.data.blocker():
            layer.data = []
        layer.mode = mode  # other data end the drawing

    def follow(event: Any) -> None:
        if str(getattr(event, "action", "")) in SETTLED and link.workspace.stacks:
            select_region(layer, link)

    if METADATA_KEY not in layer.metadata:
        layer.metadata[METADATA_KEY] = {"kind": SELECTION_REGION}
        layer.events.data.connect(follow)
    return layer


def _ellipse(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a polygon for the ellipse inside four corners."""
    corners = np.asarray(corners)[:, -2:]
    center = corners.mean(axis=0)
    first = (corners[1] - corners[0]) / 2
    second = (corners[3] - corners[0]) / 2
    angle = np.linspace(0, 2 * np.pi, N_ELLIPSE, endpoint=False)[:, np.newaxis]
    outline: NDArray[np.float64] = (
        center + np.cos(angle) * first + np.sin(angle) * second
    )
    return outline


def _line_width(viewer: Any) -> float:
    """Return a line width of two canvas pixels in world units."""
    return float(2.0 / max(viewer.scene.camera.zoom, 1e-9))
