"""The process that meets files first: ``python -m ...io.helper_worker FOLDER``.

`helper` is the other side. Requests and answers:

* ``{"do": "look", "path": PATH, ...}``: ``{"outside": TEXT or None}``, see `outside`.
* ``{"do": "read", "path": PATH, "plugin": NAME, ...}``: ``{"file": NAME}``, an HDF5
  file in which each signal is a group with ``data`` and a ``tree`` of its axes, its
  metadata and its original metadata.

Both carry ``"seconds"`` and ``"n_bytes"``, the processor's time and the memory that a
file may take.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from napari_phasemap.core.data.errors import InputError, MissingPackage
from napari_phasemap.io.damage import parsing
from napari_phasemap.io.hdf5 import opened
from napari_phasemap.io.outside import look_through
from napari_phasemap.io.trees import write_tree
from napari_phasemap.process.serving import Server, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ["Worker"]

#: What modules of RosettaSciIO import when they read; some take seconds.
LOADED_LATE = {"emd": ("sparse",), "hspy": ("dask.array",), "zspy": ("zarr",)}


class Worker(Server):
    """Looks through files and reads them; may die of either."""

    def __init__(self, folder: Path, answers: TextIO) -> None:
        super().__init__(folder, answers)
        self.actions = {"look": self._look, "read": self._read}

    def _look(self, request: dict[str, Any]) -> dict[str, Any]:
        path = Path(request["path"])
        limits = (_timed(request["seconds"]), _limited(request["n_bytes"], path))
        with limits[0], limits[1], parsing(path), opened(path) as file:
            return {"outside": look_through(file)}

    def _read(self, request: dict[str, Any]) -> dict[str, Any]:
        path = Path(request["path"])
        reader = _reader(request["plugin"], path)
        limits = (_timed(request["seconds"]), _limited(request["n_bytes"], path))
        with limits[0], limits[1], parsing(path):
            signals = _signals(reader, path, request["plugin"])
            name = "signals.h5"
            with h5py.File(self._folder / name, "w") as file:
                for number, signal in enumerate(signals):
                    _write(file.create_group(str(number)), signal)
        return {"file": name}


def _reader(plugin: str, path: Path) -> Any:
    """Return RosettaSciIO's reader, or raise with the name of the extra.

    What it loads late is loaded here: that is no time which a file takes.
    """
    for late in LOADED_LATE.get(plugin, ()):
        with suppress(ImportError):
            import_module(late)
    try:
        return import_module(f"rsciio.{plugin}").file_reader
    except ImportError as error:
        raise MissingPackage(
            f"{path.name} is read by RosettaSciIO, which could not be imported "
            f"({error}); install it with: pip install napari-phasemap[em]"
        ) from error


def _signals(reader: Any, path: Path, plugin: str) -> list[dict[str, Any]]:
    """Return the signals of a file, whatever its reader raises told as damage."""
    try:
        return list(reader(str(path), lazy=False))
    except ImportError as error:
        raise MissingPackage(
            f"{path.name} needs a package that is not installed ({error}); install it "
            "with: pip install napari-phasemap[em]"
        ) from error
    except (InputError, MemoryError):
        raise
    # Another program's parser: whatever it raises, the file is not what it expects.
    except Exception as error:
        raise InputError(
            f"{path.name} could not be read as {plugin} ({type(error).__name__}: "
            f"{error})"
        ) from error


def _write(group: h5py.Group, signal: dict[str, Any]) -> None:
    """Write a signal; an axis of values of its own is written as it is."""
    group["data"] = np.asarray(signal["data"])
    described = {
        "axes": [dict(axis) for axis in signal["axes"]],
        "metadata": dict(signal.get("metadata") or {}),
        "original_metadata": dict(signal.get("original_metadata") or {}),
    }
    write_tree(group.create_group("tree"), described)


@contextmanager
def _timed(seconds: float) -> Iterator[None]:
    """Let the system end this process when it has computed for so long."""
    try:
        import resource
    except ImportError:  # Windows: the other side looks at the clock
        yield
        return
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 1
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


@contextmanager
def _limited(n_bytes: int, path: Path) -> Iterator[None]:
    """Limit the memory inside the block, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    hard = before[1]
    limit = n_bytes if hard == resource.RLIM_INFINITY else min(n_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    except MemoryError as error:
        raise InputError(
            f"{path.name} asks for more than {limit / 1e9:.3g} GB of memory, more than "
            f"a file of its size can hold ({error}); it is damaged"
        ) from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


if __name__ == "__main__":
    serve(Worker, nice=0)  # somebody waits for the file
