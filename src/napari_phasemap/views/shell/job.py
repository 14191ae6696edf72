"""Run a long function beside the window: progress, cancel, and every ending told.

* `JobRow`: a progress bar and a cancel button that run one function at a time.
* `tell_error`: show an exception as a user can act on it; a bug as a bug.
"""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import notification_manager, show_error, show_info
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_phasemap.core.data.errors import is_bug, told
from napari_phasemap.views.shell.activity import Activity
from napari_phasemap.views.shell.collecting import collect_here_until
from napari_phasemap.views.shell.ending import when_gone
from napari_phasemap.views.shell.work import Outcome, Work

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["JobRow", "tell_error"]

#: Milliseconds between two looks at what a job reports.
LOOK_EVERY = 20
#: Seconds of work before the time left is worth showing.
GUESS_AFTER = 2.0


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


class JobRow(QWidget):
    """Shows one running function; hidden while nothing runs.

    `start` calls the function in a worker thread with ``on_progress``; the callbacks
    are called in the window's thread. Cancelling raises `Cancelled` inside the
    function at its next report. No Qt object reaches the thread, see `work`.
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
        self._activity = Activity()
        self._works: list[Work] = []
        self._shown: Any = None
        self._on_done: Callable[[Any], None] = _nothing
        # A timer of the widget's own dies with it.
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY)
        self._timer.timeout.connect(self._on_time)
        # Its room is kept while it is hidden, for the same reason.
        kept = self.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.setSizePolicy(kept)
        self.setVisible(False)
        # Whatever destroys the row ends the job; the slot holds nothing of the row.
        when_gone(self, partial(_end_all, self._works, self._activity))

    @property
    def running(self) -> bool:
        """Whether a function is running."""
        return bool(self._works)

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
        self._on_done = on_done
        self._clock = _Clock()
        self._activity.begin()
        self._show(0, 0, text)
        self.setVisible(True)
        work = Work(partial(function, *args, **kwargs), on_cancel)
        collect_here_until(work)
        work.start()
        self._works.append(work)
        self._shown = work.report
        self._timer.start()
        return True

    def cancel(self) -> None:
        """Ask the running function to stop; its result is dropped."""
        self._text.setText("cancelling")
        _cancel_all(self._works)

    def close_job(self) -> None:
        """Cancel and forget: the dock is being closed."""
        self.cancel()
        self._forget()

    def _forget(self) -> None:
        self._timer.stop()
        self._activity.end()
        self._works.clear()
        self._shown, self._on_done = None, _nothing

    def _on_time(self) -> None:
        """See how far the function is, or how it ended."""
        for work in tuple(self._works):
            report, outcome = work.report, work.outcome
            if outcome is not None:
                self._end(outcome, cancelled=outcome.cancelled or work.is_cancelled)
            elif report is not self._shown and not work.is_cancelled:
                self._shown = report
                self._show(*report)
            # The window lives while napari makes a row: nothing may come after this.
            self._activity.show(*report[:2], self._text.text())

    def _end(self, outcome: Outcome, *, cancelled: bool) -> None:
        on_done = self._on_done
        self._forget()
        self.setVisible(False)
        if cancelled:
            show_info("Cancelled; nothing was changed.")
        elif outcome.error is not None:
            tell_error(outcome.error)
        else:
            try:
                on_done(outcome.value)
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


def _end_all(works: list[Work], activity: Activity, _: Any = None) -> None:
    """End with the row: it is being deleted, and napari's window perhaps as well."""
    activity.drop()
    _cancel_all(works)


def _cancel_all(works: list[Work]) -> None:
    for work in works:
        work.cancel()


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
