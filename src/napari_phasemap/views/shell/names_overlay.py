"""Texts on the canvas that are no layer: napari's overlays, extended in napari's way.

* `NamesOverlay`: what is written where.

A Points layer with texts would do as well, but it is made in a second, is sliced with
every energy, and stands among the results of a person. napari 0.9 has an overlay for
one text in a corner only; its own example of another overlay (``dev/overlays.py``)
registers the visual as is done here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari._vispy.visuals.text import Text
from napari.components.overlays import SceneOverlay

__all__ = ["NamesOverlay"]

#: Of a text on a dark and on a bright canvas.
BRIGHT, DARK = "#d0d0d0", "#303030"


class NamesOverlay(SceneOverlay):
    """Texts at places of the world, all of one size.

    Parameters
    ----------
    texts : tuple of str
        What is written.
    spots : tuple of tuple of float
        (y, x) of the lower left corner of each text, in world units.
    size : float
        Of all texts, points.
    """

    texts: tuple[str, ...] = ()
    spots: tuple[tuple[float, float], ...] = ()
    size: float = 11.0


class _DrawnNames(ViewerOverlayMixin, VispySceneOverlay):
    """Draws a `NamesOverlay`: one visual for all texts."""

    def __init__(self, *, font_info: Any, **more: Any) -> None:
        node = Text(pos=(0, 0), font_info=font_info, anchor_x="left", anchor_y="top")
        super().__init__(node=node, font_info=font_info, **more)
        events = self.overlay.events
        for signal in (events.texts, events.spots, events.size):
            signal.connect(self._on_texts)
        self.viewer.canvas.events.background_color.connect(self._on_background)
        self.reset()

    def _on_texts(self) -> None:
        """Draw texts and places together: there must be as many of both."""
        overlay, node = self.overlay, self.node
        if not overlay.texts or len(overlay.texts) != len(overlay.spots):
            node.visible = False
            return
        node.text = list(overlay.texts)
        node.pos = np.array(overlay.spots)[:, ::-1]
        node.font_size = overlay.size
        self._on_visible_change()

    def _on_background(self) -> None:
        dark = np.mean(self.viewer.canvas.background_color[:3]) < 0.5
        self.node.color = BRIGHT if dark else DARK

    def reset(self) -> None:
        """Draw everything anew."""
        super().reset()
        self._on_background()
        self._on_texts()


overlay_to_visual[NamesOverlay] = _DrawnNames
