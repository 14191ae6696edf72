"""Read parameters from where they are declared: one parser for every form of them.

The docks' forms, the command line, recipes and provenance all show what a signature
and its docstring say; nothing about a parameter is written twice.

* `parameters_of`: the keyword-only parameters of a function with their texts.
* `fields_of`: the same of a dataclass of parameters.
* `Parameter`: one of them; reads a value from a text, and refuses what is none.
* `checked_fields`, `from_mapping`: make such a dataclass refuse wrong values.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from ast import literal_eval
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = [
    "Parameter",
    "checked_fields",
    "fields_of",
    "from_mapping",
    "parameters_of",
]

T = TypeVar("T")

#: Parameters that steer a function and change no result.
NOT_SHOWN = ("on_progress", "overwrite")
#: What a value of each type is an instance of.
KINDS: dict[type, type | tuple[type, ...]] = {
    bool: bool,
    int: Integral,
    float: Real,
    str: str,
    tuple: (tuple, list),
}


@dataclass(frozen=True)
class Parameter:
    """A parameter as a user meets it.

    Parameters
    ----------
    name : str
        As in the signature.
    type : type
        bool, int, float, str or tuple (of numbers).
    default : object
        As in the signature.
    choices : tuple of str
        The values of a ``Literal``; empty where anything goes.
    text : str
        From the docstring, in one line.
    optional : bool
        Whether the value may be None.
    words : tuple of str
        Words that a number may be replaced by, as "auto".
    of : {int, float}
        What a tuple holds, int or float.
    """

    name: str
    type: type
    default: Any
    choices: tuple[str, ...] = ()
    text: str = ""
    optional: bool = False
    words: tuple[str, ...] = ()
    of: Any = int

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")

    def shown(self, value: Any) -> str:
        """Return a value as a text that `parsed` reads.

        Parameters
        ----------
        value : object
            Of this parameter.

        Returns
        -------
        str
            "" for None.
        """
        if isinstance(value, tuple | list):
            return ", ".join(map(str, value))
        if isinstance(value, str) or value is None:
            return value or ""
        return f"{value:g}" if self.type is float else str(value)

    def parsed(self, text: str) -> Any:
        """Return the value that a text means; an empty one is None where that may be.

        Parameters
        ----------
        text : str
            As a user writes it.

        Returns
        -------
        object
            Of the type of the parameter.

        Raises
        ------
        InputError
            If it is none.

        Examples
        --------
        >>> Parameter("hidden", tuple, ()).parsed("64, 32")
        (64, 32)
        """
        text = text.strip()
        if self.type is str or text in self.words:
            return self.checked(text)
        if not text and self.optional:
            return None
        try:
            if self.type is float:
                return self.checked(float(text))
            return self.checked(literal_eval(f"({text},)" if self._many else text))
        except (SyntaxError, ValueError) as error:
            words = " or ".join([self._wanted, *map(repr, self.words)])
            raise InputError(f"{self.label}: {text!r} is not {words}") from error

    def checked(self, value: Any) -> Any:
        """Return a value, a list as a tuple, or say why it is none.

        Parameters
        ----------
        value : object
            As code or JSON has it.

        Returns
        -------
        object
            Of the type of the parameter.

        Raises
        ------
        InputError
            If it is of another type, or none of the choices.
        """
        if (value is None and self.optional) or value in self.words:
            return value
        strange = isinstance(value, bool) and self.type is not bool
        if strange or not isinstance(value, KINDS[self.type]):
            raise InputError(
                f"{self.name}={value!r} is not of type {self.type.__name__}"
            )
        if self.choices and value not in self.choices:
            raise InputError(f"{self.name}={value!r} is not one of {self.choices}")
        if not isinstance(value, tuple | list):
            return value
        if not all(isinstance(one, KINDS[self.of]) for one in value):
            what = "whole numbers" if self.of is int else "numbers"
            raise InputError(f"{self.name}={value!r} are not {what}")
        return tuple(self.of(one) for one in value)

    @property
    def _many(self) -> bool:
        return self.type is tuple

    @property
    def _wanted(self) -> str:
        kinds = {tuple: "numbers with commas between them", int: "a whole number"}
        return kinds.get(self.type, "a number")


def parameters_of(function: Callable[..., Any], /) -> tuple[Parameter, ...]:
    """Return the keyword-only parameters of a function, in order.

    Parameters
    ----------
    function : callable
        With annotations of plain types, ``Literal`` or either with None, and with a
        numpydoc docstring. Where that says "As for `other`." of a parameter, the text
        is the one in the docstring of the function ``other`` of the same module.

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
    texts = _texts(function)
    return tuple(
        _parameter(name, hints[name], parameter.default, texts.get(name, ""))
        for name, parameter in shown.items()
    )


