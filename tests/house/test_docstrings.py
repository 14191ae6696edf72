"""What docstrings say of public functions below the views, measured.

Public is what a module lists in ``__all__``: its functions, and its classes with those
methods that have no underscore. The docstrings of commands are what ``--help`` prints.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[2] / "src" / "napari_phasemap"
FILES = [
    path
    for path in sorted(SOURCE.rglob("*.py"))
    if not {"views", "cli"} & set(path.relative_to(SOURCE).parts)
]
ARRAY = re.compile(r"\b(ndarray|array_like|dask array)\b")
SHAPE = re.compile(r"shape \(|of (the same|any|that) shape|of the shape of|shaped like")
#: Words that say what the values of an array are measured in.
UNIT = re.compile(
    r"\b(eV|nm|pixels?|counts|density|units?|dimensionless|nats|bits|per cent"
    r"|probabilit(y|ies)|shares?|correlations?|mean free paths|0 to 1)\b",
    re.IGNORECASE,
)
#: Truth values and whole numbers (labels, counts, positions) have no unit.
WHOLE = re.compile(r"\b(bool|u?int\d*)\b")

Documented = ast.FunctionDef | ast.ClassDef


def public(tree: ast.Module) -> Iterator[tuple[str, Documented]]:
    """Give name and definition of what a module lists, and of public methods."""
    listed: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            listed |= {one.value for one in ast.walk(node) if is_text(one)}
    for node in tree.body:
        if isinstance(node, Documented) and node.name in listed:
            yield node.name, node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, ast.FunctionDef) and inner.name[0] != "_":
                    yield f"{node.name}.{inner.name}", inner


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def entries(node: Documented) -> dict[str, list[tuple[str, str, str]]]:
    """Return (name, type, description) of every entry, by section."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    doc = ast.get_docstring(node) or ""
    for title, body in re.findall(r"^(\w+)\n-{3,}\n(.*?)(?=^\w+\n---|\Z)", doc, 24):
        found[title] = []
        if title in ("Parameters", "Attributes", "Returns", "Yields"):
            for entry in re.findall(r"^\S.*\n?(?:^(?:[ ].*)?\n?)*", body, re.MULTILINE):
                head, _, text = entry.partition("\n")
                name, colon, kind = head.partition(" : ")
                found[title].append((name if colon else "", kind or head, text))
    return found


def sections_that_lack(code: str) -> list[str]:
    """Name the functions with parameters whose docstring does not describe them."""
    lacking = []
    for name, node in public(ast.parse(code)):
        if isinstance(node, ast.ClassDef):
            continue
        said = entries(node)
        taken = parameters(node)
        described = {
            one.strip("* ")
            for names, kind, _ in said.get("Parameters", ())
            for one in (names or kind).split(",")
        }
        gives = ast.unparse(node.returns) if node.returns else "None"
        if taken - described:
            lacking.append(f"{name}: {', '.join(sorted(taken - described))}")
        elif (
            taken
            and gives not in ("None", "Iterator[None]")
            and not {"Returns", "Yields"} & set(said)
            and not is_property(node)
        ):
            lacking.append(f"{name}: what it returns")
    return lacking


def parameters(node: ast.FunctionDef) -> set[str]:
    given = node.args
    many = [one for one in (given.vararg, given.kwarg) if one]
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, *many]
    return {one.arg for one in named} - {"self", "cls"}


def is_property(node: ast.FunctionDef) -> bool:
    return any("property" in ast.unparse(one) for one in node.decorator_list)


def arrays_that_lack(code: str) -> list[str]:
    """Name the arrays in docstrings without a shape or without a unit."""
    lacking = []
    for name, node in public(ast.parse(code)):
        for section in entries(node).values():
            for parameter, kind, text in section:
                if not ARRAY.search(kind):
                    continue
                if not SHAPE.search(kind + text):
                    lacking.append(f"{name}, {parameter or 'returned'}: shape")
                if not (UNIT.search(kind + text) or WHOLE.search(kind)):
                    lacking.append(f"{name}, {parameter or 'returned'}: unit")
    return lacking


def test_public_functions_say_what_they_take_and_return() -> None:
    lacking = {
        str(path.relative_to(SOURCE)): missing
        for path in FILES
        if (missing := sections_that_lack(path.read_text("utf-8")))
    }
    assert lacking == {}


def test_arrays_of_the_core_have_shape_and_unit() -> None:
    lacking = {
        str(path.relative_to(SOURCE)): missing
        for path in FILES
        if path.relative_to(SOURCE).parts[0] == "core"
        and (missing := arrays_that_lack(path.read_text("utf-8")))
    }
    assert lacking == {}


SAMPLE = '''
__all__ = ["one", "two"]

def one(energy, *, width):
    """Return something.

    Parameters
    ----------
    energy : ndarray of shape (n,)
        Of the frames.

    Returns
    -------
    ndarray
        In eV.
    """

def two(values) -> int:
    """Return something.

    Parameters
    ----------
    values : ndarray of int of shape (n,)
        Labels.
    """

def hidden(values):
    """Not listed."""
'''


def test_what_lacks_would_be_found() -> None:
    assert sections_that_lack(SAMPLE) == ["one: width", "two: what it returns"]
    assert arrays_that_lack(SAMPLE) == ["one, energy: unit", "one, returned: shape"]
