"""The child processes of a viewer: made on first use, ended with it.

* `child_for`: the one of a kind that all docks of a viewer share.
* `end_with`: end it when a window is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import finalize

from napari_phasemap.views.shell.ending import when_gone
from napari_phasemap.views.shell.registry import of_viewer

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

__all__ = ["Child", "Kind", "child_for", "end_with"]


class Child(Protocol):
    """What is closed in the end."""

    def close(self) -> None:
        """End the process."""


Kind = TypeVar("Kind", bound=Child)


def child_for(viewer: Any, kind: type[Kind]) -> Kind:
    """Return the child of a viewer; its process starts when it is first needed."""

    def make(viewer: Any) -> Kind:
        child = kind()
        finalize(viewer, child.close)
        return child

    return of_viewer(viewer, kind, make)


def end_with(window: QWidget, child: Child) -> None:
    """End a child when a window is gone."""
    when_gone(window, lambda _: child.close())
