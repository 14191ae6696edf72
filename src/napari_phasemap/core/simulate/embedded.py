"""Particles embedded in a matrix whose truth is known: an edge that is hard to see.

What `synthetic_eels` is too kind for: the background in front of an edge is no power
law, because it is the plural-scattering tail of the plasmons; most of every pixel is
matrix; crystals diffract; there is vacuum. Every electron count follows from one
single-scattering distribution per phase, so an edge, its plural scattering, the
background and the low loss belong together.

* `simulate_embedded`: core loss, low loss and truth of one field of view.
* `EmbeddedSample`: the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.simulate.inelastic import (
    PHASES,
    edge_share,
    plural_scattering,
    single_scattering,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["EMBEDDED_WINDOWS", "EmbeddedSample", "Matrix", "simulate_embedded"]

Matrix: TypeAlias = Literal["C", "SiO2"]

#: Fit window and signal window in eV: the one of Si-L lies on the plasmons' tail.
EMBEDDED_WINDOWS = {
    "Si_L": ((80.0, 97.0), (99.0, 130.0)),
    "C_K": ((237.0, 279.0), (283.0, 320.0)),
    "O_K": ((475.0, 526.0), (530.0, 575.0)),
}
#: Share of a pixel's thickness from which on an element counts as there.
LEAST_SHARE = 0.1
#: Below this t/lambda a pixel is vacuum.
VACUUM = 0.03
#: Energies in eV of the two stacks: first, channel width, number of channels.
_CORE_AXIS = (76.0, 0.5, 1024)
_LOW_AXIS = (-15.0, 0.5, 160)
#: Energy in eV and t/lambda of pure matrix at which `dose` is the counts per channel.
_DOSE_ENERGY, _DOSE_THICKNESS = 80.0, 0.6
#: Thickness of one mean free path in pixels: 100 nm in pixels of 2 nm.
_PIXELS_PER_LAMBDA = 50.0
#: Standard deviation of the zero loss in eV.
_RESOLUTION = 0.6
#: Exposure of the low loss relative to the core loss.
_LOW_EXPOSURE = 0.01
#: Counts per channel that arrive without specimen, as a share of `dose`.
_STRAY = 1e-3


@dataclass(frozen=True, eq=False)
class EmbeddedSample:
    """A simulated field of view and its truth. Images are (n_rows, n_cols).

    Parameters
    ----------
    core_loss, low_loss : SpectralStack
        Counts of the same pixels, from 76 and from -15 eV on.
    fractions : ndarray of float32 of shape (n_phases, n_rows, n_cols)
        Share of C, Si, SiC and SiO2 in the thickness, after the probe's blur; 0 in
        vacuum.
    thickness : ndarray of float32 of shape (n_rows, n_cols)
        True t/lambda, dimensionless; 0 in vacuum.
    present : mapping of str to bool ndarray of shape (n_rows, n_cols)
        Per edge, where the phases that have it are a tenth of the thickness or more.
    classes : mapping of str to ndarray of uint8 of shape (n_rows, n_cols)
        Per edge, which of C 1, Si 2, SiC 3, SiO2 4 gives most of its signal; 0 where
        the edge is not present.
    bonds : mapping of str to bool ndarray of shape (n_rows, n_cols)
        Where silicon is mostly bound to carbon ("Si-C"), to oxygen ("Si-O"), or to
        itself ("Si").
    """

    core_loss: SpectralStack
    low_loss: SpectralStack
    fractions: NDArray[np.float32]
    thickness: NDArray[np.float32]
    present: Mapping[str, NDArray[np.bool_]]
    classes: Mapping[str, NDArray[np.uint8]]
    bonds: Mapping[str, NDArray[np.bool_]]


def simulate_embedded(
    *,
    shape: tuple[int, int] = (64, 64),
    dose: float = 1000.0,
    thickest: float = 1.5,
    particles: float = 1.0,
    radius: tuple[float, float] = (3.0, 8.0),
    vacuum: float = 0.0,
    contrast: float = 0.15,
    blur: float = 0.8,
    matrix: Matrix = "C",
    seed: int = 0,
) -> EmbeddedSample:
    """Simulate particles of Si, SiC and SiO2 inside a slab of carbon or silica.

    Parameters
    ----------
    shape : tuple of int, default=(64, 64)
        Rows and columns.
    dose : float, default=1000.0
        Counts per channel at 80 eV of the matrix where its t/lambda is 0.6.
    thickest : float, default=1.5
        Largest t/lambda; the slab is a wedge with bumps down to a fifth of it.
    particles : float, default=1.0
        Number of particles relative to one per 160 pixels.
    radius : tuple of float, default=(3.0, 8.0)
        Smallest and largest radius of the particles in pixels.
    vacuum : float, default=0.0
        Share of the columns, at the right side, that is beside the specimen.
    contrast : float, default=0.15
        Standard deviation of the logarithm of a particle's brightness: electrons that
        a crystal diffracts past the spectrometer.
    blur : float, default=0.8
        Standard deviation of the probe in pixels.
    matrix : {"C", "SiO2"}, default="C"
        What the particles lie in.
    seed : int, default=0
        Seed of the specimen; the noise has a seed made from it and from `dose`.

    Returns
    -------
    EmbeddedSample
        Core loss, low loss and truth.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    Scattering is independent from electron to electron: with the single-scattering
    distribution s of a pixel, its spectrum is the inverse Fourier transform of
    ``z * exp(t/lambda * (s - 1))``, where z is the zero loss [1]_.

    References
    ----------
    .. [1] R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope,
       3rd ed., Springer 2011, Eq. 4.8, doi:10.1007/978-1-4419-9583-4.

    Examples
    --------
    >>> sample = simulate_embedded(shape=(8, 8), seed=1)
    >>> sample.core_loss.data.shape, sorted(sample.present)
    ((1024, 8, 8), ['C_K', 'O_K', 'Si_L'])
    """
    _check(shape, dose, thickest, particles, radius, vacuum, contrast, blur, matrix)
    rng = np.random.default_rng(seed)
    thickness = _slab(shape, thickest, vacuum, rng)
    amounts, brightness = _particles(
        thickness, particles, radius, contrast, matrix, rng
    )
    amounts = np.stack([_smooth(image, blur) for image in amounts])
    thickness = amounts.sum(axis=0)
    inside = thickness >= VACUUM
    fractions = np.where(inside, amounts / np.where(inside, thickness, 1.0), 0.0)
    noise = np.random.default_rng([seed, round(1000 * dose)])
    core, low = _counts(fractions, thickness, brightness, dose, matrix, noise)
    meta = {"simulated": True, "seed": seed}
    stacks = [
        SpectralStack(
            data,
            _energy(axis),
            name=f"embedded {name} loss",
            pixel_size=(2.0, 2.0),
            history=("simulated",),
            metadata=meta,
        )
        for name, data, axis in (("core", core, _CORE_AXIS), ("low", low, _LOW_AXIS))
    ]
    present, classes = _truth(fractions)
    silicon = classes["Si_L"]
    bonds = {n: silicon == k for n, k in (("Si", 2), ("Si-C", 3), ("Si-O", 4))}
    return EmbeddedSample(
        stacks[0],
        stacks[1],
        fractions.astype(np.float32),
        thickness.astype(np.float32),
        present,
        classes,
        bonds,
    )


def _check(
    shape: tuple[int, int],
    dose: float,
    thickest: float,
    particles: float,
    radius: tuple[float, float],
    vacuum: float,
    contrast: float,
    blur: float,
    matrix: str,
) -> None:
    """Raise InputError unless every parameter is in its range."""
    if min(shape) < 1 or not dose > 0:
        raise InputError(f"{shape=} and {dose=} must be positive")
    if not (0 < thickest <= 3 and 0 <= vacuum < 1 and 0 < radius[0] <= radius[1]):
        raise InputError(
            "needed: 0 < thickest <= 3, 0 <= vacuum < 1, radius from small to large; "
            f"got {thickest=}, {vacuum=}, {radius=}"
        )
    if min(particles, contrast, blur) < 0:
        raise InputError(f"{particles=}, {contrast=} and {blur=} are 0 or more")
    if matrix not in get_args(Matrix):
        raise InputError(f"{matrix=} is not one of {get_args(Matrix)}")


def _slab(
    shape: tuple[int, int], thickest: float, vacuum: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return t/lambda of a wedge with slow bumps, 0 in vacuum."""
    bumps = _smooth(rng.normal(size=shape), min(shape) / 6.0)
    bumps = bumps / max(float(bumps.std()), 1e-9)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    rows, cols = np.meshgrid(*(np.linspace(-1.0, 1.0, n) for n in shape), indexing="ij")
    wedge = np.cos(angle) * rows + np.sin(angle) * cols
    thickness = thickest * np.clip(0.6 + 0.25 * wedge + 0.1 * bumps, 0.2, 1.0)
    rough = _smooth(rng.normal(size=shape), 5.0)
    edge = 1.0 - 2.0 * vacuum + 0.1 * rough / max(float(rough.std()), 1e-9)
    return np.where((cols > edge) & (vacuum > 0), 0.0, thickness)


