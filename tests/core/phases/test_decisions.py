from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.phases.abstention import probability, undecided
from napari_phasemap.core.phases.decisions import (
    decisions_of,
    gap_sentence,
    mean_chance,
    noise_sentence,
    strangers,
    without_unknown,
)
from napari_phasemap.pipeline.resolving import expectation

#: Probabilities of three phases in five pixels; the last fits nothing.
CHANCES = np.array(
    [
        [0.95, 0.03, 0.02],
        [0.65, 0.25, 0.10],
        [0.05, 0.90, 0.05],
        [0.30, 0.25, 0.45],
        [0.98, 0.01, 0.01],
    ]
)


@pytest.fixture
def posterior():
    found = PhaseMap.from_scores(np.log(CHANCES), ["a", "b", "c"], method="posterior")
    misfit = np.array([0.5, 0.9, 0.3, 0.2, 1e-9], np.float32)
    return without_unknown(PhaseMap(**{**vars(found), "misfit": misfit}))


def test_unknown_and_undecided_pixels_are_no_phase(posterior):
    assert posterior.labels.tolist() == [1, 1, 2, 3, 0]
    told = decisions_of(posterior)
    assert told.unknown.tolist() == [False] * 4 + [True]
    np.testing.assert_allclose(told.probability, [0.95, 0.65, 0.9, 0.45, np.nan], 1e-6)
    assert told.names == ("a", "b", "c", "undecided", "unknown")
    assert told.labels(0.7).tolist() == [1, 4, 2, 4, 5]
    assert told.labels(0.3).tolist() == [1, 1, 2, 3, 5]
    shown = told.as_map(0.7)
    np.testing.assert_allclose(shown.fractions(), [20, 20, 0, 40, 20])


def test_what_a_person_decided_is_neither_undecided_nor_unknown(posterior):
    edited = posterior.with_labels([1, 1, 2, 2, 3])
    told = decisions_of(edited)
    assert told.labels(0.99).tolist() == [4, 4, 4, 2, 3]
    assert probability(edited)[3:].tolist() == [1.0, 1.0]
    assert undecided(edited, level=0.99).tolist() == [True] * 3 + [False] * 2


def test_decisions_are_computed_once_and_go_with_the_map(posterior):
    assert decisions_of(posterior) is decisions_of(posterior)
    copy = posterior.with_colors(posterior.colors)
    assert decisions_of(copy) is not decisions_of(posterior)
    gone = weakref.ref(copy)
    del copy
    gc.collect()
    assert gone() is None


def test_words_name_particles_sources_and_strangers(posterior):
    names = ("P1", "P2", "P3")
    sources = ("flat region", "photon counts", "flat region")
    assert (
        noise_sentence(names, sources)
        == "Noise from: flat region (P1, P3); photon counts (P2)."
    )
    about = {"stacks": ["P1", "P2"], "misfit": [1.1, 7.25]}
    odd = PhaseMap(**{**vars(posterior), "parameters": about})
    (said,) = strangers(odd)
    assert said.startswith("Most spectra of P2 fit no reference")
    assert "7.2 times" in said
    assert strangers(posterior) == []


def test_what_a_gap_means_is_said_in_per_cent_or_not_at_all(posterior):
    pearson = PhaseMap.from_scores(np.tile([0.9, 0.895, 0.1], (60, 1)), ["a", "b", "c"])
    scores = np.log(np.tile([0.7, 0.2, 0.1], (60, 1)))
    many = PhaseMap.from_scores(scores, ["a", "b", "c"], method="posterior")
    assert "wrong phase in 30 % of the cases" in gap_sentence(pearson, many)
    assert "cannot be said" in gap_sentence(pearson, many, gap=0.1)


def test_what_resolving_may_bring_is_said_before(posterior):
    r = [
        [0.9, 0.899, 0.1],
        [0.899, 0.9, 0.1],
        [0.1, 0.9, 0.2],
        [0.9, 0.1, 0.1],
        [0, 1, 0],
    ]
    pearson = PhaseMap.from_scores(r, ["a", "b", "c"])
    everywhere = np.ones(5, bool)
    # By hand, the unknown pixel left out: (0.95 + 0.25 + 0.90 + 0.30) / 4.
    assert mean_chance(posterior, pearson.labels, everywhere) == pytest.approx(0.6)
    said = expectation(pearson, posterior, threshold=0.005)
    assert said.startswith("2 pixels (40.0 %) are ambiguous.")
    assert "right in 60 % of them, the most probable phase in 80 %" in said
    assert "no better than Pearson" in expectation(pearson, None, threshold=0.005)
    assert "nothing to resolve" in expectation(pearson, None, threshold=0.0)
