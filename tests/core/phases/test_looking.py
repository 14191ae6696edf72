from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.baselines import fit_spectrum
from napari_phasemap.core.phases.comparing import compare_selections
from napari_phasemap.core.phases.curves import Curve, curve_table, shown_as
from napari_phasemap.core.phases.peaks import find_edge, find_peaks

ENERGY = np.array([515.0, 516.0, 517.0, 518.5, 520.0, 523.0])


def test_a_multiple_of_the_standard_differs_by_nothing_and_has_the_ratio_one() -> None:
    standard = np.array([0.1, 0.3, 0.9, 0.4, 0.2, 0.2])
    curve = Curve("x", 2.5 * standard, np.full(6, 0.1), "#000000")
    np.testing.assert_allclose(
        shown_as(curve, "difference", standard).values, 0, atol=1e-15
    )
    ratio = shown_as(curve, "ratio", standard)
    np.testing.assert_allclose(ratio.values, 1)
    assert ratio.spread is None
    assert shown_as(curve, "as measured") is curve


def test_normalized_curves_have_mean_zero_and_width_one_with_their_band() -> None:
    values = np.array([1.0, 3.0, 1.0, 3.0])
    shown = shown_as(Curve("x", values, np.full(4, 0.5)), "normalized")
    assert shown.values.tolist() == [-1, 1, -1, 1]
    assert shown.spread is not None
    assert shown.spread.tolist() == [0.5] * 4


def test_a_difference_needs_something_to_differ_from() -> None:
    with pytest.raises(ValueError, match="difference needs a spectrum"):
        shown_as(Curve("x", ENERGY), "difference")


def test_a_table_has_a_column_per_curve_and_per_spread() -> None:
    curves = [Curve("a", ENERGY + 1, ENERGY * 0), Curve("b", ENERGY + 2)]
    headings, numbers = curve_table(ENERGY, curves)
    assert headings == ("energy (eV)", "a", "a spread", "b")
    assert numbers[1].tolist() == [516, 517, 0, 518]


def test_the_top_of_a_parabola_is_found_between_uneven_energies() -> None:
    values = 5.0 - (ENERGY - 517.4) ** 2
    np.testing.assert_allclose(find_peaks(ENERGY, values), [517.4], atol=1e-9)


def test_the_highest_peaks_are_told_and_ripples_are_not() -> None:
    energy = np.arange(0.0, 60.0)
    values = sum(
        height * np.exp(-0.5 * ((energy - at) / 1.5) ** 2)
        for at, height in ((10, 1.0), (25, 0.5), (40, 0.02), (50, 0.8))
    )
    np.testing.assert_allclose(find_peaks(energy, values), [10, 25, 50], atol=0.01)
    np.testing.assert_allclose(
        find_peaks(energy, values, n_most=2), [10, 50], atol=0.01
    )
    assert not find_peaks(energy, np.full(60, np.nan)).size
    assert not find_peaks(energy, np.ones(60)).size


def test_the_edge_is_where_an_arctangent_is_steepest() -> None:
    energy = np.arange(500.0, 540.0, 0.5)
    assert find_edge(energy, np.arctan((energy - 517.25) / 0.7)) == 517.25
    assert find_edge(energy, -energy) is None
    assert find_edge(energy, np.full(80, np.nan)) is None


def test_a_fit_leaves_what_no_positive_factor_explains() -> None:
    standards = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]])
    factors, residual = fit_spectrum([2.0, -1.0, np.nan, 0.5], standards)
    assert factors.tolist() == [2, 0, 0]
    np.testing.assert_array_equal(residual, [0, -1, np.nan, 0.5])


@pytest.fixture
def stacks() -> StackSet:
    rng = np.random.default_rng(4)
    shapes = ((5, 7), (4, 6))
    return StackSet(
        [SpectralStack(rng.random((6, *s)), ENERGY, name=f"P{s[0]}") for s in shapes]
    )


def test_two_selections_are_compared_as_by_hand(stacks: StackSet) -> None:
    a, b = np.zeros(59, bool), np.zeros(59, bool)
    a[:10] = True
    b[8:50] = True
    labels = np.arange(59) % 3
    phases = PhaseMap(labels, labels * 0, labels * 0.0, labels * 0.0, ("x", "y"))
    found = compare_selections(stacks, a, b, phase_map=phases)
    spectra = stacks.spectra().astype(float)
    for row, one in enumerate((a, b)):
        np.testing.assert_allclose(found.mean[row], spectra[one].mean(axis=0))
        error = spectra[one].std(axis=0, ddof=1) / np.sqrt(one.sum())
        np.testing.assert_allclose(found.error[row], error, rtol=1e-6)
    np.testing.assert_allclose(found.difference, found.mean[1] - found.mean[0])
    expected = np.sqrt(found.error[0] ** 2 + found.error[1] ** 2)
    np.testing.assert_allclose(found.difference_error, expected)
    assert found.n_pixels.tolist() == [10, 42]
    assert found.n_common == 2
    assert found.phase_names == ("not assigned", "x", "y")
    assert found.phases.tolist() == [[4, 3, 3], [14, 14, 14]]
    assert found.particles.tolist() == [[10, 0], [27, 15]]
    np.testing.assert_allclose(found.shares(found.particles)[1], [900 / 14, 500 / 14])


def test_one_pixel_has_a_mean_and_no_error(stacks: StackSet) -> None:
    one, rest = np.arange(59) == 3, np.arange(59) > 10
    found = compare_selections(stacks, one, rest)
    assert np.isfinite(found.mean).all()
    assert np.isnan(found.error[0]).all()
    assert np.isnan(found.difference_error).all()
    assert found.phase_names == ()


def test_an_empty_selection_is_named(stacks: StackSet) -> None:
    some, none = np.ones(59, bool), np.zeros(59, bool)
    with pytest.raises(ValueError, match="selection B has no pixel"):
        compare_selections(stacks, some, none)
    with pytest.raises(ValueError, match="5 values for 59 pixels"):
        compare_selections(stacks, some[:5], none[:5])
