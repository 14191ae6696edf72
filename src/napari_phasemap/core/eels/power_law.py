"""What a power law looks like in an energy window, tabulated over its exponent.

A spectrum's background is A * E**-r. Everything that depends on r alone (the mean
logarithm of the energy, the share of the signal window, the shape itself) is a smooth
function of one number, so it is tabulated once per window and read by interpolation.

* `PowerLawTable`: the table; `fit_counts` and `fit_squares` find the exponent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EXPONENT_LIMITS", "PowerLawTable"]

#: Exponents that are looked for. Measured ones lie between 2 and 6 (Egerton, EELS in
#: the Electron Microscope, 3rd ed., Sec. 4.4.1); noise scatters around them.
EXPONENT_LIMITS = (-4.0, 14.0)
#: Nodes of the table. Linear interpolation between them is off by < 1e-5 relative.
N_NODES = 1801
#: Singular values of the shapes below this share of the largest are dropped.
RANK_TOLERANCE = 1e-6
#: Every how many nodes the least-squares fit looks before it interpolates.
SCAN_STEP = 10
#: Pixels whose residuals are scanned over all exponents at once.
SQUARES_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class PowerLawTable:
    """Power laws in a fit window, continued into a signal window.

    A law of level 1 sums to 1 over the fit window (``norm="sum"``, for counts) or has
    the Euclidean length 1 there (``norm="length"``, for least squares).

    Parameters
    ----------
    energy : ndarray of shape (n_fit,)
        Channels of the fit window, in eV, positive.
    window : ndarray of shape (n_window,)
        Channels of the signal window, in eV.
    norm : {"sum", "length"}, default="sum"
        What level 1 means.
    """

    energy: NDArray[np.float64]
    window: NDArray[np.float64]
    norm: str = "sum"

    def __post_init__(self) -> None:
        reference = float(np.exp(np.log(self.energy).mean()))
        x = np.log(self.energy / reference)
        r = np.linspace(*EXPONENT_LIMITS, N_NODES)
        fit = np.exp(-np.outer(x, r))
        size = fit.sum(axis=0) if self.norm == "sum" else np.linalg.norm(fit, axis=0)
        ahead = np.exp(-np.outer(np.log(self.window / reference), r)) / size
        share = fit / fit.sum(axis=0)
        mean = x @ share
        total = ahead.sum(axis=0)
        basis, coefficients = _compressed(ahead)
        variance = (x**2) @ share - mean**2
        made: dict[str, object] = {
            "reference": reference,
            "log_energy": x,
            "exponents": r,
            "mean_log": mean,
            "variance_log": variance,
            "at_reference": 1.0 / size,
            "window_total": total,
            "window_slope": np.gradient(np.log(total), r),
            "basis": basis,
            "coefficients": coefficients,
            "total_bias": _bias(total, mean, variance),
            "coefficients_bias": _bias(coefficients, mean, variance).astype("f4"),
            "fit_shapes": fit / size,
        }
        for key, value in made.items():
            object.__setattr__(self, key, value)

    reference: float = 0.0
    log_energy: NDArray[np.float64] = None  # type: ignore[assignment]
    exponents: NDArray[np.float64] = None  # type: ignore[assignment]
    mean_log: NDArray[np.float64] = None  # type: ignore[assignment]
    variance_log: NDArray[np.float64] = None  # type: ignore[assignment]
    at_reference: NDArray[np.float64] = None  # type: ignore[assignment]
    window_total: NDArray[np.float64] = None  # type: ignore[assignment]
    window_slope: NDArray[np.float64] = None  # type: ignore[assignment]
    basis: NDArray[np.float32] = None  # type: ignore[assignment]
    coefficients: NDArray[np.float32] = None  # type: ignore[assignment]
    total_bias: NDArray[np.float64] = None  # type: ignore[assignment]
    coefficients_bias: NDArray[np.float32] = None  # type: ignore[assignment]
    fit_shapes: NDArray[np.float64] = None  # type: ignore[assignment]

    def fit_counts(self, mean_log: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the maximum-likelihood exponent of Poisson counts.

        Parameters
        ----------
        mean_log : ndarray of any shape
            ``sum(y * log_energy) / sum(y)`` over the fit window. Dimensionless: the
            logarithm of eV.

        Returns
        -------
        ndarray of the same shape
            The exponent; the nearest of `EXPONENT_LIMITS` where there is none inside.
            Dimensionless.

        Notes
        -----
        The derivative of the Poisson log-likelihood of ``A * E**-r`` with respect to r
        vanishes where the observed mean of ln E equals that of the law, which falls
        monotonically with r: its derivative is minus the variance of ln E.
        """
        return np.interp(mean_log, self.mean_log[::-1], self.exponents[::-1])

    def fit_squares(self, projected: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the least-squares exponent.

        Parameters
        ----------
        projected : ndarray of shape (rank, n_pixels)
            Spectra of the fit window on `fit_basis`. In counts.

        Returns
        -------
        ndarray of shape (n_pixels,)
            The exponent whose shape explains most of each spectrum. Dimensionless.
        """
        coarse = slice(0, None, SCAN_STEP)
        shapes = self.fit_coefficients[:, coarse]
        fine = shapes.astype(np.float64)
        node = self.exponents[SCAN_STEP] - self.exponents[0]
        out = np.empty(projected.shape[1])
        for low in range(0, len(out), SQUARES_CHUNK):
            part = projected[:, low : low + SQUARES_CHUNK]
            best = (shapes.T @ part).argmax(axis=0)
            inner = np.clip(best, 1, shapes.shape[1] - 2)
            left, mid, right = (
                np.einsum("ij,ij->j", fine[:, inner + d], part) for d in (-1, 0, 1)
            )
            bend = left - 2.0 * mid + right
            with np.errstate(invalid="ignore", divide="ignore"):
                step = np.where(bend < 0, 0.5 * (left - right) / bend, 0.0)
            step = np.where(best == inner, np.clip(step, -0.5, 0.5), best - inner)
            found = self.exponents[coarse][inner] + step * node
            out[low : low + SQUARES_CHUNK] = found
        return out

    @property
    def fit_basis(self) -> NDArray[np.float32]:
        """Orthonormal basis of the shapes in the fit window, (n_fit, rank)."""
        return _compressed(self.fit_shapes)[0]

    @property
    def fit_coefficients(self) -> NDArray[np.float32]:
        """Unit-length shapes of the fit window on `fit_basis`, (rank, n_nodes)."""
        return _compressed(self.fit_shapes)[1]

    def read(
        self, exponent: NDArray[np.float64], /, *tables: NDArray[np.float64]
    ) -> list[NDArray[np.float64]]:
        """Interpolate tables over the exponents, each of shape (n_nodes,).

        Parameters
        ----------
        exponent : ndarray of any shape
            Dimensionless; what is outside the table is read at its end.
        *tables : ndarray of shape (n_nodes,)
            In any unit.

        Returns
        -------
        list of ndarray of the shape of `exponent`
            One per table, in its unit.
        """
        index, part = self._nodes(exponent)
        return [
            table[index] * (1.0 - part) + table[index + 1] * part for table in tables
        ]

    def _nodes(
        self, exponent: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the node below each exponent and the rest in units of a node."""
        position = (exponent - self.exponents[0]) / (
            self.exponents[1] - self.exponents[0]
        )
        index = np.clip(position.astype(np.intp), 0, N_NODES - 2)
        return index, position - index

    def window_coefficients(
        self,
        exponent: NDArray[np.float64],
        level: NDArray[np.float64],
        exponent_variance: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float32]:
        """Return the background on `basis`, of shape (rank, n_pixels).

        With the variance of a maximum-likelihood exponent, less its bias.

        Parameters
        ----------
        exponent : ndarray of shape (n_pixels,)
            Dimensionless.
        level : ndarray of shape (n_pixels,)
            Factor of the power law of each pixel, in counts.
        exponent_variance : ndarray of shape (n_pixels,), optional
            Dimensionless.

        Returns
        -------
        ndarray of float32 of shape (rank, n_pixels)
            In counts.
        """
        index, rest = self._nodes(exponent)
        part = rest.astype(np.float32)
        low = self.coefficients[:, index]
        low += (self.coefficients[:, index + 1] - low) * part
        if exponent_variance is not None:
            bias = self.coefficients_bias[:, index]
            low -= bias * exponent_variance.astype(np.float32)
        low *= level.astype(np.float32)
        return low


def _bias(
    values: NDArray[np.floating],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the bias of a tabulated quantity per variance of the exponent.

    The mean of ln E is unbiased and the quantity h a curved function of it, so its
    expectation is off by ``h'' * var(ln E) / (2 N)``; ``1 / N`` is the variance of the
    exponent times var(ln E).
    """
    slope = np.gradient(np.asarray(values, dtype=np.float64), mean, axis=-1)
    return np.asarray(0.5 * np.gradient(slope, mean, axis=-1) * variance**2)


def _compressed(
    shapes: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a small basis of columns and their coordinates on it."""
    from threadpoolctl import threadpool_limits

    unit = shapes / np.linalg.norm(shapes, axis=0)
    # Several threads in contention make a small decomposition many times slower.
    with threadpool_limits(limits=1):
        vectors, values, _ = np.linalg.svd(
            unit[:, :: N_NODES // 60], full_matrices=False
        )
    kept = vectors[:, values > RANK_TOLERANCE * values[0]]
    return kept.astype(np.float32), (kept.T @ shapes).astype(np.float32)
