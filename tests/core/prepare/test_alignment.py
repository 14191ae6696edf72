from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import fourier_shift, gaussian_filter

from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.prepare import registration
from napari_phasemap.core.prepare.alignment import (
    align,
    estimate_shifts,
    register_frames,
)
from napari_phasemap.core.prepare.registration import pair_shift, spectrum_of

SHAPE = (60, 90)


def drifting_stack(drift, noise=0.0, seed=0):
    """A textured particle on empty background that changes contrast and drifts."""
    rng = np.random.default_rng(seed)
    rows, cols = np.indices(SHAPE)
    texture = gaussian_filter(rng.normal(size=SHAPE), 3) * 20
    disk = np.hypot((rows - 30) / 0.8, cols - 44) < 24
    particle = gaussian_filter(np.where(disk, 2.0 + texture, 0.0), 1)
    frames = []
    for number, shift in enumerate(drift):
        contrast = 0.4 + 0.6 * abs(np.sin(number))
        moved = np.fft.ifft2(fourier_shift(np.fft.fft2(particle), shift)).real
        frames.append(contrast * moved + noise * rng.normal(size=SHAPE))
    energy = 500.0 + np.arange(len(drift))
    return SpectralStack(frames, energy, quantity="optical_density", name="P1")


def random_walk(n, step=0.7, seed=1):
    walk = np.random.default_rng(seed).normal(0, step, (n, 2)).cumsum(axis=0)
    return walk - walk.mean(axis=0)


@pytest.mark.parametrize("reference", ["neighbor", "mean"])
def test_a_known_drift_is_found_on_an_image_that_is_not_square(reference):
    drift = random_walk(13)
    stack = drifting_stack(drift, noise=0.02)
    shifts = estimate_shifts(stack, reference=reference)
    assert shifts.shape == (13, 2)
    assert_allclose(shifts, -drift, atol=0.3)


def test_no_drift_gives_no_shift():
    shifts = estimate_shifts(drifting_stack(np.zeros((6, 2))))
    assert_allclose(shifts, 0, atol=0.051)


def test_aligned_frames_lie_on_each_other():
    drift = random_walk(10, seed=2)
    stack = drifting_stack(drift)
    aligned = align(stack, estimate_shifts(stack))

    def spread(which):
        # contrast changes on purpose, so frames are compared by their correlation
        spectra = which.data[:, 15:45, 20:70].reshape(10, -1)
        return np.corrcoef(spectra).min()

    assert spread(aligned) > 0.98
    assert spread(stack) < spread(aligned) - 0.02
    assert "aligned" in aligned.history[-1]


def largest_error(shifts, drift):
    error = shifts + drift
    return np.hypot(*(error - np.median(error, axis=0)).T).max()


def test_a_frame_that_cannot_be_placed_is_named_and_carries_no_other_away():
    drift = random_walk(13, step=0.3, seed=3)
    data = drifting_stack(drift).data.copy()
    data[6] = np.random.default_rng(4).normal(size=SHAPE)
    found = register_frames(SpectralStack(data, np.arange(13.0)))
    others = np.delete(np.arange(13), 6)
    assert largest_error(found.shifts[others], drift[others]) < 0.1
    assert np.flatnonzero(~found.placed).tolist() == [6]
    assert np.isnan(found.standard_error[6])
    assert_allclose(found.shifts[6], (found.shifts[5] + found.shifts[7]) / 2)


@pytest.mark.parametrize("jumps", [(7,), (0,), (14,), (3, 7, 11)], ids=str)
def test_frames_that_jumped_are_followed_and_move_no_other(jumps):
    drift = random_walk(15, step=0.3, seed=7)
    drift[list(jumps)] += [9, -7]
    found = register_frames(drifting_stack(drift, noise=0.02))
    assert found.placed.all()
    assert largest_error(found.shifts, drift) < 0.25


