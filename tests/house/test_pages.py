from __future__ import annotations

import re
from pathlib import Path

import yaml

import napari_phasemap as pm

ROOT = Path(__file__).parents[2]


def test_the_citation_names_this_program_and_the_papers_of_its_methods():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = (ROOT / "pyproject.toml").read_text()
    assert citation["title"] == "napari-phasemap"
    assert citation["license"] == re.search(r'^license = "(.*)"', project, re.M)[1]
    assert citation["version"] == re.search(r'^version = "(.*)"', project, re.M)[1]
    assert citation["version"] == pm.__version__
    assert "2603.07666" in str(citation["references"])


def test_the_architecture_page_names_every_room_and_no_other():
    page = (ROOT / "docs" / "architecture.md").read_text()
    for floor in ("core", "views"):
        folder = ROOT / "src" / "napari_phasemap" / floor
        rooms = {one.parent.name for one in folder.glob("*/__init__.py")}
        table = page.split(f"| rooms of `{floor}`")[1].split("\n\n")[0]
        named = {
            name
            for row in table.splitlines()[2:]
            for name in re.findall(r"`(\w+)`", row.split("|")[1])
        }
        assert named == rooms


def test_files_that_the_architecture_page_names_are_where_it_says():
    page = (ROOT / "docs" / "architecture.md").read_text()
    places = (ROOT / "src" / "napari_phasemap", ROOT / "src", ROOT)
    named = re.findall(r"`([a-z_]+/[a-z_/]+(?:\.py)?)`", page)
    assert "core/latent/methods.py" in named
    assert [
        name for name in named if not any((one / name).exists() for one in places)
    ] == []


def test_every_page_can_be_reached_from_the_readme():
    reached, left = set(), [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    while left:
        page = left.pop()
        if page not in reached:
            reached.add(page)
            links = re.findall(r"\]\(([^)#:]+\.md)", page.read_text("utf-8"))
            left += [(page.parent / link).resolve() for link in links]
    assert sorted(set((ROOT / "docs").rglob("*.md")) - reached) == []


def test_every_benchmark_is_named_in_the_documentation():
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))
    scripts = [
        path.name
        for path in sorted((ROOT / "benchmarks").glob("*.py"))
        if "__main__" in path.read_text("utf-8")
    ]
    assert "pearson.py" in scripts
    assert [name for name in scripts if name not in pages] == []
