"""An edge without its background: what is left, how sure it is, where it is at all.

* `NetEdge`: net counts with exponent, signal-to-noise and jump ratio per pixel.
* `edge_present`: which pixels have the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.text_table import described

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = [
    "AT_LIMIT",
    "NOT_FINITE",
    "NO_COUNTS",
    "RISING",
    "BackgroundMethod",
    "NetEdge",
    "edge_present",
]

BackgroundMethod: TypeAlias = Literal["poisson", "least_squares"]

#: Bits of `NetEdge.flags`: nothing to fit; the exponent met a limit; NaN in a window;
#: the background rises with energy beyond its error, so the fit window holds an edge.
NO_COUNTS, AT_LIMIT, NOT_FINITE, RISING = 1, 2, 4, 8


@dataclass(frozen=True, eq=False, repr=False)
class NetEdge:
    """An edge without its background. Per-pixel arrays are in pixel order.

    Parameters
    ----------
    net : SpectralStack
        Net counts in the signal window. Pixels with NaN in a window are NaN.
    raw : SpectralStack
        The same channels before subtraction: their noise is known.
    exponent, exponent_error : ndarray of float32 of shape (n_pixels,)
        r of the background ``amplitude * (E / reference_energy)**-r`` and its standard
        error. Dimensionless.
    amplitude : ndarray of float32 of shape (n_pixels,)
        Background at `reference_energy`, in the unit of `raw` per channel.
    reference_energy : float
        Geometric mean of the fit window, in eV.
    signal, signal_variance, null_variance, background : ndarray of shape (n_pixels,)
        Net sum over the window; its variance; the variance it had if there were no
        edge; the background's sum. In counts, variances in counts squared.
    flags : ndarray of uint8 of shape (n_pixels,)
        0, or a sum of `NO_COUNTS`, `AT_LIMIT`, `NOT_FINITE` and `RISING`.
    fit_window : tuple of float
        In eV.
    method : {"poisson", "least_squares"}
        How the background was fitted.
    name : str
        Name of the edge.
    """

    net: SpectralStack
    raw: SpectralStack
    exponent: NDArray[np.float32]
    exponent_error: NDArray[np.float32]
    amplitude: NDArray[np.float32]
    reference_energy: float
    signal: NDArray[np.float32]
    signal_variance: NDArray[np.float32]
    null_variance: NDArray[np.float32]
    background: NDArray[np.float32]
    flags: NDArray[np.uint8]
    fit_window: tuple[float, float]
    method: BackgroundMethod = "poisson"
    name: str = "edge"

    @cached_property
    def snr(self) -> NDArray[np.float32]:
        """Net sum over its standard error per pixel; 0 where nothing was measured."""
        return ratio(self.signal, np.sqrt(self.signal_variance), empty=0.0)

    @cached_property
    def significance(self) -> NDArray[np.float32]:
        """Net sum over the error it had without an edge: z of "there is an edge"."""
        return ratio(self.signal, np.sqrt(self.null_variance), empty=0.0)

    @cached_property
    def jump_ratio(self) -> NDArray[np.float32]:
        """Sum in the window over the background there; 1 where there is none."""
        return ratio(self.signal + self.background, self.background, empty=1.0)

    @property
    def energy(self) -> NDArray[np.float64]:
        """Energies of the signal window, in eV."""
        return self.net.energy

    @property
    def n_pixels(self) -> int:
        """Number of analyzed pixels."""
        return len(self.exponent)

    def background_at(
        self, energy: ArrayLike, pixel: int | None = None
    ) -> NDArray[np.float64]:
        """Return the fitted background at any energies, in counts per channel.

        Parameters
        ----------
        energy : array_like of shape (n,)
            In eV.
        pixel : int, optional
            Which pixel; default the mean over all pixels.

        Returns
        -------
        ndarray of shape (n,)
            In counts per channel.
        """
        x = np.log(np.asarray(energy, dtype=np.float64) / self.reference_energy)
        if pixel is not None:
            return np.asarray(
                self.amplitude[pixel] * np.exp(-x * float(self.exponent[pixel]))
            )
        good = np.isfinite(self.amplitude)
        laws = np.exp(-np.outer(x, self.exponent[good].astype(np.float64)))
        return np.asarray(laws @ self.amplitude[good] / max(int(good.sum()), 1))

    def __repr__(self) -> str:
        flagged = int(np.count_nonzero(self.flags))
        return described(
            f"NetEdge {self.name!r} by {self.method}",
            {
                "window": f"{self.energy[0]:g}-{self.energy[-1]:g} eV, "
                f"{len(self.energy)} channels",
                "fit window": f"{self.fit_window[0]:g}-{self.fit_window[1]:g} eV",
                "exponent": f"median {_median(self.exponent):.3g}",
                "jump ratio": f"median {_median(self.jump_ratio):.3g}",
                "signal/noise": f"median {_median(self.snr):.3g}",
                "pixels": f"{self.n_pixels}, {flagged} flagged",
            },
        )


def edge_present(
    edge: NetEdge,
    /,
    *,
    significance: float = 3.0,
    jump_ratio: float = 1.0,
    neighbors: float = 0.0,
) -> NDArray[np.bool_]:
    """Return which pixels have the edge: significant, and a large enough jump.

    Parameters
    ----------
    edge : NetEdge
        After background subtraction.
    significance : float, default=3.0
        Smallest z of the net sum against "there is no edge".
    jump_ratio : float, default=1.0
        Smallest ratio of the sum to the background.
    neighbors : float, default=0.0
        Standard deviation in pixels over which neighbors are averaged first: for
        edges that a single pixel does not show.

    Returns
    -------
    bool ndarray of shape (n_pixels,)
        False where flagged as `NO_COUNTS` or `NOT_FINITE`.
    """
    signal, background = _sums(edge, neighbors)
    z = averaged_significance(edge.signal, edge.null_variance, edge.net.mask, neighbors)
    jump = ratio(signal + background, background, empty=1.0)
    usable = (edge.flags & (NO_COUNTS | NOT_FINITE)) == 0
    present: NDArray[np.bool_] = usable & (z > significance) & (jump > jump_ratio)
    return present


def averaged_significance(
    signal: NDArray[np.float32],
    variance: NDArray[np.float32],
    mask: NDArray[np.bool_],
    neighbors: float,
) -> NDArray[np.float32]:
    """Return signal over its standard error, both averaged over neighbors."""
    if neighbors > 0:
        signal = averaged_inside(signal, mask, neighbors)
        # The square of a Gaussian of width s is one of width s / sqrt(2) over 4 pi s^2.
        smooth = averaged_inside(variance, mask, neighbors / np.sqrt(2.0))
        variance = smooth * np.float32(min(1.0, 1.0 / (4.0 * np.pi * neighbors**2)))
    return ratio(signal, np.sqrt(variance), empty=0.0)


def _sums(
    edge: NetEdge, neighbors: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return net sum and background, averaged over neighbors."""
    check_reach(neighbors)
    if neighbors <= 0:
        return edge.signal, edge.background
    mask = edge.net.mask
    return (
        averaged_inside(edge.signal, mask, neighbors),
        averaged_inside(edge.background, mask, neighbors),
    )


