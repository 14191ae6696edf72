"""Names of the particles on the canvas.

* `ParticleNames`: one layer of texts above the particles, no wider than they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_phasemap.core.data.layout import NAME_GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel

    from napari_phasemap.views.shell.layout import ParticleLayout

__all__ = ["ParticleNames", "short_names"]

#: Points of the text, at most and at least; smaller text is not shown.
LARGEST, SMALLEST = 11.0, 5.0
#: Canvas pixels per point, and width and height of a letter per pixel of its size.
PIXEL_PER_POINT, LETTER_WIDTH, LETTER_HEIGHT = 4 / 3, 0.62, 1.15
#: Text is set again when its size should differ by more than this share.
STEADY = 0.08


class ParticleNames:
    """Keeps the names above the particles, small enough not to touch one another."""

    def __init__(self, viewer: ViewerModel, places: ParticleLayout) -> None:
        self._viewer = ref(viewer)
        self._places = places
        self._layer: Any = lambda: None
        self._wanted = True
        viewer.scene.camera.events.zoom.connect(self._on_zoom)

    @property
    def wanted(self) -> bool:
        """Whether names are shown where there are several particles."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self.move()

    def layer(self) -> Any:
        """Return the layer of the names, None where there is none."""
        viewer, layer = self._viewer(), self._layer()
        there = viewer is not None and layer is not None and layer in viewer.layers
        return layer if there else None

    def move(self) -> None:
        """Put the names where the particles lie."""
        viewer, layer = self._viewer(), self.layer()
        if viewer is None:
            return
        if not self._wanted or len(self._places.names) < 2:
            if layer is not None:
                layer.visible = False
            return
        names = tuple(self._places.layout.places)
        labels = [self._places.label(name) for name in names]
        spots = np.array([self._spot(name) for name in names])
        if layer is None and self._layer() is None:
            layer = self._add(viewer, spots, labels)
        elif layer is not None:
            layer.data = spots
            layer.features = {"name": labels}
            layer.units = (self._places.unit,) * 2
            layer.visible = True
        self._on_zoom()

    def _spot(self, name: str) -> tuple[float, float]:
        """Return the upper left corner of a particle."""
        top, left, _, _ = self._places.layout.box(name)
        return top, left

    def _add(self, viewer: Any, spots: Any, labels: Sequence[str]) -> Any:
        active = viewer.layers.selection.active
        layer = viewer.add_points(
            spots,
            name="names",
            features={"name": labels},
            text={"string": "{name}", "anchor": "upper_left", "color": "#d0d0d0"},
            face_color="transparent",
            border_color="transparent",
            size=1e-6,
            units=(self._places.unit,) * 2,
            axis_labels=("y", "x"),
        )
        layer.editable = False
        viewer.layers.selection.active = active
        self._layer = ref(layer)
        return layer

    def _on_zoom(self, *_: Any) -> None:
        """Let every name fit above its particle; shorten all where they do not."""
        viewer, layer = self._viewer(), self.layer()
        if viewer is None or layer is None or not layer.visible:
            return
        zoom = viewer.scene.camera.zoom
        boxes = [self._places.layout.box(n) for n in self._places.layout.places]
        labels = [self._places.label(n) for n in self._places.layout.places]
        widths = [zoom * (right - left) for _, left, _, right in boxes]
        highest = zoom * max((bottom - top for top, _, bottom, _ in boxes), default=0.0)
        room = NAME_GAP * highest / LETTER_HEIGHT / PIXEL_PER_POINT
        texts, size = labels, min(_fitting(labels, widths), room, LARGEST)
        if size < 0.7 * min(room, LARGEST):
            texts = short_names(labels)
            size = min(_fitting(texts, widths), room, LARGEST)
        if list(layer.features["name"]) != list(texts):
            layer.features = {"name": texts}
        layer.text.visible = bool(size >= SMALLEST)
        if size >= SMALLEST and abs(size / layer.text.size - 1) > STEADY:
            layer.text.size = size


def _fitting(texts: Sequence[str], widths: Sequence[float]) -> float:
    """Return the largest size in points at which every text is as wide as its room."""
    per_letter = LETTER_WIDTH * PIXEL_PER_POINT
    sizes = [
        w / (per_letter * max(len(t), 1)) for t, w in zip(texts, widths, strict=True)
    ]
    return min(sizes, default=LARGEST)


def short_names(names: Sequence[str]) -> list[str]:
    """Return names without what all of them begin with.

    Examples
    --------
    >>> short_names(["particle 1", "particle 12"])
    ['1', '12']
    >>> short_names(["NCM_low", "NMC_low"])
    ['NCM_low', 'NMC_low']
    """
    first, last = min(names, default=""), max(names, default="")
    pairs = enumerate(zip(first, last, strict=False))
    end = next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
    cut = max(first[:end].rfind(mark) for mark in " _-.") + 1
    return [name[cut:] or name for name in names]
