"""Files that appear whole or not at all.

* `replacing`: write into a temporary folder beside the file, then move.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.data.replacing import folder_beside, tidy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

__all__ = ["replacing"]


@contextmanager
def replacing(
    path: str | PathLike[str], /, *, overwrite: bool = False
) -> Iterator[Path]:
    """Give a temporary path of the same name; move it to `path` at the end.

    If the block raises, or the process is killed, `path` is as it was before. What a
    process that was killed left beside it is removed.

    Parameters
    ----------
    path : str or path
        Where the finished file shall be; its folder must exist. A link stays, and what
        it leads to is written.
    overwrite : bool, default=False
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    FileExistsError
        If `path` exists and may not be replaced.
    FileNotFoundError
        If its folder does not exist.
    """
    path = Path(path)
    if path.is_symlink():  # what it leads to is replaced, and the link stays
        path = path.resolve()
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; give overwrite=True to replace it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}")
    tidy(path)
    with folder_beside(path) as folder:
        temporary = folder / path.name
        yield temporary
        os.replace(temporary, path)
