"""Which points are meant: the selections that a person draws, as plain functions.

* `in_polygon`, `in_rectangle`: shapes drawn on the screen.
* `in_ball`, `within_mahalanobis`, `grow_to_clusters`: shapes in latent space.
* `combine`: how a new selection joins the old one.

Each returns a bool array with one value per point. A NaN coordinate is never inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "SelectionMode",
    "combine",
    "grow_to_clusters",
    "in_ball",
    "in_polygon",
    "in_rectangle",
    "within_mahalanobis",
]

SelectionMode: TypeAlias = Literal["replace", "add", "subtract", "intersect"]

#: Most cells along one side of the grid that sorts points into inside, outside and
#: "test exactly". More cells leave fewer exact tests but cost more to fill.
MAX_CELLS = 1024
#: A cell closer to an edge than this fraction of a cell is tested exactly, so that
#: rounding in the grid can never decide.
CELL_MARGIN = 1e-3
OUTSIDE, INSIDE, UNSURE = 0, 1, 2


def combine(
    old: NDArray[np.bool_], new: NDArray[np.bool_], mode: SelectionMode, /
) -> NDArray[np.bool_]:
    """Join a new selection to an old one; neither array is changed.

    Parameters
    ----------
    old, new : bool ndarray of shape (n_points,)
        Selected before, and just drawn.
    mode : {"replace", "add", "subtract", "intersect"}
        * ``replace``: the new one alone.
        * ``add``: either of them.
        * ``subtract``: the old one without the new one.
        * ``intersect``: both of them.

    Returns
    -------
    bool ndarray of shape (n_points,)
        A new array.

    Examples
    --------
    >>> old, new = np.array([True, True, False]), np.array([False, True, True])
    >>> combine(old, new, "subtract").tolist()
    [True, False, False]
    """
    if old.shape != new.shape:
        raise InputError(f"{old.shape=} != {new.shape=}; both have one value per point")
    if mode == "replace":
        return new.copy()
    if mode == "add":
        return old | new
    if mode == "subtract":
        return old & ~new
    if mode == "intersect":
        return old & new
    raise InputError(f"{mode=} is not one of {get_args(SelectionMode)}")


def in_rectangle(
    x: NDArray[Any], y: NDArray[Any], corner: ArrayLike, opposite: ArrayLike, /
) -> NDArray[np.bool_]:
    """Return which points lie in the rectangle between two opposite corners.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
        Screen positions in pixels.
    corner, opposite : array_like of shape (2,)
        Two opposite corners in pixels, in any order; the border belongs to the
        rectangle.

    Returns
    -------
    bool ndarray of shape (n_points,)
    """
    corners = np.array([corner, opposite], dtype=np.float64)
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    inside: NDArray[np.bool_] = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    return inside


def in_polygon(
    x: NDArray[Any], y: NDArray[Any], polygon: ArrayLike, /
) -> NDArray[np.bool_]:
    """Return which points lie in a polygon by the even-odd rule, exactly.

    A point is inside when a ray to the right crosses the outline an odd number of
    times [1]_, so the hole of a lasso that crosses itself is outside. The result
    equals that test for every point; most points are decided by the grid cell they
    lie in, and only those in a cell that the outline touches are tested one by one.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
        Screen positions in pixels; a NaN is outside.
    polygon : array_like of shape (n_vertices, 2)
        Vertices (x, y) in pixels, in order; the last one is joined to the first.

    Returns
    -------
    bool ndarray of shape (n_points,)

    Raises
    ------
    ValueError
        If there are fewer than three vertices, or one is not finite.

    References
    ----------
    .. [1] M. Shimrat, "Algorithm 112: Position of point relative to polygon",
       Communications of the ACM 5, 434 (1962), DOI: 10.1145/368637.368653

    Examples
    --------
    >>> square = [(0, 0), (2, 0), (2, 2), (0, 2)]
    >>> in_polygon(np.array([1.0, 3.0]), np.array([1.0, 1.0]), square).tolist()
    [True, False]
    """
    vertices = np.asarray(polygon, dtype=np.float64)
    if vertices.ndim != 2 or vertices.shape[1] != 2 or len(vertices) < 3:
        raise InputError(f"a polygon has (n >= 3, 2) vertices; got {vertices.shape}")
    if not np.isfinite(vertices).all():
        raise InputError("the vertices of a polygon are finite; got NaN or infinity")
    inside = np.zeros(len(x), dtype=bool)
    near = np.flatnonzero(
        in_rectangle(x, y, vertices.min(axis=0), vertices.max(axis=0))
    )
    if not near.size:
        return inside
    near_x, near_y = x[near].astype(np.float64), y[near].astype(np.float64)
    origin, step = _grid(vertices)
    cells = _classify_cells((vertices - origin) / step)
    row = ((near_y - origin[1]) / step[1]).astype(np.intp)
    col = ((near_x - origin[0]) / step[0]).astype(np.intp)
    found = cells[row, col]
    inside[near] = found == INSIDE
    unsure = np.flatnonzero(found == UNSURE)
    inside[near[unsure]] = _even_odd(near_x[unsure], near_y[unsure], vertices)
    return inside


def _grid(vertices: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return origin and cell size of a grid over the polygon: one pixel, or more."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    span = high - low
    step = np.maximum(span / (MAX_CELLS - 4), np.where(span > 64, 1.0, span / 64))
    step = np.where(step > 0, step, 1.0)
    return low - step, step


def _classify_cells(polygon: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return OUTSIDE, INSIDE or UNSURE for every cell; `polygon` in units of cells."""
    n_cols, n_rows = np.ceil(polygon.max(axis=0)).astype(int) + 2
    start, end = polygon, np.roll(polygon, -1, axis=0)
    low = np.where((start[:, 1] <= end[:, 1])[:, None], start, end)
    high = np.where((start[:, 1] <= end[:, 1])[:, None], end, start)

    first = np.floor(low[:, 1] - CELL_MARGIN).astype(int)
    last = np.floor(high[:, 1] + CELL_MARGIN).astype(int)
    edge, row = _rows_of_edges(first, last)
    rise = high[edge, 1] - low[edge, 1]
    slope = (high[edge, 0] - low[edge, 0]) / np.where(rise > 0, rise, 1.0)
    # The part of the edge within the row, as a range of columns.
    bottom = np.clip(row - CELL_MARGIN, low[edge, 1], high[edge, 1])
    top = np.clip(row + 1 + CELL_MARGIN, low[edge, 1], high[edge, 1])
    at_bottom = low[edge, 0] + slope * (bottom - low[edge, 1])
    at_top = low[edge, 0] + slope * (top - low[edge, 1])
    flat = rise <= 0
    at_bottom = np.where(flat, low[edge, 0], at_bottom)
    at_top = np.where(flat, high[edge, 0], at_top)
    left = np.floor(np.minimum(at_bottom, at_top) - CELL_MARGIN).astype(int)
    right = np.floor(np.maximum(at_bottom, at_top) + CELL_MARGIN).astype(int) + 1
    touched = np.zeros((n_rows, n_cols + 1), dtype=np.int32)
    np.add.at(touched, (row, left.clip(0, n_cols)), 1)
    np.add.at(touched, (row, right.clip(0, n_cols)), -1)
    is_touched = touched.cumsum(axis=1)[:, :-1] > 0

    # Every crossing of a row's middle line flips the cells to its right.
    middle = row + 0.5
    crosses = (low[edge, 1] <= middle) & (middle < high[edge, 1])
    crossing = low[edge, 0] + slope * (middle - low[edge, 1])
    column = np.ceil(crossing[crosses] - 0.5).astype(int).clip(0, n_cols)
    flips = np.zeros((n_rows, n_cols + 1), dtype=np.int32)
    np.add.at(flips, (row[crosses], column), 1)
    cells = (flips.cumsum(axis=1)[:, :-1] % 2).astype(np.uint8)
    cells[is_touched] = UNSURE
    return cells


