"""Kinds have gaps between them, steps of a continuum have none."""

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.learn.clustering import kmeans
from napari_phasemap.core.learn.kinds import kinds_of


def found(values, n_clusters, **options):
    values = np.asarray(values, dtype=np.float32)
    return kinds_of(values, kmeans(values, n_clusters=n_clusters), **options)


@pytest.mark.parametrize("n_clusters", [2, 4, 8])
def test_one_cloud_is_one_kind_however_it_is_cut(n_clusters):
    rng = np.random.default_rng(0)
    for cloud in (
        rng.normal(size=(3000, 1)),
        rng.normal(size=(3000, 3)),
        rng.uniform(size=(3000, 2)),
    ):
        assert found(cloud, n_clusters).n_kinds == 1


def test_a_smooth_mixture_of_two_ends_is_a_continuum():
    rng = np.random.default_rng(1)
    share = rng.uniform(size=(3000, 1))
    values = share * [4.0, 1.0] + rng.normal(0.0, 0.2, (3000, 2))
    kinds = found(values, 4)
    assert kinds.n_kinds == 1
    assert kinds.reason == "no gap between the classes: they are steps of a continuum"


def test_three_kinds_cut_into_six_classes_are_three():
    rng = np.random.default_rng(2)
    ends = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    truth = rng.integers(0, 3, 3000)
    values = (ends[truth] + rng.normal(size=(3000, 2))).astype(np.float32)
    classes = kmeans(values, n_clusters=6)
    kinds = kinds_of(values, classes)
    assert kinds.n_kinds == 3
    group = np.array(kinds.group)[classes.labels - 1]
    assert all(len(np.unique(group[truth == k])) == 1 for k in range(3))
    assert kinds.reason.startswith("3 kinds with gaps between them; steps of one kind")


def test_few_independent_pixels_show_no_gap():
    rng = np.random.default_rng(3)
    values = np.append(rng.normal(-3.0, 1.0, 60), rng.normal(3.0, 1.0, 60))[:, None]
    assert found(values, 2).n_kinds == 2
    assert found(values, 2, averaged=2.0).n_kinds == 1


def test_absent_pixels_and_single_classes_are_left_out():
    values = np.append(np.zeros((5, 1)), np.full((3, 1), np.nan), axis=0)
    values[0] = 1.0
    assert found(values, 1).reason == "one class"
    with pytest.raises(InputError, match="7 values for 8"):
        kinds_of(values[:7], kmeans(values.astype(np.float32), n_clusters=1))
