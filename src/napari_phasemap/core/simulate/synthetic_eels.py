"""A simulated silicon-carbon anode whose truth is known, as electrons would see it.

Grains of Si, SiC and SiO2 lie in amorphous carbon of uneven thickness; they overlap in
projection, the probe blurs them, electrons scatter more than once, and every channel
holds Poisson noise. Three edges (Si-L, C-K, O-K) lie on one energy axis.

* `simulate_si_c`: core loss, low loss and truth of one field of view.
* `si_c_references`: spectra of the pure phases around one edge, without background.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EDGE_WINDOWS", "PHASES", "SiCSample", "si_c_references", "simulate_si_c"]

#: Onset, height, decay, width and peaks of an edge.
_Edge: TypeAlias = tuple[
    float, float, float, float, tuple[tuple[float, float, float], ...]
]

#: Phases of the sample, in the order of `SiCSample.fractions`.
PHASES = ("C", "Si", "SiC", "SiO2")
#: Fit window and signal window in eV of the three edges of the sample.
EDGE_WINDOWS = {
    "Si_L": ((72.0, 97.0), (98.0, 130.0)),
    "C_K": ((230.0, 279.0), (280.0, 330.0)),
    "O_K": ((475.0, 526.0), (528.0, 575.0)),
}
#: Onset (eV), edge height, decay exponent, onset width (eV) and near-edge peaks
#: (position eV, height, width eV) of each phase at each edge. Onsets and peaks
#: imitate the spectra shown in J. Appl. Phys. 58, 3463 (1985), doi:10.1063/1.335766,
#: and the usual pi*/sigma* features of carbon and oxygen; heights are illustrative.
_EDGES: dict[str, dict[str, _Edge]] = {
    "Si_L": {
        "Si": (
            99.8,
            0.22,
            2.0,
            0.5,
            ((101.0, 0.12, 0.8), (104.5, 0.048, 1.5), (122.0, 0.18, 11.0)),
        ),
        "SiC": (
            101.5,
            0.208,
            2.0,
            0.6,
            ((103.5, 0.1, 0.9), (107.5, 0.08, 1.6), (121.0, 0.14, 11.0)),
        ),
        "SiO2": (
            105.3,
            0.112,
            2.0,
            0.6,
            ((108.3, 0.2, 0.8), (115.0, 0.16, 1.8), (130.0, 0.08, 12.0)),
        ),
    },
    "C_K": {
        "C": (
            285.5,
            0.0288,
            3.0,
            1.0,
            ((285.3, 0.016, 1.0), (292.5, 0.02, 3.0), (300.0, 0.008, 7.0)),
        ),
        "SiC": (286.8, 0.0152, 3.0, 0.8, ((290.5, 0.016, 1.6), (298.0, 0.0096, 3.0))),
    },
    "O_K": {
        "SiO2": (533.0, 0.0044, 3.0, 0.9, ((537.5, 0.0052, 1.5), (560.0, 0.0014, 8.0))),
    },
}
#: Plasmon energy and full width in eV: one mean plasmon for all phases.
_PLASMON = (22.0, 7.0)
#: Orders of plural scattering that are kept: the rest is < 1e-4 at t/lambda = 1.5.
_ORDERS = 8
_CORE_AXIS = (70.0, 0.5, 1024)
_LOW_AXIS = (-15.0, 0.25, 512)
#: Energy and thickness at which `dose` is the background in counts per channel.
_DOSE_ENERGY, _DOSE_THICKNESS = 80.0, 0.6
#: Reference thickness of one mean free path, in pixels of 2 nm: lambda = 100 nm.
_PIXELS_PER_LAMBDA = 50.0


@dataclass(frozen=True, eq=False)
class SiCSample:
    """A simulated silicon-carbon composite and its truth.

    Parameters
    ----------
    core_loss : SpectralStack
        Counts, 70-581.5 eV, with the edges Si-L, C-K and O-K.
    low_loss : SpectralStack
        Counts, -15 to 112.75 eV, same pixels; its zero loss wanders by some tenths
        of an eV.
    fractions : ndarray of float32 of shape (n_phases, n_rows, n_cols)
        Share of each of `PHASES` in the thickness of a pixel, after the probe's blur.
    thickness : ndarray of float32 of shape (n_rows, n_cols)
        True t/lambda, dimensionless.
    silicon_phase : ndarray of uint8 of shape (n_rows, n_cols)
        Which silicon phase gives most of the Si-L signal: 1 Si, 2 SiC, 3 SiO2; 0 where
        silicon is less than a tenth of the thickness.
    """

    core_loss: SpectralStack
    low_loss: SpectralStack
    fractions: NDArray[np.float32]
    thickness: NDArray[np.float32]
    silicon_phase: NDArray[np.uint8]


def simulate_si_c(
    *,
    shape: tuple[int, int] = (64, 64),
    dose: float = 1000.0,
    grains: float = 1.0,
    blur: float = 0.8,
    zero_loss_drift: float = 0.3,
    seed: int = 0,
) -> SiCSample:
    """Simulate a spectrum image of Si, SiC and SiO2 grains in amorphous carbon.

    Parameters
    ----------
    shape : tuple of int, default=(64, 64)
        Rows and columns.
    dose : float, default=1000.0
        Background in counts per channel at 80 eV where t/lambda is 0.6.
    grains : float, default=1.0
        Number of grains relative to the usual one per 90 pixels.
    blur : float, default=0.8
        Standard deviation of the probe in pixels.
    zero_loss_drift : float, default=0.3
        Standard deviation of the low loss's zero in eV from row to row.
    seed : int, default=0
        Seed of the grains and of the noise.

    Returns
    -------
    SiCSample
        Core loss, low loss and truth.

    Raises
    ------
    ValueError
        If `shape` or `dose` is not positive.

    Examples
    --------
    >>> sample = simulate_si_c(shape=(8, 8), seed=1)
    >>> sample.core_loss.data.shape, sample.fractions.sum(axis=0).round(3).max()
    ((1024, 8, 8), np.float32(1.0))
    """
    if min(shape) < 1 or dose <= 0:
        raise InputError(f"{shape=} and {dose=} must be positive")
    rng = np.random.default_rng(seed)
    thickness = _thickness(shape, rng)
    fractions = _fractions(shape, thickness, grains, blur, rng)
    common = {"pixel_size": (2.0, 2.0), "metadata": {"simulated": True, "seed": seed}}
    core = SpectralStack(
        _core_loss(fractions, thickness, dose, rng),
        axis_energy(_CORE_AXIS),
        name="Si-C core loss",
        history=("simulated",),
        **common,  # type: ignore[arg-type]
    )
    low = SpectralStack(
        _low_loss(thickness, 100.0 * dose, zero_loss_drift, rng),
        axis_energy(_LOW_AXIS),
        name="Si-C low loss",
        history=("simulated",),
        **common,  # type: ignore[arg-type]
    )
    silicon = np.stack([_silicon(name) * fractions[PHASES.index(name)]
                        for name in PHASES[1:]])  # fmt: skip
    phase = np.where(
        fractions[1:].sum(axis=0) >= 0.1, silicon.argmax(axis=0) + 1, 0
    ).astype(np.uint8)
    return SiCSample(core, low, fractions, thickness, phase)


def si_c_references(
    edge: str, /, *, shift: float = 0.0, plural: float = 0.0
) -> ReferenceSpectra:
    """Return the pure phases' spectra around one edge of the sample.

    Parameters
    ----------
    edge : {"Si_L", "C_K", "O_K"}
        Which edge.
    shift : float, default=0.0
        Error of the energy calibration in eV.
    plural : float, default=0.0
        Thickness t/lambda of the reference specimens: 0 is single scattering.

    Returns
    -------
    ReferenceSpectra
        On the core-loss axis, 15 eV wider than the edge's windows on either side
        where the axis allows.
    """
    energy = axis_energy(_CORE_AXIS)
    orders = _scattering(_CORE_AXIS[1], len(energy))
    names = tuple(_EDGES[edge])
    rows = [
        sum(
            _poisson(plural, n) * _convolve(_edge(edge, name, energy), orders[n])
            for n in range(_ORDERS)
        )
        for name in names
    ]
    low, high = EDGE_WINDOWS[edge][0][0] - 15.0, EDGE_WINDOWS[edge][1][1] + 15.0
    used = (energy >= low) & (energy <= high)
    return ReferenceSpectra(names, energy[used] + shift, np.array(rows)[:, used])


def axis_energy(axis: tuple[float, float, int]) -> NDArray[np.float64]:
    """Return start + step * arange(n)."""
    start, step, n_energies = axis
    return np.linspace(start, start + step * (n_energies - 1), n_energies)


def _thickness(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a wedge with slow bumps, t/lambda 0.35 to 0.9."""
    bumps = _smooth(rng.normal(size=shape), 12.0)
    wedge = np.linspace(-1.0, 1.0, shape[0])[:, None] + np.zeros(shape)
    relief = 0.5 * wedge + bumps / max(float(bumps.std()), 1e-6) * 0.4
    return np.asarray(np.clip(0.6 + 0.15 * relief, 0.35, 0.9), dtype=np.float32)


