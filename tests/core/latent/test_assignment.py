from __future__ import annotations

import logging

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import multivariate_normal

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.latent.assignment import (
    assign_centroid,
    assign_euclidean,
    assign_knn,
    assign_mahalanobis,
)

NAMES = ["a", "b", "c"]
CENTERS = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
ALL = [assign_mahalanobis, assign_centroid, assign_knn, assign_euclidean]


def call(function, latent, phases, **options):
    extra = (CENTERS,) if function is assign_euclidean else ()
    return function(latent, phases, *extra, **options)


@pytest.fixture
def clusters():
    """Three round clusters of 100, the last 20 of each ambiguous and mostly wrong."""
    rng = np.random.default_rng(0)
    latent = np.repeat(CENTERS, 100, axis=0) + rng.normal(0, 1, (300, 2))
    truth = np.repeat([1, 2, 3], 100)
    r = np.full((300, 3), 0.1)
    r[np.arange(300), truth - 1] = 0.9
    unsure = np.arange(300) % 100 >= 80
    r[unsure, truth[unsure] - 1] = 0.899
    r[unsure, truth[unsure] % 3] = 0.9
    return latent, PhaseMap.from_scores(r, NAMES), truth, unsure


@pytest.mark.parametrize("function", ALL)
def test_ambiguous_pixels_get_the_phase_of_their_cluster(clusters, function):
    latent, phases, truth, unsure = clusters
    assert (phases.labels[unsure] != truth[unsure]).all()
    resolved = call(function, latent, phases)
    assert (resolved.labels == truth).mean() > 0.99
    assert resolved.labels.dtype == phases.labels.dtype
    assert resolved.names == tuple(NAMES)
    assert resolved.colors == phases.colors
    assert resolved.parameters["before"] == "pearson"


@pytest.mark.parametrize("function", ALL)
def test_best_and_margin_follow_from_the_scores_of_all_pixels(clusters, function):
    latent, phases, *_ = clusters
    resolved = call(function, latent, phases)
    rows = np.arange(300)
    own = resolved.scores[rows, resolved.labels - 1]
    others = resolved.scores.copy()
    others[rows, resolved.labels - 1] = -np.inf
    np.testing.assert_array_equal(resolved.best, own)
    np.testing.assert_allclose(resolved.margin, own - others.max(1), rtol=1e-5)
    np.testing.assert_array_equal(resolved.runner_up, others.argmax(1) + 1)


def test_mahalanobis_scores_are_gaussian_log_densities(clusters):
    latent, phases, _, unsure = clusters
    resolved = assign_mahalanobis(latent, phases)
    for phase in range(3):
        own = latent[(phases.labels == phase + 1) & ~unsure]
        known = multivariate_normal(own.mean(0), np.cov(own.T, bias=True))
        np.testing.assert_allclose(
            resolved.scores[:, phase], known.logpdf(latent), rtol=1e-4
        )


def test_the_score_holds_the_mahalanobis_distance(clusters):
    latent, phases, _, unsure = clusters
    resolved = assign_mahalanobis(latent, phases)
    own = latent[(phases.labels == 2) & ~unsure]
    covariance = np.cov(own.T, bias=True)
    distance = mahalanobis(latent[7], own.mean(0), np.linalg.inv(covariance))
    constant = np.log(np.linalg.det(covariance)) + 2 * np.log(2 * np.pi)
    assert resolved.scores[7, 1] == pytest.approx(
        -0.5 * (distance**2 + constant), rel=1e-4
    )


def test_knn_scores_are_smoothed_shares_of_neighbors(clusters):
    latent, phases, _, unsure = clusters
    resolved = assign_knn(latent, phases, n_neighbors=5)
    distance = np.linalg.norm(latent - latent[290], axis=1)
    distance[unsure] = np.inf
    nearest = phases.labels[np.argsort(distance)[:5]]
    counts = np.bincount(nearest, minlength=4)[1:]
    np.testing.assert_allclose(resolved.scores[290], np.log((counts + 1 / 3) / 6), 1e-5)
    np.testing.assert_allclose(np.exp(resolved.scores).sum(1), 1.0, rtol=1e-5)


