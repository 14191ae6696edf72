"""One function in a thread that knows nothing of the window.

A thread that held a Qt object, or sent it a signal, could be the last to let it go, and
Qt objects must not die there. So the thread leaves what it has to say where a timer of
the window looks for it.

* `Work`: a running function, its last report and how it ended.
"""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.views.shell.turns import short_turns

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Outcome", "Work"]

#: Seconds that the end of the program waits for threads that were told to stop.
LEAVE_AFTER = 1.5

_RUNNING: WeakSet[Work] = WeakSet()


@dataclass(frozen=True)
class Outcome:
    """How a function ended: a value, an error, or cancelled (neither)."""

    value: Any = None
    error: Exception | None = None
    cancelled: bool = False


class Work:
    """A function that runs in a thread of its own, from `start` on.

    Parameters
    ----------
    function : callable
        Called with ``on_progress``; that raises `Cancelled` after `cancel`. Neither it
        nor what it holds may be a Qt object.
    on_cancel : callable, optional
        Called at once by `cancel`, for functions that wait for a child process and
        cannot look at ``on_progress``.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        on_cancel: Callable[[], None] | None = None,
        /,
    ) -> None:
        self._stop = Event()
        self._on_cancel = on_cancel
        self.report: tuple[int, int, str] = (0, 0, "")
        self.outcome: Outcome | None = None
        self._thread = Thread(target=self._run, args=(function,), daemon=True)

    def start(self) -> None:
        """Begin."""
        _RUNNING.add(self)
        self._thread.start()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    @property
    def is_alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    def cancel(self) -> None:
        """Tell the function to stop; what it returns is of no use any more."""
        self._stop.set()
        if self._on_cancel is not None and self.is_alive:
            self._on_cancel()

    def join(self, seconds: float) -> None:
        """Wait for the thread."""
        self._thread.join(seconds)

    def _run(self, function: Callable[..., Any]) -> None:
        try:
            with short_turns():
                value = function(on_progress=self._on_progress)
            self.outcome = Outcome(value)
        except Cancelled:
            self.outcome = Outcome(cancelled=True)
        # Whatever went wrong is told in the window.
        except Exception as error:  # noqa: BLE001
            self.outcome = Outcome(cancelled=self._stop.is_set(), error=error)

    def _on_progress(self, step: int, total: int, text: str) -> None:
        if self._stop.is_set():
            raise Cancelled
        self.report = (step, total, text)


@atexit.register
def _leave() -> None:
    """Stop what still runs when the program ends, and give it a moment."""
    running = [work for work in _RUNNING if work.is_alive]
    for work in running:
        work.cancel()
    end = monotonic() + LEAVE_AFTER
    for work in running:
        work.join(max(end - monotonic(), 0.0))
