"""Room on the disk, taken before an HDF5 file is written.

A disk that is full in the middle can end the process inside the HDF5 library when the
file is closed. So what is going to be written is counted, and that much room is taken.

* `write_hdf5`: a file that appears whole or not at all, with room taken first.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import FileError
from napari_phasemap.io.atomic import replacing
from napari_phasemap.io.damage import by_a_parser

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from numpy.typing import DTypeLike

__all__ = ["Counted", "write_hdf5"]

#: Bytes of an empty file, and at most of what describes one array or group.
EMPTY, PER_ITEM = 1 << 14, 1 << 11
#: A chunk that does not shrink is stored as it is, with a little more around it.
CHUNKED = 1.01


class Counted:
    """Stands for a group or an array of an HDF5 file and counts what is written."""

    def __init__(self, total: list[float] | None = None) -> None:
        self._total = [float(EMPTY)] if total is None else total
        self.attrs: dict[str, Any] = {}

    @property
    def n_bytes(self) -> int:
        """At most how many bytes the file has with all that was written."""
        return int(self._total[0])

    def create_group(self, name: str) -> Counted:
        """Count a group and those above it that it may need.

        Parameters
        ----------
        name : str
            Path of the group.

        Returns
        -------
        Counted
            The group.
        """
        self._total[0] += PER_ITEM * (1 + name.count("/"))
        return Counted(self._total)

    def create_dataset(
        self,
        name: str,
        shape: tuple[int, ...] | None = None,
        dtype: DTypeLike | None = None,
        data: Any = None,
        **packing: Any,
    ) -> Counted:
        """Count an array by its shape or by its values.

        Parameters
        ----------
        name : str
            Path of the dataset.
        shape : tuple of int, optional
            Of the values; default that of `data`.
        dtype : dtype, optional
            Of the values; default that of `data`.
        data : array_like of any shape, optional
            The values.
        **packing : object
            Of h5py; compressed values are counted as they are.

        Returns
        -------
        Counted
            With the size added.
        """
        if data is not None:
            data = np.asarray(data)
            shape, dtype = data.shape, data.dtype
        n_values = int(np.prod(shape or (), dtype=np.int64))
        size = n_values * np.dtype(dtype).itemsize
        self._total[0] += PER_ITEM * (1 + name.count("/"))
        self._total[0] += size * CHUNKED + PER_ITEM if packing else size
        return Counted(self._total)

    def __setitem__(self, name: Any, values: Any) -> None:
        """Count an array that is written into a group."""
        self.create_dataset(str(name), data=values)


def write_hdf5(
    path: str | PathLike[str],
    write: Callable[[Any], None],
    /,
    *,
    overwrite: bool = False,
    attributes: dict[str, Any],
) -> Path:
    """Write a file that appears whole or not at all.

    Parameters
    ----------
    path : str or path
        Where it shall be.
    write : callable
        Writes into the root group that it is given; called twice, first with a
        `Counted` that only counts.
    overwrite : bool, default=False
        Whether an existing file may be replaced.
    attributes : dict
        Attributes of the root.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileExistsError
        If the file exists and may not be replaced.
    FileError
        If the disk has no room for it; what was there before is as it was.
    """
    import h5py

    path = Path(path)
    counted = Counted()
    try:
        with replacing(path, overwrite=overwrite) as temporary:
            write(counted)
            with h5py.File(temporary, "w") as file:
                file.attrs.update(attributes)
            _take_room(temporary, counted.n_bytes)
            with h5py.File(temporary, "r+") as file:
                write(file)
    except (FileExistsError, FileNotFoundError):
        raise
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) or by_a_parser(error):
            why = error.__cause__ if isinstance(error, FileError) else error
            raise _no_room(path, counted.n_bytes, why or error) from error
        raise
    return path


def _take_room(path: Path, n_bytes: int) -> None:
    """Make a file so long that what is written into it needs no more room.

    The library cuts off at closing what was not needed.
    """
    if not hasattr(os, "posix_fallocate"):
        if shutil.disk_usage(path.parent).free < n_bytes:
            raise OSError("no space left")
        return
    handle = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(handle, 0, n_bytes)
    finally:
        os.close(handle)


def _no_room(path: Path, n_bytes: int, error: BaseException) -> FileError:
    needed, free = n_bytes / 1e6, shutil.disk_usage(path.parent).free / 1e6
    return FileError(
        f"{path} could not be written: it needs up to {needed:.3g} MB, and there are "
        f"{free:.3g} MB on the disk ({error}); make room or choose another folder"
    )
