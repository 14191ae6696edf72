"""One layer per result, layouts and names, by real mouse and keys on a shown window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.views.shell.kinds import (
    AMBIGUITY,
    PHASE,
    RELIABILITY,
    SELECTION,
    SHADED,
    correlation,
)
from napari_phasemap.views.shell.layout import Arrangement
from napari_phasemap.views.shell.link import link_for, workspace_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui


def show(viewer: Any, stacks: list[Any], references: Any) -> Any:
    """Open stacks with their phase map and its layer; return the link."""
    link = link_for(viewer)
    link.open_stacks(stacks)
    opened = list(link.workspace.sources)
    link.workspace.set_stacks(StackSet(opened))
    link.workspace.references = references
    link.workspace.phase_map = pearson_map(link.workspace.stacks, references)
    link.results.show(PHASE)
    return link


@pytest.fixture
def link(viewer: Any, two_particles: list[Any], references: Any) -> Any:
    link = show(viewer, two_particles, references)
    viewer.reset_view()
    return link


def world(link: Any, stack: int, row: int, col: int) -> tuple[float, float]:
    return link.places.world(link.workspace.stacks.pixel_at(stack, row, col))


def test_a_pixel_painted_in_the_common_layer_is_that_of_its_particle(
    viewer: Any, link: Any, mouse: Any
) -> None:
    workspace, layer = link.workspace, viewer.layers["phase"]
    viewer.layers.selection.active = layer
    layer.mode, layer.brush_size, layer.selected_label = "paint", 1, 2
    for stack, row, col in ((0, 4, 5), (1, 20, 4), (1, 3, 2)):
        before = workspace.phase_map.labels.copy()
        pixel = workspace.stacks.pixel_at(stack, row, col)
        assert before[pixel] == 1
        mouse.click(viewer, world(link, stack, row, col))
        changed = np.flatnonzero(workspace.phase_map.labels != before)
        assert changed.tolist() == [pixel]
        assert workspace.phase_map.labels[pixel] == 2
    assert (
        layer.features["pixels"].tolist()[1:]
        == np.bincount(workspace.phase_map.labels).tolist()[1:]
    )
    workspace.undo()
    assert workspace.phase_map.labels[pixel] == 1
    assert layer.data.sum() == workspace.phase_map.labels.sum()


def test_paint_beside_the_particles_does_not_stay(
    viewer: Any, link: Any, mouse: Any
) -> None:
    workspace, layer = link.workspace, viewer.layers["phase"]
    viewer.layers.selection.active = layer
    layer.mode, layer.brush_size, layer.selected_label = "paint", 1, 2
    before, shown = workspace.phase_map, layer.data.copy()
    top, _, _, right = link.places.layout.box("P1")
    gap = (top + 200.0, right + 15.0)
    assert link.places.layout.at(*gap) is None
    mouse.click(viewer, gap)
    assert workspace.phase_map is before
    np.testing.assert_array_equal(layer.data, shown)


def test_pixels_of_several_particles_light_up_in_one_layer(
    viewer: Any, link: Any
) -> None:
    workspace = link.workspace
    chosen = workspace.phase_map.labels == 2
    workspace.select(chosen)
    layer = viewer.layers["selection"]
    (grid,) = link.places.grids
    shown = grid.read(layer.data, np.zeros(len(chosen), dtype=np.uint8))
    np.testing.assert_array_equal(shown == 1, chosen)
    assert set(workspace.stacks.stack_index[shown == 1]) == {0, 1}
    assert len([x for x in viewer.layers if "selection" in x.name]) == 1
    assert viewer.layers.selection.active is not layer


def test_everything_shown_is_a_short_list(viewer: Any, link: Any) -> None:
    link.results.show(PHASE, AMBIGUITY, RELIABILITY, SHADED, SELECTION)
    link.workspace.cursor = 3
    assert len(viewer.layers) == 2 + 6  # the cursor, too
    link.results.show(correlation("left"))
    layer = viewer.layers["r(left)"]
    scores = link.workspace.phase_map.scores[:, 0]
    (grid,) = link.places.grids
    np.testing.assert_array_equal(grid.read(layer.data, scores * 0), scores)
    assert np.isnan(layer.data).sum() == layer.data.size - len(scores)
    both = link.workspace.phase_map.scores
    limits = (np.percentile(both, 1), both.max())
    np.testing.assert_allclose(layer.contrast_limits, limits, rtol=1e-6)
    link.results.show(correlation("right"))  # r with one phase after the other
    np.testing.assert_allclose(layer.contrast_limits, limits, rtol=1e-6)
    assert layer.name == "r(right)"
    assert link.results.kinds() >= {correlation("right"), PHASE}
    assert correlation("left") not in link.results.kinds()
    scores = link.workspace.phase_map.scores[:, 1]
    np.testing.assert_array_equal(grid.read(layer.data, scores * 0), scores)
    assert len(viewer.layers) == 2 + 7


def test_r_on_screen_spans_what_it_spans_in_figures(viewer: Any, link: Any) -> None:
    from napari_phasemap.figures.maps import AMBIGUOUS_COLOR, reliability_limit

    link.results.show(RELIABILITY)
    link.results.show(AMBIGUITY)
    layer, phases = viewer.layers["reliability"], link.workspace.phase_map
    assert tuple(layer.contrast_limits) == (0.0, reliability_limit(phases))
    grey = viewer.layers["ambiguity"].colormap.map(np.array([1]))[0]
    wanted = [int(AMBIGUOUS_COLOR[i : i + 2], 16) for i in (1, 3, 5)]
    np.testing.assert_allclose(255 * grey[:3], wanted, atol=0.5)
    half = replace(phases, margin=phases.margin / 2)
    link.workspace.phase_map = half
    assert tuple(layer.contrast_limits) == (0.0, reliability_limit(half))
    layer.contrast_limits = (0.0, 7.0)  # a person's own limits stay
    link.workspace.phase_map = phases
    assert tuple(layer.contrast_limits) == (0.0, 7.0)


def test_two_pixel_sizes_have_a_layer_each(
    viewer: Any, two_particles: list[Any], references: Any, mouse: Any
) -> None:
    first, second = two_particles
    coarse = replace(first, name="P3", pixel_size=(60.0, 60.0))
    link = show(viewer, [first, second, coarse], references)
    viewer.reset_view()
    workspace = link.workspace
    names = [x.name for x in viewer.layers if "phase" in x.name]
    assert names == ["phase (30 nm)", "phase (60 nm)"]
    assert (viewer.layers["phase (60 nm)"].data > 0).sum() == coarse.mask.sum()
    layer = viewer.layers["phase (60 nm)"]
    viewer.layers.selection.active = layer
    layer.mode, layer.brush_size, layer.selected_label = "paint", 1, 2
    pixel = workspace.stacks.pixel_at(2, 4, 5)
    mouse.click(viewer, world(link, 2, 4, 5))
    assert workspace.phase_map.labels[pixel] == 2
    link.results.hide(PHASE)
    assert not [x for x in viewer.layers if "phase" in x.name]


def test_a_removed_stack_takes_its_results_and_the_others_close_up(
    viewer: Any, link: Any, references: Any
) -> None:
    link.close_stack("P1")
    assert [x.name for x in viewer.layers] == ["P2"]
    workspace = link.workspace
    workspace.set_stacks(StackSet(list(workspace.sources)))
    workspace.phase_map = pearson_map(workspace.stacks, references)
    link.results.show(PHASE)
    layer = viewer.layers["phase"]
    assert layer.data.shape == workspace.stacks[0].shape
    place = link.places.place("P2")
    assert place.corner == (0, 0)
    np.testing.assert_allclose(viewer.layers["P2"].translate[-2:], place.translate)


def test_another_layout_takes_images_results_cursor_and_names_along(
    viewer: Any, link: Any
) -> None:
    workspace = link.workspace
    workspace.cursor = workspace.stacks.pixel_at(1, 20, 4)
    beside = link.places.place("P2").corner
    link.places.arrangement = Arrangement(n_columns=1)
    below = link.places.place("P2").corner
    assert beside[0] == 0
    assert below[0] > 20
    assert below[1] == 0
    image, layer = viewer.layers["P2"], viewer.layers["phase"]
    spot = image.data_to_world((0, 20, 4))[-2:]
    np.testing.assert_allclose(viewer.layers["cursor"].data[0], spot)
    row, col = np.round(layer.world_to_data(spot)).astype(int)
    assert layer.data[row, col] == workspace.phase_map.labels[workspace.cursor]
    names = link.names.overlay
    assert names.spots == tuple(
        link.places.layout.box(name)[:2] for name in ("P1", "P2")
    )
    link.places.arrangement = Arrangement(groups={"P1": "9", "P2": "2"})
    assert link.places.place("P2").corner == (0, 0)
    assert names.texts == ("P2: 2", "P1: 9")


def double_click(mouse: Any, viewer: Any, where: tuple[float, float]) -> None:
    mouse.move(viewer, where)
    canvas = viewer.window._qt_viewer.canvas.native
    spot = mouse._position(viewer, where)
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=spot)
    mouse.qtbot.wait(50)


@pytest.mark.filterwarnings("ignore")
def test_double_clicks_lead_into_a_particle_and_out(
    viewer: Any, link: Any, mouse: Any
) -> None:
    workspace, zoom = link.workspace, viewer.scene.camera.zoom
    double_click(mouse, viewer, world(link, 1, 20, 4))
    assert link.places.alone == "P2"
    assert not viewer.layers["P1"].visible
    layer = viewer.layers["phase"]
    assert layer.data.shape == workspace.stacks[1].shape
    assert viewer.scene.camera.zoom > zoom
    viewer.layers.selection.active = layer
    layer.mode, layer.brush_size, layer.selected_label = "paint", 1, 2
    mouse.click(viewer, world(link, 1, 20, 4))
    pixel = workspace.stacks.pixel_at(1, 20, 4)
    assert workspace.phase_map.labels[pixel] == 2
    layer.mode = "pan_zoom"
    double_click(mouse, viewer, world(link, 1, 10, 4))
    assert link.places.alone == ""
    assert viewer.layers["P1"].visible
    assert viewer.scene.camera.zoom == pytest.approx(zoom, rel=0.05)
    (grid,) = link.places.grids
    shown = grid.read(layer.data, 0 * workspace.phase_map.labels)
    np.testing.assert_array_equal(shown, workspace.phase_map.labels)


@pytest.mark.filterwarnings("ignore")
def test_keys_walk_through_the_particles(viewer: Any, link: Any, qtbot: Any) -> None:
    canvas = viewer.window._qt_viewer.canvas.native
    seen = []
    for key in (Qt.Key.Key_PageDown,) * 3 + (Qt.Key.Key_PageUp,):
        QTest.keyClick(canvas, key)
        qtbot.wait(30)
        seen.append(link.places.alone)
    assert seen == ["P1", "P2", "P1", "P2"]
    assert [viewer.layers[name].visible for name in ("P1", "P2")] == [False, True]


def test_the_status_bar_tells_particle_pixel_phase_and_r(
    viewer: Any, link: Any
) -> None:
    phases, stacks = link.workspace.phase_map, link.workspace.stacks
    pixel = stacks.pixel_at(1, 20, 4)
    where = np.r_[0.0, world(link, 1, 20, 4)]
    for name in ("phase", "P1"):
        status = viewer.layers[name].get_status(where, world=True)
        text = status["coordinates"]
        assert "P2  row 20, column 4  left" in text
        assert f"r = {phases.best[pixel]:.4f}" in text
        assert f"R = {phases.reliability[pixel]:.2f}" in text
    beside = viewer.layers["phase"].get_status((0.0, -500.0, -500.0), world=True)
    assert "row" not in beside["coordinates"]


def test_names_get_smaller_and_shorter_before_they_touch(
    viewer: Any, two_particles: list[Any], qtbot: Any
) -> None:
    link = link_for(viewer)
    stacks = [
        replace(two_particles[0], name=f"a particle of the second charge {i}")
        for i in range(1, 25)
    ]
    link.open_stacks(stacks)
    names = link.names.overlay
    qtbot.wait(50)
    zoom = viewer.scene.camera.zoom
    width = zoom * 30 * 30
    longest = max(len(text) for text in names.texts)
    assert names.size * 4 / 3 * 0.62 * longest <= 1.1 * width
    viewer.scene.camera.zoom = zoom / 2
    assert names.texts == tuple(str(i) for i in range(1, 25))
    viewer.scene.camera.zoom = zoom / 10
    assert not names.visible
    viewer.scene.camera.zoom = 12 * zoom
    assert names.texts[0] == "a particle of the second charge 1"
    assert names.visible
    assert names.size <= 11.0


def test_the_layout_is_chosen_in_the_data_dock(
    viewer: Any, link: Any, qtbot: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    from qtpy.QtWidgets import QFileDialog

    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", "Data")
    qtbot.wait(200)
    box = dock.arrangement

    def choose(combo: Any, text: str) -> None:
        combo.setFocus()
        QTest.mouseClick(combo, Qt.MouseButton.LeftButton)
        view = combo.view()
        qtbot.waitUntil(view.isVisible, timeout=5000)
        spot = view.visualRect(view.model().index(combo.findText(text), 0)).center()
        QTest.mouseMove(view.viewport(), spot)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
        qtbot.wait(50)

    def press(combo: Any, text: str) -> None:
        combo.setFocus()
        while combo.currentIndex() != combo.findText(text):
            down = combo.currentIndex() < combo.findText(text)
            QTest.keyClick(combo, Qt.Key.Key_Down if down else Qt.Key.Key_Up)
        qtbot.wait(50)

    choose(box.choice, "in columns:")
    assert box.columns.isVisible()
    box.columns.setValue(1)
    assert link.places.place("P2").corner[1] == 0
    table = tmp_path / "charge.csv"
    table.write_text("name,charge,batch\nP1,9,x\nP2,2,x\n", encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(table), ""))
    press(box.choice, "by a table…")
    assert link.places.place("P2").corner == (0, 0)
    assert link.places.place("P1").corner[0] > 0
    press(box.column, "batch")
    assert link.places.place("P1").corner == (0, 0)
    press(box.choice, "one alone")
    assert link.places.alone == "P1"
    press(box.choice, "in rows")
    assert link.places.alone == ""
    assert link.places.place("P2").corner[0] == 0
    link.places.alone = "P2"
    assert box.choice.currentText() == "one alone"
    box.names.click()
    assert not link.names.overlay.visible
    assert workspace_for(viewer).phase_map is not None
