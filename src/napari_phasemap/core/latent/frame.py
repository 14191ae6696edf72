"""A box around the points with ticks in latent units, and ellipsoids of the classes.

* `Frame`: how latent coordinates become a cloud of about unit size, and back.
* `box_lines`, `tick_labels`: the axes, as lines in space and as text on the screen.
* `ellipsoid_lines`: Gaussian outlines of the classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.latent.camera import Camera

__all__ = ["Frame", "Label", "box_lines", "ellipsoid_lines", "tick_labels"]

#: Per cent of the points that the box holds: single outliers lie outside of it.
RANGE = (0.05, 99.95)
MAX_SAMPLE = 100_000
#: Ticks per axis, about.
N_TICKS = 4
#: Corners of each ring of an ellipsoid.
N_RING = 48
#: How far a tick label and an axis title stand off the box, in line heights, and how
#: wide a character is.
TICK_OFFSET, TITLE_OFFSET, CHARACTER = 0.8, 2.0, 0.5


@dataclass(frozen=True, eq=False)
class Frame:
    """Shift and scale from latent coordinates to the cloud that is drawn.

    Parameters
    ----------
    low, high : ndarray of shape (3,)
        Ends of the box in latent units.
    scale : ndarray of shape (3,)
        Drawn units per latent unit; equal on all axes unless they are stretched.
    names : tuple of str
        Titles of the three axes.
    n_axes : int
        2 or 3 axes in use.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    scale: NDArray[np.float64]
    names: tuple[str, ...]
    n_axes: int

    @classmethod
    def around(
        cls, columns: NDArray[Any], names: Sequence[str], *, stretch: bool = False
    ) -> Frame:
        """Return the frame that holds points of shape (3, n_points).

        Parameters
        ----------
        columns : ndarray of shape (3, n_points)
            In latent units; columns with NaN are left out.
        names : sequence of str
            Of the axes.
        stretch : bool, default=False
            Draw every axis equally long.

        Returns
        -------
        Frame
            A little larger than what nearly all of them need.
        """
        step = max(1, columns.shape[1] // MAX_SAMPLE)
        low, high = np.zeros(3), np.zeros(3)
        for axis, row in enumerate(columns[:, ::step]):
            known = row[np.isfinite(row)]
            if known.size:
                low[axis], high[axis] = np.percentile(known, RANGE)
        span = high - low
        widest = float(span.max()) or 1.0
        span = np.where(span > 1e-9 * widest, span, 0.0)
        padding = 0.03 * np.where(span > 0, span, widest)
        used = np.array([bool(name) for name in names])
        low, high = low - padding, high + padding
        span = high - low
        scale = 1.0 / (span if stretch else np.full(3, span.max()))
        return cls(low, high, scale, tuple(names), int(used.sum()))

    @property
    def middle(self) -> NDArray[np.float64]:
        """Latent coordinates of the middle of the box: the origin of the cloud."""
        return 0.5 * (self.low + self.high)

    def place(self, columns: NDArray[Any]) -> NDArray[np.float32]:
        """Return latent coordinates of shape (3, n) as drawn, float32.

        Parameters
        ----------
        columns : ndarray of shape (3, n)
            In latent units.

        Returns
        -------
        ndarray of float32 of shape (3, n)
            In drawn units.
        """
        placed = np.empty(columns.shape, dtype=np.float32)
        rows = zip(columns, placed, self.middle, self.scale, strict=True)
        for row, target, middle, scale in rows:
            np.subtract(row, row.dtype.type(middle), out=target, casting="same_kind")
            target *= np.float32(scale)
        return placed

    def corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return both ends of the box as drawn."""
        half = 0.5 * (self.high - self.low) * self.scale
        return -half, half

    def ticks(self, axis: int) -> NDArray[np.float64]:
        """Return round values along an axis, in latent units.

        Parameters
        ----------
        axis : int
            Number of the axis.

        Returns
        -------
        ndarray of shape (n_ticks,)
            In latent units, inside the box.
        """
        low, high = self.low[axis], self.high[axis]
        rough = (high - low) / N_TICKS
        power = 10.0 ** np.floor(np.log10(rough))
        step = power * min((1, 2, 5, 10), key=lambda s: abs(s * power - rough))
        ticks = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
        rounded: NDArray[np.float64] = np.round(ticks, 12) + 0.0  # no "-0"
        return rounded


@dataclass(frozen=True)
class Label:
    """A word on the screen, centered at (x, y) in pixels."""

    text: str
    x: float
    y: float
    bold: bool = False


def box_lines(
    frame: Frame, color: tuple[float, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the twelve edges of the box: ends (24, 3) and colors (24, 4).

    Parameters
    ----------
    frame : Frame
        Which box.
    color : tuple of float
        Red, green, blue and alpha, 0 to 1.

    Returns
    -------
    places : ndarray of float32 of shape (24, 3)
        Two ends per edge, in drawn units; 8 ends where the box is flat.
    colors : ndarray of float32 of shape (24, 4)
        One per end, 0 to 1.
    """
    low, high = frame.corners()
    unit = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    ends = [
        (a, b)
        for index, a in enumerate(unit)
        for b in unit[index + 1 :]
        if np.abs(a - b).sum() == 1 and (frame.n_axes == 3 or a[2] == b[2] == 0)
    ]
    places = low + np.array(ends).reshape(-1, 3) * (high - low)
    if frame.n_axes < 3:
        places[:, 2] = 0.0
    colors = np.tile(np.array(color, dtype=np.float32), (len(places), 1))
    return places.astype(np.float32), colors


def tick_labels(
    frame: Frame, camera: Camera, width: float, height: float, line_height: float
) -> list[Label]:
    """Return ticks and titles along the outline of the box.

    Of the four parallel edges of an axis the one is labelled that lies furthest
    towards the lower left of the screen: it is never in front of the points.

    Parameters
    ----------
    frame : Frame
        Which box.
    camera : Camera
        Where it is seen from.
    width, height : float
        Of the canvas, in pixels.
    line_height : float
        Of a text, in pixels.

    Returns
    -------
    list of Label
        Only of axes that are long enough on the screen.
    """
    low, high = frame.corners()
    matrix = camera.screen_matrix(width, height)
    axes = (0, 1) if camera.flat or frame.n_axes < 3 else (0, 1, 2)
    center = _on_screen(matrix, np.zeros((1, 3)))[0]
    labels = []
    for axis in axes:
        starts = _edge_starts(low, high, axis, flat=len(axes) == 2)
        ends = starts.copy()
        ends[:, axis] = high[axis]
        first, last = _on_screen(matrix, starts), _on_screen(matrix, ends)
        length = np.linalg.norm(last - first, axis=1).max()
        if not np.isfinite(length) or length < 2 * line_height:
            continue
        middles = 0.5 * (first + last)
        upright = axis == 2 or (len(axes) == 2 and axis == 1)
        score = -middles[:, 0] if upright else middles[:, 1] - 0.01 * middles[:, 0]
        best = int(np.argmax(score))
        outward = _outward(first[best], last[best], center)
        ticks = frame.ticks(axis)
        places = np.repeat(starts[best : best + 1], len(ticks), axis=0)
        places[:, axis] = (ticks - frame.middle[axis]) * frame.scale[axis]
        texts = [f"{tick:g}" for tick in ticks]
        sideways = abs(outward[0]) * CHARACTER
        wide = max((len(text) for text in texts), default=0)
        off = line_height * (TICK_OFFSET + 0.5 * wide * sideways)
        labels += [
            Label(text, float(x), float(y))
            for text, (x, y) in zip(
                texts, _on_screen(matrix, places) + off * outward, strict=True
            )
        ]
        title = frame.names[axis]
        if upright:  # above the upper end, where a narrow view has room
            x, y = min(first[best], last[best], key=lambda end: end[1])
            labels.append(Label(title, float(x), float(y - line_height), bold=True))
            continue
        off = line_height * (TITLE_OFFSET + (wide + 0.6 * len(title)) * sideways)
        x, y = middles[best] + off * outward
        labels.append(Label(title, float(x), float(y), bold=True))
    return labels


def _edge_starts(
    low: NDArray[np.float64], high: NDArray[np.float64], axis: int, *, flat: bool
) -> NDArray[np.float64]:
    """Return where the parallel edges of the box along `axis` begin."""
    others = [i for i in range(3) if i != axis]
    starts = np.repeat(low[None], 4, axis=0)
    starts[1, others[0]] = starts[3, others[0]] = high[others[0]]
    starts[2, others[1]] = starts[3, others[1]] = high[others[1]]
    if flat:
        starts[:, 2] = 0.0
    return starts


def _outward(
    first: NDArray[np.float64], last: NDArray[np.float64], center: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the direction on the screen that leads away from the box."""
    along = (last - first) / max(float(np.linalg.norm(last - first)), 1e-9)
    normal = np.array([-along[1], along[0]])
    return normal if normal @ (0.5 * (first + last) - center) >= 0 else -normal


def _on_screen(
    matrix: NDArray[np.float64], places: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return screen positions of shape (n, 2)."""
    ends = np.column_stack([places, np.ones(len(places))]) @ matrix.T
    ends[ends[:, 3] <= 0] = np.nan
    positions: NDArray[np.float64] = ends[:, :2] / ends[:, 3:]
    return positions


def ellipsoid_lines(
    points: NDArray[np.float32],
    codes: NDArray[Any],
    colors: NDArray[Any],
    shown: NDArray[np.bool_],
    *,
    sigmas: Sequence[float] = (1.0, 2.0),
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the rings of Gaussian ellipsoids, three per class and sigma.

    Parameters
    ----------
    points : ndarray of float32 of shape (3, n_points)
        In drawn units; a NaN is left out.
    codes : ndarray of int of shape (n_points,)
        Class of each point.
    colors : ndarray of shape (n_codes, 3)
        Red, green, blue of each class, up to 255, dimensionless.
    shown : bool ndarray of shape (n_codes,)
        Classes to outline; those with fewer than four points are left out.
    sigmas : sequence of float
        Sizes, in standard deviations along each axis of the class.

    Returns
    -------
    places : ndarray of float32 of shape (2 * n_lines, 3)
        Two ends per line, in drawn units.
    colors : ndarray of float32 of shape (2 * n_lines, 4)
        Red, green, blue and alpha of each end, 0 to 1.
    """
    rings = _unit_rings()
    places, tints = [np.zeros((0, 3))], [np.zeros((0, 4))]
    known = np.isfinite(points).all(axis=0)
    for code in np.flatnonzero(shown):
        group = points[:, known & (codes == code)]
        if group.shape[1] < 4:
            continue
        values, axes = np.linalg.eigh(np.cov(group.astype(np.float64)))
        shape = axes * np.sqrt(np.maximum(values, 0.0))
        for sigma in sigmas:
            ring = group.mean(axis=1) + sigma * rings @ shape.T
            places.append(ring)
            alpha = 0.9 if sigma == sigmas[0] else 0.5
            tint = np.array([*(colors[code] / 255.0), alpha])
            tints.append(np.tile(tint, (len(ring), 1)))
    return (
        np.concatenate(places).astype(np.float32),
        np.concatenate(tints).astype(np.float32),
    )


def _unit_rings() -> NDArray[np.float64]:
    """Return line ends of three great circles of the unit sphere, (n, 3)."""
    angle = np.linspace(0, 2 * np.pi, N_RING + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ends = np.stack([circle[:-1], circle[1:]], axis=1).reshape(-1, 2)
    rings = np.zeros((3, len(ends), 3))
    for ring, (a, b) in zip(rings, ((0, 1), (0, 2), (1, 2)), strict=True):
        ring[:, a], ring[:, b] = ends.T
    return rings.reshape(-1, 3)