def _fractions(
    shape: tuple[int, int],
    thickness: NDArray[np.float32],
    grains: float,
    blur: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the projected share of every phase: spheres in a carbon slab."""
    rows, cols = np.indices(shape)
    depth = thickness * _PIXELS_PER_LAMBDA
    amounts = np.zeros((len(PHASES), *shape))
    n_grains = max(3, round(grains * shape[0] * shape[1] / 90.0))
    kinds = rng.permutation(np.arange(n_grains) % 3) + 1
    for kind in kinds:
        center = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        radius = rng.uniform(3.0, 8.0)
        square = radius**2 - (rows - center[0]) ** 2 - (cols - center[1]) ** 2
        # Grains are flattened: 2.5 times their chord, so that one may fill the slab.
        amounts[kind] += 2.5 * 2.0 * np.sqrt(np.clip(square, 0.0, None))
    solid = amounts.sum(axis=0)
    amounts *= depth * 0.95 / np.maximum(solid, depth * 0.95)
    amounts[0] = depth - amounts[1:].sum(axis=0)
    blurred = np.stack([_smooth(image, blur) for image in amounts])
    return np.asarray(blurred / blurred.sum(axis=0), dtype=np.float32)


def _core_loss(
    fractions: NDArray[np.float32],
    thickness: NDArray[np.float32],
    dose: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return noisy counts of shape (n_energies, n_rows, n_cols)."""
    energy = axis_energy(_CORE_AXIS)
    orders = _scattering(_CORE_AXIS[1], len(energy))
    flat = thickness.ravel()
    relative = flat / np.float32(_DOSE_THICKNESS)
    basis, weights = [], []
    for index, name in enumerate(PHASES):
        single = np.sum([_edge(edge, name, energy) for edge in _EDGES], axis=0)
        for n in range(_ORDERS):
            basis.append(_convolve(single, orders[n]))
            weights.append(fractions[index].ravel() * relative * _poisson(flat, n))
    exponent = 2.9 + 0.5 * (flat - 0.6) + 0.25 * fractions[1:].sum(axis=0).ravel()
    mean = np.array(basis, dtype=np.float32).T @ np.array(weights, dtype=np.float32)
    log_energy = np.log(energy / _DOSE_ENERGY).astype(np.float32)
    for row, x in zip(mean, log_energy, strict=True):
        row += relative * np.exp(-x * exponent.astype(np.float32))
        row[:] = rng.poisson(dose * row)
    return mean.reshape(-1, *thickness.shape)


def _low_loss(
    thickness: NDArray[np.float32],
    dose: float,
    drift: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return noisy counts of shape (n_energies, n_rows, n_cols)."""
    energy = axis_energy(_LOW_AXIS)
    step = _LOW_AXIS[1]
    orders = _scattering(step, len(energy))
    out = np.empty((len(energy), *thickness.shape), dtype=np.float32)
    for row, t in enumerate(thickness):
        center = drift * rng.normal()
        peak = np.exp(-0.5 * ((energy - center) / 0.45) ** 2)
        peak /= peak.sum()
        series = np.array([_convolve(peak, kernel) for kernel in orders])
        mean = series.T @ np.array([_poisson(t, n) for n in range(_ORDERS)])
        out[:, row] = rng.poisson(dose * mean)
    return out


def _edge(edge: str, phase: str, energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one phase's single-scattering edge; zeros where it has none."""
    from scipy.special import ndtr

    if phase not in _EDGES[edge]:
        return np.zeros_like(energy)
    onset, height, decay, width, peaks = _EDGES[edge][phase]
    rise = ndtr((energy - onset) / width)
    values = height * (energy / onset) ** -decay
    for position, strength, sigma in peaks:
        values = values + strength * np.exp(-0.5 * ((energy - position) / sigma) ** 2)
    shape: NDArray[np.float64] = rise * values
    return shape


def _scattering(step: float, n_energies: int) -> NDArray[np.float64]:
    """Return the loss distribution of 0, 1, 2 ... plasmons on a grid from 0 eV."""
    loss = step * np.arange(n_energies)
    position, width = _PLASMON
    # Drude: E dE Ep^2 / ((E^2 - Ep^2)^2 + (E dE)^2), Egerton, EELS in the Electron
    # Microscope, 3rd ed., Eq. 3.43.
    single = loss * width / ((loss**2 - position**2) ** 2 + (loss * width) ** 2)
    single /= single.sum()
    orders = [np.eye(1, n_energies)[0]]
    for _ in range(1, _ORDERS):
        orders.append(_convolve(orders[-1], single))
    return np.array(orders)


def _convolve(
    values: NDArray[np.float64], kernel: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the causal convolution on the same grid."""
    from scipy.signal import fftconvolve

    out: NDArray[np.float64] = fftconvolve(values, kernel)[: len(values)]
    return np.clip(out, 0.0, None)


def _poisson(thickness: NDArray[np.float32] | float, order: int) -> NDArray[np.float64]:
    """Return the probability of `order` plasmons at t/lambda."""
    t = np.asarray(thickness, dtype=np.float64)
    return np.exp(-t) * t**order / factorial(order)


def _silicon(phase: str) -> float:
    """Return the height of a phase's Si-L edge."""
    return _EDGES["Si_L"][phase][1]


def _smooth(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    out: NDArray[np.float64] = gaussian_filter(image, sigma, mode="nearest")
    return out
