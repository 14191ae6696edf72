"""Nested plain values in HDF5: a JSON text and the arrays that it mentions.

* `built`: an object of what a file holds.
* `write_tree`, `read_tree`: dict, list, tuple, str, bytes, numbers, None and arrays,
  given back as the same types with the same bits.
"""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.hdf5 import dataset_in, read_array, read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import h5py
    from numpy.typing import NDArray

    from napari_phasemap.io.space import Counted

__all__ = ["built", "read_tree", "write_tree"]

_log = logging.getLogger(__name__)

Made = TypeVar("Made")
#: The key of a JSON object that stands for something JSON does not have.
_KIND = "__kind__"
#: A tree that nests deeper is no record of anything; JSON would fail at about 1000.
_DEEPEST = 100


def write_tree(group: h5py.Group | Counted, values: Mapping[str, Any]) -> None:
    """Write a mapping of plain values into an empty group.

    Values of other types are written as their `str`.

    Parameters
    ----------
    group : h5py.Group or Counted
        An empty one.
    values : mapping of str to object
        Text, numbers, arrays, and lists and mappings of these.
    """
    arrays: list[NDArray[Any]] = []
    encoded = json.dumps(_encode(dict(values), arrays, 0))
    group["json"] = np.frombuffer(encoded.encode(), dtype=np.uint8)
    for number, array in enumerate(arrays):
        group[f"arrays/{number}"] = array


def read_tree(group: h5py.Group) -> dict[str, Any]:
    """Read what `write_tree` wrote.

    Parameters
    ----------
    group : h5py.Group
        What was written into.

    Returns
    -------
    dict of str to object
        With the same types.

    Raises
    ------
    ValueError
        If the JSON text is damaged.
    """
    try:
        values = json.loads(read_bytes(dataset_in(group, "json")).decode())
        found = _decode(values, group)
    except (LookupError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{group.name} is damaged: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{group.name} holds {type(found).__name__}, not a mapping")
    return found


def built(kind: Callable[..., Made], where: str, /, *parts: Mapping[str, Any]) -> Made:
    """Make an object of what a file holds; what does not fit is the file's fault.

    Parameters
    ----------
    kind : callable
        Called with all values by their names.
    where : str
        What holds them, for the message.
    *parts : mapping
        Values by name; no name twice.

    Returns
    -------
    Made
        What `kind` returns.

    Raises
    ------
    InputError
        If names are missing, unknown or there twice, or a value is of another type.
    """
    names = [name for part in parts for name in part]
    if len(set(names)) < len(names):
        raise InputError(f"{where} is damaged: it has a name twice in {names}")
    try:
        return kind(**{name: part[name] for part in parts for name in part})
    except InputError:
        raise
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        _log.info("%s does not fit", where, exc_info=error)
        raise InputError(f"{where} is damaged: {error}") from error


def _encode(value: Any, arrays: list[NDArray[Any]], depth: int) -> Any:
    if depth > _DEEPEST:
        raise InputError(f"metadata nest deeper than {_DEEPEST}")
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        arrays.append(value)
        return {_KIND: "array", "number": len(arrays) - 1}
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, bytes):
        return {_KIND: "bytes", "base64": base64.b64encode(value).decode()}
    if isinstance(value, complex):
        return {_KIND: "complex", "parts": [value.real, value.imag]}
    if isinstance(value, tuple | list):
        items = [_encode(item, arrays, depth + 1) for item in value]
        return items if isinstance(value, list) else {_KIND: "tuple", "items": items}
    if hasattr(value, "items"):
        pairs = {
            str(key): _encode(item, arrays, depth + 1) for key, item in value.items()
        }
        return {_KIND: "dict", "pairs": pairs} if _KIND in pairs else pairs
    return str(value)


def _decode(value: Any, group: h5py.Group) -> Any:
    if isinstance(value, list):
        return [_decode(item, group) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_KIND)
    if kind is None:
        return {key: _decode(item, group) for key, item in value.items()}
    if kind == "array":
        return read_array(dataset_in(group, f"arrays/{int(value['number'])}"))
    if kind == "bytes":
        return base64.b64decode(value["base64"])
    if kind == "complex":
        return complex(*value["parts"])
    if kind == "tuple":
        return tuple(_decode(item, group) for item in value["items"])
    if kind == "dict":
        return {key: _decode(item, group) for key, item in value["pairs"].items()}
    raise InputError(f"{group.name} mentions an unknown kind of value: {kind!r}")
