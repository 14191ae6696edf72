from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.parameters import (
    checked_fields,
    fields_of,
    from_mapping,
    parameters_of,
)


def step(
    data: object,
    /,
    *,
    size: int = 3,
    kind: Literal["a", "b"] | None = None,
    deep: bool = False,
    overwrite: bool = False,
    on_progress: object = None,
) -> None:
    """Do it.

    Parameters
    ----------
    data : object
        What.
    size : int, default=3
        How large,
        in pixels.
    kind : {"a", "b"}, optional
        * "a": one.
        * "b": two.
    deep : bool, default=False
        Whether.

    Returns
    -------
    None
        Nothing.
    """


def test_parameters_come_in_order_with_type_default_and_choices():
    found = [(p.name, p.type, p.default, p.choices) for p in parameters_of(step)]
    assert found == [
        ("size", int, 3, ()),
        ("kind", str, None, ("a", "b")),
        ("deep", bool, False, ()),
    ]


def test_texts_are_one_line_and_end_before_the_next_section():
    texts = [p.text for p in parameters_of(step)]
    assert texts == ["How large, in pixels.", '"a": one. "b": two.', "Whether."]


def test_a_parameter_that_no_form_can_show_is_refused():
    def odd(*, values: list[int]) -> None: ...

    with pytest.raises(TypeError, match="values"):
        parameters_of(odd)


def like_step(*, size: int = 4, grain: float | None = None) -> None:
    """Do another thing.

    Parameters
    ----------
    size, kind
        As for `step`.
    grain : float, optional
        Grain.
    """


def test_as_for_another_function_shows_the_text_of_that_function():
    texts = [p.text for p in parameters_of(like_step)]
    assert texts == ["How large, in pixels.", "Grain."]


@dataclass(frozen=True)
class Sizes:
    """Sizes.

    Parameters
    ----------
    width, height : int
        In pixels.
    """

    width: int = 1
    height: int = 2

    def __post_init__(self) -> None:
        checked_fields(self)


@dataclass(frozen=True)
class More(Sizes):
    """More.

    Parameters
    ----------
    parts : tuple of int
        Of each.
    grain : float, optional
        Of paper.
    number : int or "auto"
        How many.
    color : str
        Of ink.
    """

    parts: tuple[int, ...] = (1,)
    grain: float | None = None
    number: int | Literal["auto"] = "auto"
    color: str = field(default="red", metadata={"choices": lambda: ("red", "blue")})


def test_a_dataclass_has_the_texts_of_its_bases_and_choices_from_a_function():
    found = {one.name: one for one in fields_of(More)}
    assert list(found) == ["width", "height", "parts", "grain", "number", "color"]
    assert found["height"].text == "In pixels."
    assert found["color"].choices == ("red", "blue")
    assert (found["number"].type, found["number"].words) == (int, ("auto",))
    assert [one.name for one in fields_of(More, ["grain"])] == ["grain"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("width", "7", 7),
        ("grain", "1e-5", 1e-5),
        ("grain", "-inf", -np.inf),
        ("grain", " ", None),
        ("number", "auto", "auto"),
        ("number", "3", 3),
        ("parts", "3, 4", (3, 4)),
        ("parts", "3", (3,)),
        ("color", "blue", "blue"),
    ],
)
def test_a_text_is_read_and_shown_again(name, text, value):
    (one,) = fields_of(More, [name])
    assert one.parsed(text) == value
    assert one.parsed(one.shown(value)) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("width", "", "width: '' is not a whole number"),
        ("width", "2.5", "is not a whole number"),
        ("number", "many", "number: 'many' is not a whole number or 'auto'"),
        ("parts", "3, x", "is not numbers with commas between them"),
        ("grain", "tiny", "grain: 'tiny' is not a number"),
        ("width", "__import__('os')", "is not a whole number"),
        ("color", "green", "'green' is not one of"),
    ],
)
def test_a_text_that_is_no_value_is_told_in_words(name, text, message):
    (one,) = fields_of(More, [name])
    with pytest.raises(InputError, match=message):
        one.parsed(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": "x"}, "width='x' is not of type int"),
        ({"width": True}, "width=True is not of type int"),
        ({"width": None}, "width=None is not of type int"),
        ({"parts": [1, "x"]}, "not whole numbers"),
        ({"color": "green"}, "color='green' is not one of"),
        ({"depth": 3}, "unknown parameters depth; there are width, height"),
    ],
    ids=str,
)
def test_values_from_a_file_are_checked(values, message):
    with pytest.raises(InputError, match=message):
        from_mapping(More, values)


def test_values_from_a_file_become_an_instance():
    made = from_mapping(More, {"parts": [4, 2], "width": np.int64(5), "grain": 2})
    assert (made.parts, made.width, made.grain, made.height) == ((4, 2), 5, 2, 2)
