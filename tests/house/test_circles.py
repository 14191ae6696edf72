"""No module imports, by whatever way, itself; none takes what another keeps private."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components

SOURCE = Path(__file__).parents[2] / "src" / "napari_phasemap"
#: Every module of the package and what is written in it.
MODULES = {
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path.read_text("utf-8")
    for path in sorted(SOURCE.rglob("*.py"))
}


def imports(code: str) -> list[tuple[str, str]]:
    """Module and name of everything of ours that code imports, wherever it does."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
    return [one for one in found if one[0].split(".")[0] == "napari_phasemap"]


def circles(modules: dict[str, str]) -> list[list[str]]:
    """Modules that reach one another: inside functions and for types alone, too."""
    names = list(modules)
    links = np.zeros((len(names), len(names)), dtype=bool)
    for name, code in modules.items():
        for module, part in imports(code):
            target = f"{module}.{part}" if f"{module}.{part}" in modules else module
            if target != "napari_phasemap":  # only its version is asked for
                links[names.index(name), names.index(target)] = True
    _, group = connected_components(links, connection="strong")
    return [
        [name for name, one in zip(names, group, strict=True) if one == number]
        for number in np.flatnonzero(np.bincount(group) > 1)
    ]


def private_imports(modules: dict[str, str]) -> list[tuple[str, str, str]]:
    """Who imports which name that begins with an underscore, and whence."""
    return [
        (name, module, part)
        for name, code in modules.items()
        for module, part in imports(code)
        if any(
            word.startswith("_") and not word.startswith("__")
            for word in (*module.split("."), part)
        )
    ]


def test_modules_import_one_another_in_no_circle() -> None:
    assert circles(MODULES) == []


def test_no_private_name_is_imported_from_another_module() -> None:
    assert private_imports(MODULES) == []


def test_a_circle_and_a_private_import_would_be_found() -> None:
    here = "napari_phasemap"
    modules = {
        here: "",
        f"{here}.a": f"from {here}.b import one",
        f"{here}.b": f"def f():\n    from {here} import c",
        f"{here}.c": f"if TYPE_CHECKING:\n    from {here}.a import two",
        f"{here}.d": f"from {here}.a import _three",
    }
    assert circles(modules) == [[f"{here}.a", f"{here}.b", f"{here}.c"]]
    assert private_imports(modules) == [(f"{here}.d", f"{here}.a", "_three")]
