from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest

pytestmark = pytest.mark.gui

from napari.components import ViewerModel  # noqa: E402
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt  # noqa: E402
from qtpy.QtGui import QMouseEvent  # noqa: E402
from qtpy.QtTest import QTest  # noqa: E402
from qtpy.QtWidgets import QApplication  # noqa: E402

from napari_phasemap.core.data.phasemap import PhaseMap  # noqa: E402
from napari_phasemap.core.data.stack import SpectralStack  # noqa: E402
from napari_phasemap.core.data.stack_set import StackSet  # noqa: E402
from napari_phasemap.views.latent.view import LatentView  # noqa: E402
from napari_phasemap.views.scatter.tools import KEYS  # noqa: E402
from napari_phasemap.views.shell.link import link_for, workspace_for  # noqa: E402

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
NAMES = ("Na1", "Na2", "Na3")


def fill(viewer, particles):
    """Two particles, a phase map and a latent space of 4 axes with 3 clusters."""
    workspace = workspace_for(viewer)
    link_for(viewer).open_stacks(particles)
    workspace.set_stacks(StackSet(particles))
    rng = np.random.default_rng(0)
    n_pixels = workspace.stacks.n_pixels
    truth = rng.integers(0, 3, n_pixels)
    centers = np.array([[0, 0, 0, 0], [6, 0, 2, 1], [0, 6, 4, 2]], float)
    latent = centers[truth] + rng.normal(0, 0.3, (n_pixels, 4))
    scores = np.full((n_pixels, 3), 0.5) + rng.normal(0, 0.01, (n_pixels, 3))
    scores[np.arange(n_pixels), truth] = 0.9
    workspace.phase_map = PhaseMap.from_scores(scores, NAMES)
    workspace.latent_name = "GMVAE"
    workspace.latent = latent.astype(np.float32)
    return viewer, workspace, truth


def shown(viewer, qtbot):
    """The dock in a window of its own: ten times faster than a whole napari."""
    view = LatentView(viewer)
    qtbot.addWidget(view)
    view.resize(420, 640)
    view.show()
    qtbot.waitExposed(view)
    qtbot.wait(30)
    return view


@pytest.fixture
def filled(two_particles):
    """A viewer without a window, with everything in it."""
    return fill(ViewerModel(), two_particles)


@pytest.fixture
def view(filled, qtbot):
    return shown(filled[0], qtbot)


@pytest.fixture
def docked(viewer, two_particles, qtbot):
    """The dock in a whole napari window."""
    viewer, workspace, truth = fill(viewer, two_particles)
    view = LatentView(viewer)
    viewer.window.add_dock_widget(view, name="Latent view", area="right")
    qtbot.wait(150)
    viewer.reset_view()  # the dock has taken room
    qtbot.wait(50)
    return viewer, workspace, truth, view


def at(place):
    return QPoint(round(place[0]), round(place[1]))


def click(view, point, modifiers=NONE):
    scatter = view.scatter
    QTest.mouseClick(scatter.native, LEFT, modifiers, at(scatter.position_of(point)))


def drag(view, path, modifiers=NONE):
    native = view.scatter.native
    QTest.mousePress(native, LEFT, modifiers, at(path[0]))
    for place in path[1:]:
        spot = QPointF(at(place))
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            spot,
            QPointF(native.mapToGlobal(at(place))),
            Qt.MouseButton.NoButton,
            LEFT,
            modifiers,
        )
        QApplication.sendEvent(native, move)
    QTest.mouseRelease(native, LEFT, modifiers, at(path[-1]))


def lasso(view, members, modifiers=NONE):
    """Draw around some points as a person would."""
    screen = view.scatter.screen()
    x, y = screen.x[members], screen.y[members]
    radius = np.hypot(x - x.mean(), y - y.mean()).max() + 6
    angle = np.linspace(0, 2 * np.pi, 30)
    path = np.stack(
        [x.mean() + radius * np.cos(angle), y.mean() + radius * np.sin(angle)], 1
    )
    view.tools.set_tool("lasso")
    drag(view, path, modifiers)
    view.tools.set_tool("navigate")


