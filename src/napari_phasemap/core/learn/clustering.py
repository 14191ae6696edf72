"""Which pixels are alike: classes by k-means and how many of them are there.

* `kmeans`: classes ordered by size, as a phase map.
* `suggest_n_clusters`: the largest number of classes that two halves agree on.
* `class_stability`: how well each class is found again in half of the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.text_table import described
from napari_phasemap.core.learn.decomposition import Decomposition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ClusterSuggestion", "class_stability", "kmeans", "suggest_n_clusters"]

#: Split halves must agree to this adjusted Rand index.
AGREEMENT = 0.9
#: Pixels that suffice to see whether halves agree.
SUGGESTION_PIXELS = 10_000
#: Pixels on which starting centers are tried before all pixels are used.
START_PIXELS = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class ClusterSuggestion:
    """How reproducible k-means is for several numbers of clusters.

    Parameters
    ----------
    n_clusters : int
        Largest candidate whose halves agree to `AGREEMENT`; 1 if none does.
    candidates : tuple of int
        Numbers that were tried.
    agreement : ndarray of shape (n_candidates,)
        Median adjusted Rand index between the two halves' classes. Dimensionless, 1
        where they are equal.
    """

    n_clusters: int
    candidates: tuple[int, ...]
    agreement: NDArray[np.float64]

    def __repr__(self) -> str:
        rows = {
            f"{k}": f"{a:.3f}"
            for k, a in zip(self.candidates, self.agreement, strict=True)
        }
        return described(f"ClusterSuggestion: {self.n_clusters} clusters", rows)


def kmeans(
    values: Decomposition | NDArray[Any],
    /,
    *,
    n_clusters: int,
    seed: int = 0,
    n_starts: int = 10,
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    """Sort pixels into classes by k-means.

    Parameters
    ----------
    values : Decomposition or ndarray of shape (n_pixels, n_values)
        A decomposition stands for its whitened scores. Rows with NaN are not assigned.
        In one unit: distances count all values alike.
    n_clusters : int
        Number of classes.
    seed : int, default=0
        Seed of the starting centers.
    n_starts : int, default=10
        Starting centers that are tried on at most 10 000 pixels; the best goes on.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    PhaseMap
        Classes "class 1", "class 2" ... by falling size; scores are minus the distance
        to the centers, so the margin is the distance to the next class boundary times
        two in units of `values`. ``parameters["centers"]`` has one center per class.

    Raises
    ------
    ValueError
        If there are fewer finite, different rows than clusters.

    Examples
    --------
    >>> kmeans(np.array([[0.0], [0.1], [0.2], [5.0]]), n_clusters=2).labels
    array([1, 1, 1, 2], dtype=uint8)
    """
    array, finite = finite_rows(values)
    rows = array[finite]
    _check_number(rows, n_clusters)
    centers = _centers(rows, n_clusters, seed, n_starts, on_progress)
    nearest = _distances(rows, centers).argmin(axis=1)
    order = np.argsort(-np.bincount(nearest, minlength=n_clusters), kind="stable")
    centers = centers[order]
    scores = np.full((len(array), n_clusters), np.nan, dtype=np.float32)
    scores[finite] = -_distances(rows, centers)
    on_progress(n_starts + 1, n_starts + 1, "done")
    return PhaseMap.from_scores(
        scores,
        [f"class {i + 1}" for i in range(n_clusters)],
        method="k-means",
        parameters={"n_clusters": n_clusters, "seed": seed, "centers": centers},
    )


def suggest_n_clusters(
    values: Decomposition | NDArray[Any],
    /,
    *,
    candidates: Sequence[int] = tuple(range(2, 13)),
    n_splits: int = 3,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> ClusterSuggestion:
    """Suggest the largest number of clusters that halves of the pixels agree on.

    Centers are found in either half; both label all pixels; the adjusted Rand index
    says how alike the labels are.

    Parameters
    ----------
    values : Decomposition or ndarray of shape (n_pixels, n_values)
        As for `kmeans`; at most 10 000 pixels are used.
    candidates : sequence of int, default=2..12
        Numbers to try; those above half of the pixels are left out.
    n_splits : int, default=3
        Random halvings; their median counts.
    seed : int, default=0
        Seed of the halvings.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    ClusterSuggestion
        The number and the whole curve.

    Notes
    -----
    A gradient without gaps also gives stable halves for few clusters: the number says
    what can be reproduced, not that there are gaps.
    """
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(seed)
    array, finite = finite_rows(values)
    rows = array[finite]
    if len(rows) > SUGGESTION_PIXELS:
        rows = rows[rng.choice(len(rows), SUGGESTION_PIXELS, replace=False)]
    n_different = len(np.unique(rows, axis=0))
    tried = tuple(k for k in candidates if 2 <= k <= min(len(rows) // 2, n_different))
    if not tried:
        raise InputError(
            f"no number of clusters in {list(candidates)} fits {len(rows)} pixels with "
            f"{n_different} different values"
        )
    halves = [rng.permutation(len(rows)) for _ in range(n_splits)]
    agreement = np.zeros((len(tried), n_splits))
    for i, k in enumerate(tried):
        for j, half in enumerate(halves):
            parts = half[: len(rows) // 2], half[len(rows) // 2 :]
            if min(_n_different(rows[p], k) for p in parts) < k:
                continue
            labels = []
            for part in parts:
                on_progress(i, len(tried), f"{k} clusters")
                centers = _centers(rows[part], k, seed + j, 3)
                labels.append(_distances(rows, centers).argmin(axis=1))
            agreement[i, j] = adjusted_rand_score(*labels)
    on_progress(len(tried), len(tried), "done")
    medians = np.median(agreement, axis=1)
    stable = [k for k, a in zip(tried, medians, strict=True) if a >= AGREEMENT]
    return ClusterSuggestion(max(stable, default=1), tried, medians)


def class_stability(
    values: Decomposition | NDArray[Any],
    classes: PhaseMap,
    /,
    *,
    n_splits: int = 3,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> NDArray[np.float64]:
    """Return how well each class is found again from half of the pixels.

    The mean over random halves of the best Jaccard index (shared over united pixels)
    of the class with any class of the half (C. Hennig, Comput. Stat. Data Anal. 52,
    258 (2007), doi:10.1016/j.csda.2006.11.025: below 0.6 a class is not stable).

    Parameters
    ----------
    values : Decomposition or ndarray of shape (n_pixels, n_values)
        What was clustered; at most 10 000 pixels are used.
    classes : PhaseMap
        From `kmeans`, also after changes by hand.
    n_splits : int, default=3
        Random halves.
    seed : int, default=0
        Seed of the halves.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    ndarray of shape (n_classes,)
        0 to 1; NaN for a class without pixels.
    """
    array, finite = finite_rows(values)
    if len(array) != classes.n_pixels:
        raise InputError(
            f"{len(array)} values for {classes.n_pixels} classified pixels"
        )
    rng = np.random.default_rng(seed)
    chosen = np.flatnonzero(finite & (np.asarray(classes.labels) > 0))
    if len(chosen) > SUGGESTION_PIXELS:
        chosen = np.sort(rng.choice(chosen, SUGGESTION_PIXELS, replace=False))
    rows, labels = array[chosen], np.asarray(classes.labels)[chosen]
    k = classes.n_phases
    found = np.zeros((n_splits, k))
    sizes = np.bincount(labels, minlength=k + 1)[1:]
    n_kept = min(len(rows), max(len(rows) // 2, k))
    for split in range(n_splits):
        on_progress(split, n_splits, "stability")
        half = rng.choice(len(rows), n_kept, replace=False)
        n_centers = min(k, _n_different(rows[half], k))
        near = _distances(rows, _centers(rows[half], n_centers, seed + split, 3))
        other = near.argmin(axis=1)
        shared = np.zeros((k + 1, n_centers))
        np.add.at(shared, (labels, other), 1)
        union = sizes[:, None] + np.bincount(other, minlength=n_centers) - shared[1:]
        found[split] = (shared[1:] / union).max(axis=1)
    on_progress(n_splits, n_splits, "done")
    return np.where(sizes > 0, found.mean(axis=0), np.nan)


def finite_rows(
    values: Decomposition | NDArray[Any],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return values as (n_pixels, n_values) and which rows are finite."""
    array = values.whitened if isinstance(values, Decomposition) else values
    array = np.asarray(array, dtype=np.float32)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise InputError(f"{array.shape=} is not (n_pixels, n_values)")
    return array, np.asarray(np.isfinite(array).all(axis=1))


