"""How to take a step back: an immutable record of what was done.

* `Step`: what one action changed, before and after.
* `History`: the steps done and undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["History", "PackedBits", "Step"]

#: Steps kept; a selection of a million pixels takes 0.125 MB each.
MAX_STEPS = 100
#: Bytes that steps may keep alive: an optical density that was converted anew is large.
MAX_BYTES = 2_000_000_000


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

    @cached_property
    def n_bytes(self) -> int:
        """Bytes of the arrays that were there before and are not any more after."""
        after = _arrays(self.after)
        before = _arrays(self.before)
        return sum(size for key, size in before.items() if key not in after)


def _is_same(last: Step, step: Step) -> bool:
    return last.text == step.text and last.before.keys() == step.before.keys()


def _arrays(value: Any) -> dict[int, int]:
    """Return the arrays inside a value, by identity of their memory, with bytes."""
    if isinstance(value, PackedBits):
        value = value.bits
    if isinstance(value, np.ndarray):
        whole = value if value.base is None else value.base
        return {id(whole): int(getattr(whole, "nbytes", value.nbytes))}
    if isinstance(value, Mapping):
        inside: Iterable[Any] = value.values()
    elif isinstance(value, (tuple, list)):
        inside = value
    elif type(value).__module__.startswith("napari_phasemap"):
        inside = vars(value).values()
    else:
        return {}
    found: dict[int, int] = {}
    for one in inside:
        found |= _arrays(one)
    return found


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

    def push(self, step: Step, *, goes_on: bool = False) -> History:
        """Add a step; what was undone can not be redone any more.

        Parameters
        ----------
        step : Step
            Just done.
        goes_on : bool, default=False
            Whether it goes on with the last one, where that changed the same fields
            under the same name: the two are taken back together.

        Returns
        -------
        History
            Without the oldest steps where there are too many, or where arrays that only
            steps hold take more than `MAX_BYTES`; the newest always stays.

        Examples
        --------
        >>> history = History().push(Step("drag", {"a": 1}, {"a": 2}))
        >>> history = history.push(Step("drag", {"a": 2}, {"a": 3}), goes_on=True)
        >>> history.undo()[1].before["a"]
        1
        """
        done = self.done
        if goes_on and done and not self.undone and _is_same(done[-1], step):
            step = Step(step.text, done[-1].before, step.after)
            done = done[:-1]
        kept = (*done, step)[-self.max_steps :]
        sizes = np.cumsum([one.n_bytes for one in reversed(kept)])
        n_kept = max(1, int(np.searchsorted(sizes, MAX_BYTES, side="right")))
        return replace(self, done=kept[-n_kept:], undone=())

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