def seen_points(view, stack=None):
    """Points that nothing covers, of one particle."""
    scatter, stacks = view.scatter, view.workspace.stacks
    screen = scatter.screen()
    for point in range(stacks.n_pixels):
        if stack is not None and stacks.locate(point)[0] != stack:
            continue
        spot = at((screen.x[point], screen.y[point]))
        if scatter.point_at(spot.x(), spot.y()) == point:
            yield point


def key(view, name, modifiers=NONE):
    QTest.keyClick(view.scatter.native, name, modifiers)


def selected_on(viewer, index):
    """The pixels of one particle that the selection layer shows, on its grid."""
    link = link_for(viewer)
    (grid,), stacks = link.places.grids, link.workspace.stacks
    layer = next(x for x in viewer.layers if x.name == "selection")
    nothing = np.zeros(stacks.n_pixels, dtype=np.uint8)
    return stacks.to_image(grid.read(layer.data, nothing), index, 0)


@pytest.mark.parametrize("particle", [0, 1])
@pytest.mark.parametrize("turn", [None, (60, 30)], ids=["as it is", "turned"])
def test_a_click_on_a_point_marks_exactly_its_pixel(filled, view, particle, turn):
    viewer, workspace, _ = filled
    if turn:
        view.scatter.set_camera(view.scatter.camera.turned(*turn))
    point = next(seen_points(view, stack=particle))
    click(view, point)
    assert workspace.cursor == point
    index, row, col = workspace.stacks.locate(point)
    assert index == particle
    stack = workspace.stacks[index]
    mark = viewer.layers["cursor"]
    expected = viewer.layers[stack.name].data_to_world((0, row, col))[-2:]
    np.testing.assert_allclose(mark.data[0][-2:], expected)
    text = view._pointed.text()
    assert f"{stack.name} row {row} col {col}" in text
    assert any(name in text for name in NAMES)


def test_hovering_a_pixel_shows_its_point(docked, mouse, qtbot):
    viewer, workspace, _, view = docked
    world = viewer.layers["P1"].data_to_world((0, 7, 9))[-2:]
    mouse.move(viewer, tuple(world))
    point = workspace.stacks.pixel_at(0, 7, 9)
    assert workspace.hover == point
    assert view.scatter.scene.cursor == point
    marks = view.scatter._marks()
    assert marks.cursor == pytest.approx(view.scatter.position_of(point))
    assert "P1 row 7 col 9" in view._pointed.text()


def test_a_lasso_around_a_phase_lights_up_its_pixels(filled, view, qtbot):
    viewer, workspace, truth = filled
    lasso(view, truth == 1)
    np.testing.assert_array_equal(workspace.selection, truth == 1)
    qtbot.wait(50)
    for index in range(len(workspace.stacks)):
        image = workspace.stacks.to_image(
            workspace.selection.astype(np.uint8), index, 0
        )
        np.testing.assert_array_equal(selected_on(viewer, index) == 1, image == 1)
    share = 100 * (truth == 1).mean()
    assert f"{(truth == 1).sum()} of {len(truth)} pixels" in view._count.text()
    assert f"{share:.2f} %" in view._count.text()
    assert "2 of 2 particles" in view._count.text()


def test_a_selection_and_its_text_draw_the_points_only_once(filled, view, qtbot):
    _, workspace, truth = filled
    view.resize(300, 640)  # the text needs a second line
    qtbot.wait(400)
    drawn = []
    view.scatter.canvas.events.draw.connect(drawn.append)
    for phase, n_draws in ((0, 1), (1, 2)):
        workspace.select(truth == phase)
        qtbot.wait(300)
        assert len(drawn) == n_draws
    workspace.hover = 3
    qtbot.wait(100)
    size = view.scatter.size_in_pixels()
    workspace.hover = None
    qtbot.wait(100)
    workspace.select(np.zeros_like(truth, dtype=bool))
    qtbot.wait(100)
    assert view.scatter.size_in_pixels() == size


def test_shift_adds_alt_subtracts_and_both_intersect(filled, view):
    _, workspace, truth = filled
    lasso(view, truth == 1)
    lasso(view, truth == 2, SHIFT)
    np.testing.assert_array_equal(workspace.selection, truth != 0)
    lasso(view, truth == 1, ALT)
    np.testing.assert_array_equal(workspace.selection, truth == 2)
    lasso(view, truth == 1, SHIFT | ALT)
    assert not workspace.selection.any()


