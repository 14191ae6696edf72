"""What public functions return is public: a script can name and check what it got."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest

import napari_phasemap as pm

PACKAGE = Path(pm.__file__).parent
WORD = re.compile(r"[A-Za-z_]\w*")


@cache
def classes() -> frozenset[str]:
    """Return the classes of the package below the views, without importing them."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if "views" not in path.relative_to(PACKAGE).parts:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {one.name for one in tree.body if isinstance(one, ast.ClassDef)}
    return frozenset(name for name in found if not name.startswith("_"))


def given_back(public: Any) -> set[str]:
    """Return the words in the types that a public name hands out."""
    if not inspect.isclass(public):
        return set(WORD.findall(str(inspect.get_annotations(public).get("return", ""))))
    words = set(WORD.findall(str(list(inspect.get_annotations(public).values()))))
    for name, member in vars(public).items():
        function = {
            property: lambda one: one.fget,
            cached_property: lambda one: one.func,
            classmethod: lambda one: one.__func__,
            staticmethod: lambda one: one.__func__,
        }.get(type(member), lambda one: one)(member)
        if inspect.isfunction(function) and not name.startswith("_"):
            words |= given_back(function)
    return words


@pytest.mark.parametrize("name", pm.__all__)
def test_what_a_public_name_hands_out_is_public(name: str) -> None:
    hidden = (given_back(getattr(pm, name)) & classes()) - set(pm.__all__)
    assert not hidden


def test_the_walk_finds_a_class_that_is_not_public() -> None:
    class Holder:
        inner: list[EdgePreview]  # noqa: F821 # only its name is read

        def get(self) -> Corrected:  # noqa: F821
            raise NotImplementedError

    assert {"EdgePreview", "Corrected"} <= given_back(Holder) & classes()
