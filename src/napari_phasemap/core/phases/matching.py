"""Which reference of a library a spectrum resembles, and how sure that is.

* `match_references`: the library ranked, what cannot be told apart in groups.
* `ReferenceMatches`: the ranking of one or more spectra.
* `similarity`: the ensemble of measures for every pair of two sets of spectra.
* `alike`: groups of references that nothing tells apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.text_table import aligned_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra

__all__ = ["ReferenceMatches", "alike", "match_references", "similarity"]

#: References that correlate above this, within the tolerance in energy, are one group:
#: of 61 Fe K standards 72 pairs do.
SAME = 0.999
#: Energies tried within the tolerance, in eV.
STEP = 0.1
#: Points of the common axis at most: more change no measure.
MOST_POINTS = 600


@dataclass(frozen=True, eq=False, repr=False)
class ReferenceMatches:
    """How the references of a library match some spectra.

    Parameters
    ----------
    names : tuple of str
        Of the spectra that were matched.
    library : tuple of str
        Of the references.
    scores : ndarray of shape (n_spectra, n_references)
        Similarity, 1 for the same shape, dimensionless.
    shifts : ndarray of shape (n_spectra, n_references)
        By how many eV a reference is moved up to match best.
    groups : tuple of tuple of str
        References that nothing tells apart; every reference is in one group.
    """

    names: tuple[str, ...]
    library: tuple[str, ...]
    scores: NDArray[np.float64]
    shifts: NDArray[np.float64]
    groups: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        for name in ("scores", "shifts"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name))))

    def ranking(
        self, spectrum: str | int = 0, /
    ) -> list[tuple[tuple[str, ...], float, float]]:
        """Return groups of references, the best first.

        Parameters
        ----------
        spectrum : str or int, default=0
            Name or number of the spectrum.

        Returns
        -------
        list of (names, score, shift)
            Names of a group, those of higher score first; score and shift (eV) of its
            best.

        Raises
        ------
        InputError
            If there is no such spectrum.
        """
        at = self._index(spectrum)
        ranked = []
        for group in self.groups:
            rows = [self.library.index(name) for name in group]
            order = sorted(rows, key=lambda row: -self.scores[at, row])
            best = order[0]
            ranked.append((
                tuple(self.library[row] for row in order),
                float(self.scores[at, best]),
                float(self.shifts[at, best]),
            ))  # fmt: skip
        return sorted(ranked, key=lambda one: -one[1])

    def gap(self, spectrum: str | int = 0, /) -> float:
        """Return by how much the second best group is worse than the best.

        Parameters
        ----------
        spectrum : str or int, default=0
            Name or number of the spectrum.

        Returns
        -------
        float
            Difference of the scores; NaN if there is one group only.

        Raises
        ------
        InputError
            If there is no such spectrum.
        """
        ranked = self.ranking(spectrum)
        return ranked[0][1] - ranked[1][1] if len(ranked) > 1 else float("nan")

    def __repr__(self) -> str:
        rows = [("spectrum", "best", "score", "shift (eV)", "second", "behind by")]
        for at, name in enumerate(self.names):
            (best, score, shift), *others = self.ranking(at)
            second = " = ".join(others[0][0]) if others else ""
            behind = f"{self.gap(at):.4f}" if others else ""
            rows.append(
                (
                    name,
                    " = ".join(best),
                    f"{score:.4f}",
                    f"{shift:+.1f}",
                    second,
                    behind,
                )
            )
        return "\n".join(aligned_table(rows))

    def _index(self, spectrum: str | int) -> int:
        if isinstance(spectrum, int) and -len(self.names) <= spectrum < len(self.names):
            return spectrum
        if spectrum in self.names:
            return self.names.index(str(spectrum))
        raise InputError(f"no spectrum {spectrum!r}; there are {list(self.names)}")


def match_references(
    spectra: ReferenceSpectra,
    library: ReferenceSpectra,
    /,
    *,
    tolerance: float = 0.0,
    same: float = SAME,
) -> ReferenceMatches:
    """Rank the references of a library by how much spectra resemble them.

    The score is the mean of three measures (`similarity`), each at the shift of the
    energy within the tolerance where their mean is highest, as ELSIE ranks K edges by
    an ensemble of measures [1]_. References of the library that correlate among
    themselves above `same` are put into one group and not ranked.

    Parameters
    ----------
    spectra : ReferenceSpectra
        What is to be explained: mean spectra of classes, of a region, measured
        standards.
    library : ReferenceSpectra
        What may explain it.
    tolerance : float, default=0.0
        Largest error of the energy calibration, in eV.
    same : float, default=0.999
        Correlation above which two references count as one, 0 to 1.

    Returns
    -------
    ReferenceMatches
        Scores, shifts, groups; its text is a table.

    Raises
    ------
    InputError
        If the energies have fewer than four points in common, or a number is wrong.

    References
    ----------
    .. [1] C. Zheng et al., npj Comput. Mater. 4, 12 (2018),
       DOI: 10.1038/s41524-018-0067-x

    Examples
    --------
    >>> from napari_phasemap.core.simulate import synthetic
    >>> library = synthetic.references()
    >>> moved = synthetic.references(energy_drift=0.3).select(["Na3VPF"])
    >>> matches = match_references(moved, library, tolerance=0.5)
    >>> matches.ranking()[0][0], round(matches.ranking()[0][2], 1)
    (('Na3VPF',), 0.3)
    """
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance is an energy, 0 eV or more; got {tolerance}")
    if not 0 < same <= 1:
        raise InputError(f"same is a correlation, above 0 and up to 1; got {same}")
    steps = int(np.ceil(tolerance / STEP - 1e-9))
    shifts = np.linspace(-tolerance, tolerance, 2 * steps + 1)
    axis = _common_axis(spectra, library, tolerance)
    rows = _sampled(spectra, axis, 0.0)
    every = np.array(
        [similarity(rows, _sampled(library, axis, s), axis) for s in shifts]
    )
    # Of equal scores the smallest shift is meant.
    order = np.argsort(np.abs(shifts), kind="stable")
    best = order[every[order].argmax(axis=0)]
    scores = np.take_along_axis(every, best[None], axis=0)[0]
    return ReferenceMatches(
        spectra.names, library.names, scores, shifts[best],
        alike(library, tolerance=tolerance, same=same),
    )  # fmt: skip


def similarity(
    first: NDArray[np.float64], second: NDArray[np.float64], energy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean of three measures of similarity for every pair of spectra.

    Pearson's r of the spectra, Pearson's r of their derivatives, and one minus the area
    between them after both are scaled to an area of one over their lowest value.

    Parameters
    ----------
    first : ndarray of shape (n_first, n_energies)
        In any unit.
    second : ndarray of shape (n_second, n_energies)
        In any unit.
    energy : ndarray of shape (n_energies,)
        In eV, increasing.

    Returns
    -------
    ndarray of shape (n_first, n_second)
        1 for the same shape, dimensionless. A constant spectrum resembles nothing: 0.
    """
    slope_a, slope_b = (np.gradient(rows, energy, axis=1) for rows in (first, second))
    area_a, area_b = _of_area_one(first, energy), _of_area_one(second, energy)
    between = np.array([
        np.trapezoid(np.abs(area_b - row), energy, axis=1) for row in area_a
    ])  # fmt: skip
    measures = [
        _pearson(first, second),
        _pearson(slope_a, slope_b),
        1.0 - between / 2.0,
    ]
    there = (np.ptp(first, axis=1) > 0)[:, None] & (np.ptp(second, axis=1) > 0)
    return np.where(there, np.mean(measures, axis=0), 0.0)


