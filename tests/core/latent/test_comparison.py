from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.latent.assignment import assign_mahalanobis
from napari_phasemap.core.latent.comparison import (
    accuracy,
    compare_methods,
)
from napari_phasemap.core.latent.components import pca_latent
from napari_phasemap.core.latent.methods import Evidence, all_assignments
from napari_phasemap.core.phases.baselines import linear_combination_fit
from napari_phasemap.core.phases.calibration import calibration_error, risk_coverage
from napari_phasemap.core.phases.changes import change_table, disagreement
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.simulate import synthetic


@pytest.fixture(scope="module")
def particle():
    return synthetic.particle((40, 48), seed=2, n_domains=8)


@pytest.fixture(scope="module")
def comparison(particle):
    stacks = StackSet([particle.optical_density])
    space = pca_latent(stacks.spectra(), n_components=2)
    return compare_methods(
        stacks, particle.references, particle.true_labels, latents={"PCA-2": space}
    )


def maps(first, second):
    names = ["a", "b", "c"]
    before = PhaseMap.from_scores(np.eye(3)[np.array(first)], names)
    return before, before.with_labels(np.array(second))


def test_the_change_table_counts_every_pixel_once():
    before, after = maps([0, 0, 0, 1, 1, 2], [1, 2, 2, 2, 3, 0])
    table = change_table(before, after)
    assert table.n_changed == 4
    expected = np.zeros((4, 4), dtype=int)
    expected[1, 1], expected[1, 2], expected[2, 2] = 1, 2, 1
    expected[2, 3], expected[3, 0] = 1, 1
    np.testing.assert_array_equal(table.pixels, expected)
    np.testing.assert_allclose(table.before, [50, 100 / 3, 50 / 3])
    np.testing.assert_allclose(table.after, [20, 60, 20])


def test_the_rows_of_a_change_table_fit_its_header():
    table = change_table(*maps([0, 1], [1, 3]))
    assert all(len(row) == len(table.header) for row in table.rows)
    assert table.rows[1] == ("b", 50.0, 0.0, 0, 0, 1, 0)
    gone = change_table(*maps([0, 1], [0, 3])).rows[0]
    assert gone == ("a", 50.0, 0.0, 0, 0, 0, 1)
    assert "1 of 2 pixels changed" in repr(table)
    assert repr(table).count("\n") == 5


