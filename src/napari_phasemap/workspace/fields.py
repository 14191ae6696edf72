"""What follows for a field of the workspace when other or fewer pixels are analyzed.

* `Follows`: the rules, one of which every field names where it is declared.
* `plain`, `held`: the metadata of a field, compared by its value or by identity.
* `rules`, `held_names`: what the declarations of a class say.
* `fresh`, `with_fewer`: fields for other pixels, and for some of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.subset import keep_pixels
from napari_phasemap.workspace.selection import Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Follows", "fresh", "held", "held_names", "plain", "rules", "with_fewer"]


class Follows(Enum):
    """What becomes of a field when the pixels under analysis change.

    ==========  ====================  ==========================  ==================
    rule        other pixels          some pixels are taken out   undo brings it back
    ==========  ====================  ==========================  ==================
    KEPT        stays                 stays                       it never went
    PIXELS      is replaced           is replaced                 yes
    CUT         starts afresh         the others keep theirs      yes
    WITH_CUT    starts afresh         stays                       yes
    DROPPED     starts afresh         starts afresh               yes
    NONE_SET    False per pixel       False per pixel             where it fits
    FORGOTTEN   starts afresh         starts afresh               no
    ==========  ====================  ==========================  ==================
    """

    #: Has nothing to do with the pixels.
    KEPT = auto()
    #: The pixels themselves.
    PIXELS = auto()
    #: One value per pixel, which does not depend on the other pixels.
    CUT = auto()
    #: Says something about all values of a field that is cut.
    WITH_CUT = auto()
    #: Comes from exactly these pixels and is made again from others.
    DROPPED = auto()
    #: Which pixels are chosen: none to begin with.
    NONE_SET = auto()
    #: Where a person points, or how to go back: no part of a step.
    FORGOTTEN = auto()


def plain(follows: Follows) -> dict[str, Any]:
    """Return the metadata of a field whose values are compared: a number, a text.

    Parameters
    ----------
    follows : Follows
        The rule of the field.

    Returns
    -------
    dict of str to object
        For `dataclasses.field`.
    """
    return {"follows": follows, "held": False}


def held(follows: Follows) -> dict[str, Any]:
    """Return the metadata of a field whose values are the same only as one object.

    Parameters
    ----------
    follows : Follows
        The rule of the field.

    Returns
    -------
    dict of str to object
        For `dataclasses.field`.
    """
    return {"follows": follows, "held": True}


def held_names(namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields declared as `held` in the body of a class.

    Parameters
    ----------
    namespace : mapping of str to object
        Of the body of the class, while it is made.

    Returns
    -------
    tuple of str
        In the order of their declaration.
    """
    return tuple(
        name
        for name, value in namespace.items()
        if isinstance(value, Field) and value.metadata["held"]
    )


def rules(owner: Any) -> dict[str, Follows]:
    """Return the rule of every field of a dataclass, as declared.

    Parameters
    ----------
    owner : dataclass
        Every field declared as `plain` or `held`.

    Returns
    -------
    dict of str to Follows
        By the name of the field.
    """
    return {one.name: one.metadata["follows"] for one in fields(owner)}


def fresh(owner: Any, name: str) -> Any:
    """Return the value that a field of a dataclass starts with.

    Parameters
    ----------
    owner : dataclass
        Or an instance of it.
    name : str
        Of the field.

    Returns
    -------
    object
        What a new instance has there.
    """
    (declared,) = (one for one in fields(owner) if one.name == name)
    if declared.default_factory is not MISSING:
        return declared.default_factory()
    return declared.default


def with_fewer(owner: Any, kept: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what the fields of a dataclass become when only some pixels stay.

    Parameters
    ----------
    owner : dataclass
        Every field declared as `plain` or `held`.
    kept : bool ndarray of shape (n_pixels,)
        True for the pixels that stay.

    Returns
    -------
    dict
        By name: what an undo has to know. The pixels themselves, what stays whatever
        happens and what is forgotten are not in it.
    """
    changes: dict[str, Any] = {}
    for name, rule in rules(owner).items():
        value = getattr(owner, name)
        if rule is Follows.CUT:
            changes[name] = cut(value, kept)
        elif rule is Follows.WITH_CUT:
            changes[name] = value
        elif rule is Follows.DROPPED:
            changes[name] = fresh(owner, name)
        elif rule is Follows.NONE_SET:
            changes[name] = np.zeros(int(np.count_nonzero(kept)), dtype=bool)
    return changes


def cut(value: Any, kept: NDArray[np.bool_]) -> Any:
    """Return what is left of a per-pixel value.

    Parameters
    ----------
    value : ndarray of shape (n_pixels, ...), PhaseMap, Selection, or None
        Or a mapping or a tuple of them.
    kept : bool ndarray of shape (n_pixels,)
        True for the pixels that stay.

    Returns
    -------
    object
        Of the same kind, of the pixels that stay.
    """
    if value is None:
        return None
    if isinstance(value, PhaseMap):
        return keep_pixels(value, kept)
    if isinstance(value, Selection):
        return Selection(value.name, value.pixels[kept], value.color)
    if isinstance(value, Mapping):
        return {key: cut(part, kept) for key, part in value.items()}
    if isinstance(value, tuple):
        return tuple(cut(part, kept) for part in value)
    return np.asarray(value)[kept]
