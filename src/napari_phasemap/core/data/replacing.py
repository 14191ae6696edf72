"""Folders that take the place of others in one step, whatever happens meanwhile.

* `folder_beside`: an empty folder to write into, beside what it shall replace.
* `put`: let it take that place.
* `tidy`: finish what a process that was killed left, the earlier content first.
* `abandon`: remove what this process is writing: it must end at once.
* `marked`, `tidy_marked`: the same care for folders that hold nothing to keep.
"""

from __future__ import annotations

import ctypes
import errno
import json
import logging
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["abandon", "folder_beside", "marked", "put", "tidy", "tidy_marked"]

#: Which process writes here, inside every temporary folder.
OWNER = "owner.json"
NEW, OLD = "new", "old"
#: `renameat2` of Linux: exchange two names (renameat2(2)), and "this folder".
RENAME_EXCHANGE, AT_FDCWD = 2, -100
#: Numbers of the system for a disk, a quota or a limit that is reached.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Seconds after which an empty temporary folder belongs to nobody any more.
SETTLED = 10.0

_log = logging.getLogger(__name__)
_open: set[Path] = set()


@contextmanager
def folder_beside(target: Path, /) -> Iterator[Path]:
    """Give an empty folder on the file system of `target`; it is gone at the end.

    Parameters
    ----------
    target : Path
        What `put` shall replace; its parent is made where it is missing.

    Yields
    ------
    Path
        The empty folder.

    Raises
    ------
    FileError
        If the disk has no room; `target` is as it was.
    """
    target = _real(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    _open.add(temporary)
    try:
        marked(temporary)
        new = temporary / NEW
        new.mkdir()
        yield new
    except (OSError, RuntimeError) as error:  # HDF5 in Keras raises the latter
        if not _is_full(error):
            raise
        raise _no_room(temporary, target, error) from error
    finally:
        _take_back(temporary, target)
        _remove(temporary)
        _open.discard(temporary)


def put(new: Path, target: Path, /) -> None:
    """Let the folder of `folder_beside` take the place of `target`.

    Where the system can exchange two names there is no moment without the one or the
    other; elsewhere the earlier folder stands under a hidden name for a moment, and
    `tidy` puts it back if the process is killed then. A link stays a link: what it
    leads to is replaced.

    Parameters
    ----------
    new : Path
        The finished folder, from `folder_beside`.
    target : Path
        The place it takes.

    Raises
    ------
    OSError
        If the folder cannot be moved; `target` is as it was.
    """
    target, old = _real(target), new.parent / OLD
    if not target.exists():
        os.replace(new, target)
    elif not _exchange(new, target):
        os.replace(target, old)
        try:
            os.replace(new, target)
        except OSError:
            os.replace(old, target)
            raise


def tidy(target: Path, /) -> None:
    """Restore or remove what processes that are gone left beside `target`.

    Parameters
    ----------
    target : Path
        The folder that was being replaced.
    """
    target = _real(target)
    if not target.parent.is_dir():
        return
    for temporary in _temporaries(target.parent, f".{target.name}-"):
        if temporary in _open or not _is_abandoned(temporary):
            continue
        _take_back(temporary, target)
        _remove(temporary)


def abandon() -> None:
    """Remove all folders that this process is writing."""
    for temporary in tuple(_open):
        _remove(temporary)


def marked(folder: Path, /) -> Path:
    """Write into a folder which process it belongs to; return the folder.

    Parameters
    ----------
    folder : Path
        A temporary folder of this process.

    Returns
    -------
    Path
        The same.
    """
    about = {"host": socket.gethostname(), "pid": os.getpid(), "start": _start()}
    (folder / OWNER).write_text(json.dumps(about), encoding="utf-8")
    return folder


def tidy_marked(prefix: str, /) -> None:
    """Remove the temporary folders of a name whose processes are gone.

    Those of other users are left alone.

    Parameters
    ----------
    prefix : str
        With which the names of such folders begin.
    """
    for folder in _temporaries(Path(tempfile.gettempdir()), prefix):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_full(error: OSError | RuntimeError) -> bool:
    """Return whether a disk had no room; libraries keep only the text of the number."""
    number = error.errno if isinstance(error, OSError) else None
    return number in FULL or os.strerror(errno.ENOSPC) in str(error)


def _no_room(temporary: Path, target: Path, error: Exception) -> FileError:
    """Return the sentence on a disk that is full; it names what was to be written."""
    if isinstance(error, FileError):  # it says more, of a file under a hidden name
        return FileError(str(error).replace(str(temporary / NEW), str(target)))
    files = [one for one in temporary.rglob("*") if one.is_file()]
    written = sum(one.stat().st_size for one in files) / 1e6
    free = shutil.disk_usage(target.parent).free / 1e6
    return FileError(
        f"{target} could not be written: there was no room on the disk after "
        f"{written:.3g} MB, and there are {free:.3g} MB ({error}); make room or choose "
        "another folder"
    )


def _real(target: Path) -> Path:
    """Return where a folder really is: behind the link, if it is one."""
    return target.resolve() if target.is_symlink() else target.absolute()


def _take_back(temporary: Path, target: Path) -> None:
    """Give the earlier folder its name back, if it stands under the hidden one."""
    old = temporary / OLD
    if old.is_dir() and not target.exists():
        os.replace(old, target)
        _log.warning(
            "%s was restored: an overwrite that did not end had moved it away", target
        )


def _remove(temporary: Path) -> None:
    """Remove a temporary folder; what tells whose it is goes last."""
    for name in (NEW, OLD):
        shutil.rmtree(temporary / name, ignore_errors=True)
    shutil.rmtree(temporary, ignore_errors=True)


def _temporaries(parent: Path, prefix: str) -> list[Path]:
    """Return the folders whose names are a prefix and what `tempfile` adds to it."""
    name = re.compile(re.escape(prefix) + "[a-z0-9_]{8}")
    return sorted(one for one in parent.iterdir() if name.fullmatch(one.name))


def _is_abandoned(folder: Path) -> bool:
    """Return whether a temporary folder of ours belongs to a process that is gone."""
    try:
        if folder.is_symlink():
            return False
        inside = {one.name for one in folder.iterdir()}
        is_old = time.time() - folder.stat().st_mtime > SETTLED
        text = (folder / OWNER).read_text(encoding="utf-8") if inside else ""
    except OSError:
        return False  # a file, of another user, or not ours
    try:
        about = json.loads(text)
        host, pid, start = about["host"], int(about["pid"]), about["start"]
    except ValueError:  # killed before it could say whose it is
        return is_old and inside <= {OWNER}
    except (TypeError, KeyError):
        return False  # not ours
    if host != socket.gethostname():
        return False  # of another machine at the same disk: nothing is known
    return not (_is_running(pid) and start == _start(pid))


def _is_running(pid: int) -> bool:
    """Return whether there is a process of this number."""
    if sys.platform == "win32":
        # PROCESS_QUERY_LIMITED_INFORMATION; a number that nobody has gives no handle.
        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)
        ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start(pid: int | str = "self") -> str:
    """Return when a process began, in ticks since boot; "" where nobody tells.

    Numbers of processes are used again; this tells two of one number apart (proc(5),
    field 22 of stat).
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    paths = AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second)
    return bool(rename(*paths, RENAME_EXCHANGE) == 0)
