from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap import (
    ReferenceSpectra,
    SpectralStack,
    StackSet,
    normalized,
    reference_from,
)
from napari_phasemap.core.data.errors import InputError

ENERGY = np.linspace(500.0, 509.0, 10)


@pytest.fixture
def stacks() -> StackSet:
    rng = np.random.default_rng(0)
    return StackSet([
        SpectralStack(rng.random((10, 3, 4)), ENERGY, quantity="optical_density",
                      name=name)
        for name in "AB"
    ])  # fmt: skip


def test_a_reference_is_the_mean_of_its_pixels_with_its_standard_error(stacks):
    pixels = np.arange(24) % 5 == 1
    made = reference_from(stacks, pixels, "mine")
    rows = stacks.spectra()[pixels].astype(np.float64)
    assert made.names == ("mine",)
    np.testing.assert_allclose(made.spectra[0], rows.mean(axis=0), rtol=1e-6)
    expected = rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
    np.testing.assert_allclose(made.errors[0], expected, rtol=1e-5)
    alone = reference_from(stacks, np.arange(24) == 3, "one")
    assert np.isnan(alone.errors).all()


def test_a_reference_joins_dense_ones_at_its_energies_and_errors_stay(stacks):
    made = reference_from(stacks, np.ones(24, bool), "mine")
    dense = np.linspace(499.0, 510.0, 111)
    library = ReferenceSpectra(["a", "b"], dense, [dense - 499, np.ones(111)])
    joined = library.joined(made)
    assert joined.names == ("a", "b", "mine")
    np.testing.assert_allclose(joined.spectra[0], ENERGY - 499)
    assert np.isnan(joined.errors[:2]).all()
    np.testing.assert_array_equal(joined.errors[2], made.errors[0])
    assert joined.select(["mine"]).errors.tolist() == made.errors.tolist()
    short = ReferenceSpectra(["far"], [503.0, 520.0], [[1, 2]])
    with pytest.raises(InputError, match=r"'far' .503-520 eV"):
        short.joined(made)


def test_steps_and_areas_become_one():
    step = np.repeat([[1.0, 3.0]], 10, axis=1)
    both = ReferenceSpectra(["x"], np.arange(20.0), step, errors=np.full((1, 20), 0.4))
    scaled = normalized(both, "step")
    assert scaled.spectra[0, [0, -1]].tolist() == [0.0, 1.0]
    np.testing.assert_allclose(scaled.errors, 0.2)
    area = normalized(both, "area")
    assert np.trapezoid(area.spectra[0], area.energy) == pytest.approx(1.0)
    assert normalized(both, "none") is both
    with pytest.raises(InputError, match="no step to normalize by: x"):
        normalized(ReferenceSpectra(["x"], [1, 2], [[2, 1]]), "step")


def test_what_makes_no_reference_is_said(stacks):
    with pytest.raises(InputError, match="no pixel for the reference 'x'"):
        reference_from(stacks, np.zeros(24, bool), "x")
    with pytest.raises(InputError, match="24 pixels"):
        reference_from(stacks, [True], "x")
    counts = SpectralStack(np.ones((2, 1, 1)), [1.0, 2.0])
    with pytest.raises(InputError, match="holds counts"):
        reference_from(counts, [True], "x")