def test_the_chosen_mode_holds_without_a_key(filled, view):
    _, workspace, truth = filled
    lasso(view, truth == 1)
    view.tools.set_mode("add")
    lasso(view, truth == 2)
    np.testing.assert_array_equal(workspace.selection, truth != 0)


def test_undo_and_redo_from_the_keyboard(filled, view):
    _, workspace, truth = filled
    control = Qt.KeyboardModifier.ControlModifier
    lasso(view, truth == 1)
    lasso(view, truth == 2)
    key(view, Qt.Key.Key_Z, control)
    np.testing.assert_array_equal(workspace.selection, truth == 1)
    key(view, Qt.Key.Key_Z, control)
    assert not workspace.selection.any()
    key(view, Qt.Key.Key_Z, control)
    key(view, Qt.Key.Key_Y, control)
    key(view, Qt.Key.Key_Y, control)
    np.testing.assert_array_equal(workspace.selection, truth == 2)


def test_a_click_beside_the_points_clears(filled, view):
    _, workspace, truth = filled
    lasso(view, truth == 1)
    workspace.cursor = 3
    QTest.mouseClick(view.scatter.native, LEFT, NONE, QPoint(3, 3))
    assert not workspace.selection.any()
    assert workspace.cursor is None


def test_shift_and_alt_click_add_and_take_away_one_point(filled, view):
    _, workspace, _ = filled
    first, second = [p for _, p in zip(range(2), seen_points(view), strict=False)]
    click(view, first, SHIFT)
    click(view, second, SHIFT)
    assert set(np.flatnonzero(workspace.selection)) == {first, second}
    position = view.scatter.position_of(first)
    if view.scatter.point_at(*position) == first:
        click(view, first, ALT)
        assert np.flatnonzero(workspace.selection).tolist() == [second]


def test_every_key_does_something_and_none_raises(filled, view, qtbot):
    _, workspace, truth = filled
    point = int(np.flatnonzero(truth == 2)[0])
    workspace.cursor = point
    key(view, Qt.Key.Key_P)
    np.testing.assert_array_equal(workspace.selection, truth == 2)
    key(view, Qt.Key.Key_I)
    np.testing.assert_array_equal(workspace.selection, truth != 2)
    key(view, Qt.Key.Key_Backspace)
    assert not workspace.selection.any()
    key(view, Qt.Key.Key_S)
    assert np.flatnonzero(workspace.selection).tolist() == [point]
    key(view, Qt.Key.Key_G)
    assert (workspace.selection & (truth == 2)).sum() > 0.9 * (truth == 2).sum()
    assert not (workspace.selection & (truth == 1)).any()
    key(view, Qt.Key.Key_Period)
    assert workspace.cursor == point + 1
    key(view, Qt.Key.Key_Comma)
    key(view, Qt.Key.Key_Comma)
    assert workspace.cursor == (point - 1) % len(truth)
    for name in ("L", "R", "B", "V", "T", "T", "D", "D", "1", "2", "3", "F", "+", "-"):
        key(view, name)
    for name in ("Left", "Right", "Up", "Down", "F1"):
        key(view, getattr(Qt.Key, f"Key_{name}"))
    assert view.tools._help.isVisible()
    view.tools._help.close()
    assert len(KEYS) >= 27


def test_every_coloring_can_be_chosen(filled, view, qtbot):
    _, workspace, truth = filled
    workspace.features = {"size": np.linspace(0, 1, len(truth)), "grain": truth}
    workspace.resolved = workspace.phase_map
    for index in range(view._colors.count()):
        view._colors.setCurrentIndex(index)
        assert view.scatter.scene.coloring.title != ""
    names = [view._colors.itemText(i) for i in range(view._colors.count())]
    assert names[:3] == ["resolved phase", "phase", "phase, ambiguous grey"]
    assert {"reliability", "intensity", "particle", "size", "grain"} <= set(names)


def test_colors_of_phases_follow_the_phase_map(filled, view):
    _, workspace, _ = filled
    view._colors.setCurrentText("phase")
    workspace.phase_map = workspace.phase_map.with_colors(["#010203"] * 3)
    assert view.scatter.scene.coloring.colors[1].tolist() == [1, 2, 3]


