"""What the axes and regions of a latent space mean.

* `LatentSpace`: coordinates of pixels and of references.
* `traversal`, `axis_traversal`: points to decode.
* `axis_intensity`: which axis is thickness.
* `phase_reconstructions`: measured and reconstructed spectra of each phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap

__all__ = [
    "AxisIntensity",
    "LatentSpace",
    "PhaseReconstructions",
    "axis_intensity",
    "axis_traversal",
    "phase_reconstructions",
    "traversal",
]


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """Coordinates of the pixels and, where known, of the references.

    Parameters
    ----------
    coordinates : ndarray of shape (n_pixels, n_latent)
        In pixel order.
    references : ndarray of shape (n_references, n_latent), optional
        The same for the reference spectra. In latent units.
    """

    coordinates: NDArray[Any]
    references: NDArray[Any] | None = None


class AxisIntensity(NamedTuple):
    """Mean intensity along each latent axis, see `axis_intensity`.

    Attributes
    ----------
    correlation : ndarray of shape (n_latent,)
        Pearson's r of the coordinate with the mean intensity of the pixel.
    center, intensity : ndarray of shape (n_latent, n_bins)
        Middle of each bin and the mean intensity in it; NaN in an empty bin. In latent
        units, and in the unit of the spectra.
    n_pixels : ndarray of int of shape (n_latent, n_bins)
        Pixels in each bin.
    """

    correlation: NDArray[np.float64]
    center: NDArray[np.float64]
    intensity: NDArray[np.float64]
    n_pixels: NDArray[np.int64]


class PhaseReconstructions(NamedTuple):
    """Spectra per phase, see `phase_reconstructions`.

    Attributes
    ----------
    measured, reconstructed : ndarray of shape (n_phases, n_energies)
        Means over the pixels of the phase; NaN for a phase without pixels.
    error : ndarray of shape (n_phases,)
        Root mean square of measured minus reconstructed, pixel by pixel.
    n_pixels : ndarray of int of shape (n_phases,)
        Pixels of the phase with finite spectra.
    """

    measured: NDArray[np.float64]
    reconstructed: NDArray[np.float64]
    error: NDArray[np.float64]
    n_pixels: NDArray[np.int64]


def traversal(
    start: ArrayLike, end: ArrayLike, /, *, n_steps: int = 11
) -> NDArray[np.float32]:
    """Return points on the straight line between two latent points.

    Decoded, they show how the spectrum changes from one phase to another (Fig. S9 of
    arXiv:2603.07666).

    Parameters
    ----------
    start, end : array_like of shape (n_latent,)
        In latent units, for example two rows of `clusters.ClusterStatistics.means`.
    n_steps : int, default=11
        Points, the two ends among them.

    Returns
    -------
    ndarray of float32 of shape (n_steps, n_latent)
        In latent units, from `start` to `end`.

    Raises
    ------
    ValueError
        If the points are not finite or there are fewer than two steps.

    Examples
    --------
    >>> traversal([0, 0], [1, 2], n_steps=3).tolist()
    [[0.0, 0.0], [0.5, 1.0], [1.0, 2.0]]
    """
    first, last = np.asarray(start, np.float64), np.asarray(end, np.float64)
    if first.ndim != 1 or first.shape != last.shape:
        raise InputError(f"two latent points are needed; {first.shape=}, {last.shape=}")
    if not (np.isfinite(first).all() and np.isfinite(last).all()):
        raise InputError(f"a latent point is not finite: {first}, {last}")
    if n_steps < 2:
        raise InputError(f"a line needs two points; got {n_steps=}")
    return np.linspace(first, last, n_steps).astype(np.float32)


def axis_traversal(
    latent: NDArray[Any],
    axis: int,
    /,
    *,
    n_steps: int = 11,
    percentiles: tuple[float, float] = (1.0, 99.0),
) -> NDArray[np.float32]:
    """Return points along one latent axis, the others at their median.

    Parameters
    ----------
    latent : ndarray of shape (n_pixels, n_latent)
        In latent units; rows with NaN are left out.
    axis : int
        Which axis, from 0.
    n_steps : int, default=11
        Number of points.
    percentiles : tuple of float, default=(1, 99)
        Where the line begins and ends, in per cent of the pixels.

    Returns
    -------
    ndarray of float32 of shape (n_steps, n_latent)
        In latent units.

    Raises
    ------
    ValueError
        If no row is finite or there is no such axis.
    """
    finite = latent[np.isfinite(latent).all(axis=1)]
    if not len(finite) or not 0 <= axis < latent.shape[1]:
        raise InputError(
            f"axis {axis} of {latent.shape[1]} cannot be followed with {len(finite)} "
            "finite points"
        )
    start = np.median(finite, axis=0)
    end = start.copy()
    start[axis], end[axis] = np.percentile(finite[:, axis], percentiles)
    return traversal(start, end, n_steps=n_steps)


def axis_intensity(
    latent: NDArray[Any], spectra: NDArray[Any], /, *, n_bins: int = 40
) -> AxisIntensity:
    """Return the mean intensity of the spectra along each latent axis.

    The mean optical density is a measure of thickness, so the axis that correlates
    with it is the thickness axis (Fig. S10 of arXiv:2603.07666).

    Parameters
    ----------
    latent : ndarray of shape (n_pixels, n_latent)
        In latent units.
    spectra : ndarray of shape (n_pixels, n_energies)
        The measured spectra of the same pixels.
    n_bins : int, default=40
        Bins between the smallest and the largest coordinate.

    Returns
    -------
    AxisIntensity
        Pixels with NaN in either array are left out.

    Raises
    ------
    ValueError
        If lengths differ or no pixel is finite.

    Examples
    --------
    >>> latent = np.array([[0.0, 1.0], [1.0, -1.0], [2.0, 1.0]])
    >>> axis_intensity(latent, np.array([[1.0], [2.0], [3.0]])).correlation.round(2)
    array([1., 0.])
    """
    if len(latent) != len(spectra):
        raise InputError(f"{len(latent)} latent points != {len(spectra)} spectra")
    intensity = np.asarray(spectra.mean(axis=1, dtype=np.float64))
    finite = np.isfinite(intensity) & np.isfinite(latent).all(axis=1)
    points, intensity = np.asarray(latent[finite], np.float64), intensity[finite]
    if not len(points):
        raise InputError("no pixel has finite coordinates and a finite spectrum")
    n_latent = points.shape[1]
    correlation = np.full(n_latent, np.nan)
    center, mean = np.full((2, n_latent, n_bins), np.nan)
    counts = np.zeros((n_latent, n_bins), dtype=np.int64)
    for axis, values in enumerate(points.T):
        if np.ptp(values) > 0 and np.ptp(intensity) > 0:
            correlation[axis] = np.corrcoef(values, intensity)[0, 1]
        counts[axis], edges = np.histogram(values, bins=n_bins)
        sums, _ = np.histogram(values, bins=edges, weights=intensity)
        center[axis] = 0.5 * (edges[:-1] + edges[1:])
        with np.errstate(invalid="ignore"):
            mean[axis] = np.where(counts[axis] > 0, sums / counts[axis], np.nan)
    return AxisIntensity(correlation, center, mean, counts)


def phase_reconstructions(
    spectra: NDArray[Any], reconstructed: NDArray[Any], phase_map: PhaseMap, /
) -> PhaseReconstructions:
    """Return measured and reconstructed mean spectra of each phase.

    Parameters
    ----------
    spectra : ndarray of shape (n_pixels, n_energies)
        Measured, in any unit.
    reconstructed : ndarray of shape (n_pixels, n_energies)
        In the same unit, for example from `GMVAE.reconstruct`.
    phase_map : PhaseMap
        Phase of each pixel; label 0 is left out, and so are rows with NaN.

    Returns
    -------
    PhaseReconstructions

    Raises
    ------
    ValueError
        If shapes differ.
    """
    if spectra.shape != reconstructed.shape or len(spectra) != phase_map.n_pixels:
        raise InputError(
            f"{spectra.shape=}, {reconstructed.shape=} and {phase_map.n_pixels} pixels "
            "of the map differ"
        )
    n_phases, n_energies = phase_map.n_phases, spectra.shape[1]
    measured, modeled = np.full((2, n_phases, n_energies), np.nan)
    error = np.full(n_phases, np.nan)
    counts = np.zeros(n_phases, dtype=np.int64)
    finite = np.isfinite(spectra).all(axis=1) & np.isfinite(reconstructed).all(axis=1)
    for index in range(n_phases):
        own = finite & (phase_map.labels == index + 1)
        counts[index] = np.count_nonzero(own)
        if counts[index]:
            x = np.asarray(spectra[own], dtype=np.float64)
            y = np.asarray(reconstructed[own], dtype=np.float64)
            measured[index], modeled[index] = x.mean(axis=0), y.mean(axis=0)
            error[index] = np.sqrt(((x - y) ** 2).mean())
    return PhaseReconstructions(measured, modeled, error, counts)