def _check_number(rows: NDArray[np.float32], n_clusters: int) -> None:
    if n_clusters < 1 or n_clusters > len(rows):
        raise InputError(
            f"{n_clusters=} for {len(rows)} pixels with values; choose 1 to {len(rows)}"
        )
    n_different = _n_different(rows, n_clusters)
    if n_different < n_clusters:
        raise InputError(
            f"{n_clusters=} for {n_different} different values of {len(rows)} pixels; "
            f"choose 1 to {n_different}"
        )


def _n_different(rows: NDArray[np.float32], enough: int) -> int:
    """Return how many rows differ, counting on only until there are enough."""
    first = len(np.unique(rows[: 50 * enough], axis=0))
    if first >= enough or len(rows) <= 50 * enough:
        return first
    return len(np.unique(rows, axis=0))


def _centers(
    rows: NDArray[np.float32],
    n_clusters: int,
    seed: int,
    n_starts: int,
    on_progress: OnProgress = ignore_progress,
) -> NDArray[np.float32]:
    """Return k-means centers: starts on a sample, then all rows."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    sample = rows
    if len(rows) > START_PIXELS:
        sample = rows[rng.choice(len(rows), START_PIXELS, replace=False)]
    # Several threads in contention make small k-means many times slower.
    with threadpool_limits(limits=1):
        best: Any = None
        state = np.random.RandomState(seed)
        for start in range(n_starts):
            on_progress(start, n_starts + 1, "k-means")
            model = KMeans(n_clusters, n_init=1, random_state=state).fit(sample)
            if best is None or model.inertia_ < best.inertia_:
                best = model
        on_progress(n_starts, n_starts + 1, "k-means")
        if sample is not rows:
            best = KMeans(n_clusters, init=best.cluster_centers_, n_init=1).fit(rows)
    return np.asarray(best.cluster_centers_, dtype=np.float32)


def _distances(
    rows: NDArray[np.float32], centers: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return distances of shape (n_rows, n_centers)."""
    squared = (
        np.einsum("ij,ij->i", rows, rows)[:, None]
        - 2.0 * rows @ centers.T
        + np.einsum("ij,ij->i", centers, centers)
    )
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)), dtype=np.float32)
