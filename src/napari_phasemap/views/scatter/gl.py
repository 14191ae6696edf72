"""Points and lines on the graphics card, with one table for all colors.

* `PointCloud`: points that look their color up in a table, so that another coloring,
  a hidden class or a selection moves four bytes per point and nothing else.
* `LineSet`: colored line segments in the same space.
* `has_opengl`: whether a canvas can be shown at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtGui import QOffscreenSurface, QOpenGLContext
from vispy import gloo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LineSet", "PointCloud", "has_opengl", "ordered_depth"]

#: Points drawn while the camera moves: 30 ms in software rendering.
MAX_MOVING = 100_000
#: Pixels from which points are discs. The test that rounds them keeps the card from
#: skipping what is hidden, so that small points are squares.
ROUND_FROM = 3.5
#: Cells per axis of unit length, in whose order points are drawn: neighbors in the
#: buffer are then neighbors on the screen, which halves the time in software.
N_CELLS = 32
#: A point without coordinates is put here, far outside of any view.
NOWHERE = 1e9

POINT_VERTEX = """
uniform mat4 u_matrix;
uniform sampler2D u_table;
uniform float u_n_codes;
uniform float u_size;
uniform float u_forward;
attribute vec3 a_position;
attribute float a_code;
varying vec3 v_color;
void main() {
    float row = floor(a_code / u_n_codes);
    float column = a_code - row * u_n_codes;
    vec4 entry = texture2D(u_table,
        vec2((column + 0.5) / u_n_codes, (row + 0.5) / 2.0));
    vec4 place = u_matrix * vec4(a_position, 1.0);
    place.z = place.z * (1.0 - u_forward)
        + u_forward * (1.0 - 2.0 * entry.a) * place.w;
    if (entry.a < 0.001) place = vec4(2.0, 2.0, 2.0, 1.0);
    gl_Position = place;
    gl_PointSize = u_size;
    v_color = entry.rgb;
}
"""
SQUARE_FRAGMENT = """
uniform float u_opacity;
varying vec3 v_color;
void main() { gl_FragColor = vec4(v_color, u_opacity); }
"""
ROUND_FRAGMENT = """
uniform float u_opacity;
varying vec3 v_color;
void main() {
    vec2 off = gl_PointCoord - vec2(0.5);
    if (dot(off, off) > 0.25) discard;
    gl_FragColor = vec4(v_color, u_opacity);
}
"""
LINE_VERTEX = """
uniform mat4 u_matrix;
uniform float u_forward;
attribute vec3 a_position;
attribute vec4 a_color;
varying vec4 v_color;
void main() {
    vec4 place = u_matrix * vec4(a_position, 1.0);
    place.z = place.z * (1.0 - u_forward) + u_forward * place.w;
    gl_Position = place;
    v_color = a_color;
}
"""
LINE_FRAGMENT = """
varying vec4 v_color;
void main() { gl_FragColor = v_color; }
"""


def has_opengl() -> bool:
    """Return whether this machine gives us an OpenGL context."""
    context = QOpenGLContext()
    if not context.create():
        return False
    surface = QOffscreenSurface()
    surface.setFormat(context.format())
    surface.create()
    works = bool(context.makeCurrent(surface))
    context.doneCurrent()
    return works


def ordered_depth(
    depth: NDArray[np.float32],
    codes: NDArray[Any],
    priority: NDArray[np.float32],
    forward: float,
) -> NDArray[np.float32]:
    """Return the depth at which the points are drawn, as in the vertex shader.

    Parameters
    ----------
    depth : ndarray of float32 of shape (n_points,)
        -1 (nearest) to 1.
    codes : ndarray of int of shape (n_points,)
        Entry of `priority` of each point.
    priority : ndarray of float32 of shape (n_codes,)
        0 to 1; larger is drawn further in front.
    forward : float
        0: depth alone decides; 1: priority alone.
    """
    shift = (np.float32(forward) * (1 - 2 * priority)).astype(np.float32)
    result: NDArray[np.float32] = depth * np.float32(1 - forward)
    result += shift[codes]
    return result


class PointCloud:
    """Points with a code each, drawn in the colors of a table.

    Buffers are written when they change; `draw` needs a current OpenGL context.
    """

    def __init__(self) -> None:
        self._programs = {
            is_round: gloo.Program(POINT_VERTEX, fragment)
            for is_round, fragment in ((False, SQUARE_FRAGMENT), (True, ROUND_FRAGMENT))
        }
        self._n_points = 0
        self._n_codes = 1
        self._order: NDArray[np.uint32] | None = None
        self._codes: gloo.VertexBuffer | None = None
        self._few: gloo.IndexBuffer | None = None
        self._all: gloo.IndexBuffer | None = None

    def set_points(self, points: NDArray[np.float32]) -> None:
        """Show other points, of shape (3, n_points); those with NaN are not drawn.

        `set_codes` must follow.
        """
        self._n_points = points.shape[1]
        self._order = self._codes = None
        place = np.empty((self._n_points, 3), dtype=np.float32)
        if self._n_points > MAX_MOVING:
            self._order = _by_cell(points)
        for row, column in zip(points, place.T, strict=True):
            column[:] = row if self._order is None else row[self._order]
        if not np.isfinite(place).all():
            np.nan_to_num(place, False, NOWHERE, NOWHERE, NOWHERE)
        positions = gloo.VertexBuffer(place)
        for program in self._programs.values():
            program["a_position"] = positions
        self._few = self._all = None
        if self._n_points > MAX_MOVING:
            rng = np.random.default_rng(0)
            few = rng.choice(self._n_points, MAX_MOVING, replace=False, shuffle=False)
            self._few = gloo.IndexBuffer(np.sort(few).astype(np.uint32))

    def set_codes(self, codes: NDArray[np.float32]) -> None:
        """Give every point its entry of the table; row after row."""
        if self._order is not None:
            codes = codes[self._order]
        if self._codes is not None:
            self._codes.set_data(codes, copy=False)
            return
        self._codes = gloo.VertexBuffer(codes)
        for program in self._programs.values():
            program["a_code"] = self._codes

    def set_ranks(self, ranks: NDArray[np.uint8] | None) -> None:
        """Draw points of a higher rank later, as translucent points need it."""
        self._all = None
        if ranks is not None:
            if self._order is not None:
                ranks = ranks[self._order]
            order = np.argsort(ranks, kind="stable").astype(np.uint32)
            self._all = gloo.IndexBuffer(order)

    def set_table(self, table: NDArray[np.uint8]) -> None:
        """Set colors: (2, n_codes, 4); row 1 for the selected points.

        The fourth value is how far in front a point is drawn, 0 is hidden.
        """
        self._n_codes = table.shape[1]
        texture = gloo.Texture2D(
            table, interpolation="nearest", wrapping="clamp_to_edge"
        )
        for program in self._programs.values():
            program["u_table"] = texture

    def draw(
        self,
        matrix: NDArray[np.float64],
        *,
        size: float,
        opacity: float,
        forward: float,
        moving: bool,
    ) -> None:
        """Draw all points, or a random part of many while the camera moves."""
        if not self._n_points:
            return
        translucent = opacity < 1.0
        gloo.set_state(
            depth_test=not translucent,
            blend=translucent,
            blend_func=(
                "src_alpha",
                "one_minus_src_alpha",
                "one",
                "one_minus_src_alpha",
            ),
            cull_face=False,
        )
        program = self._programs[size > ROUND_FROM]
        program["u_matrix"] = matrix.T.astype(np.float32)
        program["u_n_codes"] = float(self._n_codes)
        program["u_size"] = float(size)
        program["u_opacity"] = float(opacity)
        program["u_forward"] = float(forward)
        program.draw("points", self._few if moving and self._few else self._all)


def _by_cell(points: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the order that walks through points of shape (3, n_points) by cells."""
    cell = np.zeros(points.shape[1], dtype=np.uint16)
    for row in points:
        index = (row + np.float32(0.5)) * np.float32(N_CELLS)
        np.nan_to_num(index, copy=False)
        cell *= N_CELLS
        cell += np.clip(index, 0, N_CELLS - 1, out=index).astype(np.uint16)
    return np.argsort(cell, kind="stable").astype(np.uint32)


class LineSet:
    """Colored line segments."""

    def __init__(self) -> None:
        self._program = gloo.Program(LINE_VERTEX, LINE_FRAGMENT)
        self._n_points = 0

    def set_lines(
        self, places: NDArray[np.float32], colors: NDArray[np.float32]
    ) -> None:
        """Set pairs of ends, of shape (2 * n_lines, 3), and RGBA per end."""
        self._n_points = len(places)
        if self._n_points:
            self._program["a_position"] = gloo.VertexBuffer(places)
            self._program["a_color"] = gloo.VertexBuffer(colors)

    def draw(
        self, matrix: NDArray[np.float64], *, forward: float, on_top: bool
    ) -> None:
        """Draw the lines over everything, or among the points."""
        if not self._n_points:
            return
        gloo.set_state(
            depth_test=not on_top,
            blend=True,
            blend_func=(
                "src_alpha",
                "one_minus_src_alpha",
                "one",
                "one_minus_src_alpha",
            ),
        )
        self._program["u_matrix"] = matrix.T.astype(np.float32)
        self._program["u_forward"] = float(forward)
        self._program.draw("lines")
