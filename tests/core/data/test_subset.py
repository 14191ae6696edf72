from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.data.subset import (
    exclude_pixels,
    keep_pixels,
    mean_spectrum,
    with_mean_spectrum,
    with_phase,
)

ENERGY = [280.0, 285.0, 292.0]


@pytest.fixture
def stacks():
    rng = np.random.default_rng(0)
    mask = np.ones((3, 4), bool)
    mask[0, 1] = False
    return StackSet(
        [
            SpectralStack(rng.random((3, 3, 4)), ENERGY, mask=mask, name="P1"),
            SpectralStack(rng.random((3, 2, 5)), ENERGY, name="P2"),
        ]
    )


def test_excluded_pixels_leave_the_masks_and_the_rest_keeps_its_order(stacks):
    excluded = np.zeros(stacks.n_pixels, bool)
    excluded[[0, 5, 12]] = True
    left = exclude_pixels(stacks, excluded)
    np.testing.assert_array_equal(left.spectra(), stacks.spectra()[~excluded])
    assert left[0].history[-1] == "excluded 2 selected pixels"
    assert left[0].mask.sum() == stacks[0].mask.sum() - 2
    assert not left[0].mask[0, 1]
    assert stacks.n_pixels == 21


def test_a_stack_that_loses_nothing_is_the_same_object(stacks):
    excluded = np.zeros(stacks.n_pixels, bool)
    excluded[-1] = True
    left = exclude_pixels(stacks, excluded)
    assert left[0] is stacks[0]
    assert left[1] is not stacks[1]


def test_excluding_everything_or_the_wrong_length_is_refused(stacks):
    with pytest.raises(ValueError, match="nothing is left"):
        exclude_pixels(stacks, np.ones(21, bool))
    with pytest.raises(ValueError, match="20 values for 21 pixels"):
        exclude_pixels(stacks, np.ones(20, bool))


@pytest.mark.parametrize("with_scores", [True, False])
def test_a_phase_map_keeps_the_values_of_the_pixels_that_remain(with_scores):
    phases = PhaseMap.from_scores([[0.9, 0.1], [0.2, 0.8], [0.4, 0.5]], ["a", "b"])
    if not with_scores:
        phases = PhaseMap(
            phases.labels, phases.runner_up, phases.best, phases.margin, phases.names
        )
    left = keep_pixels(phases, np.array([True, False, True]))
    assert left.labels.tolist() == [1, 2]
    assert left.best.tolist() == pytest.approx([0.9, 0.5])
    assert (left.scores is not None) == with_scores
    with pytest.raises(ValueError, match="2 values for 3"):
        keep_pixels(phases, np.array([True, False]))


def test_the_mean_spectrum_of_one_pixel_is_its_spectrum_and_nan_is_left_out():
    stacks = StackSet([SpectralStack([[[1.0, 5.0]], [[2.0, np.nan]]], [1.0, 2.0])])
    assert mean_spectrum(stacks, np.array([True, False])).tolist() == [1.0, 2.0]
    assert mean_spectrum(stacks, np.array([True, True])).tolist() == [3.0, 2.0]
    alone = mean_spectrum(stacks, np.array([False, True]))
    np.testing.assert_array_equal(alone, [5.0, np.nan])


def test_the_mean_spectrum_runs_over_particles(stacks):
    selected = np.zeros(stacks.n_pixels, bool)
    selected[[1, 2, 15]] = True
    expected = stacks.spectra()[selected].mean(axis=0)
    np.testing.assert_allclose(mean_spectrum(stacks, selected), expected, rtol=1e-6)


def test_the_mean_leaves_nan_out_and_needs_a_pixel():
    data = np.ones((2, 1, 3), np.float32)
    data[0, 0, 1] = np.nan
    data[:, 0, 2] = 3.0
    stacks = StackSet([SpectralStack(data, [1.0, 2.0])])
    mean = mean_spectrum(stacks, np.ones(3, bool))
    np.testing.assert_allclose(mean, [2.0, 5 / 3])
    with pytest.raises(ValueError, match="mean of no pixel"):
        mean_spectrum(stacks, np.zeros(3, bool))


def test_a_mean_spectrum_joins_the_references_at_the_energies_of_the_stacks(stacks):
    wide = ReferenceSpectra(["iron"], [270.0, 300.0], [[0.0, 3.0]])
    selected = np.arange(stacks.n_pixels) < 2
    joined = with_mean_spectrum(wide, stacks, selected, "mine")
    assert joined.names == ("iron", "mine")
    np.testing.assert_allclose(joined.spectra[0], [1.0, 1.5, 2.2])
    alone = with_mean_spectrum(None, stacks, selected, "mine")
    np.testing.assert_allclose(alone.spectra[0], joined.spectra[1])
    with pytest.raises(ValueError, match="repeat"):
        with_mean_spectrum(joined, stacks, selected, "mine")


def test_a_new_phase_has_a_free_color_and_no_pixel():
    phases = PhaseMap.from_scores([[0.9, 0.1], [0.2, 0.8]], ["a", "b"])
    more = with_phase(phases, "c")
    assert more.names == ("a", "b", "c")
    assert len(set(more.colors)) == 3
    assert np.isnan(more.scores[:, 2]).all()
    assert more.with_labels(np.array([3, 2])).labels.tolist() == [3, 2]
    with pytest.raises(ValueError, match="not a new phase"):
        with_phase(phases, "a")


def test_the_mean_knows_masks_and_missing_frames():
    data = np.arange(4 * 2 * 3, dtype=np.float32).reshape(4, 2, 3)
    data[1] = np.nan
    mask = np.array([[True, False, True], [True, True, False]])
    stack = SpectralStack(data, [1.0, 2.0, 3.0, 4.0], mask=mask)
    stacks = StackSet([stack])
    mean = mean_spectrum(stacks, np.array([True, False, True, True]))
    used = [0, 2, 3]
    assert stacks.energy.tolist() == [1.0, 3.0, 4.0]
    np.testing.assert_allclose(mean, data[used][:, mask][:, used].mean(axis=1))


def test_a_new_phase_takes_the_first_color_that_is_free():
    from napari_phasemap.core.data.palettes import phase_colors

    phases = PhaseMap.from_scores([[0.9, 0.1]], ["a", "b"])
    assert phases.with_colors(phase_colors(2)).colors == tuple(phase_colors(2))
    grown = with_phase(phases, "new")
    assert grown.colors[-1] == phase_colors(3)[2]
    assert len(set(grown.colors)) == 3
