"""The compiled loop of `density`. Imports numba, so it is imported only where it runs.

* `splat`: add every point to the pixel that it falls on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["splat"]

#: Points, codes, whether selected, weights and weighted colors per code, the matrix to
#: the screen, every how manieth point, and the sums.
SIGNATURE = (
    "void(float32[:,::1], uint16[::1], uint8[::1], float32[:,::1], float32[:,::1],"
    " int64, float32[:,:,::1])"
)


def _compiled(function: Any) -> Any:
    """Compile now, releasing the GIL when called, and keep the result on disk."""
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return numba.njit(SIGNATURE, cache=True, **options)(function)
    except RuntimeError:  # numba: "cannot cache function: no locator available"
        return numba.njit(SIGNATURE, **options)(function)


@_compiled
def splat(
    points: Floats,
    codes: NDArray[np.uint16],
    selected: NDArray[np.uint8],
    table: Floats,
    matrix: Floats,
    step: int,
    sums: Floats,
) -> None:
    """Add color times weight, and weight, of every `step`-th point to its pixel.

    Parameters
    ----------
    points : ndarray of float32 of shape (3, n_points)
        In drawn units; a point with NaN falls nowhere.
    codes : ndarray of uint16 of shape (n_points,)
        Class of each point.
    selected : ndarray of uint8 of shape (n_points,) or (0,)
        1 for points that take the second half of `table`; empty for none.
    table : ndarray of float32 of shape (2 * n_codes, 4)
        Red, green and blue, in units of 1/255, times the weight; and the weight.
    matrix : ndarray of float32 of shape (4, 4)
        From drawn units to pixels and depth, for column vectors.
    step : int
        1 for all points.
    sums : ndarray of float32 of shape (height, width, 4)
        Added to, in the units of `table`.
    """
    height, width = sums.shape[0], sums.shape[1]
    second = table.shape[0] // 2
    some = selected.size > 0
    for i in range(0, codes.size, step):
        x, y, z = points[0, i], points[1, i], points[2, i]
        w = matrix[3, 0] * x + matrix[3, 1] * y + matrix[3, 2] * z + matrix[3, 3]
        if not w > 0:
            continue
        col = (
            matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]
        ) / w
        row = (
            matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]
        ) / w
        deep = (
            matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]
        ) / w
        if not (0 <= col < width and 0 <= row < height and -1 <= deep <= 1):
            continue
        code = np.int64(codes[i])
        if some and selected[i]:
            code += second
        r, c = np.int64(row), np.int64(col)
        sums[r, c, 0] += table[code, 0]
        sums[r, c, 1] += table[code, 1]
        sums[r, c, 2] += table[code, 2]
        sums[r, c, 3] += table[code, 3]