def test_maps_of_other_pixels_or_phases_are_refused():
    before, after = maps([0, 1], [1, 2])
    other, _ = maps([0, 1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="maps differ: 2 pixels"):
        change_table(before, other)
    with pytest.raises(ValueError, match="maps differ"):
        disagreement(after, PhaseMap.from_scores(np.eye(2), ["x", "y"]))


def test_disagreement_is_sure_pixels_in_the_cluster_of_another_phase():
    rng = np.random.default_rng(0)
    latent = np.r_[rng.normal(0, 1, (50, 2)), rng.normal(9, 1, (50, 2))]
    r = np.where(np.arange(100)[:, None] < 50, [0.9, 0.5], [0.5, 0.9])
    latent[7], latent[8] = 9.0, 9.0
    r[8] = 0.9, 0.899
    latent[9] = np.nan
    latent[10] = 9.0
    r[10] = np.nan  # no phase, so none that another could contradict
    phases = PhaseMap.from_scores(r, ["a", "b"])
    for scope in ("ambiguous", "all"):
        odd = disagreement(phases, assign_mahalanobis(latent, phases, scope=scope))
        assert np.flatnonzero(odd).tolist() == [7]


def test_a_phase_that_was_left_out_hides_no_disagreement():
    latent = np.r_[np.zeros((50, 2)), np.full((50, 2), 9.0)]
    latent += np.random.default_rng(0).normal(0, 1, (100, 2))
    r = np.where(np.arange(100)[:, None] < 50, [0.9, 0.5, 0.1], [0.5, 0.9, 0.1])
    latent[7] = 9.0
    phases = PhaseMap.from_scores(r, ["a", "b", "nowhere"])
    resolved = assign_mahalanobis(latent, phases)
    assert not np.isfinite(resolved.scores[:, 2]).any()
    assert np.flatnonzero(disagreement(phases, resolved)).tolist() == [7]


def test_disagreement_needs_scores():
    before, _ = maps([0, 1], [1, 2])
    bare = PhaseMap(
        before.labels, before.runner_up, before.best, before.margin, before.names
    )
    with pytest.raises(ValueError, match="no scores"):
        disagreement(before, bare)


def test_accuracy_agrees_with_scikit_learn_and_leaves_unknown_pixels_out():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    truth, labels = rng.integers(1, 4, 200), rng.integers(0, 4, 200)
    ambiguous = rng.random(200) < 0.4
    found = accuracy(labels, truth, ambiguous)
    assert found.all_pixels == pytest.approx((labels == truth).mean())
    known = f1_score(truth, labels, labels=[1, 2, 3], average="macro")
    assert found.macro_f1 == pytest.approx(known)
    truth[:100] = 0
    again = accuracy(labels, truth, ambiguous)
    half = accuracy(labels[100:], truth[100:], ambiguous[100:])
    assert again == half
    assert np.isnan(accuracy(labels, truth, np.zeros(200, bool)).ambiguous)


def test_the_comparison_has_every_method_and_its_accuracy(comparison, particle):
    assert [*comparison.maps][:2] == ["Pearson", "linear combination"]
    assert {f"PCA-3, {m}" for m in ("mahalanobis", "euclidean", "knn", "centroid")} <= {
        *comparison.maps
    }
    assert "PCA-2, knn" in comparison.maps
    assert "PCA-2, euclidean" not in comparison.maps
    assert comparison.accuracies["Pearson"].all_pixels > 0.7
    assert np.isnan(comparison.accuracies["Pearson"].calibration_error)
    probable = comparison.accuracies["posterior"]
    assert probable.calibration_error < 0.06
    assert probable.risk_coverage < comparison.accuracies["Pearson"].risk_coverage
    assert "posterior, pixels alone" in comparison.maps
    assert comparison.header[-2:] == ("calibration error", "risk-coverage")
    np.testing.assert_allclose(np.diag(comparison.agreement), 1.0)
    np.testing.assert_array_equal(comparison.agreement, comparison.agreement.T)
    assert all(len(row) == len(comparison.header) for row in comparison.rows)
    assert "macro F1" in repr(comparison)
    assert f"methods on {particle.optical_density.n_pixels} pixels" in repr(comparison)


def test_without_a_truth_there_is_no_accuracy(particle):
    bare = compare_methods(particle.optical_density, particle.references)
    assert not bare.accuracies
    assert "F1" not in repr(bare)


def test_a_truth_of_another_length_is_refused(particle):
    with pytest.raises(ValueError, match="of the truth"):
        compare_methods(particle.optical_density, particle.references, [1, 2])


def test_all_assignments_do_without_references(particle):
    stacks = StackSet([particle.optical_density])
    phases = pearson_map(stacks, particle.references)
    space = pca_latent(stacks.spectra())
    bare = Evidence(phases, space.coordinates)
    assert [*all_assignments(bare)] == ["mahalanobis", "knn", "centroid"]
    assert "euclidean" in all_assignments(replace(bare, reference_latent=np.eye(5, 3)))


@pytest.mark.parametrize("n_references", [1, 3, 5, 9])
def test_the_linear_fit_is_the_nnls_of_scipy(n_references):
    from scipy.optimize import nnls

    rng = np.random.default_rng(n_references)
    energy = np.arange(12.0)
    design = rng.random((n_references, 12))
    truth = np.clip(rng.normal(0.2, 0.5, (30, n_references)), 0, None)
    spectra = truth @ design + rng.normal(0, 0.1, (30, 12))
    stack = SpectralStack(
        spectra.T.reshape(12, 5, 6), energy, quantity="optical_density"
    )
    names = [f"r{i}" for i in range(n_references)]
    fit = linear_combination_fit(stack, ReferenceSpectra(names, energy, design))
    for x, w, residual in zip(stack.spectra(), fit.weights, fit.residual, strict=True):
        known, norm = nnls(design.T, x.astype(float))
        np.testing.assert_allclose(w, known, atol=1e-5)
        assert residual == pytest.approx(norm / np.sqrt(12), abs=1e-6)


def test_the_linear_fit_recovers_an_exact_mixture_and_its_shares():
    energy = np.arange(4.0)
    references = ReferenceSpectra(["a", "b"], energy, [[0, 1, 0, 1], [1, 0, 2, 0]])
    mixture = 0.6 * references.spectra[0] + 0.2 * references.spectra[1]
    nothing = np.full(4, -1.0)
    hole = np.array([1.0, np.nan, 1.0, 1.0])
    data = np.stack([mixture, nothing, hole], axis=1)[:, None]
    stack = SpectralStack(data, energy, quantity="optical_density")
    fit = linear_combination_fit(stack, references)
    np.testing.assert_allclose(fit.weights[0], [0.6, 0.2], atol=1e-6)
    np.testing.assert_allclose(fit.phase_map.scores[0], [0.75, 0.25], atol=1e-6)
    assert fit.phase_map.labels.tolist() == [1, 0, 0]
    np.testing.assert_allclose(fit.weights[1], 0)
    np.testing.assert_allclose(fit.residual[:2], [0, 1], atol=1e-6)
    assert np.isnan(fit.weights[2]).all()
    assert np.isnan(fit.residual[2])


def test_pca_is_that_of_scikit_learn_but_for_signs():
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    x = (rng.normal(size=(50, 4)) @ rng.normal(size=(4, 9))).astype(np.float32)
    model = PCA(3).fit(x.astype(float))
    found = pca_latent(x, x[:5])
    known = model.transform(x)
    signs = np.sign((found.coordinates * known).sum(0))
    np.testing.assert_allclose(found.coordinates * signs, known, atol=1e-4)
    np.testing.assert_allclose(found.references, found.coordinates[:5], atol=1e-4)


def test_pca_leaves_incomplete_spectra_out_and_refuses_too_few():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 5)).astype(np.float32)
    holes = np.r_[x, np.full((1, 5), np.nan, np.float32)]
    found = pca_latent(holes).coordinates
    np.testing.assert_array_equal(found[:20], pca_latent(x).coordinates)
    assert np.isnan(found[20]).all()
    with pytest.raises(ValueError, match=r"3 components need.*got 2 energies"):
        pca_latent(x[:, :2])


def test_calibration_is_counted_in_fifteen_bins():
    """By hand: bins of 0.95 (3 of 4 right) and of 0.45 (1 of 2 right)."""
    said = np.array([0.95, 0.95, 0.95, 0.95, 0.45, 0.45, np.nan])
    right = np.array([1, 1, 1, 0, 1, 0, 1], bool)
    expected = (4 * 0.2 + 2 * 0.05) / 6
    assert calibration_error(said, right) == pytest.approx(expected)
    assert calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert np.isnan(calibration_error([np.nan], [True]))
    # Errors of the 1, 2, 3, 4 surest: 0, 0, 1, 2 of them; NaN is the least sure.
    area = risk_coverage([3.0, 5.0, np.nan, 4.0], [False, True, False, True])
    assert area == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
