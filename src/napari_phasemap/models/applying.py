"""Apply a trained network to any number of rows, in chunks.

* `Runner`: one compiled function of a network.
* `standardized`: what is done to spectra before a network sees them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Runner", "standardized"]

#: A spectrum is constant when it varies by less than this share of its values.
CONSTANT = 1e-6


class Runner:
    """One function of a network on rows, compiled once.

    Parameters
    ----------
    network : Network
        Trained.
    what : {"mean", "distribution", "components", "reconstruct", "decode"}
        Latent means; means and log-variances; p(k|x); decoded means; decoder alone.
    normalize : bool, default=True
        Standardize rows as the network's parameters say, and undo it in
        "reconstruct". Rows that cannot be standardized, or are not finite, give NaN.
    """

    def __init__(self, network: Any, what: str, *, normalize: bool = True) -> None:
        from napari_phasemap.models.network import CHUNK_ROWS, mapped

        self.network = network
        self.what = what
        self.normalize = (
            normalize
            and what != "decode"
            and network.parameters.normalization == "standardize"
        )
        self.chunk_rows = CHUNK_ROWS
        p = network.parameters
        n_columns = p.n_latent if what == "decode" else network.n_energies
        self.widths = {
            "mean": [p.n_latent],
            "distribution": [p.n_latent, p.n_latent],
            "components": [p.n_components],
            "reconstruct": [network.n_energies],
            "decode": [network.n_energies],
        }[what]
        self._function = mapped(self._rows, n_columns)

    def run(self, rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return one array of shape (n_rows, width) per output.

        Parameters
        ----------
        rows : ndarray of float32 of shape (n_rows, n_columns)
            Spectra, or latent points to decode; rows with NaN give rows of NaN.

        Returns
        -------
        list of ndarray of float32 of shape (n_rows, width)
            One per output of the network.
        """
        out = [np.empty((len(rows), width), dtype=np.float32) for width in self.widths]
        for low in range(0, len(rows), self.chunk_rows):
            part = slice(low, low + self.chunk_rows)
            for whole, values in zip(out, self._chunk(rows[part]), strict=True):
                whole[part] = values
        return out

    def _chunk(self, rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        bad = np.asarray(~np.isfinite(rows).all(axis=1))
        if self.normalize:
            with np.errstate(invalid="ignore", over="ignore"):
                rows, mean, deviation = standardized(rows)
            bad |= np.isnan(deviation)
        # Rectified units would turn NaN into numbers.
        values = self._function(np.where(bad[:, None], 0, rows) if bad.any() else rows)
        if self.what == "reconstruct" and self.normalize:
            values = [values[0] * deviation[:, None] + mean[:, None]]
        if bad.any():
            values = [np.where(bad[:, None], np.nan, value) for value in values]
        return values

    def _rows(self, x: Any) -> Any:
        network = self.network
        if self.what == "decode":
            return network.decoder(x, training=False)
        heads = network.encoder(x, training=False)
        if self.what == "mean":
            return heads[0]
        if self.what == "distribution":
            return heads[0], heads[1]
        if self.what == "components":
            return network.component_probabilities(heads)
        return network.decoder(heads[0], training=False)


def standardized(
    spectra: NDArray[np.float32], /
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return each spectrum minus its mean over its standard deviation, and those two.

    A constant spectrum has a standard deviation of NaN, and so its row is NaN.

    Parameters
    ----------
    spectra : ndarray of float32 of shape (n_spectra, n_energies)
        In any unit.

    Returns
    -------
    centered : ndarray of float32 of shape (n_spectra, n_energies)
        Dimensionless.
    mean, deviation : ndarray of float32 of shape (n_spectra,)
        In the unit of the spectra.
    """
    mean = spectra.mean(axis=1, keepdims=True)
    centered = spectra - mean
    deviation = np.sqrt(np.einsum("ij,ij->i", centered, centered) / spectra.shape[1])
    size = np.abs(mean[:, 0]) + deviation
    deviation[~(deviation > CONSTANT * size)] = np.nan
    centered /= deviation[:, None]
    return centered, mean[:, 0], deviation.astype(np.float32)
