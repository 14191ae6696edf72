"""Python's garbage collector, kept in the window's thread while other threads work.

The collector runs in whichever thread happens to make the next object. Closed dialogs
and docks, of napari and of others, are garbage in cycles, and a Qt object that is
destroyed in a thread that is not its own can end the program.

* `collect_here_until`: automatic collection is off while a job runs; the window's
  thread does it instead.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from napari_phasemap.views.shell.work import Work

__all__ = ["collect_here_until"]

#: Milliseconds between two looks at how much was made.
LOOK_EVERY = 50


def collect_here_until(work: Work) -> None:
    """Collect garbage in this thread alone until a job has ended.

    What is there already is set aside for as long: the collector would walk through
    all of napari (0.2 s with the window blocked), and what is there can wait.
    """
    global _collector
    if _collector is None:
        _collector = _Collector(QApplication.instance())
    _collector.add(work)


class _Collector(QObject):
    """Does what the automatic collection would do, from a timer."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._running: list[Work] = []
        self._was_enabled = True
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY)
        self._timer.timeout.connect(self._on_time)

    def add(self, work: Work) -> None:
        """Take over, if nothing ran before."""
        if not self._running:
            self._was_enabled = gc.isenabled()
            gc.disable()
            gc.freeze()
            self._timer.start()
        self._running.append(work)

    def _on_time(self) -> None:
        self._running = [work for work in self._running if work.is_alive]
        if self._running:
            _collect_young()
            return
        self._timer.stop()
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()


_collector: _Collector | None = None


def _collect_young() -> None:
    """Collect the oldest generation that is due, as Python would."""
    due = [
        generation
        for generation, (count, threshold) in enumerate(
            zip(gc.get_count(), gc.get_threshold(), strict=True)
        )
        if 0 < threshold < count
    ]
    if 0 in due:
        gc.collect(max(due))
