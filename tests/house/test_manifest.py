from __future__ import annotations

import re
from pathlib import Path

import pytest
from npe2 import PluginManifest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_distribution("napari-phasemap")


@pytest.fixture(scope="module")
def endings() -> set[str]:
    """What the readers say that they read, files and folders."""
    from napari_phasemap.io.read import extensions, folder_extensions

    return {*extensions(), *folder_extensions()}


def test_the_manifest_offers_what_the_readers_read(
    manifest: PluginManifest, endings: set[str]
) -> None:
    (reader,) = manifest.contributions.readers
    assert {
        pattern.removeprefix("*") for pattern in reader.filename_patterns
    } == endings
    assert len(reader.filename_patterns) == len(endings)
    assert reader.accepts_directories


def test_the_readme_names_what_the_readers_read(endings: set[str]) -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    rows = [line for line in lines if re.match(r"\| (STXM|EELS|images|arrays) ", line)]
    named = set(re.findall(r"`(\.\w+)`", " ".join(rows)))
    parts = {".xim"}  # an image of a scan, named beside its header
    assert named - parts == endings


def test_spectra_have_the_same_endings_in_readme_and_dialogs() -> None:
    from napari_phasemap.io.spectra import EXTENSIONS, pattern

    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    (row,) = (line for line in lines if line.startswith("| reference spectra"))
    assert set(re.findall(r"`(\.\w+)`", row)) == set(EXTENSIONS)
    assert pattern().split() == [f"*{ending}" for ending in EXTENSIONS]


def test_the_dialog_offers_what_the_readers_read(endings: set[str]) -> None:
    from napari_phasemap.io.read import folder_extensions, pattern

    files = endings - set(folder_extensions())
    assert set(pattern().split()) == {f"*{ending}" for ending in files}


def test_every_command_can_be_imported(manifest: PluginManifest) -> None:
    manifest.validate_imports()


def test_the_manifest_on_top_is_the_one_in_the_package() -> None:
    inside = ROOT / "src" / "napari_phasemap" / "napari.yaml"
    assert (ROOT / "napari.yaml").read_bytes() == inside.read_bytes()


def test_docks_readers_writers_and_samples_are_offered(
    manifest: PluginManifest,
) -> None:
    offered = manifest.contributions
    docks = {widget.display_name for widget in offered.widgets}
    assert {"Data", "Phase map", "Spectra", "Latent space", "Latent view"} <= docks
    assert manifest.display_name == "Phase map"
    assert "*.hdr" in offered.readers[0].filename_patterns
    assert offered.writers[0].filename_extensions == [".h5"]
    assert {"particles", "particles_counts"} <= {s.key for s in offered.sample_data}