def averaged_inside(
    values: NDArray[np.float32], mask: NDArray[np.bool_], sigma: float
) -> NDArray[np.float32]:
    """Return per-pixel values averaged over neighbors inside the mask."""
    image = np.zeros(mask.shape)
    image[mask] = np.nan_to_num(values)
    weight = np.zeros(mask.shape)
    weight[mask] = np.isfinite(values)
    mean = smoothed(image, sigma) / np.maximum(smoothed(weight, sigma), 1e-12)
    averaged: NDArray[np.float32] = mean[mask].astype(np.float32)
    return averaged


def check_reach(pixels: float, /) -> None:
    """Raise ValueError unless neighbors can be averaged over so many pixels."""
    if not 0.0 <= pixels < np.inf:
        raise InputError(
            f"neighbors over {pixels} pixels cannot be averaged; give a number of 0 or "
            "more"
        )


def smoothed(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    out: NDArray[np.float64] = gaussian_filter(image, sigma, mode="constant")
    return out


def ratio(
    top: NDArray[Any], bottom: NDArray[Any], *, empty: float
) -> NDArray[np.float32]:
    """Return top / bottom, `empty` where the bottom is 0, NaN where it is NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(bottom == 0, empty, top / bottom)
    return values.astype(np.float32)


def _median(values: NDArray[np.float32]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")
