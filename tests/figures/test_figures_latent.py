from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.latent.latent import axis_intensity, phase_reconstructions
from napari_phasemap.figures import latent as drawing

ENERGY = np.linspace(500.0, 510.0, 4)


@pytest.fixture
def axes():
    return Figure().add_subplot()


@pytest.fixture
def phases():
    scores = [[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.9, 0.899, 0.0], [0.9, 0.2, 0.0]]
    return PhaseMap.from_scores(scores, ["a", "b", "c"])


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_pixels_are_drawn_once_in_the_color_of_their_phase(axes, phases):
    latent = np.arange(12.0).reshape(4, 3)
    latent[3, 0] = np.nan
    drawn = drawing.draw_latent(
        axes, latent, phases, dimensions=(0, 2), ambiguous_below=0.005
    )
    assert [len(one.get_offsets()) for one in drawn] == [1, 1, 1, 0]
    np.testing.assert_array_equal(drawn[0].get_offsets(), [[6, 8]])
    assert to_hex(drawn[1].get_facecolor()[0]) == phases.colors[0]
    assert texts(axes) == ["ambiguous", "a", "b", "c"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z1", "z3")
    with pytest.raises(ValueError, match="does not fit 4 pixels"):
        drawing.draw_latent(axes, latent, phases, dimensions=(0, 3))


def test_of_many_pixels_a_part_is_drawn(axes, phases, monkeypatch):
    monkeypatch.setattr(drawing, "MAX_POINTS", 2)
    drawn = drawing.draw_latent(axes, np.arange(8.0).reshape(4, 2), phases)
    assert sum(len(one.get_offsets()) for one in drawn) == 2


def test_a_traversal_has_one_line_per_step_and_names_its_ends(axes):
    spectra = np.arange(12.0).reshape(3, 4)
    lines = drawing.draw_traversal(axes, ENERGY, spectra, ends=("a", "b"))
    np.testing.assert_array_equal([line.get_ydata() for line in lines], spectra)
    assert texts(axes) == ["a", "b"]
    handles = axes.get_legend().get_lines()
    assert [h.get_color() for h in handles] == [lines[i].get_color() for i in (0, 2)]


def test_every_latent_axis_shows_its_correlation_with_intensity(axes):
    thickness = np.linspace(0, 1, 50)
    latent = np.column_stack([thickness, np.cos(40 * thickness)])
    found = axis_intensity(latent, thickness[:, None] * np.ones((1, 4)), n_bins=5)
    lines = drawing.draw_axis_intensity(axes, found)
    assert len(lines) == 2
    assert texts(axes)[0] == "z1, r = 1.00"
    assert np.isfinite(lines[1].get_ydata()).all()


def test_measured_is_solid_and_reconstructed_dashed(axes, phases):
    spectra = np.arange(16.0).reshape(4, 4)
    found = phase_reconstructions(spectra, spectra + 1, phases)
    lines = drawing.draw_phase_reconstructions(axes, ENERGY, found, phases)
    assert [line.get_linestyle() for line in lines] == ["-", "--"] * 2
    np.testing.assert_allclose(lines[1].get_ydata() - lines[0].get_ydata(), 1.0)
    assert texts(axes) == ["a, rms 1", "b, rms 1"]
