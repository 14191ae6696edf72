"""Rank, scores and weights of principal components against known answers."""

from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.pixel_spectra import average_neighbors
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.eels.background import subtract_background
from napari_phasemap.core.learn import decomposition
from napari_phasemap.core.learn.decomposition import pca, singular_threshold
from napari_phasemap.core.simulate.synthetic_eels import EDGE_WINDOWS, simulate_si_c

rng = np.random.default_rng(0)


def test_the_threshold_of_a_square_matrix_is_four_over_root_three():
    assert singular_threshold(100, 100) == pytest.approx(10 * 4 / np.sqrt(3))
    assert singular_threshold(20, 80) == singular_threshold(80, 20)


@pytest.mark.parametrize(("n_pixels", "factor"), [(30, 2.86), (60, 2.1725)])
def test_unknown_noise_is_judged_by_the_median(n_pixels, factor):
    """Gavish and Donoho 2014, Eq. 5, at 1 and at 1 / 2."""
    found = pca(rng.normal(size=(n_pixels, 30)), n_components=1)
    assert found.threshold == pytest.approx(factor * np.median(found.singular_values))


def test_pure_noise_has_no_component_above_the_threshold():
    counts = rng.poisson(50.0, (2000, 40)).astype(np.float32)
    noise = SpectralStack(counts.T.reshape(40, 40, 50), np.arange(1.0, 41.0))
    found = pca(noise)
    assert found.noise == "known"
    assert found.n_significant == 1  # the mean spectrum, nothing else
    plain = pca(rng.normal(size=(2000, 40)))
    assert plain.n_significant == 0
    assert plain.n_components == 1


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_the_rank_of_poisson_data_is_found(rank):
    spectra = np.abs(rng.normal(size=(rank, 60))) + 0.2
    amounts = rng.uniform(0, 40, size=(3000, rank))
    counts = rng.poisson(amounts @ spectra)
    stack = SpectralStack(counts.T.reshape(60, 60, 50), np.arange(1.0, 61.0))
    assert pca(stack).n_components == rank


def test_weighted_noise_has_unit_variance():
    sample = simulate_si_c(shape=(48, 48), seed=3)
    fit_window, window = EDGE_WINDOWS["C_K"]
    edge = subtract_background(
        sample.core_loss, fit_window=fit_window, window=window, neighbors=2.0
    )
    found = pca(edge)
    tail = found.singular_values[20:] ** 2 / edge.n_pixels
    assert tail.mean() == pytest.approx(1.0, abs=0.12)


def test_manganese_oxide_has_exactly_two_components(real_data):
    scipy_io = pytest.importorskip("scipy.io")
    path = real_data / "mn3o4-eels-rank2" / "mn3o4_f2.mat"
    if not path.is_file():
        pytest.skip("no Mn3O4 data")
    cube = np.asarray(scipy_io.loadmat(path)["datar"])
    found = pca(cube.reshape(-1, cube.shape[-1]))
    # Centering takes the constant sum of the two away: one way to mix them is left
    # where they add up, two where the thickness varies.
    assert found.n_components <= 2
    plain = np.linalg.svd(cube.reshape(-1, cube.shape[-1]), compute_uv=False)
    assert (plain > 1e-10 * plain[0]).sum() == 2
    stack = SpectralStack(cube.transpose(2, 0, 1) * 1e9, np.arange(1.0, 139.0))
    assert pca(stack).n_components == 2
    np.testing.assert_allclose(pca(stack).explained_variance[2:], 0.0, atol=1e-6)


def test_centered_scores_equal_those_of_a_plain_decomposition():
    data = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20))
    found = pca(data, n_components=3)
    centered = data - data.mean(axis=0)
    u, s, _ = np.linalg.svd(centered, full_matrices=False)
    np.testing.assert_allclose(np.abs(found.scores), np.abs(u * s)[:, :3], atol=1e-4)
    np.testing.assert_allclose(found.denoised(), data, atol=1e-4)
    np.testing.assert_allclose(np.mean(found.whitened**2, axis=0), 1.0, rtol=1e-4)
    assert found.explained_variance.sum() == pytest.approx(1.0)


def test_denoised_counts_come_closer_to_the_truth():
    truth = rng.uniform(5, 50, (800, 2)) @ np.abs(rng.normal(size=(2, 70)))
    stack = SpectralStack(
        rng.poisson(truth).T.reshape(70, 20, 40), np.arange(1.0, 71.0)
    )
    found = pca(stack)
    error = np.linalg.norm(found.denoised() - truth)
    assert error < 0.35 * np.linalg.norm(stack.spectra() - truth)


