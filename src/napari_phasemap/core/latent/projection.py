"""Where points of a three-dimensional cloud are on the screen, and which is in front.

* `project`: screen position and depth of every point.
* `pick`: the front-most point under the cursor.
* `visible`: which points are not hidden behind others.

Screen positions are in pixels from the top left corner; a smaller depth is nearer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Screen", "pick", "project", "visible"]

#: Points per block: three rows of float32 in and three out stay in the L2 cache.
BLOCK = 16_384


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
    >>> from napari_phasemap.core.latent.camera import Camera
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
