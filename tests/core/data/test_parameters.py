from __future__ import annotations

from typing import Literal

import pytest

from napari_phasemap.core.data.parameters import parameters_of


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