def alike(
    library: ReferenceSpectra, /, *, tolerance: float = 0.0, same: float = SAME
) -> tuple[tuple[str, ...], ...]:
    """Return groups of references that correlate above a limit, directly or by others.

    Parameters
    ----------
    library : ReferenceSpectra
        The references.
    tolerance : float, default=0.0
        Pairs count at their best shift of the energy within it, in eV.
    same : float, default=0.999
        Correlation above which two count as one, 0 to 1.

    Returns
    -------
    tuple of tuple of str
        Every name once; a reference of its own is a group of one.

    Raises
    ------
    InputError
        If the tolerance leaves fewer than four energies.
    """
    from scipy.sparse.csgraph import connected_components

    r = library.correlation()
    if tolerance > 0:
        axis = _common_axis(library, library, tolerance)
        rows = _sampled(library, axis, 0.0)
        steps = int(np.ceil(tolerance / STEP - 1e-9))
        for shift in np.linspace(-tolerance, tolerance, 2 * steps + 1):
            moved = _pearson(rows, _sampled(library, axis, shift))
            r = np.fmax(r, np.fmax(moved, moved.T))
    _, labels = connected_components(np.nan_to_num(r) > same, directed=False)
    groups = [np.flatnonzero(labels == one) for one in dict.fromkeys(labels.tolist())]
    return tuple(tuple(library.names[at] for at in group) for group in groups)


def _common_axis(
    spectra: ReferenceSpectra, library: ReferenceSpectra, tolerance: float
) -> NDArray[np.float64]:
    """Return energies of the spectra at which every moved reference is known."""
    low = max(spectra.energy[0], library.energy[0] + tolerance)
    high = min(spectra.energy[-1], library.energy[-1] - tolerance)
    axis = spectra.energy[
        (spectra.energy >= low - 1e-6) & (spectra.energy <= high + 1e-6)
    ]
    if len(axis) < 4:
        raise InputError(
            f"spectra ({spectra.energy[0]:g}-{spectra.energy[-1]:g} eV) and library "
            f"({library.energy[0]:g}-{library.energy[-1]:g} eV) have {len(axis)} "
            f"energies in common within {tolerance:g} eV; to compare them takes four"
        )
    thin = max(1, len(axis) // MOST_POINTS)
    return np.asarray(axis[::thin])


def _sampled(
    spectra: ReferenceSpectra, axis: NDArray[np.float64], shift: float
) -> NDArray[np.float64]:
    """Return spectra moved up in energy, on an axis."""
    moved = spectra.energy + shift
    return np.array([np.interp(axis, moved, row) for row in spectra.spectra])


def _pearson(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return r of every pair of rows; 0 where a row is constant."""
    units = []
    for rows in (first, second):
        centered = rows - rows.mean(axis=1, keepdims=True)
        length = np.linalg.norm(centered, axis=1, keepdims=True)
        units.append(centered / np.where(length > 0, length, 1.0))
    return np.asarray(units[0] @ units[1].T)


def _of_area_one(
    rows: NDArray[np.float64], energy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return rows above their lowest value, scaled to an area of one."""
    above = rows - rows.min(axis=1, keepdims=True)
    area = np.trapezoid(above, energy, axis=1)[:, None]
    return np.asarray(above / np.where(area > 0, area, 1.0))
