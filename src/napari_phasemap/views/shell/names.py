"""Names of the particles on the canvas.

* `ParticleNames`: texts above the particles, no wider than they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from napari_phasemap.core.data.layout import NAME_GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel

    from napari_phasemap.views.shell.layout import ParticleLayout
    from napari_phasemap.views.shell.names_overlay import NamesOverlay

__all__ = ["ParticleNames", "short_names"]

#: Of the names among the viewer's overlays.
KEY = "particle names"
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
        self._wanted = True
        self.overlay: NamesOverlay | None = None
        viewer.scene.camera.events.zoom.connect(self._on_zoom)

    @property
    def wanted(self) -> bool:
        """Whether names are shown where there are several particles."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self.move()

    def move(self) -> None:
        """Put the names where the particles lie."""
        viewer = self._viewer()
        if viewer is None:
            return
        if not self._wanted or len(self._places.names) < 2:
            if self.overlay is not None:
                self.overlay.visible = False
            return
        if self.overlay is None:
            from napari_phasemap.views.shell.names_overlay import NamesOverlay

            self.overlay = NamesOverlay()
            viewer.scene.overlays[KEY] = self.overlay
        self.overlay.spots = tuple(map(self._spot, self._places.layout.places))
        self._fit(viewer, self.overlay)

    def _spot(self, name: str) -> tuple[float, float]:
        """Return the upper left corner of a particle."""
        top, left, _, _ = self._places.layout.box(name)
        return top, left

    def _on_zoom(self, *_: Any) -> None:
        viewer, overlay = self._viewer(), self.overlay
        if viewer is not None and overlay is not None and overlay.texts:
            self._fit(viewer, overlay)

    def _fit(self, viewer: ViewerModel, overlay: NamesOverlay) -> None:
        """Let every name fit above its particle; shorten all where they do not."""
        zoom, names = viewer.scene.camera.zoom, self._places.layout.places
        boxes = [self._places.layout.box(name) for name in names]
        labels = [self._places.label(name) for name in names]
        widths = [zoom * (right - left) for _, left, _, right in boxes]
        highest = zoom * max((bottom - top for top, _, bottom, _ in boxes), default=0.0)
        room = NAME_GAP * highest / LETTER_HEIGHT / PIXEL_PER_POINT
        texts, size = labels, min(_fitting(labels, widths), room, LARGEST)
        if size < 0.7 * min(room, LARGEST):
            texts = short_names(labels)
            size = min(_fitting(texts, widths), room, LARGEST)
        overlay.texts = tuple(texts)
        if size >= SMALLEST and abs(size / overlay.size - 1) > STEADY:
            overlay.size = size
        shown = self._wanted and len(self._places.names) > 1
        overlay.visible = bool(shown and size >= SMALLEST)


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
