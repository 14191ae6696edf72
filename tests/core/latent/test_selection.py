from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_phasemap.core.latent.selection import (
    combine,
    grow_to_clusters,
    in_ball,
    in_polygon,
    in_rectangle,
    within_mahalanobis,
)


def even_odd_of_every_point(x, y, polygon):
    """The textbook test, point by point and edge by edge."""
    inside = np.zeros(len(x), dtype=bool)
    polygon = np.asarray(polygon, dtype=float)
    x, y = np.asarray(x, float), np.asarray(y, float)
    j = len(polygon) - 1
    for i in range(len(polygon)):
        (xi, yi), (xj, yj) = polygon[i], polygon[j]
        if yi != yj:
            crosses = (yi > y) != (yj > y)
            inside ^= crosses & (x < (xj - xi) * (y - yi) / (yj - yi) + xi)
        j = i
    return inside


def wobbly_lasso(n_vertices, seed, scale=200.0):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, n_vertices))
    radius = scale * rng.uniform(0.4, 1.0, n_vertices)
    return np.stack(
        [300 + radius * np.cos(angle), 250 + radius * np.sin(angle)], axis=1
    )


@pytest.mark.parametrize("n_vertices", [3, 4, 17, 60, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_lasso_equals_the_even_odd_test_of_every_point(n_vertices, dtype):
    rng = np.random.default_rng(n_vertices)
    x = rng.uniform(0, 600, 50_000).astype(dtype)
    y = rng.uniform(0, 500, 50_000).astype(dtype)
    polygon = wobbly_lasso(n_vertices, seed=n_vertices)
    expected = even_odd_of_every_point(x, y, polygon)
    assert 0 < expected.sum() < len(x)
    np.testing.assert_array_equal(in_polygon(x, y, polygon), expected)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=12)
)
def test_a_lasso_through_points_and_over_itself_is_still_exact(vertices):
    axis = np.arange(0, 13, 0.5)
    x, y = (values.ravel() for values in np.meshgrid(axis, axis))
    np.testing.assert_array_equal(
        in_polygon(x, y, vertices), even_odd_of_every_point(x, y, vertices)
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5], ids=["tiny", "one", "huge"])
def test_a_lasso_is_exact_at_any_scale(scale):
    rng = np.random.default_rng(0)
    polygon = wobbly_lasso(40, seed=1) * scale
    x, y = rng.uniform(0, 600 * scale, (2, 5000))
    np.testing.assert_array_equal(
        in_polygon(x, y, polygon), even_odd_of_every_point(x, y, polygon)
    )


def test_the_hole_of_a_lasso_that_crosses_itself_is_outside():
    star = [(np.sin(a), -np.cos(a)) for a in 4 * np.pi / 5 * np.arange(5)]
    assert not in_polygon(np.array([0.0]), np.array([0.0]), star)[0]
    assert in_polygon(np.array([0.0]), np.array([-0.7]), star)[0]


def test_a_lasso_never_selects_nan_and_takes_no_points():
    square = [(0, 0), (2, 0), (2, 2), (0, 2)]
    x = np.array([1.0, np.nan, 1.0])
    y = np.array([1.0, 1.0, np.nan])
    assert in_polygon(x, y, square).tolist() == [True, False, False]
    assert in_polygon(x[:0], y[:0], square).shape == (0,)


@pytest.mark.parametrize(
    "polygon",
    [[(0, 0), (1, 1)], [(0, 0), (1, 1), (np.nan, 0)], [0, 1, 2]],
    ids=["two vertices", "nan", "not pairs"],
)
def test_what_is_no_polygon_is_refused(polygon):
    with pytest.raises(ValueError, match="polygon"):
        in_polygon(np.zeros(1), np.zeros(1), polygon)


def test_a_polygon_without_area_selects_nothing():
    x = np.linspace(0, 1, 11)
    assert not in_polygon(x, np.full(11, 0.5), [(0, 0.5), (1, 0.5), (0.5, 0.5)]).any()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("replace", [0, 1, 1, 0]),
        ("add", [1, 1, 1, 0]),
        ("subtract", [1, 0, 0, 0]),
        ("intersect", [0, 1, 0, 0]),
    ],
)
def test_modes_join_two_selections_without_changing_them(mode, expected):
    old = np.array([1, 1, 0, 0], bool)
    new = np.array([0, 1, 1, 0], bool)
    joined = combine(old, new, mode)
    assert joined.astype(int).tolist() == expected
    assert old.tolist() == [True, True, False, False]
    joined[:] = True
    assert new.tolist() == [False, True, True, False]


