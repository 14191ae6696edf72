"""Where points of a three-dimensional cloud are on the screen, and which is in front.

* `Camera`: a turntable camera; turning, moving and zooming return another camera.
* `project`: screen position and depth of every point.
* `pick`: the front-most point under the cursor.
* `visible`: which points are not hidden behind others.

Screen positions are in pixels from the top left corner; a smaller depth is nearer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Camera", "Screen", "pick", "project", "visible"]

#: Points per block: three rows of float32 in and three out stay in the L2 cache.
BLOCK = 16_384
#: A view narrower than this fraction of the cloud shows single points only.
MIN_HEIGHT, MAX_HEIGHT = 1e-4, 1e3


@dataclass(frozen=True)
class Camera:
    """A camera that turns around a center with the third axis upright.

    Parameters
    ----------
    azimuth, elevation : float
        Direction of view in degrees: around the third axis, and above the horizon.
        At 0, 0 the first axis points right and the third up.
    center : tuple of float
        Point in the middle of the screen.
    height : float
        What the shorter side of the screen spans at `center`, in data units.
    fov : float
        Field of view in degrees; 0 is orthographic (parallel) projection.
    reach : float
        Radius around `center` that holds all points: depth is resolved within it.
    flat : bool
        Ignore the third coordinate and look from above: a 2-D view.
    """

    azimuth: float = 30.0
    elevation: float = 25.0
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
    height: float = 1.7
    fov: float = 0.0
    reach: float = 2.0
    flat: bool = False

    def axes(self) -> NDArray[np.float64]:
        """Return the rows right, up and forward, of shape (3, 3)."""
        azimuth, elevation = (
            (0.0, 90.0) if self.flat else (self.azimuth, self.elevation)
        )
        sin_a, cos_a = np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))
        sin_e, cos_e = np.sin(np.radians(elevation)), np.cos(np.radians(elevation))
        right = (cos_a, sin_a, 0.0)
        up = (-sin_a * sin_e, cos_a * sin_e, cos_e)
        forward = (-sin_a * cos_e, cos_a * cos_e, -sin_e)
        return np.array([right, up, forward])

    def clip_matrix(self, width: float, height: float) -> NDArray[np.float64]:
        """Return the matrix from data to OpenGL's clip space, for column vectors.

        Parameters
        ----------
        width, height : float
            Size of the screen in pixels.

        Returns
        -------
        ndarray of shape (4, 4)
            x to the right, y up, z away from the viewer, each -1..1 after division by
            the fourth coordinate. Dimensionless.
        """
        axes = self.axes()
        world = np.eye(4)
        world[:3, :3] = axes
        world[:3, 3] = -axes @ np.array(self.center)
        if self.flat:
            world[:, 2] = 0.0
            world[2, 3] = 0.0
        shorter = max(min(width, height), 1.0)
        half = 0.5 * self.height * np.array([width, height]) / shorter
        lens = np.zeros((4, 4))
        if self.fov <= 0 or self.flat:
            lens[0, 0], lens[1, 1] = 1.0 / half
            lens[2, 2], lens[3, 3] = 1.0 / self.reach, 1.0
            return lens @ world
        distance = self.height / (2.0 * np.tan(np.radians(self.fov) / 2.0))
        near = max(distance - self.reach, 1e-2 * distance)
        far = distance + self.reach
        lens[0, 0], lens[1, 1] = distance / half
        lens[2, 2] = (far + near) / (far - near)
        lens[2, 3] = lens[2, 2] * distance - 2.0 * far * near / (far - near)
        lens[3, 2], lens[3, 3] = 1.0, distance
        return lens @ world

    def screen_matrix(self, width: float, height: float) -> NDArray[np.float64]:
        """Return the matrix from data to pixels (x right, y down) and depth.

        Parameters
        ----------
        width, height : float
            Of the canvas, in pixels.

        Returns
        -------
        ndarray of shape (4, 4)
            For column vectors (x, y, z, 1) in drawn units.
        """
        viewport = np.array(
            [
                [width / 2.0, 0.0, 0.0, width / 2.0],
                [0.0, -height / 2.0, 0.0, height / 2.0],
                [0.0, 0.0, 1.0, 0.0],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        return viewport @ self.clip_matrix(width, height)

    def turned(self, dx: float, dy: float) -> Camera:
        """Return the camera after a drag by pixels, half a degree per pixel.

        Parameters
        ----------
        dx, dy : float
            To the right and down.

        Returns
        -------
        Camera
            Around the same center.
        """
        elevation = min(90.0, max(-90.0, self.elevation + 0.5 * dy))
        azimuth = (self.azimuth - 0.5 * dx + 180.0) % 360.0 - 180.0
        return replace(self, azimuth=azimuth, elevation=elevation)

    def zoomed(self, factor: float) -> Camera:
        """Return the camera that sees `factor` times as much.

        Parameters
        ----------
        factor : float
            Above 1 to see more.

        Returns
        -------
        Camera
            Around the same center.
        """
        height = min(MAX_HEIGHT, max(MIN_HEIGHT, self.height * factor))
        return replace(self, height=height)

    def moved(self, dx: float, dy: float, width: float, height: float) -> Camera:
        """Return the camera after the scene was dragged by (dx, dy) pixels.

        Parameters
        ----------
        dx, dy : float
            In pixels, to the right and down.
        width, height : float
            Of the canvas, in pixels.

        Returns
        -------
        Camera
            In the same direction.
        """
        per_pixel = self.height / max(min(width, height), 1.0)
        right, up, _ = self.axes()
        shift = per_pixel * (dy * up - dx * right)
        x, y, z = np.array(self.center) + shift
        return replace(self, center=(float(x), float(y), float(z)))

    def scale_at(
        self, point: NDArray[np.floating[Any]], width: float, height: float
    ) -> float:
        """Return how many data units one pixel spans at a point of shape (3,).

        Parameters
        ----------
        point : ndarray of shape (3,)
            In drawn units.
        width, height : float
            Of the canvas, in pixels.

        Returns
        -------
        float
            In drawn units per pixel.
        """
        per_pixel = self.height / max(min(width, height), 1.0)
        if self.fov <= 0 or self.flat:
            return per_pixel
        distance = self.height / (2.0 * np.tan(np.radians(self.fov) / 2.0))
        away = float(self.axes()[2] @ (np.asarray(point) - np.array(self.center)))
        return float(per_pixel * (distance + away) / distance)

    def under(
        self, x: float, y: float, width: float, height: float
    ) -> NDArray[np.float64]:
        """Return the point under a screen position, as far away as `center`.

        Parameters
        ----------
        x, y : float
            In pixels, from the upper left corner.
        width, height : float
            Of the canvas, in pixels.

        Returns
        -------
        ndarray of shape (3,)
            In drawn units.
        """
        right, up, _ = self.axes()
        per_pixel = self.height / max(min(width, height), 1.0)
        offset = (x - width / 2) * right - (y - height / 2) * up
        place: NDArray[np.float64] = np.array(self.center) + per_pixel * offset
        return place


@dataclass(frozen=True, eq=False)
class Screen:
    """Positions of points on the screen.

    Parameters
    ----------
    x, y : ndarray of float32 of shape (n_points,)
        Pixels right of and below the top left corner; NaN behind the camera.
    depth : ndarray of float32 of shape (n_points,)
        -1 (nearest) to 1. Dimensionless.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    depth: NDArray[np.float32]


