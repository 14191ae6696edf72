from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.describe import describe_pixel
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.spectra import mean_spectra, standardize


@pytest.fixture
def stacks() -> StackSet:
    rng = np.random.default_rng(0)
    mask = rng.random((5, 7)) > 0.3
    first = SpectralStack(rng.normal(2, 1, (4, 5, 7)), np.arange(4.0), mask=mask)
    second = SpectralStack(rng.normal(2, 1, (4, 3, 2)), np.arange(4.0), name="B")
    return StackSet([first, second])


def test_means_agree_with_numpy_over_all_particles(stacks: StackSet) -> None:
    labels = np.random.default_rng(1).integers(0, 4, stacks.n_pixels)
    mean, std, count = mean_spectra(stacks, labels, 3)
    spectra = stacks.spectra().astype(np.float64)
    for phase in (1, 2, 3):
        chosen = spectra[labels == phase]
        np.testing.assert_allclose(mean[phase - 1], chosen.mean(axis=0), rtol=1e-10)
        np.testing.assert_allclose(std[phase - 1], chosen.std(axis=0), rtol=1e-8)
        assert count[phase - 1] == len(chosen)


def test_a_class_without_pixels_is_nan_and_counts_none(stacks: StackSet) -> None:
    labels = np.ones(stacks.n_pixels, dtype=np.uint8)
    mean, std, count = mean_spectra(stacks, labels, 2)
    assert count.tolist() == [stacks.n_pixels, 0]
    assert np.isnan(mean[1]).all()
    assert np.isnan(std[1]).all()


def test_spread_is_right_on_a_large_offset() -> None:
    data = 1e4 + np.random.default_rng(2).normal(0, 1, (2, 40, 50))
    stacks = StackSet([SpectralStack(data, [1.0, 2.0])])
    _, std, _ = mean_spectra(stacks, np.ones(2000, dtype=np.uint8), 1)
    spectra = stacks.spectra().astype(np.float64)
    np.testing.assert_allclose(std[0], spectra.std(axis=0), rtol=1e-5)


def test_missing_frames_are_left_out(stacks: StackSet) -> None:
    data = np.array(stacks[1].data)
    data[2] = np.nan
    alone = StackSet([SpectralStack(data, np.arange(4.0))])
    mean, _, _ = mean_spectra(alone, np.ones(6, dtype=np.uint8), 1)
    assert mean.shape == (1, 3)
    assert np.isfinite(mean).all()


def test_standardize_gives_zero_mean_unit_spread_and_nan_for_a_constant() -> None:
    values = standardize([[1.0, 2.0, 4.0], [3.0, 3.0, 3.0]])
    assert values[0].mean() == pytest.approx(0)
    assert values[0].std() == pytest.approx(1)
    assert np.isnan(values[1]).all()


def test_a_pixel_is_described_with_phase_reliability_and_rival(
    stacks: StackSet,
) -> None:
    scores = np.tile([0.99, 0.95], (stacks.n_pixels, 1))
    scores[3] = 0.99, 0.987
    scores[4] = np.nan
    phases = PhaseMap.from_scores(scores, ["a", "b"])
    row, col = stacks.locate(3)[1:]
    text = describe_pixel(stacks, 3, phase_map=phases)
    assert text == f"stack row {row} col {col} | a r 0.9900 | R 0.30, ambiguous with b"
    probable = PhaseMap.from_scores(np.log([[0.25, 0.75]] * 5), ["a", "b"])
    said = describe_pixel(stacks, 3, posterior=probable)
    assert said.endswith("b with probability 0.750")
    unknown = probable.with_labels(np.zeros(5))
    assert "fits no reference" in describe_pixel(stacks, 3, posterior=unknown)
    assert "R 4.00 before b" in describe_pixel(stacks, 0, phase_map=phases)
    assert "not assigned" in describe_pixel(stacks, 4, phase_map=phases)
    latent = np.zeros((stacks.n_pixels, 3))
    assert describe_pixel(stacks, 0, latent=latent).endswith("z (0.00, 0.00, 0.00)")