def test_the_threshold_turns_ambiguous_points_grey(filled, view):
    _, workspace, _ = filled
    view._colors.setCurrentText("phase, ambiguous grey")
    found = view.scatter.scene.coloring
    assert found.counts[found.names.index("ambiguous")] == 0
    workspace.threshold = 0.4
    found = view.scatter.scene.coloring
    expected = workspace.phase_map.ambiguous(0.4).sum()
    assert found.counts[found.names.index("ambiguous")] == expected > 0


def test_the_legend_counts_hides_and_isolates(filled, view):
    _, workspace, truth = filled
    view._colors.setCurrentText("phase")
    rows = view.legend._list
    shown = {rows.topLevelItem(i).text(0): i for i in range(rows.topLevelItemCount())}
    assert set(shown) == set(NAMES)
    assert rows.topLevelItem(shown["Na2"]).text(1) == str((truth == 1).sum())
    rows.topLevelItem(shown["Na2"]).setCheckState(0, Qt.CheckState.Unchecked)
    lasso(view, np.ones(len(truth), bool))
    np.testing.assert_array_equal(workspace.selection, truth != 1)
    rows.setCurrentItem(rows.topLevelItem(shown["Na3"]))
    view.legend.isolate()
    lasso(view, np.ones(len(truth), bool))
    np.testing.assert_array_equal(workspace.selection, truth == 2)
    view.legend.show_all()
    assert view.scatter.scene.shown.all()


def test_a_named_selection_is_kept_recalled_and_colors_the_points(filled, view):
    _, workspace, truth = filled
    lasso(view, truth == 1)
    view.chosen._name.setText("rim")
    view.chosen.keep()
    assert [s.name for s in workspace.selections] == ["rim"]
    view.actions.clear()
    view.chosen._list.setCurrentRow(0)
    view.chosen.recall()
    np.testing.assert_array_equal(workspace.selection, truth == 1)
    view._colors.setCurrentText("named selections")
    assert view.scatter.scene.coloring.counts.tolist()[1] == (truth == 1).sum()
    view.chosen._list.setCurrentRow(0)
    view.chosen.remove()
    assert workspace.selections == ()
    view.actions.undo()
    assert len(workspace.selections) == 1


def test_selected_pixels_become_a_phase_and_undo_gives_them_back(filled, view):
    _, workspace, truth = filled
    before = workspace.phase_map
    lasso(view, truth == 1)
    view.chosen._target.setEditText("Na3")
    view.chosen.assign()
    assert (workspace.phase_map.labels[truth == 1] == 3).all()
    view.chosen._undo.click()
    assert workspace.phase_map is before


def test_selected_pixels_become_a_reference(filled, view):
    _, workspace, truth = filled
    lasso(view, truth == 0)
    view.chosen._name.setText("mine")
    view.chosen.as_reference()
    assert workspace.references.names == ("mine",)
    expected = workspace.stacks.spectra()[truth == 0].mean(axis=0)
    np.testing.assert_allclose(workspace.references.spectra[0], expected, rtol=1e-5)


def test_excluded_pixels_leave_the_view_and_come_back_with_undo(filled, view, qtbot):
    _, workspace, truth = filled
    lasso(view, truth == 1)
    view.chosen.exclude()
    qtbot.wait(50)
    assert view.scatter.scene.n_points == (truth != 1).sum()
    assert "no pixels selected" in view._count.text()
    view.actions.undo()
    qtbot.wait(50)
    assert view.scatter.scene.n_points == len(truth)
    np.testing.assert_array_equal(workspace.selection, truth == 1)


def test_within_two_sigma_of_a_phase(filled, view):
    _, workspace, truth = filled
    view.chosen._phases.setCurrentText("Na2")
    view.chosen._distance.setValue(2.5)
    view.chosen.select_near()
    assert not workspace.selection[truth != 1].any()
    # 4 dimensions: P(chi^2 with 4 degrees of freedom <= 2.5^2) = 0.819.
    assert workspace.selection[truth == 1].mean() == pytest.approx(0.819, abs=0.06)