def test_composition_does_not_depend_on_the_amount():
    amounts = rng.uniform(1, 5, size=(400, 1)).astype(np.float32)
    mixed = np.where(np.arange(400) % 2, 1.0, 0.0)[:, None]
    spectra = np.abs(rng.normal(size=(2, 30))) + 1
    data = 1e4 * amounts * (mixed * spectra[0] + (1 - mixed) * spectra[1])
    stack = SpectralStack(data.T.reshape(30, 20, 20), np.arange(1.0, 31.0))
    values = pca(stack, n_components=2).composition
    np.testing.assert_allclose(values[::2].std(axis=0), 0.0, atol=1e-3)
    assert np.abs(values[0] - values[1]).max() > 0.05


def test_chunks_of_pixels_do_not_show_in_the_scores(monkeypatch):
    values = rng.normal(size=(40, 6)).astype(np.float32)
    values[11] = np.nan
    whole = pca(values, n_components=3)
    monkeypatch.setattr(decomposition, "CHUNK", 7)
    found = pca(values, n_components=3)
    np.testing.assert_allclose(found.scores, whole.scores, atol=1e-4)


def test_two_pixels_are_enough():
    assert pca(rng.normal(size=(2, 5)), n_components=1).scores.shape == (2, 1)
    counts = SpectralStack(rng.poisson(50.0, (5, 1, 2)), np.arange(1.0, 6.0))
    assert pca(counts, n_components=1).scores.shape == (2, 1)


def test_left_out_and_nan_pixels_get_nan_scores():
    data = rng.normal(size=(30, 8)).astype(np.float32)
    data[3, 2] = np.nan
    where = np.ones(30, dtype=bool)
    where[7] = False
    found = pca(data, where=where, n_components=2)
    assert np.flatnonzero(np.isnan(found.scores).any(axis=1)).tolist() == [3, 7]


def test_stacks_of_a_set_are_decomposed_together_in_pixel_order():
    data = rng.normal(size=(12, 5, 6)).astype(np.float32)
    energy = np.arange(280.0, 292.0)
    stack = SpectralStack(data, energy, quantity="optical_density")
    other = SpectralStack(2 * data, energy, quantity="optical_density")
    together = StackSet([stack, other])
    found = pca(together, n_components=3)
    direct = pca(together.spectra(), n_components=3)
    np.testing.assert_allclose(found.scores, direct.scores, atol=1e-4)
    np.testing.assert_array_equal(found.energy, energy)


def test_two_edges_of_the_same_energies_follow_one_another():
    sample = simulate_si_c(shape=(12, 12), seed=1)
    fit_window, window = EDGE_WINDOWS["Si_L"]
    edge = subtract_background(sample.core_loss, fit_window=fit_window, window=window)
    assert len(pca([edge, edge], n_components=2).scores) == 2 * edge.n_pixels
    other = subtract_background(
        sample.core_loss, fit_window=fit_window, window=(98.0, 120.0)
    )
    with pytest.raises(ValueError, match="differ"):
        pca([edge, other])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pca(np.ones((1, 5))), "at least 2"),
        (lambda: pca(np.ones((4, 3)), n_components=5), "not in 1..3"),
        (lambda: pca(np.ones(5)), "n_pixels, n_energies"),
        (lambda: pca(np.ones((4, 3)), where=np.ones(3, bool)), "4 pixels"),
        (lambda: pca(np.ones((4, 3)), weighting="x"), "not one of"),
    ],
    ids=["one pixel", "components", "one axis", "mask", "weighting"],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_energy_is_one_component():
    assert pca(rng.normal(size=(10, 1))).scores.shape == (10, 1)


def test_averages_stay_inside_the_mask_and_keep_constants():
    mask = np.zeros((6, 7), dtype=bool)
    mask[1:4, 2:6] = True
    stack = SpectralStack(np.zeros((2, 6, 7)), [1.0, 2.0], mask=mask)
    ones = np.ones((12, 2), dtype=np.float32)
    ones[5, 1] = np.nan
    averaged = average_neighbors(ones, stack, sigma=1.5)
    np.testing.assert_allclose(averaged[:, 0], 1.0, rtol=1e-5)
    assert np.flatnonzero(np.isnan(averaged[:, 1])).tolist() == [5]
    assert ones[0, 0] == 1.0
