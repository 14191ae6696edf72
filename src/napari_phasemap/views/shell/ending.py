"""The end of a dock, in the window's thread and nowhere else.

napari takes a closed dock out of its window and forgets it. What is left is garbage in
cycles, which Python collects in whichever thread it happens to be in, and Qt objects
must not die in another thread than the window's. So a dock is kept until its window or
its frame is gone, is deleted by Qt, and then lets go of everything it held.

* `keep`: hold a dock as long as Qt has it.
* `end`: let a dock go of everything when Qt has deleted it.
* `when_gone`: call a function when Qt deletes a widget.
"""

from __future__ import annotations

import atexit
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from psygnal import SignalInstance
from qtpy.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

__all__ = ["end", "keep", "when_gone"]

#: Name under which a widget knows which of `_ENDS` are its own.
PROPERTY = "phasemap end"
_NUMBERS = count(1)
_ENDS: dict[int, list[Callable[[QObject], None]]] = {}
_KEPT: dict[int, QWidget] = {}


@atexit.register
def _forget_all() -> None:
    """Hold nothing when Python ends: Qt's application goes before the modules do."""
    _KEPT.clear()
    _ENDS.clear()


def keep(widget: QWidget) -> None:
    """Hold a widget that has an `end` until Qt has deleted it."""
    _KEPT[id(widget)] = widget


def when_gone(widget: QWidget, function: Callable[[QObject], None]) -> None:
    """Call a function with the widget, or what is left of it, when Qt deletes it.

    A slot of ``destroyed`` that nothing else holds is garbage with the widget's
    Python side: the collector empties it while Qt would still call it, and the process
    crashes. So the functions are held here, and Qt calls one that is never garbage.

    Parameters
    ----------
    widget : QWidget
        Python may have forgotten it by then.
    function : callable
        Must hold neither the widget nor anything inside it.
    """
    number = widget.property(PROPERTY)
    if number is None:
        number = next(_NUMBERS)
        widget.setProperty(PROPERTY, number)
        _ENDS[number] = []
        widget.destroyed.connect(_on_destroyed)
    _ENDS[number].append(function)


def _on_destroyed(widget: QObject) -> None:
    for function in _ENDS.pop(widget.property(PROPERTY), ()):
        function(widget)


def end(widget: QWidget, connections: list[tuple[Any, Any]]) -> None:
    """Undo connections and break the cycles of a widget when Qt deletes it.

    Parameters
    ----------
    widget : QWidget
        Whose attributes are emptied, and those of all inside.
    connections : list of (signal, slot)
        To objects that outlive the widget.
    """
    when_gone(widget, partial(_let_go, id(widget), widget.__dict__, connections))


def _let_go(
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
        if type(child).__module__.startswith("napari_phasemap")
    ]
    # Slots may still be called while Qt deletes all this.
    QTimer.singleShot(0, partial(_empty, key, attributes, inside))


def _empty(key: int, attributes: dict[str, Any], inside: list[QObject]) -> None:
    """Break the cycles, now that Qt has deleted everything."""
    for child in inside:
        child.__dict__.clear()
    attributes.clear()
    _KEPT.pop(key, None)
