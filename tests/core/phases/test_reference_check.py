"""Mistakes that were put in are found, and none where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.distortion import undistorted
from napari_phasemap.core.phases.posterior import posterior_map
from napari_phasemap.core.phases.reference_check import check_references
from napari_phasemap.core.prepare.preprocess import optical_density
from napari_phasemap.core.simulate import synthetic
from napari_phasemap.core.simulate.independent import (
    independent_particle,
    independent_particles,
)
from napari_phasemap.core.simulate.independent_spectra import library


def measured(seed=7, n_particles=3, **options):
    particles = independent_particles(n_particles, (72, 90), seed=seed, **options)
    stacks = StackSet([one.optical_density for one in particles])
    return particles, stacks, np.concatenate([one.true_labels for one in particles])


@pytest.fixture(scope="module")
def right():
    _, stacks, _ = measured()
    return stacks, check_references(stacks, library())


@pytest.fixture(scope="module")
def shifted():
    _, stacks, truth = measured(shift=0.08)
    return stacks, truth, check_references(stacks, library())


def test_right_references_are_left_alone(right):
    stacks, report = right
    assert report.suggested == ()
    assert abs(report.distortion.shift) < 2 * report.distortion.shift_error
    assert "agree" in report.summary()
    applied, references = report.apply()
    assert applied is stacks
    assert references is report.references
    forced, moved = report.apply([one.name for one in report.corrections])
    before, after = posterior_map(stacks, library()), posterior_map(forced, moved)
    assert np.mean(before.labels != after.labels) < 0.015


@pytest.mark.parametrize("shift", [0.08, -0.15, 0.33])
def test_a_shift_is_found_to_20_meV(shift):
    _, stacks, _ = measured(shift=shift, n_particles=2)
    report = check_references(stacks, library())
    assert report.distortion.shift == pytest.approx(shift, abs=0.02)
    assert "energy shift" in report.suggested


def test_the_shift_of_the_first_simulator_is_found_and_mended():
    particles = synthetic.particles(3, (72, 90), seed=4, energy_drift=0.08)
    stacks = StackSet([one.optical_density for one in particles])
    truth = np.concatenate([one.true_labels for one in particles])
    references = synthetic.references()
    report = check_references(stacks, references)
    assert report.distortion.shift == pytest.approx(0.08, abs=0.02)
    before = np.mean(posterior_map(stacks, references).labels == truth)
    after = np.mean(posterior_map(*report.apply()).labels == truth)
    assert after > max(0.93, before + 0.15)


def test_the_effect_is_told_and_is_what_applying_does(shifted):
    stacks, truth, report = shifted
    corrected, references = report.apply()
    before, after = (
        posterior_map(stacks, library()),
        posterior_map(corrected, references),
    )
    correction = report.corrections[0]
    assert correction.n_changed == np.count_nonzero(before.labels != after.labels)
    share = 100 * correction.n_changed / stacks.n_pixels
    assert f"moves {share:.1f} % of the pixels" in report.summary()
    assert_allclose(correction.after, after.fractions())
    assert np.mean(after.labels == truth) > 0.93


def test_nothing_is_changed_in_place_and_the_history_says_what_was_done(shifted):
    stacks, _, report = shifted
    before = stacks[0].history
    corrected, references = report.apply()
    assert stacks[0].history == before
    assert "energy shift" in corrected[0].history[-1]
    assert np.shares_memory(corrected[0].data, stacks[0].data)
    shift = report.distortion.shift
    assert_allclose(references.energy[1:], library().energy + shift)
    assert references.energy[0] == library().energy[0]  # the first value is kept


def test_stray_light_is_found_and_taken_out():
    particles, stacks, _ = measured(dose=20000.0)
    bright = []
    for one in particles:
        counts = np.asarray(one.counts.data) + 0.04 * one.i0[:, None, None]
        spoiled = replace(one.counts, data=counts.astype(np.float32))
        density = optical_density(spoiled, one.i0 * 1.04)
        bright.append(density.with_mask(one.optical_density.mask))
    report = check_references(bright, library())
    assert report.distortion.stray == pytest.approx(0.04, abs=0.008)
    corrected, _ = report.apply(["stray light"])
    assert_allclose(
        np.median(corrected.spectra(), axis=0),
        np.median(stacks.spectra(), axis=0),
        atol=0.02,
    )


def test_an_error_of_i0_at_one_energy_is_found_there_and_taken_out():
    _, stacks, _ = measured()
    spoiled = []
    for stack in stacks:
        data = np.array(stack.data)
        data[9] += np.float32(np.log(1.05))
        spoiled.append(replace(stack, data=data))
    report = check_references(spoiled, library())
    assert int(np.abs(report.distortion.offsets[0]).argmax()) == 9
    assert "I0" in report.suggested
    corrected, _ = report.apply(["I0", "baseline"])
    before = np.median(spoiled[0].spectra() - stacks[0].spectra(), axis=0)
    after = np.median(corrected[0].spectra() - stacks[0].spectra(), axis=0)
    assert np.abs(after).max() < 0.35 * np.abs(before).max()


def test_every_particle_may_have_its_own_error_of_i0():
    _, stacks, _ = measured()
    spoiled = []
    for number, stack in enumerate(stacks):
        data = np.array(stack.data)
        data[9] += np.float32(0.04 * (number - 1))
        spoiled.append(replace(stack, data=data))
    report = check_references(spoiled, library(), per_particle=True)
    rest = report.distortion.offsets[:, 9]
    assert_allclose(rest, [-0.04, 0.0, 0.04], atol=0.012)


def test_stray_light_out_and_in_again_is_the_same():
    density = np.linspace(0.0, 2.0, 7)
    stray = 0.03
    seen = -np.log((np.exp(-density) + stray) / (1 + stray)) + 0.1
    assert_allclose(undistorted(seen, stray, np.full(7, 0.1)), density)
    assert np.isnan(undistorted(np.array([5.0]), 0.1, np.zeros(1))).all()


def test_sparse_references_are_told_that_a_shift_cannot_be_fitted(right):
    stacks, _ = right
    sparse = library(stacks.energy)
    report = check_references(stacks, sparse)
    assert np.isnan(report.distortion.shift)
    assert "dense axis" in report.summary()
    assert report.suggested == ()
    with pytest.raises(InputError, match="cannot be fitted"):
        report.apply(["energy shift"])


def test_other_shapes_are_warned_of_with_the_energies():
    _, stacks, _ = measured(wrong_shapes=2.0)
    warned = "\n".join(check_references(stacks, library()).warnings)
    assert "its shape may be another" in warned
    assert "505.0 eV" in warned


def test_a_phase_that_is_another_one_correlates_badly_everywhere():
    charged = independent_particle((72, 90), seed=7, charge=1.0)
    report = check_references(charged.optical_density, library().select(["A", "B"]))
    assert "best pixels of B" in report.summary()
    assert "where noise would allow" in report.summary()


def test_pairs_that_noise_hides_are_named():
    _, stacks, _ = measured(dose=150.0)
    warned = "\n".join(check_references(stacks, library()).warnings)
    assert "A pixel alone confuses" in warned


def test_right_references_at_this_dose_are_not_warned_of(right):
    _, report = right
    assert report.warnings == ()


def test_what_cannot_be_checked_is_refused_in_words(right):
    stacks, report = right
    tiny = np.zeros(stacks[0].shape, dtype=bool)
    tiny[30:34, 40:44] = True
    with pytest.raises(InputError, match="larger area"):
        check_references(stacks[0].with_mask(tiny), library())
    with pytest.raises(InputError, match="checked on optical density"):
        check_references(replace(stacks[0], quantity="net_counts"), library())
    with pytest.raises(InputError, match="no correction"):
        report.apply(["thickness"])


def test_the_stacks_that_were_given_keep_their_data(shifted):
    stacks, _, report = shifted
    copy = np.array(stacks[0].data)
    report.apply(["stray light", "I0"])
    assert_array_equal(stacks[0].data, copy)
