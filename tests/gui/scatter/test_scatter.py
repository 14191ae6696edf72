from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.gui

from qtpy.QtCore import QPoint, Qt  # noqa: E402
from qtpy.QtTest import QTest  # noqa: E402

from napari_phasemap.core.latent.projection import project  # noqa: E402
from napari_phasemap.core.latent.selection import in_polygon  # noqa: E402
from napari_phasemap.views.scatter.colors import (  # noqa: E402
    Coloring,
    continuous,
)
from napari_phasemap.views.scatter.figure import Turn, render  # noqa: E402
from napari_phasemap.views.scatter.overlay import _free_box  # noqa: E402
from napari_phasemap.views.scatter.scatter import Scatter  # noqa: E402
from napari_phasemap.views.scatter.tools import KEYS  # noqa: E402

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
RED, BLUE, GREEN = (220, 30, 30), (30, 30, 220), (30, 200, 30)


def three_clusters(n_each=400):
    rng = np.random.default_rng(0)
    centers = np.array([[0, 0, 0], [6, 0, 2], [0, 6, 4]], float)
    codes = np.repeat(np.arange(3), n_each).astype(np.uint8)
    points = centers[codes] + rng.normal(0, 0.4, (3 * n_each, 3))
    return points.T.astype(np.float32), codes


@pytest.fixture
def scatter(qtbot):
    scatter = Scatter()
    qtbot.addWidget(scatter)
    scatter.resize(500, 400)
    scatter.show()
    qtbot.waitExposed(scatter)
    points, codes = three_clusters()
    scatter.set_points(points, ("GMVAE 1", "GMVAE 2", "GMVAE 3"))
    colors = np.array([RED, BLUE, GREEN], np.uint8)
    scatter.set_coloring(Coloring("phase", codes, colors, ("a", "b", "c")))
    qtbot.wait(50)
    return scatter


def at(place):
    return QPoint(round(place[0]), round(place[1]))


def drag(scatter, path, modifiers=NONE, button=LEFT):
    native = scatter.native
    QTest.mousePress(native, button, modifiers, at(path[0]))
    for place in path[1:]:
        move(native, at(place), button, modifiers)
    QTest.mouseRelease(native, button, modifiers, at(path[-1]))


def move(native, place, button, modifiers):
    """Move the mouse with a button held, which QTest.mouseMove cannot do."""
    from qtpy.QtCore import QEvent, QPointF
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(native.mapToGlobal(place)),
        Qt.MouseButton.NoButton,
        button,
        modifiers,
    )
    QApplication.sendEvent(native, event)


def outline(scatter, members, margin=12, n=40):
    """A circle on the screen around some points."""
    screen = scatter.screen()
    x, y = screen.x[members], screen.y[members]
    radius = np.hypot(x - x.mean(), y - y.mean()).max() + margin
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack(
        [x.mean() + radius * np.cos(angle), y.mean() + radius * np.sin(angle)], 1
    )


def front_most(scatter, members):
    """A point that nothing else covers, with its position on the screen."""
    screen = scatter.screen()
    depth = scatter.scene.depth(screen)
    for point in np.flatnonzero(members):
        away = np.hypot(screen.x - screen.x[point], screen.y - screen.y[point])
        near = np.flatnonzero(away < 8)
        if near[np.argmin(depth[near])] == point:
            rounded = np.round([screen.x[point], screen.y[point]])
            if np.hypot(*(rounded - [screen.x[point], screen.y[point]])) < 0.6:
                return int(point), (screen.x[point], screen.y[point])
    raise AssertionError("every point is covered")


@pytest.mark.parametrize(
    "change",
    [
        lambda s: None,
        lambda s: drag(s, [(250, 200), (310, 170), (330, 150)]),
        lambda s: s.set_camera(s.camera.zoomed(0.7)),
        lambda s: s.resize(330, 560),
        lambda s: s.set_perspective(True),
        lambda s: s.set_flat(True),
        lambda s: (s.set_perspective(True), s.set_camera(s.camera.zoomed(0.6))),
    ],
    ids=["as it is", "turned", "zoomed", "resized", "perspective", "flat", "close"],
)
def test_a_click_finds_the_point_that_is_seen_there(scatter, qtbot, change):
    change(scatter)
    qtbot.wait(50)
    found = []
    scatter.picked.connect(lambda point, mode: found.append((point, mode)))
    for code in range(3):
        members = scatter.scene.coloring.codes == code
        screen = scatter.screen()
        width, height = scatter.size_in_pixels()
        members = members & (screen.x > 5) & (screen.x < width - 5)
        members &= (screen.y > 5) & (screen.y < height - 5)
        if not members.any():
            continue
        point, place = front_most(scatter, members)
        QTest.mouseClick(scatter.native, LEFT, NONE, at(place))
        assert found[-1] == (point, "replace")
    assert found


