"""What another energy buys, and what more dose buys.

* `expected_outcome`: ambiguous share and accuracy of a set of energies, simulated.
* `energy_gain`: both, and the separation, over the number of energies and the dose.
* `EnergyGain`: these curves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.text_table import aligned_table
from napari_phasemap.core.planning.choosing import choose_energies
from napari_phasemap.core.planning.criteria import contest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.planning.choosing import Criterion

__all__ = [
    "EnergyGain",
    "ExpectedOutcome",
    "energy_gain",
    "expected_outcome",
    "steps_around",
]

#: A pixel is ambiguous whose best phase is less than 95 % sure against its second:
#: a difference of chi-square below 2 ln(0.95 / 0.05).
AMBIGUOUS = 2.0 * np.log(0.95 / 0.05)
#: Thickness of simulated pixels, in units of the highest optical density.
THINNEST, THICKEST = 0.4, 1.0


class ExpectedOutcome(NamedTuple):
    """What is expected of a set of energies.

    Parameters
    ----------
    ambiguous, right : float
        Shares of the pixels that are ambiguous, and whose phase is found.
    """

    ambiguous: float
    right: float


@dataclass(frozen=True, eq=False)
class EnergyGain:
    """What more energies, and more dose, buy.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Number of energies, or dose in photons per pixel.
    separation : ndarray of shape (n_points,)
        Smallest distance of two phases in units of the noise.
    ambiguous, right : ndarray of shape (n_points,)
        Expected shares of the pixels.
    """

    x: NDArray[np.float64]
    separation: NDArray[np.float64]
    ambiguous: NDArray[np.float64]
    right: NDArray[np.float64]

    def table(self, over: str) -> str:
        """Return the curves as a table of text.

        Parameters
        ----------
        over : str
            What `x` is.

        Returns
        -------
        str
            One line per point below a header.
        """
        rows = [(over, "separation", "ambiguous", "right")]
        rows += [
            (f"{x:g}", f"{d:.2f}", f"{100 * unsure:.1f} %", f"{100 * right:.1f} %")
            for x, d, unsure, right in zip(
                self.x, self.separation, self.ambiguous, self.right, strict=True
            )
        ]
        return "\n".join(aligned_table(rows))


def steps_around(
    n: int, dose: float, n_candidates: int, /
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return numbers of energies and doses around a plan, for its curves.

    Parameters
    ----------
    n : int
        Energies of the plan.
    dose : float
        Photons per pixel of the plan.
    n_candidates : int
        Energies there are.

    Returns
    -------
    numbers : tuple of int
        From 3 to twice as many.
    doses : tuple of float
        From a tenth to ten times the dose.

    Examples
    --------
    >>> steps_around(6, 1000.0, 501)[0]
    (3, 5, 6, 7, 8, 10, 12)
    """
    most = min(2 * n, n_candidates)
    numbers = {n, *np.linspace(3, max(most, 3), 6).round().astype(int).tolist()}
    doses = tuple(float(f"{dose * 10**power:.3g}") for power in np.linspace(-1, 1, 7))
    return tuple(sorted(k for k in numbers if 3 <= k <= n_candidates)), doses


def expected_outcome(
    references: ReferenceSpectra,
    energy: ArrayLike,
    /,
    *,
    dose: float,
    optical_density: float = 1.0,
    offset: bool = False,
    floor: float = 0.0,
    criterion: Criterion = "separation",
    n_pixels: int = 400,
    seed: int = 0,
) -> ExpectedOutcome:
    """Simulate pixels of every phase and classify them, by chi-square or Pearson's r.

    Photons are drawn from a Poisson distribution; of thicknesses all from 0.4 to 1
    times `optical_density` are as frequent. A pixel is ambiguous where its best phase
    is less than 95 % sure against the second; for criterion "pearson" where the best r
    exceeds the second by less than 0.005, as in a phase map.

    Parameters
    ----------
    references : ReferenceSpectra
        On dense energies.
    energy : array_like of shape (n_energies,)
        The energies that are measured, in eV.
    dose, optical_density, offset, floor, criterion
        As for `choose_energies`.
    n_pixels : int, default=400
        Of each phase.
    seed : int, default=0
        Of the simulation.

    Returns
    -------
    ExpectedOutcome
        Shares of ambiguous pixels and of those whose phase is found.

    Raises
    ------
    InputError
        If the references do not cover the energies, or a number is wrong.
    """
    # The highest optical density is that of the whole spectrum, chosen or not.
    of = contest(
        references,
        dose=dose,
        optical_density=optical_density,
        floor=floor,
        offset=offset,
    )
    pixels = replace(references, spectra=of.density)
    density = pixels.resample(np.asarray(energy, dtype=np.float64)).spectra
    rng = np.random.default_rng(seed)
    shape = (len(density), n_pixels)
    thickness = rng.uniform(THINNEST, THICKEST, shape)[..., None]
    true = thickness * density[:, None, :]
    photons = dose / density.shape[1]
    counts = np.maximum(rng.poisson(photons * np.exp(-true)), 0.5)
    measured = -np.log(counts / photons) + floor * rng.standard_normal(true.shape)
    weights = 1.0 / (1.0 / counts + floor**2)
    if criterion == "pearson":
        misfit, least = 1.0 - _pearson(measured, density), DEFAULT_THRESHOLD
    else:
        misfit = _chi_square(measured, weights, density, offset=offset)
        least = AMBIGUOUS
    best = np.sort(misfit, axis=-1)
    phase = misfit.argmin(axis=-1)
    return ExpectedOutcome(
        float((best[..., 1] - best[..., 0] < least).mean()),
        float((phase == np.arange(len(density))[:, None]).mean()),
    )


