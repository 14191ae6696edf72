"""Simulate what the microscope would have measured, with the answer known.

A seeded simulator of the experiment of arXiv:2603.07666: particles of a sodium
vanadium fluorophosphate at several states of charge, scanned at 13 energies across
the V L2,3 and O K edges, with the true phase of every pixel beside the counts.

* References: `references`, `SPARSE_ENERGIES`, `SODIUM_CONTENTS`.
* Particles with known truth: `particle`, `particles`, `Particle`.
* Stacks for other purposes: `stack_of_size`, `transmission_stack`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import density_noise
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.simulate.synthetic_spectra import (
    SODIUM_CONTENTS,
    SPARSE_ENERGIES,
    incident,
    references,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra

__all__ = [
    "SODIUM_CONTENTS",
    "SPARSE_ENERGIES",
    "Particle",
    "particle",
    "particles",
    "references",
    "stack_of_size",
    "transmission_stack",
]

#: Largest optical density of a particle at the V L3 peak, above the pre-edge.
PEAK_THICKNESS = 1.1
#: A pixel belongs to the particle where it is thicker than this share of the maximum.
THINNEST = 0.15
#: Optical density of the support film, in front of particle and I0 alike.
FILM = 0.08
#: Pixels over which the incident intensity is averaged.
N_I0_PIXELS = 400
#: Row and column step in nm of the paper's sparse scans.
PIXEL_SIZE = (31.0, 31.0)


@dataclass(frozen=True, eq=False)
class Particle:
    """A simulated particle and the truth about it.

    Parameters
    ----------
    counts : SpectralStack
        Transmitted photons with Poisson noise; nothing is masked.
    i0 : ndarray of shape (n_energies,)
        Incident photons per pixel, measured beside the particle with Poisson noise.
    optical_density : SpectralStack
        -ln(counts / i0), masked to the particle; NaN where no photon arrived.
    references : ReferenceSpectra
        On the energies of the stack, without the energy drift.
    labels : ndarray of uint8 of shape (n_rows, n_cols)
        True phase, counted from 1; 0 outside the particle. Where phases are mixed,
        the one with the largest fraction.
    fractions : ndarray of float32 of shape (n_rows, n_cols, n_phases)
        True share of each phase; 0 outside the particle.
    thickness : ndarray of float32 of shape (n_rows, n_cols)
        Optical density that a reference value of 1 has here; 0 outside.
    """

    counts: SpectralStack
    i0: NDArray[np.float64]
    optical_density: SpectralStack
    references: ReferenceSpectra
    labels: NDArray[np.uint8]
    fractions: NDArray[np.float32]
    thickness: NDArray[np.float32]

    @property
    def true_labels(self) -> NDArray[np.uint8]:
        """True phase of the analyzed pixels, in pixel order."""
        return self.labels[self.optical_density.mask]


def particle(
    shape: tuple[int, int] = (96, 120),
    *,
    seed: int = 0,
    charge: float = 0.5,
    dose: float = 5000.0,
    mixing: float = 1.2,
    energy_drift: float = 0.0,
    n_domains: int = 30,
    energy: ArrayLike = SPARSE_ENERGIES,
    name: str = "P1",
) -> Particle:
    """Simulate the scan of one particle.

    Parameters
    ----------
    shape : tuple of int, default=(96, 120)
        Rows and columns of the image; the particle fills about 60 % of it.
    seed : int, default=0
        The same seed gives the same particle and the same noise.
    charge : float, default=0.5
        State of charge, 0 (pristine) to 1: which phases its domains have.
    dose : float, default=5000.0
        Incident photons per pixel and energy.
    mixing : float, default=1.2
        Width of the domain boundaries, where pixels hold several phases (standard
        deviation of the blur, in pixels); 0 for sharp boundaries.
    energy_drift : float, default=0.0
        Shift in eV of the particle's spectra against the references.
    n_domains : int, default=30
        Number of domains in the image.
    energy : array_like of shape (n_energies,), default=SPARSE_ENERGIES
        In eV, strictly increasing.
    name : str, default="P1"
        Name of the stacks.

    Returns
    -------
    Particle
        Counts, incident intensity, optical density and the truth.

    Raises
    ------
    ValueError
        If the image is smaller than 8 x 8 or a parameter is out of range.

    Examples
    --------
    >>> simulated = particle((40, 60), seed=1)
    >>> simulated.counts.data.shape, simulated.fractions.shape
    ((13, 40, 60), (40, 60, 5))
    """
    if min(shape) < 8:
        raise InputError(f"a particle needs an image of 8 x 8 pixels; got {shape=}")
    if not (dose > 0 and mixing >= 0 and 0 <= charge <= 1 and n_domains >= 1):
        raise InputError(
            "needed: dose > 0, mixing >= 0, 0 <= charge <= 1, n_domains >= 1; got "
            f"{dose=}, {mixing=}, {charge=}, {n_domains=}"
        )
    rng = np.random.default_rng(seed)
    axis = np.asarray(energy, dtype=np.float64)
    thickness = _thickness(shape, rng)
    fractions = _fractions(shape, charge, n_domains, mixing, rng)
    inside = thickness > 0
    fractions[~inside] = 0.0
    labels = np.where(inside, fractions.argmax(axis=2) + 1, 0).astype(np.uint8)
    absorption = references(axis, energy_drift=energy_drift).spectra
    photons = dose * incident(axis)
    expected = np.einsum("rck,ke->erc", fractions, absorption) * thickness
    transmitted = photons[:, None, None] * np.exp(-FILM - expected)
    counts = rng.poisson(transmitted).astype(np.float32)
    i0 = rng.poisson(photons * np.exp(-FILM) * N_I0_PIXELS) / N_I0_PIXELS
    with np.errstate(divide="ignore"):
        density = -np.log(counts / i0[:, None, None].astype(np.float32))
    dark = ~np.isfinite(density).all(axis=0)
    density[:, dark] = np.nan
    step = f"simulated with {seed=}, {dose=:g}, {mixing=:g}, {energy_drift=:g} eV"
    measured = SpectralStack(
        counts, axis, pixel_size=PIXEL_SIZE, name=name, history=(step,)
    )
    return Particle(
        counts=measured,
        i0=i0,
        optical_density=measured.with_step(
            f"optical density with the true I0; {int((dark & inside).sum())} dark",
            data=density,
            mask=inside & ~dark,
            quantity="optical_density",
            noise=density_noise(i0, i0_variance=i0 / N_I0_PIXELS),
        ),
        references=references(axis),
        labels=labels,
        fractions=fractions,
        thickness=thickness,
    )


def particles(
    n_particles: int = 10,
    shape: tuple[int, int] = (96, 120),
    *,
    seed: int = 0,
    dose: float = 5000.0,
    mixing: float = 1.2,
    energy_drift: float = 0.0,
    n_domains: int = 30,
    energy: ArrayLike = SPARSE_ENERGIES,
) -> list[Particle]:
    """Simulate particles P1, P2, ... from pristine to fully charged.

    Parameters
    ----------
    n_particles : int, default=10
        How many; their states of charge are spread evenly from 0 to 1.
    shape, seed, dose, mixing, energy_drift, n_domains, energy
        As for `particle`; every particle has a seed of its own made from `seed`.

    Returns
    -------
    list of Particle
        One per particle, pristine first.
    """
    charges = np.linspace(0.0, 1.0, n_particles) if n_particles > 1 else [0.5]
    seeds = np.random.SeedSequence(seed).generate_state(max(n_particles, 1))
    return [
        particle(
            shape,
            seed=int(own_seed),
            charge=float(charge),
            dose=dose,
            mixing=mixing,
            energy_drift=energy_drift,
            n_domains=n_domains,
            energy=energy,
            name=f"P{number}",
        )
        for number, (charge, own_seed) in enumerate(
            zip(charges, seeds, strict=False), start=1
        )
    ]


def transmission_stack(
    seed: int = 0, *, shape: tuple[int, int] = (24, 32)
) -> tuple[SpectralStack, NDArray[np.float64]]:
    """Return a small stack of counts and its incident intensity.

    Parameters
    ----------
    seed : int, default=0
        Of the noise.
    shape : tuple of int, default=(24, 32)
        Rows and columns.

    Returns
    -------
    stack : SpectralStack
        In counts.
    i0 : ndarray of shape (n_energies,)
        In counts.

    Examples
    --------
    >>> stack, i0 = transmission_stack(seed=0)
    >>> stack.quantity, stack.data.shape, i0.shape
    ('counts', (13, 24, 32), (13,))
    """
    simulated = particle(shape, seed=seed, n_domains=6)
    return simulated.counts, simulated.i0


def stack_of_size(
    n_energies: int,
    n_rows: int,
    n_cols: int,
    *,
    seed: int = 0,
    noise: float = 0.02,
    quantity: Literal["counts", "optical_density"] = "optical_density",
) -> SpectralStack:
    """Return a stack of any size, quickly: for benchmarks, not for science.

    Spectra of the five phases in squares of 16 pixels, thickness in slow waves and
    Gaussian noise, made energy by energy in float32.

    Parameters
    ----------
    n_energies, n_rows, n_cols : int
        Size. 13 energies are `SPARSE_ENERGIES`; others are spread over 505 to 545 eV.
    seed : int, default=0
        Seed of phases and noise.
    noise : float, default=0.02
        Standard deviation of the optical density.
    quantity : {"optical_density", "counts"}, default="optical_density"
        Counts have 10000 incident photons at every energy.

    Returns
    -------
    SpectralStack
        Nothing is masked.
    """
    sparse = n_energies == len(SPARSE_ENERGIES)
    energy = np.array(SPARSE_ENERGIES) if sparse else np.linspace(505, 545, n_energies)
    absorption = references(energy).spectra.T if n_energies > 1 else np.ones((1, 5))
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, len(SODIUM_CONTENTS), (n_rows // 16 + 1, n_cols // 16 + 1))
    phase = blocks.repeat(16, axis=0).repeat(16, axis=1)[:n_rows, :n_cols]
    waves = np.sin(np.arange(n_rows) / 97.0)[:, None] * np.cos(np.arange(n_cols) / 61.0)
    thickness = (0.6 + 0.3 * waves).astype(np.float32)
    data = np.empty((n_energies, n_rows, n_cols), dtype=np.float32)
    for frame, values in zip(data, absorption, strict=True):
        rng.standard_normal(out=frame, dtype=np.float32)
        frame *= np.float32(noise)
        frame += thickness * values.astype(np.float32)[phase]
        if quantity == "counts":
            np.exp(-frame, out=frame)
            frame *= np.float32(1e4)
    return SpectralStack(data, energy, quantity=quantity, pixel_size=PIXEL_SIZE)


def _smooth_noise(
    shape: tuple[int, int], scale: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return noise of zero mean and unit variance, smooth over `scale` pixels."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.standard_normal(shape), scale, mode="reflect")
    return np.asarray((noise - noise.mean()) / noise.std())


def _thickness(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a rounded, uneven particle in the middle of the image."""
    rows, cols = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    rough = _smooth_noise(shape, min(shape) / 8, rng)
    outline = 1.0 - (rows / 0.88) ** 2 - (cols / 0.88) ** 2 + 0.12 * rough
    profile = np.sqrt(np.clip(outline, 0.0, 1.0))
    uneven = 1.0 + 0.15 * _smooth_noise(shape, min(shape) / 16, rng)
    relative = np.clip(profile * uneven, 0.0, 1.3)
    relative[relative < THINNEST] = 0.0
    return (PEAK_THICKNESS * relative).astype(np.float32)


def _fractions(
    shape: tuple[int, int],
    charge: float,
    n_domains: int,
    mixing: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the share of each phase: warped, blurred Voronoi domains."""
    from scipy.ndimage import gaussian_filter
    from scipy.spatial import cKDTree

    n_phases = len(SODIUM_CONTENTS)
    seeds = rng.uniform((0, 0), shape, (n_domains, 2))
    distance = np.arange(n_phases) - charge * (n_phases - 1)
    weights = np.exp(-0.5 * (distance / 1.1) ** 2)
    phases = rng.choice(n_phases, n_domains, p=weights / weights.sum())
    grid = np.indices(shape).astype(np.float64)
    grid += [1.5 * _smooth_noise(shape, 4.0, rng) for _ in range(2)]
    nearest = cKDTree(seeds).query(grid.reshape(2, -1).T)[1]
    pure = np.eye(n_phases)[phases[nearest]].reshape(*shape, n_phases)
    mixed = gaussian_filter(pure, (mixing, mixing, 0.0)) if mixing > 0 else pure
    return np.asarray(mixed / mixed.sum(axis=2, keepdims=True), dtype=np.float32)
