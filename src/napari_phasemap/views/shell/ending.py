"""The end of a dock, in the window's thread and nowhere else.

napari takes a closed dock out of its window and forgets it. What is left is garbage in
cycles, which Python collects in whichever thread it happens to be in, and Qt objects
must not die in another thread than the window's. So a dock is kept until its window or
its frame is gone, is deleted by Qt, and then lets go of everything it held.

* `keep`: hold a dock as long as Qt has it.
* `undo`: break the cycles of a widget, from its signal ``destroyed``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import SignalInstance
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QLayout

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

__all__ = ["keep", "undo"]

_KEPT: dict[int, QWidget] = {}


def keep(widget: QWidget) -> None:
    """Hold a widget until Qt has deleted it."""
    if _KEPT.setdefault(id(widget), widget) is widget:
        widget.destroyed.connect(partial(_forget, id(widget)))


def _forget(key: int, _: Any = None) -> None:
    _KEPT.pop(key, None)


def undo(
    attributes: dict[str, Any], connections: list[tuple[Any, Any]], widget: QObject
) -> None:
    """Undo connections and empty the Python side of a widget and of all inside it.

    Parameters
    ----------
    attributes : dict
        ``vars`` of the widget: the slot holds nothing that is being destroyed.
    connections : list of (signal, slot)
        To objects that outlive the widget.
    widget : QObject
        What ``destroyed`` carries. What is inside it is still there.
    """
    for signal, slot in connections:
        if isinstance(signal, SignalInstance):
            signal.disconnect(slot, missing_ok=True)
        else:
            signal.disconnect(slot)
    connections.clear()
    for child in widget.findChildren(QObject):
        child.blockSignals(True)
        if not isinstance(child, QLayout):  # superqt's wants its items when it goes
            child.__dict__.clear()
    attributes.clear()
