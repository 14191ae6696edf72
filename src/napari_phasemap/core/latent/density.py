"""A dense cloud as a picture of how many points lie where.

* `density_picture`: a color and an opacity per pixel of the screen.
* `load_kernels`, `has_kernels`: make it five times as fast, when there is time.

Where a million points fall on a hundred thousand pixels, points that hide one another
show neither how many there are nor what lies behind; cf. density plots of millions of
embedded points, A. Dundar, https://apple.github.io/embedding-atlas.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.latent.projection import project

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["density_picture", "has_kernels", "load_kernels"]

#: The compiled loop: seconds to load, longer when it is compiled for the first time.
KERNELS = "napari_phasemap.core.latent.splat_kernels"

#: Opacity of a single point; the densest pixels have 1.
LEAST_OPACITY = 0.35
#: Per cent of the pixels with points that are less dense than what is opaque.
DENSEST = 99.0


def density_picture(
    points: NDArray[np.float32],
    codes: NDArray[Any],
    colors: NDArray[Any],
    weights: NDArray[Any],
    matrix: NDArray[np.float64],
    width: int,
    height: int,
    /,
    *,
    selected: NDArray[np.bool_] | None = None,
    size: int = 1,
    step: int = 1,
) -> NDArray[np.uint8]:
    """Return the picture of a cloud from a camera.

    Parameters
    ----------
    points : ndarray of float32 of shape (3, n_points)
        In drawn units; a point with NaN falls nowhere.
    codes : ndarray of int of shape (n_points,)
        Class of each point, 0 to n_codes - 1.
    colors : ndarray of shape (2, n_codes, 3)
        Red, green and blue in units of 1/255; row 1 is of selected points.
    weights : ndarray of shape (2, n_codes)
        How much a point counts against others on its pixel; 0 is not drawn.
    matrix : ndarray of shape (4, 4)
        From drawn units to pixels: `Camera.screen_matrix` of this size.
    width, height : int
        Of the picture.
    selected : bool ndarray of shape (n_points,), optional
        Default none.
    size : int, default=1
        Pixels that a point is wide and high.
    step : int, default=1
        Take every so manieth point.

    Returns
    -------
    ndarray of uint8 of shape (height, width, 4)
        Red, green, blue: the weighted mean of the points on a pixel. Alpha: grows with
        the logarithm of the sum of weights; 0 where no point is.

    Examples
    --------
    >>> from napari_phasemap.core.latent.camera import Camera
    >>> matrix = Camera(azimuth=0, elevation=0, height=2.0).screen_matrix(2, 2)
    >>> points = np.array([[-0.5, -0.5], [0, 0], [0.5, 0.5]], dtype=np.float32)
    >>> colors = np.full((2, 1, 3), 255)
    >>> found = density_picture(points, [0, 0], colors, np.ones((2, 1)), matrix, 2, 2)
    >>> found[..., 3].tolist()
    [[255, 0], [0, 0]]
    """
    weights = np.asarray(weights, dtype=np.float32).reshape(-1, 1)
    colors = np.asarray(colors, dtype=np.float32).reshape(-1, 3)
    table = np.concatenate([weights * colors, weights], axis=1)
    sums = np.zeros((height, width, 4), dtype=np.float32)
    splat = getattr(sys.modules.get(KERNELS), "splat", _splat)
    splat(
        np.ascontiguousarray(points, dtype=np.float32),
        np.ascontiguousarray(codes, dtype=np.uint16),
        np.zeros(0, np.uint8) if selected is None else selected.view(np.uint8),
        table,
        matrix.astype(np.float32),
        step,
        sums,
    )
    return _developed(_widened(sums, size))


def load_kernels() -> None:
    """Load the compiled loop; until then, numpy does its work."""
    import_module(KERNELS)


def has_kernels() -> bool:
    """Return whether the compiled loop is there."""
    return hasattr(sys.modules.get(KERNELS), "splat")


def _splat(
    points: NDArray[np.float32],
    codes: NDArray[np.uint16],
    selected: NDArray[np.uint8],
    table: NDArray[np.float32],
    matrix: NDArray[np.float32],
    step: int,
    sums: NDArray[np.float32],
) -> None:
    """Add up as the compiled loop does; `splat_kernels` tells the parameters."""
    height, width = sums.shape[:2]
    screen = project(points[:, ::step], matrix.astype(np.float64))
    with np.errstate(invalid="ignore"):
        inside = (screen.x >= 0) & (screen.x < width) & (np.abs(screen.depth) <= 1)
        inside &= (screen.y >= 0) & (screen.y < height)
    which = np.flatnonzero(inside)
    rows, cols = screen.y[which].astype(np.intp), screen.x[which].astype(np.intp)
    code = codes[::step][which].astype(np.intp)
    if selected.size:
        code += len(table) // 2 * selected[::step][which].astype(np.intp)
    for channel in range(4):
        added = np.bincount(
            rows * width + cols, weights=table[code, channel], minlength=height * width
        )
        sums[..., channel] += added.reshape(height, width)


def _widened(sums: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return the sums with every point `size` pixels wide and high."""
    for axis in (0, 1):
        total = sums.copy()
        for k in range(1, size):
            shift = k // 2 + 1 if k % 2 else -(k // 2)
            into, of = [slice(None)] * 2, [slice(None)] * 2
            into[axis] = slice(shift, None) if shift > 0 else slice(None, shift)
            of[axis] = slice(None, -shift) if shift > 0 else slice(-shift, None)
            total[tuple(into)] += sums[tuple(of)]
        sums = total
    return sums


def _developed(sums: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return colors and opacities for sums of weighted colors and of weights."""
    weight = sums[..., 3]
    there = weight > 0
    picture = np.zeros(sums.shape, dtype=np.uint8)
    if not there.any():
        return picture
    found = weight[there]
    picture[there, :3] = np.rint(sums[there, :3] / found[:, np.newaxis])
    lowest, dense = float(found.min()), float(np.percentile(found, DENSEST))
    share = np.ones_like(found)
    if dense > lowest:
        share = np.log(found / lowest) / np.float32(np.log(dense / lowest))
    opacity = LEAST_OPACITY + (1.0 - LEAST_OPACITY) * np.clip(share, 0.0, 1.0)
    picture[there, 3] = np.rint(255.0 * opacity)
    return picture
