"""Spectra as a person looks at them: as measured, normalized, or against another.

* `Curve`: a named spectrum with its spread.
* `WAYS`, `shown_as`: what can be plotted of a curve.
* `curve_table`: curves as the columns of a table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.phases.spectra import standardize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["WAYS", "Curve", "Way", "curve_table", "scale_to", "shown_as"]

Way: TypeAlias = Literal["as measured", "normalized", "difference", "ratio"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, eq=False)
class Curve:
    """A spectrum that is drawn.

    Parameters
    ----------
    name : str
        For the legend and the table.
    values : ndarray of shape (n_energies,)
        In the unit of the plot; NaN is a gap.
    spread : ndarray of shape (n_energies,), optional
        Half of the width of the band around it, in the same unit.
    color : str, optional
        Hexadecimal; None takes the next of the plot.
    is_reference : bool, default=False
        References are dashed.
    """

    name: str
    values: NDArray[np.float64]
    spread: NDArray[np.float64] | None = None
    color: str | None = None
    is_reference: bool = False


def scale_to(values: NDArray[np.float64], standard: NDArray[np.float64], /) -> float:
    """Return the factor by which a standard comes closest to a spectrum.

    The least squares factor, sum(x p) / sum(p p), over the energies where both are
    finite.

    Parameters
    ----------
    values, standard : ndarray of shape (n_energies,)
        A spectrum, and what it is compared with, each in any unit.

    Returns
    -------
    float
        NaN where the standard is zero.

    Examples
    --------
    >>> scale_to(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    2.0
    """
    known = np.isfinite(values) & np.isfinite(standard)
    x, p = values[known], standard[known]
    square = float(p @ p)
    return float(x @ p) / square if square > 0 else float("nan")


def shown_as(
    curve: Curve, way: Way, standard: NDArray[np.float64] | None = None, /
) -> Curve:
    """Return a curve as it is plotted.

    Parameters
    ----------
    curve : Curve
        As measured.
    way : {"as measured", "normalized", "difference", "ratio"}
        * ``normalized``: minus its mean, over its standard deviation.
        * ``difference``: minus the standard, scaled to the curve with `scale_to`:
          references have an amount of material of their own.
        * ``ratio``: over the standard scaled likewise; NaN where that is 0.
    standard : ndarray of shape (n_energies,), optional
        Needed by ``difference`` and ``ratio``, in any unit.

    Returns
    -------
    Curve
        A normalized spread is scaled with the curve; a difference or a ratio has none:
        most of a spread comes from amounts of material, which were scaled away.

    Raises
    ------
    ValueError
        If the standard is missing, or the way unknown.

    Examples
    --------
    >>> curve = Curve("x", np.array([2.0, 5.0, 4.0]))
    >>> shown_as(curve, "ratio", np.array([1.0, 1.0, 1.0])).values.round(3).tolist()
    [0.545, 1.364, 1.091]
    """
    if way == "as measured":
        return curve
    if way not in WAYS:
        raise InputError(f"{way=} is not one of {WAYS}")
    values = curve.values
    if way == "normalized":
        spread = None if curve.spread is None else curve.spread / (values.std() or 1.0)
        return replace(curve, values=standardize(values), spread=spread)
    if standard is None:
        raise InputError(f"a {way} needs a spectrum to compare with; choose one")
    scaled = scale_to(values, standard) * standard
    if way == "difference":
        return replace(curve, values=values - scaled, spread=None)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = values / np.where(scaled != 0, scaled, np.nan)
    return replace(curve, values=ratio, spread=None)


def curve_table(
    energy: NDArray[np.float64], curves: Sequence[Curve], /
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the numbers of a plot.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In eV.
    curves : sequence of Curve
        As drawn.

    Returns
    -------
    headings : tuple of str
        "energy (eV)", then the name of each curve, followed by its spread.
    numbers : ndarray of shape (n_energies, n_columns)
        In eV, then in the unit of the plot.
    """
    headings, columns = ["energy (eV)"], [np.asarray(energy, dtype=np.float64)]
    for curve in curves:
        headings.append(curve.name)
        columns.append(curve.values)
        if curve.spread is not None:
            headings.append(f"{curve.name} spread")
            columns.append(curve.spread)
    return tuple(headings), np.stack(columns, axis=1)
