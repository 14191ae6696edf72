"""What the first labels layer of a session needs, loaded before somebody waits for it.

* `warm_up`: in slices, when a dock opens.

napari's first labels layer takes half a second and more: half of it are imports, the
rest one table of dashes for a polygon that hardly anybody draws.
"""

from __future__ import annotations

from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from qtpy.QtCore import QObject

__all__ = ["warm_up"]

#: Loaded by napari's labels, which import them when they are made.
MODULES = ("pandas", "scipy.linalg", "scipy.ndimage", "skimage.color.colorconv")
#: Milliseconds between two looks whether the imports are done.
LOOK_AGAIN = 50


def warm_up(owner: QObject) -> None:
    """Import beside the window, then make the table of dashes; once is enough.

    Parameters
    ----------
    owner : QObject
        Whose end is the end of this, too.
    """
    importing = Thread(target=lambda: [import_module(n) for n in MODULES], daemon=True)
    importing.start()
    timer = QTimer(owner)

    def look() -> None:
        if not importing.is_alive():
            timer.stop()
            timer.deleteLater()
            _make_dashes()

    timer.timeout.connect(look)
    timer.start(LOOK_AGAIN)


def _make_dashes() -> None:
    """Make a line of the kind that vispy dashes: it keeps the table for all others."""
    from vispy.scene.visuals import Line

    Line(np.zeros((2, 2), dtype=np.float32), method="agg")
