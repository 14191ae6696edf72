"""What the spectra of a group of pixels look like.

* `mean_spectra`: mean and standard deviation per class.
* `standardize`: spectra as Pearson's r compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.stack_set import as_set

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.stack_set import Stacks

__all__ = ["mean_spectra", "standardize"]


def mean_spectra(
    stacks: Stacks, labels: NDArray[Any], n_classes: int, /
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return mean and standard deviation of the spectra of each class.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        The measured spectra.
    labels : ndarray of int of shape (n_pixels,)
        1..n_classes; pixels of class 0 are left out.
    n_classes : int
        Number of classes.

    Returns
    -------
    mean, std : ndarray of shape (n_classes, n_energies)
        In the unit of the stacks; NaN for a class without pixels. A NaN in a spectrum
        makes its class NaN at that energy.
    n_pixels : ndarray of int of shape (n_classes,)
        Pixels of each class.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> from napari_phasemap.core.data.stack_set import StackSet
    >>> stacks = StackSet([SpectralStack([[[1.0, 3.0]], [[2.0, 6.0]]], [1.0, 2.0])])
    >>> mean_spectra(stacks, np.array([1, 1]), 1)[0]
    array([[2., 4.]])
    """
    stacks, labels = as_set(stacks), np.asarray(labels)
    count = np.bincount(labels, minlength=n_classes + 1)[1 : n_classes + 1]
    shape = (n_classes, stacks.n_energies)
    total, square = np.zeros(shape), np.zeros(shape)
    frames = np.flatnonzero(stacks.energy_used)
    for stack, part in zip(stacks, stacks.split(labels), strict=True):
        chosen = np.flatnonzero(part)
        pixels, part = np.flatnonzero(stack.mask)[chosen], part[chosen]
        for column, frame in enumerate(frames):
            values = np.asarray(stack.data[frame]).reshape(-1)[pixels]
            # float64: a float32 sum of squares loses the digits that std needs
            values = values.astype(np.float64)
            total[:, column] += _sums(part, values, n_classes)
            square[:, column] += _sums(part, values * values, n_classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count[:, np.newaxis]
        variance = square / count[:, np.newaxis] - mean * mean
    return mean, np.sqrt(np.maximum(variance, 0.0)), count.astype(np.int64)


def standardize(spectra: ArrayLike, /) -> NDArray[np.float64]:
    """Return each spectrum minus its mean, over its standard deviation.

    Parameters
    ----------
    spectra : array_like of shape (..., n_energies)
        In any unit. A constant spectrum becomes NaN.

    Returns
    -------
    ndarray of the same shape
        Dimensionless.

    Examples
    --------
    >>> standardize([1.0, 2.0, 3.0]).round(3)
    array([-1.225,  0.   ,  1.225])
    """
    values = np.asarray(spectra, dtype=np.float64)
    centered = values - values.mean(axis=-1, keepdims=True)
    width = centered.std(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled: NDArray[np.float64] = np.where(width > 0, centered / width, np.nan)
    return scaled


def _sums(
    labels: NDArray[Any], values: NDArray[np.float64], n_classes: int
) -> NDArray[np.float64]:
    if n_classes == 1:
        return np.array([values.sum()])
    sums = np.bincount(labels, weights=values, minlength=n_classes + 1)
    return sums[1 : n_classes + 1].astype(np.float64)
