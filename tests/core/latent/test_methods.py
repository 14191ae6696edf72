"""The table of assignments: what it says, and what a further row leads to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.parameters import parameters_of
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.latent.assignment import assign_knn, assign_mahalanobis
from napari_phasemap.core.latent.comparison import compare_methods
from napari_phasemap.core.latent.methods import (
    ASSIGNMENTS,
    Assignment,
    Evidence,
    all_assignments,
    assign,
)
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.simulate import synthetic


@pytest.fixture(scope="module")
def particle():
    return synthetic.particle((24, 30), seed=2, n_domains=6)


@pytest.fixture(scope="module")
def evidence(particle):
    stacks = StackSet([particle.optical_density])
    phases = pearson_map(stacks, particle.references)
    latent = np.random.default_rng(0).normal(size=(phases.n_pixels, 2))
    return Evidence(phases, latent, stacks=stacks, references=particle.references)


def assign_last(stacks, references, /, *, threshold=0.005):
    """Give every pixel the last phase, without any latent space.

    Parameters
    ----------
    stacks, references : object
        Of the pixels.
    threshold : float
        Not looked at.
    """
    n_phases = len(references)
    scores = np.zeros((stacks.n_pixels, n_phases), np.float32)
    scores[:, -1] = 1.0
    return PhaseMap.from_scores(scores, references.names, method="last")


@pytest.fixture
def fifth(monkeypatch):
    row = Assignment(assign_last, "always the last", ("stacks", "references"))
    monkeypatch.setitem(ASSIGNMENTS, "last", row)
    return row


def test_a_method_of_the_table_is_its_function(evidence):
    by_table = assign("knn", evidence, threshold=0.01, scope="all", candidates="pair")
    directly = assign_knn(
        evidence.latent, evidence.phases, threshold=0.01, scope="all", candidates="pair"
    )
    np.testing.assert_array_equal(by_table.labels, directly.labels)
    np.testing.assert_array_equal(by_table.scores, directly.scores)


def test_what_a_method_lacks_is_said_with_what_to_do(evidence):
    bare = replace(evidence, latent=None)
    with pytest.raises(InputError, match="nearest neighbors needs a latent space; tr"):
        assign("knn", bare)
    with pytest.raises(InputError, match=r"Euclidean.*load the references"):
        assign("euclidean", evidence)
    with pytest.raises(InputError, match=r"'nearest' is not one of \('mahalanobis'"):
        assign("nearest", evidence)
    assert all_assignments(bare) == {}
    assert list(all_assignments(evidence)) == ["mahalanobis", "knn", "centroid"]


def test_the_four_share_one_description_of_their_parameters():
    first = {one.name: one for one in parameters_of(assign_mahalanobis)}
    for row in ASSIGNMENTS.values():
        shared = [one for one in parameters_of(row.function) if one.name in first]
        assert {"threshold", "scope", "candidates"} <= {one.name for one in shared}
        assert shared == [first[one.name] for one in shared]
        assert all(one.text and "As for" not in one.text for one in shared)


def test_a_fifth_method_is_compared_once_and_not_per_latent_space(
    fifth, particle, evidence
):
    names = list(compare_methods(particle.optical_density, particle.references).maps)
    assert names[4:6] == ["last", "PCA-3, mahalanobis"]
    assert [name for name in names if "last" in name] == ["last"]
    assert all_assignments(replace(evidence, latent=None)).keys() == {"last"}
    assert fifth.summary == "Give every pixel the last phase, without any latent space."
