from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from napari_phasemap.core.latent.camera import Camera
from napari_phasemap.core.latent.projection import project
from napari_phasemap.core.latent.viewing import facing, framing, separating_direction


def cloud(n=3000, seed=0, spread=(1.0, 0.4, 0.1)):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(3, n)) * np.array(spread)[:, None]).astype(np.float32)


@pytest.mark.parametrize(
    "direction",
    [(1, 0, 0), (0, 1, 0), (0, 0, -1), (0.3, -0.5, -0.8), (-0.2, 0.1, 0.7)],
    ids=str,
)
def test_a_camera_faces_the_direction_it_is_given(direction):
    forward = facing(Camera(), np.array(direction, dtype=float)).axes()[2]
    assert_allclose(forward, np.array(direction) / np.linalg.norm(direction), atol=1e-9)


def test_without_classes_one_looks_along_the_thinnest_side():
    direction = separating_direction(cloud())
    assert abs(direction[2]) > 0.99
    assert direction[2] < 0


def test_classes_decide_against_the_spread_of_the_points():
    """Two flat classes lie above one another: seen from above they would hide."""
    points = cloud(spread=(1.0, 0.8, 0.05))
    codes = np.arange(points.shape[1]) % 2
    points[2] += codes
    direction = separating_direction(points, codes)
    assert abs(direction[2]) < 0.2
    assert abs(separating_direction(points)[2]) > 0.99


def test_points_that_are_not_finite_or_all_the_same_give_a_direction():
    points = cloud(50)
    points[1, 3] = np.nan
    assert np.isfinite(separating_direction(points)).all()
    assert_allclose(separating_direction(np.ones((3, 9), np.float32)), [0, 1, 0])
    assert_allclose(separating_direction(np.full((3, 9), np.nan)), [0, 1, 0])


@pytest.mark.parametrize("size", [(900, 300), (300, 900), (500, 480)], ids=str)
@pytest.mark.parametrize("fov", [0.0, 35.0])
def test_the_cloud_fills_the_canvas_and_stays_in_it(size, fov):
    points = cloud() + np.array([[5.0], [-3.0], [2.0]], dtype=np.float32)
    camera = framing(Camera(azimuth=20, elevation=40, fov=fov), points, *size)
    screen = project(points, camera.screen_matrix(*size))
    inside = [np.ptp(np.percentile(at, (0.25, 99.75))) for at in (screen.x, screen.y)]
    share = np.array(inside) / size
    assert 0.70 < share.max() < 0.85
    middle = [np.percentile(at, (0.25, 99.75)).mean() for at in (screen.x, screen.y)]
    assert_allclose(middle, np.array(size) / 2, atol=(0.2 if fov else 0.04) * min(size))


def test_a_flat_view_is_framed_by_two_axes():
    points = cloud(spread=(0.1, 0.1, 9.0))
    camera = framing(Camera(flat=True), points, 400, 400)
    assert camera.height < 2


def test_no_point_leaves_the_camera_as_it_is():
    camera = Camera()
    assert framing(camera, np.zeros((3, 0), np.float32), 300, 300) == camera
