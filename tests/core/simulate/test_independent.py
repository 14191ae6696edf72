"""The second simulator: what it says of the truth is so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.simulate.independent import (
    independent_particle,
    independent_particles,
    minor_phase_particle,
)
from napari_phasemap.core.simulate.independent_spectra import library, true_spectra

BRIGHT = 1e9


def density_error(simulated, spectra):
    """Largest difference between the measured densities and those of the truth."""
    mask = simulated.optical_density.mask
    expected = simulated.fractions[mask] @ spectra * simulated.thickness[mask][:, None]
    return np.abs(simulated.optical_density.spectra() - expected).max()


def test_without_noise_the_densities_are_those_of_the_truth():
    simulated = independent_particle((40, 50), seed=2, dose=BRIGHT, wrong_shapes=1.0)
    energy = simulated.optical_density.energy
    assert density_error(simulated, true_spectra(energy, wrong_shapes=1.0)[:5]) < 2e-3
    assert density_error(simulated, true_spectra(energy)[:5]) > 1e-2


def test_a_shift_moves_the_measured_spectra_up_in_energy():
    simulated = independent_particle((40, 50), seed=2, dose=BRIGHT, shift=0.3)
    energy = simulated.optical_density.energy
    assert density_error(simulated, library(energy - 0.3).spectra) < 2e-3


def test_the_truth_of_the_library_is_the_library():
    energy = np.linspace(505.0, 545.0, 30)
    np.testing.assert_allclose(true_spectra(energy)[:5], library(energy).spectra)


def test_the_foreign_phase_covers_its_share_and_resembles_no_other():
    simulated = independent_particle((60, 70), seed=3, foreign=0.1)
    inside = simulated.labels > 0
    assert np.mean(simulated.labels[inside] == 6) == pytest.approx(0.1, abs=0.02)
    r = np.corrcoef(true_spectra(simulated.optical_density.energy))
    assert r[5, :5].max() < 0.97


def test_specks_are_small_and_gradients_are_mixtures():
    specks = independent_particle((60, 70), seed=3, arrangement="specks", mixing=0.0)
    counts = np.bincount(specks.labels[specks.labels > 0], minlength=6)
    others = np.argsort(counts)[:-2]
    sizes = np.bincount(label(np.isin(specks.labels, others[others > 0]))[0].ravel())[
        1:
    ]
    assert np.median(sizes) <= 9
    gradient = independent_particle((60, 70), seed=3, arrangement="gradient", mixing=0)
    mixed = np.count_nonzero(gradient.fractions > 0.01, axis=2)[gradient.labels > 0]
    assert set(np.unique(mixed)) == {1, 2}
    assert (mixed == 2).mean() > 0.7


def test_displaced_frames_and_a_blurred_probe_change_the_measurement_only():
    plain, moved, blurred = (
        independent_particle((40, 50), seed=4, dose=BRIGHT, **how)
        for how in ({}, {"misalignment": 1.0}, {"blur": 1.5})
    )
    np.testing.assert_array_equal(plain.labels, moved.labels)
    np.testing.assert_array_equal(plain.labels, blurred.labels)
    for other in (moved, blurred):
        assert (
            density_error(other, library(other.optical_density.energy).spectra) > 0.05
        )


def test_a_seed_repeats_and_particles_differ():
    first, second = independent_particles(2, (24, 30), seed=5)
    again = independent_particles(2, (24, 30), seed=5)[0]
    np.testing.assert_array_equal(first.counts.data, again.counts.data)
    assert (first.counts.data != second.counts.data).any()


@pytest.mark.parametrize("share", [0.05, 0.01, 0.001])
def test_the_minor_phase_has_its_share_of_the_area(share):
    simulated = minor_phase_particle(share)
    assert np.mean(simulated.labels == 5) == pytest.approx(share, rel=0.05)


def test_an_unknown_arrangement_is_refused():
    with pytest.raises(InputError, match="arrangement"):
        independent_particle(arrangement="stripes")
