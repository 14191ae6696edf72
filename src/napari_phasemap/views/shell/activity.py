"""A running job in napari's activity dock.

* `Activity`: a row there while a job takes long.
"""

from __future__ import annotations

from time import monotonic

from napari.utils import progress

__all__ = ["Activity"]

#: Seconds of work that need no row.
SHOW_AFTER = 0.2


class _Silent:
    """Where napari's progress would write to the terminal."""

    def write(self, _: str) -> None:
        """Forget."""

    def flush(self) -> None:
        """Nothing to do."""


class Activity:
    """One row, from 0.2 s after `begin` until `end`.

    napari lets the window live while it makes a row: whatever calls `show` must have
    nothing left to do.
    """

    def __init__(self) -> None:
        self._row: progress | None = None
        self._job = 0
        self._start: float | None = None

    def begin(self) -> None:
        """Start the clock of a job."""
        self.end()
        self._start = monotonic()

    def show(self, step: int, total: int, text: str) -> None:
        """Say how far the job is; 0 of 0 where that is not known."""
        row, start, job = self._row, self._start, self._job
        if row is not None:
            _update(row, step, total, text)
        elif start is not None and monotonic() - start > SHOW_AFTER:
            self._start = None  # not a second one meanwhile
            row = progress(total=total, desc=text, file=_Silent())
            if self._job != job:  # ended meanwhile
                row.close()
                return
            self._row = row

    def end(self) -> None:
        """Take the row away."""
        self._job += 1
        row, self._row, self._start = self._row, None, None
        if row is not None:
            row.close()

    def drop(self) -> None:
        """Forget the row: napari's window is gone, and the row with it."""
        self._job += 1
        row, self._row, self._start = self._row, None, None
        if row is not None:
            row.disable = True


def _update(row: progress, step: int, total: int, text: str) -> None:
    if row.total != total:
        row.total = total
    if row.desc != text:
        row.set_description(text)
    if row.n != step:
        row.update(step - row.n)
