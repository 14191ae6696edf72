"""Tell what the phases of the second simulator look like, and what is wrong with them.

* `library`: the spectra a user would load.
* `true_spectra`: what the specimen really has; other shapes, and a phase that the
  library lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.references import ReferenceSpectra

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["PHASES", "library", "true_spectra"]

#: Phases, how far the vanadium of each is oxidized, and by how much its odd and even
#: lines are stronger than an interpolation between the end members would have them.
PHASES = {
    "A": (0.0, 0.0, 0.0),
    "B": (0.3, 0.03, -0.02),
    "C": (0.54, -0.03, 0.03),
    "D": (0.8, 0.02, 0.02),
    "E": (1.0, 0.0, -0.02),
}
#: Lines: position when pristine and its shift when charged (eV), standard deviation
#: (eV), height when pristine and when charged. Asymmetric Gaussians with a multiplet at
#: V L3, where the first simulator has symmetric pseudo-Voigt lines.
LINES = (
    (514.9, 0.20, 0.55, 0.16, 0.09),
    (516.3, 0.35, 0.62, 0.42, 0.33),
    (517.6, 0.45, 0.80, 0.86, 0.93),
    (519.0, 0.30, 0.95, 0.20, 0.27),
    (524.2, 0.35, 1.00, 0.36, 0.31),
    (525.6, 0.40, 1.10, 0.34, 0.37),
    (529.9, 0.00, 0.60, 0.10, 0.26),
    (531.6, 0.00, 0.85, 0.13, 0.22),
    (537.1, 0.15, 1.80, 0.50, 0.48),
    (541.8, 0.20, 3.00, 0.24, 0.25),
)
#: Which lines the second and the third number of a phase make stronger.
ODD, EVEN = (1, 3, 6), (4, 7)
#: Edge steps: position, its shift, width (eV), height.
STEPS = (
    (516.6, 0.4, 0.5, 0.12),
    (524.0, 0.4, 0.6, 0.06),
    (534.8, 0.1, 0.9, 0.42),
)
#: The phase outside the library: a vanadium oxide of its own kind.
FOREIGN = (
    (515.6, 0.0, 0.70, 0.45, 0.0),
    (518.4, 0.0, 0.90, 0.85, 0.0),
    (524.9, 0.0, 1.20, 0.50, 0.0),
    (529.0, 0.0, 0.70, 0.30, 0.0),
    (538.4, 0.0, 1.60, 0.55, 0.0),
)
#: What is wrong with each true spectrum against the library: factor of line widths,
#: an additional line (position in eV, height), constant and slope of the baseline.
MISTAKES = (
    (1.05, 520.6, 0.030, 0.02, 0.0010),
    (0.95, 527.5, 0.025, 0.00, -0.0008),
    (1.04, 516.0, 0.020, -0.01, 0.0005),
    (0.96, 521.5, 0.030, 0.02, -0.0010),
    (1.05, 528.0, 0.025, 0.01, 0.0008),
)


def library(energy: ArrayLike | None = None) -> ReferenceSpectra:
    """Return the reference spectra of five phases.

    Parameters
    ----------
    energy : array_like of shape (n_energies,), optional
        In eV; default 500 to 550 eV in steps of 0.1 eV.

    Returns
    -------
    ReferenceSpectra

    Examples
    --------
    >>> library().names
    ('A', 'B', 'C', 'D', 'E')
    """
    axis = np.arange(500.0, 550.05, 0.1).round(6) if energy is None else energy
    axis = np.asarray(axis, dtype=np.float64)
    spectra = [_spectrum(axis, *phase) for phase in PHASES.values()]
    return ReferenceSpectra(tuple(PHASES), axis, np.array(spectra))


def true_spectra(
    energy: ArrayLike, /, *, wrong_shapes: float = 0.0, shift: float = 0.0
) -> NDArray[np.float64]:
    """Return what the specimen absorbs: the five phases and, last, a foreign one.

    Parameters
    ----------
    energy : array_like of shape (n_energies,)
        In eV.
    wrong_shapes : float, default=0.0
        How much the true shapes differ from the library: 1 changes line widths by
        5 %, adds a line of 3 % to each phase and puts it on another baseline.
    shift : float, default=0.0
        Of the whole spectrum to higher energy, in eV.

    Returns
    -------
    ndarray of shape (6, n_energies)
        In optical density.
    """
    axis = np.asarray(energy, dtype=np.float64) - shift
    spectra = []
    for phase, mistake in zip(PHASES.values(), MISTAKES, strict=True):
        width, center, height, level, slope = mistake
        spectrum = _spectrum(axis, *phase, width=1.0 + wrong_shapes * (width - 1.0))
        line = height * np.exp(-0.5 * ((axis - center) / 0.6) ** 2)
        baseline = level + slope * (axis - 520.0)
        spectra.append(spectrum + wrong_shapes * (line + baseline))
    spectra.append(_spectrum(axis, 0.0, 0.0, 0.0, lines=FOREIGN))
    return np.array(spectra)


def _spectrum(
    energy: NDArray[np.float64],
    oxidized: float,
    odd: float,
    even: float,
    *,
    width: float = 1.0,
    lines: tuple[tuple[float, float, float, float, float], ...] = LINES,
) -> NDArray[np.float64]:
    """Return an absorption spectrum."""
    total = 0.3 * (energy / 515.0) ** -2.7
    for center, shift, spread, height in STEPS:
        total += height / (1.0 + np.exp(-(energy - center - shift * oxidized) / spread))
    for number, (center, shift, sigma, pristine, charged) in enumerate(lines):
        height = pristine + oxidized * (charged - pristine) if charged else pristine
        height *= 1.0 + odd * (number in ODD) + even * (number in EVEN)
        distance = energy - center - shift * oxidized
        own = sigma * width * np.where(distance > 0, 1.25, 1.0)
        total += height * np.exp(-0.5 * (distance / own) ** 2)
    return np.asarray(total)
