from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.latent.camera import Camera
from napari_phasemap.core.latent.projection import Screen, pick, project, visible

SIZES = [(640, 480), (300, 700), (1, 1)]


def one(*position):
    return np.array(position, np.float32).reshape(3, 1)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("fov", [0.0, 40.0], ids=["parallel", "perspective"])
def test_the_center_is_in_the_middle_of_the_screen(width, height, fov):
    camera = Camera(azimuth=77, elevation=-12, center=(1, 2, 3), fov=fov)
    screen = project(one(1, 2, 3), camera.screen_matrix(width, height))
    assert screen.x[0] == pytest.approx(width / 2, abs=1e-3)
    assert screen.y[0] == pytest.approx(height / 2, abs=1e-3)


@pytest.mark.parametrize("fov", [0.0, 40.0], ids=["parallel", "perspective"])
def test_from_the_front_right_is_right_and_up_is_up(fov):
    matrix = Camera(0, 0, height=2.0, fov=fov).screen_matrix(200, 100)
    points = np.array([[0.5, 0, 0], [0, 0, 0.5], [0, 0.5, 0]], np.float32).T
    screen = project(points, matrix)
    # Half a unit is a quarter of the shorter side, which spans two units.
    assert screen.x.tolist() == pytest.approx([125, 100, 100], abs=0.01)
    assert screen.y.tolist() == pytest.approx([50, 25, 50], abs=0.01)
    assert screen.depth[2] > screen.depth[0]


def test_perspective_agrees_with_a_pinhole_computed_by_hand():
    # fov 90: the eye is 1 in front of a plane that spans 2; at depth 2 half as big.
    camera = Camera(0, 0, height=2.0, fov=90.0, reach=5.0)
    screen = project(one(0.5, 1.0, 0), camera.screen_matrix(100, 100))
    assert screen.x[0] == pytest.approx(50 + 50 * 0.5 / 2.0, abs=1e-3)


def test_points_behind_the_camera_have_no_place_on_the_screen():
    camera = Camera(0, 0, height=2.0, fov=90.0, reach=5.0)
    screen = project(one(0.0, -2.0, 0), camera.screen_matrix(100, 100))
    assert np.isnan(screen.x[0])


def test_nan_stays_nan_and_other_points_are_untouched():
    points = np.zeros((3, 20_000), np.float32)
    points[1, 17_000] = np.nan
    screen = project(points, Camera().screen_matrix(100, 100))
    assert np.flatnonzero(np.isnan(screen.x)).tolist() == [17_000]


def test_blocks_give_what_one_matrix_product_gives():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3, 40_000)).astype(np.float32)
    matrix = Camera(33, 21, fov=30.0, height=3, reach=8).screen_matrix(512, 384)
    full = matrix @ np.vstack([points, np.ones(points.shape[1])])
    full[:, full[3] <= 0] = np.nan
    screen = project(points, matrix)
    np.testing.assert_allclose(screen.x, full[0] / full[3], atol=2e-2, rtol=1e-4)
    np.testing.assert_allclose(screen.depth, full[2] / full[3], atol=1e-4)


def test_axes_stay_orthonormal_and_right_handed():
    axes = Camera(-140.0, 63.0).axes()
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(axes[0], axes[2]), axes[1], atol=1e-12)


def test_moving_the_scene_moves_its_center_by_as_many_pixels():
    camera = Camera(40.0, 30.0, height=3.0)
    moved = camera.moved(30.0, -12.0, 400, 300)
    screen = project(one(0, 0, 0), moved.screen_matrix(400, 300))
    assert (screen.x[0], screen.y[0]) == pytest.approx((230.0, 138.0), abs=1e-2)


def test_turning_stops_at_the_poles_and_goes_round():
    assert Camera(elevation=80.0).turned(0, 100).elevation == 90.0
    assert Camera(azimuth=-170.0).turned(40, 0).azimuth == pytest.approx(170.0)


def test_a_flat_camera_ignores_the_third_coordinate():
    matrix = Camera(azimuth=50, elevation=10, flat=True).screen_matrix(100, 100)
    near, far = project(one(0.3, 0.2, -5), matrix), project(one(0.3, 0.2, 9), matrix)
    assert (near.x, near.y, near.depth) == (far.x, far.y, far.depth)
    assert near.x > 50
    assert near.y < 50


