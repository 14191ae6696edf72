from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap import ReferenceSpectra, match_references
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.phases.matching import alike, similarity
from napari_phasemap.core.simulate import synthetic


def test_the_measures_are_those_of_their_definitions():
    energy = np.array([0.0, 1.0, 3.0, 4.0, 6.0])
    a, b = np.array([0.0, 2.0, 1.0, 3.0, 1.0]), np.array([1.0, 3.0, 4.0, 2.0, 2.0])
    got = similarity(a[None], np.array([b, a, 3 * a + 1, np.ones(5)]), energy)[0]
    scaled = [v - v.min() for v in (a, b)]
    scaled = [v / np.trapezoid(v, energy) for v in scaled]
    expected = [
        np.corrcoef(a, b)[0, 1],
        np.corrcoef(np.gradient(a, energy), np.gradient(b, energy))[0, 1],
        1 - np.trapezoid(np.abs(scaled[0] - scaled[1]), energy) / 2,
    ]
    assert got[0] == pytest.approx(np.mean(expected))
    np.testing.assert_allclose(got[1:], [1.0, 1.0, 0.0], atol=1e-12)


def test_a_shifted_noisy_spectrum_finds_its_reference_and_the_shift():
    library = synthetic.references()
    moved = synthetic.references(energy_drift=-0.4)
    rng = np.random.default_rng(0)
    noisy = 2.0 * moved.spectra + 0.003 * rng.standard_normal(moved.spectra.shape)
    spectra = ReferenceSpectra([f"class {k}" for k in range(5)], moved.energy, noisy)
    matches = match_references(spectra, library, tolerance=0.6, same=1.0)
    for k, name in enumerate(library.names):
        best, score, shift = matches.ranking(f"class {k}")[0]
        assert best == (name,)
        assert shift == pytest.approx(-0.4, abs=0.051)
        assert matches.gap(k) == pytest.approx(score - matches.ranking(k)[1][1])
    wrong = match_references(spectra, library, same=1.0)
    assert wrong.ranking(4)[0][0] != ("Na1-yVPF",)
    assert "class 4" in repr(matches)


def test_references_that_nothing_tells_apart_are_grouped_not_ranked():
    energy = np.linspace(0.0, 20.0, 201)
    peak = np.exp(-0.5 * (energy - 8) ** 2)
    names = ["a", "b", "a again", "a moved"]
    rows = [peak, np.exp(-0.5 * (energy - 11) ** 2), 2 * peak + 1,
            np.exp(-0.5 * (energy - 8.5) ** 2)]  # fmt: skip
    library = ReferenceSpectra(names, energy, rows)
    assert alike(library) == (("a", "a again"), ("b",), ("a moved",))
    assert alike(library, tolerance=0.5) == (("a", "a again", "a moved"), ("b",))
    matches = match_references(library.select(["b"]), library)
    assert matches.ranking()[0][0] == ("b",)
    assert len(matches.ranking()) == 3


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"tolerance": -1.0}, "tolerance"),
        ({"same": 0.0}, "same is a correlation"),
        ({"tolerance": 24.99}, "1 energies in common within 24.99 eV"),
    ],
)
def test_what_cannot_be_matched_is_said(wanted, said):
    library = synthetic.references()
    with pytest.raises(InputError, match=said):
        match_references(library, library, **wanted)
    with pytest.raises(InputError, match="no spectrum 'x'"):
        match_references(library, library).ranking("x")
