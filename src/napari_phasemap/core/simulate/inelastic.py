"""How electrons lose energy in silicon, carbon and their compounds, once and often.

* `single_scattering`: what one electron that scatters once loses, per phase.
* `plural_scattering`: what it loses in a specimen of a known thickness.
* `edge_share`: how strongly a phase shows an edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PHASES", "edge_share", "plural_scattering", "single_scattering"]

#: Onset (eV), height (per eV and scattering event), decay exponent, onset width (eV)
#: and near-edge peaks (position eV, share of the height, width eV).
_Edge: TypeAlias = tuple[
    float, float, float, float, tuple[tuple[float, float, float], ...]
]

PHASES = ("C", "Si", "SiC", "SiO2")
#: Energy and width in eV of the plasmon, after Egerton, EELS in the Electron
#: Microscope, 3rd ed., Table 3.2 and App. C (amorphous carbon, silica: rounded).
_PLASMONS = {"C": (24.0, 14.0), "Si": (16.7, 4.0), "SiC": (22.0, 6.0),
             "SiO2": (22.8, 12.0)}  # fmt: skip
#: Share, energy (eV) of the maximum and decay exponent of what single electrons take
#: beyond the plasmon: a slow tail, because of which no background is a power law.
_TAILS = {"C": (0.17, 100.0, 1.9), "Si": (0.10, 90.0, 2.0), "SiC": (0.12, 95.0, 2.0),
          "SiO2": (0.17, 110.0, 1.9)}  # fmt: skip
#: Positions imitate published spectra (for silicon J. Appl. Phys. 58, 3463 (1985),
#: doi:10.1063/1.335766); heights are illustrative.
_EDGES: dict[str, dict[str, _Edge]] = {
    "Si_L": {
        "Si": (99.8, 0.8e-3, 1.6, 0.5, ((101.2, 0.5, 1.0), (122.0, 0.9, 10.0))),
        "SiC": (101.4, 0.75e-3, 1.6, 0.6, ((104.0, 0.5, 1.2), (120.0, 0.7, 10.0))),
        "SiO2": (105.0, 0.6e-3, 1.6, 0.6, ((108.2, 1.6, 0.9), (115.2, 1.4, 2.0))),
    },
    "C_K": {
        "C": (285.2, 2.4e-4, 3.0, 1.2, ((285.4, 0.5, 1.1), (293.0, 0.7, 4.0))),
        "SiC": (286.6, 1.4e-4, 3.0, 0.9, ((291.0, 1.0, 1.8), (299.0, 0.6, 3.0))),
    },
    "O_K": {
        "SiO2": (532.6, 1.2e-4, 3.0, 1.0, ((537.6, 1.2, 1.7), (560.0, 0.3, 8.0))),
    },
}  # fmt: skip
#: Collection semi-angle in mrad, and gamma m v^2 in eV of electrons of 200 keV.
_COLLECTION, _MOMENTUM = 10.0, 343.7e3
#: Length in eV of the periodic axis on which spectra are convolved.
_PERIOD = 1024.0


def single_scattering(phase: str, step: float) -> NDArray[np.float64]:
    """Return the distribution of one energy loss, valence and edges, summing to 1.

    The Drude shape of a plasmon (Egerton, Eq. 3.43) times the logarithm of what the
    collection angle lets through (Eq. 3.32), a tail of single-electron excitations, and
    the edges of the phase.

    Parameters
    ----------
    phase : {"C", "Si", "SiC", "SiO2"}
        Which phase.
    step : float
        Channel width in eV.

    Returns
    -------
    ndarray of shape (n_channels,)
        From 0 eV on, over 1024 eV.
    """
    loss = step * np.arange(round(_PERIOD / step))
    position, width = _PLASMONS[phase]
    drude = loss * width / ((loss**2 - position**2) ** 2 + (loss * width) ** 2)
    angle = 1e3 * np.maximum(loss, step) / _MOMENTUM
    values = drude * np.log1p((_COLLECTION / angle) ** 2)
    share, at, decay = _TAILS[phase]
    tail = loss**2 / (loss**2 + at**2) ** (1.0 + decay / 2.0)
    values = (1.0 - share) * values / values.sum() + share * tail / tail.sum()
    for edge in _EDGES.values():
        if phase in edge:
            values = values + step * _edge(edge[phase], loss)
    shape: NDArray[np.float64] = values / values.sum()
    return shape


def plural_scattering(
    single: NDArray[np.float64],
    thickness: NDArray[np.floating],
    step: float,
    resolution: float,
) -> NDArray[np.float64]:
    """Return the spectra of specimens in which electrons scatter several times.

    Parameters
    ----------
    single : ndarray of shape (n_pixels, n_channels)
        From `single_scattering`, or mixtures of them. Share per channel.
    thickness : ndarray of shape (n_pixels,)
        t/lambda, dimensionless.
    step : float
        Channel width in eV.
    resolution : float
        Standard deviation of the zero loss in eV.

    Returns
    -------
    ndarray of shape (n_pixels, n_channels)
        Summing to 1 per pixel; channel 0 is 0 eV, the last channels are below it.
    """
    n = single.shape[1]
    frequency = np.fft.rfftfreq(n, step)
    zero_loss = np.exp(-2.0 * (np.pi * frequency * resolution) ** 2)
    once = np.fft.rfft(single, axis=1)
    t = np.asarray(thickness, dtype=np.float64)[:, None]
    spectra = np.fft.irfft(zero_loss * np.exp(t * (once - once[:, :1])), n, axis=1)
    return np.clip(spectra, 0.0, None)


def edge_share(edge: str, phase: str) -> float:
    """Return the height of a phase's edge, 0 where it has none.

    Parameters
    ----------
    edge : str
        Name of the edge.
    phase : str
        Name of the phase.

    Returns
    -------
    float
        Relative to other edges and phases, dimensionless.
    """
    return _EDGES[edge][phase][1] if phase in _EDGES[edge] else 0.0


def _edge(edge: _Edge, energy: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the shape of an edge."""
    from scipy.special import ndtr

    onset, height, decay, width, peaks = edge
    shape = (np.maximum(energy, 1.0) / onset) ** -decay
    for position, strength, sigma in peaks:
        shape = shape + strength * np.exp(-0.5 * ((energy - position) / sigma) ** 2)
    out: NDArray[np.float64] = height * ndtr((energy - onset) / width) * shape
    return out
