"""How a long function tells how far it is, and how it is told to stop.

A long function takes ``on_progress``, a plain callable of ``(step, total, text)``,
and calls it from time to time. Whoever wants the function to stop raises
`Cancelled` from that callable; the function lets it pass and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Cancelled", "OnProgress", "ignore_progress"]

OnProgress = Callable[[int, int, str], None]


class Cancelled(Exception):
    """Raised by a progress callable to stop the function that calls it."""


def ignore_progress(step: int, total: int, text: str) -> None:
    """Take a progress report and do nothing with it.

    Parameters
    ----------
    step, total : int
        Steps done and steps in all.
    text : str
        What is being done.
    """