def test_the_pixel_under_a_known_point_has_its_color(scatter, qtbot):
    qtbot.wait(50)
    scatter.restyle(point_size=9.0)
    qtbot.wait(100)
    picture = scatter.grab().toImage()
    ratio = picture.width() / scatter.width()
    for code, color in enumerate((RED, BLUE, GREEN)):
        _, (x, y) = front_most(scatter, scatter.scene.coloring.codes == code)
        seen = picture.pixelColor(round(x * ratio), round(y * ratio))
        assert (seen.red(), seen.green(), seen.blue()) == pytest.approx(color, abs=3)


def test_a_click_beside_all_points_finds_none(scatter):
    found = []
    scatter.picked.connect(lambda point, mode: found.append(point))
    QTest.mouseClick(scatter.native, LEFT, NONE, QPoint(3, 3))
    assert found == [None]


@pytest.mark.parametrize("turn", [(0, 0), (80, -40)], ids=["as it is", "turned"])
def test_a_lasso_around_a_cluster_selects_exactly_what_is_inside(scatter, turn):
    scatter.set_camera(scatter.camera.turned(*turn))
    codes = scatter.scene.coloring.codes
    got = []
    scatter.stroked.connect(lambda mask, mode, tool: got.append((mask, mode, tool)))
    scatter.gestures.tool = "lasso"
    path = np.round(outline(scatter, codes == 1))
    drag(scatter, [*path, path[0]])
    mask, mode, tool = got[0]
    np.testing.assert_array_equal(mask, codes == 1)
    assert (mode, tool) == ("replace", "lasso")
    # And through the middle of a cluster it is the even-odd test of every point.
    drag(scatter, [path[0], path[13], path[26], path[0]])
    screen = scatter.screen()
    corners = [path[0], path[13], path[26], path[0]]
    expected = in_polygon(screen.x, screen.y, [tuple(corner) for corner in corners])
    np.testing.assert_array_equal(got[1][0], expected)


@pytest.mark.parametrize(
    ("modifiers", "mode"),
    [(NONE, "replace"), (SHIFT, "add"), (ALT, "subtract"), (SHIFT | ALT, "intersect")],
)
def test_keys_held_while_dragging_choose_how_selections_join(scatter, modifiers, mode):
    got = []
    scatter.stroked.connect(lambda mask, found, tool: got.append(found))
    scatter.gestures.tool = "rectangle"
    drag(scatter, [(50, 50), (200, 200)], modifiers)
    assert got == [mode]


def test_a_rectangle_selects_what_lies_between_its_corners(scatter):
    got = []
    scatter.stroked.connect(lambda mask, mode, tool: got.append(mask))
    scatter.gestures.tool = "rectangle"
    drag(scatter, [(400, 300), (300, 200), (100, 80)])
    screen = scatter.screen()
    expected = (screen.x >= 100) & (screen.x <= 400)
    expected &= (screen.y >= 80) & (screen.y <= 300)
    np.testing.assert_array_equal(got[0], expected)


@pytest.mark.parametrize("perspective", [False, True])
def test_a_ball_is_round_in_space_and_centered_on_the_point(scatter, perspective):
    scatter.set_perspective(perspective)
    codes, points = scatter.scene.coloring.codes, scatter.scene.points
    point, place = front_most(scatter, codes == 2)
    got = []
    scatter.stroked.connect(lambda mask, mode, tool: got.append(mask))
    scatter.gestures.tool = "ball"
    drag(scatter, [place, (place[0] + 10, place[1]), (place[0] + 40, place[1])])
    away = np.linalg.norm(points - points[:, point : point + 1], axis=0)
    assert got[0][point]
    assert away[got[0]].max() <= away[~got[0]].min()
    # The rim of the ball is where the mouse was released.
    right = scatter.camera.axes()[0] * away[got[0]].max()
    rim = (points[:, point] + right).astype(np.float32)[:, None]
    matrix = scatter.camera.screen_matrix(*scatter.size_in_pixels())
    assert project(rim, matrix).x[0] == pytest.approx(place[0] + 40, abs=5)


