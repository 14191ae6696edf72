"""HDF5 files read with distrust: plain values out, nothing larger than what is stored.

* `is_hdf5`: whether bytes start such a file.
* `open_hdf5`: open for reading what another process has looked through.
* `opened`: open at once, also while a scan still writes.
* `text`, `numbers`: one value, whatever type the writer chose.
* `read_floats`, `read_array`, `read_bytes`: arrays, after their size was checked.
* `group_in`, `dataset_in`: what must be there.
* `children`: what is in a group, links that lead nowhere left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import FileError, InputError
from napari_phasemap.io.assemble import check_size
from napari_phasemap.io.damage import is_no_pipe
from napari_phasemap.io.outside import of_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

__all__ = [
    "children",
    "dataset_in",
    "group_in",
    "is_hdf5",
    "numbers",
    "open_hdf5",
    "opened",
    "read_array",
    "read_bytes",
    "read_floats",
    "text",
    "texts",
]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(head: bytes) -> bool:
    """Whether a file that starts with these bytes is HDF5.

    A block of other content may come first: PolLux puts 32 kB of XMP there.

    Parameters
    ----------
    head : bytes
        The first bytes of a file.

    Returns
    -------
    bool
        Whether the signature of HDF5 is where it may be.
    """
    starts = (0, *(512 << power for power in range(8)))
    return any(head[at : at + 8] == _SIGNATURE for at in starts)


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading after its first contact; see `helper.first_contact`.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    h5py.File
        To be closed by the caller.

    Raises
    ------
    InputError
        If it is damaged so that it crashes the HDF5 library, or if anything in it
        stands in another file.
    OSError
        If it cannot be opened.
    """
    from napari_phasemap.io.helper import first_contact

    is_no_pipe(path)
    first_contact(path)
    return opened(path)


def opened(path: Path) -> h5py.File:
    """Open a file for reading; one that a scan is still writing, too.

    Parameters
    ----------
    path : Path
        A file that was looked through already.

    Returns
    -------
    h5py.File
        To be closed by the caller.
    """
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError as error:
        try:
            return h5py.File(path, "r", libver="latest", swmr=True)
        except (OSError, ValueError):
            raise FileError(f"{path.name} cannot be opened: {error}") from error


def text(value: Any) -> str:
    """Return bytes, str, or the first item of an array of them, as str.

    Parameters
    ----------
    value : object
        As h5py gives it.

    Returns
    -------
    str
        "" where there is nothing.
    """
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size else ""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8").strip()
        except UnicodeDecodeError:
            return value.decode("latin-1").strip()
    return str(value).strip()


def texts(value: Any) -> list[str]:
    """Return an array of strings, or one string with ``:`` or ``,`` between.

    Parameters
    ----------
    value : object
        As h5py gives it.

    Returns
    -------
    list of str
        Without blanks or quotation marks around.
    """
    if isinstance(value, np.ndarray) and value.size != 1:
        return [text(item) for item in value.reshape(-1)]
    return [word.strip(" []'\"") for word in text(value).replace(":", ",").split(",")]


def numbers(dataset: h5py.Dataset) -> NDArray[np.float64]:
    """Return a small numeric dataset as flat float64.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of numbers.

    Returns
    -------
    ndarray of shape (n,)
        In the unit of the file.
    """
    _check(dataset)
    return np.asarray(dataset[()], dtype=np.float64).reshape(-1)


def read_floats(dataset: h5py.Dataset) -> NDArray[np.float32]:
    """Return a numeric dataset as float32 of the same shape.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of numbers.

    Returns
    -------
    ndarray of float32 of the shape of the dataset
        In the unit of the file.
    """
    _check(dataset)
    values = np.empty(dataset.shape, dtype=np.float32)
    if values.size:
        dataset.read_direct(values)
    return values


def read_array(dataset: h5py.Dataset) -> NDArray[Any]:
    """Return a dataset of numbers or bools with its own type and bits.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of numbers or bools.

    Returns
    -------
    ndarray of the shape of the dataset
        In the unit of the file.
    """
    _check(dataset, kinds="biufc")
    return np.asarray(dataset[()])


def read_bytes(dataset: h5py.Dataset) -> bytes:
    """Return a dataset of bytes.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of whole numbers of 8 bits.

    Returns
    -------
    bytes
        All of them.
    """
    if dataset.dtype != np.uint8:
        raise InputError(f"{dataset.name} holds {dataset.dtype}, not bytes")
    return read_array(dataset).tobytes()


def _check(dataset: h5py.Dataset, kinds: str = "iuf") -> None:
    """Raise unless a dataset is numeric and really holds what it claims."""
    if dataset.dtype.kind not in kinds or dataset.shape is None:
        raise InputError(f"{dataset.name} is not numeric but {dataset.dtype}")
    if dataset.external or dataset.is_virtual:
        _refuse_elsewhere(dataset)
    stored = int(dataset.id.get_storage_size())
    check_size(dataset.shape, stored, str(dataset.name))
    check_size(dataset.chunks or (), stored, f"a chunk of {dataset.name}")


def _refuse_elsewhere(dataset: h5py.Dataset) -> None:
    """Raise where values stand in another file, also in one that changed just now."""
    outside = of_dataset(str(dataset.name), dataset.id.get_create_plist())
    if outside is not None:
        raise InputError(f"{outside}; copy them into this file")


def group_in(parent: h5py.Group, name: str) -> h5py.Group:
    """Return a group, or raise ValueError where there is none or something else.

    Parameters
    ----------
    parent : h5py.Group
        Where to look.
    name : str
        Path below it.

    Returns
    -------
    h5py.Group
        The group.
    """
    import h5py

    item = parent.get(name)
    if not isinstance(item, h5py.Group):
        raise InputError(f"{parent.name} has no group {name!r}")
    return item


def dataset_in(parent: h5py.Group, name: str) -> h5py.Dataset:
    """Return a dataset, or raise ValueError where there is none or something else.

    Parameters
    ----------
    parent : h5py.Group
        Where to look.
    name : str
        Path below it.

    Returns
    -------
    h5py.Dataset
        The dataset.
    """
    import h5py

    item = parent.get(name)
    if not isinstance(item, h5py.Dataset):
        raise InputError(f"{parent.name} has no dataset {name!r}")
    return item


def children(group: h5py.Group) -> Iterator[tuple[str, Any]]:
    """Yield names and groups or datasets; links that lead nowhere are left out.

    A name that is no UTF-8, which h5py leaves as bytes, is text here as well.

    Parameters
    ----------
    group : h5py.Group
        Whose members are asked for.

    Returns
    -------
    iterator of (str, group or dataset)
        In the order of the library: that of their names.
    """
    for name in group:
        try:
            item = group.get(name)
        except (KeyError, OSError, RuntimeError):
            continue
        if item is not None:
            yield text(name), item