def project(points: NDArray[np.float32], matrix: NDArray[np.float64], /) -> Screen:
    """Project points through a 4 x 4 matrix.

    Parameters
    ----------
    points : ndarray of float32 of shape (3, n_points)
        In drawn units, one row per axis; what is not finite has no finite position.
    matrix : ndarray of shape (4, 4)
        From `Camera.screen_matrix`, for column vectors: from drawn units to pixels.

    Returns
    -------
    Screen
        Points behind the camera are NaN.

    Examples
    --------
    >>> camera = Camera(azimuth=0, elevation=0, height=2.0)
    >>> screen = project(np.zeros((3, 1), np.float32), camera.screen_matrix(200, 100))
    >>> float(screen.x[0]), float(screen.y[0])
    (100.0, 50.0)
    """
    n_points = points.shape[1]
    out = np.empty((3, n_points), dtype=np.float32)
    scratch = np.empty(min(BLOCK, max(n_points, 1)), dtype=np.float32)
    rows = matrix.astype(np.float32)
    is_affine = bool(np.all(rows[3] == (0, 0, 0, 1)))
    for start in range(0, n_points, BLOCK):
        part = slice(start, start + BLOCK)
        block, result = points[:, part], out[:, part]
        spare = scratch[: block.shape[1]]
        for row, target in zip(rows, result, strict=False):
            _dot(row, block, target, spare)
        if is_affine:
            continue
        w = np.empty_like(spare)
        _dot(rows[3], block, w, spare)
        w[w <= 0] = np.nan
        with np.errstate(invalid="ignore"):  # infinitely far away: no place
            result /= w
    return Screen(x=out[0], y=out[1], depth=out[2])


