"""The simulator of embedded particles: its physics against independent values."""

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.eels.background import subtract_background
from napari_phasemap.core.eels.thickness import thickness
from napari_phasemap.core.simulate.embedded import EMBEDDED_WINDOWS, simulate_embedded
from napari_phasemap.core.simulate.inelastic import (
    PHASES,
    plural_scattering,
    single_scattering,
)


def test_zero_and_single_scattering_are_as_often_as_poisson_says():
    single = np.zeros((1, 2048))
    single[0, 80] = 1.0  # every event costs 40 eV, far from the zero loss
    spectra = plural_scattering(single, np.array([1.5]), 0.5, 0.6)[0]
    for order in range(4):
        near = np.arange(-20, 20) + 80 * order
        share = spectra[near].sum()
        expected = np.exp(-1.5) * 1.5**order / [1, 1, 2, 6][order]
        assert share == pytest.approx(expected, rel=1e-3)


def test_every_distribution_sums_to_one():
    for phase in PHASES:
        assert single_scattering(phase, 0.5).sum() == pytest.approx(1.0)


def test_the_low_loss_shows_the_true_thickness():
    sample = simulate_embedded(shape=(12, 12), dose=3000.0, particles=0.0, seed=2)
    measured = thickness(sample.low_loss).t_over_lambda
    # The low loss ends at 64.5 eV: what lies beyond it is missing from the total.
    truth = sample.thickness.ravel()
    assert np.corrcoef(measured, truth)[0, 1] > 0.99
    np.testing.assert_allclose(measured, truth, rtol=0.3)


def test_without_silicon_the_background_is_still_no_power_law():
    fit_window, window = EMBEDDED_WINDOWS["Si_L"]
    sample = simulate_embedded(shape=(24, 24), dose=30000.0, particles=0.0, seed=1)
    assert not sample.present["Si_L"].any()
    edge = subtract_background(
        sample.core_loss, fit_window=fit_window, window=window, neighbors=1.5
    )
    middle, low, high = np.percentile(edge.jump_ratio, [50, 1, 99])
    assert 1.05 < middle < 1.15
    # Not one number either: it follows the thickness, by far more than the noise.
    assert high - low > 10 * np.median(np.sqrt(edge.null_variance) / edge.background)


def test_the_truth_fits_the_fractions_and_the_vacuum():
    sample = simulate_embedded(shape=(32, 32), vacuum=0.3, seed=4)
    inside = sample.thickness >= 0.03
    assert 0.1 < np.mean(~inside) < 0.5
    np.testing.assert_allclose(sample.fractions.sum(axis=0)[inside], 1.0, rtol=1e-5)
    assert not sample.fractions[:, ~inside].any()
    silicon = sample.fractions[1:].sum(axis=0) >= 0.1
    np.testing.assert_array_equal(sample.present["Si_L"], silicon)
    np.testing.assert_array_equal(sample.classes["Si_L"] > 0, silicon)
    bound = sum(image.astype(int) for image in sample.bonds.values())
    np.testing.assert_array_equal(bound, silicon.astype(int))
    counts = sample.core_loss.data.sum(axis=0)
    assert counts[~inside].mean() < 0.1 * counts[inside].mean()


def test_a_dose_has_the_same_specimen_and_the_counts_it_is_called_after():
    few = simulate_embedded(shape=(16, 16), dose=300.0, seed=5)
    many = simulate_embedded(shape=(16, 16), dose=3000.0, seed=5)
    np.testing.assert_array_equal(few.fractions, many.fractions)
    ratio = many.core_loss.data.sum() / few.core_loss.data.sum()
    assert ratio == pytest.approx(10.0, rel=0.01)


def test_in_silica_oxygen_is_everywhere():
    sample = simulate_embedded(shape=(16, 16), matrix="SiO2", seed=0)
    assert sample.present["O_K"].mean() > 0.9
    assert sample.fractions[PHASES.index("C")].max() == 0.0


@pytest.mark.parametrize(
    "bad",
    [
        {"shape": (0, 4)},
        {"dose": 0.0},
        {"thickest": 5.0},
        {"vacuum": 1.0},
        {"radius": (5.0, 2.0)},
        {"contrast": -0.1},
        {"matrix": "Fe"},
    ],
)
def test_parameters_out_of_range_are_named(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        simulate_embedded(**bad)