def test_hidden_classes_are_neither_picked_nor_selected(scatter):
    codes = scatter.scene.coloring.codes
    point, place = front_most(scatter, codes == 1)
    scatter.set_shown(np.array([True, False, True]))
    assert scatter.point_at(*place) != point
    found = []
    scatter.stroked.connect(lambda mask, mode, tool: found.append(mask))
    scatter.gestures.tool = "rectangle"
    drag(scatter, [(1, 1), (250, 200), (499, 399)])
    np.testing.assert_array_equal(found[0], codes != 1)


def test_visible_only_leaves_out_what_is_behind(scatter):
    scatter.gestures.tool = "rectangle"
    found = []
    scatter.stroked.connect(lambda mask, mode, tool: found.append(mask))
    drag(scatter, [(1, 1), (250, 200), (499, 399)])
    scatter.visible_only = True
    drag(scatter, [(1, 1), (250, 200), (499, 399)])
    through, seen = found
    assert through.all()
    assert 100 < seen.sum() < 1000
    point, _ = front_most(scatter, scatter.scene.coloring.codes == 0)
    assert seen[point]


def test_dragging_turns_shift_moves_and_the_wheel_zooms(scatter):
    before = scatter.camera
    drag(scatter, [(100, 100), (140, 100), (160, 110)])
    turned = scatter.camera
    assert turned.azimuth != before.azimuth
    assert turned.center == before.center
    drag(scatter, [(100, 100), (140, 100), (160, 110)], SHIFT)
    assert scatter.camera.center != turned.center
    assert scatter.camera.azimuth == turned.azimuth
    height = scatter.camera.height
    scatter.gestures.zoomed.emit(0.5)
    assert scatter.camera.height == pytest.approx(height / 2)


def test_the_right_button_turns_while_a_tool_is_on(scatter):
    scatter.gestures.tool = "lasso"
    before = scatter.camera.azimuth
    drag(
        scatter, [(100, 100), (140, 100), (160, 110)], button=Qt.MouseButton.RightButton
    )
    assert scatter.camera.azimuth != before


