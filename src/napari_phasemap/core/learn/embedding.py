"""A picture of high-dimensional values in two or three dimensions.

* `umap_embedding`: UMAP, fitted on a sample and spread to all pixels.
* `Embedder`: what is called like `umap_embedding`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.learn.clustering import finite_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_phasemap.core.learn.decomposition import Decomposition

__all__ = ["Embedder", "umap_embedding"]

Embedder = Callable[..., "NDArray[np.float32]"]

#: Pixels that UMAP is fitted on; the others are placed between their neighbors. A fit
#: of more holds the interpreter long enough to freeze a window.
SAMPLE = 10_000
#: Sample pixels between which another pixel is placed.
N_SPREAD = 8
#: One value per pixel: length of the strip, its largest half width, and the bins in
#: which pixels are counted for it.
STRIP_LENGTH, STRIP_WIDTH, STRIP_BINS = 10.0, 3.0, 128
#: Rounds of the layout of a full sample; a small one takes longer to settle.
N_EPOCHS_LARGE, N_EPOCHS_SMALL = 200, 500


def umap_embedding(
    values: Decomposition | NDArray[Any],
    /,
    *,
    n_components: int = 2,
    n_neighbors: int = 20,
    min_distance: float = 0.1,
    sample: int = SAMPLE,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> NDArray[np.float32]:
    """Embed pixels with UMAP, for looking; classes are better found in the scores.

    Parameters
    ----------
    values : Decomposition or ndarray of shape (n_pixels, n_values)
        A decomposition stands for its whitened scores. Rows with NaN stay NaN. In one
        unit: distances count all values alike.
    n_components : int, default=2
        Dimensions of the picture, 1 to 3.
    n_neighbors : int, default=20
        Neighbors that are held together.
    min_distance : float, default=0.1
        How close neighbors may come.
    sample : int, default=10000
        With more pixels, UMAP is fitted on a random sample of this size, and every
        other pixel is placed at the mean of its 8 nearest sample pixels, weighted by
        inverse distance.
    seed : int, default=0
        Seed of sample and layout; UMAP then runs in one thread and repeats exactly.
    on_progress : callable, optional
        Called with (step, total, text) during the layout, too; may raise `Cancelled`.

    Returns
    -------
    ndarray of float32 of shape (n_pixels, n_components)
        Coordinates without unit. One value per pixel needs no UMAP: it is the first
        coordinate, and the others spread pixels as wide as many have that value.

    Raises
    ------
    ValueError
        If an option is out of its range, or fewer than four pixels have values (none,
        with one value per pixel).

    References
    ----------
    .. [1] L. McInnes, J. Healy, N. Saul, L. Großberger, J. Open Source Softw. 3, 861
       (2018), doi:10.21105/joss.00861.
    """
    array, finite = finite_rows(values)
    rows = array[finite]
    if not 1 <= n_components <= 3:
        raise InputError(f"{n_components=} is not 1, 2 or 3")
    if n_neighbors < 2 or not 0.0 <= min_distance <= 1.0:
        raise InputError(
            f"{n_neighbors=} is below 2, or {min_distance=} is not between 0 and 1"
        )
    out = np.full((len(array), n_components), np.nan, dtype=np.float32)
    if rows.shape[1] == 1 and len(rows):
        out[finite] = _strip(rows, n_components, seed)
        return out
    if len(rows) < 4:
        raise InputError(f"{len(rows)} pixels have values; UMAP needs at least 4")
    rng = np.random.default_rng(seed)
    chosen = np.arange(len(rows))
    if len(rows) > sample:
        chosen = np.sort(rng.choice(len(rows), sample, replace=False))
    placed = _fit(
        rows[chosen], n_components, n_neighbors, min_distance, seed, on_progress
    )
    out[finite] = placed if len(chosen) == len(rows) else _spread(rows, chosen, placed)
    return out


def _fit(
    rows: NDArray[np.float32],
    n_components: int,
    n_neighbors: int,
    min_distance: float,
    seed: int,
    on_progress: OnProgress,
) -> NDArray[np.float32]:
    """Return UMAP coordinates of all rows."""
    import warnings

    on_progress(0, 100, "UMAP: neighbors")
    n_near = min(n_neighbors, len(rows) - 1)
    # A k-d tree spares UMAP's own search, which is compiled anew in every session.
    indices, distances = _nearest(rows, rows, n_near)
    on_progress(5, 100, "UMAP: loading")
    with warnings.catch_warnings():
        # UMAP warns that a seed means one thread (meant) and that tables of neighbors
        # cannot place new points (we spread ourselves).
        warnings.simplefilter("ignore")
        with _without_tensorflow():
            from umap.umap_ import UMAP

        model = UMAP(
            n_components=n_components,
            n_neighbors=n_near,
            min_dist=min_distance,
            n_epochs=N_EPOCHS_LARGE if len(rows) > 4096 else N_EPOCHS_SMALL,
            random_state=seed,
            init="spectral" if len(rows) > 4 * n_components + 8 else "random",
            precomputed_knn=(indices.astype(np.int32), distances.astype(np.float32)),
            force_approximation_algorithm=True,
            tqdm_kwds={
                "file": _Ticker(on_progress),
                "mininterval": 0.2,
                "disable": False,
            },
        )
        on_progress(10, 100, "UMAP: layout")
        placed = model.fit_transform(rows)
    on_progress(100, 100, "UMAP: done")
    return np.asarray(placed, dtype=np.float32)


def _strip(
    rows: NDArray[np.float32], n_components: int, seed: int
) -> NDArray[np.float32]:
    """Return one value per pixel along an axis, spread across it by how many share it.

    UMAP cannot place what lies on a line: it folds and tears it.
    """
    value = rows[:, 0].astype(np.float64)
    low, high = float(value.min()), float(value.max())
    out = np.zeros((len(value), n_components), dtype=np.float32)
    if low == high:
        return out
    along = (value - low) / (high - low)
    counts, _ = np.histogram(along, bins=STRIP_BINS, range=(0.0, 1.0))
    smooth = np.convolve(counts, np.hanning(9), mode="same")
    centers = (np.arange(STRIP_BINS) + 0.5) / STRIP_BINS
    width = STRIP_WIDTH * np.interp(along, centers, smooth / smooth.max())
    rng = np.random.default_rng(seed)
    out[:, 0] = STRIP_LENGTH * along
    if n_components == 2:
        out[:, 1] = width * rng.uniform(-1.0, 1.0, len(value))
    elif n_components == 3:
        # Evenly over a disc.
        radius = width * np.sqrt(rng.random(len(value)))
        angle = 2.0 * np.pi * rng.random(len(value))
        out[:, 1], out[:, 2] = radius * np.cos(angle), radius * np.sin(angle)
    return out


def _spread(
    rows: NDArray[np.float32],
    chosen: NDArray[np.intp],
    placed: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return coordinates of all rows from those of the chosen ones."""
    out = np.empty((len(rows), placed.shape[1]), dtype=np.float32)
    rest = np.ones(len(rows), dtype=bool)
    rest[chosen] = False
    near, distance = _nearest(rows[chosen], rows[rest], min(N_SPREAD, len(chosen)))
    weight = 1.0 / np.maximum(distance, 1e-6 * max(float(distance.max()), 1e-30))
    weight /= weight.sum(axis=1, keepdims=True)
    out[chosen] = placed
    out[rest] = np.einsum("ij,ijk->ik", weight, placed[near])
    return out


def _nearest(
    points: NDArray[np.float32], queries: NDArray[np.float32], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return numbers and distances of the nearest points, nearest first."""
    from scipy.spatial import cKDTree

    distances, indices = cKDTree(points).query(queries, k=count)
    shape = (len(queries), count)
    return indices.reshape(shape), distances.reshape(shape)


@contextmanager
def _without_tensorflow() -> Iterator[None]:
    """Keep ``import umap`` from loading TensorFlow for its parametric variant.

    TensorFlow beside an OpenGL canvas ends the process (see `models.worker`); umap
    itself goes on without it.
    """
    absent = [name for name in ("tensorflow", "keras") if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)


class _Ticker:
    """A file to which UMAP writes its bar and from which we read how far it is."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress

    def write(self, text: str) -> None:
        found = re.search(r"(\d+)%", text)
        if found:
            self._on_progress(10 + int(0.9 * int(found[1])), 100, "UMAP: layout")

    def flush(self) -> None:
        """Do nothing: there is no buffer."""
