"""One particle alone: double click in and out, keys to the next one.

* `Walk`: shows one particle and hides the others.
* `NEXT`, `PREVIOUS`: the keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakMethod, ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_phasemap.views.shell.layout import ParticleLayout

__all__ = ["NEXT", "PREVIOUS", "Walk"]

#: napari uses neither; they work while the canvas has the keyboard.
NEXT, PREVIOUS = "PageDown", "PageUp"


class Walk:
    """Lets a person look at one particle alone."""

    def __init__(
        self,
        viewer: ViewerModel,
        places: ParticleLayout,
        layer_of: Callable[[str], Layer | None],
    ) -> None:
        self._viewer = ref(viewer)
        self._places = places
        self._find = WeakMethod(layer_of)  # its owner holds this object
        self._hidden: list[Any] = []
        self._shown = ""
        places.changed.connect(self._on_places)
        self._others = list(viewer.mouse_double_click_callbacks)
        viewer.mouse_double_click_callbacks[:] = [self._on_double_click]
        viewer.bind_key(NEXT, _stepper(self, 1), overwrite=True)
        viewer.bind_key(PREVIOUS, _stepper(self, -1), overwrite=True)

    def step(self, by: int) -> None:
        """Show the particle that comes `by` after the one shown alone, else the first.

        Past the last one comes the first.
        """
        names = self._places.names
        if len(names) < 2:
            return
        alone = self._places.alone
        number = names.index(alone) + by if alone else (0 if by > 0 else -1)
        self._places.alone = names[number % len(names)]

    def _on_double_click(self, viewer: Any, event: Any) -> None:
        """Go into the particle under the mouse, or out again, where clicks edit not.

        Elsewhere napari's own double click stays.
        """
        active = viewer.layers.selection.active
        editing = active is not None and "pan_zoom" not in str(active.mode).lower()
        found = self._places.layout.at(event.position[-2], event.position[-1])
        if editing or viewer.dims.ndisplay != 2 or len(self._places.names) < 2:
            for callback in self._others:
                callback(viewer, event)
        elif self._places.alone:
            self._places.alone = ""
        elif found is not None:
            self._places.alone = found[0]

    def _layer_of(self, name: str) -> Layer | None:
        find = self._find()
        return None if find is None else find(name)

    def _on_places(self) -> None:
        """Hide the other images, or show again what was hidden."""
        viewer, alone = self._viewer(), self._places.alone
        if viewer is None or alone == self._shown:
            return
        for layer in (one() for one in self._hidden):
            if layer is not None:
                layer.visible = True
        self._hidden = []
        others = [name for name in self._places.names if alone and name != alone]
        for layer in map(self._layer_of, others):
            if layer is not None and layer.visible:
                layer.visible = False
                self._hidden.append(ref(layer))
        self._shown = alone
        images = [self._layer_of(name) for name in self._places.layout.places]
        shown = [layer for layer in images if layer is not None]
        if shown:
            viewer.reset_view(layers=shown)


def _stepper(walk: Walk, by: int) -> Callable[[Any], None]:
    """Return what a key does; napari's keys outlive a viewer, and must not hold it."""
    held = ref(walk)

    def step(_: Any) -> None:
        walk = held()
        if walk is not None:
            walk.step(by)

    return step
