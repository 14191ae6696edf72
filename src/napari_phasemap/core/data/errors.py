"""What a user can cause, told apart from what is a bug.

* `InputError`: a value, a file or a choice that cannot work, in words that say what is
  wrong, with both sides, and what to do.
* `FileError`: a file or a disk that cannot be read or written.
* `MissingPackage`: an optional package that is not installed.
* `ProcessDied`: a child process that ended by itself.
* `FORESEEN`: all that a user can cause; the operating system's errors and a lack of
  memory are among it.
* `is_bug`, `told`: what to show of an exception.

Whatever else a function raises (a bare ``ValueError`` of numpy, a ``TypeError``, an
``IndexError``) is a bug: it is logged with its traceback and shown as such.
"""

from __future__ import annotations

import logging

__all__ = [
    "FORESEEN",
    "FileError",
    "InputError",
    "MissingPackage",
    "ProcessDied",
    "is_bug",
    "told",
]

_log = logging.getLogger(__name__)


class InputError(ValueError):
    """Something given to the program that cannot work; the message says what to do."""


class FileError(OSError):
    """A file or a disk that cannot be read or written; the message names the file."""


class MissingPackage(ImportError):
    """An optional package is not installed; the message says how to install it."""


class ProcessDied(RuntimeError):
    """The child process ended by itself; the message has its last words."""

    #: How it ended, as `subprocess` says it: below 0 by a signal, None if not known.
    code: int | None = None


#: What a user can cause. An OSError is the system's word on a file, whoever raises it.
FORESEEN = (InputError, OSError, MissingPackage, MemoryError, ProcessDied)


def is_bug(error: BaseException, /) -> bool:
    """Whether an exception is none that a user can cause.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    bool
        False for every one of `FORESEEN`.
    """
    return not isinstance(error, FORESEEN)


def told(error: BaseException, /, where: str = "") -> str:
    """Return one sentence on an exception; a bug is logged with its traceback.

    Parameters
    ----------
    error : BaseException
        What was raised.
    where : str, optional
        The file or particle that was at work, for the log.

    Returns
    -------
    str
        The message of what a user can mend; for a bug, that it is one.

    Examples
    --------
    >>> told(InputError("3 energies for 4 images"))
    '3 energies for 4 images'
    >>> told(MemoryError())
    'there is not enough memory'
    """
    if not is_bug(error):
        fallback = "there is not enough memory"
        if not isinstance(error, MemoryError):
            fallback = type(error).__name__
        return str(error) or fallback
    text = (
        "this is a bug in napari-phasemap and no mistake of yours "
        f"({type(error).__name__}: {error}); please report it with its traceback"
    )
    at = f"{where}: " if where else ""
    _log.error("%s%s", at, text, exc_info=error)
    return text
