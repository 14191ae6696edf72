"""Files that appear whole or not at all.

* `replacing`: write to a temporary name in the same folder, then move.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

__all__ = ["replacing"]


@contextmanager
def replacing(
    path: str | PathLike[str], /, *, overwrite: bool = False
) -> Iterator[Path]:
    """Give a temporary path with the same ending; move it to `path` at the end.

    If the block raises, or the process is killed, `path` is as it was before.

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
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """Return the file mode mask; the system only tells it while setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
