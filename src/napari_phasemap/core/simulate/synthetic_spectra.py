"""Tell what the phases of the simulated particles look like.

* `references`: XANES spectra of five sodium contents.
* `SPARSE_ENERGIES`, `SODIUM_CONTENTS`: the energies of a sparse scan and the phases.
* `incident`: relative intensity of the simulated beamline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.references import ReferenceSpectra

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SODIUM_CONTENTS", "SPARSE_ENERGIES", "incident", "references"]

#: Phases of the paper, pristine to fully charged, and how far the vanadium of each is
#: oxidized between the pristine (0) and the fully charged (1) spectrum. The steps are
#: set so that neighbors differ by 0.005 to 0.011 in correlation on `SPARSE_ENERGIES`.
SODIUM_CONTENTS = {
    "Na3VPF": 0.0,
    "Na2.4VPF": 0.295,
    "Na2VPF": 0.55,
    "Na1VPF": 0.82,
    "Na1-yVPF": 1.0,
}

#: The 13 energies of a sparse scan, in eV: one before all edges, the others where the
#: references differ.
SPARSE_ENERGIES: tuple[float, ...] = (
    505.0, 515.2, 516.6, 517.5, 518.4, 519.6, 523.6, 525.0, 526.2, 529.4, 530.3, 532.4,
    537.0,
)  # fmt: skip

#: Resonances: position when pristine and its shift when charged (eV), full width at
#: half maximum (eV), height when pristine and when charged. V L3 and L2 and the O K
#: pre-edge stand where arXiv:2603.07666 (Fig. 2) has them.
RESONANCES = (
    (515.4, 0.33, 1.6, 0.30, 0.20),  # V L3, low-energy shoulder
    (517.5, 0.49, 2.0, 1.00, 0.965),  # V L3
    (525.0, 0.43, 2.6, 0.62, 0.605),  # V L2
    (530.3, 0.0, 1.4, 0.14, 0.335),  # O K pre-edge, V 3d t2g
    (532.4, 0.0, 1.8, 0.16, 0.245),  # O K pre-edge, V 3d eg
    (537.4, 0.11, 4.0, 0.55, 0.53),  # O K, sigma*
    (542.5, 0.0, 6.0, 0.25, 0.25),  # O K, broad
)
#: Edge steps: position when pristine, shift when charged, width, height.
EDGES = (
    (516.0, 0.43, 0.6, 0.10),  # V L3
    (523.6, 0.43, 0.8, 0.05),  # V L2
    (535.0, 0.11, 1.2, 0.45),  # O K
)
#: Absorption below all edges relative to the V L3 peak; it falls with energy cubed.
PRE_EDGE = 0.25


def references(
    energy: ArrayLike | None = None, *, energy_drift: float = 0.0
) -> ReferenceSpectra:
    """Return XANES spectra of five sodium contents, pristine to fully charged.

    With less sodium vanadium is oxidized: V L3 and L2 (517.5 and 525.0 eV when
    pristine) move to higher energy and the O K pre-edge at 530.3 eV grows.

    Parameters
    ----------
    energy : array_like of shape (n_energies,), optional
        In eV; default 500 to 550 eV in steps of 0.1 eV.
    energy_drift : float, default=0.0
        Shift of the whole spectrum to higher energy, in eV.

    Returns
    -------
    ReferenceSpectra
        1 is about the height of the V L3 peak.

    References
    ----------
    F. Adrar et al., arXiv:2603.07666 (2026), section 3.2 and Fig. 2.

    Examples
    --------
    >>> first, second, gap = references(SPARSE_ENERGIES).closest_pair()
    >>> round(gap, 3)
    0.005
    """
    axis = np.arange(500.0, 550.05, 0.1) if energy is None else np.asarray(energy)
    axis = np.asarray(axis, dtype=np.float64)
    spectra = [_spectrum(axis - energy_drift, x) for x in SODIUM_CONTENTS.values()]
    return ReferenceSpectra(tuple(SODIUM_CONTENTS), axis.round(6), np.array(spectra))


def _spectrum(energy: NDArray[np.float64], oxidized: float) -> NDArray[np.float64]:
    """Return the absorption of vanadium oxidized by a share between 0 and 1."""
    total = PRE_EDGE * (energy / 515.0) ** -3
    for center, shift, width, height in EDGES:
        total += height * (
            0.5 + np.arctan((energy - center - shift * oxidized) / width) / np.pi
        )
    for center, shift, fwhm, pristine, charged in RESONANCES:
        offset = 2.0 * (energy - center - shift * oxidized) / fwhm
        shape = 0.5 / (1.0 + offset**2) + 0.5 * np.exp(-np.log(2.0) * offset**2)
        total += (pristine + oxidized * (charged - pristine)) * shape
    return np.asarray(total)


def incident(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relative beamline intensity: a slope, and oxygen on the mirrors.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In eV.

    Returns
    -------
    ndarray of shape (n_energies,)
        1 at 520 eV.
    """
    oxygen = 0.12 * (0.5 + np.arctan((energy - 534.0) / 1.5) / np.pi)
    return np.asarray(1.0 - 0.004 * (energy - 520.0) - oxygen)
