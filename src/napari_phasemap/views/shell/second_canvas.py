"""Where a dock that is a second canvas stands: beside the images, never among forms.

* `SecondCanvas`: beside or below the images, the whole window, or a window of its own.

napari is to get several views of its own; until then all that knows of their places is
here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from qtpy.QtCore import QObject, QSettings, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_phasemap.views.shell.placing import FORMS, RIGHT, dock_of, docks_of, mark

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PLACES", "SecondCanvas"]

#: Places that a button asks for, with their tool tips; "beside" is the one without.
PLACES = {
    "larger": "Give this view the whole window, and back.",
    "own window": "A window of its own, for a second screen, and back.",
}
#: Share of the room for pictures that the view takes beside the images.
SHARE = 0.46
#: Share of the window's height below the images: its tools take some of it.
SHARE_BELOW = 0.52
#: Pixels: two canvases narrower than this stand one above the other.
NARROWEST = 310
SETTINGS = ("napari-phasemap", "views")
PLACE, GEOMETRY = "second_canvas/place", "second_canvas/geometry"
HORIZONTAL, VERTICAL = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class SecondCanvas(QObject):
    """Places one dock of a napari window, and remembers where.

    `changed` (place) after it went to "beside", "larger" or "own window".
    """

    changed = Signal(str)

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = ref(view)
        self.place = "beside"
        self._width = 0
        self._hidden: list[QWidget] = []
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._resize)

    def take_place(self) -> None:
        """Go where this view was last time, as a new dock."""
        dock, window = self._dock_and_window()
        if dock is None or window is None:
            return
        mark(window, dock, "canvas")
        # napari takes the view out of its dock before it removes that: keep the dock.
        dock.visibilityChanged.connect(partial(self._on_visibility, dock))
        self._beside(dock, window)
        if _settings().value(PLACE) == "own window":
            self.set_place("own window", True)

    def set_place(self, place: str, wanted: bool) -> None:
        """Go to a place, or back beside the images."""
        dock, window = self._dock_and_window()
        if dock is None or window is None:
            return
        self._give_back()
        if dock.isFloating():
            _settings().setValue(GEOMETRY, dock.saveGeometry())
            dock.setFloating(False)
        self.place = place if wanted else "beside"
        if self.place == "own window":
            self._float(dock, window)
        else:
            self._beside(dock, window)
            if self.place == "larger":
                self._take_all(dock, window)
        _settings().setValue(PLACE, self.place)
        self.changed.emit(self.place)

    # ---- Places ----

    def _beside(self, dock: QDockWidget, window: QMainWindow) -> None:
        """Stand between the images and the forms; below the images if it is narrow."""
        forms = docks_of(window, "right")
        room = window.width() - _width_of(window, LEFT) - (FORMS if forms else 0)
        if window.width() < window.height() or room < 2 * NARROWEST:
            window.addDockWidget(BOTTOM, dock)
            _split_bottom(window, dock)
            window.resizeDocks([dock], [int(SHARE_BELOW * window.height())], VERTICAL)
            return
        front = next((one for one in forms if not one.visibleRegion().isEmpty()), None)
        window.addDockWidget(RIGHT, dock, HORIZONTAL)
        _move_right(window, forms)
        if front is not None:
            front.raise_()
        self._width = int(SHARE * room)
        self._resize()
        # Until the window has laid out its new columns it knows only their old widths.
        self._later.start()

    def _resize(self) -> None:
        dock, window = self._dock_and_window()
        if dock is None or window is None or self.place != "beside":
            return
        forms = docks_of(window, "right")[:1]
        widths = [self._width, *(FORMS for _ in forms)]
        window.resizeDocks([dock, *forms], widths, HORIZONTAL)

    def _take_all(self, dock: QDockWidget, window: QMainWindow) -> None:
        """Hide everything else in the window."""
        others: Iterable[QWidget | None] = (
            window.centralWidget(),
            *(one for one in window.findChildren(QDockWidget) if one is not dock),
        )
        self._hidden = [one for one in others if one is not None and one.isVisible()]
        for one in self._hidden:
            one.hide()

    def _on_visibility(self, dock: QDockWidget, is_visible: bool) -> None:
        """Give the window back when the view that has it all is closed or hidden."""
        # A minimized window hides its docks as well, and shows them again.
        if is_visible or not dock.isHidden() or not self._hidden:
            return
        self._give_back()
        self.place = "beside"
        _settings().setValue(PLACE, self.place)
        self.changed.emit(self.place)

    def _give_back(self) -> None:
        """Show what was hidden."""
        hidden, self._hidden = self._hidden, []
        for one in hidden:
            one.show()

    def _float(self, dock: QDockWidget, window: QMainWindow) -> None:
        dock.setFloating(True)
        geometry = _settings().value(GEOMETRY)
        if not (geometry is not None and dock.restoreGeometry(geometry)):
            dock.resize(window.width() * 2 // 3, window.height() * 2 // 3)
        # A screen that went away would keep the view out of sight.
        if not any(
            screen.availableGeometry().intersects(dock.frameGeometry())
            for screen in window.screen().virtualSiblings()
        ):
            dock.move(window.pos())

    def _dock_and_window(self) -> tuple[QDockWidget | None, QMainWindow | None]:
        view = self._view()
        dock = None if view is None else dock_of(view)
        window = None if dock is None else dock.parentWidget()
        return dock, window if isinstance(window, QMainWindow) else None


def _width_of(window: QMainWindow, area: Qt.DockWidgetArea) -> int:
    """Return how many pixels the docks of an area take from the window's width."""
    docks = window.findChildren(QDockWidget)
    return max(
        (
            one.width()
            for one in docks
            if one.isVisible() and window.dockWidgetArea(one) == area
        ),
        default=0,
    )


def _move_right(window: QMainWindow, forms: list[QDockWidget]) -> None:
    """Put the forms, one stack of tabs, at the right end."""
    for number, form in enumerate(forms):
        if number == 0:
            window.addDockWidget(RIGHT, form, HORIZONTAL)
        else:
            window.tabifyDockWidget(forms[0], form)


def _split_bottom(window: QMainWindow, dock: QDockWidget) -> None:
    """Stand beside what else is below the images."""
    below = docks_of(window, "bottom")
    if below:
        window.splitDockWidget(below[0], dock, HORIZONTAL)


def _settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, *SETTINGS)
