from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_phasemap.core.data.palettes import phase_colors
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD, PhaseMap

SCORES = [
    [0.9, 0.8, 0.1],
    [0.2, 0.7, 0.697],
    [np.nan, np.nan, np.nan],
    [np.nan, 0.3, np.nan],
    [0.5, 0.5, 0.4],
]


@pytest.fixture
def phases():
    return PhaseMap.from_scores(SCORES, ["a", "b", "c"])


def test_ranking_is_the_papers(phases):
    assert phases.labels.tolist() == [1, 2, 0, 2, 1]
    assert phases.runner_up.tolist() == [2, 3, 0, 0, 2]
    assert_allclose(phases.margin, [0.1, 0.003, np.nan, np.inf, 0.0], atol=1e-6)
    assert_allclose(phases.best, [0.9, 0.7, np.nan, 0.3, 0.5])
    assert_allclose(phases.reliability[:2], [10.0, 0.3], atol=1e-4)
    assert phases.n_unassigned == 1


def test_the_threshold_is_on_the_margin_and_never_on_unassigned_pixels(phases):
    assert DEFAULT_THRESHOLD == 0.005
    assert phases.ambiguous().tolist() == [False, True, False, False, True]
    assert phases.ambiguous(0.2).tolist() == [True, True, False, False, True]
    assert not phases.ambiguous(0.0).any()
    assert phases.ambiguous_pairs().tolist() == [[1, 2, 3], [4, 1, 2]]


def test_fractions_are_per_cent_of_the_assigned_pixels(phases):
    assert_allclose(phases.fractions(), [50.0, 50.0, 0.0])
    assert_allclose(phases.fractions(slice(0, 1)), [100.0, 0.0, 0.0])
    where = np.array([False, True, True, True, False])
    assert_allclose(phases.fractions(where), [0.0, 100.0, 0.0])
    assert np.isnan(phases.fractions(slice(2, 3))).all()


def test_labels_changed_by_hand_are_certain(phases):
    labels = phases.labels.copy()
    labels[0], labels[1] = 3, 0
    edited = phases.with_labels(labels)
    assert edited.labels.tolist() == [3, 0, 0, 2, 1]
    assert edited.runner_up.tolist() == [0, 0, 0, 0, 2]
    assert_allclose(edited.best, [0.1, np.nan, np.nan, 0.3, 0.5])
    assert np.isposinf(edited.margin[0])
    assert np.isnan(edited.margin[1])
    assert phases.labels.tolist() == [1, 2, 0, 2, 1]


def test_arrays_cannot_be_written(phases):
    with pytest.raises(ValueError, match="read-only"):
        phases.labels[0] = 2


def test_colors_are_different_and_can_be_changed(phases):
    assert len(set(phase_colors(14))) == 14
    assert len(set(phase_colors(42))) == 42
    assert phase_colors(43)[42] == phase_colors(1)[0]
    assert phases.colors == phase_colors(3)
    changed = phases.with_colors(["#000000", "#111111", "#222222"])
    assert changed.colors[0] == "#000000"
    with pytest.raises(ValueError, match="1 colors for 3"):
        phases.with_colors(["#000000"])


@pytest.mark.parametrize(
    ("scores", "names", "message"),
    [
        ([[1, 2]], ["a"], r"\(1, 2\)"),
        ([1, 2], ["a", "b"], r"\(2,\)"),
    ],
)
def test_scores_that_do_not_fit_are_refused(scores, names, message):
    with pytest.raises(ValueError, match=message):
        PhaseMap.from_scores(scores, names)


def test_parts_of_unlike_length_are_refused(phases):
    with pytest.raises(ValueError, match="4 margin for 5 labels"):
        PhaseMap(phases.labels, phases.runner_up, phases.best, phases.margin[:4], "abc")
    with pytest.raises(ValueError, match="label 2 is above"):
        PhaseMap(phases.labels, phases.runner_up, phases.best, phases.margin, "a")


def test_no_pixel_is_a_map_too():
    empty = PhaseMap.from_scores(np.empty((0, 2)), "ab")
    assert empty.n_pixels == 0
    assert empty.ambiguous_pairs().shape == (0, 3)
    assert np.isnan(empty.fractions()).all()
    assert "0 pixels" in repr(empty)


def test_relabeled_phases_swap_their_fractions(phases):
    untied = np.array(SCORES[:4])
    swapped = PhaseMap.from_scores(untied[:, [1, 0, 2]], ["b", "a", "c"])
    assert_array_equal(swapped.fractions()[[1, 0, 2]], phases.fractions(slice(0, 4)))


def test_the_text_counts_the_pixels_of_every_phase(phases):
    lines = [" ".join(line.split()) for line in repr(phases).splitlines()]
    assert lines[0] == "PhaseMap by pearson, 5 pixels"
    assert lines[1:] == [
        "a 2 pixels 50.00 %",
        "b 2 pixels 50.00 %",
        "c 0 pixels 0.00 %",
        "(not assigned) 1 pixels",
    ]
