"""Spectra from text files.

* `read_references`: what the phases look like.
* `read_spectrum`: one spectrum, for example an I0.
* `pattern`: how spectra are called.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.prepare.column_roles import parse_roles
from napari_phasemap.io.columns import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.prepare.column_roles import ColumnTable, Roles
    from napari_phasemap.io.assemble import EnergyUnit

__all__ = ["EXTENSIONS", "pattern", "read_references", "read_spectrum"]

logger = logging.getLogger(__name__)

#: Endings of reference spectra; what holds columns is read whatever it is called.
EXTENSIONS = (".csv", ".txt", ".xsp", ".nor", ".dat", ".r", ".t", ".msa")


def pattern() -> str:
    """Return the endings of spectra as a dialog takes them: ``*.csv *.txt ...``."""
    return " ".join(f"*{ending}" for ending in EXTENSIONS)


def read_references(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    /,
    *,
    energy_unit: EnergyUnit | None = None,
    columns: Roles | str | None = None,
) -> ReferenceSpectra:
    """Read reference spectra from one or more text files.

    One file with several spectra, or several files: ``.csv``, ``.txt``, XDI, aXis2000,
    Athena ``.nor``, SPEC, EMSA ``.msa`` and what beamlines write. Of a file with
    detector columns, absorption is taken where it is there, else computed as
    ``ln(i0 / it)`` or ``if / i0``; where that is not clear, the file is refused with
    its columns and `columns` says which is which. Files with different energies are put
    on the finest of their axes, cut to the range that all of them cover: nothing is
    extrapolated. Energies that repeat are averaged. All of this is said in the log.

    Parameters
    ----------
    paths : path or iterable of paths
        The files.
    energy_unit : {"eV", "keV"}, optional
        Unit of the energies, in place of what their size says.
    columns : mapping or str, optional
        What the columns are, by name or by number from 1, for example
        ``{"energy": 1, "i0": "I0", "fluorescence": [5, 6]}``. Roles are "energy", "mu",
        "i0", "transmitted" and "fluorescence"; several "mu" are several references.
        For all files (of several, those that are not clear), or for one file each,
        ``{"scan.dat": {"energy": 1, "mu": 4}}``; as a text
        ``"energy=1 i0=I0 fluorescence=5,6"``, see `parse_roles`.

    Returns
    -------
    ReferenceSpectra
        Energies in eV. Names from the header, else from the file name; the same name
        twice gets the file's ending or a number.

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        If a file holds no spectrum, it is not clear which of its columns are one, its
        energies are none of photons, or the files have no energies in common.
    """
    files = [paths] if isinstance(paths, str | PathLike) else list(paths)
    if not files:
        raise InputError("there is no reference file; give at least one")
    return references_of(
        read_tables(map(Path, files), energy_unit=energy_unit, columns=columns)
    )


def read_tables(
    paths: Iterable[Path],
    /,
    *,
    energy_unit: EnergyUnit | None = None,
    columns: Roles | str | None = None,
) -> list[ColumnTable]:
    """Read the columns of reference files and what they are; see `read_references`.

    Raises
    ------
    OSError
        If a file cannot be read.
    InputError
        If a file holds no table, or `columns` names what is not there.
    """
    tables = []
    files = list(paths)
    told = parse_roles(columns) if isinstance(columns, str) else columns or {}
    of_file = _roles_by_file(told, [path.name for path in files])
    for path in files:
        table = read_table(path)
        roles = of_file.get(path.name)
        if roles is None and not (table.is_plain and len(files) > 1):
            roles = of_file.get("")
        if energy_unit is not None:
            table = replace(table, told_unit=energy_unit)
        tables.append(table.with_roles(roles) if roles else table)
    return tables


def references_of(tables: Sequence[ColumnTable], /) -> ReferenceSpectra:
    """Return the reference spectra of tables whose columns are clear.

    Raises
    ------
    InputError
        As `read_references`.
    """
    loaded = [_spectra(table) for table in tables]
    energy = _common_axis(loaded)
    spectra = [
        np.interp(energy, one.energy, values) for one in loaded for values in one.values
    ]
    return ReferenceSpectra(tuple(_names(loaded)), energy, np.array(spectra))


def read_spectrum(
    path: str | PathLike[str], /, *, energy_unit: EnergyUnit | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read one spectrum, for example the incident intensity I0.

    Parameters
    ----------
    path : str or path
        A text file with two columns, or an EMSA file.
    energy_unit : {"eV", "keV"}, optional
        Unit of the energies where the file does not say it.

    Returns
    -------
    energy : ndarray of shape (n_energies,)
        In eV, strictly increasing.
    values : ndarray of shape (n_energies,)
        In the unit of the file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds no spectrum, or more than one.
    """
    table = read_table(Path(path))
    n_spectra = len(table.columns) - 1
    if n_spectra != 1:
        raise InputError(
            f"{table.source} holds {n_spectra} spectra "
            f"({', '.join(column.label for column in table.columns)}); one is needed"
        )
    told = table.told_unit if energy_unit is None else energy_unit
    # Whatever the other column is called, it is the spectrum that was asked for.
    table = replace(table.with_roles({"energy": 1, "mu": 2}), told_unit=told)
    loaded = _spectra(table)
    return loaded.energy, loaded.values[0]


