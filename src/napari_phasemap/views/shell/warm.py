"""What the first labels layer of a session needs, loaded before somebody waits for it.

* `warm_up`: beside the window, when a dock opens.

napari's first labels layer takes half a second and more: half of it are imports, the
rest the patterns of dashes for a polygon that hardly anybody draws.
"""

from __future__ import annotations

from importlib import import_module
from threading import Thread

__all__ = ["warm_up"]

#: Loaded by napari's labels, which import them when they are made.
MODULES = ("pandas", "scipy.linalg", "scipy.ndimage", "skimage.color.colorconv")


def warm_up() -> None:
    """Load it in a thread that nobody waits for; once is enough."""
    Thread(target=_load, daemon=True).start()


def _load() -> None:
    for name in MODULES:
        import_module(name)
    from vispy.visuals.line.dash_atlas import DashAtlas

    DashAtlas()  # vispy keeps every pattern that was drawn once
