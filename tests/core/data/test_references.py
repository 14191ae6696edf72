from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_phasemap.core.data.references import ReferenceSpectra

ENERGY = [1.0, 2.0, 4.0]


def test_interpolation_is_linear_and_exact_on_the_own_axis():
    references = ReferenceSpectra(["a", "b"], ENERGY, [[0, 1, 3], [5, 5, 1]])
    assert_allclose(references.resample([1.5, 3.0]).spectra, [[0.5, 2.0], [5.0, 3.0]])
    assert_array_equal(references.resample(ENERGY).spectra, references.spectra)


@pytest.mark.parametrize("target", [[0.9, 2.0], [2.0, 4.1], [0.5, 5.0]])
def test_nothing_is_extrapolated(target):
    references = ReferenceSpectra(["a"], ENERGY, [[0, 1, 3]])
    with pytest.raises(ValueError, match=r"not covered.*'a'.*1-4 eV"):
        references.resample(target)


def test_correlation_equals_numpy():
    spectra = np.random.default_rng(0).random((4, 20))
    references = ReferenceSpectra("abcd", np.arange(20.0), spectra)
    assert_allclose(references.correlation(), np.corrcoef(spectra), atol=1e-12)


def test_the_closest_pair_sets_the_smallest_threshold():
    x = np.linspace(0, 1, 30)
    spectra = [np.sin(6 * x), np.cos(6 * x), np.sin(6 * x + 0.1)]
    references = ReferenceSpectra(["s", "c", "t"], x, spectra)
    first, second, gap = references.closest_pair()
    assert (first, second) == ("s", "t")
    assert_allclose(gap, 1 - np.corrcoef(spectra[0], spectra[2])[0, 1])


def test_references_of_one_shape_are_said_to_be_indistinguishable():
    x = np.linspace(0, 1, 30)
    references = ReferenceSpectra("abc", x, [x**2, 3 * x**2 + 1, x**3])
    assert references.indistinguishable_pairs() == [("a", "b")]


def test_a_constant_reference_correlates_with_nothing():
    references = ReferenceSpectra("ab", ENERGY, [[1, 1, 1], [0, 1, 3]])
    assert np.isnan(references.correlation()[0]).all()


def test_selection_keeps_the_order_asked_for():
    references = ReferenceSpectra("abc", ENERGY, np.eye(3))
    chosen = references.select(["c", "a"])
    assert chosen.names == ("c", "a")
    assert_array_equal(chosen.spectra, np.eye(3)[[2, 0]])
    with pytest.raises(ValueError, match=r"no reference .*'x'"):
        references.select(["x"])


@pytest.mark.parametrize(
    ("names", "energy", "spectra", "message"),
    [
        ([], ENERGY, np.empty((0, 3)), "at least one"),
        (["a", "a"], ENERGY, np.ones((2, 3)), "repeat"),
        (["a"], ENERGY, [[1, 2]], r"\(1, 2\)"),
        (["a"], [1, 3, 2], [[1, 2, 3]], "increase"),
        (["a", "b"], ENERGY, [[1, 2, 3], [1, np.nan, 3]], "not finite: b"),
        (["a"], [1.0], [[1.0]], "two or more"),
    ],
)
def test_what_does_not_fit_is_refused(names, energy, spectra, message):
    with pytest.raises(ValueError, match=message):
        ReferenceSpectra(names, energy, spectra)


def test_a_single_reference_has_no_pair():
    with pytest.raises(ValueError, match="got 1"):
        ReferenceSpectra(["a"], ENERGY, [[0, 1, 3]]).closest_pair()


def test_values_cannot_be_written():
    references = ReferenceSpectra(["a"], ENERGY, [[0, 1, 3]])
    with pytest.raises(ValueError, match="read-only"):
        references.spectra[0, 0] = 1


def test_a_pair_that_cannot_be_correlated_is_never_the_closest():
    rows = [[0, 1, 3], [2, 2, 2], [3, 1, 0]]
    references = ReferenceSpectra(["a", "flat", "c"], ENERGY, rows)
    first, second, gap = references.closest_pair()
    assert (first, second) == ("a", "c")
    assert_allclose(gap, 1 - np.corrcoef(rows[0], rows[2])[0, 1])


def test_the_text_names_the_range():
    text = repr(ReferenceSpectra(["a"], ENERGY, [[0, 1, 3]]))
    assert "3 energies, 1-4 eV" in text
    assert "0 .. 3" in text


def test_the_ends_of_the_range_are_covered():
    references = ReferenceSpectra(["a"], ENERGY, [[0, 1, 3]])
    assert_allclose(references.resample([1.0, 4.0]).spectra, [[0, 3]])
