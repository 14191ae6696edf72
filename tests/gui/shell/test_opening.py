from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_phasemap.io.read import read_stack
from napari_phasemap.views.shell.link import workspace_for
from napari_phasemap.views.shell.opening import get_reader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui

PLUGIN = "napari-phasemap"


def test_file_open_shows_a_real_stack_the_right_way_up(
    viewer: Any, real_data: Path
) -> None:
    path = real_data / "als-toner-71214078-fe2p" / "71214078" / "71214078.hdr"
    viewer.open(path, plugin=PLUGIN)
    layer = viewer.layers["71214078"]
    assert layer.axis_labels == ("energy", "y", "x")
    assert [str(unit) for unit in layer.units[1:]] == ["nanometer", "nanometer"]
    np.testing.assert_allclose(np.abs(layer.scale), (1, 80, 80), rtol=1e-3)
    assert layer.scale[1] < 0  # the first row is the lowest y
    assert workspace_for(viewer).sources[0].n_energies == 123
    viewer.dims.set_current_step(0, 122)
    assert viewer.canvas.overlays["text"].text == "730.35 eV"


def test_tiff_and_sdf_show_the_same_numbers(viewer: Any, real_data: Path) -> None:
    folder = real_data / "als-toner-71214078-fe2p"
    sdf = read_stack(folder / "71214078" / "71214078.hdr")
    tiff = read_stack(folder / "derived" / "71214078_counts.tif", energies=sdf.energy)
    np.testing.assert_array_equal(sdf.data, tiff.data)


@pytest.mark.parametrize(
    "name",
    [
        "pollux-nxstxm-2021/Sample_Stack_2021-03-16_128.hdf5",
        "nxstxm-hermes/small_OK.hdf5",
        "sdf-maxiv/max_iv.hdr",
    ],
)
def test_real_files_open_by_drag_and_drop(
    viewer: Any, real_data: Path, name: str
) -> None:
    assert get_reader(str(real_data / name)) is not None
    viewer.open(real_data / name, plugin=PLUGIN)
    assert len(viewer.layers) == 1
    assert workspace_for(viewer).sources


def test_a_file_that_is_not_ours_is_left_to_others(tmp_path: Path) -> None:
    path = tmp_path / "envi.hdr"
    path.write_text("ENVI\nsamples = 10\nlines = 10\n")
    assert get_reader(str(path)) is None


@pytest.mark.parametrize("key", ["particles", "particles_counts", "composite"])
def test_samples_open_from_the_menu(viewer: Any, key: str) -> None:
    layers = viewer.open_sample(PLUGIN, key)
    assert len(layers) == {"particles": 4, "particles_counts": 4, "composite": 2}[key]
    assert len(workspace_for(viewer).sources) == len(layers)


def test_a_stack_layer_is_saved_and_comes_back(
    viewer: Any, two_particles: list[Any], tmp_path: Path
) -> None:
    from napari_phasemap.views.shell.link import link_for

    link_for(viewer).open_stacks(two_particles)
    path = tmp_path / "saved.h5"
    viewer.layers["P2"].save(str(path), plugin=PLUGIN)
    again = read_stack(path)
    np.testing.assert_array_equal(again.data, two_particles[1].data)
    np.testing.assert_array_equal(again.mask, two_particles[1].mask)
    assert again.origin == "lower"
