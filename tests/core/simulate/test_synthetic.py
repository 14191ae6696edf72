from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.simulate import synthetic


@pytest.fixture(scope="module")
def nominal() -> list[synthetic.Particle]:
    return synthetic.particles(4, (72, 90), seed=1)


def ambiguous_and_right(particles: list[synthetic.Particle]) -> tuple[float, float]:
    stacks = StackSet([one.optical_density for one in particles])
    phases = pearson_map(stacks, synthetic.references())
    truth = np.concatenate([one.true_labels for one in particles])
    ambiguous = phases.ambiguous(0.005)
    return ambiguous.mean(), (phases.labels == truth)[ambiguous].mean()


def peak(low: float, high: float, phase: int) -> tuple[float, float]:
    spectra = synthetic.references(np.arange(500.0, 550.0, 0.02))
    window = (spectra.energy > low) & (spectra.energy < high)
    at = np.argmax(spectra.spectra[phase][window])
    return spectra.energy[window][at], spectra.spectra[phase][window][at]


def test_pristine_vanadium_and_oxygen_peaks_stand_where_the_paper_has_them():
    assert peak(514, 520, 0)[0] == pytest.approx(517.5, abs=0.1)
    assert peak(522, 528, 0)[0] == pytest.approx(525.0, abs=0.1)
    assert peak(529, 531.5, 0)[0] == pytest.approx(530.3, abs=0.1)


def test_vanadium_peaks_move_up_and_the_oxygen_pre_edge_grows_with_desodiation():
    for low, high in ((514, 520), (522, 528)):
        positions = [peak(low, high, phase)[0] for phase in range(5)]
        assert (np.diff(positions) > 0).all()
    heights = [peak(529.5, 531, phase)[1] for phase in range(5)]
    assert (np.diff(heights) > 0).all()


def test_the_closest_pair_differs_by_half_a_per_cent_at_thirteen_energies():
    assert len(synthetic.SPARSE_ENERGIES) == 13
    assert min(synthetic.SPARSE_ENERGIES) == 505.0
    r = synthetic.references(synthetic.SPARSE_ENERGIES).correlation()
    gaps = 1.0 - np.diagonal(r, offset=1)
    assert gaps.min() == pytest.approx(0.005, abs=2e-4)
    assert gaps.max() < 0.012


def test_drift_shifts_the_references_to_higher_energy():
    energy = np.arange(510.0, 530.0, 0.5)
    moved = synthetic.references(energy + 0.08, energy_drift=0.08)
    np.testing.assert_allclose(moved.spectra, synthetic.references(energy).spectra)


def test_a_seed_repeats_and_another_seed_differs():
    one, same, other = (synthetic.particle((20, 30), seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(one.counts.data, same.counts.data)
    assert (one.counts.data != other.counts.data).any()


def test_truth_fits_together():
    one = synthetic.particle((40, 56), seed=2)
    inside = one.labels > 0
    assert one.counts.data.dtype == one.fractions.dtype == np.float32
    assert one.optical_density.shape == (40, 56) == one.thickness.shape
    np.testing.assert_array_equal(inside, one.thickness > 0)
    np.testing.assert_array_equal(inside, one.optical_density.mask)
    np.testing.assert_allclose(one.fractions[inside].sum(axis=1), 1.0, atol=1e-5)
    assert not one.fractions[~inside].any()
    best = one.fractions[inside].argmax(axis=1) + 1
    np.testing.assert_array_equal(one.true_labels, best)
    assert 0.3 < inside.mean() < 0.8


def test_without_noise_to_speak_of_the_density_is_the_mixture_times_thickness():
    one = synthetic.particle((24, 24), seed=5, dose=1e9)
    pure = synthetic.references(synthetic.SPARSE_ENERGIES).spectra
    expected = np.einsum("rck,ke->erc", one.fractions, pure) * one.thickness
    inside = one.optical_density.mask
    density = one.optical_density.data[:, inside]
    np.testing.assert_allclose(density, expected[:, inside], atol=1e-3)


def test_counts_scatter_as_photons_do():
    one = synthetic.particle((64, 64), seed=6, dose=400.0)
    outside = one.labels == 0
    background = one.counts.data[0][outside]
    assert background.var() / background.mean() == pytest.approx(1.0, abs=0.15)
    np.testing.assert_allclose(background.mean(), one.i0[0], rtol=0.01)


def test_dark_pixels_are_masked_and_hold_no_number():
    one = synthetic.particle((32, 32), seed=7, dose=3.0)
    dark = (one.counts.data == 0).any(axis=0)
    assert dark.any()
    assert not one.optical_density.mask[dark].any()
    assert np.isnan(one.optical_density.data[:, dark]).all()


def test_mixing_zero_gives_pure_pixels_and_more_mixing_fewer():
    pure, some, strong = (
        (synthetic.particle((48, 48), seed=8, mixing=m).fractions.max(axis=2) > 0.99)
        for m in (0.0, 1.2, 3.0)
    )
    inside = synthetic.particle((48, 48), seed=8).labels > 0
    assert pure[inside].all()
    assert some[inside].mean() > strong[inside].mean()


def test_particles_go_from_pristine_to_charged(nominal):
    means = [one.true_labels.mean() for one in nominal]
    assert [one.counts.name for one in nominal] == ["P1", "P2", "P3", "P4"]
    assert means[0] < 2.2 < 3.8 < means[-1]


def test_as_many_pixels_are_ambiguous_and_right_as_in_the_paper(nominal):
    ambiguous, right = ambiguous_and_right(nominal)
    assert 0.30 < ambiguous < 0.45
    assert 0.75 < right < 0.87


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param({"dose": 1200.0}, id="low dose"),
        pytest.param({"mixing": 3.0}, id="strong mixing"),
        pytest.param({"energy_drift": 0.08}, id="references 0.08 eV off"),
    ],
)
def test_harder_conditions_make_the_ambiguous_pixels_less_certain(nominal, worse):
    _, nominally_right = ambiguous_and_right(nominal)
    _, right = ambiguous_and_right(synthetic.particles(4, (72, 90), seed=1, **worse))
    assert right < nominally_right - 0.03


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": (4, 50)},
        {"dose": 0.0},
        {"mixing": -1.0},
        {"charge": 1.5},
        {"n_domains": 0},
    ],
    ids=str,
)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="got"):
        synthetic.particle(**wrong)


@pytest.mark.parametrize("size", [(13, 20, 50), (1, 5, 5), (40, 17, 33)])
def test_a_stack_of_any_size_has_that_size(size):
    stack = synthetic.stack_of_size(*size)
    assert stack.data.shape == size
    assert stack.data.dtype == np.float32
    assert stack.quantity == "optical_density"


def test_a_stack_of_counts_is_positive_and_repeats():
    stack = synthetic.stack_of_size(13, 30, 40, quantity="counts", seed=2)
    again = synthetic.stack_of_size(13, 30, 40, quantity="counts", seed=2)
    assert (stack.data > 0).all()
    np.testing.assert_array_equal(stack.data, again.data)