def test_knn_of_a_random_part_is_repeatable(clusters):
    latent, phases, truth, _ = clusters
    a = assign_knn(latent, phases, n_neighbors=5, max_pixels=60, seed=1)
    b = assign_knn(latent, phases, n_neighbors=5, max_pixels=60, seed=1)
    c = assign_knn(latent, phases, n_neighbors=5, max_pixels=60, seed=2)
    np.testing.assert_array_equal(a.scores, b.scores)
    assert not np.array_equal(a.scores, c.scores)
    assert (a.labels == truth).mean() > 0.97


def test_euclidean_is_the_nearest_reference(clusters):
    latent, phases, _, unsure = clusters
    resolved = assign_euclidean(latent, phases, CENTERS)
    distance = np.linalg.norm(latent[:, None] - CENTERS, axis=2)
    np.testing.assert_array_equal(
        resolved.labels[unsure], distance[unsure].argmin(1) + 1
    )


@pytest.mark.parametrize("function", ALL)
def test_only_ambiguous_pixels_change_unless_all_are_asked(clusters, function):
    latent, phases, _, unsure = clusters
    moved = latent.copy()
    moved[3] = CENTERS[1]
    kept = call(function, moved, phases)
    assert kept.labels[3] == 1
    assert kept.margin[3] < 0
    assert kept.runner_up[3] == 2
    np.testing.assert_array_equal(kept.labels[~unsure], phases.labels[~unsure])
    everything = call(function, moved, phases, scope="all")
    assert everything.labels[3] == 2
    assert everything.margin[3] > 0
    np.testing.assert_array_equal(everything.scores, kept.scores)


@pytest.mark.parametrize("function", ALL)
def test_pairs_limit_the_choice_to_best_and_second_best(clusters, function):
    latent, phases, _, unsure = clusters
    pixel = np.flatnonzero(unsure)[0]
    moved = latent.copy()
    moved[pixel] = CENTERS[2]
    free = call(function, moved, phases)
    paired = call(function, moved, phases, candidates="pair")
    assert free.labels[pixel] == 3
    assert paired.labels[pixel] in {phases.labels[pixel], phases.runner_up[pixel]}
    assert paired.runner_up[pixel] in {phases.labels[pixel], phases.runner_up[pixel]}


@pytest.mark.parametrize("function", ALL)
def test_pixels_that_are_not_asked_are_compared_with_all_phases(clusters, function):
    latent, phases, _, unsure = clusters
    moved = latent.copy()
    moved[3] = 0.4 * CENTERS[0] + 0.6 * CENTERS[2]
    assert (phases.labels[3], phases.runner_up[3]) == (1, 2)
    free = call(function, moved, phases)
    paired = call(function, moved, phases, candidates="pair")
    assert paired.runner_up[3] == 3
    for name in ("labels", "runner_up", "best", "margin"):
        np.testing.assert_array_equal(
            getattr(paired, name)[~unsure], getattr(free, name)[~unsure]
        )


@pytest.mark.parametrize("function", ALL)
def test_pixels_without_coordinates_keep_their_label_or_have_none(clusters, function):
    latent, phases, _, unsure = clusters
    holes = latent.copy()
    pixel = np.flatnonzero(unsure)[0]
    holes[[0, pixel], 1] = np.nan
    kept = call(function, holes, phases)
    np.testing.assert_array_equal(kept.labels[[0, pixel]], phases.labels[[0, pixel]])
    assert np.isnan(kept.margin[[0, pixel]]).all()
    assert np.isfinite(kept.scores[1]).all()
    everything = call(function, holes, phases, scope="all")
    assert (everything.labels[[0, pixel]] == 0).all()


def test_pixels_without_a_phase_stay_without_unless_all_are_asked(clusters):
    latent, phases, *_ = clusters
    r = phases.scores.copy()
    r[5] = np.nan
    some = PhaseMap.from_scores(r, NAMES)
    kept = assign_mahalanobis(latent, some)
    assert (kept.labels[5], kept.runner_up[5]) == (0, 0)
    assert np.isnan([kept.best[5], kept.margin[5]]).all()
    assert assign_mahalanobis(latent, some, scope="all").labels[5] == 1


@pytest.mark.parametrize("function", [assign_mahalanobis, assign_centroid])
def test_a_phase_without_sure_pixels_is_left_out_with_a_message(
    clusters, function, caplog
):
    latent, phases, *_ = clusters
    four = PhaseMap.from_scores(np.pad(phases.scores, ((0, 0), (0, 1))), [*NAMES, "d"])
    with caplog.at_level(logging.WARNING):
        resolved = function(latent, four)
    assert resolved.parameters["left_out"] == ["d"]
    assert not resolved.parameters.get("regularized")
    assert "d left out" in caplog.text
    assert np.isnan(resolved.scores[:, 3]).all()
    assert not (resolved.labels == 4).any()


