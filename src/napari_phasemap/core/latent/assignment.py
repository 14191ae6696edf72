"""Which phase is an ambiguous pixel, judged by where it lies in a latent space.

Each function takes latent coordinates of any origin (GMVAE, PCA, UMAP) and a phase
map, describes every phase by the pixels that the map is sure about, and returns a
`PhaseMap` whose scores are log-densities.

* `assign_mahalanobis`: one Gaussian per phase (the paper's way).
* `assign_centroid`: distance to the phases' mean.
* `assign_euclidean`: distance to the projected references.
* `assign_knn`: the phases of the nearest neighbors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD, PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.latent.clusters import (
    cluster_statistics,
    log_density,
    spherical_log_density,
)
from napari_phasemap.core.latent.ranking import (
    Candidates,
    Scope,
    ranked_map,
    sure_phases,
    told,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "assign_centroid",
    "assign_euclidean",
    "assign_knn",
    "assign_mahalanobis",
]


def assign_mahalanobis(
    latent: ArrayLike,
    phase_map: PhaseMap,
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    scope: Scope = "ambiguous",
    candidates: Candidates = "all",
    min_pixels: int | None = None,
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    r"""Give pixels the phase whose cluster of sure pixels is the most likely.

    Every phase is a Gaussian with the mean and covariance of its unambiguous pixels.
    The score is its log-density, :math:`-\frac12 (D_M^2 + \ln|\Sigma| + d \ln 2\pi)`
    with the Mahalanobis distance :math:`D_M` [1]_: a small tight cluster then does not
    lose its pixels to a wide one, as the distance alone would have it.

    Parameters
    ----------
    latent : array_like of shape (n_pixels, n_latent)
        Latent coordinates in pixel order. A row with NaN is not scored.
    phase_map : PhaseMap
        For example from `pearson_map`; tells which pixels are unambiguous.
    threshold : float, default=0.005
        Smallest unambiguous margin of `phase_map`.
    scope : {"ambiguous", "all"}, default="ambiguous"
        Which pixels get a new label.

        * "ambiguous": those of `phase_map.ambiguous(threshold)`, as in the paper.
        * "all": every pixel with latent coordinates, to see false positives.
    candidates : {"all", "pair"}, default="all"
        Which phases a pixel may get.

        * "all": any, as in the paper's text.
        * "pair": only its best and second best of `phase_map`.
    min_pixels : int, optional
        A phase with fewer unambiguous pixels gets the covariance that all phases
        share; default 10 per latent dimension. One without any is left out. Both are
        logged and written to the parameters of the result.
    on_progress : callable, optional
        Told the number of pixels done; may raise `Cancelled`.

    Returns
    -------
    PhaseMap
        `scores` are log-densities of all pixels and phases: NaN for a phase that was
        left out and for a pixel without coordinates. `best` is the score of the pixel's
        label and `margin` is `best` minus the best other score, in nats. A pixel that
        was not asked keeps its label, so there the margin can be *negative*: the
        latent space prefers the phase in `runner_up`. With "all" a pixel without
        scores has label 0; with "ambiguous" it keeps its label, and `best` and
        `margin` are NaN.

    Raises
    ------
    ValueError
        If lengths differ, no pixel is unambiguous, or an option is unknown.

    References
    ----------
    .. [1] arXiv:2603.07666, section 6.5.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> latent = np.concatenate([rng.normal(0, 1, (50, 2)), rng.normal(9, 1, (50, 2))])
    >>> r = np.where(np.arange(100)[:, None] < 50, [0.9, 0.5], [0.5, 0.9])
    >>> r[0] = 0.5, 0.502
    >>> phases = PhaseMap.from_scores(r, ["a", "b"])
    >>> resolved = assign_mahalanobis(latent, phases)
    >>> phases.labels[0], resolved.labels[0]
    (np.uint8(2), np.uint8(1))
    """
    points, core = sure_phases(latent, phase_map, threshold, scope, candidates)
    clusters = cluster_statistics(points, core, phase_map.n_phases)
    needed = 10 * points.shape[1] if min_pixels is None else min_pixels
    small = (clusters.n_pixels < needed) & (clusters.n_pixels > 0)
    covariances = np.where(small[:, None, None], clusters.pooled, clusters.covariances)
    notes = {
        "left_out": told(phase_map, clusters.n_pixels == 0, "left out: no"),
        "regularized": told(
            phase_map, small, f"given the shared covariance: < {needed}"
        ),
    }
    return ranked_map(
        points,
        phase_map,
        lambda chunk: log_density(chunk, clusters.means, covariances),
        method="mahalanobis",
        threshold=threshold,
        scope=scope,
        candidates=candidates,
        notes={**notes, "min_pixels": needed},
        on_progress=on_progress,
    )


def assign_centroid(
    latent: ArrayLike,
    phase_map: PhaseMap,
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    scope: Scope = "ambiguous",
    candidates: Candidates = "all",
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    """Give pixels the phase whose mean of sure pixels is the nearest.

    The score is the log-density of a round Gaussian around the mean, with one width
    for all phases: the spread of the unambiguous pixels around their own mean.

    Parameters
    ----------
    latent, phase_map, threshold, scope, candidates, on_progress
        As for `assign_mahalanobis`.

    Returns
    -------
    PhaseMap
        As for `assign_mahalanobis`.

    Raises
    ------
    ValueError
        As for `assign_mahalanobis`.
    """
    points, core = sure_phases(latent, phase_map, threshold, scope, candidates)
    clusters = cluster_statistics(points, core, phase_map.n_phases)
    variance = float(np.trace(clusters.pooled)) / points.shape[1]
    return ranked_map(
        points,
        phase_map,
        lambda chunk: spherical_log_density(chunk, clusters.means, variance),
        method="centroid",
        threshold=threshold,
        scope=scope,
        candidates=candidates,
        notes={"left_out": told(phase_map, clusters.n_pixels == 0, "left out: no")},
        on_progress=on_progress,
    )


def assign_euclidean(
    latent: ArrayLike,
    phase_map: PhaseMap,
    reference_latent: ArrayLike,
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    scope: Scope = "ambiguous",
    candidates: Candidates = "all",
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    """Give pixels the phase whose projected reference is the nearest.

    The score is the log-density of a round Gaussian around the reference, with one
    width for all phases: the spread of the unambiguous pixels around their reference.
    In a latent space that knows thickness the result depends on the thickness of the
    references; standardized spectra avoid that.

    Parameters
    ----------
    latent, phase_map, threshold, scope, candidates, on_progress
        As for `assign_mahalanobis`.
    reference_latent : array_like of shape (n_phases, n_latent)
        Latent coordinates of the references, in the order of `phase_map.names`. A row
        of NaN leaves its phase out. In latent units.

    Returns
    -------
    PhaseMap
        As for `assign_mahalanobis`.

    Raises
    ------
    ValueError
        As for `assign_mahalanobis`; also if `reference_latent` has another shape.
    """
    points, core = sure_phases(latent, phase_map, threshold, scope, candidates)
    centers = np.asarray(reference_latent, dtype=np.float64)
    if centers.shape != (phase_map.n_phases, points.shape[1]):
        raise InputError(
            f"{centers.shape=} of the references != ({phase_map.n_phases} phases, "
            f"{points.shape[1]} latent coordinates)"
        )
    present = np.flatnonzero(core)
    away = points[present] - centers[core[present] - 1]
    variance = float(np.nanmean(away**2)) if len(away) else np.nan
    absent = np.isnan(centers.sum(axis=1))
    return ranked_map(
        points,
        phase_map,
        lambda chunk: spherical_log_density(chunk, centers, variance),
        method="euclidean",
        threshold=threshold,
        scope=scope,
        candidates=candidates,
        notes={"left_out": told(phase_map, absent, "left out: no reference and no")},
        on_progress=on_progress,
    )


def assign_knn(
    latent: ArrayLike,
    phase_map: PhaseMap,
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    scope: Scope = "ambiguous",
    candidates: Candidates = "all",
    n_neighbors: int = 25,
    max_pixels: int = 50_000,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    """Give pixels the most frequent phase among their nearest sure neighbors.

    The score is the logarithm of the share of each phase among the neighbors, with
    one more neighbor spread over all phases, so that it is finite.

    Parameters
    ----------
    latent, phase_map, threshold, scope, candidates, on_progress
        As for `assign_mahalanobis`.
    n_neighbors : int, default=25
        Unambiguous pixels looked at.
    max_pixels : int, default=50000
        Of more unambiguous pixels a random part of this size is used.
    seed : int, default=0
        Seed of that choice.

    Returns
    -------
    PhaseMap
        As for `assign_mahalanobis`.

    Raises
    ------
    ValueError
        As for `assign_mahalanobis`; also if `n_neighbors` is below 1.
    """
    from scipy.spatial import cKDTree

    points, core = sure_phases(latent, phase_map, threshold, scope, candidates)
    if n_neighbors < 1:
        raise InputError(f"{n_neighbors=} is below 1")
    sure = np.flatnonzero(core)
    if len(sure) > max_pixels:
        sure = np.random.default_rng(seed).choice(sure, max_pixels, replace=False)
    n_phases, n_used = phase_map.n_phases, min(n_neighbors, len(sure))
    tree, phases = cKDTree(points[sure]), core[sure] - 1

    def score(chunk: NDArray[np.float64]) -> NDArray[np.float64]:
        finite = np.isfinite(chunk).all(axis=1)
        nearest = tree.query(chunk[finite], k=[*range(1, n_used + 1)])[1]
        flat = phases[nearest] + n_phases * np.arange(len(nearest))[:, None]
        counts = np.bincount(flat.ravel(), minlength=n_phases * len(nearest))
        shares = (counts.reshape(-1, n_phases) + 1.0 / n_phases) / (n_used + 1.0)
        out = np.full((len(chunk), n_phases), np.nan)
        out[finite] = np.log(shares)
        return out

    return ranked_map(
        points,
        phase_map,
        score,
        method="knn",
        threshold=threshold,
        scope=scope,
        candidates=candidates,
        notes={"n_neighbors": n_used, "max_pixels": max_pixels, "seed": seed},
        on_progress=on_progress,
    )
