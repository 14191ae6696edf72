"""Docks end in the window's thread, and leave nothing that calls them."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.views.shell.job import JobRow
from napari_phasemap.views.shell.link import link_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_phasemap.views.shell.dock import Dock

pytestmark = pytest.mark.gui

DOCKS = (
    "Data", "Phase map", "Latent space", "Latent view", "Spectra", "EELS classes",
    "Co-occurrence",
)  # fmt: skip
N_COLLECTIONS = 100


@pytest.fixture
def filled(viewer: Any, two_particles: list[Any], references: Any) -> Any:
    """A viewer whose docks have something to show."""
    link = link_for(viewer)
    link.open_stacks(two_particles)
    workspace = link.workspace
    workspace.set_stacks(StackSet(two_particles))
    workspace.references = references
    workspace.phase_map = pearson_map(workspace.stacks, references)
    workspace.latent = workspace.phase_map.scores[:, [0, 1, 1]].copy()
    return viewer


@pytest.fixture
def only_by_hand() -> Iterator[None]:
    """The collector runs only where a test calls it."""
    # What is loaded first keeps the frames that loaded it, and so a dock.
    import matplotlib.backends.backend_qtagg  # noqa: F401

    gc.collect()
    gc.disable()
    gc.freeze()  # what is there now is not looked at a hundred times
    yield
    gc.unfreeze()
    gc.enable()


def opened(viewer: Any, name: str) -> Any:
    return viewer.window.add_plugin_dock_widget("napari-phasemap", name)[1]


def frame_of(widget: QWidget) -> QDockWidget:
    parent = widget.parentWidget()
    while not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent


def ours(dock: Dock) -> list[QWidget]:
    """The dock and what is in it, as far as it is written in Python."""
    inside = dock.findChildren(QWidget)
    return [dock, *(w for w in inside if type(w).__module__.startswith("napari_ph"))]


class Ends:
    """Notes in which thread each widget's Python side ends."""

    def __init__(self) -> None:
        self.alive: set[str] = set()
        self.threads: set[str] = set()

    def watch(self, widgets: list[QWidget]) -> None:
        for widget in widgets:
            name = f"{type(widget).__name__} {id(widget)}"
            self.alive.add(name)
            weakref.finalize(widget, self._note, name)

    def _note(self, name: str) -> None:
        self.alive.discard(name)
        self.threads.add(threading.current_thread().name)


def collect_in_a_thread() -> None:
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()


@pytest.mark.usefixtures("only_by_hand")
def test_docks_end_in_the_main_thread_whoever_collects(filled: Any, qtbot: Any) -> None:
    ends = Ends()
    docks = [opened(filled, name) for name in DOCKS]
    qtbot.wait(400)
    for dock in docks:
        ends.watch(ours(dock))
    assert len(ends.alive) > 3 * len(DOCKS)
    frames = [frame_of(dock) for dock in docks]
    work = JobRow()
    qtbot.addWidget(work)
    stop = threading.Event()
    work.start(_count_until, stop, on_done=lambda _: None)
    del docks, dock
    for number in range(N_COLLECTIONS):
        if number % 10 == 0 and frames:
            frames.pop().destroyOnClose()
        collect_in_a_thread()
        qtbot.wait(1)
    stop.set()
    qtbot.waitUntil(lambda: not work.running)
    assert ends.alive == set()
    assert ends.threads == {"MainThread"}


@pytest.mark.usefixtures("only_by_hand")
def test_docks_end_with_their_window(qtbot: Any) -> None:
    import napari

    viewer = napari.Viewer(show=True)
    ends = Ends()
    for name in DOCKS:
        ends.watch(ours(opened(viewer, name)))
    qtbot.wait(400)
    viewer.close()
    for _ in range(10):
        collect_in_a_thread()
        qtbot.wait(5)
    assert ends.alive == set()
    assert ends.threads == {"MainThread"}


def _count_until(stop: threading.Event, /, *, on_progress: Any) -> int:
    """Make garbage in cycles, as a job does."""
    number = 0
    while not stop.is_set():
        number += 1
        loop: list[Any] = []
        loop.append(loop)
        on_progress(number, 0, "counting")
    return number


def test_a_job_collects_nothing_in_its_thread(qtbot: Any) -> None:
    row = JobRow()
    qtbot.addWidget(row)
    threads: set[threading.Thread] = set()

    def note(phase: str, info: dict[str, int]) -> None:
        threads.add(threading.current_thread())

    stop = threading.Event()
    gc.callbacks.append(note)
    try:
        row.start(_count_until, stop, on_done=lambda _: None)
        qtbot.wait(300)
    finally:
        gc.callbacks.remove(note)
    stop.set()
    qtbot.waitUntil(lambda: not row.running)
    assert threads == {threading.main_thread()}
    qtbot.waitUntil(gc.isenabled)


def test_a_row_that_is_destroyed_ends_its_job(qtbot: Any) -> None:
    row, stop, told = JobRow(), threading.Event(), []
    row.start(
        _count_until, stop, on_done=told.append, on_cancel=lambda: told.append("cancel")
    )
    row.deleteLater()
    qtbot.waitUntil(lambda: told == ["cancel"])
    stop.set()
    qtbot.wait(50)
    assert told == ["cancel"]
