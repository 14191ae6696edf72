from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from napari_phasemap.core.data.palettes import phase_colors
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.eels.workflow import analyze_edges
from napari_phasemap.core.simulate.synthetic_eels import SiCSample, simulate_si_c
from napari_phasemap.views.shell.label_colors import shown_colors
from napari_phasemap.views.shell.link import link_for, workspace_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.gui

#: Pixels of the sample's edge.
SIZE = 28


@pytest.fixture(scope="module")
def sample() -> SiCSample:
    return simulate_si_c(shape=(SIZE, SIZE), dose=3000.0, seed=3)


@pytest.fixture(scope="module")
def shared_viewer(qapp: Any) -> Iterator[Any]:
    """One window for all tests: opening one costs more than most of them."""
    import napari

    viewer = napari.Viewer(show=True)
    viewer.window.resize(900, 640)
    # napari collects garbage for every layer that goes: what is there now will stay.
    gc.freeze()
    yield viewer
    gc.unfreeze()
    viewer.close()
    gc.collect()


@pytest.fixture
def viewer(shared_viewer: Any, qtbot: Any) -> Iterator[Any]:
    """The window, emptied when a test ends."""
    yield shared_viewer
    for panel in shared_viewer.window.dock_widgets.values():
        panel.close()
        panel.deleteLater()
    shared_viewer.window.remove_dock_widget("all")
    shared_viewer.layers.clear()
    workspace = workspace_for(shared_viewer)
    for stack in workspace.sources:
        link_for(shared_viewer).close_stack(stack.name)
    workspace.set_stacks(None)
    qtbot.wait(20)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages that a user would see."""
    seen: list[str] = []
    for name in (
        "shell.dock.show_info",
        "shell.job.show_info",
        "shell.job.show_error",
        "eels.editing.show_info",
        "eels.corrections.show_info",
    ):
        monkeypatch.setattr(f"napari_phasemap.views.{name}", seen.append)
    return seen


@pytest.fixture
def dock(viewer: Any, qtbot: Any, sample: SiCSample) -> Iterator[Any]:
    """The dock with the sample and two edges of three classes, without UMAP."""
    panel = opened(viewer, "EELS classes")
    link_for(viewer).open_stacks([sample.core_loss, sample.low_loss])
    panel.setup._umap.setChecked(False)
    for name in ("Si_L", "C_K"):
        panel.setup.add_edge(name)
        type_cell(panel, panel.setup.table.rowCount() - 1, 4, "3")
    panel.pages.setCurrentIndex(1)
    qtbot.wait(150)
    return panel


def opened(viewer: Any, name: str) -> Any:
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", name)
    return dock


def press(widget: Any, text: str) -> None:
    buttons = widget.findChildren(QPushButton)
    button = next(b for b in buttons if b.text() == text)
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def finish(qtbot: Any, dock: Any) -> None:
    qtbot.waitUntil(lambda: not dock.job.running, timeout=60_000)
    qtbot.wait(120)


def run_all(qtbot: Any, dock: Any) -> None:
    dock.pages.setCurrentIndex(1)
    press(dock, "Run all")
    finish(qtbot, dock)


def run_first(qtbot: Any, dock: Any) -> None:
    dock.pages.setCurrentIndex(1)
    dock.setup.table.setCurrentCell(0, 0)
    press(dock, "Run Si_L")
    finish(qtbot, dock)


def type_cell(dock: Any, row: int, column: int, text: str) -> None:
    dock.setup.table.item(row, column).setText(text)


def spot(plot: Any, x: float, y_fraction: float = 0.5) -> QPoint:
    """Return where data x lies on the canvas of a plot."""
    plot.canvas.draw()
    box = plot.axes.bbox
    column = plot.axes.transData.transform((x, plot.axes.get_ylim()[1]))[0]
    row = box.y0 + y_fraction * box.height
    return QPoint(round(column), round(plot.canvas.height() - row))


def drag(qtbot: Any, plot: Any, start: QPoint, stop: QPoint) -> None:
    canvas = plot.canvas
    QTest.mouseMove(canvas, start)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(canvas, start + (stop - start) * share)
        qtbot.wait(20)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=stop)
    qtbot.wait(150)


def test_two_edges_become_layers_phase_map_and_latent_space(
    viewer: Any, qtbot: Any, dock: Any, sample: SiCSample
) -> None:
    workspace = workspace_for(viewer)
    assert workspace.stacks.names == (sample.core_loss.name,)  # paired: taken at once
    run_all(qtbot, dock)
    assert list(workspace.edges) == ["Si_L", "C_K"]
    assert workspace.phase_map is workspace.edges["Si_L"].classes
    assert workspace.latent_name == "PCA Si_L"
    silicon = workspace.edges["Si_L"].present.reshape(SIZE, SIZE)
    assert np.mean(silicon == (sample.silicon_phase > 0)) > 0.8
    for kind in ("classes", "net", "SNR"):
        assert f"C_K {kind}" in viewer.layers
    assert viewer.layers["Si_L classes"].visible
    assert not viewer.layers["C_K classes"].visible
    assert viewer.layers.selection.active is viewer.layers["Si_L classes"]
    box = dock.classes.edge
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert workspace.phase_map is workspace.edges["C_K"].classes
    assert workspace.latent_name == "PCA C_K"
    assert viewer.layers["C_K classes"].visible
    np.testing.assert_array_equal(
        viewer.layers["C_K classes"].data.ravel(), workspace.phase_map.labels
    )
    qtbot.wait(100)
    assert len(dock.classes.plot.axes.get_lines()) == 3 + 1  # and the zero line
    assert dock.classes.table.rowCount() == 3


def test_the_dock_gives_what_python_gives_bit_by_bit(
    viewer: Any, qtbot: Any, dock: Any, sample: SiCSample
) -> None:
    dock.pages.setCurrentIndex(0)
    press(dock, "Thickness map")
    finish(qtbot, dock)
    run_all(qtbot, dock)
    workspace = workspace_for(viewer)
    recipes = [edge.recipe for edge in workspace.edges.values()]
    found = analyze_edges(sample.core_loss, recipes, low_loss=sample.low_loss)
    assert list(workspace.edges) == list(found.edges)
    for name, edge in found.edges.items():
        mine = workspace.edges[name]
        for one, other in (
            (mine.classes.labels, edge.classes.labels),
            (mine.classes.scores, edge.classes.scores),
            (mine.edge.signal, edge.edge.signal),
            (mine.values, edge.values),
            (mine.stability, edge.stability),
            (mine.spectra.mean, edge.spectra.mean),
        ):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(
        workspace.thickness.t_over_lambda, found.thickness.t_over_lambda
    )


def test_a_dock_that_is_closed_loses_nothing_and_undo_takes_a_run_back(
    viewer: Any, qtbot: Any, dock: Any
) -> None:
    run_all(qtbot, dock)
    workspace, table = workspace_for(viewer), dock.classes.table
    table.selectAll()
    press(dock.classes, "Merge")
    finish(qtbot, dock)
    stable = dock.classes.table.item(0, 4).text()
    assert stable
    computed = workspace.computed["Si_L"]
    dock.close()
    again = opened(viewer, "EELS classes")
    qtbot.wait(150)
    assert again.classes.table.rowCount() == 1
    assert again.classes.table.item(0, 4).text() == stable
    again.setup._umap.setChecked(False)
    run_first(qtbot, again)  # nothing is done anew: the computed classes come back
    assert workspace.edges["Si_L"].classes is computed.classes
    assert workspace.edges["Si_L"].edge.net is computed.edge.net
    for n_classes in (1, 3):
        workspace.undo()
        assert workspace.phase_map.n_phases == n_classes
    workspace.undo()
    assert not workspace.edges
    assert "Si_L classes" not in viewer.layers
    workspace.redo()
    assert "Si_L classes" in viewer.layers


def test_excluded_pixels_come_back_with_their_edges(
    viewer: Any, qtbot: Any, dock: Any
) -> None:
    run_first(qtbot, dock)
    workspace = workspace_for(viewer)
    before = (workspace.edges, workspace.phase_map, workspace.latent)
    for _ in range(2):
        workspace.select(np.arange(SIZE * SIZE) < 30)
        workspace.exclude_selection()
        assert not workspace.edges
        workspace.undo()
        after = (workspace.edges, workspace.phase_map, workspace.latent)
        assert all(a is b for a, b in zip(before, after, strict=True))
        workspace.redo()
        assert workspace.stacks.n_pixels == SIZE * SIZE - 30
        workspace.undo()


def test_another_number_of_classes_refits_nothing_before(
    viewer: Any, qtbot: Any, dock: Any
) -> None:
    run_first(qtbot, dock)
    before = workspace_for(viewer).edges["Si_L"]
    type_cell(dock, 0, 4, "2")
    run_first(qtbot, dock)
    after = workspace_for(viewer).edges["Si_L"]
    assert after.classes.n_phases == 2
    assert after.edge.net is before.edge.net
    assert after.decomposition is before.decomposition


def test_a_dragged_window_moves_the_table_and_the_preview(
    viewer: Any, qtbot: Any, dock: Any
) -> None:
    dock.setup.table.setCurrentCell(1, 0)
    workspace_for(viewer).cursor = 5 * SIZE + 7
    qtbot.wait(150)
    setup = dock.setup
    fit, window = setup.table.rows()[1].fit_window, setup.table.rows()[1].window
    measured, background, _ = setup.subtraction.curves()[1]
    start = spot(setup.windows, fit[0])
    drag(qtbot, setup.windows, start, spot(setup.windows, fit[0] - 25.0))
    low, high = setup.table.rows()[1].fit_window
    per_pixel = 511.5 / setup.windows.axes.bbox.width
    assert low == pytest.approx(fit[0] - 25.0, abs=2 * per_pixel)
    assert high == fit[1]
    assert setup.table.item(1, 1).text().startswith(f"{low:g}-")
    new_measured, new_background, _ = setup.subtraction.curves()[1]
    assert len(new_measured) > len(measured)
    common = len(background)
    assert not np.allclose(new_background[-common:], background)
    middle = spot(setup.windows, sum(window) / 2)
    drag(qtbot, setup.windows, middle, middle + QPoint(15, 0))
    moved = setup.table.rows()[1].window
    assert moved[0] - window[0] == pytest.approx(15 * per_pixel, abs=per_pixel)
    assert moved[1] - moved[0] == pytest.approx(window[1] - window[0], abs=0.05)


def test_the_jump_ratio_threshold_is_dragged(
    viewer: Any, qtbot: Any, dock: Any
) -> None:
    setup = dock.setup
    setup.table.setCurrentCell(0, 0)
    setup.tabs.setCurrentWidget(setup.jumps)
    qtbot.wait(100)
    shown = " ".join(text.get_text() for text in setup.jumps.axes.texts)
    assert "jump ratio" in shown.replace("\n", " ")  # what the line rests on, in words
    start, stop = spot(setup.jumps, 1.05), spot(setup.jumps, 1.3)
    drag(qtbot, setup.jumps, start, stop)
    threshold = setup.table.rows()[0].jump_ratio
    assert threshold == pytest.approx(1.3, abs=0.02)
    said = int(setup.jumps.axes.get_title().split()[0])
    press(dock, "Run Si_L")
    finish(qtbot, dock)
    assert int(workspace_for(viewer).edges["Si_L"].present.sum()) == said


def test_classes_are_merged_split_renamed_and_undone(
    viewer: Any, qtbot: Any, dock: Any, notes: list[str]
) -> None:
    run_first(qtbot, dock)
    workspace, table = workspace_for(viewer), dock.classes.table
    first = workspace.phase_map
    table.selectAll()
    press(dock.classes, "Split")
    assert "choose one to split" in notes[-1]
    table.clearSelection()
    table.setCurrentCell(0, 2)
    press(dock.classes, "Split")
    finish(qtbot, dock)
    assert workspace.phase_map.names[0] == "class 1 1"
    assert workspace.phase_map.n_phases == 4
    assert workspace.edges["Si_L"].classes is workspace.phase_map
    assert len(dock.classes.plot.axes.get_lines()) == 4 + 1
    table.item(1, 1).setText("oxide")
    assert workspace.phase_map.names[1] == "oxide"
    table.item(0, 1).setText("oxide")
    assert "no new name" in notes[-1]
    qtbot.wait(100)
    assert table.item(0, 1).text() == "class 1 1"
    for _ in range(2):
        press(dock.classes, "Undo")
    assert workspace.phase_map is first
    qtbot.wait(100)
    assert table.rowCount() == 3
    table.selectAll()
    press(dock.classes, "Merge")
    finish(qtbot, dock)
    assert workspace.phase_map.n_phases == 1
    table.selectAll()
    press(dock.classes, "Select")
    np.testing.assert_array_equal(workspace.selection, workspace.edges["Si_L"].present)
    type_cell(dock, 0, 0, "silicon")
    assert not workspace.edges
    assert not [layer for layer in viewer.layers if "Si_L" in layer.name]


def test_painted_classes_are_the_classes(viewer: Any, qtbot: Any, dock: Any) -> None:
    run_all(qtbot, dock)
    workspace = workspace_for(viewer)
    layer = viewer.layers["Si_L classes"]
    layer.data_setitem((np.array([2, 2]), np.array([3, 4])), 3)
    assert workspace.phase_map.labels[[2 * SIZE + 3, 2 * SIZE + 4]].tolist() == [3, 3]
    assert workspace.edges["Si_L"].classes is workspace.phase_map
    hidden = viewer.layers["C_K classes"]
    hidden.data_setitem((np.array([0]), np.array([0])), 2)
    assert workspace.edges["C_K"].classes.labels[0] == 2
    assert workspace.phase_map is workspace.edges["Si_L"].classes
    # napari's button for other colors changes them everywhere, too.
    for shuffled, edge in ((layer, "Si_L"), (hidden, "C_K")):
        before = workspace.edges[edge].classes.colors
        shuffled.new_colormap(seed=7)
        colors = workspace.edges[edge].classes.colors
        assert len(set(colors)) == 3
        assert set(colors) <= set(phase_colors(14))
        assert colors != before
        assert shown_colors(shuffled, 3) == colors
    assert workspace.phase_map is workspace.edges["Si_L"].classes
    layer.show_selected_label = True
    assert workspace.phase_map.colors == workspace.edges["Si_L"].classes.colors
    assert len(set(workspace.phase_map.colors)) == 3
    layer.show_selected_label = False
    workspace.undo()  # the colors of the hidden edge
    assert workspace.edges["C_K"].classes.colors == phase_colors(3)
    workspace.undo()
    assert workspace.phase_map.colors == phase_colors(3)
    assert shown_colors(layer, 3) == phase_colors(3)
    dock.close()
    again = opened(viewer, "EELS classes")
    assert [row.name for row in again.setup.table.rows()] == ["Si_L", "C_K"]
    assert [row.n_clusters for row in again.setup.table.rows()] == [3, 3]


def test_classes_get_the_names_of_references(
    viewer: Any, qtbot: Any, dock: Any, tmp_path: Path
) -> None:
    from napari_phasemap.core.simulate.synthetic_eels import si_c_references

    run_first(qtbot, dock)
    references = si_c_references("Si_L")
    path = tmp_path / "pure.csv"
    table = np.column_stack([references.energy, *references.spectra])
    header = "energy," + ",".join(references.names)
    np.savetxt(path, table, delimiter=",", header=header, comments="")
    dock.editor.name_by([path])
    finish(qtbot, dock)
    said = dock.classes.table.item(0, 5).text()
    assert any(name in said for name in references.names)
    assert "unexplained" in said
    press(dock.classes, "Use names")
    names = workspace_for(viewer).phase_map.names
    assert all(name.split()[0] in references.names for name in names)


def test_a_pair_lights_up_where_its_cell_is_clicked(
    viewer: Any, qtbot: Any, dock: Any, tmp_path: Path, notes: list[str]
) -> None:
    run_all(qtbot, dock)
    workspace = workspace_for(viewer)
    panel = opened(viewer, "Co-occurrence")
    press(panel, "Compare")
    finish(qtbot, panel)
    a, b = 1, 1
    row, col = panel.plot.place_of(a, b)
    panel.plot.canvas.draw()
    x, y = panel.plot.axes.transData.transform((col, row))
    place = QPoint(round(x), round(panel.plot.canvas.height() - y))
    QTest.mouseClick(panel.plot.canvas, Qt.MouseButton.LeftButton, pos=place)
    qtbot.wait(50)
    maps = [workspace.edges[name].classes.labels for name in ("Si_L", "C_K")]
    np.testing.assert_array_equal(workspace.selection, (maps[0] == a) & (maps[1] == b))
    assert f"{int(workspace.selection.sum())} pixels" in panel.chosen.text()
    assert "bits more than chance" in panel.summary.text()
    panel.alpha.setValue(0.5)
    press(panel, "Make layer")
    layer = viewer.layers["co-occurrence Si_L & C_K"]
    assert {"pair", "n", "log2_lift", "p_family"} <= set(layer.features.columns)
    first = layer.features.iloc[0]
    assert int((layer.data == 1).sum()) == first["n"]
    panel.save(tmp_path / "pairs.csv")
    assert (tmp_path / "pairs.csv").read_text().startswith("a,b,n,")
    dock.classes.table.selectAll()
    press(dock.classes, "Merge")
    finish(qtbot, dock)
    press(panel, "Make layer")
    assert "press Compare again" in notes[-1]


def test_the_low_loss_gives_a_thickness_map_and_a_mask(
    viewer: Any, qtbot: Any, dock: Any, sample: SiCSample, notes: list[str]
) -> None:
    workspace = workspace_for(viewer)
    dock.pages.setCurrentIndex(0)
    press(dock, "Thickness map")
    finish(qtbot, dock)
    layer = viewer.layers["thickness t/λ"]
    assert np.corrcoef(layer.data.ravel(), sample.thickness.ravel())[0, 1] > 0.8
    assert layer.visible
    run_first(qtbot, dock)
    assert not layer.visible  # classes are shown alone
    dock.pages.setCurrentIndex(0)
    thick = float(np.median(layer.data))
    dock.source.specimen.set_way("thickness")
    dock.source.specimen._least.setValue(thick)
    press(dock, "Analyze this image")
    assert 0.3 < workspace.stacks.n_pixels / SIZE**2 < 0.7
    assert "mask" in workspace.stacks[0].history[-1]
    dock.source.specimen._least.setValue(5.0)
    press(dock, "Analyze this image")
    assert "no pixel is as thick" in notes[-1]


def test_mistakes_are_told_and_the_dock_goes_on(
    viewer: Any, qtbot: Any, dock: Any, notes: list[str]
) -> None:
    workspace, setup = workspace_for(viewer), dock.setup
    type_cell(dock, 0, 1, "seventy")
    assert "is not a window" in notes[-1]
    assert setup.table.item(0, 1).text() == "80-95"
    type_cell(dock, 0, 1, "20-60")
    setup.table.setCurrentCell(0, 0)
    qtbot.wait(150)
    assert "70-581.5 eV" in setup.subtraction._empty.text()
    type_cell(dock, 1, 1, "250-300")
    run_all(qtbot, dock)
    assert "20-60 eV is not inside the energy axis 70-581.5 eV" in notes[-1]
    assert "overlaps" in notes[-1]
    assert not workspace.edges
    type_cell(dock, 0, 1, "80-95")
    type_cell(dock, 0, 4, "5000")
    press(dock, "Run Si_L")
    finish(qtbot, dock)
    assert "n_clusters=5000" in notes[-1]
    type_cell(dock, 0, 4, "3")
    type_cell(dock, 0, 3, "40")
    press(dock, "Run Si_L")
    finish(qtbot, dock)
    assert "0 of 784 pixels have the edge" in notes[-1]
    type_cell(dock, 0, 3, "all")
    press(dock, "Run Si_L")
    finish(qtbot, dock)
    assert list(workspace.edges) == ["Si_L"]


def test_optical_density_of_two_particles_has_classes_without_a_background(
    viewer: Any, qtbot: Any, two_particles: list[Any], notes: list[str]
) -> None:
    dock = opened(viewer, "EELS classes")
    link_for(viewer).open_stacks(two_particles)
    workspace = workspace_for(viewer)
    workspace.set_stacks(StackSet(two_particles))
    dock.setup.add_window(background=False)
    type_cell(dock, 0, 4, "2")
    dock.setup._umap.setChecked(False)
    run_all(qtbot, dock)
    labels = workspace.phase_map.labels
    assert len(labels) == workspace.stacks.n_pixels
    for index, stack in enumerate(workspace.stacks):
        image = workspace.stacks.to_image(labels, index, fill=0)
        half = stack.shape[1] // 2
        assert len(set(image[1:, : half - 1].ravel())) == 1
        assert image[5, 0] != image[5, -1]
    assert "whole axis classes" in viewer.layers
    dock.pages.setCurrentIndex(0)
    dock.measure_thickness()
    assert "has no low loss" in notes[-1]


def test_no_page_makes_the_dock_scroll_sideways(
    qtbot: Any, dock: Any, sample: SiCSample
) -> None:
    dock.setup.add_window(background=False)
    for index in range(3):
        dock.pages.setCurrentIndex(index)
        qtbot.wait(20)
        # napari gives a dock 350 pixels beside its frame.
        assert dock.scroll.widget().minimumSizeHint().width() <= 350


def test_an_empty_dock_says_what_to_do(
    viewer: Any, qtbot: Any, notes: list[str]
) -> None:
    dock, panel = opened(viewer, "EELS classes"), opened(viewer, "Co-occurrence")
    assert "Open Sample" in dock._hint.text()
    dock.analyze()
    dock.run_all()
    panel.compare()
    assert "there is no spectrum image" in notes[0]
    assert "no image is analyzed yet" in notes[1]
    assert "no edge is analyzed yet" in notes[2]


def test_a_new_image_forgets_the_old_edges(viewer: Any, qtbot: Any, dock: Any) -> None:
    run_first(qtbot, dock)
    workspace = workspace_for(viewer)
    link_for(viewer).close_stack(workspace.stacks.names[0])
    qtbot.wait(100)
    assert not workspace.edges
    assert workspace.phase_map is None
    assert not [layer for layer in viewer.layers if "classes" in layer.name]
    flat = SpectralStack(np.ones((40, 3, 3)), np.arange(100.0, 140.0), name="flat")
    link_for(viewer).open_stacks([flat])
    dock.source.source.setCurrentText("flat")
    dock.pages.setCurrentIndex(0)
    press(dock, "Analyze this image")
    assert workspace.stacks.names == ("flat",)


@pytest.mark.slow
def test_umap_is_the_latent_space_of_the_active_edge_and_runs_elsewhere(
    viewer: Any, qtbot: Any, dock: Any, notes: list[str]
) -> None:
    dock.setup._umap.setChecked(True)
    dock.setup.table.setCurrentCell(0, 0)
    workspace = workspace_for(viewer)
    for n_dimensions in (2, 3):
        dock.setup._dimensions.setCurrentText(f"{n_dimensions}-D")
        dock.pages.setCurrentIndex(1)
        press(dock, "Run Si_L")
        qtbot.waitUntil(lambda: not dock.job.running, timeout=240_000)
        assert workspace.latent_name == "UMAP Si_L"
        assert workspace.latent.shape == (SIZE * SIZE, n_dimensions)
        known = np.isfinite(workspace.latent).all(axis=1)
        np.testing.assert_array_equal(known, workspace.edges["Si_L"].present)
    assert "umap" not in sys.modules

    # A process that is killed is told, keeps what there is, and is started again.
    latent = workspace.latent
    dock.setup._dimensions.setCurrentText("2-D")
    dock.pages.setCurrentIndex(1)
    os.kill(dock.embedder.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not dock.embedder.is_running)
    press(dock, "Run Si_L")
    qtbot.waitUntil(lambda: dock.job._text.text().startswith("Si_L: UMAP"))
    os.kill(dock.embedder.pid, signal.SIGKILL)
    finish(qtbot, dock)
    assert "UMAP process ended by itself" in notes[-1]
    assert workspace.latent is latent
    press(dock, "Run Si_L")
    qtbot.waitUntil(lambda: dock.job._text.text().startswith("Si_L: UMAP"))
    press(dock, "Cancel")
    qtbot.waitUntil(lambda: not dock.job.running, timeout=1000)
    assert "Cancelled" in notes[-1]
    assert workspace.latent is latent


def test_the_number_of_classes_is_suggested_for_the_edge_that_is_chosen(
    viewer: Any, qtbot: Any, dock: Any
) -> None:
    setup = dock.setup
    setup.tabs.setCurrentWidget(setup.numbers)
    setup.table.setCurrentCell(0, 0)
    press(dock, "Suggest number")
    finish(qtbot, dock)
    curve = setup.agreement.axes.get_lines()[0]
    assert 5 in curve.get_xdata()
    assert setup.agreement.canvas.isVisible()
    setup.table.setCurrentCell(1, 0)
    assert not setup.agreement.canvas.isVisible()  # nothing is known of this one
    setup.table.setCurrentCell(0, 0)
    assert setup.agreement.canvas.isVisible()
    qtbot.wait(150)
    canvas = setup.agreement.canvas
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=spot(setup.agreement, 5))
    assert setup.table.rows()[0].n_clusters == 5
    assert setup.table.rows()[1].n_clusters == 3


def test_spikes_and_a_shifted_axis_are_corrected_in_steps(
    viewer: Any, qtbot: Any, dock: Any, sample: SiCSample, notes: list[str]
) -> None:
    workspace, panel = workspace_for(viewer), dock.corrections
    dock.pages.setCurrentIndex(0)
    clean = workspace.stacks[0]
    press(dock, "Remove spikes")
    finish(qtbot, dock)
    assert notes[-1].endswith("nothing to correct")
    assert workspace.stacks[0] is clean
    data = np.array(clean.data)
    data[300, 4, 5] += 5000.0
    data[40, 9, 9] += 9000.0
    spiked = clean.with_step("moved", data=data, energy=clean.energy + 3.0)
    workspace.set_stacks(StackSet([spiked]))
    press(dock, "Remove spikes")
    finish(qtbot, dock)
    assert "2 spikes above 10 sigma replaced" in notes[-1]
    assert workspace.stacks[0].data[300, 4, 5] < 1000
    panel.edge.setCurrentIndex(panel.edge.findData("C_K"))
    press(dock, "Calibrate energy")
    finish(qtbot, dock)
    assert workspace.stacks[0].energy[0] == pytest.approx(clean.energy[0], abs=1.5)
    panel.edge.setCurrentIndex(panel.edge.findData("O_K"))
    panel.measured.setValue(533.5)
    before = workspace.stacks[0].energy
    press(dock, "Calibrate energy")
    finish(qtbot, dock)
    np.testing.assert_allclose(workspace.stacks[0].energy, before - 1.5)
    assert len(workspace.stacks[0].history) == len(spiked.history) + 3
    # The axis has moved, so that the value before is nobody's choice any more.
    assert panel.measured.text() == "automatic"


def test_figure_and_tables_are_saved_from_what_is_there(
    viewer: Any, qtbot: Any, dock: Any, tmp_path: Path, notes: list[str]
) -> None:
    button = dock._save
    assert not button.isEnabled()
    dock.save(tmp_path / "none")
    assert "run an edge first" in notes[-1]
    run_all(qtbot, dock)
    dock.classes.table.item(0, 1).setText("oxide")
    qtbot.wait(60)
    assert button.isEnabled()
    dock.save(tmp_path / "out")
    finish(qtbot, dock)
    assert notes[-1] == f"Saved in {tmp_path / 'out'}"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"eels.png", "eels.svg", "eels.pdf", "maps.npz", "recipe.json"} <= names
    table = (tmp_path / "out" / "spectra_Si_L.csv").read_text()
    assert table.startswith("energy_eV,oxide,")
    pairs = (tmp_path / "out" / "pairs_Si_L_C_K.csv").read_text()
    assert "\noxide," in pairs
    with np.load(tmp_path / "out" / "maps.npz") as maps:
        np.testing.assert_array_equal(
            maps["C_K_classes"].ravel(),
            workspace_for(viewer).edges["C_K"].classes.labels,
        )
    dock.save(tmp_path / "out")
    finish(qtbot, dock)
    assert "overwrite" in notes[-1] or "exists" in notes[-1] or "holds" in notes[-1]
