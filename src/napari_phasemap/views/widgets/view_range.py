"""Which part of an axis is seen.

* `zoomed`, `moved`, `shifted`: another part, as (low, high).
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Range", "moved", "shifted", "zoomed"]

Range: TypeAlias = tuple[float, float]
#: Part of what is seen that one key moves on.
SHIFT = 0.2


def zoomed(seen: Range, factor: float, at: float) -> Range:
    """Return `factor` times as much, with the place at part `at` where it was.

    >>> zoomed((0.0, 10.0), 0.5, 0.0)
    (0.0, 5.0)
    """
    low, high = seen
    fixed = low + at * (high - low)
    return fixed + factor * (low - fixed), fixed + factor * (high - fixed)


def moved(seen: Range, by: float) -> Range:
    """Return as much, further on by a part of it.

    >>> moved((0.0, 10.0), 0.1)
    (1.0, 11.0)
    """
    step = by * (seen[1] - seen[0])
    return seen[0] + step, seen[1] + step


def shifted(seen: Range, direction: int) -> Range:
    """Return what one key press shows: -1 to the left, 1 to the right."""
    return moved(seen, SHIFT * direction)
