"""Many layers at once: what napari does after each of them is done once.

* `inserting`: the block in which layers are added.

napari 0.9 takes .2 s for every image: most of it goes into drawing all layers again,
into making the new layer the active one, into controls that nobody may ever look at,
and into visuals for 3-D that most never use. Its public ways (`batched_update`, blocked
events) spare the first two. For the others there are none; what is used instead stands
in this module alone.
"""

from __future__ import annotations

import gc
from contextlib import ExitStack, contextmanager
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import ref

from napari.layers import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["inserting"]


@contextmanager
def inserting(viewer: Any) -> Iterator[None]:
    """Add layers in this block: they are drawn, and the last is active, after it.

    Parameters
    ----------
    viewer : napari viewer or its model
        To whose `layers` the block adds.
    """
    with ExitStack() as stack:
        stack.enter_context(_without_collection())
        stack.enter_context(viewer.layers.batched_update())
        stack.enter_context(_controls_later(viewer))
        stack.enter_context(_flat_first())
        stack.enter_context(_selected_later(viewer.layers))
        yield


@contextmanager
def _selected_later(layers: Any) -> Iterator[None]:
    """Tell the selection once, after the block."""
    selection, before = layers.selection, set(layers.selection)
    with selection.events.blocker_all():
        try:
            yield
        finally:
            active = selection.active
            selection.clear()
            selection.update(before & set(layers))
    if active is not None:
        selection.active = active


@contextmanager
def _without_collection() -> Iterator[None]:
    """Look for garbage after the block: napari makes 10^5 objects that stay.

    They are what the collector sees while it is asked to collect inside, as napari
    asks at the end of a batch; all older ones are frozen.
    """
    enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()


# ---- Controls of the layers ----


@contextmanager
def _controls_later(viewer: Any) -> Iterator[None]:
    """Let napari make the controls of new layers when it first shows them."""
    window = getattr(viewer, "window", None)
    container = getattr(getattr(window, "_qt_viewer", None), "controls", None)
    if container is None:  # a viewer without a window
        yield
        return
    if not isinstance(container.widgets, _MadeOnDemand):
        container.widgets = _MadeOnDemand(container)
    with viewer.layers.events.inserted.blocker(container._add):
        yield


class _MadeOnDemand(dict[Any, Any]):
    """napari's controls by layer: those that are missing are made when asked for."""

    def __init__(self, container: Any) -> None:
        super().__init__(container.widgets)
        self._container = ref(container)

    def __missing__(self, layer: Any) -> Any:
        container = self._container()
        if container is not None:
            container._add(SimpleNamespace(value=layer))  # puts them into this
        if layer not in self:
            raise KeyError(layer)
        return self[layer]


# ---- Visuals of the images ----


@contextmanager
def _flat_first() -> Iterator[None]:
    """Let new images have the visual for two dimensions, and others when they ask."""
    from napari._vispy.utils.visual import layer_to_visual

    usual = layer_to_visual[Image]
    layer_to_visual[Image] = partial(usual, layer_node_class=_Visuals)
    try:
        yield
    finally:
        layer_to_visual[Image] = usual


class _Visuals:
    """napari's three visuals of an image: those that are rare are made on demand."""

    def __init__(self, node: Any = None, texture_format: str | None = None) -> None:
        from napari._vispy.utils.gl import get_gl_extensions, get_max_texture_sizes
        from napari._vispy.visuals.image import Image as ImageNode

        if "texture_float" not in get_gl_extensions():
            texture_format = None  # as napari: float images would fail
        self._largest = get_max_texture_sizes()[0]
        self._flat = ImageNode(None, method="auto", texture_format=texture_format)
        self._format = texture_format
        self._rare: Any = None

    def get_node(
        self, ndisplay: int, dtype: Any = None, shape: tuple[int, ...] | None = None
    ) -> Any:
        """Return what draws an image of this shape."""
        fits = shape is None or max(shape[:2]) <= self._largest
        if ndisplay == 2 and fits:
            return self._flat
        if self._rare is None:
            from napari._vispy.layers.image import ImageLayerNode

            self._rare = ImageLayerNode(None, texture_format=self._format)
        return self._rare.get_node(ndisplay, dtype, shape)