def test_frames_after_a_lasting_jump_are_followed():
    drift = random_walk(12, step=0.3, seed=8)
    drift[5:] += [-6, 8]
    found = register_frames(drifting_stack(drift, noise=0.02))
    assert found.placed.all()
    assert largest_error(found.shifts, drift) < 0.25


def test_the_stated_error_is_about_that_of_the_shifts():
    drift = random_walk(20, step=0.3, seed=9)
    quiet = register_frames(drifting_stack(drift, noise=0.05))
    noisy = register_frames(drifting_stack(drift, noise=0.4))
    assert np.median(noisy.standard_error) > 2 * np.median(quiet.standard_error)
    assert np.median(noisy.standard_error) < 0.5


@pytest.mark.parametrize("shape", [(64, 90), (61, 87), (33, 40)], ids=str)
def test_one_pair_gives_its_shift_on_even_and_odd_images(shape):
    frame = gaussian_filter(np.random.default_rng(10).normal(size=shape), 1.5)
    moved = np.roll(frame, (2, -1), axis=(0, 1)).astype(np.float32)
    pair = pair_shift(spectrum_of(moved), spectrum_of(frame.astype(np.float32)))
    assert_allclose(pair.shift, [2, -1], atol=0.3)
    assert 0.5 < pair.likeness <= 1
    assert pair.second < 0.5
    itself = pair_shift(spectrum_of(moved), spectrum_of(moved))
    assert_allclose(itself.shift, 0.0, atol=1e-6)
    assert itself.likeness == pytest.approx(1.0, abs=1e-4)


def triangle(monkeypatch, m):
    """Register three frames whose steps 1 + m, 1 and 2 do not close by m."""
    steps = {(0, 1): 1.0 + m, (1, 2): 1.0, (0, 2): 2.0}

    def measured(first, second, *, upsample):
        return registration.Pair(np.array([steps[first, second], 0.0]), 1.0, 0.1)

    monkeypatch.setattr(registration, "pair_shift", measured)
    return registration.register(range(3), lambda number: number)


def test_a_triangle_that_does_not_close_shares_its_error_equally(monkeypatch):
    """Each step gives a third of m; the error by hand is m / sqrt(27)."""
    m = 0.03
    found = triangle(monkeypatch, m)
    rows = [-1.0 - m / 3, m / 3, 1.0]
    assert_allclose(found.shifts, np.stack([rows, [0.0] * 3], axis=1), atol=1e-4)
    assert_allclose(found.standard_error, m / np.sqrt(27), rtol=0.01)
    assert found.placed.all()
    assert not triangle(monkeypatch, 1.8).placed.any()


def test_a_single_frame_stays_where_it_is():
    found = registration.register([0], lambda number: number)
    assert found.shifts.tolist() == [[0.0, 0.0]]
    assert np.isnan(found.standard_error).all()


@pytest.mark.parametrize("shape", [(500, 470), (471, 399)], ids=str)
def test_large_images_are_searched_on_a_coarser_grid_without_loss(shape):
    rng = np.random.default_rng(11)
    frame = gaussian_filter(rng.normal(size=shape), 4).astype(np.float32)
    moved = np.roll(frame, (-33, 61), axis=(0, 1))
    pair = pair_shift(spectrum_of(moved), spectrum_of(frame))
    assert_allclose(pair.shift, [-33, 61], atol=0.051)


def test_missing_frames_are_interpolated_and_stay_missing():
    drift = random_walk(8, seed=5)
    data = drifting_stack(drift).data.copy()
    data[3] = np.nan
    stack = SpectralStack(data, np.arange(8.0))
    shifts = estimate_shifts(stack)
    assert_allclose(shifts[3], (shifts[2] + shifts[4]) / 2)
    aligned = align(stack, shifts)
    assert aligned.missing_frames.tolist() == [i == 3 for i in range(8)]
    assert aligned.mask.sum() > 0.7 * aligned.mask.size


