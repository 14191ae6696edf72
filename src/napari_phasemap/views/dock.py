"""What every dock has: the next step, the running job, and an end.

* `Dock`: a scrollable body between a hint and a job row; undoes its connections.
* `guarded`: a slot that tells a foreseeable mistake instead of raising it.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_phasemap.views.job import FORESEEABLE, JobRow, tell_error
from napari_phasemap.views.link import ViewerLink, link_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.workspace import Workspace

__all__ = ["Dock", "guarded"]


def guarded(slot: Callable[..., None]) -> Callable[..., None]:
    """Return `slot` so that what a user can mend becomes a notification."""

    @wraps(slot)
    def call(self: Any, *_: Any) -> None:
        try:
            slot(self)
        except FORESEEABLE as error:
            tell_error(error)

    return call


class Dock(QWidget):
    """A dock of the plugin: hint on top, body that scrolls, job row below.

    Subclasses add to `body`, listen with `listen`, and start jobs on `job`.
    """

    title = "Phase map"

    def __init__(self, viewer: Any, workspace: Workspace | None = None) -> None:
        super().__init__()
        viewer = getattr(viewer, "__wrapped__", viewer)
        self.viewer = viewer
        self.link: ViewerLink = link_for(viewer)
        self.workspace = workspace or self.link.workspace
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self._hint)
        layout.addWidget(area, 1)
        layout.addWidget(self.job)
        self.setMinimumWidth(300)
        self.destroyed.connect(_closer(self._connections, self.job))

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

    def closeEvent(self, event: Any) -> None:
        """Stop what runs for a dock that is closed."""
        self.job.close_job()
        super().closeEvent(event)


def _closer(connections: list[tuple[Any, Any]], job: JobRow) -> Callable[..., None]:
    """Return what undoes a dock's connections without holding the dock."""

    def close(*_: Any) -> None:
        for signal, slot in connections:
            signal.disconnect(slot, missing_ok=True)
        connections.clear()

    return close
