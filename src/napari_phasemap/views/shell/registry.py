"""What belongs to one viewer: made on first use, gone with it.

* `of_viewer`: the one object of a class that all views of a viewer share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["of_viewer"]

Owned = TypeVar("Owned")

_OWNED: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()


def of_viewer(viewer: Any, kind: type[Owned], make: Callable[[Any], Owned]) -> Owned:
    """Return the object of a class that belongs to a viewer, made on first use.

    napari hands widgets a proxy of the viewer, which dies early: the viewer itself is
    the key. What is made must hold the viewer weakly, or no viewer would ever be
    released.

    Parameters
    ----------
    viewer : napari viewer or its proxy
        Whose.
    kind : type
        Class of the object.
    make : callable
        Makes it from the viewer.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    owned = _OWNED.setdefault(viewer, {})
    if kind not in owned:
        owned[kind] = make(viewer)
    found: Owned = owned[kind]
    return found