def test_unknown_modes_and_lengths_are_refused():
    with pytest.raises(ValueError, match="mode="):
        combine(np.zeros(2, bool), np.zeros(2, bool), "xor")
    with pytest.raises(ValueError, match="one value per point"):
        combine(np.zeros(2, bool), np.zeros(3, bool), "add")


def test_a_rectangle_may_be_drawn_from_any_corner():
    x, y = np.array([1.0, 5.0, np.nan]), np.array([1.0, 1.0, 1.0])
    for first, second in [((0, 0), (2, 2)), ((2, 0), (0, 2)), ((2, 2), (0, 0))]:
        assert in_rectangle(x, y, first, second).tolist() == [True, False, False]


def test_a_ball_holds_what_is_no_further_than_its_radius():
    points = np.array([[0, 1, 2, np.nan], [0, 0, 0, 0], [0, 0, 0, 0]], np.float32)
    assert in_ball(points, (0, 0, 0), 1.0).tolist() == [True, True, False, False]
    with pytest.raises(ValueError, match="negative"):
        in_ball(points, (0, 0, 0), -1.0)


def test_mahalanobis_is_the_distance_over_sigma_along_each_axis():
    rng = np.random.default_rng(0)
    group = rng.normal(size=(4000, 3)) * (1.0, 2.0, 0.5)
    group = (group - group.mean(0)) / group.std(0, ddof=1) * (1.0, 2.0, 0.5)
    # Decorrelate exactly, so that the ellipsoid has the axes of the coordinates.
    u, _, _ = np.linalg.svd(group, full_matrices=False)
    group = u * np.sqrt(len(group) - 1) * (1.0, 2.0, 0.5)
    group -= group.mean(0)
    probes = np.array([[0, 3.9, 0], [0, 4.2, 0], [0, 0, 1.1], [1.9, 0, 0]])
    latent = np.concatenate([group, probes])
    members = np.arange(len(latent)) < len(group)
    found = within_mahalanobis(latent, members, distance=2.0)
    assert found[-4:].tolist() == [True, False, False, True]
    # Independent path: the share of a 3-D Gaussian within 2 sigma is 73.9 %.
    assert found[:-4].mean() == pytest.approx(0.739, abs=0.02)


def test_mahalanobis_is_unchanged_by_a_linear_map_of_the_latent_space():
    rng = np.random.default_rng(1)
    latent = rng.normal(size=(500, 2))
    members = np.arange(500) < 100
    mapped = latent @ np.array([[2.0, 0.3], [-1.0, 0.7]]) + (5.0, -3.0)
    np.testing.assert_array_equal(
        within_mahalanobis(latent, members), within_mahalanobis(mapped, members)
    )


def test_a_group_without_a_covariance_is_refused():
    latent = np.zeros((10, 3))
    with pytest.raises(ValueError, match="needs at least 4"):
        within_mahalanobis(latent, np.arange(10) < 3)
    with pytest.raises(ValueError, match="flat in latent space"):
        within_mahalanobis(latent, np.ones(10, bool))


def test_nan_rows_are_neither_counted_nor_selected_by_mahalanobis():
    rng = np.random.default_rng(2)
    latent = rng.normal(size=(50, 2))
    latent[3] = np.nan
    found = within_mahalanobis(latent, np.ones(50, bool), distance=10.0)
    assert found.sum() == 49
    assert not found[3]


def test_growing_fills_the_cluster_that_was_touched_and_no_other():
    rng = np.random.default_rng(3)
    first = rng.normal(0.0, 0.3, (3, 2000))
    second = rng.normal(0.0, 0.3, (3, 2000)) + 8.0
    points = np.concatenate([first, second], axis=1).astype(np.float32)
    selected = np.zeros(4000, bool)
    selected[np.abs(first).sum(axis=0).argmin()] = True
    grown = grow_to_clusters(points, selected, n_cells=24)
    assert not grown[2000:].any()
    assert grown[:2000].mean() > 0.98
    assert selected.sum() == 1


def test_growing_nothing_or_nan_or_equal_points_is_harmless():
    points = np.zeros((3, 4), np.float32)
    assert not grow_to_clusters(points, np.zeros(4, bool)).any()
    assert grow_to_clusters(points, np.eye(4, dtype=bool)[0]).all()
    points[0, 2] = np.nan
    grown = grow_to_clusters(points, np.eye(4, dtype=bool)[0])
    assert grown.tolist() == [True, True, False, True]
