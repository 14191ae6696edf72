from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_phasemap.core.latent import density
from napari_phasemap.core.latent.camera import Camera
from napari_phasemap.core.latent.density import density_picture, load_kernels
from napari_phasemap.core.latent.projection import project

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEIGHT = 40, 30
COLORS = np.array([[[200, 0, 0], [0, 100, 0]], [[255, 0, 0], [0, 255, 0]]])
ONES = np.ones((2, 2))


@pytest.fixture(autouse=True)
def kernels() -> None:
    load_kernels()


def at(*places: tuple[float, float]) -> NDArray[np.float32]:
    """Points on the screen of a flat camera, one unit per pixel."""
    points = [(x + 0.5 - WIDTH / 2, HEIGHT / 2 - y - 0.5, 0.0) for x, y in places]
    return np.array(points, dtype=np.float32).T


def picture(points: Any, codes: Any, weights: Any = ONES, **more: Any) -> Any:
    matrix = Camera(height=HEIGHT, reach=100, flat=True).screen_matrix(WIDTH, HEIGHT)
    return density_picture(
        points, codes, COLORS, weights, matrix, WIDTH, HEIGHT, **more
    )


def test_colors_are_weighted_means_and_more_points_are_more_opaque() -> None:
    points = at((3, 4), (3, 4), (3, 4), (3, 4), (20, 10), (50, 4))
    found = picture(points, [0, 0, 0, 1, 1, 1])
    assert found[4, 3].tolist() == [150, 25, 0, 255]
    assert found[10, 20].tolist() == [0, 100, 0, round(255 * density.LEAST_OPACITY)]
    assert np.count_nonzero(found[..., 3]) == 2


def test_selected_points_take_their_colors_and_hidden_classes_go() -> None:
    points = at((3, 4), (3, 4), (20, 10))
    weights = np.array([[1.0, 0.0], [3.0, 3.0]])
    selected = np.array([False, True, False])
    found = picture(points, [0, 0, 1], weights, selected=selected)
    assert found[4, 3, :3].tolist() == [round((200 + 3 * 255) / 4), 0, 0]
    assert np.count_nonzero(found[..., 3]) == 1


def test_a_wide_point_is_a_square_around_its_place() -> None:
    found = picture(at((10, 10)), [0], size=3)
    rows, cols = np.nonzero(found[..., 3])
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (9, 11, 9, 11)
    assert len(rows) == 9
    assert np.count_nonzero(picture(at((10, 10)), [0], size=2)[..., 3]) == 4


def test_points_without_a_place_are_nowhere() -> None:
    points = at((3, 4), (5, 5))
    points[2, 0] = np.nan
    assert np.count_nonzero(picture(points, [0, 0])[..., 3]) == 1
    assert not picture(points[:, :0], []).any()


def test_the_compiled_loop_does_what_numpy_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.4, (3, 5000)).astype(np.float32)
    codes, selected = rng.integers(0, 2, 5000), rng.random(5000) < 0.2
    camera = Camera(azimuth=20, elevation=35, height=1.2, fov=35)
    matrix = camera.screen_matrix(WIDTH, HEIGHT)
    weights = np.array([[1.0, 0.5], [7.0, 9.0]])

    def drawn() -> NDArray[np.uint8]:
        return density_picture(
            points, codes, COLORS, weights, matrix, WIDTH, HEIGHT,
            selected=selected, step=2,
        )  # fmt: skip

    compiled = drawn()
    monkeypatch.setattr(density, "KERNELS", "no such module")
    assert not density.has_kernels()
    np.testing.assert_allclose(drawn().astype(int), compiled.astype(int), atol=2)
    screen = project(points[:, ::2], matrix)
    inside = (screen.x >= 0) & (screen.x < WIDTH) & (abs(screen.depth) <= 1)
    inside &= (screen.y >= 0) & (screen.y < HEIGHT)
    seen = {
        (int(y), int(x))
        for x, y in zip(screen.x[inside], screen.y[inside], strict=True)
    }
    assert {tuple(map(int, one)) for one in np.argwhere(compiled[..., 3])} == seen
