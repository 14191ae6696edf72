"""What is wrong with references and I0, fitted to the spectra of many pixels at once.

* `fit_distortion`: the most probable `Distortion`, with standard errors.
* `phase_residuals`: what the references leave, by phase and energy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.phases.distortion import Distortion, undistorted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    #: References at the energies of the stacks, moved up by a shift in eV.
    Shapes = Callable[[float], Doubles]

__all__ = ["Sample", "fit_distortion", "phase_residuals"]

#: Shifts tried first, in eV: beyond, another calibration is needed.
TRIED = np.arange(-6, 7) * 0.1
#: Step of derivatives by the shift, in eV.
STEP = 0.02
#: What is expected beforehand (standard deviations): stray light, relative error of I0.
#: With thousands of pixels it matters only where the data say nothing.
EXPECTED_STRAY, EXPECTED_I0 = 0.05, 0.05
#: Iterations at every shift that is tried, and of the final fit.
N_TRIAL, N_FINAL = 3, 25
#: Pixels at every shift that is tried.
TRIAL_PIXELS = 1500
#: Weight that keeps the error of I0 from looking like the specimen: a multiple of the
#: mean reference is the same as a little more of every pixel's amount.
NOT_SPECIMEN = 1e9
#: Standard errors never are below these: shift in eV, stray light, optical density.
#: What pixels that are mixtures do to a model that has none, seen on simulators.
LEAST_ERRORS = (0.007, 0.002, 0.002)
#: Longest step of the shift in one iteration, in eV.
LONGEST = 0.05
#: The largest factor by which not knowing the phases makes a variance larger.
MOST_INFLATED = 100.0
#: Share of pixels that may fit nothing, and how many standard deviations above its mean
#: a misfit is as likely as that.
STRANGERS, STRANGE = 0.02, 4.0
#: Iterations for the proportions of the phases of a particle.
N_PROPORTIONS = 5


@dataclass(frozen=True)
class Sample:
    """The pixels that are looked at.

    Parameters
    ----------
    spectra, variance : ndarray of shape (n_pixels, n_energies)
        Optical density and its variance.
    particle, group : ndarray of int of shape (n_pixels,)
        Which particle a pixel belongs to, and which group has its own I0 error.
    energy : ndarray of shape (n_energies,)
        In eV.
    """

    spectra: Doubles
    variance: Doubles
    particle: NDArray[np.int64]
    group: NDArray[np.int64]
    energy: Doubles

    def some(self, n_pixels: int, /) -> Sample:
        """Return about so many pixels, spread over all.

        Parameters
        ----------
        n_pixels : int
            Fewer than twice as many are returned.

        Returns
        -------
        Sample
            All of them where there are no more.
        """
        rows = slice(None, None, max(len(self.spectra) // n_pixels, 1))
        return replace(
            self,
            spectra=self.spectra[rows],
            variance=self.variance[rows],
            particle=self.particle[rows],
            group=self.group[rows],
        )

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1


@dataclass(frozen=True)
class _Fit:
    """The references fitted to every pixel under one distortion."""

    amounts: Doubles
    responsibilities: Doubles
    residuals: Doubles
    misfit: Doubles
    objective: float


def fit_distortion(
    sample: Sample,
    shapes: Shapes,
    /,
    *,
    shiftable: bool,
    on_progress: OnProgress = ignore_progress,
) -> Distortion:
    r"""Fit shift, stray light and the error of I0 jointly.

    Maximizes the likelihood of the spectra with their phases unknown: every pixel is
    one of the references with a probability, or fits nothing (expectation), and one
    Gauss-Newton step follows for what all pixels share, with every pixel's amount
    projected out (maximization) [1]_. Several shifts are started from, because
    neighboring phases imitate one another's shifts.

    Parameters
    ----------
    sample : Sample
        Pixels of one phase each, as far as can be told.
    shapes : callable
        References moved up by a shift in eV, of shape (n_references, n_energies).
    shiftable : bool
        False leaves the shift at 0, and NaN in the result.
    on_progress : callable, optional
        Told the number of shifts that were tried; may raise `Cancelled`.

    Returns
    -------
    Distortion

    References
    ----------
    .. [1] A. P. Dempster, N. M. Laird, D. B. Rubin, J. R. Stat. Soc. B 39 (1977) 1-22,
       DOI: 10.1111/j.2517-6161.1977.tb01600.x
    """
    few = sample.some(TRIAL_PIXELS)
    zeros = np.zeros((sample.n_groups, sample.spectra.shape[1]))
    start = Distortion(0.0, np.nan, 0.0, np.nan, zeros, zeros)
    trials, scales = [], []
    tried = TRIED if shiftable else [0.0]
    n_tried = len(tried)
    for number, shift in enumerate(tried):
        found = replace(start, shift=float(shift))
        for _ in range(N_TRIAL):
            on_progress(number, n_tried, "fitting references")
            found = _improved(
                sample, shapes, found, _scale(sample, shapes, found), move=False
            )
        trials.append(found)
        scales.append(_scale(few, shapes, found))
    scale = min(scales)
    fits = [_fitted(few, shapes, found, scale).objective for found in trials]
    best = trials[int(np.argmin(fits))]
    for _ in range(N_FINAL):
        on_progress(n_tried, n_tried, "fitting references")
        best = _improved(sample, shapes, best, scale, move=shiftable)
    return _with_errors(sample, shapes, best, scale, shiftable)


def _with_errors(
    sample: Sample, shapes: Shapes, found: Distortion, scale: float, shiftable: bool
) -> Distortion:
    """Return honest standard errors: phases are not known, and pixels are mixtures."""
    inflation = 1.0
    if shiftable:
        below, at, above = (
            _fitted(
                sample, shapes, replace(found, shift=found.shift + step), scale
            ).objective
            for step in (-STEP, 0.0, STEP)
        )
        known = found.shift_error**-2
        inflation = max(known * STEP**2 / max(below + above - 2 * at, 1e-9), 1.0)
    factor = float(np.sqrt(min(inflation, MOST_INFLATED)))
    shift, stray, offset = LEAST_ERRORS
    return replace(
        found,
        shift=found.shift if shiftable else np.nan,
        shift_error=np.hypot(found.shift_error * factor, shift)
        if shiftable
        else np.nan,
        stray_error=float(np.hypot(found.stray_error * factor, stray)),
        offset_errors=np.hypot(found.offset_errors * factor, offset),
    )


def phase_residuals(
    sample: Sample, shapes: Shapes, found: Distortion, /
) -> tuple[Doubles, Doubles]:
    """Return what the references leave on average, and its standard error.

    Parameters
    ----------
    sample : Sample
        Pixels.
    shapes : callable
        As for `fit_distortion`.
    found : Distortion
        What was corrected; a shift of NaN is none.

    Returns
    -------
    residuals, errors : ndarray of shape (n_references, n_energies)
        Optical density at the mean amount of the phase; NaN where it has no pixel.
    """
    found = replace(found, shift=float(np.nan_to_num(found.shift)))
    fit = _fitted(sample, shapes, found, _scale(sample, shapes, found))
    weights = fit.responsibilities[:, :, None]
    total = weights.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weights * fit.residuals).sum(axis=0) / total
        spread = (weights * (fit.residuals - mean) ** 2).sum(axis=0) / total
        return mean, np.sqrt(spread / total)


def _scale(sample: Sample, shapes: Shapes, distortion: Distortion) -> float:
    """Return the variance of the residuals in units of the one that was expected."""
    least = _fitted(sample, shapes, distortion, 1.0).misfit.min(axis=1)
    return float(max(np.median(least) / (sample.spectra.shape[1] - 1), 1e-9))


def _fitted(
    sample: Sample, shapes: Shapes, distortion: Distortion, scale: float
) -> _Fit:
    """Fit every reference to every pixel, and say how probable each is."""
    offsets = distortion.offsets[sample.group]
    spectra = np.nan_to_num(undistorted(sample.spectra, distortion.stray, offsets))
    weights = 1.0 / sample.variance
    moved = shapes(distortion.shift)
    products = (spectra * weights) @ moved.T
    amounts = np.maximum(products / (weights @ (moved**2).T), 0.0)
    squares = np.sum(spectra**2 * weights, axis=1, keepdims=True)
    misfit = squares - amounts * products
    freedom = spectra.shape[1] - 1
    likelihood = np.exp(-0.5 * (misfit / scale - freedom))
    strange = STRANGERS * np.exp(-0.5 * STRANGE * np.sqrt(2.0 * freedom))
    shares = np.ones((int(sample.particle.max()) + 1, len(moved))) / len(moved)
    for _ in range(N_PROPORTIONS):
        own = likelihood * shares[sample.particle]
        total = own.sum(axis=1, keepdims=True) + strange
        own /= total
        shares = np.full(shares.shape, 1e-3)
        np.add.at(shares, sample.particle, own)
        shares /= shares.sum(axis=1, keepdims=True)
    residuals = spectra[:, None, :] - amounts[:, :, None] * moved
    return _Fit(amounts, own, residuals, misfit, -float(np.log(total).sum()))


def _improved(
    sample: Sample,
    shapes: Shapes,
    found: Distortion,
    scale: float,
    *,
    move: bool,
) -> Distortion:
    """Take one Gauss-Newton step, with or without the shift."""
    fit = _fitted(sample, shapes, found, scale)
    moved = shapes(found.shift)
    slopes = (shapes(found.shift + STEP) - shapes(found.shift - STEP)) / (2.0 * STEP)
    n_groups, n_energies = found.offsets.shape
    free = [0, 1] if move else [1]
    information = np.zeros((2, 2))
    information[1, 1] = EXPECTED_STRAY**-2
    pull = np.array([0.0, -found.stray * EXPECTED_STRAY**-2])
    solved = []
    forbidden = _specimen_like(sample.energy, moved)
    for group in range(n_groups):
        rows = np.flatnonzero(sample.group == group)
        own = np.eye(n_energies) * EXPECTED_I0**-2
        own += NOT_SPECIMEN * np.outer(forbidden, forbidden)
        own_pull = -own @ found.offsets[group]
        cross = np.zeros((2, n_energies))
        weights = 1.0 / (scale * sample.variance[rows])
        for k, (reference, slope) in enumerate(zip(moved, slopes, strict=True)):
            part = _Normal(
                weights,
                reference,
                fit.responsibilities[rows, k],
                fit.residuals[rows, k],
            )
            amount = fit.amounts[rows, k, None]
            stray = (1.0 - np.exp(amount * reference)) / (1.0 + found.stray)
            common = (amount * slope, stray)
            projected = [part.projected(column) for column in common]
            for a, one in enumerate(projected):
                pull[a] += np.sum(one * part.residual)
                cross[a] += one.sum(axis=0)
                for b, other in enumerate(common):
                    information[a, b] += np.sum(one * other)
            own += part.energies()
            own_pull += part.projected(part.residual).sum(axis=0)
        inverse = np.linalg.inv(own)
        information -= cross @ inverse @ cross.T
        pull -= cross @ inverse @ own_pull
        solved.append((inverse, cross, own_pull))
    covariance = np.zeros((2, 2))
    covariance[np.ix_(free, free)] = np.linalg.inv(information[np.ix_(free, free)])
    step = covariance @ pull
    offsets = found.offsets.copy()
    errors = np.zeros_like(offsets)
    for group, (inverse, cross, own_pull) in enumerate(solved):
        offsets[group] += inverse @ (own_pull - cross.T @ step)
        leverage = inverse @ cross.T
        total = inverse + leverage @ covariance @ leverage.T
        errors[group] = np.sqrt(np.diag(total))
    return Distortion(
        shift=found.shift + float(np.clip(step[0], -LONGEST, LONGEST)),
        shift_error=float(np.sqrt(covariance[0, 0])),
        stray=found.stray + float(step[1]),
        stray_error=float(np.sqrt(covariance[1, 1])),
        offsets=offsets,
        offset_errors=errors,
    )


def _specimen_like(energy: Doubles, moved: Doubles) -> Doubles:
    """Return the mean reference without its straight line, of norm 1."""
    mean = moved.mean(axis=0)
    line = np.column_stack([np.ones_like(energy), energy - energy.mean()])
    rest = mean - line @ np.linalg.lstsq(line, mean)[0]
    return np.asarray(rest / max(np.linalg.norm(rest), 1e-12))


@dataclass(frozen=True)
class _Normal:
    """Sums over pixels of one reference, with the amount of every pixel projected out.

    With the weights W and the reference R of a pixel, P = W - W R R'W / (R'W R).
    """

    weights: Doubles
    reference: Doubles
    responsibility: Doubles
    residual: Doubles

    @property
    def _unit(self) -> Doubles:
        unit = self.weights * self.reference
        norm = np.sum(unit * self.reference, axis=1, keepdims=True)
        return np.asarray(unit / np.sqrt(norm))

    def projected(self, column: Doubles) -> Doubles:
        """Return q P column of every pixel, of shape (n_pixels, n_energies)."""
        unit = self._unit
        along = np.sum(unit * column, axis=1, keepdims=True)
        left = self.weights * column - unit * along
        return np.asarray(self.responsibility[:, None] * left)

    def energies(self) -> Doubles:
        """Return the sum of q P, of shape (n_energies, n_energies)."""
        unit = self._unit
        diagonal = np.diag(self.responsibility @ self.weights)
        return np.asarray(diagonal - (self.responsibility[:, None] * unit).T @ unit)
