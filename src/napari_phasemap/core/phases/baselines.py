"""What a reviewer asks to be compared with: the linear combination fit.

* `linear_combination_fit`: non-negative shares of the references, with the residual.
* `fit_spectrum`: the same for one spectrum, with what is left at every energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import Stacks, as_set

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra

__all__ = ["LinearFit", "fit_spectrum", "linear_combination_fit"]

#: Pixels fitted at once.
CHUNK_PIXELS = 1 << 15
#: Up to so many references every subset is tried (255 small matrix products); with
#: more, scipy's active-set method runs pixel by pixel.
MAX_SUBSETS_OF = 8


@dataclass(frozen=True, eq=False)
class LinearFit:
    """The result of `linear_combination_fit`.

    Parameters
    ----------
    phase_map : PhaseMap
        Scores are the shares; the margin is a difference of shares.
    weights : ndarray of float32 of shape (n_pixels, n_references)
        Factor of each reference, not negative; NaN for a pixel with NaN.
    residual : ndarray of float32 of shape (n_pixels,)
        Root mean square of measured minus fitted, in the unit of the stacks.
    """

    phase_map: PhaseMap
    weights: NDArray[np.float32]
    residual: NDArray[np.float32]


def linear_combination_fit(
    stacks: Stacks,
    references: ReferenceSpectra,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> LinearFit:
    r"""Fit every spectrum by a sum of references with factors that are not negative.

    Minimizes :math:`\|x - \sum_k w_k p_k\|^2` with :math:`w_k \ge 0` [1]_, exactly: the
    solution is the ordinary least squares fit on its own support, so the best feasible
    one among all subsets of references.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Optical density or net counts.
    references : ReferenceSpectra
        Interpolated to the energies of `stacks`. All for the same amount of material
        (areal density), so that shares of factors are shares of material.
    on_progress : callable, optional
        Told the number of pixels done; may raise `Cancelled`.

    Returns
    -------
    LinearFit
        Phase map by the largest share, factors and residual. Spectra with NaN or with
        no positive factor have label 0; NaN also gives NaN factors and residual.

    Raises
    ------
    ValueError
        If a reference does not cover the energies.

    References
    ----------
    .. [1] Lawson and Hanson, Solving Least Squares Problems,
       DOI: 10.1137/1.9781611971217, chapter 23.

    Examples
    --------
    >>> from napari_phasemap.core.simulate import synthetic
    >>> simulated = synthetic.particle((24, 32), seed=0, dose=1e6)
    >>> fit = linear_combination_fit(simulated.optical_density, simulated.references)
    >>> bool((fit.weights >= 0).all()), bool(np.median(fit.residual) < 0.02)
    (True, True)
    """
    stacks = as_set(stacks)
    design = references.resample(stacks.energy).spectra.T
    n_references = len(references)
    weights = np.empty((stacks.n_pixels, n_references), dtype=np.float32)
    residual = np.empty(stacks.n_pixels, dtype=np.float32)
    solve = _every_subset if n_references <= MAX_SUBSETS_OF else _pixel_by_pixel
    for index in range(len(stacks)):
        spectra, start = stacks.stack_spectra(index), int(stacks.offsets[index])
        for low in range(0, len(spectra), CHUNK_PIXELS):
            on_progress(start + low, stacks.n_pixels, "fitting")
            x = spectra[low : low + CHUNK_PIXELS].astype(np.float64)
            bad = np.asarray(~np.isfinite(x).all(axis=1))
            x[bad] = 0.0
            w = solve(x, design)
            part = slice(start + low, start + low + len(x))
            weights[part] = np.where(bad[:, None], np.nan, w)
            rms = np.sqrt(((x - w @ design.T) ** 2).mean(axis=1))
            residual[part] = np.where(bad, np.nan, rms)
    on_progress(stacks.n_pixels, stacks.n_pixels, "fitting")
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = weights / weights.sum(axis=1, keepdims=True)
    phase_map = PhaseMap.from_scores(
        shares,
        references.names,
        method="linear combination",
        parameters={"references": list(references.names), "stacks": [*stacks.names]},
    )
    return LinearFit(phase_map=phase_map, weights=weights, residual=residual)


def fit_spectrum(
    values: ArrayLike, standards: ArrayLike, /
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit one spectrum by a sum of standards with factors that are not negative.

    Parameters
    ----------
    values : array_like of shape (n_energies,)
        In any unit; energies with NaN take no part.
    standards : array_like of shape (n_standards, n_energies)
        On the same energies, in any unit.

    Returns
    -------
    factors : ndarray of shape (n_standards,)
        As of `linear_combination_fit`, dimensionless where both units are one.
    residual : ndarray of shape (n_energies,)
        Measured minus fitted, in the unit of `values`; NaN where that is.

    Examples
    --------
    >>> fit_spectrum([2.0, 1.0, 0.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])[0].tolist()
    [2.0, 1.0]
    """
    from scipy.optimize import nnls

    x = np.asarray(values, dtype=np.float64)
    design = np.asarray(standards, dtype=np.float64).T
    known = np.isfinite(x)
    factors = np.asarray(nnls(design[known], x[known])[0], dtype=np.float64)
    return factors, x - design @ factors


def _every_subset(
    x: NDArray[np.float64], design: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return NNLS factors (n, n_references): the best feasible subset of each row."""
    n_references = design.shape[1]
    best = np.zeros((len(x), n_references))
    explained = np.zeros(len(x))
    products = x @ design
    for size in range(1, n_references + 1):
        for chosen in combinations(range(n_references), size):
            columns = list(chosen)
            w = x @ np.linalg.pinv(design[:, columns]).T
            # |x|^2 - |x - Aw|^2 = w.A'x for a least squares fit
            gain = np.einsum("ij,ij->i", w, products[:, columns])
            better = (w >= 0).all(axis=1) & (gain > explained)
            rows = np.flatnonzero(better)
            best[rows] = 0.0
            best[rows[:, None], columns] = w[rows]
            explained[rows] = gain[rows]
    return best


def _pixel_by_pixel(
    x: NDArray[np.float64], design: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return NNLS factors (n, n_references) by scipy."""
    from scipy.optimize import nnls

    return np.array([nnls(design, row)[0] for row in x]).reshape(-1, design.shape[1])