def fields_of(
    described: type, /, names: Collection[str] | None = None
) -> tuple[Parameter, ...]:
    """Return the fields of a dataclass of parameters, in order.

    Parameters
    ----------
    described : type
        A dataclass whose fields have defaults and types as for `parameters_of`, a
        number or a word (``int | Literal["auto"]``), ``tuple[int, ...]`` or
        ``tuple[float, ...]``, and are
        described in its numpydoc docstring or in those of its bases. A field may have
        its choices from a function, as metadata "choices".
    names : collection of str, optional
        Fields to return; default all.

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
    hints, texts = get_type_hints(described), _texts(described)
    found = []
    for item in fields(described):
        if names is None or item.name in names:
            text, choices = texts.get(item.name, ""), item.metadata.get("choices")
            one = _parameter(item.name, hints[item.name], item.default, text, choices)
            found.append(one)
    return tuple(found)


def checked_fields(parameters: Any, /) -> None:
    """Refuse an instance with a wrong value; for ``__post_init__``.

    Parameters
    ----------
    parameters : object
        A frozen dataclass as for `fields_of`. Lists become tuples.

    Raises
    ------
    InputError
        If a value is of another type, or none of its choices.
    """
    for one in fields_of(type(parameters)):
        value = one.checked(getattr(parameters, one.name))
        object.__setattr__(parameters, one.name, value)


def from_mapping(described: type[T], values: Mapping[str, Any], /) -> T:
    """Return an instance of a dataclass of parameters, from a file for example.

    Parameters
    ----------
    described : type
        As for `fields_of`.
    values : mapping
        Its fields by name; those left out have their defaults.

    Returns
    -------
    object
        Of the type `described`.

    Raises
    ------
    InputError
        If a name is unknown or a value is wrong.
    """
    known = [item.name for item in fields(described)]  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InputError(
            f"unknown parameters {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return described(**values)


def _hints(function: Callable[..., Any], names: list[str]) -> dict[str, Any]:
    """Return the types of some parameters; others may be known to checkers only."""
    own = {name: function.__annotations__[name] for name in names}
    holder = types.SimpleNamespace(__annotations__=own)
    return get_type_hints(holder, globalns=function.__globals__)


def _parameter(
    name: str,
    hint: Any,
    default: Any,
    text: str,
    choices_of: Callable[[], Collection[str]] | None = None,
) -> Parameter:
    """Return a parameter from its annotation."""
    parts = [hint]
    if get_origin(hint) in (Union, types.UnionType):
        parts = [one for one in get_args(hint) if one is not type(None)]
    optional = default is None or type(None) in get_args(hint)
    words = [str(word) for one in parts for word in get_args(one)]
    plain = [one for one in parts if get_origin(one) is not Literal]
    if not plain:
        return Parameter(name, str, default, tuple(words), text, optional)
    if plain in ([tuple[int, ...]], [tuple[float, ...]]):
        of = get_args(plain[0])[0]
        return Parameter(name, tuple, default, (), text, optional, of=of)
    if len(plain) > 1 or plain[0] not in KINDS:
        raise TypeError(f"parameter {name!r} is of no plain type: {hint}")
    choices = tuple(choices_of()) if choices_of else ()
    return Parameter(name, plain[0], default, choices, text, optional, tuple(words))


def _texts(described: Any) -> dict[str, str]:
    """Return the descriptions of parameters, of a class also those of its bases."""
    texts: dict[str, str] = {}
    for one in reversed(getattr(described, "__mro__", (described,))):
        own = vars(one).get("__doc__") if isinstance(one, type) else one.__doc__
        texts |= _section(inspect.cleandoc(own or ""))
    module = vars(sys.modules[described.__module__])
    for name, text in texts.items():
        same = re.match(r"As for `(\w+)`", text)
        other = module.get(same[1]) if same else None
        if other is not None and other is not described:
            texts[name] = _texts(other).get(name, text)
    return texts


def _section(docstring: str) -> dict[str, str]:
    """Return the descriptions in the section "Parameters"."""
    section = re.search(
        r"Parameters\n-+\n(.*?)(\n\n\w+\n-+\n|\Z)", docstring, re.DOTALL
    )
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in section[1].splitlines() if section else ():
        head = re.match(r"\**(\w+(?:, \w+)*)(?: :|$)", line)
        if head:
            names = head[1].split(", ")
            texts |= dict.fromkeys(names, "")
        elif line.startswith(" "):
            for name in names:
                texts[name] = f"{texts[name]} {line.strip().lstrip('* ')}".strip()
    return texts
