"""How to take a step back: an immutable record of what was done.

* `Step`: what one action changed, before and after.
* `History`: the steps done and undone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["History", "PackedBits", "Step"]

#: Steps kept; a selection of a million pixels takes 0.125 MB each.
MAX_STEPS = 100


@dataclass(frozen=True, eq=False)
class PackedBits:
    """A bool array at one bit per value.

    >>> PackedBits.pack(np.array([True, False, True])).unpack().tolist()
    [True, False, True]
    """

    bits: NDArray[np.uint8]
    size: int

    @classmethod
    def pack(cls, values: NDArray[np.bool_]) -> PackedBits:
        """Pack a bool array of shape (n,).

        Parameters
        ----------
        values : bool ndarray of shape (n,)
            What to keep.

        Returns
        -------
        PackedBits
            An eighth of its size.
        """
        return cls(np.packbits(values), len(values))

    def unpack(self) -> NDArray[np.bool_]:
        """Return the bool array."""
        return np.unpackbits(self.bits, count=self.size).view(bool)


@dataclass(frozen=True, eq=False)
class Step:
    """One action: the values of the fields it changed, before and after.

    Bool arrays are packed when a step is made and unpacked by `values`.

    Parameters
    ----------
    text : str
        What was done, for a menu: "lasso".
    before, after : mapping of str to object
        The same keys in both.
    """

    text: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.before.keys() != self.after.keys():
            raise InputError(f"{set(self.before)=} != {set(self.after)=}")
        for key in ("before", "after"):
            packed = {
                name: _packed(value) for name, value in getattr(self, key).items()
            }
            object.__setattr__(self, key, MappingProxyType(packed))


def values(side: Mapping[str, Any], /) -> dict[str, Any]:
    """Return one side of a step with its bool arrays unpacked."""
    return {
        name: value.unpack() if isinstance(value, PackedBits) else value
        for name, value in side.items()
    }


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == bool and value.ndim == 1:
        return PackedBits.pack(value)
    return value


@dataclass(frozen=True, eq=False)
class History:
    """Steps that can be taken back and done again; a change returns a new one.

    Parameters
    ----------
    done, undone : tuple of Step
        Oldest first, and next to redo last.
    max_steps : int, default=100
        The oldest steps beyond are forgotten.

    Examples
    --------
    >>> history = History().push(Step("paint", {"a": 1}, {"a": 2}))
    >>> history, step = history.undo()
    >>> step.before["a"], len(history.done), len(history.undone)
    (1, 0, 1)
    """

    done: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()
    max_steps: int = field(default=MAX_STEPS)

    def push(self, step: Step) -> History:
        """Add a step; what was undone can not be redone any more.

        Parameters
        ----------
        step : Step
            What was done.

        Returns
        -------
        History
            With the step last.
        """
        return replace(self, done=(*self.done, step)[-self.max_steps :], undone=())

    def undo(self) -> tuple[History, Step]:
        """Return the history one step back, and the step to take back."""
        if not self.done:
            raise InputError("nothing to undo")
        *rest, step = self.done
        return replace(self, done=tuple(rest), undone=(*self.undone, step)), step

    def redo(self) -> tuple[History, Step]:
        """Return the history one step on, and the step to do again."""
        if not self.undone:
            raise InputError("nothing to redo")
        *rest, step = self.undone
        return replace(self, done=(*self.done, step), undone=tuple(rest)), step
