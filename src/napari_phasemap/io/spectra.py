"""Spectra from text files.

* `read_references`: what the phases look like.
* `read_spectrum`: one spectrum, for example an I0.
* `pattern`: how spectra are called.
"""

from __future__ import annotations

import logging
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.io.assemble import Options, in_ev
from napari_phasemap.io.columns import Columns, read_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

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
) -> ReferenceSpectra:
    """Read reference spectra from one or more text files.

    One file with several columns, or several files: ``.xsp``, ``.csv``, ``.txt``,
    aXis2000, Athena ``.nor`` and EMSA ``.msa``. Files with different energies are put
    on the finest of their axes, cut to the range that all of them cover: nothing is
    extrapolated. Energies that repeat are averaged. Both are said in the log.

    Parameters
    ----------
    paths : path or iterable of paths
        The files.
    energy_unit : {"eV", "keV"}, optional
        Unit of the energies where the files do not say it.

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
        If a file holds no spectrum or the files have no energies in common.
    """
    files = [paths] if isinstance(paths, str | PathLike) else list(paths)
    if not files:
        raise InputError("there is no reference file; give at least one")
    loaded = [(path, _load(path, energy_unit)) for path in map(Path, files)]
    energy = _common_axis(loaded)
    spectra = [
        np.interp(energy, columns.energy, values)
        for _, columns in loaded
        for values in columns.values
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
    columns = _load(Path(path), energy_unit)
    if len(columns.values) != 1:
        raise InputError(
            f"{Path(path).name} holds {len(columns.values)} spectra "
            f"({', '.join(filter(None, columns.names))}); one is needed"
        )
    return columns.energy, columns.values[0]


def _load(path: Path, energy_unit: EnergyUnit | None) -> Columns:
    """Read columns with energies in eV, increasing, each once."""
    columns = read_columns(path)
    energy, lines = in_ev(
        columns.energy, columns.energy_unit, Options(energy_unit=energy_unit)
    )
    finite = np.isfinite(energy) & np.isfinite(columns.values).all(axis=0)
    if not finite.all():
        raise InputError(f"{path.name}: row {int(np.argmin(finite)) + 1} is not finite")
    unique, inverse, counts = np.unique(energy, return_inverse=True, return_counts=True)
    if len(unique) < len(energy):
        lines.append(f"energies that repeat averaged: {len(energy) - len(unique)} rows")
    elif (np.diff(energy) < 0).any():
        lines.append("rows sorted by energy")
    for line in lines:
        say = logger.warning if line.startswith("warning") else logger.info
        say("%s: %s", path.name, line)
    if len(unique) < 2:
        raise InputError(
            f"{path.name} has {len(unique)} energies; a spectrum needs two"
        )
    values = [np.bincount(inverse, weights=row) / counts for row in columns.values]
    return Columns(unique, np.array(values), columns.names, "eV")


def _common_axis(loaded: Sequence[tuple[Path, Columns]]) -> NDArray[np.float64]:
    """Return the axis of most points inside the range that all files cover."""
    axes = [columns.energy for _, columns in loaded]
    if all(np.array_equal(axes[0], axis) for axis in axes):
        return np.asarray(axes[0])
    low = max(axis[0] for axis in axes)
    high = min(axis[-1] for axis in axes)
    inside = [axis[(axis >= low) & (axis <= high)] for axis in axes]
    finest = max(inside, key=len)
    if len(finest) < 2:
        ranges = ", ".join(
            f"{path.name} {columns.energy[0]:g}-{columns.energy[-1]:g} eV"
            for path, columns in loaded
        )
        raise InputError(f"the references have no energies in common: {ranges}")
    logger.info(
        "references interpolated to %d energies, %g-%g eV, that all %d files cover",
        len(finest), finest[0], finest[-1], len(loaded),
    )  # fmt: skip
    return np.asarray(finest)


def _names(loaded: Sequence[tuple[Path, Columns]]) -> list[str]:
    """Return one name per spectrum, all different."""
    named: list[tuple[str, str]] = []
    for path, columns in loaded:
        for number, given in enumerate(columns.names):
            several = len(columns.names) > 1
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
