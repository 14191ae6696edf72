"""Places of particles on whole pixels, and one array over all of them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.layout import Layout, in_rows, lay_out
from napari_phasemap.core.data.pixel_grid import pixel_grids
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet


def stack(name: str, shape: tuple[int, int], **more: object) -> SpectralStack:
    return SpectralStack(np.ones((2, *shape)), [1.0, 2.0], name=name, **more)


def three() -> list[SpectralStack]:
    """Two particles of 30 nm, the second lowest row first, and one of 50 nm."""
    mask = np.ones((4, 6), dtype=bool)
    mask[0, 0] = False
    return [
        stack("a", (4, 6), pixel_size=(30.0, 30.0), mask=mask),
        stack("b", (3, 5), pixel_size=(30.0, 30.0), origin="lower"),
        stack("c", (2, 2), pixel_size=(50.0, 50.0)),
    ]


def test_no_two_particles_touch_and_all_lie_on_whole_pixels() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.uniform(10, 60, 23)
    shapes = rng.integers(1, 40, (23, 2))
    stacks = [
        stack(f"p{i}", tuple(shape), pixel_size=(size, 1.3 * size))
        for i, (shape, size) in enumerate(zip(shapes, sizes, strict=True))
    ]
    layout = lay_out(stacks, in_rows([s.name for s in stacks]))
    boxes = np.array([layout.box(s.name) for s in stacks])
    for i, (top, left, bottom, right) in enumerate(boxes):
        others = np.delete(boxes, i, axis=0)
        apart = (others[:, 0] > bottom) | (others[:, 2] < top)
        apart |= (others[:, 1] > right) | (others[:, 3] < left)
        assert apart.all()
    for place, shape in zip(layout.places.values(), shapes, strict=True):
        assert place.shape == tuple(shape)
        whole = np.array(place.translate) / place.step
        np.testing.assert_allclose(whole, np.round(whole), atol=1e-9)


def test_every_pixel_is_found_where_it_lies() -> None:
    stacks = three()
    layout = lay_out(stacks, [["a", "b"], ["c"]])
    for one in stacks:
        place = layout.places[one.name]
        for row in range(one.shape[0]):
            for col in range(one.shape[1]):
                y, x = place.world(row, col)
                for dy, dx in ((0, 0), (0.49, -0.49), (-0.49, 0.49)):
                    spot = (y + dy * place.step[0], x + dx * place.step[1])
                    assert layout.at(*spot) == (one.name, row, col)
    top, left, _, right = layout.box("a")
    assert layout.at(top - 1, left + 1) is None
    assert layout.at(top + 1, right + 1) is None
    assert Layout({}).at(0.0, 0.0) is None


def test_a_particle_whose_first_row_is_lowest_is_turned_over() -> None:
    place = lay_out(three(), [["b"]]).places["b"]
    assert place.world(0, 0)[0] == pytest.approx(60.0)  # below row 2
    assert place.world(2, 0)[0] == pytest.approx(0.0)
    assert place.scale == (-30.0, 30.0)


def test_a_grid_holds_every_pixel_once_and_gives_it_back() -> None:
    stacks = StackSet(three())
    layout = lay_out(list(stacks), [["a", "b", "c"]])
    small, large = pixel_grids(stacks, layout)
    assert (small.step, large.step) == ((30.0, 30.0), (50.0, 50.0))
    values = np.arange(1, stacks.n_pixels + 1)
    image = small.image(values, 0)
    assert sorted(image[image > 0]) == list(range(1, 23 + 15 + 1))
    # Pixel (0, 0) of b: row 2 of the grid, first column after a and the gap.
    place = layout.places["b"]
    assert image[2, place.corner[1]] == stacks.pixel_at(1, 0, 0) + 1
    assert image[0, 0] == 0  # outside the mask of a
    assert large.image(values, 0).tolist() == [[39, 40], [41, 42]]
    read = small.read(10 * image, values)
    np.testing.assert_array_equal(read, np.where(values < 39, 10 * values, values))
    again = image.copy()
    small.write(values + 100, again)
    assert again[2, place.corner[1]] == stacks.pixel_at(1, 0, 0) + 101
    assert again[0, 0] == 0


def test_values_with_channels_and_nan_are_laid_out() -> None:
    stacks = StackSet(three()[:2])
    (grid,) = pixel_grids(stacks, lay_out(list(stacks), [["a"], ["b"]]))
    rgba = np.random.default_rng(1).random((stacks.n_pixels, 4)).astype(np.float32)
    image = grid.image(rgba, 0.0)
    assert image.shape == (*grid.shape, 4)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image[0, 1], rgba[0])
    numbers = np.full(stacks.n_pixels, np.nan, dtype=np.float32)
    assert np.isnan(grid.image(numbers, np.nan)).all()


def test_a_particle_in_a_lower_row_lies_below_in_the_grid() -> None:
    stacks = StackSet(three()[:2])
    layout = lay_out(list(stacks), [["a"], ["b"]])
    (grid,) = pixel_grids(stacks, layout)
    image = grid.image(np.arange(1, stacks.n_pixels + 1), 0)
    row, column = layout.places["b"].corner
    # b has its first row below the others: 24 is its pixel (0, 0).
    assert image[row : row + 3, column : column + 5].tolist() == [
        [34, 35, 36, 37, 38],
        [29, 30, 31, 32, 33],
        [24, 25, 26, 27, 28],
    ]


def test_one_particle_alone_has_a_grid_of_its_own() -> None:
    stacks = StackSet(three())
    (grid,) = pixel_grids(stacks, lay_out(list(stacks), [["b"]]))
    assert grid.shape == (3, 5)
    np.testing.assert_array_equal(grid.pixels, np.arange(23, 38))


def test_pixel_sizes_that_nobody_could_tell_apart_share_a_grid() -> None:
    stacks = [
        stack("a", (40, 40), pixel_size=(30.0, 30.0)),
        stack("b", (40, 40), pixel_size=(30.07, 30.0)),  # 0.093 pixels over 40 rows
        stack("c", (40, 40), pixel_size=(30.08, 30.0)),  # 0.107
    ]
    layout = lay_out(stacks, [["a", "b", "c"]])
    steps = [place.step for place in layout.places.values()]
    assert steps == [(30.0, 30.0), (30.0, 30.0), (30.08, 30.0)]
    pixels = lay_out(stacks, [["a", "b", "c"]], in_nm=False)
    assert {place.step for place in pixels.places.values()} == {(1.0, 1.0)}


@pytest.mark.parametrize(
    ("n", "expected"), [(1, [1]), (4, [3, 1]), (30, [7, 7, 7, 7, 2])]
)
def test_rows_are_wider_than_high(n: int, expected: list[int]) -> None:
    rows = in_rows([str(i) for i in range(n)])
    assert [len(row) for row in rows] == expected
    assert [name for row in rows for name in row] == [str(i) for i in range(n)]


def test_values_of_a_table_begin_new_rows() -> None:
    groups = {"a": "80", "b": "9", "c": "80", "e": "old"}
    rows = in_rows("abcde", groups=groups)
    assert rows == [["b"], ["a", "c"], ["e"], ["d"]]
    assert in_rows("abc", groups={}, n_columns=2) == [["a", "b"], ["c"]]