def _particles(
    thickness: NDArray[np.float64],
    particles: float,
    radius: tuple[float, float],
    contrast: float,
    matrix: str,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the amount of every phase in mean free paths, and the brightness."""
    shape = thickness.shape
    rows, cols = np.indices(shape)
    chords = np.zeros((len(PHASES), *shape))
    dimming = np.zeros(shape)
    kinds = [k for k, name in enumerate(PHASES) if name not in ("C", matrix)]
    number = max(len(kinds), round(particles * thickness.size / 160.0))
    for kind in rng.permutation(np.resize(kinds, number if particles else 0)):
        center = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        # Larger along the beam than across, up to a length that fills the slab.
        size, length = rng.uniform(*radius), rng.uniform(1.0, 3.0)
        square = size**2 - (rows - center[0]) ** 2 - (cols - center[1]) ** 2
        chord = length * 2.0 * np.sqrt(np.clip(square, 0.0, None)) / _PIXELS_PER_LAMBDA
        chords[kind] += chord
        dimming += contrast * rng.normal() * chord
    solid = chords.sum(axis=0)
    room = np.minimum(1.0, 0.95 * thickness / np.maximum(solid, 1e-9))
    chords *= room
    chords[PHASES.index(matrix)] += thickness - chords.sum(axis=0)
    return chords, np.exp(dimming / np.maximum(solid, 1e-9) * (solid > 0))


def _counts(
    fractions: NDArray[np.float64],
    thickness: NDArray[np.float64],
    brightness: NDArray[np.float64],
    dose: float,
    matrix: str,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return noisy counts of core and low loss, (n_energies, n_rows, n_cols)."""
    step = _CORE_AXIS[1]
    singles = np.array([single_scattering(name, step) for name in PHASES])
    known = singles[PHASES.index(matrix)][None]
    at = round(_DOSE_ENERGY / step)
    electrons = (
        dose
        / plural_scattering(known, np.array([_DOSE_THICKNESS]), step, _RESOLUTION)[
            0, at
        ]
    )
    core = np.empty((_CORE_AXIS[2], *thickness.shape), dtype=np.float32)
    low = np.empty((_LOW_AXIS[2], *thickness.shape), dtype=np.float32)
    first, before = round(_CORE_AXIS[0] / step), round(-_LOW_AXIS[0] / step)
    for row, shares in enumerate(np.moveaxis(fractions, 1, 0)):
        mean = plural_scattering(shares.T @ singles, thickness[row], step, _RESOLUTION)
        mean *= electrons * brightness[row][:, None]
        part = mean[:, first : first + len(core)].T + _STRAY * dose
        core[:, row] = rng.poisson(part)
        part = np.roll(mean, before, axis=1)[:, : len(low)].T
        low[:, row] = rng.poisson(_LOW_EXPOSURE * part)
    return core, low


def _truth(
    fractions: NDArray[np.float64],
) -> tuple[dict[str, NDArray[np.bool_]], dict[str, NDArray[np.uint8]]]:
    """Return per edge where it is, and which phase gives most of it."""
    present, classes = {}, {}
    for edge in EMBEDDED_WINDOWS:
        share = np.array([edge_share(edge, name) for name in PHASES])
        holds = fractions[share > 0].sum(axis=0) >= LEAST_SHARE
        strongest = (share[:, None, None] * fractions).argmax(axis=0) + 1
        present[edge] = holds
        classes[edge] = np.where(holds, strongest, 0).astype(np.uint8)
    return present, classes


def _energy(axis: tuple[float, float, int]) -> NDArray[np.float64]:
    """Return the channels of an axis in eV."""
    start, step, number = axis
    return np.asarray(start + step * np.arange(number), dtype=np.float64)


def _smooth(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    out: NDArray[np.float64] = gaussian_filter(image, sigma, mode="nearest")
    return out
