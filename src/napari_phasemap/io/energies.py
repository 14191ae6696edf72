"""Energies of files that hold none: given by the caller, or in a text file beside.

* `given_energies`: from numbers or from a text file that the caller names.
* `beside_by_name`: the text file of the same name.
* `energies_for`: these, or those of a text file in the same folder.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.columns import read_numbers
from napari_phasemap.io.damage import beside

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Energies", "beside_by_name", "energies_for", "given_energies"]

Energies: TypeAlias = ArrayLike | str | PathLike[str]

_TEXT_ENDINGS = (".txt", ".csv", ".dat", ".energies")
#: A text file longer than this is no list of energies.
LARGEST_SIDECAR = 1 << 20


def given_energies(given: Energies) -> tuple[NDArray[np.float64], str]:
    """Return energies given as numbers or as a text file, and where they come from.

    Parameters
    ----------
    given : array_like of shape (n_energies,), or path
        In eV, or a text file of them.

    Returns
    -------
    values : ndarray of shape (n_energies,)
        In eV, if the caller says nothing else.
    where : str
        For the history.
    """
    if isinstance(given, str | PathLike):
        path = Path(given)
        return read_numbers(path), f"energies from {path.name}"
    values = np.asarray(given, dtype=np.float64).reshape(-1)
    return values, "energies given by the caller"


def energies_for(
    path: Path, n_images: int, given: Energies | None
) -> tuple[NDArray[np.float64], str]:
    """Return the energies of a file that holds none, and where they come from.

    Parameters
    ----------
    path : Path
        The file with the images.
    n_images : int
        How many energies are needed.
    given : array_like of shape (n_images,), path or None
        What the caller gave; None looks for a text file beside.

    Returns
    -------
    values : ndarray of shape (n_images,)
        In the unit of their source.
    where : str
        For the history.

    Raises
    ------
    ValueError
        If there are none, or not one per image.
    """
    values, where = _sidecar(path, n_images) if given is None else given_energies(given)
    if len(values) != n_images:
        raise InputError(
            f"{path.name} has {n_images} images but there are {len(values)} energies "
            f"({where})"
        )
    return values, where


def beside_by_name(path: Path) -> list[Path]:
    """Return the text files of the same name, the first of which is read.

    Parameters
    ----------
    path : Path
        The file with the images.

    Returns
    -------
    list of Path
        Only those that exist.
    """
    same = (path.with_suffix(ending) for ending in _TEXT_ENDINGS)
    return [file for file in same if file.is_file()]


def _sidecar(path: Path, n_images: int) -> tuple[NDArray[np.float64], str]:
    """Return the energies of a text file beside: same name, or the only that fits."""
    for file in beside_by_name(path):
        return read_numbers(beside(file, path)), f"energies from {file.name}"
    fitting = {}
    for file in sorted(path.parent.iterdir()):
        values = _numbers_or_none(file) if _is_here(file) else None
        if values is not None and len(values) == n_images:
            fitting[file.name] = values
    if len(fitting) == 1:
        name, values = fitting.popitem()
        return values, f"energies from {name}"
    found = f"; several fit: {', '.join(fitting)}" if fitting else ""
    raise InputError(
        f"{path.name} has {n_images} images but no energies{found}. Put a text file "
        f"{path.stem}{_TEXT_ENDINGS[0]} with one energy in eV per line beside it, or "
        "give energies="
    )


def _is_here(file: Path) -> bool:
    """Whether a file is no link to another folder."""
    return file.resolve().parent == file.parent.resolve()


def _numbers_or_none(file: Path) -> NDArray[np.float64] | None:
    """Return increasing or decreasing numbers of a small text file."""
    if file.suffix.lower() not in _TEXT_ENDINGS or not file.is_file():
        return None
    if file.stat().st_size > LARGEST_SIDECAR:
        return None
    try:
        values = read_numbers(file)
    except (OSError, ValueError):
        return None
    steps = np.diff(values)
    return values if (steps > 0).all() or (steps < 0).all() else None
