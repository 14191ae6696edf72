"""What each column of a text file is, by its name and its numbers.

* `recognize`: columns with role and reason, and what has to be asked.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from napari_phasemap.core.prepare.column_roles import Column, ColumnTable, lacks
from napari_phasemap.core.prepare.column_words import Role, bare, role_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["recognize"]

#: Spectra of one library differ in scale by less; clocks and counts beside optical
#: densities differ by more.
WIDEST_SCALES = 1e3
#: Whole numbers up to here may be anything; larger ones are counts.
SMALL_COUNTS = 20


def recognize(
    source: str,
    names: Sequence[str],
    values: NDArray[np.float64],
    /,
    *,
    title: str = "",
    told_unit: Literal["eV", "keV"] | None = None,
) -> ColumnTable:
    """Say what each column of a text file is, by its name and its numbers.

    No column that a detector, a clock or a motor wrote becomes a spectrum. Where more
    than one way leads to a spectrum, or none, `ColumnTable.doubt` says so.

    Parameters
    ----------
    source : str
        Name of the file.
    names : sequence of str
        One per column; empty where the file gives none.
    values : ndarray of shape (n_energies, n_columns)
        In the units of the file. May hold NaN in columns that are not used.
    title : str, default=""
        Name of the sample.
    told_unit : {"eV", "keV"}, optional
        Unit of the energies where it is stated.

    Returns
    -------
    ColumnTable
        Columns with role and reason.

    Examples
    --------
    >>> rows = np.array([[7000.0, 9e4, 3e4, 1.0], [7001.0, 9e4, 2e4, 1.0]])
    >>> table = recognize("a.xdi", ["energy eV", "i0", "itrans", "time"], rows)
    >>> [column.role for column in table.columns], table.how()
    (['energy', 'i0', 'transmitted', 'other'], 'mu = ln(i0 / itrans)')
    >>> recognize("b.txt", ["", "", ""], rows[:, :3]).doubt
    'its 3 columns have no names'
    """
    first = [role_of(name) for name in names]
    energy = _energy_column(first, names, values)
    columns = [
        _settled(number, name, role, reason, energy)
        for number, (name, (role, reason)) in enumerate(
            zip(names, first, strict=True), start=1
        )
    ]
    unknown = [i for i, (role, _) in enumerate(first) if role is None and i != energy]
    doubt = ""
    if energy is None:
        doubt = "no column is the energy"
    elif len(names) == 2 and (not names[1 - energy] or unknown):
        columns[1 - energy] = _only(source, columns[1 - energy])
    elif not any(names):
        doubt = f"its {len(names)} columns have no names"
    elif len(unknown) == len(names) - 1:
        columns = [
            c if c.number - 1 == energy else replace(c, role="mu") for c in columns
        ]
        doubt = _unlike(values[:, unknown])
    table = tuple(columns)
    return ColumnTable(
        source, values, table, title, doubt or _unclear(table, unknown), told_unit
    )


def _only(source: str, column: Column) -> Column:
    """Return the only column beside the energy with its role."""
    if role_of(PurePath(source).stem)[0] == "i0":
        return replace(column, role="i0", reason="the name of the file says I0")
    return replace(column, role="mu", reason="the only column beside the energy")


def _settled(
    number: int, name: str, role: Role | None, reason: str, energy: int | None
) -> Column:
    """Return a column with the role of its name; only one is the energy."""
    if energy == number - 1:
        known = role == "energy"
        return Column(name, number, "energy", reason if known else "its numbers rise")
    if role == "energy":
        return Column(name, number, "other", "another column of energies")
    return Column(name, number, role or "other", reason)


def _energy_column(
    first: Sequence[tuple[Role | None, str]],
    names: Sequence[str],
    values: NDArray[np.float64],
) -> int | None:
    """Return which column is the energy: by name, else the first if it runs one way."""
    named = [i for i, (role, _) in enumerate(first) if role == "energy"]
    moving = [i for i in named if np.ptp(values[:, i]) > 0]
    # What the monochromator reached comes before what it was asked for.
    asked = [i for i in moving if "request" in bare(names[i])]
    for candidates in ([i for i in moving if i not in asked], asked):
        if candidates:
            return candidates[0]
    if named or (names[0] and first[0][0] is not None):
        return None
    steps = np.diff(values[:, 0])
    runs = (steps >= 0).all() or (steps <= 0).all()
    return 0 if len(values) < 2 or (runs and steps.any()) or len(names) == 2 else None


def _unclear(columns: Sequence[Column], unknown: Sequence[int]) -> str:
    """Return what has to be asked of columns with roles, empty if nothing."""
    of = {role: [c for c in columns if c.role == role] for role in get_args(Role)}
    mu, i0 = of["mu"], of["i0"]
    if mu:
        library = len(mu) > 1 and all(c.number - 1 in unknown for c in mu)
        if len(mu) > 1 and not library:
            return f"{_listed(mu)} are all absorption; one of them is the sample"
        return ""
    ways = bool(of["transmitted"]) + bool(of["fluorescence"])
    strangers = [columns[i] for i in unknown]
    if strangers and not (i0 and ways):
        return f"{_listed(strangers)} may be samples beside detectors"
    if ways == 2 and i0:
        return (
            f"both transmission ({_listed(of['transmitted'])}) and fluorescence "
            f"({_listed(of['fluorescence'])}) were recorded"
        )
    for role in ("i0", "transmitted", "fluorescence"):
        if len(of[role]) > 1:
            return f"{_listed(of[role])} are all {role}"
    return lacks(columns)


def _unlike(values: NDArray[np.float64]) -> str:
    """Return why unknown columns are no library of spectra, empty if they are."""
    size = np.nanmedian(np.abs(values), axis=0)
    if (np.ptp(values, axis=0) == 0).any():
        return "a column is the same number throughout"
    whole = (values == np.round(values)).all(axis=0) & (size > SMALL_COUNTS)
    if whole.any():
        return "columns of whole numbers look like counts of detectors"
    used = size[size > 0]
    if used.size and used.max() > WIDEST_SCALES * used.min():
        return (
            f"its columns differ in scale ({used.min():.3g} to {used.max():.3g}), as "
            "detectors do"
        )
    return ""


def _listed(columns: Sequence[Column]) -> str:
    names = [c.label for c in columns]
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(names[:6]) + more