def test_keys_ask_for_actions_and_escape_is_left_alone(scatter):
    asked = []
    scatter.asked.connect(asked.append)
    for key in (Qt.Key.Key_L, Qt.Key.Key_F1, Qt.Key.Key_Backspace, Qt.Key.Key_Escape):
        QTest.keyClick(scatter.native, key)
    QTest.keyClick(scatter.native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert asked == ["lasso", "help", "clear", "undo"]
    assert scatter.isVisible()
    assert not any("Esc" in key for key in KEYS)


def test_points_without_coordinates_are_counted_and_never_selected(scatter, qtbot):
    points, _ = three_clusters()
    points[1, 7] = np.nan
    points[0, 8] = np.inf
    scatter.set_points(points, ("a", "b", "c"))
    qtbot.wait(50)
    assert scatter.scene.n_missing == 2
    found = []
    scatter.stroked.connect(lambda mask, mode, tool: found.append(mask))
    scatter.gestures.tool = "rectangle"
    drag(scatter, [(1, 1), (9, 9), (499, 399)])
    assert np.flatnonzero(~found[0]).tolist() == [7, 8]


@pytest.mark.parametrize(
    "points",
    [np.zeros((3, 1)), np.ones((3, 50)), np.full((3, 2), 1e6)],
    ids=["one point", "all equal", "far from zero"],
)
def test_a_cloud_without_extent_is_in_the_middle(scatter, qtbot, points):
    scatter.set_points(points.astype(np.float32), ("a", "b", "c"))
    qtbot.wait(50)
    assert scatter.position_of(0) == pytest.approx((250, 200), abs=2)
    assert scatter.point_at(250, 200) is not None


def test_two_axes_are_shown_flat(scatter, qtbot):
    points, _ = three_clusters()
    points[2] = 0
    scatter.set_points(points, ("UMAP 1", "UMAP 2", ""))
    qtbot.wait(50)
    assert scatter.camera.flat
    point, place = front_most(scatter, np.ones(points.shape[1], bool))
    assert scatter.point_at(*place) == point


def test_a_continuous_coloring_puts_low_and_high_at_its_ends():
    values = np.linspace(0, 10, 1001).astype(np.float32)
    values[3] = np.nan
    found = continuous("r", values)
    assert found.limits == pytest.approx((0.05, 9.95), abs=0.02)
    assert found.codes[0] == 0
    assert found.codes[-1] == 254
    assert found.codes[3] == 255


@pytest.mark.parametrize("background", ["#ffffff", "#000000", "transparent"])
def test_a_figure_has_the_asked_size_and_background_and_the_points(scatter, background):
    image = render(scatter, 640, 480, background=background, legend=False)
    assert (image.width(), image.height()) == (640, 480)
    corner = image.pixelColor(1, 1)
    if background == "transparent":
        assert corner.alpha() == 0
    else:
        assert corner.name() == background
        assert corner.alpha() == 255
    colors = {
        image.pixelColor(x, y).name()
        for x in range(0, 640, 2)
        for y in range(0, 480, 2)
    }
    for color in (RED, BLUE, GREEN):
        assert "#{:02x}{:02x}{:02x}".format(*color) in colors


def test_a_figure_leaves_the_scatter_as_it_was(scatter):
    style, camera = scatter.scene.style, scatter.camera
    render(scatter, 300, 300, background="#ffffff")
    assert scatter.scene.style == style
    assert scatter.camera == camera


@pytest.mark.parametrize("ending", ["gif", "mp4"])
def test_a_turn_is_a_movie_of_all_its_frames(scatter, tmp_path, ending):
    import imageio.v2 as imageio

    if ending == "mp4":
        pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / f"turn.{ending}"
    turn = Turn(scatter, path, size=(64, 48), n_frames=4)
    camera = scatter.camera
    while turn.add_frame():
        pass
    turn.close()
    frames = imageio.mimread(path)
    assert len(frames) == 4
    assert frames[0].shape[:2] == (48, 64)
    assert scatter.camera == camera


def test_a_movie_that_is_stopped_leaves_no_file_and_others_are_refused(
    scatter, tmp_path
):
    turn = Turn(scatter, tmp_path / "turn.gif", size=(64, 48), n_frames=9)
    turn.add_frame()
    turn.close(complete=False)
    assert not (tmp_path / "turn.gif").exists()
    with pytest.raises(ValueError, match="gif or"):
        Turn(scatter, tmp_path / "turn.avi")


def test_an_mp4_without_ffmpeg_says_what_to_install(scatter, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "napari_phasemap.views.scatter.figure.find_spec", lambda name: None
    )
    with pytest.raises(ImportError, match="imageio-ffmpeg"):
        Turn(scatter, tmp_path / "turn.mp4")


def test_a_scatter_survives_a_new_window(scatter, qtbot):
    """A dock that is detached gets another OpenGL context."""
    from qtpy.QtWidgets import QMainWindow

    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(520, 430)
    window.setCentralWidget(scatter)
    window.show()
    qtbot.waitExposed(window)
    scatter.restyle(point_size=9.0)
    qtbot.wait(100)
    picture = scatter.grab().toImage()
    _, (x, y) = front_most(scatter, scatter.scene.coloring.codes == 1)
    seen = picture.pixelColor(round(x), round(y))
    assert (seen.red(), seen.green(), seen.blue()) == pytest.approx(BLUE, abs=3)
    window.takeCentralWidget()


def test_many_points_are_thinned_out_only_while_the_camera_moves(scatter, qtbot):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3, 150_000)).astype(np.float32)
    scatter.set_points(points, ("a", "b", "c"))
    scatter.restyle(point_size=1.0, axes=False)
    qtbot.wait(600)

    def n_bright():
        picture = scatter.native.grabFramebuffer()
        bits = picture.constBits()
        bits.setsize(picture.sizeInBytes())
        rows = np.frombuffer(bits, np.uint8).reshape(picture.height(), -1)
        return int((rows.reshape(-1, 4)[:, :3].max(axis=1) > 60).sum())

    full = n_bright()
    scatter.set_camera(replace(scatter.camera, azimuth=31.0))
    moving = n_bright()
    qtbot.wait(600)
    assert moving < 0.95 * full
    assert n_bright() == pytest.approx(full, rel=0.02)


