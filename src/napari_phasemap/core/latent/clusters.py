"""Where groups of points lie in a latent space, and how likely a point is in each.

* `cluster_statistics`: means and covariances of labeled points.
* `log_density`, `spherical_log_density`: of Gaussians.
* `class_likelihoods`: a map of classes whose scores are log-densities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ClusterStatistics",
    "class_likelihoods",
    "cluster_statistics",
    "log_density",
    "spherical_log_density",
]

#: Share of the mean variance that is added to every variance, so that a direction
#: without any spread (an unused latent axis) does not make a covariance singular.
RIDGE = 1e-6


class ClusterStatistics(NamedTuple):
    """Statistics of the clusters 1..n.

    Attributes
    ----------
    n_pixels : ndarray of int of shape (n_clusters,)
        Points of each cluster.
    means : ndarray of shape (n_clusters, n_latent)
        In latent units; NaN for an empty cluster.
    covariances : ndarray of shape (n_clusters, n_latent, n_latent)
        Population covariance; zero for one point, NaN for none. In latent units
        squared.
    pooled : ndarray of shape (n_latent, n_latent)
        Covariance of all points around the mean of their own cluster. In latent units
        squared.
    """

    n_pixels: NDArray[np.int64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    pooled: NDArray[np.float64]


def cluster_statistics(
    points: NDArray[Any], labels: NDArray[np.int64], n_clusters: int, /
) -> ClusterStatistics:
    """Return the statistics of labeled points.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_latent)
        In latent units; finite where `labels` is not 0.
    labels : ndarray of int of shape (n_points,)
        1..n_clusters; 0 belongs to no cluster.
    n_clusters : int
        Number of clusters.

    Returns
    -------
    ClusterStatistics

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [2.0, 0.0], [5.0, 5.0]])
    >>> found = cluster_statistics(points, np.array([1, 1, 2]), 2)
    >>> found.means.tolist(), found.covariances[0].tolist()
    ([[1.0, 0.0], [5.0, 5.0]], [[1.0, 0.0], [0.0, 0.0]])
    """
    n_latent = points.shape[1]
    counts = np.bincount(labels, minlength=n_clusters + 1)[1:]
    means = np.full((n_clusters, n_latent), np.nan)
    covariances = np.full((n_clusters, n_latent, n_latent), np.nan)
    scatter = np.zeros((n_latent, n_latent))
    for index in np.flatnonzero(counts):
        own = np.asarray(points[labels == index + 1], dtype=np.float64)
        means[index] = own.mean(axis=0)
        own -= means[index]
        products = own.T @ own
        scatter += products
        covariances[index] = products / len(own)
    return ClusterStatistics(
        n_pixels=counts,
        means=means,
        covariances=covariances,
        pooled=scatter / max(int(counts.sum()), 1),
    )


def log_density(
    points: NDArray[np.float64],
    means: NDArray[np.float64],
    covariances: NDArray[np.float64],
    /,
) -> NDArray[np.float64]:
    """Return ln N(point; mean, covariance), of shape (n_points, n_clusters).

    Parameters
    ----------
    points : ndarray of shape (n_points, n_latent)
        In latent units; NaN gives NaN.
    means : ndarray of shape (n_clusters, n_latent)
        In latent units; a row of NaN gives a column of NaN.
    covariances : ndarray of shape (n_clusters, n_latent, n_latent)
        May be singular: a millionth of the mean variance is added to each variance. In
        latent units squared.

    Returns
    -------
    ndarray of shape (n_points, n_clusters)
        In nats.

    Examples
    --------
    >>> log_density(np.zeros((1, 2)), np.zeros((1, 2)), np.eye(2)[None]).round(3)
    array([[-1.838]])
    """
    n_latent = points.shape[1]
    out = np.full((len(points), len(means)), np.nan)
    for index in np.flatnonzero(np.isfinite(means).all(axis=1)):
        covariance = covariances[index]
        ridge = RIDGE * np.trace(covariance) / n_latent + np.finfo(np.float32).tiny
        triangle = np.linalg.cholesky(covariance + ridge * np.eye(n_latent))
        white = (points - means[index]) @ np.linalg.inv(triangle).T
        log_det = 2.0 * np.log(np.diag(triangle)).sum()
        squared = np.einsum("ij,ij->i", white, white)
        out[:, index] = -0.5 * (squared + log_det + n_latent * np.log(2 * np.pi))
    return out


def spherical_log_density(
    points: NDArray[np.float64], centers: NDArray[np.float64], variance: float, /
) -> NDArray[np.float64]:
    """Return ln N(point; center, variance times identity), of the same shape.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_latent)
        In latent units.
    centers : ndarray of shape (n_centers, n_latent)
        In latent units; a row of NaN gives a column of NaN.
    variance : float
        Of every axis, in latent units squared.

    Returns
    -------
    ndarray of shape (n_points, n_centers)
        In nats.
    """
    n_latent = points.shape[1]
    variance = max(variance, float(np.finfo(np.float32).tiny))
    squared = ((points[:, None] - centers[None]) ** 2).sum(axis=2)
    return np.asarray(
        -0.5 * (squared / variance + n_latent * np.log(2 * np.pi * variance))
    )


def class_likelihoods(values: NDArray[Any], classes: PhaseMap, /) -> PhaseMap:
    """Return classes with the log-density of every pixel in every class as scores.

    What `smooth_potts` needs to let neighbors have a say in classes that were found
    without references. All classes share one covariance, as k-means would have it.

    Parameters
    ----------
    values : ndarray of shape (n_pixels, n_values)
        What was clustered: components, an embedding or latent coordinates. Rows with
        NaN get no scores. In one unit: distances count all values alike.
    classes : PhaseMap
        Of the same pixels; those with label 0 get no scores and do not vote.

    Returns
    -------
    PhaseMap
        With the names and colors of `classes`; ``method`` is "class likelihoods".

    Raises
    ------
    InputError
        If lengths differ or no pixel has a class.

    Examples
    --------
    >>> values = np.array([[0.0], [0.2], [5.0], [5.2]])
    >>> two = PhaseMap.from_scores([[1, 0], [1, 0], [0, 1], [0, 1]], ["a", "b"])
    >>> class_likelihoods(values, two).labels.tolist()
    [1, 1, 2, 2]
    """
    points = np.asarray(values, dtype=np.float64)
    if points.ndim != 2 or len(points) != classes.n_pixels:
        raise InputError(f"{points.shape=} of the values for {classes.n_pixels} pixels")
    there = np.isfinite(points).all(axis=1) & (classes.labels > 0)
    if not there.any():
        raise InputError("no pixel has both values and a class")
    labels = np.where(there, classes.labels, 0).astype(np.int64)
    found = cluster_statistics(points, labels, classes.n_phases)
    shared = np.broadcast_to(found.pooled, found.covariances.shape)
    scores = log_density(points, found.means, shared)
    scores[~there] = np.nan
    return PhaseMap.from_scores(
        scores,
        classes.names,
        colors=classes.colors,
        method="class likelihoods",
        parameters=classes.parameters,
    )
