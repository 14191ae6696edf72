"""What the first use of a session needs, loaded before somebody waits for it.

* `warm_up`: beside the window, when there is something to analyze.
* `load_beside`: load anything else there.

napari's first labels layer takes half a second and more: half of it are imports, the
rest the patterns of dashes for a polygon that hardly anybody draws.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_phasemap.views.shell.collecting import collect_here_until
from napari_phasemap.views.shell.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["load_beside", "warm_up"]

#: Loaded by napari's labels, which import them when they are made.
MODULES = ("pandas", "scipy.linalg", "scipy.ndimage", "skimage.color.colorconv")


def warm_up(also: Callable[[], object] | None = None) -> None:
    """Load it in a thread that nobody waits for; once is enough.

    Parameters
    ----------
    also : callable, optional
        Loads more, after the rest; it must hold nothing of a window.
    """
    load_beside(partial(_load, also))


def load_beside(function: Callable[[], None]) -> None:
    """Call a function in a thread; the window's collects garbage meanwhile."""

    def run(on_progress: Any) -> None:
        function()

    work = Work(run)
    collect_here_until(work)
    work.start()


def _load(also: Callable[[], object] | None) -> None:
    for name in MODULES:
        import_module(name)
    from vispy.visuals.line.dash_atlas import DashAtlas

    DashAtlas()  # vispy keeps every pattern that was drawn once
    if also is not None:
        also()
