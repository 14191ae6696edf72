"""A latent space without a network: the main directions of variation.

* `pca_latent`: latent coordinates by principal components.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.latent.latent import LatentSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pca_latent"]


def pca_latent(
    spectra: NDArray[np.float32],
    reference_spectra: NDArray[np.float64] | None = None,
    /,
    *,
    n_components: int = 3,
) -> LatentSpace:
    """Return the coordinates of spectra along their main directions of variation.

    Parameters
    ----------
    spectra : ndarray of shape (n_pixels, n_energies)
        Rows with NaN are left out and give rows of NaN. In any unit.
    reference_spectra : ndarray of shape (n_references, n_energies), optional
        Projected onto the same directions. In the same unit.
    n_components : int, default=3
        Directions, largest variance first.

    Returns
    -------
    LatentSpace

    Raises
    ------
    ValueError
        If there are fewer energies or complete spectra than components.

    Examples
    --------
    >>> spectra = np.array([[1, 0, 0], [3, 0, 0], [5, 0, 0]], dtype=np.float32)
    >>> np.abs(pca_latent(spectra, n_components=1).coordinates[:, 0]).tolist()
    [2.0, 0.0, 2.0]
    """
    finite = np.isfinite(spectra).all(axis=1)
    complete = np.asarray(spectra[finite], dtype=np.float64)
    if min(complete.shape) < n_components:
        raise InputError(
            f"{n_components} components need as many energies and complete spectra; "
            f"got {complete.shape[1]} energies and {len(complete)} spectra"
        )
    mean = complete.mean(axis=0)
    complete -= mean
    _, vectors = np.linalg.eigh(complete.T @ complete)
    axes = vectors[:, ::-1][:, :n_components]
    coordinates = np.full((len(spectra), n_components), np.nan, dtype=np.float32)
    coordinates[finite] = complete @ axes
    projected = None
    if reference_spectra is not None:
        projected = ((np.asarray(reference_spectra) - mean) @ axes).astype(np.float32)
    return LatentSpace(coordinates, projected)
