"""Sessions as files: results, and how the window showed them.

* `Session`: what is kept of a window; `VERSION` of it.
* `write_session`, `read_session`: a results file with a session inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.io.results import read_results, write_results

if TYPE_CHECKING:
    from pathlib import Path

    from napari_phasemap.io.results import Results

__all__ = ["VERSION", "Session", "read_session", "write_session"]

#: Of what a session says; a newer one is refused, see `read_session`.
VERSION = 1
#: Where a results file keeps it.
KEY = "session"


@dataclass(frozen=True, eq=False)
class Session:
    """What was open, and how it was shown.

    Parameters
    ----------
    results : Results
        Stacks and what was found in them.
    window : dict
        Of text, numbers, lists and dicts: layers, camera, docks. Empty where the file
        holds results that were saved without a window.
    """

    results: Results
    window: dict[str, Any] = field(default_factory=dict)


def write_session(
    session: Session, path: Path, /, *, on_progress: OnProgress = ignore_progress
) -> Path:
    """Write a session; a file of the same name is replaced.

    Parameters
    ----------
    session : Session
        What to write.
    path : Path
        Usually ``.h5``. `read_results` reads it as well.
    on_progress : callable, optional
        Told when it begins.

    Returns
    -------
    Path
        The file.
    """
    from napari_phasemap import __version__

    on_progress(0, 0, f"saving {path.name}")
    about = {"version": VERSION, "program": __version__, **session.window}
    results = replace(session.results, recipe={**session.results.recipe, KEY: about})
    return write_results(results, path, overwrite=True)


def read_session(
    path: Path, /, *, on_progress: OnProgress = ignore_progress
) -> Session:
    """Read a session, or results without one.

    Parameters
    ----------
    path : Path
        What `write_session` or `write_results` wrote.
    on_progress : callable, optional
        Told when it begins.

    Returns
    -------
    Session

    Raises
    ------
    InputError
        If the session is of a newer version, or damaged.
    """
    on_progress(0, 0, f"reading {path.name}")
    results = read_results(path)
    recipe = dict(results.recipe)
    about = recipe.pop(KEY, None)
    if about is None:
        return Session(results)
    if not isinstance(about, dict) or not isinstance(about.get("version"), int):
        raise InputError(f"the session in {path.name} is damaged: {about!r:.80}")
    if about["version"] > VERSION:
        raise InputError(
            f"{path.name} is a session of version {about['version']}, saved by "
            f"napari-phasemap {about.get('program', '')}; this one reads up to version "
            f"{VERSION}: update napari-phasemap, or open it as results"
        )
    return Session(replace(results, recipe=recipe), about)
