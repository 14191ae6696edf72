from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_of_the_readme_runs_as_it_stands_and_leaves_a_figure(
    tmp_path: Path,
) -> None:
    (code,) = blocks(ROOT / "README.md", "python")
    code += "\nimport sys\nassert 'tensorflow' not in sys.modules\n"
    assert "Na2.4VPF" in run(code, tmp_path)
    assert (tmp_path / "phases.png").read_bytes()[:4] == b"\x89PNG"


def test_the_python_of_the_scripting_page_runs_as_it_stands(tmp_path: Path) -> None:
    code = blocks(ROOT / "docs" / "scripting.md", "python")[0]
    assert "% ambiguous" in run(code, tmp_path)


@pytest.mark.tensorflow
def test_the_latent_space_of_the_scripting_page_runs_as_it_stands(
    tmp_path: Path,
) -> None:
    code = "\n".join(blocks(ROOT / "docs" / "scripting.md", "python"))
    code += "\nprint(latent.shape, (resolved.labels != phases.labels).sum())\n"
    *_, n_pixels, n_latent, n_changed = re.findall(r"\d+", run(code, tmp_path))
    assert int(n_pixels) > 1000
    assert int(n_latent) == 3
    assert 0 < int(n_changed) < int(n_pixels)
    assert (tmp_path / "model").is_dir()


def test_the_python_of_the_eels_page_runs_as_it_stands(tmp_path: Path) -> None:
    (code,) = blocks(ROOT / "docs" / "eels.md", "python")
    assert "ClassPairs" in run(code, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text("utf-8"))
    files = [link for link in links if not link.startswith("http")]
    assert [link for link in files if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_pages_name_exist(page: Path) -> None:
    from napari_phasemap.cli import main

    text = "\n".join(blocks(page, "bash"))
    named = set(re.findall(r"^napari-phasemap (\w+)", text, re.MULTILINE))
    assert named <= set(main.commands)


def test_pictures_are_small_and_every_one_is_shown() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert [path.name for path in pictures if path.name not in text] == []
    assert sum(path.stat().st_size for path in pictures) < 6 << 20
    assert (ROOT / "docs" / "pictures" / "lasso.gif").stat().st_size < 3 << 20
