"""A group of an HDF5 file as plain values, for a look at what a file says of itself.

* `tree`: a group as nested dict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.io.hdf5 import children, text
from napari_phasemap.io.outside import LARGEST_IN_TREE

if TYPE_CHECKING:
    from collections.abc import Collection

    import h5py

__all__ = ["tree"]

#: Nodes of a tree that are copied; a PolLux file has 700.
MOST_NODES = 5000
DEEPEST = 20


def tree(group: h5py.Group, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """Return a group as nested dict of str, numbers and small arrays.

    Attributes stand under ``"@name"``. Arrays of more than 4096 values, and the
    datasets named in `leave_out`, are described by a sentence instead.

    Parameters
    ----------
    group : h5py.Group
        What to describe.
    leave_out : collection of str, optional
        Paths of datasets that are read elsewhere.

    Returns
    -------
    dict of str to object
        By name.
    """
    return _Copy(frozenset(leave_out)).group(group, depth=0)


class _Copy:
    """Copies a tree once: no object twice, not more than `MOST_NODES`."""

    def __init__(self, leave_out: frozenset[str]) -> None:
        self.leave_out = leave_out
        self.seen: set[Any] = set()

    def group(self, group: h5py.Group, *, depth: int) -> dict[str, Any]:
        import h5py

        found = _attributes(group)
        for name, item in children(group):
            if len(self.seen) > MOST_NODES or depth > DEEPEST:
                found["..."] = "the rest stays in the file"
                break
            address = h5py.h5o.get_info(item.id).addr
            if isinstance(item, h5py.Group):
                if address not in self.seen:
                    self.seen.add(address)
                    found[name] = self.group(item, depth=depth + 1)
            elif isinstance(item, h5py.Dataset):
                self.seen.add((address, item.name))
                found[name] = self.dataset(item)
                found.update(_attributes(item, prefix=name))
        return found

    def dataset(self, dataset: h5py.Dataset) -> Any:
        shape = dataset.shape or ()
        n_values = 1
        for length in shape:
            n_values *= int(length)
        if n_values > LARGEST_IN_TREE or dataset.name in self.leave_out:
            return f"array of shape {shape}, {dataset.dtype}, left in the file"
        try:
            return _plain(dataset[()])
        except (OSError, TypeError, ValueError):
            return "cannot be read"


def _attributes(item: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        names = list(item.attrs)
    except (OSError, RuntimeError):
        return found
    for name in names:
        try:
            found[f"{prefix}@{name}"] = _plain(item.attrs[name])
        except (OSError, RuntimeError, TypeError, ValueError, KeyError):
            continue
    return found


def _plain(value: Any) -> Any:
    """Return a value without h5py types; arrays of one item as that item."""
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "SO":
            words = [text(item) for item in value.reshape(-1)]
            return words[0] if len(words) == 1 else words
        return _plain(value.reshape(-1)[0]) if value.size == 1 else value.copy()
    if isinstance(value, str | int | float | bool | complex | None):
        return value
    return str(value)
