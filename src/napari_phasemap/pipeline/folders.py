"""Folders of results that appear whole or not at all.

* `replacing_folder`: write under a temporary name beside it, then move.
* `check_folder`: whether a folder may be written at all.
* `sendable`, `without_home`: a path, and a text, as they may be sent to others.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.data.replacing import folder_beside, put, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set

__all__ = ["check_folder", "file_names", "replacing_folder", "sendable", "without_home"]

_log = logging.getLogger(__name__)


def file_names(folder: Path, /) -> set[str]:
    """Return all files below a folder, relative to it, with slashes.

    A link and an empty folder count as files: they are somebody's too.

    Parameters
    ----------
    folder : Path
        Where to look.

    Returns
    -------
    set of str
        Empty where there is no such folder.
    """
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir() or not any(path.iterdir())
    }


def check_folder(
    output: Path, known: Callable[[Path], Set[str]], /, *, overwrite: bool
) -> None:
    """Raise FileExistsError unless results may be written into this folder.

    What a run that was killed left there is restored or removed first.

    Parameters
    ----------
    output : Path
        The folder.
    known : callable
        Of the folder; returns the names of the files that an earlier run wrote.
    overwrite : bool
        Whether these may be replaced. Other files never are.
    """
    tidy(output)
    if not output.exists():
        return
    if not output.is_dir():
        raise FileExistsError(f"{output} is a file; give a folder for the results")
    present = file_names(output)
    if not present:
        return
    strange = sorted(present - known(output))
    if strange:
        raise FileExistsError(
            f"{output} holds files that no earlier run wrote ({', '.join(strange[:3])}"
            f"{', ...' if len(strange) > 3 else ''}); choose another folder"
        )
    if not overwrite:
        raise FileExistsError(
            f"{output} holds the results of an earlier run; choose another folder or "
            "overwrite it"
        )


@contextmanager
def replacing_folder(
    output: Path,
    known: Callable[[Path], Set[str]],
    /,
    *,
    overwrite: bool,
    edited: Callable[[Path], Set[str]] = lambda _: set(),
) -> Iterator[Path]:
    """Give a temporary folder beside `output` that takes its place at the end.

    Parameters
    ----------
    output, known, overwrite
        As for `check_folder`. A link stays, and what it leads to is written.
    edited : callable, optional
        Of the folder; returns the names of files that were changed after an earlier
        run wrote them. They are kept in a folder beside `output`, and a warning is
        logged.

    Yields
    ------
    Path
        An empty folder.
    """
    check_folder(output, known, overwrite=overwrite)
    with folder_beside(output) as new:
        yield new
        check_folder(output, known, overwrite=overwrite)
        _keep(output, edited(output) if output.exists() else set())
        put(new, output)


def _keep(output: Path, names: Set[str]) -> None:
    """Copy files that somebody changed into a new folder beside `output`."""
    if not names:
        return
    number = 1
    while (kept := output.with_name(f"{output.name}-edited-{number}")).exists():
        number += 1
    for name in sorted(names):
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(output / name, kept / name)
    _log.warning(
        "%s: %s changed since it was written; the changed version is kept in %s",
        output, ", ".join(sorted(names)), kept,
    )  # fmt: skip


def sendable(path: Path) -> str:
    """Return a full path as it may be sent to others: the own folder is ``~``.

    Parameters
    ----------
    path : Path
        Relative paths count from the current folder.

    Returns
    -------
    str
    """
    path = path.absolute()
    if path.is_relative_to(Path.home()):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


def without_home(text: str) -> str:
    """Return a text with ``~`` in place of the own folder.

    Parameters
    ----------
    text : str
        May hold full paths.

    Returns
    -------
    str
    """
    home = str(Path.home())
    return text.replace(home, "~") if Path(home).name else text
