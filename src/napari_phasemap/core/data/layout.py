"""Where particles lie beside one another.

* `in_rows`: which particles stand in which row.
* `lay_out`: the place of every particle, on whole pixels.
* `Place`, `Layout`: from a particle's pixel to the canvas and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["Layout", "Place", "in_rows", "lay_out"]

#: Free space beside a particle and above it, where its name stands, as a share of the
#: widest and the highest particle.
GAP, NAME_GAP = 0.06, 0.16
#: How many times wider than high a layout of equal particles is.
ROW_ASPECT = 1.6
#: Pixel sizes are the same if the difference adds up to less than this share of a pixel
#: across a particle: it would not be seen.
SAME_PIXEL = 0.1


@dataclass(frozen=True)
class Place:
    """Where one particle lies.

    Parameters
    ----------
    step : tuple of float
        Height and width of a pixel in world units (nm, or 1 for pixels).
    corner : tuple of int
        Row and column of its upper left pixel, counted in steps from the world's
        origin: the center of that pixel is at ``corner * step``.
    shape : tuple of int
        Rows and columns.
    flipped : bool, default=False
        Whether the first row is the lowest.
    """

    step: tuple[float, float]
    corner: tuple[int, int]
    shape: tuple[int, int]
    flipped: bool = False

    @property
    def scale(self) -> tuple[float, float]:
        """World units per row and per column; rows run upwards where `flipped`."""
        dy, dx = self.step
        return (-dy if self.flipped else dy), dx

    @property
    def translate(self) -> tuple[float, float]:
        """World position of the center of pixel (0, 0)."""
        row, col = self.corner
        row += self.shape[0] - 1 if self.flipped else 0
        return row * self.step[0], col * self.step[1]

    def pixel(self, y: float, x: float) -> tuple[int, int] | None:
        """Return row and column at a world position, None beside the particle.

        Parameters
        ----------
        y, x : float
            World position in nm, or in pixels where the pixel size is not known.

        Returns
        -------
        tuple of int, or None
            Row and column, from 0.
        """
        (scale_y, scale_x), (top, left) = self.scale, self.translate
        row = int(np.floor((y - top) / scale_y + 0.5))
        col = int(np.floor((x - left) / scale_x + 0.5))
        inside = 0 <= row < self.shape[0] and 0 <= col < self.shape[1]
        return (row, col) if inside else None

    def world(self, row: int, col: int) -> tuple[float, float]:
        """Return the world position of the center of a pixel.

        Parameters
        ----------
        row, col : int
            The pixel.

        Returns
        -------
        y, x : float
            In the unit of the world, nm or pixels.
        """
        (scale_y, scale_x), (top, left) = self.scale, self.translate
        return top + scale_y * row, left + scale_x * col


@dataclass(frozen=True, eq=False)
class Layout:
    """Places of particles by name; no two overlap."""

    places: Mapping[str, Place]

    @cached_property
    def _boxes(self) -> NDArray[np.float64]:
        """Top, left, bottom and right edge of every particle, of shape (4, n)."""
        edges = []
        for place in self.places.values():
            first = (np.array(place.corner) - 0.5) * place.step
            edges.append([*first, *(first + np.array(place.shape) * place.step)])
        return np.array(edges).reshape(-1, 4).T

    def at(self, y: float, x: float) -> tuple[str, int, int] | None:
        """Return particle, row and column at a world position, None beside them.

        Parameters
        ----------
        y, x : float
            World position in nm, or in pixels.

        Returns
        -------
        tuple of (str, int, int), or None
            Name, row and column, from 0.
        """
        top, left, bottom, right = self._boxes
        hit = np.flatnonzero((top <= y) & (y < bottom) & (left <= x) & (x < right))
        if not hit.size:
            return None
        name = list(self.places)[int(hit[0])]
        pixel = self.places[name].pixel(y, x)
        return None if pixel is None else (name, *pixel)

    def box(self, name: str) -> tuple[float, float, float, float]:
        """Return top, left, bottom and right edge of a particle in world units.

        Parameters
        ----------
        name : str
            Of the particle.

        Returns
        -------
        tuple of float
            In nm, or in pixels.
        """
        number = list(self.places).index(name)
        top, left, bottom, right = map(float, self._boxes[:, number])
        return top, left, bottom, right


def in_rows(
    names: Sequence[str],
    /,
    *,
    n_columns: int | None = None,
    groups: Mapping[str, str] | None = None,
) -> list[list[str]]:
    """Return which particles stand in which row.

    Parameters
    ----------
    names : sequence of str
        Particles in order.
    n_columns : int, optional
        Most particles of a row; default what makes all of them 1.6 times as wide as
        high, were they equal squares.
    groups : mapping of str to str, optional
        A value per particle: each value begins a new row, numbers in their order,
        words in alphabetical order, particles without a value last.

    Returns
    -------
    list of list of str
        From the top.

    Examples
    --------
    >>> in_rows(["a", "b", "c"], n_columns=2)
    [['a', 'b'], ['c']]
    >>> in_rows(["a", "b", "c"], groups={"a": "80", "b": "9"})
    [['b'], ['a'], ['c']]
    """
    width = n_columns or max(1, ceil(sqrt(len(names) * ROW_ASPECT)))
    if groups is None:
        return _wrapped(names, width)
    values = sorted({groups.get(name, "") for name in names}, key=_order)
    members = [[n for n in names if groups.get(n, "") == value] for value in values]
    return [row for group in members for row in _wrapped(group, width)]


def _wrapped(names: Sequence[str], width: int) -> list[list[str]]:
    return [list(names[i : i + width]) for i in range(0, len(names), width)]


def _order(value: str) -> tuple[int, float, str]:
    """Sort numbers by value, before words, before nothing."""
    try:
        return 0, float(value), value
    except ValueError:
        return (1 if value else 2), 0.0, value


def lay_out(
    stacks: Sequence[SpectralStack],
    rows: Sequence[Sequence[str]],
    /,
    *,
    in_nm: bool = True,
) -> Layout:
    """Place particles in rows, each on whole pixels of its own size.

    Particles whose pixel sizes differ by less than a tenth of a pixel across them share
    one size, and so one grid.

    Parameters
    ----------
    stacks : sequence of SpectralStack
        With different names.
    rows : sequence of sequence of str
        From `in_rows`. Stacks that are not named have no place.
    in_nm : bool, default=True
        Use the stacks' pixel sizes in nm; False counts in pixels.

    Returns
    -------
    Layout

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stacks = [SpectralStack(np.ones((1, 10, 20)), [1.0], name=n) for n in "ab"]
    >>> layout = lay_out(stacks, [["a", "b"]])
    >>> layout.places["b"].corner, layout.at(3.2, 24.0)
    ((0, 22), ('b', 3, 2))
    """
    by_name = {stack.name: stack for stack in stacks}
    steps = _shared_steps(stacks, in_nm)
    shown = [name for row in rows for name in row]
    sizes = {n: np.array(by_name[n].shape) * steps[n] for n in shown}
    highest = max((size[0] for size in sizes.values()), default=0.0)
    widest = max((size[1] for size in sizes.values()), default=0.0)
    gap_y, gap_x = NAME_GAP * highest, GAP * widest
    places: dict[str, Place] = {}
    top = 0.0
    for row in rows:
        left = 0.0
        for name in row:
            stack, (dy, dx) = by_name[name], steps[name]
            corner = (_whole(top / dy), _whole(left / dx))
            flipped = stack.origin == "lower"
            places[name] = Place((dy, dx), corner, stack.shape, flipped)
            left = corner[1] * dx + sizes[name][1] + gap_x
        top += max((sizes[name][0] for name in row), default=0.0) + gap_y
    return Layout(places)


def _whole(count: float) -> int:
    """Return the next whole number, undisturbed by rounding errors."""
    return ceil(count - 1e-6)


def _shared_steps(
    stacks: Sequence[SpectralStack], in_nm: bool
) -> dict[str, tuple[float, float]]:
    """Return the pixel size of every stack, the first one's where it is the same."""
    known: list[tuple[float, float]] = []
    steps = {}
    for stack in stacks:
        own = stack.pixel_size if in_nm and stack.pixel_size else (1.0, 1.0)
        drift = [
            max(abs(a / b - 1) * n for a, b, n in zip(own, s, stack.shape, strict=True))
            for s in known
        ]
        if drift and min(drift) < SAME_PIXEL:
            own = known[int(np.argmin(drift))]
        else:
            known.append(own)
        steps[stack.name] = own
    return steps
