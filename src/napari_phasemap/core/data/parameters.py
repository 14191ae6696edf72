"""Read the form of a step from its signature: parameters are described once.

* `parameters_of`: the keyword-only parameters of a function with their texts.
* `fields_of`: the same of a dataclass of parameters.
* `Parameter`: one of them.
"""

from __future__ import annotations

import inspect
import re
import types
from dataclasses import dataclass, fields
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Parameter", "fields_of", "parameters_of"]

#: Parameters that steer a function and change no result.
NOT_SHOWN = ("on_progress", "overwrite")


@dataclass(frozen=True)
class Parameter:
    """A keyword-only parameter of a function.

    Parameters
    ----------
    name : str
        As in the signature.
    type : type
        bool, int, float or str, of a dataclass also tuple (of int); values may also be
        None where `default` is.
    default : object
        As in the signature.
    choices : tuple of str
        The values of a ``Literal``; empty where anything goes.
    text : str
        From the docstring, in one line.
    """

    name: str
    type: type
    default: Any
    choices: tuple[str, ...] = ()
    text: str = ""


def parameters_of(function: Callable[..., Any], /) -> tuple[Parameter, ...]:
    """Return the keyword-only parameters of a function, in order.

    Parameters
    ----------
    function : callable
        With annotations of plain types, ``Literal`` or either with None, and with a
        numpydoc docstring.

    Returns
    -------
    tuple of Parameter
        Without `on_progress` and `overwrite`.

    Raises
    ------
    TypeError
        If an annotation is of another kind.

    Examples
    --------
    >>> def step(*, size: int = 3):
    ...     '''Do it.
    ...
    ...     Parameters
    ...     ----------
    ...     size : int, default=3
    ...         How large,
    ...         in pixels.
    ...     '''
    >>> parameters_of(step)[0].text
    'How large, in pixels.'
    """
    shown = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in NOT_SHOWN
    }
    hints = _hints(function, list(shown))
    texts = _texts(inspect.getdoc(function) or "")
    found = []
    for name, parameter in shown.items():
        kind, choices = _plain(hints[name], name)
        default = parameter.default
        found.append(Parameter(name, kind, default, choices, texts.get(name, "")))
    return tuple(found)


def fields_of(described: type, /) -> tuple[Parameter, ...]:
    """Return the fields of a dataclass of parameters, in order.

    Parameters
    ----------
    described : type
        A dataclass whose fields have defaults and types as for `parameters_of`, or
        ``tuple[int, ...]``, and are described in its numpydoc docstring.

    Returns
    -------
    tuple of Parameter

    Raises
    ------
    TypeError
        If it is no dataclass, or an annotation is of another kind.

    Examples
    --------
    >>> @dataclass
    ... class Sizes:
    ...     '''Sizes.
    ...
    ...     Parameters
    ...     ----------
    ...     widths : tuple of int
    ...         In pixels.
    ...     '''
    ...     widths: tuple[int, ...] = (3, 5)
    >>> fields_of(Sizes)[0].type, fields_of(Sizes)[0].text
    (<class 'tuple'>, 'In pixels.')
    """
    hints = get_type_hints(described)
    texts = _texts(inspect.getdoc(described) or "")
    found = []
    for item in fields(described):
        hint = hints[item.name]
        many = get_origin(hint) is tuple and get_args(hint) == (int, ...)
        kind, choices = (tuple, ()) if many else _plain(hint, item.name)
        text = texts.get(item.name, "")
        found.append(Parameter(item.name, kind, item.default, choices, text))
    return tuple(found)


def _hints(function: Callable[..., Any], names: list[str]) -> dict[str, Any]:
    """Return the types of some parameters; others may be known to checkers only."""
    own = {name: function.__annotations__[name] for name in names}
    holder = types.SimpleNamespace(__annotations__=own)
    return get_type_hints(holder, globalns=function.__globals__)


def _plain(hint: Any, name: str) -> tuple[type, tuple[str, ...]]:
    """Return the type without None, and the choices."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [one for one in get_args(hint) if one is not type(None)]
        hint = rest[0] if len(rest) == 1 else None
    if get_origin(hint) is Literal:
        return str, tuple(map(str, get_args(hint)))
    if hint not in (bool, int, float, str):
        raise TypeError(f"parameter {name!r} is of no plain type: {hint}")
    return hint, ()


def _texts(docstring: str) -> dict[str, str]:
    """Return the descriptions in the section "Parameters"."""
    section = re.search(
        r"Parameters\n-+\n(.*?)(\n\n\w+\n-+\n|\Z)", docstring, re.DOTALL
    )
    texts: dict[str, str] = {}
    name = ""
    for line in section[1].splitlines() if section else ():
        head = re.match(r"(\w[\w, ]*) :", line)
        if head:
            name = head[1]
            texts[name] = ""
        elif line.startswith(" ") and name:
            texts[name] = f"{texts[name]} {line.strip().lstrip('* ')}".strip()
    return texts
