"""What the classes are: their mean spectra, compared with references.

* `class_spectra`: mean and standard error of each class, from unreduced spectra.
* `name_classes`: which mixture of references explains each mean spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.pixel_spectra import spectra_parts
from napari_phasemap.core.data.text_table import described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.pixel_spectra import Spectra
    from napari_phasemap.core.data.references import ReferenceSpectra

__all__ = ["ClassNames", "ClassSpectra", "class_spectra", "name_classes"]

#: Energy shifts of the references that are tried, in eV.
SHIFTS = tuple(np.round(np.arange(-3.0, 3.01, 0.1), 3))
#: Exponent of the background whose tangents take up what subtraction left behind.
TANGENT_EXPONENT = 3.0


@dataclass(frozen=True, eq=False, repr=False)
class ClassSpectra:
    """Mean spectra of classes.

    Parameters
    ----------
    names : tuple of str
        Names of the classes.
    energy : ndarray of shape (n_energies,)
        In eV; channel numbers where the data have no energies.
    mean, standard_error : ndarray of shape (n_classes, n_energies)
        In the unit of the spectra. NaN for classes without pixels; the error is NaN
        for a class of one pixel.
    n_pixels : ndarray of int of shape (n_classes,)
        Pixels of each class.
    """

    names: tuple[str, ...]
    energy: NDArray[np.float64]
    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    n_pixels: NDArray[np.int64]

    def __repr__(self) -> str:
        rows = {
            name: f"{n} pixels, mean {m:.4g}"
            for name, n, m in zip(
                self.names, self.n_pixels, self.mean.mean(axis=1), strict=True
            )
        }
        return described(f"ClassSpectra, {len(self.energy)} energies", rows)


@dataclass(frozen=True, eq=False, repr=False)
class ClassNames:
    """Which references explain each class.

    Parameters
    ----------
    names, runner_up : tuple of str
        Reference with the largest and second largest share; "" where there is none.
    shares : ndarray of shape (n_classes, n_references)
        Share of each reference in the fitted area; rows sum to 1, or are NaN.
    score : ndarray of shape (n_classes,)
        Share of the best reference; close to the second's, the name is open.
    residual : ndarray of shape (n_classes,)
        Unexplained part of the sum of squares, 0 to 1. Dimensionless.
    shift : float
        Energy in eV by which all references were moved.
    """

    names: tuple[str, ...]
    runner_up: tuple[str, ...]
    shares: NDArray[np.float64]
    score: NDArray[np.float64]
    residual: NDArray[np.float64]
    shift: float

    def rename(self, classes: PhaseMap) -> PhaseMap:
        """Return the classes under the names found, numbered where they repeat.

        Parameters
        ----------
        classes : PhaseMap
            Those that were named.

        Returns
        -------
        PhaseMap
            The same pixels in the same classes.
        """
        if len(self.names) != classes.n_phases:
            raise InputError(f"{len(self.names)} names for {classes.n_phases} classes")
        wanted = [
            new or old for new, old in zip(self.names, classes.names, strict=True)
        ]
        names = []
        for index, name in enumerate(wanted):
            number = wanted[:index].count(name) + 1
            names.append(f"{name} {number}" if wanted.count(name) > 1 else name)
        return replace(classes, names=tuple(names))

    def __repr__(self) -> str:
        rows = {
            f"class {i + 1}": f"{name or '-'} ({score:.2f}), then {other or '-'}; "
            f"unexplained {rest:.3f}"
            for i, (name, score, other, rest) in enumerate(
                zip(self.names, self.score, self.runner_up, self.residual, strict=True)
            )
        }
        return described(f"ClassNames, references moved by {self.shift:+.2f} eV", rows)


def class_spectra(spectra: Spectra, classes: PhaseMap, /) -> ClassSpectra:
    """Average the spectra of each class, with standard errors.

    Give the spectra as they were measured (net counts, optical density), not those
    reduced to components: components hide what a class has of its own.

    Parameters
    ----------
    spectra : NetEdge, SpectralStack, StackSet, sequence of these, or ndarray
        One spectrum per pixel; an array has the shape (n_pixels, n_energies). Pixels
        that are not finite are left out.
    classes : PhaseMap
        Labels of the same pixels.

    Returns
    -------
    ClassSpectra
        In the order of the classes.

    Raises
    ------
    ValueError
        If the number of pixels differs.

    Examples
    --------
    >>> from napari_phasemap.core.data.phasemap import PhaseMap
    >>> two = PhaseMap.from_scores([[1, 0], [1, 0], [0, 1]], ["a", "b"])
    >>> class_spectra(np.array([[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]), two).mean
    array([[2., 3.],
           [9., 9.]])
    """
    parts, _, energy = spectra_parts(spectra)
    n_energies = parts[0].shape[0]
    n_pixels = sum(part.shape[1] for part in parts)
    if n_pixels != classes.n_pixels:
        raise InputError(f"{n_pixels} spectra for {classes.n_pixels} labels")
    labels = np.asarray(classes.labels, dtype=np.intp)
    count = np.zeros(classes.n_phases)
    total = np.zeros((classes.n_phases, n_energies))
    squares = np.zeros((classes.n_phases, n_energies))
    first = 0
    for part in parts:
        here = labels[first : first + part.shape[1]]
        first += part.shape[1]
        for index in range(classes.n_phases):
            block = part[:, np.flatnonzero(here == index + 1)].astype(np.float64)
            block = block[:, np.isfinite(block.sum(axis=0))]
            count[index] += block.shape[1]
            total[index] += block.sum(axis=1)
            squares[index] += np.einsum("ij,ij->i", block, block)
    n = count[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        variance = np.maximum(squares / n - mean**2, 0.0) * n / (n - 1.0)
        error = np.sqrt(variance / n)
    error[count < 2] = np.nan
    axis = np.arange(n_energies, dtype=float) if energy is None else energy
    return ClassSpectra(
        names=classes.names,
        energy=read_only(axis),
        mean=read_only(mean),
        standard_error=read_only(error),
        n_pixels=read_only(count.astype(np.int64)),
    )


def name_classes(
    spectra: ClassSpectra,
    references: ReferenceSpectra,
    /,
    *,
    tangents: bool = True,
    shifts: Sequence[float] | None = SHIFTS,
) -> ClassNames:
    """Explain each class by a non-negative mixture of references.

    The references are scaled to the same area. Two more terms of either sign, the
    power law and its derivative with respect to the exponent, take up an imperfect
    background. One energy shift is fitted for all classes together, because a shift of
    one class against the others is chemistry.

    Parameters
    ----------
    spectra : ClassSpectra
        From `class_spectra`.
    references : ReferenceSpectra
        Pure spectra without background. They must cover the energies of `spectra`,
        else the common range is used if it is at least half of them.
    tangents : bool, default=True
        Add the two background terms; False for optical density.
    shifts : sequence of float, optional
        Shifts in eV to try; None or ``(0.0,)`` for references on the same axis.

    Returns
    -------
    ClassNames
        Name, share, runner-up and unexplained part per class.

    Raises
    ------
    ValueError
        If no shift leaves half of the energies covered by the references.

    Notes
    -----
    A class of a phase that no reference shows still gets the nearest name: look at the
    unexplained part.
    """
    tried = [0.0] if shifts is None else [float(s) for s in shifts]
    rows = np.flatnonzero(np.isfinite(spectra.mean).all(axis=1))
    weights = _weights(spectra)
    # Every shift is judged on the same energies, or the longest range loses.
    reach = max(abs(s) for s in tried)
    low, high = references.energy[0] + reach, references.energy[-1] - reach
    covered = (spectra.energy >= low) & (spectra.energy <= high)
    if covered.sum() < max(spectra.energy.size / 2, 2):
        low, high = references.energy[0], references.energy[-1]
        raise InputError(
            f"references ({low:g}-{high:g} eV, shifted by up to {reach:g} eV) cover "
            f"{covered.sum()} of {spectra.energy.size} energies "
            f"({spectra.energy[0]:g}-{spectra.energy[-1]:g} eV); at least half needed"
        )
    energy = spectra.energy[covered]
    results = []
    for shift in tried:
        shapes = np.array(
            [
                np.interp(energy - shift, references.energy, r)
                for r in references.spectra
            ]
        )
        area = np.abs(shapes).sum(axis=1, keepdims=True)
        shapes /= np.where(area > 0, area, 1.0)
        results.append(
            [
                _mixture(mean[covered], weight[covered], shapes, energy, tangents)
                for mean, weight in zip(spectra.mean[rows], weights[rows], strict=True)
            ]
        )
    best = int(np.argmin([sum(rest for _, rest in fits) for fits in results]))
    return _named(
        references.names, len(spectra.names), rows, results[best], tried[best]
    )


def _weights(spectra: ClassSpectra) -> NDArray[np.float64]:
    """Return 1 / error per class and energy, 1 where no error is known."""
    error = np.where(np.isfinite(spectra.standard_error), spectra.standard_error, 0.0)
    typical = np.median(error, axis=1, keepdims=True)
    # A few channels of no scatter (one pixel, zeros) must not carry all the weight.
    floor = np.maximum(error, 0.3 * typical)
    scale = np.where(typical > 0, typical, 1.0)
    weights: NDArray[np.float64] = np.where(
        floor > 0, scale / np.maximum(floor, 1e-300), 1.0
    )
    return weights


def _mixture(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    shapes: NDArray[np.float64],
    energy: NDArray[np.float64],
    tangents: bool,
) -> tuple[NDArray[np.float64], float]:
    """Return non-negative weights of the shapes and the unexplained part."""
    from scipy.optimize import nnls

    columns = [*shapes]
    if tangents:
        x = np.log(energy / energy.mean())
        law = np.exp(-TANGENT_EXPONENT * x)
        law /= law.sum()
        columns += [law, -law, law * x, -law * x]
    target = values * weights
    size = float(np.linalg.norm(target))
    if not size > 0:
        return np.zeros(len(shapes)), 0.0
    # nnls stops early on tiny numbers: work with a target of length 1.
    matrix = np.array(columns).T * weights[:, None]
    scale = np.linalg.norm(matrix, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    found, rest = nnls(matrix / scale, target / size)
    return found[: len(shapes)] / scale[: len(shapes)], float(rest**2)


def _named(
    names: tuple[str, ...],
    n_classes: int,
    rows: NDArray[np.intp],
    fits: list[tuple[NDArray[np.float64], float]],
    shift: float,
) -> ClassNames:
    """Return names and shares in the order of all classes."""
    shares = np.full((n_classes, len(names)), np.nan)
    residual = np.full(n_classes, np.nan)
    first, second = [""] * n_classes, [""] * n_classes
    score = np.full(n_classes, np.nan)
    for row, (amounts, rest) in zip(rows, fits, strict=True):
        residual[row] = rest
        if not amounts.sum() > 0:
            continue
        shares[row] = amounts / amounts.sum()
        order = np.argsort(-shares[row])
        first[row], score[row] = names[order[0]], shares[row][order[0]]
        if len(order) > 1 and shares[row][order[1]] > 0:
            second[row] = names[order[1]]
    return ClassNames(
        names=tuple(first),
        runner_up=tuple(second),
        shares=read_only(shares),
        score=read_only(score),
        residual=read_only(residual),
        shift=shift,
    )