@dataclass(frozen=True, eq=False)
class _Loaded:
    """Spectra of one file: energies in eV, increasing, each once."""

    path: PurePath
    energy: NDArray[np.float64]
    values: NDArray[np.float64]
    names: tuple[str, ...]


def _spectra(table: ColumnTable) -> _Loaded:
    """Compute the spectra of a file."""
    energy, note = table.energy()
    names, values = table.absorption()
    lines = [note] if note else []
    if not table.is_plain:
        lines.append(table.how())
    bad = ~np.isfinite(values).all(axis=0)
    if bad.any():
        raise InputError(f"{table.source}: row {int(np.argmax(bad)) + 1} is not finite")
    unique, inverse, counts = np.unique(energy, return_inverse=True, return_counts=True)
    if len(unique) < len(energy):
        lines.append(f"energies that repeat averaged: {len(energy) - len(unique)} rows")
    elif (np.diff(energy) < 0).any():
        lines.append("rows sorted by energy")
    for line in lines:
        logger.info("%s: %s", table.source, line)
    if len(unique) < 2:
        raise InputError(
            f"{table.source} has {len(unique)} energies; a spectrum needs two"
        )
    means = [np.bincount(inverse, weights=row) / counts for row in values]
    return _Loaded(PurePath(table.source), unique, np.array(means), names)


def _roles_by_file(
    columns: Mapping[str, Any], files: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return roles for each file name; those for all files under an empty name."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in columns.items():
        if isinstance(value, Mapping):
            if key not in files:
                raise InputError(f"columns of {key!r}, but the files are {list(files)}")
            found[key] = dict(value)
        else:
            found.setdefault("", {})[key] = value
    return found


def _common_axis(loaded: Sequence[_Loaded]) -> NDArray[np.float64]:
    """Return the axis of most points inside the range that all files cover."""
    axes = [one.energy for one in loaded]
    if all(np.array_equal(axes[0], axis) for axis in axes):
        return np.asarray(axes[0])
    low = max(axis[0] for axis in axes)
    high = min(axis[-1] for axis in axes)
    inside = [axis[(axis >= low) & (axis <= high)] for axis in axes]
    finest = max(inside, key=len)
    if len(finest) < 2:
        ranges = ", ".join(
            f"{one.path} {one.energy[0]:g}-{one.energy[-1]:g} eV" for one in loaded
        )
        raise InputError(f"the references have no energies in common: {ranges}")
    logger.info(
        "references interpolated to %d energies, %g-%g eV, that all %d files cover",
        len(finest), finest[0], finest[-1], len(loaded),
    )  # fmt: skip
    return np.asarray(finest)


def _names(loaded: Sequence[_Loaded]) -> list[str]:
    """Return one name per spectrum, all different."""
    named: list[tuple[str, str]] = []
    for one in loaded:
        path = one.path
        for number, given in enumerate(one.names):
            several = len(one.names) > 1
            stem = f"{path.stem} {number + 1}" if several else path.stem
            long = f"{path.name} {number + 1}" if several else path.name
            named.append((given or stem, f"{given} ({path.name})" if given else long))
    short = [name for name, _ in named]
    chosen = [name if short.count(name) == 1 else long for name, long in named]
    earlier = [chosen[:at].count(name) for at, name in enumerate(chosen)]
    return [
        f"{name} ({count + 1})" if count else name
        for name, count in zip(chosen, earlier, strict=True)
    ]