@pytest.mark.parametrize("opacity", [1.0, 0.95])
def test_each_of_many_points_has_its_own_color(scatter, qtbot, opacity):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 120_000).astype(np.uint8)
    points = rng.uniform(-1, 1, (3, len(codes))).astype(np.float32)
    points[0] = codes + 0.2 * points[0]  # three slabs, left to right
    points[:, 7] = np.nan
    scatter.set_points(points, ("a", "b", "c"))
    colors = np.array([RED, BLUE, GREEN], np.uint8)
    scatter.set_coloring(Coloring("phase", codes, colors, ("a", "b", "c")))
    scatter.restyle(opacity=opacity, axes=False)
    scatter.set_flat(True)
    qtbot.wait(600)
    picture = scatter.native.grabFramebuffer()
    screen = scatter.screen()
    for code, color in enumerate((RED, BLUE, GREEN)):
        x, y = np.nanmean(screen.x[codes == code]), np.nanmean(screen.y)
        seen = picture.pixelColor(round(x), round(y))
        assert (seen.red(), seen.green(), seen.blue()) == pytest.approx(color, abs=15)


def test_a_closed_scatter_is_released(qtbot):
    scatter = Scatter()
    scatter.show()
    qtbot.waitExposed(scatter)
    scatter.set_points(three_clusters()[0], ("a", "b", "c"))
    qtbot.wait(50)
    alive = weakref.ref(scatter)
    scatter.close()
    scatter.deleteLater()
    del scatter
    for _ in range(3):
        qtbot.wait(20)
        gc.collect()
    assert alive() is None


def test_names_of_near_places_keep_clear_of_one_another(qtbot):
    from qtpy.QtCore import QPointF, QRectF
    from qtpy.QtGui import QFont, QFontMetricsF

    metrics = QFontMetricsF(QFont())
    area = QRectF(0.0, 0.0, 300.0, 200.0)
    places = [QPointF(150.0, 100.0), QPointF(153.0, 104.0), QPointF(148.0, 97.0)]
    taken = [QRectF(p.x() - 5, p.y() - 5, 10, 10) for p in places]
    boxes = []
    for name, place in zip(("Na2.4VPF", "Na1.8VPF", "NaVPF"), places, strict=True):
        boxes.append(_free_box(metrics, name, place, 8.0, [*taken, *boxes], area))
    for number, box in enumerate(boxes):
        assert area.contains(box)
        assert not any(box.intersects(other) for other in [*taken, *boxes[:number]])
    # At the right edge a name goes to the left of its place.
    edge = _free_box(metrics, "NaVPF", QPointF(295.0, 100.0), 8.0, [], area)
    assert edge.right() < 295.0
    # Where nothing is free it is still shown beside its place.
    crowded = _free_box(metrics, "NaVPF", places[0], 8.0, [area], area)
    assert crowded.left() > places[0].x()


def test_a_density_shows_what_is_where_in_the_colors_of_the_classes(scatter, qtbot):
    scatter.restyle(density=True, axes=False)
    places = [scatter.position_of(400 * k + 7) for k in range(3)]

    def seen(place, **options):
        image = render(scatter, *scatter.size_in_pixels(), legend=False, **options)
        return image.pixelColor(*map(int, place)).getRgb()

    for place, color in zip(places, (RED, BLUE, GREEN), strict=True):
        shade = np.array(seen(place)[:3]) / np.max(seen(place)[:3])
        np.testing.assert_allclose(shade, np.divide(color, max(color)), atol=0.05)
    assert seen((3, 3), background="transparent")[3] == 0
    selected = np.arange(1200) < 400
    scatter.set_selection(selected)
    assert sum(seen(places[0])[:3]) > 2 * sum(seen(places[1])[:3])
    scatter.set_shown(np.array([True, False, True]))
    assert seen(places[1])[:3] == (0, 0, 0)
    scatter.restyle(density=False)  # what was not drawn meanwhile is brought up to date
    assert seen(places[1])[:3] == (0, 0, 0)
    assert seen(places[0])[:3] == RED
