"""What every dock has: the next step, the running job, and an end.

* `Dock`: a scrollable body between a hint and a job row; undoes its connections.
* `guarded`: a slot that tells what went wrong instead of raising it.
"""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ClassVar

from napari.utils.notifications import show_info
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_phasemap.views.shell.brush import brush_for
from napari_phasemap.views.shell.children import Kind, child_for, end_with
from napari_phasemap.views.shell.ending import end, keep
from napari_phasemap.views.shell.help import help_button
from napari_phasemap.views.shell.job import JobRow, tell_error
from napari_phasemap.views.shell.link import ViewerLink, link_for
from napari_phasemap.views.shell.placing import (
    dock_of,
    keep_on_screen,
    mark,
    place_below,
    place_form,
)
from napari_phasemap.views.shell.warm import warm_up
from napari_phasemap.views.widgets.tab_order import FOCUS_STYLE, order_by_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.workspace import Workspace

__all__ = ["Dock", "guarded"]

#: Milliseconds until napari has finished placing a new dock.
PLACE_AFTER = 50
#: Milliseconds after that until its controls stand where they stay.
ORDER_AFTER = 100
#: Pixels that a dock needs for its controls beside a scroll bar.
MIN_WIDTH = 330


def guarded(slot: Callable[..., None]) -> Callable[..., None]:
    """Return `slot` so that whatever it raises becomes a notification."""

    @wraps(slot)
    def call(self: Any, *_: Any) -> None:
        try:
            slot(self)
        # What a user can mend as a sentence, a bug as one; the window goes on.
        except Exception as error:  # noqa: BLE001
            tell_error(error)

    return call


class Dock(QWidget):
    """A dock of the plugin: hint on top, body that scrolls, job row below.

    Subclasses add to `body`, listen with `listen`, and start jobs on `job`.
    """

    title = "Phase map"
    #: "right": one stack of tabs with the other docks; "bottom": below the image;
    #: "canvas": a second canvas beside the image (see `second_canvas`).
    area = "right"
    #: Called once in a thread when there is something to analyze: the first use of a
    #: dock should not wait for what it imports or compiles.
    load_ahead: ClassVar[Callable[[], object] | None] = None

    def __init__(self, viewer: Any, workspace: Workspace | None = None) -> None:
        super().__init__()
        viewer = getattr(viewer, "__wrapped__", viewer)
        self.viewer = viewer
        self.link: ViewerLink = link_for(viewer)
        brush_for(viewer)  # its keys work from the first dock on
        self.workspace = workspace or self.link.workspace
        self._frame: Any = None
        self._warm = False
        self._unbound: list[Any] = []
        self._connections: list[tuple[Any, Any]] = []
        self._hint = QLabel()
        self._hint.setWordWrap(True)
        self._hint.setStyleSheet("font-weight: bold; padding: 2px;")
        self.job = JobRow()
        inner = QWidget()
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(2, 2, 2, 2)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        area.setWidget(inner)
        self.scroll = area
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        self.header = QWidget()
        header = QHBoxLayout(self.header)
        header.setContentsMargins(0, 0, 0, 0)
        header.addWidget(self._hint, 1)
        header.addWidget(help_button(self.title))
        layout.addWidget(self.header)
        layout.addWidget(area, 1)
        layout.addWidget(self.job)
        self.setMinimumWidth(MIN_WIDTH)
        self.setStyleSheet(FOCUS_STYLE)
        self.listen(self.workspace.events.stacks, self._warm_up)
        end(self, self._connections)

    def set_hint(self, text: str) -> None:
        """Say what to do next."""
        self._hint.setText(text)

    def listen(self, signal: Any, slot: Any) -> None:
        """Connect a signal until the dock goes."""
        signal.connect(slot)
        self._connections.append((signal, slot))

    def tell(self, text: str) -> None:
        """Show a message that needs no answer."""
        show_info(text)

    def after(self, milliseconds: int, slot: Callable[[], None]) -> None:
        """Call a method of this dock later, if the dock is still there then."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        timer.timeout.connect(timer.deleteLater)
        timer.start(milliseconds)

    def child(self, kind: type[Kind]) -> Kind:
        """Return the viewer's child process of a kind; it ends with the window."""
        child = child_for(self.viewer, kind)
        self._unbound.append(child)
        return child

    def showEvent(self, event: Any) -> None:
        """Take a sensible place when shown for the first time."""
        super().showEvent(event)
        window = self.window()
        if isinstance(window, QMainWindow):
            while self._unbound:
                end_with(window, self._unbound.pop())
        frame = dock_of(self)
        if self.is_page:
            self.after(PLACE_AFTER, self._warm_up)
        elif frame is not None and frame is not self._frame:
            is_first, self._frame = self._frame is None, frame
            keep(self)
            frame.destroyed.connect(self._on_frame_gone)
            if is_first:
                self.after(PLACE_AFTER, self._take_place)
                self.after(PLACE_AFTER, self._warm_up)

    @property
    def is_page(self) -> bool:
        """Whether this stands inside another dock, which places and ends it."""
        parent = self.parentWidget()
        while parent is not None and not isinstance(parent, Dock):
            parent = parent.parentWidget()
        return parent is not None

    def _on_frame_gone(self, *_: Any) -> None:
        """End with the frame: napari takes a dock out of it before it deletes it."""
        self._frame = dock_of(self)
        if self._frame is None and not self.isVisible():
            self.close()
            self.deleteLater()

    def _warm_up(self, *_: Any) -> None:
        """Load what layers of results need once there is something to analyze."""
        ready = dock_of(self) is not None and self.workspace.stacks is not None
        if ready and not self._warm:
            self._warm = True
            warm_up(type(self).load_ahead)

    def _take_place(self) -> None:
        """Go below the image, or into one stack of tabs with the other docks."""
        window, dock = self.window(), dock_of(self)
        if dock is None or not isinstance(window, QMainWindow) or dock.isFloating():
            return
        dock.setWindowTitle(self.title)  # tabs are too narrow for napari's longer one
        mark(window, dock, self.area)
        (place_below if self.area == "bottom" else place_form)(window, dock)
        keep_on_screen(window)
        self.after(ORDER_AFTER, partial(order_by_place, self))

    def closeEvent(self, event: Any) -> None:
        """Stop what runs for a dock that is closed."""
        self.job.close_job()
        super().closeEvent(event)
