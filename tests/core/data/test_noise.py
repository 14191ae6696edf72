"""The variance of every value, against many simulated measurements."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import Noise, density_noise
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.prepare.alignment import align
from napari_phasemap.core.prepare.combining import (
    average_stacks,
    bin_pixels,
    crop_pixels,
)
from napari_phasemap.core.prepare.energy_axis import crop_energies, subtract_pre_edge
from napari_phasemap.core.prepare.noise_level import estimate_noise
from napari_phasemap.core.prepare.preprocess import optical_density

ENERGY = np.array([505.0, 510.0, 517.5, 525.0])
TRUE = np.array([0.2, 0.25, 1.0, 0.6])
SHAPE = (150, 160)


def counted(i0, seed=0, gain=1.0, dark=0.0, shape=SHAPE):
    """Counts of an even specimen: `gain` counts per photon on a dark level."""
    rng = np.random.default_rng(seed)
    expected = (i0 * np.exp(-TRUE) + dark)[:, None, None] / gain
    counts = rng.poisson(np.broadcast_to(expected, (4, *shape))) * gain
    return SpectralStack(counts, ENERGY)


def assert_spread_is_predicted(stack, rtol=0.05):
    """The predicted variance against that over the pixels of an even specimen."""
    predicted = np.nanmean(stack.variance(), axis=(1, 2))
    seen = np.nanvar(np.asarray(stack.data, dtype=np.float64), axis=(1, 2))
    assert_allclose(predicted, seen, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("i0", [300.0, 1e3, 1e4, 1e5])
def test_photon_noise_of_optical_density_from_100_to_100000_counts(i0):
    i0 = np.full(4, i0)
    assert_spread_is_predicted(optical_density(counted(i0), i0))


def test_gain_and_dark_level():
    i0 = np.full(4, 2000.0)
    stack = counted(i0, gain=4.0, dark=500.0)
    density = optical_density(stack, i0 + 500.0, gain=4.0, dark=500.0)
    assert_spread_is_predicted(density)
    assert_allclose(density.data.mean(axis=(1, 2)), TRUE, atol=0.01)


def test_the_noise_of_i0_is_seen_over_repeated_measurements():
    rng = np.random.default_rng(0)
    dose, n_pixels = 400.0, 8
    values, predicted = [], []
    for seed in range(4000):
        i0 = rng.poisson(dose * n_pixels, 4) / n_pixels
        counts = counted(np.full(4, dose), seed=seed, shape=(1, 1))
        density = optical_density(counts, i0, i0_variance=i0 / n_pixels)
        values.append(density.data.ravel())
        predicted.append(density.variance().ravel())
    assert_allclose(np.mean(predicted, axis=0), np.var(values, axis=0), rtol=0.07)


def pre_edge(stack):
    return subtract_pre_edge(stack, window=(500.0, 512.0))


STEPS = {
    "aligned": lambda s: align(s, [[0.5, 0.5], [0.2, 0], [0, 0], [-0.3, 0.4]]),
    "aligned, cubic": lambda s: align(s, [[0.5, 0.3]] * 4, order=3),
    "binned": lambda s: bin_pixels(s),
    "cropped": lambda s: crop_pixels(s, rows=(5, 145), columns=(0, 150)),
    "pre-edge": pre_edge,
    "energies": lambda s: crop_energies(s, low=508.0, high=530.0),
    "pre-edge, then energies": lambda s: crop_energies(pre_edge(s), low=515, high=530),
    "pre-edge twice": lambda s: subtract_pre_edge(pre_edge(s), window=(504, 518)),
    "pre-edge, then cropped": lambda s: crop_pixels(
        pre_edge(s), rows=(0, 140), columns=(0, 150)
    ),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_steps_on_optical_density_propagate_the_noise(step):
    i0 = np.array([4000.0, 3000.0, 5000.0, 2000.0])
    assert_spread_is_predicted(step(optical_density(counted(i0), i0)))


def test_counts_that_were_aligned_and_binned_carry_less_noise_into_the_density():
    i0 = np.full(4, 1000.0)
    moved = align(counted(i0), [[0.5, 0.0]] * 4)
    assert_allclose(moved.variance()[0, 5:9, 5:9], moved.data[0, 5:9, 5:9] / 2.0)
    assert_spread_is_predicted(optical_density(bin_pixels(counted(i0)), i0))


def test_the_mean_of_scans_has_the_noise_of_a_mean():
    i0 = np.full(4, 800.0)
    scans = [optical_density(counted(i0, seed=seed), i0) for seed in range(4)]
    mean = average_stacks(scans)
    assert_spread_is_predicted(mean)
    assert_allclose(mean.variance() * 4, scans[0].variance(), rtol=0.4)


def test_one_frame_alone_and_rows_of_a_set_are_the_same_numbers():
    i0 = np.full(4, 500.0)
    mask = np.random.default_rng(0).random(SHAPE) < 0.3
    stack = pre_edge(optical_density(counted(i0), i0).with_mask(mask))
    whole = stack.variance()
    assert_allclose(stack.variance(2), whole[2])
    assert_allclose(StackSet([stack]).stack_variance(0), whole[:, mask].T, rtol=1e-5)


def test_a_set_of_densities_without_known_noise_says_what_to_do():
    stack = SpectralStack(
        np.ones((4, 2, 2)), ENERGY, quantity="optical_density", name="P1"
    )
    with pytest.raises(InputError, match=r"P1.*noise"):
        StackSet([stack]).stack_variance(0)


def test_counts_without_a_word_are_photons_and_missing_values_stay_missing():
    data = np.array([[[4.0, np.nan]], [[9.0, 1.0]]])
    stack = SpectralStack(data, [1.0, 2.0])
    assert_allclose(stack.variance(), data)


def test_a_missing_frame_leaves_the_pre_edge_of_the_others_alone():
    i0 = np.full(4, 500.0)
    counts = counted(i0, shape=(3, 3))
    data = np.array(counts.data)
    data[3] = np.nan
    holed = optical_density(SpectralStack(data, ENERGY), i0)
    whole = optical_density(counts, i0)
    assert_allclose(pre_edge(holed).variance()[:3], pre_edge(whole).variance()[:3])
    assert np.isnan(pre_edge(holed).variance()[3]).all()


def test_a_step_that_does_not_follow_the_noise_loses_it_and_says_so():
    i0 = np.full(4, 500.0)
    changed = optical_density(counted(i0), i0).with_step(
        "smoothed", data=np.ones((4, 1, 1)), mask=np.ones((1, 1))
    )
    with pytest.raises(InputError, match="estimate_noise"):
        changed.variance()


def test_noise_of_another_size_is_refused():
    with pytest.raises(InputError, match="3 energies for 2 images"):
        SpectralStack(np.ones((2, 1, 1)), [1.0, 2.0], noise=density_noise(np.ones(3)))
    with pytest.raises(InputError, match="dark has"):
        Noise(np.ones(3), np.ones(2), np.ones(3))


I0 = 700.0


@pytest.fixture
def opened():
    """Optical density of which nothing is known, in three scans."""
    i0 = np.full(4, I0)
    return [
        SpectralStack(
            optical_density(counted(i0, seed=seed), i0).data,
            ENERGY,
            quantity="optical_density",
        )
        for seed in range(3)
    ]


def test_the_scale_is_estimated_from_repeats_a_flat_region_or_the_fits(opened):
    first, *others = opened
    references = ReferenceSpectra(["a", "b"], ENERGY, [TRUE, TRUE[::-1]])
    region = np.zeros(SHAPE, dtype=bool)
    region[20:80, 30:90] = True
    found = {
        "repeated frames": estimate_noise(first, repeats=others),
        "flat region": estimate_noise(first, region=region),
        "residual of the best fits": estimate_noise(first, references=references),
    }
    for source, stack in found.items():
        assert stack.noise.source == source
        assert source in stack.history[-1]
        assert_allclose(stack.noise.shot, 1.0 / I0, rtol=0.05)


def test_a_noise_that_cannot_be_estimated_is_refused(opened):
    first = opened[0]
    with pytest.raises(InputError, match="give one of"):
        estimate_noise(first)
    region = np.zeros(SHAPE, dtype=bool)
    region[3, 3:5] = True
    with pytest.raises(InputError, match="at least 50"):
        estimate_noise(first, region=region)
    with pytest.raises(InputError, match="repeat exactly"):
        estimate_noise(first, repeats=[first])
