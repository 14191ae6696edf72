from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.prepare.energy_axis import (
    calibrate_energy,
    crop_energies,
    subtract_pre_edge,
)

ENERGY = np.array([505.0, 510.0, 514.0, 517.5, 525.0])


def make_od(data, energy=ENERGY, **options):
    return SpectralStack(data, energy, quantity="optical_density", **options)


def test_crop_keeps_both_limits_without_copying():
    stack = make_od(np.random.default_rng(0).random((5, 2, 3), dtype=np.float32))
    cropped = crop_energies(stack, low=510.0, high=517.5)
    assert_array_equal(cropped.energy, ENERGY[1:4])
    assert_array_equal(cropped.data, stack.data[1:4])
    assert np.shares_memory(cropped.data, stack.data)
    assert "3 of 5 energies" in cropped.history[-1]


def test_crop_to_nothing_names_both_ranges():
    with pytest.raises(ValueError, match=r"505-525 eV.*600 to 700 eV"):
        crop_energies(make_od(np.zeros((5, 1, 1))), low=600, high=700)


def test_calibration_moves_labels_and_leaves_values():
    stack = make_od(np.random.default_rng(1).random((5, 2, 2)))
    moved = calibrate_energy(stack, shift=-0.25)
    assert_allclose(moved.energy, ENERGY - 0.25)
    assert moved.data is stack.data or np.shares_memory(moved.data, stack.data)
    assert_allclose(calibrate_energy(moved, shift=0.25).energy, ENERGY)
    with pytest.raises(ValueError, match="finite"):
        calibrate_energy(stack, shift=np.nan)


def test_a_straight_pre_edge_is_removed_exactly():
    rng = np.random.default_rng(2)
    level, slope = rng.random((2, 3, 4))
    edge = np.where(ENERGY > 515, 1.0, 0.0)[:, None, None] * rng.random((3, 4))
    data = level + slope * 0.01 * (ENERGY - 505)[:, None, None] + edge
    flat = subtract_pre_edge(make_od(data), window=(500, 515))
    assert flat.data.dtype == np.float32
    assert_allclose(flat.data, edge, atol=1e-6)
    assert "3 energies" in flat.history[-1]


def test_one_energy_in_the_window_sets_the_level():
    data = np.random.default_rng(3).random((5, 2, 2))
    flat = subtract_pre_edge(make_od(data), window=(504, 506))
    assert_allclose(flat.data, data - data[0], atol=1e-6)


def test_missing_frames_are_not_fitted_and_stay_missing():
    data = np.tile((0.1 * ENERGY)[:, None, None], (1, 2, 2))
    data[1] = np.nan
    flat = subtract_pre_edge(make_od(data), window=(500, 515))
    assert flat.missing_frames.tolist() == [False, True, False, False, False]
    assert_allclose(np.delete(flat.data, 1, axis=0), 0, atol=1e-4)


def test_pixels_with_nan_stay_alone():
    data = np.random.default_rng(4).random((5, 2, 2))
    data[:, 0, 1] = np.nan
    flat = subtract_pre_edge(make_od(data), window=(500, 515))
    assert np.isnan(flat.data[:, 0, 1]).all()
    assert np.isfinite(np.delete(flat.data.reshape(5, 4), 1, axis=1)).all()


def test_counts_and_an_empty_window_are_refused():
    stack = SpectralStack(np.ones((5, 1, 1)), ENERGY)
    with pytest.raises(ValueError, match="optical_density first"):
        subtract_pre_edge(stack, window=(500, 515))
    with pytest.raises(ValueError, match=r"505-525 eV.*window 506-507 eV"):
        subtract_pre_edge(make_od(np.ones((5, 1, 1))), window=(506, 507))


@pytest.mark.parametrize("name", ["oxidized", "reduced"])
def test_real_end_members_differ_from_the_authors_by_a_line_only(real_data, name):
    # Known: the authors' .t is 1.002 times their .r less a line, to 0.0011 rms.
    folder = real_data / "als-toner-71214078-fe2p" / "answers"
    energy, raw = np.loadtxt(folder / f"{name}.r").T
    theirs = np.loadtxt(folder / f"{name}.t")[:, 1]
    stack = make_od(raw[:, None, None], energy)
    ours = subtract_pre_edge(stack, window=(700, 705)).data.ravel()
    columns = np.stack([ours, np.ones_like(energy), energy - 715], axis=1)
    (scale, *_), residual, *_ = np.linalg.lstsq(columns, theirs, rcond=None)
    assert_allclose(scale, 1.002, atol=3e-4)
    assert np.sqrt(residual[0] / energy.size) < 0.0012
    assert abs(ours[energy <= 705].mean()) < 1e-5
    assert abs(raw[energy <= 705].mean()) > 0.5
