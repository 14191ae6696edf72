"""Simulate what a model of the specimen gets wrong, with the answer known.

A second simulator, with other spectra, other shapes of domains and other physics than
`synthetic`: nothing that classifies may be tuned to either.

* `independent_particle`, `independent_particles`: grains, smooth gradients or specks of
  a few pixels; spectra that differ from the library; a phase that it lacks; frames
  that do not lie on one another; a blurred probe.
* `minor_phase_particle`: a phantom whose smallest phase is nearly nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import density_noise
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.simulate.independent_spectra import (
    PHASES,
    library,
    true_spectra,
)
from napari_phasemap.core.simulate.synthetic import N_I0_PIXELS, PIXEL_SIZE, Particle
from napari_phasemap.core.simulate.synthetic_spectra import SPARSE_ENERGIES, incident

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Arrangement",
    "independent_particle",
    "independent_particles",
    "minor_phase_particle",
]

Arrangement: TypeAlias = Literal["grains", "gradient", "specks"]

#: Optical density of the thickest part at a reference value of 1.
THICKEST = 1.2
#: Share of the area that specks cover, and the pixels of one.
SPECKS, SPECK_PIXELS = 0.12, (1, 9)


def independent_particle(
    shape: tuple[int, int] = (96, 120),
    *,
    seed: int = 0,
    charge: float = 0.5,
    arrangement: Arrangement = "grains",
    dose: float = 5000.0,
    mixing: float = 1.0,
    shift: float = 0.0,
    wrong_shapes: float = 0.0,
    foreign: float = 0.0,
    misalignment: float = 0.0,
    blur: float = 0.0,
    energy: ArrayLike = SPARSE_ENERGIES,
    name: str = "P1",
) -> Particle:
    """Simulate one particle whose truth need not be what a model assumes.

    Parameters
    ----------
    shape : tuple of int, default=(96, 120)
        Rows and columns; the particle fills about two thirds.
    seed : int, default=0
        The same seed gives the same particle and the same noise.
    charge : float, default=0.5
        State of charge, 0 to 1: which phases it has.
    arrangement : {"grains", "gradient", "specks"}, default="grains"
        * "grains": domains some ten pixels wide.
        * "gradient": composition changes smoothly from rim to core, and every pixel is
          a mixture of two phases that follow one another.
        * "specks": two large domains with specks of 1 to 9 pixels of other phases.
    dose : float, default=5000.0
        Incident photons per pixel and energy.
    mixing : float, default=1.0
        Standard deviation in pixels over which phases really mix.
    shift : float, default=0.0
        Of the measured spectra against the library, in eV.
    wrong_shapes : float, default=0.0
        As for `true_spectra`.
    foreign : float, default=0.0
        Share of the particle that has a phase outside the library.
    misalignment : float, default=0.0
        Standard deviation of the displacement of every frame, in pixels.
    blur : float, default=0.0
        Standard deviation of the probe in pixels: neighboring *intensities* mix.
    energy : array_like of shape (n_energies,), default=SPARSE_ENERGIES
        In eV.
    name : str, default="P1"
        Name of the stacks.

    Returns
    -------
    Particle
        With references on their own dense axis. The foreign phase has the label 6, and
        the last of six fractions.

    Raises
    ------
    InputError
        If the arrangement is unknown or a parameter out of range.

    Examples
    --------
    >>> simulated = independent_particle((40, 60), seed=1, foreign=0.1)
    >>> simulated.fractions.shape, int(simulated.labels.max())
    ((40, 60, 6), 6)
    """
    if arrangement not in get_args(Arrangement):
        raise InputError(f"{arrangement=} is not one of {get_args(Arrangement)}")
    if min(shape) < 8 or not (dose > 0 and 0 <= charge <= 1 and 0 <= foreign < 1):
        raise InputError(
            "needed: 8 x 8 pixels or more, dose > 0, charge and foreign from 0 to 1; "
            f"got {shape=}, {dose=}, {charge=}, {foreign=}"
        )
    rng = np.random.default_rng(seed)
    thickness = _thickness(shape, rng)
    composition = {"grains": _grains, "gradient": _gradient, "specks": _specks}
    fractions = composition[arrangement](shape, charge, rng)
    if foreign:
        fractions = _with_foreign(fractions, foreign, thickness > 0, rng)
    absorption = true_spectra(energy, wrong_shapes=wrong_shapes, shift=shift)
    return _measured(
        _blurred(fractions, mixing),
        thickness,
        absorption,
        np.asarray(energy, dtype=np.float64),
        dose,
        rng,
        name=name,
        misalignment=misalignment,
        blur=blur,
    )


def independent_particles(
    n_particles: int = 10,
    shape: tuple[int, int] = (96, 120),
    *,
    seed: int = 0,
    **options: Any,
) -> list[Particle]:
    """Simulate particles P1, P2, ... from pristine to fully charged.

    Parameters
    ----------
    n_particles : int, default=10
        How many; their states of charge are spread evenly from 0 to 1.
    shape, seed
        As for `independent_particle`; every particle has a seed made from `seed`.
    **options
        As for `independent_particle`.

    Returns
    -------
    list of Particle
    """
    charges = np.linspace(0.0, 1.0, n_particles) if n_particles > 1 else [0.5]
    seeds = np.random.SeedSequence([seed, 2]).generate_state(n_particles)
    return [
        independent_particle(
            shape, seed=int(own), charge=float(charge), name=f"P{number}", **options
        )
        for number, (charge, own) in enumerate(zip(charges, seeds, strict=True), 1)
    ]


def minor_phase_particle(
    share: float,
    *,
    shape: tuple[int, int] = (128, 128),
    seed: int = 0,
    dose: float = 5000.0,
) -> Particle:
    """Simulate a phantom of two large phases and a third on a small share of the area.

    Parameters
    ----------
    share : float
        Of the third phase, 0 to 1: it stands in discs across the whole image.
    shape : tuple of int, default=(128, 128)
        Rows and columns, all of them specimen.
    seed : int, default=0
        Of positions and noise.
    dose : float, default=5000.0
        Incident photons per pixel and energy.

    Returns
    -------
    Particle
        Phases A and C in halves, E in discs.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    border = shape[1] / 2 + shape[1] / 8 * np.sin(rows / shape[0] * 2 * np.pi)
    phase = np.where(columns < border, 0, 2)
    wanted = max(round(share * phase.size), 1)
    radius = max(np.sqrt(wanted / 6 / np.pi), 0.6)
    for _ in range(10_000):
        missing = wanted - np.count_nonzero(phase == 4)
        if missing <= 0:
            break
        row, column = rng.uniform((0, 0), shape)
        distance = (rows - row) ** 2 + (columns - column) ** 2
        disc = np.flatnonzero((distance < radius**2) & (phase != 4))
        phase.ravel()[disc[:missing]] = 4
    thickness = 0.7 * (1.0 + 0.15 * _smooth(shape, 16.0, rng))
    energy = np.asarray(SPARSE_ENERGIES)
    pure = np.eye(len(PHASES))[phase]
    absorption = true_spectra(energy)
    return _measured(pure, thickness, absorption, energy, dose, rng, name="phantom")


