from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.views.shell.kinds import AMBIGUITY, PHASE, SELECTION
from napari_phasemap.views.shell.label_colors import label_colors, shown_colors
from napari_phasemap.views.shell.link import link_for, workspace_for

pytestmark = pytest.mark.gui


@pytest.fixture
def opened(viewer: Any, two_particles: list[Any], references: Any) -> Any:
    """A viewer with two particles, their phase map and its layers."""
    link = link_for(viewer)
    link.open_stacks(two_particles)
    link.workspace.set_stacks(StackSet(two_particles))
    link.workspace.references = references
    link.workspace.phase_map = pearson_map(link.workspace.stacks, references)
    link.results.show(PHASE)
    return viewer


def world_of(viewer: Any, stack: int, row: int, col: int) -> tuple[float, float]:
    layer = viewer.layers[f"P{stack + 1}"]
    return tuple(layer.data_to_world((0, row, col))[-2:])


def spot(viewer: Any, name: str, stack: int, row: int, col: int) -> tuple[int, int]:
    """Row and column of a particle's pixel in a layer over all particles."""
    place = viewer.layers[name].world_to_data(world_of(viewer, stack, row, col))
    whole = np.round(place).astype(int)
    np.testing.assert_allclose(place, whole, atol=1e-9)
    return int(whole[0]), int(whole[1])


def picked(viewer: Any, name: str, stack: int, row: int, col: int) -> Any:
    return viewer.layers[name].data[spot(viewer, name, stack, row, col)]


def test_particles_lie_side_by_side(opened: Any) -> None:
    first, second = opened.layers["P1"], opened.layers["P2"]
    assert second.extent.world[0, -1] > first.extent.world[1, -1]


def test_a_first_row_that_is_lowest_is_drawn_at_the_bottom(opened: Any) -> None:
    top, bottom = world_of(opened, 1, 25, 0)[0], world_of(opened, 1, 0, 0)[0]
    assert bottom > top  # napari's y axis points down
    np.testing.assert_allclose(
        opened.layers["P2"].extent.world[:, 1],
        opened.layers["phase"].extent.world[:, 0],
    )
    phases = workspace_for(opened).phase_map
    for stack, row, col in ((0, 5, 2), (0, 19, 29), (1, 1, 0), (1, 25, 17)):
        pixel = workspace_for(opened).stacks.pixel_at(stack, row, col)
        assert picked(opened, "phase", stack, row, col) == phases.labels[pixel]


def test_the_energy_is_on_the_canvas(opened: Any) -> None:
    opened.dims.set_current_step(0, 3)
    text = opened.canvas.overlays["text"]
    assert text.visible
    assert text.text == "525.00 eV"
    assert workspace_for(opened).energy_index == 3


@pytest.mark.parametrize(("stack", "row", "col"), [(0, 3, 25), (1, 20, 4), (1, 2, 16)])
def test_a_click_on_the_image_chooses_its_pixel(
    opened: Any, mouse: Any, stack: int, row: int, col: int
) -> None:
    mouse.click(opened, world_of(opened, stack, row, col))
    workspace = workspace_for(opened)
    assert workspace.cursor is not None
    assert workspace.stacks.locate(workspace.cursor) == (stack, row, col)
    np.testing.assert_allclose(
        opened.layers["cursor"].data[0], world_of(opened, stack, row, col)
    )


def test_hovering_points_and_leaving_the_particle_stops_it(
    opened: Any, mouse: Any
) -> None:
    mouse.move(opened, world_of(opened, 0, 10, 10))
    workspace = workspace_for(opened)
    assert workspace.stacks.locate(workspace.hover) == (0, 10, 10)
    mouse.leave(opened)
    assert workspace.hover is None


def test_the_selection_is_drawn_on_exactly_its_pixels(opened: Any) -> None:
    workspace = workspace_for(opened)
    selection = np.zeros(workspace.stacks.n_pixels, dtype=bool)
    selection[workspace.stacks.pixel_at(1, 7, 3)] = True
    workspace.selection = selection
    buffer = opened.layers["selection"].data
    here = spot(opened, "selection", 1, 7, 3)
    assert [tuple(place) for place in np.argwhere(buffer)] == [here]
    workspace.selection = ~selection
    assert opened.layers["selection"].data is buffer
    assert buffer.sum() == workspace.stacks.n_pixels - 1
    assert buffer[here] == 0


def test_every_value_of_a_label_has_its_own_color_or_none() -> None:
    colors = ["#ff0000", "#00ff00", "#0000ff"]
    mapped = label_colors(colors).map(np.arange(256, dtype=np.uint8))
    assert mapped[1:4, :3].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert mapped[:, 3].tolist() == [0, 1, 1, 1] + [0] * 252


