"""The energies of the next measurement, and what is expected of them.

* `EnergyPlan`: energies, and how far apart they hold the phases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.frozen import read_only

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EnergyPlan"]

#: Distance in units of the noise below which two phases are mistaken for one another
#: in more than 5 % of their pixels: twice the 95 % point of the normal distribution.
SURE = 3.29


@dataclass(frozen=True, eq=False, repr=False)
class EnergyPlan:
    """Energies to measure, and how far apart they hold the phases.

    Parameters
    ----------
    names : tuple of str
        Of the phases.
    energy : ndarray of shape (n,)
        In eV, increasing.
    separation : ndarray of shape (n_phases, n_phases)
        Distance of every pair in units of the noise; 0 on the diagonal.
    dose : float
        Photons that reach a pixel, over all energies.
    """

    names: tuple[str, ...]
    energy: NDArray[np.float64]
    separation: NDArray[np.float64]
    dose: float

    def __post_init__(self) -> None:
        for name in ("energy", "separation"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name))))

    @property
    def closest(self) -> tuple[str, str, float]:
        """The two phases that are told apart worst, and their distance."""
        rows, cols = np.triu_indices(len(self.names), k=1)
        values = self.separation[rows, cols]
        at = int(values.argmin())
        return self.names[rows[at]], self.names[cols[at]], float(values[at])

    def summary(self) -> str:
        """Return the plan in plain sentences, one a line."""
        first, second, distance = self.closest
        lines = [
            f"{len(self.energy)} energies from {self.energy[0]:g} to "
            f"{self.energy[-1]:g} eV, {self.dose:g} photons per pixel in all.",
            f"Hardest to tell apart: {first} and {second}, {distance:.2f} times the "
            "noise.",
        ]
        if distance < SURE:
            needed = self.dose * (SURE / max(distance, 1e-9)) ** 2
            lines.append(
                f"More than 5 % of their pixels are mistaken for one another; about "
                f"{needed:.2g} photons per pixel would be needed."
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"EnergyPlan\n{self.summary()}"
