from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.latent.comparison import accuracy
from napari_phasemap.core.latent.latent import (
    axis_intensity,
    axis_traversal,
    phase_reconstructions,
    traversal,
)
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.phases.neighbors import chi_square_map, smooth_potts
from napari_phasemap.core.simulate import synthetic


def test_an_axis_is_followed_between_percentiles_with_the_others_at_their_median():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(1001, 3))
    latent[0] = np.nan
    path = axis_traversal(latent, 1, n_steps=5, percentiles=(0, 100))
    np.testing.assert_allclose(
        path[[0, -1], 1], np.nanpercentile(latent[:, 1], [0, 100])
    )
    np.testing.assert_allclose(path[:, 0], np.nanmedian(latent[:, 0]), rtol=1e-6)
    np.testing.assert_allclose(np.diff(path[:, 1], 2), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: traversal([0, 0], [1]), "two latent points"),
        (lambda: traversal([0, np.nan], [1, 1]), "not finite"),
        (lambda: traversal([0], [1], n_steps=1), "n_steps=1"),
        (lambda: axis_traversal(np.zeros((4, 2)), 2), "axis 2 of 2"),
        (lambda: axis_traversal(np.full((4, 2), np.nan), 0), "0 finite points"),
    ],
)
def test_lines_without_ends_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_the_thickness_axis_is_the_one_that_correlates_with_mean_intensity():
    rng = np.random.default_rng(1)
    thickness = rng.uniform(0, 1, 500)
    latent = np.column_stack([rng.normal(size=500), -3 * thickness, np.ones(500)])
    spectra = thickness[:, None] * np.array([1.0, 2.0, 3.0])
    spectra[3, 1] = np.nan
    found = axis_intensity(latent, spectra, n_bins=10)
    assert found.correlation[1] == pytest.approx(-1.0)
    assert abs(found.correlation[0]) < 0.15
    assert np.isnan(found.correlation[2])
    assert found.n_pixels.sum(axis=1).tolist() == [499] * 3
    np.testing.assert_allclose(found.intensity[1], -2 / 3 * found.center[1], atol=0.05)


def test_intensity_of_nothing_is_refused():
    with pytest.raises(ValueError, match="2 latent points != 3 spectra"):
        axis_intensity(np.zeros((2, 1)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="no pixel"):
        axis_intensity(np.full((3, 1), np.nan), np.zeros((3, 4)))


def test_mean_spectra_and_errors_of_each_phase():
    phases = PhaseMap.from_scores([[1, 0, 0], [1, 0, 0], [0, 1, 0]], ["a", "b", "c"])
    measured = np.array([[1.0, 3.0], [3.0, 5.0], [np.nan, 1.0]])
    found = phase_reconstructions(measured, measured + 1.0, phases)
    np.testing.assert_allclose(found.measured[0], [2, 4])
    np.testing.assert_allclose(found.reconstructed[0], [3, 5])
    assert found.error[0] == pytest.approx(1.0)
    assert found.n_pixels.tolist() == [2, 0, 0]
    assert np.isnan(found.measured[1:]).all()
    with pytest.raises(ValueError, match="differ"):
        phase_reconstructions(measured[:2], measured[:2], phases)


@pytest.fixture(scope="module")
def noisy():
    simulated = synthetic.particle((48, 60), seed=1, dose=800.0, n_domains=8)
    stacks = StackSet([simulated.optical_density])
    return simulated, stacks, pearson_map(stacks, simulated.references)


def test_chi_square_is_that_of_a_fit_by_scale_and_offset(noisy):
    simulated, stacks, phases = noisy
    found = chi_square_map(stacks, phases)
    np.testing.assert_array_equal(found.labels, phases.labels)
    x = stacks.spectra()[11].astype(float)
    design = np.column_stack([simulated.references.spectra[2], np.ones(13)])
    rest = np.linalg.lstsq(design, x, rcond=None)[1][0]
    c = found.parameters["noise_variance_at_zero_density"]
    assert found.scores[11, 2] == pytest.approx(
        -0.5 * rest / (c * np.exp(x.mean())), rel=1e-3
    )
    expected = 1 / (800 * np.exp(-0.08))
    assert 0.5 * expected < c < 2 * expected


def test_neighbors_make_a_noisy_map_of_domains_better(noisy):
    simulated, stacks, phases = noisy
    smooth = smooth_potts(stacks, chi_square_map(stacks, phases))
    unsure = phases.ambiguous()
    before = accuracy(phases.labels, simulated.true_labels, unsure)
    after = accuracy(smooth.labels, simulated.true_labels, unsure)
    assert after.ambiguous > before.ambiguous + 0.1
    np.testing.assert_allclose(np.exp(smooth.scores).sum(1), 1.0, rtol=1e-4)


def test_without_strength_neighbors_change_nothing(noisy):
    _, stacks, phases = noisy
    likely = chi_square_map(stacks, phases)
    same = smooth_potts(stacks, likely, strength=0.0)
    np.testing.assert_array_equal(same.labels, likely.labels)
    least = 25.0  # probabilities are not told apart below 1e-12
    np.testing.assert_allclose(
        np.minimum(same.margin, least), np.minimum(likely.margin, least), atol=1e-3
    )


def test_one_outvoted_pixel_yields_and_masked_pixels_do_not_vote():
    stack = SpectralStack(np.zeros((1, 3, 3)), [500.0])
    scores = np.tile([1.0, 0.0], (9, 1))
    scores[4] = 0.0, 1.0
    phases = PhaseMap.from_scores(scores, ["a", "b"])
    assert (smooth_potts(StackSet([stack]), phases).labels == 1).all()
    alone = stack.with_mask([[1, 0, 1], [0, 0, 0], [0, 1, 0]])
    three = PhaseMap.from_scores(scores[[0, 4, 8]], ["a", "b"])
    assert smooth_potts(alone, three).labels.tolist() == [1, 2, 1]


def test_neighbors_do_not_reach_across_particles():
    stack = SpectralStack(np.zeros((1, 1, 1)), [500.0])
    phases = PhaseMap.from_scores([[9.0, 0.0], [0.0, 0.1]], ["a", "b"])
    both = smooth_potts(StackSet([stack, stack]), phases, strength=5.0)
    assert both.labels.tolist() == [1, 2]


def test_pixels_without_scores_stay_unassigned_and_phases_left_out_stay_out():
    stack = SpectralStack(np.zeros((1, 1, 3)), [500.0])
    scores = [[1.0, 0.0, np.nan], [np.nan] * 3, [0.0, 1.0, np.nan]]
    phases = PhaseMap.from_scores(scores, ["a", "b", "c"])
    found = smooth_potts(StackSet([stack]), phases)
    assert found.labels.tolist() == [1, 0, 2]
    assert not np.isfinite(found.scores[:, 2]).any()


def test_neighbors_need_scores_and_correlations(noisy):
    _, stacks, phases = noisy
    with pytest.raises(ValueError, match="pearson_map with its scores"):
        chi_square_map(stacks, smooth_potts(stacks, chi_square_map(stacks, phases)))
    with pytest.raises(ValueError, match="strength >= 0"):
        smooth_potts(stacks, phases, strength=-1.0)
    bare = PhaseMap(
        phases.labels, phases.runner_up, phases.best, phases.margin, phases.names
    )
    with pytest.raises(ValueError, match="has no scores"):
        smooth_potts(stacks, bare)