def test_painting_the_selection_layer_selects(opened: Any) -> None:
    workspace = workspace_for(opened)
    link_for(opened).results.show(SELECTION)
    place = spot(opened, "selection", 0, 4, 5)
    opened.layers["selection"].data_setitem(tuple(np.array([n]) for n in place), 1)
    chosen = np.flatnonzero(workspace.selection)
    assert [workspace.stacks.locate(p) for p in chosen] == [(0, 4, 5)]


def test_painting_the_phase_layer_edits_the_phase_map_and_undo_takes_it_back(
    opened: Any,
) -> None:
    workspace = workspace_for(opened)
    pixel = workspace.stacks.pixel_at(0, 4, 5)
    assert workspace.phase_map.labels[pixel] == 1
    layer = opened.layers["phase"]
    place = spot(opened, "phase", 0, 4, 5)
    layer.data_setitem(tuple(np.array([n]) for n in place), 2)
    assert workspace.phase_map.labels[pixel] == 2
    layer.undo()
    assert workspace.phase_map.labels[pixel] == 1


def test_other_colors_of_the_phase_layer_are_those_of_the_phase_map(
    opened: Any,
) -> None:
    workspace, layer = workspace_for(opened), opened.layers["phase"]
    before = workspace.phase_map.colors
    layer.new_colormap()
    after = workspace.phase_map.colors
    assert after != before
    assert len(set(after)) == len(before)
    assert shown_colors(layer, len(after)) == after
    workspace.undo()
    assert workspace.phase_map.colors == before
    assert shown_colors(layer, len(before)) == before
    own = ("#102030", *before[1:])
    layer.colormap = label_colors(own)
    assert workspace.phase_map.colors == own


def test_the_ambiguity_layer_follows_the_threshold(opened: Any) -> None:
    link, workspace = link_for(opened), workspace_for(opened)
    link.results.show(AMBIGUITY)
    workspace.threshold = 0.0
    layer = opened.layers["ambiguity"].data
    assert not layer.any()
    workspace.threshold = 5.0
    assert opened.layers["ambiguity"].data is layer
    assert layer.sum() == workspace.stacks.n_pixels
    assert not picked(opened, "ambiguity", 1, 0, 3)  # outside the mask
    assert picked(opened, "ambiguity", 1, 1, 3)


def test_deleted_and_renamed_result_layers_are_survived(opened: Any) -> None:
    link, workspace = link_for(opened), workspace_for(opened)
    opened.layers["phase"].name = "mine"
    nothing = np.zeros_like(workspace.phase_map.labels)
    workspace.phase_map = workspace.phase_map.with_labels(nothing)
    assert not opened.layers["mine"].data.any()
    opened.layers.remove("mine")
    workspace.phase_map = workspace.phase_map.with_labels(nothing + 1)
    assert PHASE not in link.results.kinds()
    link.results.show(PHASE)
    assert opened.layers["phase"].data.sum() == workspace.stacks.n_pixels
    link.results.hide(PHASE)
    assert "phase" not in opened.layers


def test_result_layers_know_what_made_them(opened: Any) -> None:
    about = opened.layers["phase"].metadata["phasemap"]
    assert about["step"] == "pearson"
    assert about["particles"] == ["P1", "P2"]
    assert set(about["inputs"]) == {"P1", "P2"}
    assert "version" in about
    table = opened.layers["phase"].features
    assert table["phase"].tolist()[1:] == ["left", "right"]
    assert table["pixels"].sum() == workspace_for(opened).stacks.n_pixels


def test_closed_viewers_are_released(qtbot: Any, two_particles: list[Any]) -> None:
    import napari

    viewer = napari.Viewer(show=False)
    link = link_for(viewer)
    link.open_stacks(two_particles)
    link.workspace.set_stacks(StackSet(two_particles))
    watched = weakref.ref(link)
    viewer.close()
    del viewer, link
    qtbot.wait(50)
    gc.collect()
    assert watched() is None


def test_the_cursor_does_not_cover_a_narrow_map(viewer: Any) -> None:
    sizes = []
    for shape in ((40, 4), (1, 30), (40, 50)):
        name = f"{shape[0]} x {shape[1]}"
        stack = SpectralStack(np.ones((2, *shape)), [1.0, 2.0], name=name)
        link_for(viewer).open_stacks([stack])
        workspace_for(viewer).set_stacks(StackSet([stack]))
        workspace_for(viewer).cursor = 0
        sizes.append(float(viewer.layers["cursor"].size[0]))
    assert sizes == [2.0, 1.5, 7.0]