def _smooth(
    shape: tuple[int, int], scale: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return smooth noise of zero mean and unit variance."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.standard_normal(shape), scale, mode="reflect")
    return np.asarray((noise - noise.mean()) / noise.std())


def _thickness(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a plate with bevelled edges and a wedge, 0 outside."""
    rows, columns = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    outline = 0.9 - np.maximum(np.abs(rows), np.abs(columns) ** 1.5)
    outline = outline + 0.05 * _smooth(shape, min(shape) / 10, rng)
    wedge = 1.0 + 0.25 * rows * np.cos(rng.uniform(0, 6)) + 0.25 * columns
    relative = np.clip(outline / 0.25, 0.0, 1.0) * wedge
    return np.where(relative < 0.15, 0.0, THICKEST * relative / 1.3)


def _near_charge(charge: float) -> NDArray[np.float64]:
    """Return how likely each phase is at a state of charge."""
    distance = np.arange(len(PHASES)) - charge * (len(PHASES) - 1)
    weights = np.exp(-0.5 * (distance / 1.2) ** 2)
    return np.asarray(weights / weights.sum())


def _grains(
    shape: tuple[int, int], charge: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return domains: where which of five smooth random fields is largest."""
    fields = [_smooth(shape, 5.0, rng) for _ in PHASES]
    bias = np.log(_near_charge(charge) + 1e-3)
    phase = np.argmax(np.stack(fields, axis=2) + 0.8 * bias, axis=2)
    return np.asarray(np.eye(len(PHASES))[phase])


def _gradient(
    shape: tuple[int, int], charge: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a composition that follows the distance from the rim, smoothly."""
    rows, columns = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    depth = 1.0 - np.hypot(rows, columns)
    wave = 0.25 * _smooth(shape, min(shape) / 10, rng)
    position = charge + 0.7 * (depth - 0.4) + 0.4 * wave
    position = np.clip(position, 0.0, 1.0) * (len(PHASES) - 1)
    distance = np.abs(position[..., None] - np.arange(len(PHASES)))
    return np.clip(1.0 - distance, 0.0, 1.0)


def _specks(
    shape: tuple[int, int], charge: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return two large domains with specks of other phases."""
    two = rng.choice(len(PHASES), 2, replace=False, p=_near_charge(charge))
    phase = np.where(_smooth(shape, min(shape) / 6, rng) > 0, two[0], two[1])
    covered = 0
    while covered < SPECKS * phase.size:
        n_pixels = int(rng.integers(SPECK_PIXELS[0], SPECK_PIXELS[1] + 1))
        n_rows = int(rng.integers(1, 4))
        n_columns = max(1, min(3, n_pixels // n_rows))
        row = int(rng.integers(0, shape[0] - n_rows))
        column = int(rng.integers(0, shape[1] - n_columns))
        other = rng.choice([k for k in range(len(PHASES)) if k not in two])
        phase[row : row + n_rows, column : column + n_columns] = other
        covered += n_rows * n_columns
    return np.asarray(np.eye(len(PHASES))[phase])


def _with_foreign(
    fractions: NDArray[np.float64],
    share: float,
    inside: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return six fractions, the last one where a smooth field is highest."""
    field = _smooth(inside.shape, 6.0, rng)
    foreign = field > np.quantile(field[inside], 1.0 - share)
    out = np.concatenate([fractions, np.zeros((*inside.shape, 1))], axis=2)
    out[foreign] = np.eye(out.shape[2])[-1]
    return out


def _blurred(fractions: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    mixed = gaussian_filter(fractions, (width, width, 0.0)) if width else fractions
    return np.asarray(mixed / mixed.sum(axis=2, keepdims=True))


def _measured(
    fractions: NDArray[np.float64],
    thickness: NDArray[np.float64],
    absorption: NDArray[np.float64],
    energy: NDArray[np.float64],
    dose: float,
    rng: np.random.Generator,
    *,
    name: str,
    misalignment: float = 0.0,
    blur: float = 0.0,
) -> Particle:
    """Return what a scan of the specimen counts, and the truth about it."""
    from scipy.ndimage import gaussian_filter, shift

    inside = thickness > 0
    photons = dose * incident(energy)
    absorbed = np.einsum("rck,ke->erc", fractions, absorption[: fractions.shape[2]])
    intensity = photons[:, None, None] * np.exp(-absorbed * thickness)
    for frame in intensity:
        if blur:
            frame[:] = gaussian_filter(frame, blur)
        if misalignment:
            moved = rng.normal(0.0, misalignment, 2)
            frame[:] = shift(frame, moved, order=1, mode="nearest")
    counts = rng.poisson(intensity).astype(np.float32)
    i0 = rng.poisson(photons * N_I0_PIXELS) / N_I0_PIXELS
    with np.errstate(divide="ignore"):
        density = -np.log(counts / i0[:, None, None].astype(np.float32))
    lit = np.isfinite(density).all(axis=0)
    density[:, ~lit] = np.nan
    labels = np.where(inside, fractions.argmax(axis=2) + 1, 0).astype(np.uint8)
    measured = SpectralStack(
        counts, energy, pixel_size=PIXEL_SIZE, name=name, history=("simulated",)
    )
    return Particle(
        counts=measured,
        i0=i0,
        optical_density=measured.with_step(
            "optical density with the true I0",
            data=density,
            mask=inside & lit,
            quantity="optical_density",
            noise=density_noise(i0, i0_variance=i0 / N_I0_PIXELS),
        ),
        references=library(),
        labels=labels,
        fractions=np.where(inside[..., None], fractions, 0.0).astype(np.float32),
        thickness=thickness.astype(np.float32),
    )
