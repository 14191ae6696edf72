"""Sessions of a window: saved, opened again, and offered after napari was closed.

* `SessionMenu`: save, open, recent ones.
* `capture`, `restore`: what a window shows, beside the results.
* `LastSession`: writes what is open by itself, a while after it has changed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QSettings, QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QMenu, QToolButton

from napari_phasemap.io.sessions import Session, write_session
from napari_phasemap.views.shell.collecting import collect_here_until
from napari_phasemap.views.shell.dock import Dock
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.kinds import (
    AMBIGUITY,
    DISAGREEMENT,
    PHASE,
    RELIABILITY,
    RESOLVED,
    SELECTION,
    SHADED,
    correlation,
)
from napari_phasemap.views.shell.placing import dock_of
from napari_phasemap.views.shell.probability_kinds import (
    BY_PROBABILITY,
    CONTRADICTED,
    PROBABILITY,
)
from napari_phasemap.views.shell.saving import show_results, snapshot
from napari_phasemap.views.shell.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qtpy.QtWidgets import QMainWindow

    from napari_phasemap.io.results import Results
    from napari_phasemap.views.shell.kinds import Kind
    from napari_phasemap.views.shell.link import ViewerLink

__all__ = [
    "LastSession",
    "SessionMenu",
    "capture",
    "last_path",
    "recent",
    "remember",
    "restore",
]

SETTINGS = ("napari-phasemap", "views")
RECENT, MOST_RECENT = "sessions/recent", 8
FILES = "Sessions and results (*.h5);;All files (*)"
#: Milliseconds after the last change until it is written, and bytes that are too many.
WRITE_AFTER, TOO_MANY = 5000, 200_000_000
#: Results that come back as layers, beside r with each reference.
KINDS = (
    PHASE,
    AMBIGUITY,
    RELIABILITY,
    SHADED,
    PROBABILITY,
    BY_PROBABILITY,
    CONTRADICTED,
    RESOLVED,
    DISAGREEMENT,
    SELECTION,
)
#: Of a layer, as napari names it.
LOOKS = ("visible", "opacity", "contrast_limits", "gamma")


class SessionMenu(QToolButton):
    """`save` (path) and `open` (path) after a choice."""

    save = Signal(object)
    open = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setText("Session")
        self.setAutoRaise(True)
        self.setToolTip("Save what is open and how it is shown; open it again.")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        self.setMenu(menu)
        menu.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        menu = self.menu()
        menu.clear()
        menu.addAction("Save session…").triggered.connect(self._ask_save)
        menu.addAction("Open session or results…").triggered.connect(self._ask_open)
        menu.addSection("Open recent")
        for path in recent():
            action = menu.addAction(path.name)
            action.setToolTip(str(path))
            action.triggered.connect(partial(self._on_recent, path))

    def _ask_save(self, *_: object) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the session", "", FILES)
        if name:
            path = Path(name)
            self.save.emit(path if path.suffix else path.with_suffix(".h5"))

    def _ask_open(self, *_: object) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Open a session", "", FILES)
        if name:
            self.open.emit(Path(name))

    def _on_recent(self, path: Path, *_: object) -> None:
        self.open.emit(path)


class LastSession(QObject):
    """Keeps a file up to date with what is open, beside the window.

    What is larger than 200 MB is not written: it would take the disk's time from work.
    """

    def __init__(self, parent: QObject, link: ViewerLink, captured: Any) -> None:
        super().__init__(parent)
        self._link = link
        self._captured = captured
        self._work: Work | None = None
        self._told = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WRITE_AFTER)
        self._timer.timeout.connect(self.write)

    def write_soon(self, *_: Any) -> None:
        """Write when nothing has changed for a while."""
        self._timer.start()

    def write(self) -> None:
        """Write in a thread; later, if the last one is still at it."""
        if self._work is not None and self._work.is_alive:
            self._timer.start()
            return
        self._tell_failure()
        workspace = self._link.workspace
        if workspace.stacks is None:
            return
        results = snapshot(workspace)
        if _n_bytes(results) < TOO_MANY:
            session = Session(results, self._captured())
            path = last_path()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._work = Work(partial(write_session, session, path))
            collect_here_until(self._work)
            self._work.start()

    def _tell_failure(self) -> None:
        """Tell once why what is open could not be written, a full disk for example."""
        outcome = None if self._work is None else self._work.outcome
        error = None if outcome is None else outcome.error
        if error is not None and str(error) != self._told:
            tell_error(error)
        self._told = "" if error is None else str(error)


def recent() -> list[Path]:
    """Return the sessions opened or saved last that are still there."""
    found = _settings().value(RECENT) or []
    paths = [Path(one) for one in ([found] if isinstance(found, str) else found)]
    return [path for path in paths if path.is_file()]


def remember(path: Path) -> None:
    """Put a session first among the recent ones."""
    others = [str(one) for one in recent() if one != path]
    _settings().setValue(RECENT, [str(path), *others][:MOST_RECENT])


def last_path() -> Path:
    """Return where what was open is kept, beside the settings."""
    return Path(_settings().fileName()).parent / "last_session.h5"


# ---- What a window shows ----


def capture(window: QMainWindow, viewer: Any, link: ViewerLink) -> dict[str, Any]:
    """Return what a window shows, as text, numbers, lists and dicts.

    Parameters
    ----------
    window : QMainWindow
        Its docks of this plugin are named.
    viewer : napari viewer
        Its layers of this plugin, camera and sliders.
    link : ViewerLink
        Of the viewer.

    Returns
    -------
    dict
        For `restore`.
    """
    camera, workspace = viewer.scene.camera, link.workspace
    docks = [one for one in window.findChildren(Dock) if not one.is_page]
    selection = workspace.selection
    return {
        "docks": [one.title for one in docks if dock_of(one) is not None],
        "kinds": [kind.name for kind in link.results.kinds()],
        "layers": {layer.name: _look(layer) for layer in viewer.layers},
        "camera": {
            "center": [float(x) for x in camera.center],
            "zoom": float(camera.zoom),
            "angles": [float(x) for x in camera.angles],
        },
        "ndisplay": int(viewer.dims.ndisplay),
        "step": [int(x) for x in viewer.dims.current_step],
        "selected": [] if selection is None else np.flatnonzero(selection).tolist(),
    }


def restore(session: Session, viewer: Any, link: ViewerLink) -> None:
    """Show a session in place of what is there.

    Parameters
    ----------
    session : Session
        What of it does not fit any more is left out.
    viewer : napari viewer
        Its stacks are closed first.
    link : ViewerLink
        Of the viewer.
    """
    shown, workspace = session.window, link.workspace
    show_results(session.results, link)
    names = shown.get("kinds", ["phase", "resolved phase"])
    for kind in _kinds(names, workspace.phase_map):
        link.results.show(kind)
    if workspace.stacks is not None and shown.get("selected"):
        selection = np.zeros(workspace.stacks.n_pixels, dtype=bool)
        selection[np.asarray(shown["selected"], dtype=int)] = True
        workspace.selection = selection
    for layer in viewer.layers:
        for name, value in shown.get("layers", {}).get(layer.name, {}).items():
            if name in LOOKS and hasattr(layer, name):
                setattr(layer, name, value)
    if "camera" in shown:
        viewer.dims.ndisplay = shown["ndisplay"]
        step = shown["step"]
        if len(step) == viewer.dims.ndim:
            viewer.dims.current_step = tuple(step)
        for name, value in shown["camera"].items():
            setattr(viewer.scene.camera, name, value)


def _look(layer: Any) -> dict[str, Any]:
    found = {name: getattr(layer, name) for name in LOOKS if hasattr(layer, name)}
    return {
        name: [float(x) for x in value]
        if isinstance(value, (list, tuple))
        else (value if isinstance(value, bool) else float(value))
        for name, value in found.items()
    }


def _kinds(names: Iterable[str], phases: Any) -> list[Kind]:
    known: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
    if phases is not None:
        known = {**known, **{(k := correlation(n)).name: k for n in phases.names}}
    return [known[name] for name in names if name in known]


def _n_bytes(results: Results) -> int:
    return sum(int(stack.data.nbytes) for stack in results.stacks)


def _settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, *SETTINGS)