def _dot(
    row: NDArray[np.float32],
    block: NDArray[np.float32],
    target: NDArray[np.float32],
    spare: NDArray[np.float32],
) -> None:
    """Write ``row . (x, y, z, 1)`` into `target`."""
    np.multiply(block[0], row[0], out=target)
    for axis in (1, 2):
        if row[axis]:
            np.multiply(block[axis], row[axis], out=spare)
            target += spare
    target += row[3]


def pick(
    screen: Screen,
    x: float,
    y: float,
    /,
    *,
    size: float = 3.0,
    slack: float = 4.0,
    shown: NDArray[np.bool_] | None = None,
    depth: NDArray[np.float32] | None = None,
) -> int | None:
    """Return the front-most point under a screen position.

    Parameters
    ----------
    screen : Screen
        Projected points.
    x, y : float
        Position in pixels.
    size : float, default=3.0
        Diameter of a drawn point in pixels.
    slack : float, default=4.0
        If no point covers the position, the nearest one within `slack` pixels more.
    shown : bool ndarray of shape (n_points,), optional
        Only these can be picked.
    depth : ndarray of shape (n_points,), optional
        Used in place of ``screen.depth``, dimensionless.

    Returns
    -------
    int or None
        Index of the point, None where there is none.
    """
    reach = 0.5 * size + slack
    x_low, x_high = np.float32(x - reach), np.float32(x + reach)
    near = np.flatnonzero((screen.x >= x_low) & (screen.x <= x_high))
    near = near[np.abs(screen.y[near] - np.float32(y)) <= reach]
    if shown is not None:
        near = near[shown[near]]
    depths = (screen.depth if depth is None else depth)[near]
    inside = np.abs(depths) <= 1.0
    near, depths = near[inside], depths[inside]
    if not near.size:
        return None
    squared = (screen.x[near] - x) ** 2 + (screen.y[near] - y) ** 2
    covers = squared <= max(0.5 * size, 0.5) ** 2
    if covers.any():
        return int(near[covers][np.argmin(depths[covers])])
    if squared.min() > reach * reach:
        return None
    return int(near[np.argmin(squared)])


def visible(
    screen: Screen,
    width: int,
    height: int,
    /,
    *,
    size: float = 3.0,
    shown: NDArray[np.bool_] | None = None,
    depth: NDArray[np.float32] | None = None,
) -> NDArray[np.bool_]:
    """Return which points are not hidden: the nearest at their own pixel.

    Every point covers a square of `size` pixels, as OpenGL draws it; a point is
    visible when no other one in front covers the pixel of its center.

    Parameters
    ----------
    screen : Screen
        Projected points.
    width, height : int
        Size of the screen in pixels; points outside are not visible.
    size : float, default=3.0
        Width of a drawn point in pixels.
    shown : bool ndarray of shape (n_points,), optional
        Points that are drawn; default all.
    depth : ndarray of shape (n_points,), optional
        Used in place of ``screen.depth``, dimensionless.

    Returns
    -------
    bool ndarray of shape (n_points,)
    """
    from scipy import ndimage

    depth = screen.depth if depth is None else depth
    on_screen = (screen.x >= 0) & (screen.x < width)
    on_screen &= (screen.y >= 0) & (screen.y < height) & (np.abs(depth) <= 1.0)
    if shown is not None:
        on_screen &= shown
    points = np.flatnonzero(on_screen)
    flat = screen.y[points].astype(np.intp) * width + screen.x[points].astype(np.intp)
    nearest = np.full(height * width, np.inf, dtype=np.float32)
    np.minimum.at(nearest, flat, depth[points])
    n_covered = max(1, round(size))
    covered = ndimage.minimum_filter(
        nearest.reshape(height, width), n_covered, mode="constant", cval=np.inf
    )
    result = np.zeros(len(screen.x), dtype=bool)
    result[points] = depth[points] <= covered.ravel()[flat]
    return result
