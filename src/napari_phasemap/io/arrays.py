"""Stacks in numpy files: ``.npz`` with images and energies, ``.npy`` with images.

* `recognises`, `read`: for the table of formats in `read`.
* `load_npy`: one array, after its header was checked.
"""

from __future__ import annotations

import zipfile
from tokenize import TokenError
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.assemble import Options, assemble, check_size
from napari_phasemap.io.energies import beside_by_name, energies_for, given_energies

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["EXTENSIONS", "companions", "load_npy", "read", "recognises"]

EXTENSIONS = (".npz", ".npy")
#: What people call the energies and the images, best first, compared in lower case.
_ENERGY_KEYS = (
    "energy",
    "energies",
    "ev",
    "e",
    "energy_ev",
    "energy_loss",
    "photon_energy",
)
_IMAGE_KEYS = (
    "data",
    "stack",
    "counts",
    "images",
    "x",
    "od",
    "optical_density",
    "spectra",
)


def recognises(path: Path, head: bytes) -> bool:
    """Whether this is an array, or a zip of arrays.

    Parameters
    ----------
    path : Path
        The file.
    head : bytes
        Its first bytes.

    Returns
    -------
    bool
        Decided by content, not by the ending.
    """
    if head.startswith(b"\x93NUMPY"):
        return True
    if not head.startswith(b"PK\x03\x04"):
        return False
    with zipfile.ZipFile(path) as file:
        return any(name.endswith(".npy") for name in file.namelist())


def companions(path: Path) -> list[Path]:
    """Return the text file of the same name that may hold the energies.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Path
        One or none.
    """
    return beside_by_name(path)[:1]


def read(path: Path, options: Options) -> list[SpectralStack]:
    """Read images and energies.

    Parameters
    ----------
    path : Path
        The file.
    options : Options
        What the caller asks for.

    Returns
    -------
    list of SpectralStack
        One.
    """
    with path.open("rb") as file:
        is_array = file.read(6) == b"\x93NUMPY"
    arrays = {"data": load_npy(path)} if is_array else _load_npz(path)
    images = _images(path, arrays)
    energy, where = _energy(path, arrays, images, options)
    images, note = _energy_first(path, images, len(energy))
    notes = [line for line in (where, note) if line]
    quantity = str(arrays.get("quantity", "counts"))
    mask = arrays.get("mask")
    if mask is not None and mask.shape != images.shape[1:]:
        raise InputError(f"{path.name}: {mask.shape=} != image {images.shape[1:]}")
    return [
        assemble(
            np.array(images, dtype=np.float32),
            energy,
            name=path.stem,
            options=options,
            source=f"read {path.name} (numpy)",
            pixel_size=_pixel_size(path, arrays),
            quantity=quantity,  # type: ignore[arg-type] # checked by SpectralStack
            mask=None if mask is None else mask.astype(bool),
            notes=notes,
        )
    ]


def load_npy(path: Path) -> NDArray[Any]:
    """Read an ``.npy`` file of real numbers; nothing in it is executed.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray
        As it was written, of any shape.

    Raises
    ------
    ValueError
        If it is damaged, holds objects or claims more values than it has.
    """
    with path.open("rb") as file:
        return _load(file, path.stat().st_size, path.name)


def _load_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a zip by their names."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for item in archive.infolist():
            if item.filename.endswith(".npy"):
                check_size((item.file_size // 4,), item.compress_size, path.name)
                with archive.open(item) as file:
                    name = item.filename.removesuffix(".npy")
                    arrays[name] = _load(file, item.file_size, f"{path.name}/{name}")
    return arrays


def _load(file: IO[bytes], n_bytes: int, name: str) -> NDArray[Any]:
    """Check the header of an array against the bytes that follow, then read it."""
    try:
        shape, fortran, dtype = _header(file)
    except (SyntaxError, TokenError, TypeError, ValueError) as error:
        raise InputError(f"{name} has a damaged header: {error}") from error
    if dtype.kind not in "biufU":
        raise InputError(f"{name} holds {dtype}, not real numbers")
    n_values = 1
    for length in shape:
        n_values *= int(length)
    if n_values < 0 or n_values * dtype.itemsize > n_bytes:
        raise InputError(
            f"{name} claims {shape} values of {dtype}, more than its {n_bytes} bytes"
        )
    content = file.read(n_values * dtype.itemsize)
    if len(content) < n_values * dtype.itemsize:
        raise InputError(f"{name} is cut short: {shape} values of {dtype} are missing")
    values = np.frombuffer(content, dtype=dtype, count=n_values)
    return values.reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, Fortran order and type of an array."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise InputError(f"version {version} is neither 1 nor 2")


def _images(path: Path, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
    found = {
        name: a for name, a in arrays.items() if a.ndim == 3 and a.dtype.kind in "biuf"
    }
    lower = {name.lower(): array for name, array in found.items()}
    for key in _IMAGE_KEYS:
        if key in lower:
            return lower[key]
    if len(found) == 1:
        return next(iter(found.values()))
    shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
    raise InputError(
        f"{path.name} has no array of three dimensions, or several; name it 'data': "
        f"{shapes}"
    )


def _energy(
    path: Path, arrays: dict[str, NDArray[Any]], images: NDArray[Any], options: Options
) -> tuple[NDArray[np.float64], str]:
    """Return the energies of the file, or those given or found beside it."""
    lower = {name.lower(): array for name, array in arrays.items()}
    found = [lower[key] for key in _ENERGY_KEYS if key in lower]
    if options.energies is None and found and found[0].dtype.kind in "iuf":
        return found[0].astype(np.float64).reshape(-1), ""
    given = options.energies
    n_given = 0 if given is None else len(given_energies(given)[0])
    is_last = n_given == images.shape[2] != images.shape[0]
    return energies_for(path, images.shape[2 if is_last else 0], given)


def _energy_first(
    path: Path, images: NDArray[Any], n_energies: int
) -> tuple[NDArray[Any], str]:
    """Put the energy axis first; which one it is follows from its length."""
    if images.shape[0] == n_energies:
        both = images.shape[2] == n_energies
        note = (
            "warning: first axis taken as energy, the last is as long" if both else ""
        )
        return images, note
    if images.shape[2] == n_energies:
        return np.moveaxis(images, 2, 0), "energy axis moved from last to first"
    raise InputError(
        f"{path.name}: images {images.shape} have no axis of {n_energies} energies"
    )


def _pixel_size(
    path: Path, arrays: dict[str, NDArray[Any]]
) -> tuple[float, float] | None:
    """Return (dy, dx) in nm where the file has an array "pixel_size"."""
    values = arrays.get("pixel_size")
    if values is None:
        return None
    if values.size not in (1, 2) or values.dtype.kind not in "iuf":
        raise InputError(f"{path.name}: pixel_size is (dy, dx) in nm; got {values}")
    dy, dx = np.broadcast_to(values.reshape(-1).astype(float), 2)
    return float(dy), float(dx)
