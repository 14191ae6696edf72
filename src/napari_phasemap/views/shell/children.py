"""The child processes of a viewer: made on first use, ended with it.

* `child_for`: the one of a kind that all docks of a viewer share.
* `end_with`: end it when a window is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakKeyDictionary, finalize

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

__all__ = ["Child", "Kind", "child_for", "end_with"]


class Child(Protocol):
    """What is closed in the end."""

    def close(self) -> None:
        """End the process."""


Kind = TypeVar("Kind", bound=Child)

_CHILDREN: WeakKeyDictionary[Any, dict[type, Any]] = WeakKeyDictionary()


def child_for(viewer: Any, kind: type[Kind]) -> Kind:
    """Return the child of a viewer; its process starts when it is first needed."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    children = _CHILDREN.setdefault(viewer, {})
    if kind not in children:
        children[kind] = kind()
        finalize(viewer, children[kind].close)
    child: Kind = children[kind]
    return child


def end_with(window: QWidget, child: Child) -> None:
    """End a child when a window is gone."""
    window.destroyed.connect(lambda _: child.close())