@pytest.mark.parametrize("n_sure", [1, 2, 3])
def test_a_small_phase_gets_the_shared_covariance(clusters, n_sure, caplog):
    latent, phases, *_ = clusters
    r = phases.scores.copy()
    r[200 + n_sure : 300] = [0.9, 0.1, 0.899]
    few = PhaseMap.from_scores(r, NAMES)
    with caplog.at_level(logging.WARNING):
        resolved = assign_mahalanobis(latent, few)
    assert resolved.parameters["regularized"] == ["c"]
    assert "c given the shared covariance" in caplog.text
    assert (resolved.labels[200:] == 3).mean() > 0.95


@pytest.mark.parametrize("function", ALL)
def test_a_latent_axis_without_any_spread_is_no_singular_matrix(clusters, function):
    latent, phases, truth, _ = clusters
    flat = np.column_stack([latent, np.full(300, 2.0)])
    extra = (np.column_stack([CENTERS, np.full(3, 2.0)]),)
    extra = extra if function is assign_euclidean else ()
    resolved = function(flat, phases, *extra)
    assert (resolved.labels == truth).mean() > 0.97


@pytest.mark.parametrize("function", ALL)
def test_identical_points_are_no_singular_matrix(function):
    phases = PhaseMap.from_scores([[1, 0, 0], [0, 1, 0], [0, 0, 1]] * 40, NAMES)
    resolved = call(function, np.tile(CENTERS, (40, 1)), phases, scope="all")
    np.testing.assert_array_equal(resolved.labels, phases.labels)


def test_one_ambiguous_pixel_and_one_sure_one_are_enough():
    phases = PhaseMap.from_scores([[0.9, 0.1], [0.9, 0.8999]], ["a", "b"])
    resolved = assign_centroid(np.array([[0.0], [1.0]]), phases)
    assert resolved.labels.tolist() == [1, 1]


def test_without_a_sure_pixel_it_is_said_what_to_do():
    phases = PhaseMap.from_scores([[0.9, 0.8999]], ["a", "b"])
    with pytest.raises(
        ValueError, match=r"no pixel is unambiguous.*lower the threshold"
    ):
        assign_mahalanobis(np.zeros((1, 2)), phases)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"scope": "some"}, "scope='some' is not one of"),
        ({"candidates": "three"}, "candidates='three' is not one of"),
    ],
)
def test_unknown_options_are_refused(clusters, options, text):
    latent, phases, *_ = clusters
    with pytest.raises(ValueError, match=text):
        assign_mahalanobis(latent, phases, **options)


def test_shapes_that_do_not_fit_are_refused_with_both(clusters):
    latent, phases, *_ = clusters
    with pytest.raises(ValueError, match=r"\(299, 2\).*300 pixels"):
        assign_knn(latent[1:], phases)
    with pytest.raises(ValueError, match=r"\(2, 2\) of the references"):
        assign_euclidean(latent, phases, CENTERS[:2])
    with pytest.raises(ValueError, match="n_neighbors=0"):
        assign_knn(latent, phases, n_neighbors=0)


@pytest.mark.parametrize("function", ALL)
def test_chunks_do_not_show_and_cancel_passes(clusters, function, monkeypatch):
    latent, phases, *_ = clusters
    whole = call(function, latent, phases)
    monkeypatch.setattr("napari_phasemap.core.latent.ranking.CHUNK_PIXELS", 37)
    told = []
    parts = call(function, latent, phases, on_progress=lambda *a: told.append(a[:2]))
    np.testing.assert_allclose(parts.scores, whole.scores, rtol=1e-5)
    np.testing.assert_array_equal(parts.labels, whole.labels)
    assert told[-1] == (300, 300)

    def stop(*report):
        raise Cancelled

    with pytest.raises(Cancelled):
        call(function, latent, phases, on_progress=stop)


def test_inputs_are_not_written_to(clusters):
    latent, phases, *_ = clusters
    latent.flags.writeable = False
    before = phases.scores.copy()
    for function in ALL:
        call(function, latent, phases)
    np.testing.assert_array_equal(phases.scores, before)