def test_zoom_halves_what_is_seen_and_stays_in_range():
    assert Camera(height=2.0).zoomed(0.5).height == 1.0
    assert Camera(height=2.0).zoomed(1e-30).height > 0


def screen_of(rows):
    x, y, depth = np.array(rows, np.float32).T
    return Screen(x, y, depth)


def test_the_front_most_point_under_the_cursor_is_picked():
    screen = screen_of([(10, 10, 0.5), (11, 10, -0.2), (40, 40, -0.9)])
    assert pick(screen, 10, 10, size=5) == 1
    assert pick(screen, 40, 41, size=5) == 2
    beside = screen_of([(10, 10, 0.5), (14, 10, -0.5)])  # 4 away, radius 3
    assert pick(beside, 10, 10, size=6) == 0


def test_the_nearest_point_is_picked_when_none_is_under_the_cursor():
    screen = screen_of([(10, 10, 0.5), (16, 10, -0.2)])
    assert pick(screen, 12, 10, size=2, slack=4) == 0
    assert pick(screen, 80, 80, size=2, slack=4) is None


def test_the_nearest_point_is_picked_in_both_directions_up_to_the_reach():
    screen = screen_of([(10, 10, 0.5), (13, 10, 0.5), (10, 40, 0.5)])
    assert pick(screen, 10, 13.5, size=2, slack=4) == 0
    assert pick(screen, 12, 12.5, size=2, slack=4) == 1
    assert pick(screen, 10, 36, size=2, slack=4) == 2
    assert pick(screen, 10, 35, size=2, slack=4) == 2
    assert pick(screen, 14, 37, size=2, slack=4) == 2
    assert pick(screen, 14, 36, size=2, slack=4) is None


def test_hidden_and_clipped_and_nan_points_are_not_picked():
    screen = screen_of([(10, 10, 0.5), (10, 10, -0.2), (10, 10, 2.0), (np.nan,) * 3])
    shown = np.array([True, False, True, True])
    assert pick(screen, 10, 10, shown=shown) == 0
    assert pick(screen_of([(np.nan,) * 3]), 0, 0) is None


def test_visible_points_are_those_that_nothing_covers():
    screen = screen_of(
        [(10.5, 10.5, 0.5), (11.5, 10.5, 0.1), (30.5, 5.5, 0.9), (99.0, 5.0, 0.0)]
    )
    seen = visible(screen, 50, 20, size=3)
    assert seen.tolist() == [False, True, True, False]
    shown = np.array([True, False, True, True])
    assert visible(screen, 50, 20, size=3, shown=shown).tolist() == [1, 0, 1, 0]


def test_visible_equals_a_painted_depth_buffer():
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 60, (2, 300)).astype(np.float32)
    depth = rng.uniform(-1, 1, 300).astype(np.float32)
    painted = np.full((60, 60), np.inf)
    for col, row, z in zip(x.astype(int), y.astype(int), depth, strict=True):
        block = painted[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]
        np.minimum(block, z, out=block)
    expected = depth <= painted[y.astype(int), x.astype(int)]
    seen = visible(Screen(x, y, depth), 60, 60, size=3)
    assert 0 < expected.sum() < 300
    np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize("fov", [0.0, 50.0], ids=["parallel", "perspective"])
def test_a_pixel_spans_what_a_small_step_to_the_right_says(fov):
    camera = Camera(20, 30, center=(0.1, 0.2, 0.3), height=2.0, fov=fov, reach=5)
    point = np.array([0.4, -0.3, 0.2])
    step = 1e-2 * camera.axes()[0]
    points = np.stack([point, point + step], axis=1).astype(np.float32)
    screen = project(points, camera.screen_matrix(300, 200))
    spans = camera.scale_at(point, 300, 200)
    assert spans == pytest.approx(1e-2 / np.diff(screen.x)[0], rel=1e-3)


def test_the_place_under_a_pixel_projects_back_onto_it():
    camera = Camera(20, 30, center=(0.1, 0.2, 0.3), height=2.0, fov=35.0, reach=5)
    place = camera.under(70, 160, 300, 200).astype(np.float32)[:, None]
    screen = project(place, camera.screen_matrix(300, 200))
    assert (screen.x[0], screen.y[0]) == pytest.approx((70, 160), abs=1e-2)
