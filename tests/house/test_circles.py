"""No module below the views imports, by whatever way, itself."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2] / "src" / "napari_phasemap"


def module_of(path, root):
    return path.relative_to(root).with_suffix("").as_posix().replace("/", ".")


def imports_of(path, root):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            name = node.module.removeprefix("napari_phasemap.")
            for one in node.names:
                inner = root / name.replace(".", "/") / f"{one.name}.py"
                found.add(f"{name}.{one.name}" if inner.is_file() else name)
    return found


def reachable(graph, start):
    seen, todo = set(), list(graph[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += graph.get(name, ())
    return seen


def test_no_import_circle_is_left_below_the_views():
    """Imports inside functions count, those for type checkers do not."""
    root = ROOT
    graph = {
        module_of(path, root): imports_of(path, root)
        for floor in ("core", "process", "io", "models", "figures", "pipeline")
        for path in (root / floor).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert [name for name in graph if name in reachable(graph, name)] == []


def test_a_circle_would_be_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert [name for name in graph if name in reachable(graph, name)] == ["a", "b", "c"]
