"""The end of a dock, in the window's thread and nowhere else.

napari takes a closed dock out of its window and forgets it. What is left is garbage in
cycles, which Python collects in whichever thread it happens to be in, and Qt objects
must not die in another thread than the window's. So a dock is kept until its window or
its frame is gone, is deleted by Qt, and then lets go of everything it held.

* `keep`: hold a dock as long as Qt has it.
* `end_of`: what the signal ``destroyed`` of a dock calls.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import SignalInstance
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QLayout

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

__all__ = ["end_of", "keep"]

_KEPT: dict[int, QWidget] = {}


def keep(widget: QWidget) -> None:
    """Hold a widget that has an `end_of` until Qt has deleted it."""
    _KEPT[id(widget)] = widget


def end_of(
    widget: QWidget, connections: list[tuple[Any, Any]]
) -> Callable[[QObject], None]:
    """Return a slot for ``destroyed`` that undoes connections and breaks the cycles.

    Parameters
    ----------
    widget : QWidget
        The slot does not hold it, nor anything inside.
    connections : list of (signal, slot)
        To objects that outlive the widget.
    """
    return partial(_on_destroyed, id(widget), widget.__dict__, connections)


def _on_destroyed(
    key: int,
    attributes: dict[str, Any],
    connections: list[tuple[Any, Any]],
    widget: QObject,
) -> None:
    """Let nothing call the widget any more; what is inside is still there."""
    for signal, slot in connections:
        if isinstance(signal, SignalInstance):
            signal.disconnect(slot, missing_ok=True)
        else:
            signal.disconnect(slot)
    connections.clear()
    # Objects that Qt made itself have no attributes, and are not held: Python would
    # not learn that they are gone. superqt's layout wants its items when it goes.
    inside = [
        child
        for child in widget.findChildren(QObject)
        if child.__dict__ and not isinstance(child, QLayout)
    ]
    # Slots may still be called while Qt deletes all this.
    QTimer.singleShot(0, partial(_empty, key, attributes, inside))


def _empty(key: int, attributes: dict[str, Any], inside: list[QObject]) -> None:
    """Break the cycles, now that Qt has deleted everything."""
    for child in inside:
        child.__dict__.clear()
    attributes.clear()
    _KEPT.pop(key, None)
