"""Folders of results that appear whole or not at all.

* `replacing_folder`: write under a temporary name beside it, then move.
* `check_folder`: whether a folder may be written at all.
* `written`: a path as it may be sent to others.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set

__all__ = ["check_folder", "file_names", "replacing_folder", "written"]


def file_names(folder: Path, /) -> set[str]:
    """Return all files below a folder, relative to it, with slashes.

    A link and an empty folder count as files: they are somebody's too.
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

    Parameters
    ----------
    output : Path
        The folder.
    known : callable
        Of the folder; returns the names of the files that an earlier run wrote.
    overwrite : bool
        Whether these may be replaced. Other files never are.
    """
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
    output: Path, known: Callable[[Path], Set[str]], /, *, overwrite: bool
) -> Iterator[Path]:
    """Give a temporary folder beside `output` that takes its place at the end.

    Parameters
    ----------
    output, known, overwrite
        As for `check_folder`.

    Yields
    ------
    Path
        An empty folder.
    """
    output = output.absolute()
    check_folder(output, known, overwrite=overwrite)
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    new, old = temporary / "new", temporary / "old"
    try:
        new.mkdir()
        yield new
        check_folder(output, known, overwrite=overwrite)
        if output.exists():
            os.replace(output, old)
        try:
            os.replace(new, output)
        except OSError:
            if old.exists():
                os.replace(old, output)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def written(path: Path) -> str:
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
