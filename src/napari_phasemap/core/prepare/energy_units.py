"""Energies of a text file in eV, decided by the numbers.

* `energies_in_ev`: eV from numbers in eV or keV; refuses what no edge lies at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HIGHEST", "LOWEST", "energies_in_ev"]

#: Energies of photons that absorb at an edge, in eV: from below the lowest edge that
#: is mapped (Li K 55, Al L 73) to above the highest (U K 115 600).
LOWEST, HIGHEST = 20.0, 200_000.0
#: One scan reaches at most from an energy to this many times as much.
WIDEST = 4.0
#: Numbers up to here are keV as well as eV (Mo K 20.0, Si L 99.2); what tells them
#: apart is their step: no scan in eV has such a fine one.
DOUBTFUL, FINEST_EV = 200.0, 0.02


def energies_in_ev(
    values: NDArray[np.float64],
    /,
    *,
    unit: str = "",
    told: Literal["eV", "keV"] | None = None,
) -> tuple[NDArray[np.float64], str]:
    """Return energies in eV and, where they were converted, a sentence on why.

    Numbers from 0.02 to 20 that reach no further than four times the lowest are keV,
    numbers from 200 on are eV, whatever a header says; between, the label of the
    column decides, else the step. Words in comments decide nothing.

    Parameters
    ----------
    values : ndarray of shape (n_energies,)
        In the unit of the file, finite.
    unit : str, default=""
        What the label of the column says.
    told : {"eV", "keV"}, optional
        What the user or the format of the file says; energies below 20 eV are taken
        then, as energy losses have them.

    Returns
    -------
    energy : ndarray of shape (n_energies,)
        In eV.
    note : str
        Empty where the numbers are eV and nothing else was said.

    Raises
    ------
    InputError
        For energies relative to an edge, outside 20 eV to 200 keV, in another unit,
        or where numbers and label leave it open.

    Examples
    --------
    >>> energies_in_ev(np.array([8.2, 8.3]))
    (array([8200., 8300.]), 'energies 8.2-8.3 are keV by their size; converted to eV')
    >>> energies_in_ev(np.array([6339.0, 6449.0]), unit="keV")[1]
    'energies 6339-6449 are eV by their size, though their label says keV'
    """
    low, high = float(values.min()), float(values.max())
    span = f"energies {low:g}-{high:g}"
    if told is not None:
        energy = values * (1000.0 if told == "keV" else 1.0)
        return _inside(energy, span, lowest=-np.inf), ""
    if unit and unit.lower() not in ("ev", "kev"):
        raise InputError(
            f"{span} are in {unit!r} by their label, not in eV or keV; give the unit "
            "of the energies (energy_unit) if they are energies"
        )
    if low < 0 or (low < LOWEST and not _in_kev(values)):
        raise InputError(
            f"{span} are no photon energies: they look relative to an edge or are not "
            "energies at all. Add the energy of the edge to them, or say "
            "energy_unit='eV' if they are energy losses"
        )
    label = unit.lower()
    if low >= DOUBTFUL:
        note = f"{span} are eV by their size, though their label says keV"
        return _inside(values, span), note if label == "kev" else ""
    if low < LOWEST:
        if label == "ev":
            raise InputError(
                f"{span} are keV by their size, but their label says eV; give the "
                "unit (energy_unit)"
            )
        note = f"{span} are keV by their size; converted to eV"
        return _inside(values * 1000.0, span), note
    step = float(np.median(np.abs(np.diff(values)))) if len(values) > 1 else np.inf
    if label == "kev":
        note = f"{span} are keV by their label; converted to eV"
        return _inside(values * 1000.0, span), note
    if not label and step < FINEST_EV:
        raise InputError(
            f"{span} in steps of {step:g} may be eV as well as keV; give the unit "
            "(energy_unit)"
        )
    return _inside(values, span), ""


def _in_kev(values: NDArray[np.float64]) -> bool:
    """Whether numbers are in keV what a scan over an edge is."""
    low, high = float(values.min()), float(values.max())
    return low >= LOWEST / 1000.0 and high <= WIDEST * low


def _inside(
    energy: NDArray[np.float64], span: str, *, lowest: float = LOWEST
) -> NDArray[np.float64]:
    """Return energies, refused where no edge lies."""
    if energy.min() < lowest or energy.max() > HIGHEST:
        raise InputError(
            f"{span} would be {energy.min():g} to {energy.max():g} eV; energies of "
            f"references lie between {lowest:g} and {HIGHEST:g} eV"
        )
    return energy
