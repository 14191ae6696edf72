"""Classes are found, ordered, reproducible, and as many as halves agree on."""

from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.learn.clustering import (
    class_stability,
    kmeans,
    suggest_n_clusters,
)
from napari_phasemap.core.learn.embedding import umap_embedding


def blobs(sizes=(60, 30, 10), distance=20.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centers = distance * np.eye(len(sizes))
    return (centers[truth] + rng.normal(size=(len(truth), len(sizes)))), truth


def test_classes_are_ordered_by_size_and_the_margin_is_a_distance():
    values, truth = blobs()
    classes = kmeans(values, n_clusters=3)
    np.testing.assert_array_equal(classes.labels, truth + 1)
    assert classes.names == ("class 1", "class 2", "class 3")
    centers = classes.parameters["centers"]
    distance = np.linalg.norm(values[:, None] - centers, axis=2)
    ordered = np.sort(distance, axis=1)
    np.testing.assert_allclose(classes.margin, ordered[:, 1] - ordered[:, 0], atol=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_best_of_several_starts_is_kept(seed):
    values = np.random.default_rng(9).random((200, 2))

    def spread(n_starts):
        labels = kmeans(values, n_clusters=9, seed=seed, n_starts=n_starts).labels
        return sum(
            len(values[labels == k]) * values[labels == k].var(axis=0).sum()
            for k in range(1, 10)
        )

    assert spread(8) < spread(1)


def test_rows_with_nan_are_not_assigned():
    values, _ = blobs()
    values[4] = np.nan
    classes = kmeans(values, n_clusters=3)
    assert classes.labels[4] == 0
    assert np.isnan(classes.margin[4])


def test_the_seed_repeats_and_more_pixels_than_the_start_sample_work():
    values, truth = blobs((12000, 6000, 3000))
    first, second = (kmeans(values, n_clusters=3, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.labels, truth + 1)


def test_a_class_of_one_pixel_is_allowed():
    values = np.r_[np.zeros((20, 2)) + np.arange(20)[:, None] * 1e-3, [[50.0, 50.0]]]
    classes = kmeans(values, n_clusters=2)
    assert np.bincount(classes.labels).tolist() == [0, 20, 1]


@pytest.mark.parametrize("n_clusters", [0, 5])
def test_more_clusters_than_pixels_are_refused(n_clusters):
    with pytest.raises(ValueError, match="choose 1 to 4"):
        kmeans(np.arange(4.0), n_clusters=n_clusters)


def test_more_clusters_than_different_values_are_refused():
    with pytest.raises(ValueError, match="2 different values"):
        kmeans(np.repeat([1.0, 2.0], 10), n_clusters=3)


def test_the_suggestion_is_the_number_of_well_separated_blobs():
    values, _ = blobs((300, 300, 300, 300))
    found = suggest_n_clusters(values, candidates=range(2, 8))
    assert found.n_clusters == 4
    assert found.agreement[found.candidates.index(4)] == pytest.approx(1.0)


def test_noise_without_structure_is_not_cut_into_many():
    rng = np.random.default_rng(1)
    found = suggest_n_clusters(rng.normal(size=(800, 6)), candidates=(4, 6, 8, 10))
    assert found.n_clusters == 1


def test_a_real_class_is_stable_and_a_cut_one_is_not():
    values, _ = blobs((200, 200))
    stability = class_stability(values, kmeans(values, n_clusters=2))
    assert stability.min() > 0.99
    cut = class_stability(values, kmeans(values, n_clusters=5))
    assert cut.min() < 0.9


def test_a_small_embedding_keeps_blobs_apart_and_repeats():
    values, truth = blobs((40, 40), distance=50.0)
    values[0] = np.nan
    seen = []
    placed = umap_embedding(
        values,
        n_neighbors=8,
        sample=60,
        seed=3,
        on_progress=lambda step, total, text: seen.append(step / total),
    )
    assert placed.shape == (80, 2)
    assert np.isnan(placed[0]).all()
    assert np.isfinite(placed[1:]).all()
    again = umap_embedding(values, n_neighbors=8, sample=60, seed=3)
    np.testing.assert_array_equal(placed, again)
    centers = [np.nanmean(placed[truth == t], axis=0) for t in (0, 1)]
    spread = max(np.nanstd(placed[truth == t]) for t in (0, 1))
    assert np.linalg.norm(centers[0] - centers[1]) > 2 * spread
    assert seen[-1] == 1.0


@pytest.mark.parametrize("n_components", [1, 2, 3])
def test_one_value_per_pixel_is_shown_along_a_strip_wide_where_many_share_it(
    n_components,
):
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(0.0, 0.1, 900), rng.uniform(2.0, 9.0, 100)])
    values[7] = np.nan
    placed = umap_embedding(values[:, None], n_components=n_components)
    known = np.isfinite(values)
    np.testing.assert_array_equal(np.isfinite(placed).all(axis=1), known)
    along = placed[known, 0]
    assert np.corrcoef(along, values[known])[0, 1] == pytest.approx(1.0)
    assert np.ptp(along) == pytest.approx(10.0)
    across = np.linalg.norm(placed[known, 1:], axis=1)
    many = values[known] < 1.0
    if n_components == 1:
        assert not across.any()
    else:
        assert 1.5 < across[many].max() <= 3.0
        assert across[~many].max() < 0.6
    again = umap_embedding(values[:, None], n_components=n_components)
    np.testing.assert_array_equal(placed, again)


def test_equal_values_are_one_place():
    assert not umap_embedding(np.ones((9, 1))).any()


def test_one_value_of_two_pixels_is_enough_for_a_strip():
    placed = umap_embedding(np.array([[1.0], [np.nan], [3.0]]))
    assert placed[:, 0].tolist() == pytest.approx([0.0, np.nan, 10.0], nan_ok=True)
    with pytest.raises(ValueError, match="0 pixels have values"):
        umap_embedding(np.full((3, 1), np.nan))


def test_an_embedding_can_be_cancelled_during_the_layout():
    def stop(step, total, text):
        if step >= 12:
            raise Cancelled

    with pytest.raises(Cancelled):
        umap_embedding(blobs((40, 40))[0], n_neighbors=5, on_progress=stop)


def test_embedding_does_not_load_tensorflow():
    import subprocess
    import sys

    code = (
        "import sys, numpy as np\n"
        "from napari_phasemap.core.learn.embedding import _without_tensorflow\n"
        "with _without_tensorflow():\n"
        "    from umap.umap_ import UMAP\n"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)\n"
    )
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == "False False"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: umap_embedding(np.zeros((3, 2))), "at least 4"),
        (lambda: umap_embedding(np.zeros((9, 2)), n_components=4), "1, 2 or 3"),
        (lambda: umap_embedding(np.zeros((9, 2)), n_neighbors=1), "n_neighbors=1"),
        (lambda: umap_embedding(np.zeros((9, 2)), min_distance=2.0), "between 0 and"),
        (lambda: suggest_n_clusters(np.zeros((9, 2))), "no number"),
    ],
    ids=["pixels", "dimensions", "neighbors", "distance", "candidates"],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
