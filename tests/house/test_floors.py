from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "napari_phasemap"
HEAVY = ("tensorflow", "keras", "umap", "numba", "sklearn", "matplotlib", "skimage")
WINDOW = ("qtpy", "vispy", "napari", "superqt", "magicgui")


def loaded_after(code: str) -> set[str]:
    """Top-level packages in a fresh interpreter after some code."""
    names = "*{name.split('.')[0] for name in sys.modules}"
    script = f"{code}\nimport sys\nprint('LOADED', {names})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    line = next(x for x in done.stdout.splitlines() if x.startswith("LOADED"))
    return set(line.split()[1:])


def test_floors_are_kept() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "code",
    [
        "import napari_phasemap",
        "from napari_phasemap import workspace, cli, pipeline",
        "from napari_phasemap import SpectralStack, read_stack, pearson_map",
    ],
    ids=["package", "floors", "names"],
)
def test_importing_loads_neither_windows_nor_heavy_libraries(code: str) -> None:
    assert not loaded_after(code) & {*HEAVY, *WINDOW}


def test_docks_load_no_heavy_library_before_they_compute() -> None:
    """What napari itself loads does not count."""
    paths = [path.relative_to(SOURCE) for path in (SOURCE / "views").rglob("*.py")]
    modules = [".".join(path.with_suffix("").parts) for path in paths]
    assert {"views.phases.phase_panel", "views.latent.view"} <= set(modules)
    imports = "\n".join(f"import napari_phasemap.{name}" for name in modules)
    binding = "import os; os.environ['QT_API'] = 'pyqt6'"
    napari = f"{binding}\nimport napari, napari.qt, napari.layers"
    new = loaded_after(f"{napari}\n{imports}") - loaded_after(napari)
    assert not new & set(HEAVY)


def test_every_public_name_exists_and_is_documented() -> None:
    import napari_phasemap

    for name in napari_phasemap.__all__:
        assert getattr(napari_phasemap, name).__doc__, name


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import napari_phasemap

    with pytest.raises(AttributeError, match="no attribute 'pearsonmap'"):
        _ = napari_phasemap.pearsonmap


@pytest.mark.gui
def test_open_docks_have_loaded_no_heavy_library() -> None:
    """Docks that are open and empty, in a viewer of their own process."""
    binding = "import os; os.environ['QT_API'] = 'pyqt6'"
    viewer = f"{binding}\nimport napari\nviewer = napari.Viewer(show=True)"
    names = ("Data", "Phase map", "Spectra", "Latent space", "Latent view")
    names += ("EELS classes", "Co-occurrence")
    docks = "\n".join(
        f"viewer.window.add_plugin_dock_widget('napari-phasemap', {name!r})"
        for name in names
    )
    new = loaded_after(f"{viewer}\n{docks}") - loaded_after(viewer)
    assert not new & set(HEAVY)
