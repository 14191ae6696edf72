from __future__ import annotations

from pathlib import Path

import pytest
from npe2 import PluginManifest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_distribution("napari-phasemap")


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