def energy_gain(
    references: ReferenceSpectra,
    /,
    *,
    numbers: Sequence[int] = (3, 4, 5, 6, 8, 10, 13, 16, 20),
    doses: Sequence[float] = (),
    on_progress: OnProgress = ignore_progress,
    **wanted: Any,
) -> EnergyGain:
    """Choose energies again and again, and say what to expect of them.

    Parameters
    ----------
    references : ReferenceSpectra
        On dense energies.
    numbers : sequence of int
        Numbers of energies; one, where `doses` are given.
    doses : sequence of float, optional
        Doses to go through instead, with the one number of energies.
    on_progress : callable, optional
        May raise `Cancelled`.
    **wanted : Any
        As for `choose_energies`.

    Returns
    -------
    EnergyGain
        Over the numbers, or over the doses.

    Raises
    ------
    InputError
        As `choose_energies`, or if there are several numbers and several doses.
    """
    if len(doses) and len(numbers) != 1:
        raise InputError(f"doses of one number of energies; got {len(numbers)} numbers")
    steps: list[tuple[int, float | None]] = [(int(n), None) for n in numbers]
    if len(doses):
        steps = [(int(numbers[0]), float(dose)) for dose in doses]
    simulated = {
        name: wanted[name]
        for name in ("optical_density", "offset", "floor", "criterion")
        if name in wanted
    }
    rows = []
    for number, (n, dose) in enumerate(steps):
        on_progress(number, len(steps), "expecting")
        options = wanted if dose is None else wanted | {"dose": dose}
        plan = choose_energies(references, n, **options)
        outcome = expected_outcome(references, plan.energy, dose=plan.dose, **simulated)
        x = float(n) if dose is None else float(dose)
        rows.append((x, plan.closest[2], outcome.ambiguous, outcome.right))
    return EnergyGain(*np.array(rows).T)


def _pearson(
    measured: NDArray[np.float64], density: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return Pearson's r of every pixel with every phase, shape (..., n_phases)."""
    units = []
    for rows in (measured, density):
        centered = rows - rows.mean(axis=-1, keepdims=True)
        length = np.linalg.norm(centered, axis=-1, keepdims=True)
        units.append(centered / np.where(length > 0, length, 1.0))
    return np.asarray(units[0] @ units[1].T)


def _chi_square(
    measured: NDArray[np.float64],
    weights: NDArray[np.float64],
    density: NDArray[np.float64],
    *,
    offset: bool,
) -> NDArray[np.float64]:
    """Return chi-square of every phase at its best amount (and offset)."""
    mean = np.zeros(measured.shape[:-1])
    shift = np.zeros((*mean.shape, len(density)))
    if offset:
        total = weights.sum(axis=-1)
        mean = (weights * measured).sum(axis=-1) / total
        shift = (weights @ density.T) / total[..., None]
    y = measured - mean[..., None]
    yy = (weights * y * y).sum(axis=-1)[..., None]
    wy = weights * y
    xy = wy @ density.T - wy.sum(axis=-1)[..., None] * shift
    total = weights.sum(axis=-1)[..., None]
    xx = weights @ (density**2).T - 2 * shift * (weights @ density.T) + total * shift**2
    return np.asarray(yy - xy * xy / xx)
