"""How often a computing thread lets the window's thread in.

* `short_turns`: while a job computes, and not a moment longer.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["short_turns"]

#: Seconds after which a computing thread lets the window's thread in. A painting window
#: lets go at every OpenGL call and would wait for Python's usual 5 ms each time.
SWITCH_AFTER = 5e-4


class _Turns:
    """Counts the jobs that compute: the first shortens the turns, the last restores."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_jobs = 0
        self._before = 0.0

    def begin(self) -> None:
        with self._lock:
            if not self._n_jobs:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(SWITCH_AFTER, self._before))
            self._n_jobs += 1

    def end(self) -> None:
        with self._lock:
            self._n_jobs -= 1
            if not self._n_jobs:
                sys.setswitchinterval(self._before)


_turns = _Turns()


@contextmanager
def short_turns() -> Iterator[None]:
    """Shorten Python's switch interval inside the block; several may overlap."""
    _turns.begin()
    try:
        yield
    finally:
        _turns.end()
