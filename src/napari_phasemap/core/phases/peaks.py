"""Where a spectrum has its peaks and its edge.

* `find_peaks`: the most prominent ones.
* `find_edge`: where it rises fastest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["find_edge", "find_peaks"]

#: A peak stands out of its surroundings by this part of the range of the spectrum.
PROMINENCE = 0.08


def find_peaks(
    energy: NDArray[np.float64], values: NDArray[np.float64], /, *, n_most: int = 4
) -> NDArray[np.float64]:
    """Return the energies of the most prominent peaks.

    A peak is the top of the parabola through a maximum and its two neighbors, whatever
    their distances.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In eV, strictly increasing.
    values : ndarray of shape (n_energies,)
        Of any unit; where one is NaN there are no peaks.
    n_most : int, default=4
        Not more than so many.

    Returns
    -------
    ndarray of shape (n_peaks,)
        In eV, increasing.

    Examples
    --------
    >>> energy = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> find_peaks(energy, np.array([0.0, 1.0, 4.0, 1.0, 0.0])).tolist()
    [3.0]
    """
    from scipy import signal

    if len(values) < 3 or not np.isfinite(values).all():
        return np.zeros(0)
    least = PROMINENCE * float(np.ptp(values))
    if least <= 0:
        return np.zeros(0)
    tops, about = signal.find_peaks(values, prominence=least)
    most = tops[np.argsort(-about["prominences"], kind="stable")[:n_most]]
    return np.array(sorted(_top(energy, values, int(at)) for at in most))


def find_edge(
    energy: NDArray[np.float64], values: NDArray[np.float64], /
) -> float | None:
    """Return the energy in the middle of the step where a spectrum rises fastest.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In eV, strictly increasing.
    values : ndarray of shape (n_energies,)
        Of any unit.

    Returns
    -------
    float or None
        In eV; None for a spectrum that never rises, or with NaN.

    Examples
    --------
    >>> find_edge(np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.1, 1.0]))
    2.5
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    slopes = np.diff(values) / np.diff(energy)
    steepest = int(np.argmax(slopes))
    if slopes[steepest] <= 0:
        return None
    return float(0.5 * (energy[steepest] + energy[steepest + 1]))


def _top(energy: NDArray[np.float64], values: NDArray[np.float64], at: int) -> float:
    """Return the top of the parabola through three points, within them."""
    x, y = energy[at - 1 : at + 2] - energy[at], values[at - 1 : at + 2] - values[at]
    left, right = y[0] / x[0], y[2] / x[2]
    curvature = (right - left) / (x[2] - x[0])
    if curvature >= 0:
        return float(energy[at])
    slope = left - curvature * x[0]
    offset = float(np.clip(-slope / (2 * curvature), x[0], x[2]))
    return float(energy[at] + offset)
