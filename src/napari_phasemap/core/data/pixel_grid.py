"""One array over all particles of a pixel size.

* `PixelGrid`: from the pixel order of a `StackSet` to the array and back.
* `pixel_grids`: one per pixel size of the particles in a layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.layout import Layout, Place
    from napari_phasemap.core.data.stack_set import StackSet

__all__ = ["PixelGrid", "pixel_grids"]


@dataclass(frozen=True, eq=False)
class PixelGrid:
    """One array over all particles of a pixel size.

    Parameters
    ----------
    step : tuple of float
        Height and width of a pixel in world units.
    first : tuple of int
        Row and column of pixel (0, 0) in steps from the world's origin.
    shape : tuple of int
        Rows and columns.
    pixels : ndarray of int64 of shape (n,)
        Pixels of the `StackSet` that lie on it, in order.
    flat : ndarray of int64 of shape (n,)
        Where they lie: index into the flattened array.
    """

    step: tuple[float, float]
    first: tuple[int, int]
    shape: tuple[int, int]
    pixels: NDArray[np.int64]
    flat: NDArray[np.int64]

    @property
    def translate(self) -> tuple[float, float]:
        """World position of the center of pixel (0, 0)."""
        return self.first[0] * self.step[0], self.first[1] * self.step[1]

    def image(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """Return per-pixel values of the whole set on the grid, `fill` elsewhere.

        Parameters
        ----------
        values : ndarray of shape (n_pixels,) or (n_pixels, n_channels)
            Of all pixels of the set; NaN stays NaN.
        fill : float
            Value between the particles and of pixels that are not analyzed.

        Returns
        -------
        ndarray of shape (n_rows, n_cols) or (n_rows, n_cols, n_channels)
            In the unit and with the dtype of `values`.
        """
        image = np.full((*self.shape, *values.shape[1:]), fill, dtype=values.dtype)
        self.write(values, image)
        return image

    def write(self, values: NDArray[Any], image: NDArray[Any]) -> None:
        """Write per-pixel values of the whole set into an array from `image`.

        Parameters
        ----------
        values : ndarray of shape (n_pixels, ...)
            Of the whole set, of any unit.
        image : ndarray of shape (n_rows, n_cols, ...)
            Changed where this grid has pixels.
        """
        shown = values if len(values) == len(self.pixels) else values[self.pixels]
        image.reshape(-1, *values.shape[1:])[self.flat] = shown

    def read(self, image: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
        """Return `values` with those of this grid's pixels as they are in `image`.

        Parameters
        ----------
        image : ndarray of shape (n_rows, n_cols)
            Of any unit.
        values : ndarray of shape (n_pixels, ...)
            Of the whole set, in the unit of the image; not changed.

        Returns
        -------
        ndarray of shape (n_pixels, ...)
            A copy, in the same unit.
        """
        read = values.copy()
        read[self.pixels] = image.reshape(-1)[self.flat]
        return read


def pixel_grids(stacks: StackSet, layout: Layout, /) -> tuple[PixelGrid, ...]:
    """Return one grid per pixel size for the particles that have a place.

    Parameters
    ----------
    stacks : StackSet
        Whose pixel order per-pixel values have.
    layout : Layout
        Places of the stacks; those without are left out.

    Returns
    -------
    tuple of PixelGrid
        In the order in which the pixel sizes appear.

    Examples
    --------
    >>> from napari_phasemap.core.data.layout import lay_out
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> from napari_phasemap.core.data.stack_set import StackSet
    >>> stacks = [SpectralStack(np.ones((2, 1, 2)), [1.0, 2.0], name=n) for n in "ab"]
    >>> (grid,) = pixel_grids(StackSet(stacks), lay_out(stacks, [["a", "b"]]))
    >>> grid.image(np.arange(1, 5), 0).tolist()
    [[1, 2, 0, 3, 4]]
    """
    members: dict[tuple[float, float], list[int]] = {}
    for number, name in enumerate(stacks.names):
        if name in layout.places:
            members.setdefault(layout.places[name].step, []).append(number)
    return tuple(
        _grid(stacks, [(n, layout.places[stacks[n].name]) for n in numbers])
        for numbers in members.values()
    )


def _grid(stacks: StackSet, members: Sequence[tuple[int, Place]]) -> PixelGrid:
    corners = np.array([place.corner for _, place in members])
    ends = corners + [place.shape for _, place in members]
    first, last = corners.min(axis=0), ends.max(axis=0)
    n_rows, n_cols = (int(n) for n in last - first)
    flat, pixels = [], []
    for (number, place), corner in zip(members, corners - first, strict=True):
        rows, cols = np.nonzero(stacks[number].mask)
        if place.flipped:
            rows = place.shape[0] - 1 - rows
        flat.append((rows + corner[0]) * n_cols + cols + corner[1])
        pixels.append(np.arange(*stacks.offsets[number : number + 2]))
    return PixelGrid(
        step=members[0][1].step,
        first=(int(first[0]), int(first[1])),
        shape=(n_rows, n_cols),
        pixels=np.concatenate(pixels),
        flat=np.concatenate(flat),
    )
