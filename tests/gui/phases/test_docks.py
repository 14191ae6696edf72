from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.views.phases.data_panel import DataPanel
from napari_phasemap.views.phases.phase_panel import PhasePanel
from napari_phasemap.views.phases.spectra import SpectraView
from napari_phasemap.views.shell.kinds import PHASE
from napari_phasemap.views.shell.link import link_for, workspace_for
from napari_phasemap.views.shell.regions import draw_region, region_mask, select_region
from napari_phasemap.workspace import Selection

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages that a user would see."""
    seen: list[str] = []
    for name in ("shell.dock.show_info", "shell.job.show_info", "shell.job.show_error"):
        monkeypatch.setattr(f"napari_phasemap.views.{name}", seen.append)
    return seen


def press(dock: Any, text: str) -> None:
    button = next(b for b in dock.findChildren(QPushButton) if b.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def opened(viewer: Any, name: str) -> Any:
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", name)
    return dock


def finish(qtbot: Any, dock: Any) -> None:
    qtbot.waitUntil(lambda: not dock.job.running, timeout=60_000)


def cell(dock: Any, row: int, column: int, role: Any = 0) -> Any:
    """What the table of fractions shows in a cell."""
    return dock.fractions.model().index(row, column).data(role)


def correlated(viewer: Any, qtbot: Any, stacks: list[Any], references: Any) -> Any:
    """The Phase map dock after it has correlated stacks with references."""
    dock = opened(viewer, "Phase map")
    link_for(viewer).open_stacks(stacks)
    workspace = workspace_for(viewer)
    workspace.set_stacks(StackSet(stacks))
    workspace.references = references
    dock.correlate()
    finish(qtbot, dock)
    return dock


def test_three_presses_lead_from_the_menu_to_a_phase_map(
    viewer: Any, qtbot: Any
) -> None:
    dock = opened(viewer, "Phase map")
    press(dock, "Open sample particles")
    workspace = workspace_for(viewer)
    qtbot.waitUntil(lambda: workspace.references is not None, timeout=60_000)
    finish(qtbot, dock)
    press(dock, "Correlate")
    qtbot.waitUntil(lambda: workspace.phase_map is not None, timeout=60_000)
    names = {layer.name for layer in viewer.layers}
    assert {"P1", "P2", "P3", "P4", "phase", "ambiguity"} == names
    shares = [float(cell(dock, row, 2)) for row in range(5)]
    assert sum(shares) == pytest.approx(100.0, abs=0.05)
    assert cell(dock, 5, 1) == "ambiguous"
    assert dock.fractions.model().columnCount() == 4 + 4


def test_a_real_stack_becomes_a_phase_map(
    viewer: Any, qtbot: Any, real_data: Path
) -> None:
    folder = real_data / "als-toner-71214078-fe2p"
    data, phases = opened(viewer, "Data"), opened(viewer, "Phase map")
    data.open_paths([folder / "71214078" / "71214078.hdr"])
    finish(qtbot, data)
    assert viewer.layers["71214078"].data.shape == (123, 125, 125)
    data.convert()
    finish(qtbot, data)
    workspace = workspace_for(viewer)
    assert workspace.stacks[0].quantity == "optical_density"
    np.testing.assert_array_equal(
        viewer.layers["71214078"].data, workspace.stacks[0].data
    )
    data.mask()
    finish(qtbot, data)
    assert 0 < workspace.stacks.n_pixels < 125 * 125
    phases.load_references(
        [folder / "answers" / f"{n}.r" for n in ("oxidized", "reduced")]
    )
    finish(qtbot, phases)
    phases.correlate()
    finish(qtbot, phases)
    assert workspace.phase_map.names == ("oxidized", "reduced")
    assert workspace.phase_map.fractions()[0] > 50


def test_wrong_clicks_say_what_to_do(
    viewer: Any, qtbot: Any, notes: list[str], two_particles: list[Any]
) -> None:
    data, phases = DataPanel(viewer), PhasePanel(viewer)
    for dock in (data, phases):
        qtbot.addWidget(dock)
    data.convert()
    data.mask()
    phases.correlate()
    assert "no stack is checked" in notes[0]
    assert "no optical density yet" in notes[1]
    assert "open stacks and convert" in notes[2]
    link_for(viewer).open_stacks(two_particles)
    phases.correlate()
    assert "no reference spectra" in notes[3]
    data._mask.set_way("region")
    data.mask()
    assert "nothing is drawn on 'P1'" in notes[4]


def test_references_that_do_not_cover_the_stack_are_named(
    viewer: Any, qtbot: Any, notes: list[str], two_particles: list[Any], references: Any
) -> None:
    dock = PhasePanel(viewer)
    qtbot.addWidget(dock)
    link_for(viewer).open_stacks(two_particles)
    workspace = workspace_for(viewer)
    workspace.set_stacks(StackSet(two_particles))
    workspace.references = references.resample([517.5, 520.0, 525.0])
    dock.correlate()
    finish(qtbot, dock)
    assert workspace.phase_map is None
    assert "515-530.3 eV" in notes[-1]
    assert "517.5-525 eV" in notes[-1]


def test_the_threshold_slider_moves_the_ambiguity_layer(
    viewer: Any, qtbot: Any, two_particles: list[Any], references: Any
) -> None:
    dock = correlated(viewer, qtbot, two_particles, references)
    workspace = workspace_for(viewer)
    dock.method.threshold.setValue(0.05)
    assert workspace.threshold == pytest.approx(0.05)
    ambiguous = workspace.phase_map.ambiguous(0.05)
    (grid,) = link_for(viewer).places.grids
    shown = grid.read(viewer.layers["ambiguity"].data, ~ambiguous)
    np.testing.assert_array_equal(shown, ambiguous)
    assert viewer.layers["ambiguity"].data.sum() == ambiguous.sum()


def test_a_threshold_step_writes_one_row_of_the_table(
    viewer: Any, qtbot: Any, two_particles: list[Any], references: Any
) -> None:
    dock = correlated(viewer, qtbot, two_particles, references)
    told: list[Any] = []
    model = dock.fractions.model()
    model.dataChanged.connect(lambda first, last: told.append((first, last)))
    model.modelReset.connect(lambda: told.append("all"))
    workspace = workspace_for(viewer)
    workspace.threshold = float(np.median(workspace.phase_map.margin))
    assert [(a.row(), b.row()) for a, b in told] == [(2, 2)]
    unclear = workspace.phase_map.ambiguous(workspace.threshold)
    second = workspace.stacks.stack_index == 1
    for column, part in ((2, slice(None)), (5, second)):
        assert float(cell(dock, 2, column)) == pytest.approx(
            100 * unclear[part].mean(), abs=0.005
        )


def test_the_menu_shows_r_with_one_phase_after_the_other(
    viewer: Any, qtbot: Any, two_particles: list[Any], references: Any
) -> None:
    dock = correlated(viewer, qtbot, two_particles, references)
    left, right = dock.layers.each.menu().actions()
    left.trigger()
    right.trigger()
    assert (left.isChecked(), right.isChecked()) == (False, True)
    assert [x.name for x in viewer.layers if x.name.startswith("r(")] == ["r(right)"]
    viewer.layers.remove("r(right)")
    assert not right.isChecked()


def test_the_eye_of_a_layer_and_the_check_box_are_the_same(
    viewer: Any, qtbot: Any, two_particles: list[Any], references: Any
) -> None:
    dock = correlated(viewer, qtbot, two_particles, references)
    layer, box = viewer.layers["phase"], dock.layers.boxes[PHASE]
    assert box.isChecked()
    layer.visible = False
    assert not box.isChecked()
    box.click()
    assert viewer.layers["phase"] is layer
    assert layer.visible
    box.click()
    assert "phase" not in viewer.layers
    assert not box.isChecked()


def test_a_color_changes_everywhere(
    viewer: Any, qtbot: Any, two_particles: list[Any], references: Any
) -> None:
    dock = correlated(viewer, qtbot, two_particles, references)
    workspace = workspace_for(viewer)
    dock.fractions.set_color(1, "#123456")
    color = viewer.layers["phase"].colormap.map(np.array([2]))[0]
    np.testing.assert_allclose(color[:3] * 255, [0x12, 0x34, 0x56], atol=1)
    color = cell(dock, 1, 0, Qt.ItemDataRole.BackgroundRole)
    assert color.name() == "#123456"
    dock.colors._on_chosen(1)
    assert workspace.phase_map.colors == ("#4477aa", "#ee6677")
    color = viewer.layers["phase"].colormap.map(np.array([1]))[0, :3]
    np.testing.assert_allclose(color, np.array([0x44, 0x77, 0xAA]) / 255, atol=0.01)
    workspace.undo()
    assert workspace.phase_map.colors[1] == "#123456"


def test_a_cancelled_job_changes_nothing(
    viewer: Any, qtbot: Any, notes: list[str], two_particles: list[Any], references: Any
) -> None:
    dock = PhasePanel(viewer)
    qtbot.addWidget(dock)

    def endless(*, on_progress: Any) -> None:
        while True:
            on_progress(0, 1, "counting")

    done: list[Any] = []
    dock.job.start(endless, on_done=done.append)
    qtbot.wait(50)
    dock.job.cancel()
    qtbot.waitUntil(lambda: not dock.job.running, timeout=1000)
    assert not done
    assert "Cancelled" in notes[-1]


def test_a_job_that_fails_says_why_and_the_dock_works_again(
    viewer: Any, qtbot: Any, notes: list[str]
) -> None:
    dock = PhasePanel(viewer)
    qtbot.addWidget(dock)

    def failing(*, on_progress: Any) -> None:
        raise InputError("a != b; give a")

    done: list[Any] = []
    dock.job.start(failing, on_done=done.append)
    finish(qtbot, dock)
    assert notes[-1] == "a != b; give a"
    dock.job.start(lambda *, on_progress: 7, on_done=done.append)
    finish(qtbot, dock)
    assert done == [7]


def test_an_empty_file_is_refused_with_its_name(
    viewer: Any, qtbot: Any, notes: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "empty.hdr"
    path.write_bytes(b"")
    dock = DataPanel(viewer)
    qtbot.addWidget(dock)
    dock.open_paths([path])
    finish(qtbot, dock)
    assert "empty.hdr" in notes[-1]
    assert not viewer.layers


def test_a_drawn_region_is_the_same_pixels_on_both_orientations(
    viewer: Any, two_particles: list[Any]
) -> None:
    link, workspace = link_for(viewer), workspace_for(viewer)
    link.open_stacks(two_particles)
    workspace.set_stacks(StackSet(two_particles))
    shapes = draw_region(viewer, "region", link)
    image = viewer.layers["P2"]
    corners = [(5, 2), (5, 9), (11, 9), (11, 2)]
    shapes.add([[image.data_to_world((0, *c))[-2:] for c in corners]])
    mask = region_mask(shapes, two_particles[1], link)
    rows, cols = np.nonzero(mask)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (5, 11, 2, 9)
    assert not region_mask(shapes, two_particles[0], link).any()
    assert select_region(shapes, link) == mask.sum()
    workspace.undo()
    assert not workspace.selection.any()


def test_the_spectra_dock_follows_the_mouse_and_counts_the_selection(
    viewer: Any, qtbot: Any, mouse: Any, two_particles: list[Any]
) -> None:
    dock = opened(viewer, "Spectra")
    link, workspace = link_for(viewer), workspace_for(viewer)
    link.open_stacks(two_particles)
    workspace.set_stacks(StackSet(two_particles))
    world = viewer.layers["P1"].data_to_world((0, 10, 20))[-2:]

    def is_pointed_at() -> bool:
        """Point again: a busy machine may still be laying out the window."""
        mouse.move(viewer, tuple(world))
        return "P1 row 10 col 20" in dock.pointed.text()

    qtbot.waitUntil(is_pointed_at, timeout=10_000)
    np.testing.assert_allclose(
        dock._lines["pixel"].get_ydata(), two_particles[0].data[:, 10, 20], rtol=1e-6
    )
    selection = np.zeros(workspace.stacks.n_pixels, dtype=bool)
    selection[:57] = True
    workspace.selection = selection
    qtbot.wait(200)
    assert "57 pixels selected" in dock._count.text()
    assert "1 of 2 particles" in dock._count.text()


def test_a_stack_already_optical_density_needs_no_conversion(
    viewer: Any, qtbot: Any, two_particles: list[Any], notes: list[str]
) -> None:
    dock = DataPanel(viewer)
    qtbot.addWidget(dock)
    link_for(viewer).open_stacks(two_particles[:1])
    workspace = workspace_for(viewer)
    assert workspace.stacks.names == ("P1",)
    before = workspace.stacks[0].data
    dock.convert()
    qtbot.waitUntil(lambda: not dock.job.running, timeout=60_000)
    assert workspace.stacks.n_pixels == 570
    np.testing.assert_array_equal(workspace.stacks[0].data, before)
    assert notes == []


def test_a_closed_dock_listens_no_more(
    viewer: Any, qtbot: Any, two_particles: list[Any]
) -> None:
    link_for(viewer)
    workspace = workspace_for(viewer)

    def listeners() -> dict[str, int]:
        return {name: len(signal) for name, signal in workspace.events.signals.items()}

    before = listeners()
    dock = opened(viewer, "Spectra")
    assert listeners()["hover"] > before["hover"]
    assert listeners()["stacks"] > before["stacks"]
    viewer.window.remove_dock_widget(dock)
    dock.close()
    dock.deleteLater()
    qtbot.wait(100)
    assert listeners() == before
    link_for(viewer).open_stacks(two_particles)
    workspace.set_stacks(StackSet(two_particles))
    qtbot.wait(150)
    assert workspace.stacks.names == ("P1", "P2")


def test_two_viewers_do_not_disturb_one_another(
    viewer: Any, qtbot: Any, two_particles: list[Any]
) -> None:
    import napari

    other = napari.Viewer(show=False)
    link_for(viewer).open_stacks(two_particles)
    assert workspace_for(other) is not workspace_for(viewer)
    assert not workspace_for(other).sources
    assert isinstance(SpectraView(other), SpectraView)
    other.close()


def test_saved_results_come_back(
    viewer: Any, qtbot: Any, two_particles: list[Any], references: Any, tmp_path: Path
) -> None:
    dock = correlated(viewer, qtbot, two_particles, references)
    workspace = workspace_for(viewer)
    workspace.threshold = 0.02
    chosen = np.arange(workspace.stacks.n_pixels) < 40
    workspace.selections = (Selection("grain", chosen, "#ff00ff"),)
    before = workspace.phase_map
    dock.save(tmp_path / "out")
    finish(qtbot, dock)
    link_for(viewer).close_stack("P1")
    assert workspace.phase_map is None
    dock.open_results(tmp_path / "out" / "results.h5")
    finish(qtbot, dock)
    assert [stack.name for stack in workspace.sources] == ["P1", "P2"]
    np.testing.assert_array_equal(workspace.phase_map.labels, before.labels)
    assert workspace.threshold == 0.02
    assert workspace.selections[0].name == "grain"
    assert "phase" in viewer.layers
    (grid,) = link_for(viewer).places.grids
    shown = grid.read(viewer.layers["phase"].data, 0 * before.labels)
    np.testing.assert_array_equal(shown, before.labels)


def test_one_bad_file_stops_no_other(
    viewer: Any, qtbot: Any, notes: list[str], tmp_path: Path
) -> None:
    from napari_phasemap.io.samples import sample_paths

    bad = tmp_path / "bad.hdr"
    bad.write_bytes(b"")
    dock = DataPanel(viewer)
    qtbot.addWidget(dock)
    dock.open_paths([bad, sample_paths()[0]])
    finish(qtbot, dock)
    assert "bad.hdr" in notes[0]
    assert [stack.name for stack in workspace_for(viewer).sources] == ["P1"]


def test_images_without_energies_take_them_from_the_reading_options(
    viewer: Any, qtbot: Any, real_data: Path
) -> None:
    folder = real_data / "als-toner-71214078-fe2p"
    dock = DataPanel(viewer)
    qtbot.addWidget(dock)
    dock._energies.setText(str(folder / "Energy.txt"))
    dock.open_paths([folder / "derived" / "71214078_counts.tif"])
    finish(qtbot, dock)
    (source,) = workspace_for(viewer).sources
    assert source.n_energies == 123


def test_a_long_job_tells_the_time_left(
    viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_phasemap.views.shell.job.GUESS_AFTER", 0.1)
    dock = PhasePanel(viewer)
    qtbot.addWidget(dock)
    seen: list[str] = []

    def slow(*, on_progress: Any) -> None:
        for step in range(8):
            on_progress(step, 8, f"step {step}")
            time.sleep(0.08)

    dock.job.start(slow, on_done=lambda _: None)
    while dock.job.running:
        qtbot.wait(20)
        seen.append(dock.job._text.text())
    assert any("s left" in text for text in seen)


def test_what_is_drawn_on_the_image_with_the_mouse_becomes_the_selection(
    viewer: Any, qtbot: Any, mouse: Any, two_particles: list[Any]
) -> None:
    dock = opened(viewer, "Spectra")
    link, workspace = link_for(viewer), workspace_for(viewer)
    link.open_stacks(two_particles)
    workspace.set_stacks(StackSet(two_particles))
    qtbot.wait(200)
    press(dock, "Select on image")
    shapes = viewer.layers["selection region"]
    shapes.mode = "add_rectangle"
    image = viewer.layers["P2"]
    corners = [tuple(image.data_to_world((0, *c))[-2:]) for c in ((6, 3), (12, 9))]
    mouse.drag(viewer, *corners)
    image_of = workspace.stacks.to_image(workspace.selection, 1, 0)
    rows, cols = np.nonzero(image_of)
    assert (rows.min(), rows.max()) == pytest.approx((6, 12), abs=1)
    assert (cols.min(), cols.max()) == pytest.approx((3, 9), abs=1)
    assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(cols) + 1)
    assert not workspace.stacks.split(workspace.selection)[0].any()
    shapes.data = []
    assert not workspace.selection.any()