def _rows_of_edges(
    first: NDArray[np.intp], last: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (edge, row) for every row that every edge touches."""
    counts = last - first + 1
    edge = np.repeat(np.arange(len(counts)), counts)
    offset = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    return edge, first[edge] + offset


def _even_odd(
    x: NDArray[np.float64], y: NDArray[np.float64], vertices: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the even-odd test, edge by edge, of points sorted by height."""
    order = np.argsort(y)
    x_sorted, y_sorted = x[order], y[order]
    inside = np.zeros(len(x), dtype=bool)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        begin, end = np.searchsorted(y_sorted, (min(y0, y1), max(y0, y1)))
        if begin == end:
            continue
        part = slice(begin, end)
        crossing = (x1 - x0) * (y_sorted[part] - y0) / (y1 - y0) + x0
        inside[part] ^= x_sorted[part] < crossing
    result = np.empty_like(inside)
    result[order] = inside
    return result


def in_ball(
    points: NDArray[np.float32], center: ArrayLike, radius: float, /
) -> NDArray[np.bool_]:
    """Return which points are at most `radius` away from `center`.

    Parameters
    ----------
    points : ndarray of shape (n_axes, n_points)
        In latent units, one row per axis.
    center : array_like of shape (n_axes,)
        In the unit of `points`.
    radius : float
        Not negative, in the unit of `points`.

    Returns
    -------
    bool ndarray of shape (n_points,)

    Examples
    --------
    >>> in_ball(np.array([[0.0, 3.0], [0.0, 4.0]]), (0, 0), 4.9).tolist()
    [True, False]
    """
    if not radius >= 0:
        raise InputError(f"a radius is not negative; got {radius}")
    squared = np.zeros(points.shape[1], dtype=points.dtype)
    for row, middle in zip(points, np.asarray(center, dtype=float), strict=True):
        squared += (row - row.dtype.type(middle)) ** 2
    inside: NDArray[np.bool_] = squared <= radius * radius
    return inside


def within_mahalanobis(
    latent: NDArray[np.floating[Any]],
    members: NDArray[np.bool_],
    /,
    *,
    distance: float = 2.0,
) -> NDArray[np.bool_]:
    """Return which points are within some standard deviations of a group.

    The group's mean and covariance make an ellipsoid, ``(z - m)^T C^-1 (z - m) <=
    distance^2`` (Mahalanobis distance [1]_).

    Parameters
    ----------
    latent : ndarray of shape (n_points, n_latent)
        In latent units; a row with a NaN is neither counted nor selected.
    members : bool ndarray of shape (n_points,)
        The group, for example one phase.
    distance : float, default=2.0
        Largest Mahalanobis distance, in standard deviations.

    Returns
    -------
    bool ndarray of shape (n_points,)

    Raises
    ------
    ValueError
        If the group has too few points or too little spread for a covariance.

    References
    ----------
    .. [1] P. C. Mahalanobis, Proc. Natl. Inst. Sci. India 2, 49 (1936)
    """
    if not distance >= 0:
        raise InputError(f"a Mahalanobis distance is not negative; got {distance}")
    group = latent[members].astype(np.float64)
    group = group[np.isfinite(group).all(axis=1)]
    n_latent = latent.shape[1]
    if len(group) <= n_latent:
        raise InputError(
            f"the group has {len(group)} points with coordinates; an ellipsoid in "
            f"{n_latent} dimensions needs at least {n_latent + 1}"
        )
    mean = group.mean(axis=0)
    covariance = np.atleast_2d(np.cov(group, rowvar=False))
    values, axes = np.linalg.eigh(covariance)
    if values[0] <= values[-1] * np.finfo(np.float32).eps:
        raise InputError(
            "the group is flat in latent space (smallest and largest variance "
            f"{values[0]:.2g} and {values[-1]:.2g}); an ellipsoid needs some width"
        )
    whiten = (axes / np.sqrt(values)).astype(latent.dtype)
    scaled = (latent - mean.astype(latent.dtype)) @ whiten
    inside: NDArray[np.bool_] = (scaled * scaled).sum(axis=1) <= distance * distance
    return inside


def grow_to_clusters(
    points: NDArray[np.float32],
    selected: NDArray[np.bool_],
    /,
    *,
    n_cells: int = 48,
) -> NDArray[np.bool_]:
    """Grow a selection to every cluster of points that it touches.

    Space is cut into `n_cells` per axis; cells with points that touch, also at a
    corner, are one cluster. So clusters are told apart when an empty gap wider than
    the range of the points divided by `n_cells` lies between them.

    Parameters
    ----------
    points : ndarray of shape (n_axes, n_points)
        In latent units, one row per axis; 1 to 3 axes. A NaN joins no cluster.
    selected : bool ndarray of shape (n_points,)
        Where to start; these points stay selected.
    n_cells : int, default=48
        Cells along each axis.

    Returns
    -------
    bool ndarray of shape (n_points,)
    """
    from scipy import ndimage

    grown = selected.copy()
    finite = np.isfinite(points).all(axis=0)
    if not (finite & selected).any():
        return grown
    known = points[:, finite]
    low = known.min(axis=1, keepdims=True)
    span = known.max(axis=1, keepdims=True) - low
    unit = (known - low) / np.where(span > 0, span, 1)
    cells = tuple((unit * (n_cells - 1) + 0.5).astype(np.intp))
    occupied = np.zeros((n_cells,) * len(points), dtype=bool)
    occupied[cells] = True
    clusters, n_clusters = ndimage.label(occupied, np.ones((3,) * len(points)))
    cluster = clusters[cells]
    touched = np.zeros(n_clusters + 1, dtype=bool)
    touched[cluster[selected[finite]]] = True
    grown[finite] |= touched[cluster]
    return grown