def test_whole_pixels_are_moved_without_changing_a_value():
    data = np.random.default_rng(6).random((2, 7, 11), dtype=np.float32)
    aligned = align(SpectralStack(data, [1, 2]), [[0, 0], [2, -3]], order=0)
    assert_array_equal(aligned.data[0], data[0])
    assert_array_equal(aligned.data[1][2:, :-3], data[1][:-2, 3:])
    expected = np.zeros((7, 11), dtype=bool)
    expected[2:, :-3] = True
    assert_array_equal(aligned.mask, expected)
    assert np.isnan(aligned.data[1][~expected]).all()
    assert "37 pixels" in aligned.history[-1]


@pytest.mark.parametrize("order", [1, 3])
def test_half_pixels_are_interpolated(order):
    ramp = np.tile(np.arange(20.0), (10, 1))
    aligned = align(
        SpectralStack([ramp, ramp], [1, 2]), [[0, 0], [0, 0.5]], order=order
    )
    inner = aligned.data[1][:, 6:14]
    assert_allclose(inner, ramp[:, 6:14] - 0.5, atol=5e-3)


def test_pixels_without_a_value_spread_no_further_than_their_neighbors():
    data = np.ones((2, 12, 15))
    data[1, 6, 7] = np.nan
    stack = SpectralStack(data, [1, 2])
    aligned = align(stack, [[0, 0], [0.5, 0]])
    lost = np.argwhere(~aligned.mask[1:]) + np.array([1, 0])  # row 0 has moved in
    assert [6, 7] in lost.tolist()
    assert np.abs(lost - [6, 7]).max() == 1
    with pytest.raises(ValueError, match=r"frame at 2 eV .* order 1"):
        align(stack, [[0, 0], [0.5, 0]], order=3)


def test_an_earlier_mask_is_kept():
    mask = np.eye(12, 15)
    stack = SpectralStack(np.ones((2, 12, 15)), [1, 2], mask=mask)
    assert_array_equal(align(stack, np.zeros((2, 2))).mask, mask.astype(bool))


@pytest.mark.parametrize(
    ("shifts", "options", "message"),
    [
        (np.zeros((3, 2)), {}, r"\(3, 2\).*\(2, 2\)"),
        ([[0, 0], [0, np.nan]], {}, "finite"),
        ([[0, 0], [0, 0]], {"order": 9}, "got 9"),
        ([[-50, 0], [50, 0]], {}, "no pixel"),
    ],
)
def test_unusable_shifts_are_refused(shifts, options, message):
    stack = SpectralStack(np.ones((2, 12, 15)), [1, 2])
    with pytest.raises(ValueError, match=message):
        align(stack, shifts, **options)


def test_tiny_images_and_unknown_references_are_refused():
    with pytest.raises(ValueError, match="at least 8"):
        estimate_shifts(SpectralStack(np.ones((2, 3, 90)), [1, 2]))
    with pytest.raises(ValueError, match="neighbor, mean"):
        estimate_shifts(SpectralStack(np.ones((2, 9, 9)), [1, 2]), reference="first")


def test_blank_frames_do_not_move():
    shifts = estimate_shifts(SpectralStack(np.ones((3, 9, 9)), [1, 2, 3]))
    assert_array_equal(shifts, 0)


def test_progress_can_stop():
    def stop(done, total, text):
        raise Cancelled

    stack = drifting_stack(np.zeros((3, 2)))
    with pytest.raises(Cancelled):
        estimate_shifts(stack, on_progress=stop)
    with pytest.raises(Cancelled):
        align(stack, np.zeros((3, 2)), on_progress=stop)


def test_the_real_aligned_stack_needs_hardly_any_shift(real_data):
    tifffile = pytest.importorskip("tifffile")
    folder = real_data / "als-toner-71214078-fe2p" / "derived"
    counts = tifffile.imread(folder / "71214078_counts.tif")[::6]
    shifts = estimate_shifts(SpectralStack(counts, np.arange(float(len(counts)))))
    assert np.abs(shifts).max() < 1.5
