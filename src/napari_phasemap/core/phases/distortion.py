"""What stands between references and spectra.

* `Distortion`: a common shift, stray light and an error of I0 at every energy.
* `undistorted`: spectra without stray light and errors of I0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

__all__ = ["Distortion", "undistorted"]


@dataclass(frozen=True)
class Distortion:
    """What stands between the references and the spectra.

    Parameters
    ----------
    shift, shift_error : float
        By which the references have to be moved to higher energy, and its standard
        error, in eV; NaN where none can be fitted.
    stray, stray_error : float
        Intensity that reaches the detector beside the specimen, as a share of I0.
    offsets, offset_errors : ndarray of shape (n_groups, n_energies)
        Optical density that is too high at every energy: ln of the error of I0.
    """

    shift: float
    shift_error: float
    stray: float
    stray_error: float
    offsets: Doubles
    offset_errors: Doubles


def undistorted(
    spectra: Doubles, stray: float, offsets: NDArray[np.floating], /
) -> Doubles:
    r"""Return optical density without stray light and errors of I0.

    With a share f of stray light, :math:`e^{-D'} = (e^{-D} + f) / (1 + f)`.

    Parameters
    ----------
    spectra : ndarray of shape (..., n_energies)
        Measured optical density.
    stray : float
        f; negative where too much was subtracted.
    offsets : ndarray of any shape that broadcasts to that of `spectra`
        Subtracted first, in optical density.

    Returns
    -------
    ndarray of shape (..., n_energies)
        In optical density; NaN where nothing but stray light was measured.
    """
    transmitted = (1.0 + stray) * np.exp(-(spectra - offsets)) - stray
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(-np.log(np.where(transmitted > 0, transmitted, np.nan)))
