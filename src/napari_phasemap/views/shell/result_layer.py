"""One layer that shows a result on one pixel grid.

* `ResultLayer`: makes the layer, keeps its buffer up to date, and tells what a person
  painted or colored.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
import pandas as pd

from napari_phasemap.io.npe2 import METADATA_KEY
from napari_phasemap.views.shell.kinds import Below, Classes, Values
from napari_phasemap.views.shell.label_colors import changed_colors, label_colors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_phasemap.core.data.pixel_grid import PixelGrid
    from napari_phasemap.views.shell.kinds import Kind, Picture
    from napari_phasemap.workspace import Workspace

__all__ = ["ResultLayer"]


class ResultLayer:
    """A layer of one kind over all particles of one pixel size.

    Parameters
    ----------
    workspace : Workspace
        What painting and recoloring edit, by the rules of the kind.
    kind : Kind
        Of the result.
    picture : Classes, Below or Values
        What is shown.
    grid : PixelGrid
        Where.
    """

    def __init__(
        self, workspace: Workspace, kind: Kind, picture: Picture, grid: PixelGrid
    ) -> None:
        self._workspace = workspace
        self.kind = kind
        self.picture = picture
        self.grid = grid
        self._viewer: Any = lambda: None
        self._layer: Any = lambda: None
        self._laid: tuple[Any, NDArray[np.float32]] | None = None
        self._limits: tuple[float, ...] = ()
        self._colors: tuple[str, ...] = ()
        self._writing = False
        self._painting = False

    @property
    def layer(self) -> Layer | None:
        """The layer, None where a person has deleted it."""
        viewer, layer = self._viewer(), self._layer()
        there = viewer is not None and layer is not None and layer in viewer.layers
        return layer if there else None

    def add_to(
        self, viewer: ViewerModel, name: str, about: Mapping[str, Any], **more: Any
    ) -> Layer:
        """Make the layer; `about` is its provenance, `more` further attributes."""
        attributes: dict[str, Any] = {
            "name": name,
            "metadata": {METADATA_KEY: dict(about)},
            "scale": self.grid.step,
            "translate": self.grid.translate,
            "axis_labels": ("y", "x"),
            **more,
        }
        picture, image = self.picture, self._image()
        layer: Any
        if isinstance(picture, Values):
            rgb = image.ndim == 3
            if not rgb:
                attributes["colormap"] = picture.colormap
                attributes["contrast_limits"] = picture.limits
                self._limits = picture.limits or ()
            layer = viewer.add_image(image, rgb=rgb, **attributes)
        else:
            names, self._colors = _names_and_colors(picture)
            layer = viewer.add_labels(
                image,
                colormap=label_colors(self._colors),
                features=self._table(image, names),
                opacity=self.kind.opacity,
                **attributes,
            )
            layer.events.labels_update.connect(self._on_painted)
            layer.events.set_data.connect(self._on_painted)
            layer.events.colormap.connect(self._on_colors)
        self._viewer, self._layer = ref(viewer), ref(layer)
        made: Layer = layer
        return made

    def update(self, picture: Picture, about: Mapping[str, Any]) -> None:
        """Show another picture: one buffer, one refresh."""
        layer: Any = self.layer
        if layer is None:
            return
        self.picture = picture
        if not self._painting:
            with self._own_change():
                self._write(layer.data)
                layer.refresh(highlight=False, extent=False)
        self._dress(layer)
        layer.metadata = {METADATA_KEY: dict(about)}

    def move(self, grid: PixelGrid, name: str, unit: str) -> None:
        """Lay the layer on another grid; a person's own name for it stays."""
        layer: Any = self.layer
        if layer is None:
            return
        self.grid, self._laid = grid, None
        with self._own_change():
            layer.data = self._image()
            self._rename(layer, name)
            layer.scale, layer.units = grid.step, (unit, unit)
            layer.translate = grid.translate

    def become(self, kind: Kind, name: str) -> None:
        """Show another kind from now on; the caller brings its picture."""
        layer = self.layer
        if layer is not None:
            self._rename(layer, name)
        self.kind = kind

    def _rename(self, layer: Layer, name: str) -> None:
        """Rename the layer if a person has not."""
        own = self.kind.name
        if layer.name == own or layer.name.startswith(f"{own} ("):
            layer.name = name

    # ---- Arrays ----

    @contextmanager
    def _own_change(self) -> Iterator[None]:
        """What changes inside the block was not painted or colored by a person."""
        self._writing = True
        try:
            yield
        finally:
            self._writing = False

    def _image(self) -> NDArray[Any]:
        """Return what the layer shows as a new array."""
        if isinstance(self.picture, Values):
            values = self.picture.values.astype(np.float32, copy=False)
            return self.grid.image(values, 0.0 if values.ndim == 2 else np.nan)
        image = np.zeros(self.grid.shape, dtype=np.uint8)
        self._write(image)
        return image

    def _write(self, image: NDArray[Any]) -> None:
        """Write the picture into an array from `_image`."""
        picture = self.picture
        if isinstance(picture, Values):
            self.grid.write(picture.values, image)
        elif isinstance(picture, Classes):
            self.grid.write(picture.labels, image)
        else:
            values, limit = self._laid_out(picture.values), np.float32(picture.limit)
            with np.errstate(invalid="ignore"):
                np.less(values, limit, out=image.view(np.bool_))

    def _laid_out(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values on the canvas, laid out once for many limits."""
        if self._laid is None or self._laid[0] is not values:
            self._laid = (values, self.grid.image(values, np.nan))
        return self._laid[1]

    def _dress(self, layer: Any) -> None:
        """Bring colors, limits and table of the layer up to date."""
        picture = self.picture
        if isinstance(picture, Values):
            untouched = tuple(self._limits) == tuple(layer.contrast_limits)
            if picture.limits is not None and untouched:
                layer.contrast_limits = self._limits = picture.limits
            return
        names, colors = _names_and_colors(picture)
        if self._colors != colors:
            self._colors = colors
            with self._own_change():
                layer.colormap = label_colors(colors)
        layer.features = self._table(layer.data, names)

    def _table(self, image: NDArray[np.uint8], names: Sequence[str]) -> pd.DataFrame:
        """Return one row per label: number, phase, pixels and per cent."""
        counts = _counts(image, len(names))
        counts[0] = len(self.grid.pixels) - counts[1:].sum()  # not the empty canvas
        total = max(int(counts[1:].sum()), 1)
        return pd.DataFrame(
            {
                "index": np.arange(len(names) + 1),
                "phase": ["(not assigned)", *names],
                "pixels": counts,
                "per cent": np.r_[np.nan, np.round(100 * counts[1:] / total, 2)],
            }
        )

    # ---- What a person does to it ----

    def _on_painted(self, event: Any) -> None:
        """Take what was painted by hand, and put right what cannot be.

        napari emits `paint` before the array is written and only `set_data` on undo:
        both events are compared with what the layer showed.
        """
        paint, picture, layer = self.kind.paint, self.picture, event.source
        if self._writing or paint is None or not isinstance(picture, Classes):
            return
        self._painting = True
        try:
            paint(self._workspace, self.grid.read(layer.data, picture.labels))
        finally:
            self._painting = False
        truth = self._image()
        if not np.array_equal(truth, layer.data):
            with self._own_change():
                layer.data[:] = truth
                layer.refresh(highlight=False, extent=False)

    def _on_colors(self, event: Any) -> None:
        """Take other colors of the layer: napari can shuffle them."""
        if self._writing or self.kind.recolor is None:
            return
        colors = changed_colors(event.source, self._colors)
        if colors:
            self.kind.recolor(self._workspace, colors)


def _names_and_colors(
    picture: Classes | Below,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if isinstance(picture, Below):
        return (picture.name,), (picture.color,)
    return tuple(picture.names), tuple(picture.colors)


def _counts(image: NDArray[np.uint8], n_labels: int) -> NDArray[np.int64]:
    """Return how often each label from 0 to `n_labels` is there."""
    if n_labels == 1:
        n_one = int(np.count_nonzero(image))
        return np.array([image.size - n_one, n_one])
    counts = np.bincount(image.reshape(-1), minlength=n_labels + 1)
    return np.asarray(counts[: n_labels + 1])
