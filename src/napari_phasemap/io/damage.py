"""Damaged files told apart from bugs of ours.

* `parsing`: whatever a library raises on a file becomes a sentence that names the file.
* `by_a_parser`: whether a library that parses or writes files raised something.
* `beside`: a companion of a file, refused where it lies elsewhere.
* `is_no_pipe`: refuse what is neither file nor folder.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import FileError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["beside", "by_a_parser", "is_no_pipe", "parsing"]

_log = logging.getLogger(__name__)

#: Libraries that parse what other programs wrote: what they raise is the file's fault.
_PARSERS = frozenset(
    {"PIL", "gzip", "h5py", "imageio", "rsciio", "tifffile", "zipfile"}
)
_OURS = __name__.partition(".")[0]


@contextmanager
def parsing(path: Path, /) -> Iterator[None]:
    """Name the file in whatever goes wrong while it is read.

    An exception that a parsing library raised says that the file is damaged. One that
    was raised in our own lines, or in numpy when they called it, is a bug and is left
    alone.

    Parameters
    ----------
    path : Path
        The file that the body of the ``with`` reads.

    Raises
    ------
    InputError
        If the file is damaged or cannot be used.
    FileError
        If it cannot be read.
    MemoryError
        If it does not fit into memory.
    """
    try:
        yield
    except InputError as error:
        if path.name in str(error):
            raise
        raise InputError(f"{path.name}: {error}") from error
    except OSError as error:
        if path.name in str(error):
            raise
        raise FileError(f"{path.name}: {error}") from error
    except MemoryError as error:
        raise MemoryError(
            f"{path.name} needs more memory than there is ({error})"
        ) from error
    except Exception as error:
        if not by_a_parser(error):
            raise
        _log.info("%s: damaged", path, exc_info=error)
        raise InputError(
            f"{path.name} is damaged or not what it seems to be "
            f"({type(error).__name__}: {error})"
        ) from error


def by_a_parser(error: Exception) -> bool:
    """Whether a parser was at work below our innermost line.

    Parameters
    ----------
    error : Exception
        With its traceback.

    Returns
    -------
    bool
        True where a library for files raised it.
    """
    below: set[str] = set()
    step = error.__traceback__
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        below = set() if module == _OURS else below | {module}
        step = step.tb_next
    return bool(below & _PARSERS)


def beside(file: Path, of: Path, /) -> Path:
    """Return a companion of a file; it must really lie in the folder of that file.

    Parameters
    ----------
    file : Path
        The companion, by its path beside `of`.
    of : Path
        The file that it belongs to.

    Returns
    -------
    Path
        `file` itself.

    Raises
    ------
    InputError
        If it is a link that leads elsewhere: a scan that somebody sends could take
        along any file of the machine on which it is opened.
    """
    if file.parent != of.parent or file.resolve().parent != of.parent.resolve():
        raise InputError(
            f"{file.name}, which belongs to {of.name}, is a link to another folder; "
            "put the file itself there"
        )
    is_no_pipe(file)
    return file


def is_no_pipe(path: Path, /) -> None:
    """Raise InputError where a path leads to a device or a pipe.

    Reading these may never end. What does not exist is told by whoever opens it.

    Parameters
    ----------
    path : Path
        What is to be read.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path.name} is neither a file nor a folder")
