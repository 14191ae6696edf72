"""Where a dock goes when it is opened: forms in one stack of tabs, plots below.

* `place_form`, `place_below`: the two kinds of docks that are no second canvas.
* `keep_on_screen`: no window wider than its screen.
* `mark`, `docks_of`: which docks of a window are which; `dock_of`: what holds a widget.

napari 0.9 reads neither the area nor the tabs from the manifest.
"""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

__all__ = [
    "FORMS",
    "RIGHT",
    "dock_of",
    "docks_of",
    "keep_on_screen",
    "mark",
    "place_below",
    "place_form",
]

#: Pixels that a form gets beside a second canvas.
FORMS = 340
#: A dock below the image takes this part of the window's height: one in so many.
BOTTOM_SHARE = 3
#: Pixels that a plot needs beside a second canvas.
BESIDE = 220
#: Name under which a frame says what it holds.
AREA = "phasemap area"
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea
#: Which columns the corners below them belong to.
SIDES = (
    (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
    (Qt.Corner.BottomRightCorner, RIGHT),
)


def mark(window: QMainWindow, dock: QDockWidget, area: str) -> None:
    """Let a frame say that it holds a "right", "bottom" or "canvas" dock."""
    dock.setProperty(AREA, area)
    # The columns beside the image keep their height when a dock opens below it.
    for corner, side in SIDES:
        window.setCorner(corner, side)


def docks_of(window: QMainWindow, area: str) -> list[QDockWidget]:
    """Return the visible frames of an area that are part of the window."""
    return [
        one
        for one in window.findChildren(QDockWidget)
        if one.property(AREA) == area and one.isVisible() and not one.isFloating()
    ]


def keep_on_screen(window: QMainWindow) -> None:
    """Take back what a new dock made the window wider than its screen."""
    available = window.screen().availableGeometry().width()
    if window.width() > available:
        window.resize(available, window.height())


def dock_of(widget: QWidget) -> QDockWidget | None:
    """Return the frame that a widget lives in, None where it stands alone."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent


def place_form(window: QMainWindow, dock: QDockWidget) -> None:
    """Join the other forms, else stand at the right end."""
    others = [one for one in docks_of(window, "right") if one is not dock]
    if others:
        window.tabifyDockWidget(others[0], dock)
        dock.raise_()
    elif any(window.dockWidgetArea(one) == RIGHT for one in docks_of(window, "canvas")):
        window.addDockWidget(RIGHT, dock, Qt.Orientation.Horizontal)
        window.resizeDocks([dock], [FORMS], Qt.Orientation.Horizontal)


def place_below(window: QMainWindow, dock: QDockWidget) -> None:
    """Stand below the image; among the forms where a canvas leaves no room there."""
    below = [
        one
        for one in docks_of(window, "canvas")
        if window.dockWidgetArea(one) == BOTTOM
    ]
    if below and below[0].width() < below[0].minimumSizeHint().width() + BESIDE:
        dock.setProperty(AREA, "right")
        place_form(window, dock)
        return
    window.addDockWidget(BOTTOM, dock)
    height = window.height() // BOTTOM_SHARE
    window.resizeDocks([dock], [height], Qt.Orientation.Vertical)