def test_other_axes_can_be_looked_at(filled, view):
    _, workspace, _ = filled
    view.look._axes[0].setCurrentIndex(3)
    frame = view.scatter.scene.frame
    assert frame.names[0] == "GMVAE 4"
    column = workspace.latent[:, 3]
    placed = (column - frame.middle[0]) * frame.scale[0]
    np.testing.assert_allclose(
        view.scatter.scene.points[0], placed, rtol=1e-4, atol=1e-5
    )


def test_named_places_are_projected_as_labelled_markers(filled, view):
    _, workspace, _ = filled
    workspace.latent_markers = {"Na2 reference": workspace.latent[5]}
    name, x, y = view.scatter._marks().places[0]
    assert name == "Na2 reference"
    assert (x, y) == pytest.approx(view.scatter.position_of(5), abs=0.1)


def test_clusters_found_by_k_means_color_the_points(filled, view, qtbot):
    _, workspace, truth = filled
    with qtbot.waitSignal(view.job.finished, timeout=20_000):
        view.find_clusters(3)
    assert view._colors.currentText() == "k-means cluster"
    found = workspace.features["k-means cluster"]
    assert all(len(set(found[truth == k])) == 1 for k in range(3))


def test_without_a_latent_space_pca_is_one_click_away(two_particles, qtbot):
    viewer = ViewerModel()
    workspace = workspace_for(viewer)
    view = shown(viewer, qtbot)
    assert "Open stacks and convert" in view._message.text()
    link_for(viewer).open_stacks(two_particles)
    workspace.set_stacks(StackSet(two_particles))
    assert "no latent space yet" in view._message.text()
    with qtbot.waitSignal(view.job.finished, timeout=20_000):
        view._pca.click()
    assert workspace.latent.shape == (workspace.stacks.n_pixels, 3)
    assert view.scatter.scene.frame.names == ("PCA 1", "PCA 2", "PCA 3")
    assert view._main.isVisible()


def test_a_latent_space_of_another_size_is_explained(filled, view):
    _, workspace, truth = filled
    workspace.latent = np.zeros((7, 3), np.float32)
    assert f"7 points for {len(truth)} pixels" in view._message.text()
    assert not view._main.isVisible()
    key(view, Qt.Key.Key_I)
    assert not workspace.selection.any()


def test_a_latent_space_without_any_number_is_explained(filled, view):
    _, workspace, truth = filled
    workspace.latent = np.full((len(truth), 3), np.nan, np.float32)
    assert "No point of the latent space has finite" in view._message.text()


@pytest.mark.parametrize("n_axes", [1, 2])
def test_fewer_than_three_axes_are_shown_flat(filled, view, n_axes, qtbot):
    _, workspace, truth = filled
    workspace.latent = workspace.latent[:, :n_axes].copy()
    qtbot.wait(50)
    assert view.scatter.camera.flat
    assert view.scatter.scene.n_points == len(truth)


def test_axes_are_chosen_by_what_tells_them_apart_and_titled_whole(filled, view, qtbot):
    _, workspace, _ = filled
    workspace.latent_name = "UMAP Si_L"
    workspace.latent = workspace.latent.copy()
    qtbot.wait(50)
    combo = view.look._axes[0]
    assert [combo.itemText(i) for i in range(combo.count())] == ["1", "2", "3", "4"]
    assert view.look.names == ("UMAP Si_L 1", "UMAP Si_L 2", "UMAP Si_L 3")
    assert "UMAP Si_L 2" in combo.toolTip()


def test_one_pixel_is_enough(qtbot):
    viewer = ViewerModel()
    stack = SpectralStack(np.ones((2, 1, 1)), [1.0, 2.0], quantity="optical_density")
    workspace = workspace_for(viewer)
    workspace.set_stacks(StackSet([stack]))
    view = shown(viewer, qtbot)
    workspace.latent = np.zeros((1, 3), np.float32)
    qtbot.wait(50)
    click(view, 0)
    assert workspace.cursor == 0


