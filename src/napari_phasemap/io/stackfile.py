"""Stacks in this program's own HDF5, given back bit by bit.

* `write_stack`: one stack.
* `recognises`, `read`: for the table of formats in `read`.

Layout, version 1 (attributes with ``@``)::

    @format "napari-phasemap", @version 1, @program "0.1.0"
    stacks/0, stacks/1 ...    data (n_energies, n_rows, n_cols) float32,
                              energy (n_energies,) float64 in eV,
                              mask (n_rows, n_cols) bool,
                              tree: name, quantity, origin, pixel_size in nm (dy, dx),
                              history, metadata,
                              noise: a tree of the fields of `Noise`, where known,
                              @zero_loss in eV, where the pixels are aligned

A ``tree`` is a group with a UTF-8 JSON text in ``json`` and the arrays that it mentions
in ``arrays/0``, ``arrays/1`` ... Results stand beside the stacks: see `results`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import Noise
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.io.hdf5 import (
    dataset_in,
    group_in,
    is_hdf5,
    numbers,
    open_hdf5,
    read_array,
    read_floats,
    text,
)
from napari_phasemap.io.space import Counted, write_hdf5
from napari_phasemap.io.trees import built, read_tree, write_tree

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path
    from typing import TypeAlias

    import h5py
    from numpy.typing import NDArray

    from napari_phasemap.io.assemble import Options

    Group: TypeAlias = h5py.Group | Counted

__all__ = [
    "EXTENSIONS",
    "about_file",
    "add_stack",
    "check_version",
    "read",
    "read_stacks",
    "recognises",
    "write_packed",
    "write_stack",
]

EXTENSIONS = (".h5",)
FORMAT = "napari-phasemap"
VERSION = 1


def write_stack(
    stack: SpectralStack, path: str | PathLike[str], /, *, overwrite: bool = False
) -> Path:
    """Write a stack so that `read_stack` gives it back bit by bit.

    Parameters
    ----------
    stack : SpectralStack
        Any stack; a dask array is written frame by frame.
    path : str or path
        File to write, usually ``.h5``.
    overwrite : bool, default=False
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileExistsError
        If the file exists and may not be replaced.
    FileError
        If the disk has no room for it; an earlier file is as it was.
    """

    def write(file: Group) -> None:
        add_stack(file.create_group("stacks/0"), stack)

    return write_hdf5(path, write, overwrite=overwrite, attributes=about_file())


def recognises(path: Path, head: bytes) -> bool:
    """Whether this program wrote the file.

    Parameters
    ----------
    path : Path
        The file.
    head : bytes
        Its first bytes.

    Returns
    -------
    bool
        Decided by content.
    """
    if not is_hdf5(head):
        return False
    with open_hdf5(path) as file:
        return text(file.attrs.get("format", "")) == FORMAT


def read(path: Path, options: Options) -> list[SpectralStack]:
    """Read the stacks of a file, which holds all that there is to say about them.

    Parameters
    ----------
    path : Path
        The file.
    options : Options
        Refused where it asks for what the file says itself.

    Returns
    -------
    list of SpectralStack
        In the order in which they were written.
    """
    if options.energies is not None or options.detector is not None:
        raise InputError(
            f"{path.name} holds its energies and one detector: leave out energies= and "
            "detector="
        )
    if options.energy_unit not in (None, "eV"):
        raise InputError(
            f"{path.name} holds its energies in eV: leave out energy_unit="
            f"{options.energy_unit!r}"
        )
    with open_hdf5(path) as file:
        check_version(path, file)
        return read_stacks(path, file)


def about_file() -> dict[str, Any]:
    """Return the attributes by which a file says what it is."""
    from napari_phasemap import __version__

    return {"format": FORMAT, "version": VERSION, "program": __version__}


def check_version(path: Path, file: h5py.File) -> None:
    """Raise unless this program can read the file.

    Parameters
    ----------
    path : Path
        The file, for the message.
    file : h5py.File
        The same, open.
    """
    if text(file.attrs.get("format", "")) != FORMAT:
        raise InputError(f"{path.name} was not written by napari-phasemap")
    try:
        version = int(file.attrs["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} does not say its version: {error}") from error
    if version > VERSION:
        raise InputError(
            f"{path.name} has version {version} of the format and was written by "
            f"napari-phasemap {text(file.attrs.get('program', ''))}; this one reads up "
            f"to version {VERSION}: update napari-phasemap"
        )


def write_packed(group: Group, name: str, values: NDArray[Any]) -> None:
    """Write whole numbers compressed: labels and masks shrink a hundredfold.

    Parameters
    ----------
    group : Group
        Where to write.
    name : str
        Of the new dataset.
    values : ndarray of int or bool of any shape
        Dimensionless.
    """
    packing: dict[str, Any] = (
        {"compression": "gzip", "compression_opts": 1} if values.size else {}
    )
    group.create_dataset(name, data=values, **packing)


def add_stack(group: Group, stack: SpectralStack) -> None:
    """Write a stack into an empty group.

    Parameters
    ----------
    group : Group
        An empty one.
    stack : SpectralStack
        What to write; a dask array is loaded frame by frame.
    """
    data = group.create_dataset("data", shape=stack.data.shape, dtype=np.float32)
    if stack.data.size and not isinstance(data, Counted):
        for number in range(stack.n_energies):
            data[number] = np.asarray(stack.data[number])
    group["energy"] = stack.energy
    write_packed(group, "mask", stack.mask)
    described = {
        "name": stack.name,
        "quantity": stack.quantity,
        "origin": stack.origin,
        "pixel_size": stack.pixel_size,
        "history": stack.history,
        "metadata": dict(stack.metadata),
    }
    write_tree(group.create_group("tree"), described)
    if stack.noise is not None:
        known = {one.name: getattr(stack.noise, one.name) for one in fields(Noise)}
        write_tree(group.create_group("noise"), known)
    if stack.zero_loss is not None:
        group.attrs["zero_loss"] = stack.zero_loss


def read_stacks(path: Path, file: h5py.File) -> list[SpectralStack]:
    """Read all stacks of a file, in order.

    Parameters
    ----------
    path : Path
        The file, for messages.
    file : h5py.File
        The same, open.

    Returns
    -------
    list of SpectralStack
        With masks, noise and history.
    """
    group = group_in(file, "stacks")
    numbers = sorted((one for one in map(text, group) if one.isdecimal()), key=int)
    if not numbers:
        raise InputError(f"{path.name} holds no stack")
    return [_read_stack(group_in(group, name)) for name in numbers]


def _read_stack(group: h5py.Group) -> SpectralStack:
    noise = None
    if "noise" in group:
        noise = built(Noise, "noise", read_tree(group_in(group, "noise")))
    parts: dict[str, Any] = {
        "data": read_floats(dataset_in(group, "data")),
        "energy": numbers(dataset_in(group, "energy")),
        "mask": read_array(dataset_in(group, "mask")),
        "noise": noise,
        "zero_loss": _zero_loss(group),
    }
    tree = read_tree(group_in(group, "tree"))
    return built(SpectralStack, str(group.name), parts, tree)


def _zero_loss(group: h5py.Group) -> float | None:
    """Return where the zero loss lies in eV, None where that is not known."""
    if "zero_loss" not in group.attrs:
        return None
    try:
        return float(group.attrs["zero_loss"])
    except (TypeError, ValueError) as error:
        raise InputError(f"{group.name} has a damaged zero_loss: {error}") from error
