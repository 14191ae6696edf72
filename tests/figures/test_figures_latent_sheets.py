from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.latent.latent import axis_intensity, phase_reconstructions
from napari_phasemap.figures import latent_sheet, loss_sheet, meaning_sheet, save_figure

RNG = np.random.default_rng(0)
PHASES = PhaseMap.from_scores(RNG.random((60, 2)), ["a", "b"])


@pytest.mark.parametrize(("n_latent", "n_pairs"), [(2, 1), (3, 3), (5, 3)])
def test_the_first_three_axes_are_drawn_in_pairs(n_latent, n_pairs):
    latent = RNG.normal(size=(60, n_latent))
    sheet = latent_sheet(latent, PHASES, threshold=0.1)
    assert len(sheet.axes) == n_pairs
    drawn = sum(len(one.get_offsets()) for one in sheet.axes[0].collections)
    assert drawn == 60
    assert len(latent_sheet(latent, PHASES, PHASES, threshold=0.1).axes) == 2 * n_pairs
    names = [text.get_text() for text in sheet.legends[0].get_texts()]
    assert names == ["ambiguous", "a", "b"]


def test_one_axis_alone_is_refused():
    with pytest.raises(ValueError, match="one latent axis"):
        latent_sheet(np.zeros((60, 1)), PHASES, threshold=0.1)


def test_what_the_axes_and_phases_mean_is_one_page(tmp_path):
    latent, spectra = RNG.normal(size=(60, 3)), RNG.random((60, 4))
    left, right = meaning_sheet(
        [1.0, 2.0, 3.0, 4.0],
        axis_intensity(latent, spectra),
        phase_reconstructions(spectra, spectra, PHASES),
        PHASES,
    ).axes
    assert len(left.lines) == 3
    assert len(right.lines) == 4
    assert right.get_legend() is not None
    empty = PhaseMap.from_scores(np.full((60, 2), np.nan), ["a", "b"])
    sheet = meaning_sheet(
        [1.0, 2.0, 3.0, 4.0],
        axis_intensity(latent, spectra),
        phase_reconstructions(spectra, spectra, empty),
        empty,
    )
    assert save_figure(sheet, tmp_path / "empty.png").stat().st_size
    assert not sheet.axes[1].lines


def test_losses_are_one_curve_each():
    assert (
        len(loss_sheet({"reconstruction": [1, 0.5], "kl": [2, 3]}).axes[0].lines) == 2
    )
