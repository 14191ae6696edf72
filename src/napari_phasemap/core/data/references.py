"""What the phases look like: reference spectra and how alike they are.

* `ReferenceSpectra`: named spectra on one energy axis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.text_table import described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["INDISTINGUISHABLE", "ReferenceSpectra"]

#: Two references whose correlation differs from 1 by less are the same shape to the
#: accuracy of a float32 correlation (largest error seen 4e-6), whatever the threshold.
INDISTINGUISHABLE = 1e-5
#: Slack when references are resampled, in eV: a stack's last energy may lie one
#: rounding error outside.
EDGE_SLACK = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class ReferenceSpectra:
    """Named reference spectra on one energy axis.

    Parameters
    ----------
    names : sequence of str
        One per reference, all different.
    energy : array_like of shape (n_energies,)
        In eV, strictly increasing.
    spectra : array_like of shape (n_references, n_energies)
        Optical density or any quantity proportional to it.
    errors : array_like of shape (n_references, n_energies), optional
        Standard errors of the spectra, in their unit; NaN where they are not known.

    Raises
    ------
    ValueError
        If shapes disagree, names repeat, or values are not finite.

    Examples
    --------
    >>> refs = ReferenceSpectra(["a", "b"], [1.0, 2.0, 3.0], [[0, 1, 0], [0, 0, 1]])
    >>> refs.correlation().round(2)
    array([[ 1. , -0.5],
           [-0.5,  1. ]])
    """

    names: tuple[str, ...]
    energy: NDArray[np.float64]
    spectra: NDArray[np.float64]
    errors: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.names)
        energy = np.array(self.energy, dtype=np.float64)
        spectra = np.array(self.spectra, dtype=np.float64)
        if not names:
            raise InputError("there is no reference spectrum; give at least one")
        if len(set(names)) != len(names):
            raise InputError(f"reference names repeat: {', '.join(names)}")
        if spectra.shape != (len(names), energy.size) or energy.ndim != 1:
            raise InputError(
                f"{spectra.shape=} != ({len(names)} names, {energy.size} energies)"
            )
        if energy.size < 2 or (np.diff(energy) <= 0).any():
            raise InputError("reference energies must be two or more and increase")
        if not (np.isfinite(spectra).all() and np.isfinite(energy).all()):
            bad = [n for n, s in zip(names, spectra, strict=True) if not _finite(s)]
            raise InputError(f"reference values are not finite: {', '.join(bad)}")
        errors = None if self.errors is None else np.array(self.errors, np.float64)
        if errors is not None and errors.shape != spectra.shape:
            raise InputError(f"{errors.shape=} != {spectra.shape=}")
        values = {"names": names, "energy": energy, "spectra": spectra}
        for key, value in (values | {"errors": errors}).items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, key, value)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def n_energies(self) -> int:
        """Number of energies."""
        return len(self.energy)

    def resample(self, energy: ArrayLike) -> ReferenceSpectra:
        """Interpolate linearly to other energies.

        Parameters
        ----------
        energy : array_like of shape (n_energies,)
            In eV, strictly increasing.

        Returns
        -------
        ReferenceSpectra
            On `energy`.

        Raises
        ------
        ValueError
            If `energy` reaches outside the references: nothing is extrapolated.
        """
        target = np.asarray(energy, dtype=np.float64)
        low, high = self.energy[0], self.energy[-1]
        if target.min() < low - EDGE_SLACK or target.max() > high + EDGE_SLACK:
            raise InputError(
                f"energies {target.min():g}-{target.max():g} eV are not covered by the "
                f"references {', '.join(map(repr, self.names))} ({low:g}-{high:g} eV); "
                "crop the stack or load references that reach further"
            )
        axis, errors = self.energy, self.errors
        rows = np.array([np.interp(target, axis, row) for row in self.spectra])
        if errors is not None:
            errors = np.array([np.interp(target, axis, row) for row in errors])
        return replace(self, energy=target, spectra=rows, errors=errors)

    def select(self, names: Sequence[str]) -> ReferenceSpectra:
        """Return only the references of these names, in this order.

        Parameters
        ----------
        names : sequence of str
            Of references there are.

        Returns
        -------
        ReferenceSpectra
            On the same energies.
        """
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise InputError(f"no reference {unknown}; there are {list(self.names)}")
        rows = [self.names.index(name) for name in names]
        errors = None if self.errors is None else self.errors[rows]
        return replace(
            self, names=tuple(names), spectra=self.spectra[rows], errors=errors
        )

    def joined(self, others: ReferenceSpectra, /) -> ReferenceSpectra:
        """Return these references and others, on the energies of the others.

        Parameters
        ----------
        others : ReferenceSpectra
            Of other names.

        Returns
        -------
        ReferenceSpectra
            On ``others.energy``: dense references are sampled at sparse energies.

        Raises
        ------
        InputError
            If a name is in both, or these do not reach as far.
        """
        mine = self.resample(others.energy)
        errors = None
        if mine.errors is not None or others.errors is not None:
            errors = np.vstack([
                np.full(one.spectra.shape, np.nan) if one.errors is None else one.errors
                for one in (mine, others)
            ])  # fmt: skip
        return replace(
            others,
            names=(*mine.names, *others.names),
            spectra=np.vstack([mine.spectra, others.spectra]),
            errors=errors,
        )

    def correlation(self) -> NDArray[np.float64]:
        """Return Pearson's r of every pair, of shape (n_references, n_references).

        Constant references correlate with nothing: NaN.
        """
        centered = self.spectra - self.spectra.mean(axis=1, keepdims=True)
        norm = np.linalg.norm(centered, axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = np.where(norm > 0, centered / norm, np.nan)
        r: NDArray[np.float64] = np.clip(unit @ unit.T, -1.0, 1.0)
        return r

    def closest_pair(self) -> tuple[str, str, float]:
        """Return the two most alike references and how far their r is from 1.

        That gap is what a pixel of one pure phase has as Q1 - Q2, so a larger
        threshold calls even pure pixels ambiguous (paper, Fig. S4).

        Raises
        ------
        ValueError
            If there are fewer than two references.
        """
        if len(self) < 2:
            raise InputError(f"a pair needs two references; got {len(self)}")
        r = self.correlation()
        rows, cols = np.triu_indices(len(self), k=1)
        best = int(np.nanargmax(np.nan_to_num(r[rows, cols], nan=-np.inf)))
        a, b = int(rows[best]), int(cols[best])
        return self.names[a], self.names[b], float(1.0 - r[a, b])

    def indistinguishable_pairs(self) -> list[tuple[str, str]]:
        """Return the pairs of references that no threshold can tell apart."""
        r = self.correlation()
        rows, cols = np.nonzero(np.triu(1.0 - r < INDISTINGUISHABLE, k=1))
        return [(self.names[a], self.names[b]) for a, b in zip(rows, cols, strict=True)]

    def __repr__(self) -> str:
        title = (
            f"ReferenceSpectra, {self.n_energies} energies, "
            f"{self.energy[0]:g}-{self.energy[-1]:g} eV"
        )
        rows = {
            name: f"{row.min():.4g} .. {row.max():.4g}"
            for name, row in zip(self.names, self.spectra, strict=True)
        }
        return described(title, rows)


def _finite(values: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(values).all())
