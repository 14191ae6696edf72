"""Run a long function beside the window: progress, cancel, and every ending told.

* `JobRow`: a progress bar and a cancel button that run one function at a time.
* `tell_error`: show an exception as a user can act on it; a bug as a bug.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from functools import partial
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import notification_manager, show_error, show_info
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QWidget,
)
from superqt.utils import create_worker

from napari_phasemap.core.data.errors import is_bug, told
from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.views.shell.turns import short_turns

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["JobRow", "tell_error"]

#: Seconds between two reports that reach the window.
REPORT_EVERY = 0.05
#: Seconds of work before the time left is worth showing.
GUESS_AFTER = 2.0


@dataclass(frozen=True)
class Outcome:
    """How a job ended: a value, an error, or cancelled (neither)."""

    value: Any = None
    error: Exception | None = None
    cancelled: bool = False


class Bug(RuntimeError):
    """What a notification of a bug carries: its cause is the bug itself."""


def tell_error(error: Exception) -> None:
    """Show what a user can cause as its message, a bug as one, with its traceback."""
    text = told(error)
    if not is_bug(error):
        show_error(text)
        return
    bug = Bug(text).with_traceback(error.__traceback__)
    bug.__cause__ = error
    notification_manager.receive_error(Bug, bug, error.__traceback__)


class _Reports(QObject):
    """Carries progress from the worker thread to the window."""

    progressed = Signal(int, int, str)


class JobRow(QWidget):
    """Shows one running function; hidden while nothing runs.

    `start` calls the function in a worker thread with ``on_progress``; the callbacks
    are called in the window's thread. Cancelling raises `Cancelled` inside the
    function at its next report.
    """

    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel()
        # A text that grows must not resize the dock, which would redraw the images.
        ignored = QSizePolicy.Policy.Ignored
        self._text.setSizePolicy(ignored, QSizePolicy.Policy.Preferred)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setMaximumHeight(8)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(self.cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._text, 2)
        layout.addWidget(self._bar, 1)
        layout.addWidget(self._cancel)
        self._clock = _Clock()
        self._stop = Event()
        self._worker: Any = None
        self._on_cancel: Callable[[], None] | None = None
        self._on_done: Callable[[Any], None] = _nothing
        self._reports = _Reports()
        self._reports.progressed.connect(self._show)
        # Its room is kept while it is hidden, for the same reason.
        kept = self.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.setSizePolicy(kept)
        self.setVisible(False)

    @property
    def running(self) -> bool:
        """Whether a function is running."""
        return self._worker is not None

    def start(
        self,
        function: Callable[..., Any],
        *args: Any,
        on_done: Callable[[Any], None],
        on_cancel: Callable[[], None] | None = None,
        text: str = "",
        **kwargs: Any,
    ) -> bool:
        """Run `function` in a thread; False if another job is still running.

        Parameters
        ----------
        function : callable
            Called with `args`, `kwargs` and ``on_progress``.
        *args
            Handed to `function`.
        on_done : callable
            Called with the result, in the window's thread.
        on_cancel : callable, optional
            Called at once when the user cancels, for functions that wait for a child
            process and cannot look at ``on_progress``.
        text : str, optional
            What is running, until the function reports.
        **kwargs
            Handed to `function`.
        """
        if self.running:
            show_info("Another step is still running; wait for it or cancel it.")
            return False
        self._stop = stop = Event()
        self._on_cancel = on_cancel
        self._clock = _Clock()
        self._show(0, 0, text)
        self.setVisible(True)
        report = _throttled(self._reports, stop)

        def work() -> Outcome:
            # Python's collector walks through all of napari (0.2 s with the window
            # blocked) whenever a job makes many objects; what is there now can wait.
            gc.freeze()
            try:
                with short_turns():
                    return Outcome(function(*args, on_progress=report, **kwargs))
            except Cancelled:
                return Outcome(cancelled=True)
            # A worker must not raise: the window's event loop would end.
            except Exception as error:  # noqa: BLE001
                return Outcome(cancelled=stop.is_set(), error=error)
            finally:
                gc.unfreeze()

        self._on_done = on_done
        # Whatever closes the window ends the job; a lambda would outlive the row.
        self.destroyed.connect(stop.set)
        if on_cancel is not None:
            self.destroyed.connect(partial(_call, on_cancel))
        self._worker = create_worker(work, _start_thread=False)
        self._worker.returned.connect(self._end)
        self._worker.start()
        return True

    def cancel(self) -> None:
        """Ask the running function to stop; its result is dropped."""
        self._stop.set()
        self._text.setText("cancelling")
        if self._on_cancel is not None:
            self._on_cancel()

    def close_job(self) -> None:
        """Cancel and forget: the dock is being closed."""
        self.cancel()
        if self._worker is not None:
            self._worker.returned.disconnect()
            self._worker = None

    def _end(self, outcome: Outcome) -> None:
        cancelled = outcome.cancelled or self._stop.is_set()
        self._worker = None
        self.setVisible(False)
        if cancelled:
            show_info("Cancelled; nothing was changed.")
        elif outcome.error is not None:
            tell_error(outcome.error)
        else:
            try:
                self._on_done(outcome.value)
            # Shown with its traceback; the window goes on.
            except Exception as error:  # noqa: BLE001
                tell_error(error)
        self.finished.emit()

    def _show(self, step: int, total: int, text: str) -> None:
        left = self._clock.left(step, total)
        self._text.setText(text if left is None else f"{text}, {_duration(left)} left")
        self._text.setToolTip(self._text.text())
        self._bar.setRange(0, total)
        self._bar.setValue(step)


def _call(function: Callable[[], None], _: Any = None) -> None:
    """Call a function whatever a signal carries."""
    function()


def _nothing(_: Any) -> None:
    """Take a result that nobody waits for."""


class _Clock:
    """Guesses how long the rest takes, from how long the steps so far took."""

    def __init__(self) -> None:
        self._total = -1
        self._step = 0
        self._start = (0.0, 0)

    def left(self, step: int, total: int) -> float | None:
        """Return the seconds left, None while there is nothing to guess from."""
        now = monotonic()
        if total != self._total or step < self._step:
            self._start = (now, step)
        self._total, self._step = total, step
        elapsed, done = now - self._start[0], step - self._start[1]
        if done < 2 or elapsed < GUESS_AFTER or step >= total:
            return None
        return elapsed / done * (total - step)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _throttled(reports: _Reports, stop: Event) -> Callable[[int, int, str], None]:
    """Return an ``on_progress`` that raises when asked to stop."""
    last = 0.0

    def report(step: int, total: int, text: str) -> None:
        nonlocal last
        if stop.is_set():
            raise Cancelled
        now = monotonic()
        if now - last > REPORT_EVERY or step >= total:
            last = now
            reports.progressed.emit(step, total, text)

    return report
