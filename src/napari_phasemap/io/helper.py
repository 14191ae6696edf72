"""Files that may crash or exhaust a program are met by a process of their own first.

One child is started when it is first needed, kept warm, and ended with the program.

* `first_contact`: the tree and the headers of an HDF5 file, once for each file.
* `read_foreign`: a file that RosettaSciIO reads, with limits on memory and time.
"""

from __future__ import annotations

import atexit
import logging
import signal
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError, ProcessDied
from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.process.child import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["first_contact", "read_foreign"]

_log = logging.getLogger(__name__)

#: By which the system ends what used the processor for too long, where it does.
SIGXCPU = int(getattr(signal, "SIGXCPU", 0))
WORKER = "napari_phasemap.io.helper_worker"
#: Seconds of the processor that looking through a file and reading it may take: a tree
#: of 700 items takes 0.1. And bytes of the file for each second more.
FREE_SECONDS = {"look": 3.0, "read": 6.0}
BYTES_PER_SECOND = 1 << 20
#: How many times longer it may last where the processor has other things to do.
PATIENCE = 20.0
#: Bytes that reading a file may ask for, and how many times its size more: what is
#: compressed best are counts of X-rays, about a hundredfold.
FREE_BYTES = 2 << 30
BYTES_PER_BYTE = 100
#: Files whose first contact is remembered.
MOST_KNOWN = 512


class _TooLong(Cancelled):
    """A file took longer than it may; the child is ended."""


class FileHelper(ChildProcess):
    """The child that meets files first."""

    def __init__(self) -> None:
        super().__init__(WORKER, name="file")
        self._known: dict[tuple[object, ...], None] = {}

    def first_contact(self, path: Path) -> None:
        """Let the child look through an HDF5 file; see `first_contact`."""
        about = path.stat()
        key = (path.absolute(), about.st_ino, about.st_size, about.st_mtime_ns)
        if key in self._known:
            return
        done = self._asked(path, {"do": "look", "path": str(path.absolute())})
        outside = done["outside"]
        if outside is not None:
            raise InputError(
                f"{path.name}: {outside}; what stands in other files is not read, "
                "copy it into this one (h5repack or h5copy do)"
            )
        while len(self._known) >= MOST_KNOWN:
            self._known.pop(next(iter(self._known)))
        self._known[key] = None

    def read_foreign(self, path: Path, plugin: str) -> Path:
        """Let the child read a file; return the HDF5 file with its signals."""
        request = {"do": "read", "path": str(path.absolute()), "plugin": plugin}
        return self.path(self._asked(path, request)["file"])

    def _asked(self, path: Path, request: dict[str, Any]) -> dict[str, Any]:
        """Ask, and name the file in whatever goes wrong."""
        size = _size(path)
        seconds = FREE_SECONDS[request["do"]] + size / BYTES_PER_SECOND
        limits = {"seconds": seconds, "n_bytes": FREE_BYTES + BYTES_PER_BYTE * size}
        request = {**request, **limits}
        with self.turn():
            self.ensure()
            end = monotonic() + PATIENCE * seconds

            def look_at_the_clock(*_: object) -> None:
                if monotonic() > end:
                    raise _TooLong

            try:
                return self.ask(request, on_progress=look_at_the_clock)
            except (_TooLong, ProcessDied) as error:
                _log.info("%s: %s", path, error)
                if isinstance(error, _TooLong) or error.code == -SIGXCPU:
                    raise InputError(
                        f"{path.name} takes longer than {seconds:.0f} s to read; it is "
                        "damaged"
                    ) from error
                raise InputError(
                    f"{path.name} crashes the library that reads it; it is damaged "
                    f"({str(error).partition(';')[0]})"
                ) from error


def first_contact(path: Path, /) -> None:
    """Let another process look through an HDF5 file, and refuse what points out of it.

    A file that ends that process, as damaged ones do inside the HDF5 library, ends it
    and nothing else. A file that did not change since is not looked through again.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If the file crashes the library, takes too long, or takes values from others.
    OSError
        If it cannot be opened.
    """
    _helper().first_contact(path)


def read_foreign(path: Path, plugin: str, /) -> Path:
    """Read a file by a module of RosettaSciIO in another process.

    Parameters
    ----------
    path : Path
        The file or folder.
    plugin : str
        The module.

    Returns
    -------
    Path
        A temporary HDF5 file with what `helper_worker` says; remove it.

    Raises
    ------
    InputError
        If the file is damaged, asks for more memory than a file of its size can need,
        or takes too long.
    MissingPackage
        If RosettaSciIO is not installed, or lacks a package for this format.
    """
    return _helper().read_foreign(path, plugin)


@cache
def _helper() -> FileHelper:
    helper = FileHelper()
    atexit.register(helper.close)
    return helper


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    return sum(one.stat().st_size for one in _files(path))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (one for one in path.rglob("*") if one.is_file())
    else:
        yield path
