"""Everything that is drawn: points, colors, selection, axes and how they look.

* `Style`: size, opacity, colors of the background, and which extras are on.
* `Scene`: holds what is shown and paints it for any camera and size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from vispy import gloo

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.latent.density import density_picture, has_kernels
from napari_phasemap.core.latent.frame import (
    Frame,
    box_lines,
    ellipsoid_lines,
    tick_labels,
)
from napari_phasemap.core.latent.projection import project
from napari_phasemap.views.scatter.colors import Coloring, plain
from napari_phasemap.views.scatter.gl import LineSet, PointCloud, ordered_depth
from napari_phasemap.views.scatter.overlay import FONT_POINTS, Marks
from napari_phasemap.views.scatter.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.latent.camera import Camera
    from napari_phasemap.core.latent.projection import Screen

__all__ = ["Scene", "Style"]

#: How much rarer classes, or selected points, come forward (see `ordered_depth`).
FORWARD, FORWARD_SELECTED, FORWARD_RARE = 0.06, 0.7, 0.97
#: How much of its color an unselected point keeps while others are selected.
FADED = 0.22
#: The same where densities are shown, whose opacity makes them paler still.
PALER = 0.5
#: Unselected points that a selected one outweighs on its pixel.
SELECTED_WEIGHT = 50.0
#: Points counted for a density while the camera moves.
MOVING_POINTS = 2_000_000
#: The same until the compiled loop is there.
SLOW_POINTS = 300_000
NO_LINES = np.zeros((0, 3), np.float32), np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Style:
    """How the scatter looks.

    Parameters
    ----------
    point_size : float
        Diameter of a point in pixels.
    opacity : float
        0 to 1; below 1 points are blended, the rarest class last.
    axes, ellipsoids : bool
        Whether the box, and the outlines of the classes, are drawn.
    rare_in_front : bool
        Draw rarer classes in front of all others instead of slightly forward.
    density : bool
        Show how many points lie where instead of the front-most ones.
    background, foreground : str
        Hexadecimal colors.
    """

    point_size: float = 3.0
    opacity: float = 1.0
    axes: bool = True
    ellipsoids: bool = False
    rare_in_front: bool = False
    density: bool = False
    background: str = "#000000"
    foreground: str = "#f0f1f2"


class Scene:
    """What the scatter shows. `paint` needs a current OpenGL context."""

    def __init__(self) -> None:
        self.style = Style()
        self.frame = Frame.around(np.zeros((3, 1)), ("", "", ""))
        self.points: NDArray[np.float32] = np.zeros((3, 0), dtype=np.float32)
        self.coloring: Coloring = plain(0)
        self.shown = np.ones(1, dtype=bool)
        self.selection: NDArray[np.bool_] | None = None
        self.cursor: int | None = None
        self.n_missing = 0
        self._markers: dict[str, NDArray[np.float32]] = {}
        self._priority = np.ones((2, 1), dtype=np.float32)
        self._table = np.zeros((2, 1, 4), dtype=np.uint8)
        self.make_buffers()

    def make_buffers(self) -> None:
        """Make everything on the graphics card anew, for a new OpenGL context."""
        self._cloud, self._picture = PointCloud(), Picture()
        self._box, self._rings = LineSet(), LineSet()
        self._has_points = self._has_codes = False
        if self.n_points:
            self._set_table()
            self._set_lines()

    @property
    def n_points(self) -> int:
        """Number of points, drawn or not."""
        return int(self.points.shape[1])

    # ---- What is shown ----

    def set_points(
        self, columns: NDArray[Any], names: Sequence[str], *, stretch: bool
    ) -> None:
        """Show other points; a coloring and a selection of as many points stay."""
        n_before = self.n_points
        self.frame = Frame.around(columns, names, stretch=stretch)
        self.points = self.frame.place(columns)
        self.n_missing = int(np.count_nonzero(~np.isfinite(self.points).all(axis=0)))
        self._markers = {}
        if self.n_points != n_before:
            self.cursor = self.selection = None
            self.coloring = plain(self.n_points)
            self.shown = np.ones(1, dtype=bool)
        self._has_points = False
        self._set_table()
        self._set_lines()

    def set_coloring(self, coloring: Coloring) -> None:
        """Color the points; classes of the same names stay hidden or shown."""
        if len(coloring.codes) != self.n_points:
            raise InputError(f"{len(coloring.codes)} codes for {self.n_points} points")
        same = coloring.names and coloring.names == self.coloring.names
        self.coloring = coloring
        if not same:
            self.shown = np.ones(len(coloring.colors), dtype=bool)
        self._set_table()
        self._set_lines()

    def set_shown(self, shown: NDArray[np.bool_]) -> None:
        """Draw only some classes."""
        self.shown = np.asarray(shown, dtype=bool)
        self._set_table()
        self._set_lines()

    def set_selection(self, selected: NDArray[np.bool_] | None) -> bool:
        """Let the selected points stand out; return whether anything changed."""
        known = selected is not None and len(selected) == self.n_points
        had = self.selection is not None
        self.selection = selected if known and np.any(selected) else None
        if had or self.selection is not None:
            self._set_table()
            return True
        return False

    def set_markers(self, markers: Mapping[str, NDArray[Any]]) -> None:
        """Show named places, given as three latent coordinates each."""
        self._markers = {
            name: self.frame.place(np.asarray(place, dtype=float).reshape(3, 1))
            for name, place in markers.items()
        }

    def set_style(self, style: Style) -> None:
        """Change how everything looks."""
        self.style = style
        self._set_table()
        self._set_lines()

    # ---- What the mouse needs ----

    def drawn(self) -> NDArray[np.bool_] | None:
        """Return which points have a class that is shown, None for all."""
        return None if self.shown.all() else self.shown[self.coloring.codes]

    def depth(self, screen: Screen) -> NDArray[np.float32]:
        """Return the depth at which each point is drawn."""
        codes = self.coloring.codes
        if self.selection is not None:
            codes = codes + len(self.coloring.colors) * self.selection.astype(np.int32)
        return ordered_depth(
            screen.depth, codes, self._priority.ravel(), self._forward()
        )

    def _forward(self) -> float:
        if self.style.rare_in_front:
            return FORWARD_RARE
        return FORWARD if self.selection is None else FORWARD_SELECTED

    # ---- Buffers ----

    def _set_table(self) -> None:
        """Bring the code of every point and the table of colors up to date."""
        if not self.n_points:
            return
        coloring = self.coloring
        n_codes = len(coloring.colors)
        rank = np.full(n_codes, float(n_codes))
        if coloring.limits is None:
            rank = 1.0 + np.argsort(np.argsort(-coloring.counts, kind="stable"))
        priority = np.round(255 * np.array([[0.5], [1.0]]) * rank / n_codes)
        priority = np.maximum(priority, 1) * self.shown
        faded = FADED * coloring.colors + (1 - FADED) * _rgb(self.style.background)
        table = np.empty((2, n_codes, 4), dtype=np.uint8)
        table[0, :, :3] = coloring.colors if self.selection is None else faded
        table[1, :, :3] = coloring.colors
        table[:, :, 3] = priority
        self._priority = (priority / 255).astype(np.float32)
        self._table = table
        self._has_codes = False

    def _fill_cloud(self) -> None:
        """Bring the buffers of the points up to date, now that they are drawn."""
        if not self._has_points:
            self._cloud.set_points(self.points)
            self._has_points, self._has_codes = True, False
        if self._has_codes:
            return
        codes = self.coloring.codes.astype(np.float32)
        if self.selection is not None:
            codes += np.float32(len(self.coloring.colors)) * self.selection
        ranks = None
        if self.style.opacity < 1:
            ranks = self._table[:, :, 3].ravel()[codes.astype(np.intp)]
        self._cloud.set_table(self._table)
        self._cloud.set_codes(codes)
        self._cloud.set_ranks(ranks)
        self._has_codes = True

    def _set_lines(self) -> None:
        """Bring the box and the outlines of the classes up to date."""
        box, rings, coloring = NO_LINES, NO_LINES, self.coloring
        if self.style.axes and self.n_points:
            color = (*(_rgb(self.style.foreground) / 255.0), 0.35)
            box = box_lines(self.frame, color)
        if self.style.ellipsoids and coloring.limits is None:
            pale = 0.4 * coloring.colors + 0.6 * _rgb(self.style.foreground)
            rings = ellipsoid_lines(self.points, coloring.codes, pale, self.shown)
        self._box.set_lines(*box)
        self._rings.set_lines(*rings)

    # ---- Painting ----

    def paint(
        self,
        camera: Camera,
        size: tuple[int, int],
        *,
        opaque: bool = True,
        scale: float = 1.0,
        pixel: float = 1.0,
        moving: bool = False,
    ) -> None:
        """Paint with OpenGL into the current viewport.

        Parameters
        ----------
        camera : Camera
            From where.
        size : (int, int)
            Width and height, which give the shape of the view.
        opaque : bool, default=True
            Fill the background; otherwise leave it transparent.
        scale : float, default=1.0
            Enlarges the points.
        pixel : float, default=1.0
            Pixels of the viewport per pixel of `size`.
        moving : bool, default=False
            Draw a random part of many points.
        """
        gloo.set_state(depth_test=True, depth_func="less")
        gloo.set_depth_mask(True)
        back = _rgb(self.style.background) / 255.0 if opaque else np.zeros(3)
        gloo.clear(color=(*back, float(opaque)), depth=True)
        matrix = camera.clip_matrix(*size)
        forward = self._forward()
        self._box.draw(matrix, forward=forward, on_top=False)
        if self.style.density and self.n_points:
            width = max(1, round(self.style.point_size * scale / pixel))
            self._picture.draw(self._density(camera, size, width, moving))
        elif self.n_points:
            self._fill_cloud()
            self._cloud.draw(
                matrix,
                size=self.style.point_size * scale,
                opacity=self.style.opacity,
                forward=forward,
                moving=moving,
            )
        self._rings.draw(matrix, forward=forward, on_top=True)

    def _density(
        self, camera: Camera, size: tuple[int, int], width: int, moving: bool
    ) -> NDArray[np.uint8]:
        """Return the picture of how many points lie where."""
        coloring, colors = self.coloring, self._table[:, :, :3].astype(np.float32)
        if self.selection is not None:
            back = _rgb(self.style.background)
            colors[0] = PALER * coloring.colors + (1 - PALER) * back
        weights = np.ones((2, len(coloring.colors))) * (self._table[:, :, 3] > 0)
        weights[1] *= SELECTED_WEIGHT
        if self.style.rare_in_front and coloring.limits is None:
            weights *= coloring.counts.max() / np.maximum(coloring.counts, 1)
        return density_picture(
            self.points,
            coloring.codes,
            colors,
            weights,
            camera.screen_matrix(*size),
            *size,
            selected=self.selection,
            size=width,
            step=self._step(moving),
        )

    def _step(self, moving: bool) -> int:
        """Return that every so manieth point is counted."""
        if not has_kernels():
            return max(1, self.n_points // SLOW_POINTS)
        return max(1, self.n_points // MOVING_POINTS) if moving else 1

    def marks(self, camera: Camera, size: tuple[int, int], scale: float = 1.0) -> Marks:
        """Return the labels, named places and the cursor for a view."""
        matrix = camera.screen_matrix(*size)
        labels = []
        if self.style.axes and self.n_points:
            line = FONT_POINTS * 4 / 3 * 1.2 * scale
            labels = tick_labels(self.frame, camera, *size, line)
        places = []
        for name, place in self._markers.items():
            there = project(place, matrix)
            places.append((name, float(there.x[0]), float(there.y[0])))
        cursor = None
        if self.cursor is not None:
            there = project(self.points[:, self.cursor : self.cursor + 1], matrix)
            cursor = (float(there.x[0]), float(there.y[0]))
        return Marks(
            labels=labels,
            places=tuple(place for place in places if np.isfinite(place[1])),
            cursor=cursor if cursor and np.isfinite(cursor[0]) else None,
            note=f"{self.n_missing} not placed" if self.n_missing else "",
            foreground=self.style.foreground,
            background=self.style.background,
            scale=scale,
        )


def _rgb(color: str) -> NDArray[np.float64]:
    """Return a hexadecimal color as three numbers up to 255."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
