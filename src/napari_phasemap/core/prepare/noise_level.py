"""How noisy is optical density that was opened as such.

* `estimate_noise`: one scale, from a flat region, repeated scans or the best fits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import density_noise
from napari_phasemap.core.prepare.masking import image_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.noise import NoiseSource
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["estimate_noise"]

#: Median of the square of a standard normal deviate.
MEDIAN_SQUARE = 0.45494
#: Pixels the best fits of which are looked at: more change the scale by < 1 %.
MOST_PIXELS = 20_000
#: Below so many values a scale is worth nothing (10 % from 200).
FEWEST_VALUES = 50


def estimate_noise(
    stack: SpectralStack,
    /,
    *,
    region: ArrayLike | None = None,
    repeats: Sequence[SpectralStack] = (),
    references: ReferenceSpectra | None = None,
) -> SpectralStack:
    r"""Estimate the noise of optical density whose counts are gone.

    The variance of a density D is :math:`s\,e^D`; s, the inverse of the incident
    photons, is taken as one number. Give one of the three:

    Parameters
    ----------
    stack : SpectralStack
        Optical density, or net counts (whose variance then is s everywhere).
    region : array_like of bool of shape (n_rows, n_cols), optional
        Where the specimen is even: s follows from differences of neighboring pixels.
    repeats : sequence of SpectralStack, optional
        More scans of the same field of view, aligned with `stack`.
    references : ReferenceSpectra, optional
        s follows from what the best reference, scaled and with an offset, leaves.
        Where no reference fits, the noise comes out too large.

    Returns
    -------
    SpectralStack
        The same values, with a noise that says where it is from.

    Raises
    ------
    InputError
        If not exactly one of the three is given, or too few values are left.
    """
    given = (region is not None) + bool(repeats) + (references is not None)
    if given != 1:
        raise InputError(f"give one of region, repeats and references; got {given}")
    if stack.quantity == "counts":
        raise InputError(f"{stack.name!r} holds counts, whose noise is known")
    source: NoiseSource
    if references is not None:
        source, squares = "residual of the best fits", _of_fits(stack, references)
    elif repeats:
        source, squares = "repeated frames", _of_repeats([stack, *repeats])
    else:
        source = "flat region"
        squares = _of_region(stack, image_mask(stack, region, "region"))
    squares = squares[np.isfinite(squares)]
    if squares.size < FEWEST_VALUES:
        raise InputError(
            f"the noise cannot be estimated from {squares.size} values of "
            f"{stack.name!r}; at least {FEWEST_VALUES} are needed"
        )
    scale = float(np.mean(squares))
    if source == "flat region":
        scale = float(np.median(squares)) / MEDIAN_SQUARE
    elif source == "residual of the best fits":
        scale = float(np.median(squares))
    if not scale > 0:
        raise InputError(f"{stack.name!r} has no noise: its values repeat exactly")
    noise = density_noise(np.full(stack.n_energies, 1.0 / scale))
    if stack.quantity == "net_counts":
        noise = replace(noise, shot=noise.dark, common=noise.shot)
    return replace(
        stack,
        noise=replace(noise, source=source),
        history=(*stack.history, f"noise estimated from: {source}"),
    )


def _residual_scale(
    spectra: NDArray[np.floating],
    variance: NDArray[np.floating],
    references: NDArray[np.float64],
    /,
) -> NDArray[np.float64]:
    """Return per pixel what the best scaled reference with an offset leaves.

    Sums of squared residuals over their variance, divided by the median that they have
    for the right variance; empty with fewer than three energies.
    """
    from scipy.stats import chi2

    n_energies = spectra.shape[1]
    if n_energies < 3:
        return np.empty(0)
    sigma = np.sqrt(variance)
    values = spectra / sigma
    best = np.full(len(values), np.inf)
    for reference in references:
        one, two = 1.0 / sigma, reference / sigma
        one = one / np.linalg.norm(one, axis=1, keepdims=True)
        two = two - np.sum(two * one, axis=1, keepdims=True) * one
        two = two / np.linalg.norm(two, axis=1, keepdims=True)
        left = values - np.sum(values * one, axis=1, keepdims=True) * one
        left = left - np.sum(left * two, axis=1, keepdims=True) * two
        best = np.fmin(best, np.sum(left**2, axis=1))
    return np.asarray(best / chi2.median(n_energies - 2))


def _growth(stack: SpectralStack, density: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the variance of values up to a common factor."""
    if stack.quantity == "optical_density":
        return np.exp(density.astype(np.float64))
    return np.ones(density.shape)


def _of_fits(stack: SpectralStack, references: ReferenceSpectra) -> NDArray[np.float64]:
    present = ~stack.missing_frames
    spectra = stack.spectra()[:, present].astype(np.float64)
    spectra = spectra[:: max(len(spectra) // MOST_PIXELS, 1)]
    spectra = spectra[np.isfinite(spectra).all(axis=1)]
    shapes = references.resample(stack.energy[present]).spectra
    return _residual_scale(spectra, _growth(stack, spectra), shapes)


def _of_repeats(stacks: list[SpectralStack]) -> NDArray[np.float64]:
    first = stacks[0]
    for other in stacks[1:]:
        if other.data.shape != first.data.shape:
            raise InputError(
                f"{first.name!r} {first.data.shape} and {other.name!r} "
                f"{other.data.shape} are no repetitions of one scan"
            )
    values = np.array([np.asarray(one.data)[:, first.mask] for one in stacks])
    values = values.astype(np.float64)
    mean = values.mean(axis=0)
    return np.asarray((values.var(axis=0, ddof=1) / _growth(first, mean)).ravel())


def _of_region(stack: SpectralStack, region: NDArray[np.bool_]) -> NDArray[np.float64]:
    pairs = region[:, 1:] & region[:, :-1]
    found = []
    for index in np.flatnonzero(~stack.missing_frames):
        frame = np.asarray(stack.data[index]).astype(np.float64)
        left, right = frame[:, :-1][pairs], frame[:, 1:][pairs]
        found.append((right - left) ** 2 / 2.0 / _growth(stack, (left + right) / 2.0))
    return np.concatenate(found) if found else np.empty(0)