def test_the_figure_is_copied_and_saved(filled, view, qtbot, tmp_path):
    view.figure._width.setValue(320)
    view.figure._height.setValue(200)
    view.figure.copy()
    copied = QApplication.clipboard().image()
    assert (copied.width(), copied.height()) == (320, 200)
    view.figure.save(tmp_path / "latent.png")
    assert (tmp_path / "latent.png").stat().st_size > 1000
    with pytest.raises(OSError, match="could not be written"):
        view.figure.save(tmp_path / "missing" / "latent.png")


def test_a_turn_is_written_beside_the_window(filled, view, qtbot, tmp_path):
    view.figure._width.setValue(100)
    view.figure._height.setValue(100)
    path = tmp_path / "turn.gif"
    view.figure.start_turn(path, n_frames=5)
    qtbot.waitUntil(lambda: not view.figure._turns, timeout=20_000)
    assert path.stat().st_size > 500
    view.figure.start_turn(path, n_frames=500)
    view.figure.stop_turn()
    assert not path.exists()


def test_the_theme_is_followed(filled, view):
    viewer, _, _ = filled
    viewer.theme = "light"
    assert view.scatter.scene.style.background == "#ffffff"
    assert view.scatter.scene.style.foreground != "#ffffff"


def test_the_canvas_of_napari_keeps_its_room(docked, qtbot):
    viewer, _, _, view = docked
    assert viewer.window.geometry()[2] <= 1100
    image = viewer.window._qt_viewer.canvas.native
    assert min(image.width(), view.scatter.width()) >= 300
    assert min(image.height(), view.scatter.height()) >= 200


def test_deleting_and_renaming_layers_is_survived(filled, view, qtbot):
    viewer, workspace, truth = filled
    lasso(view, truth == 1)
    layer = viewer.layers["selection"]
    layer.name = "something else"
    lasso(view, truth == 2)
    assert layer.data.sum() == workspace.selection.sum()
    viewer.layers.remove(layer)
    lasso(view, truth == 1)
    np.testing.assert_array_equal(workspace.selection, truth == 1)


def test_two_viewers_do_not_disturb_each_other(docked, qtbot, two_particles):
    _, workspace, truth, view = docked
    other, second, _ = fill(ViewerModel(), two_particles)
    other_view = shown(other, qtbot)
    lasso(view, truth == 1)
    assert not second.selection.any()
    lasso(other_view, truth == 2)
    np.testing.assert_array_equal(second.selection, truth == 2)
    np.testing.assert_array_equal(workspace.selection, truth == 1)


def test_closing_the_dock_leaves_no_callback_behind(viewer, two_particles, qtbot):
    viewer, workspace, truth = fill(viewer, two_particles)
    view = LatentView(viewer)
    dock = viewer.window.add_dock_widget(view, name="Latent view")
    qtbot.wait(100)
    alive = weakref.ref(view)
    viewer.window.remove_dock_widget(dock)
    dock.deleteLater()
    del view, dock
    for _ in range(4):
        qtbot.wait(30)
        gc.collect()
    workspace.select(truth == 1)
    workspace.cursor = 3
    assert alive() is None


def test_a_closed_viewer_is_released(qtbot, two_particles):
    import napari

    viewer = napari.Viewer(show=True)
    workspace = workspace_for(viewer)
    link_for(viewer).open_stacks(two_particles)
    workspace.set_stacks(StackSet(two_particles))
    view = LatentView(viewer)
    viewer.window.add_dock_widget(view, name="Latent view")
    workspace.latent = (
        np.random.default_rng(0)
        .normal(size=(workspace.stacks.n_pixels, 3))
        .astype(np.float32)
    )
    qtbot.wait(100)
    alive = weakref.ref(view)
    viewer.close()
    del viewer, view, workspace
    for _ in range(5):
        qtbot.wait(30)
        gc.collect()
    assert alive() is None


def test_without_opengl_the_dock_says_so(qtbot, monkeypatch):
    monkeypatch.setattr("napari_phasemap.views.latent.view.has_opengl", lambda: False)
    view = shown(ViewerModel(), qtbot)
    assert "OpenGL is not available" in view._message.text()
    assert not view._main.isVisible()


def test_a_platform_without_opengl_is_recognized():
    code = (
        "from qtpy.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "from napari_phasemap.views.scatter.gl import has_opengl\n"
        "raise SystemExit(has_opengl())"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "minimal"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, timeout=60)
    assert run.returncode == 0
