from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from napari_phasemap import figures
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.figures.maps import AMBIGUOUS_COLOR, reliability_limit

ENERGY = np.array([515.0, 517.5, 519.0])
SCORES = [[0.9, 0.7], [0.5, 0.503], [np.nan, np.nan], [0.2, 0.8], [0.9, 0.1]]


def stack(shape=(2, 3), origin="upper", pixel_size=(30.0, 30.0), name="P1", keep=5):
    mask = np.zeros(shape, dtype=bool)
    mask.flat[:keep] = True
    data = np.arange(3 * mask.size, dtype=float).reshape(3, *shape)
    return SpectralStack(
        data, ENERGY, mask=mask, quantity="optical_density", origin=origin,
        pixel_size=pixel_size, name=name,
    )  # fmt: skip


@pytest.fixture
def stacks():
    return StackSet([stack()])


@pytest.fixture
def phases():
    return PhaseMap.from_scores(SCORES, ["a", "b"])


@pytest.fixture
def axes():
    return Figure().subplots()


@pytest.fixture
def references():
    spectra = [[0.0, 1.0, 0.2], [0.0, 0.9, 0.3], [1.0, 0.0, 0.0]]
    return ReferenceSpectra(["a", "b", "c"], ENERGY, spectra)


def test_a_phase_map_has_the_colors_of_its_phases_and_is_clear_elsewhere(
    axes, stacks, phases
):
    image = figures.draw_phase_map(axes, stacks, phases).get_array()
    a, b = (to_rgba(color) for color in phases.colors)
    np.testing.assert_allclose(image[0, 0], a)
    np.testing.assert_allclose(image[0, 1], b)
    assert image[0, 2, 3] == 0 == image[1, 2, 3]  # not assigned; outside the mask


def test_ambiguous_pixels_are_gray_only_when_asked_for(axes, stacks, phases):
    image = figures.draw_phase_map(axes, stacks, phases, ambiguous_below=0.005)
    np.testing.assert_allclose(image.get_array()[0, 1], to_rgba(AMBIGUOUS_COLOR))
    np.testing.assert_allclose(image.get_array()[0, 0], to_rgba(phases.colors[0]))


def test_brightness_grows_with_reliability_and_keeps_unassigned_pixels_clear(
    axes, stacks, phases
):
    image = figures.draw_phase_map(axes, stacks, phases, brightness=True).get_array()
    dim, bright = image[0, 0, :3].sum(), image[1, 1, :3].sum()  # margins 0.2 and 0.8
    assert dim < bright
    np.testing.assert_allclose(image[1, 1], to_rgba(phases.colors[0]), atol=0.03)
    assert image[0, 2, 3] == 0


@pytest.mark.parametrize("origin", ["upper", "lower"])
def test_the_first_row_is_drawn_where_the_stack_says(axes, phases, origin):
    figures.draw_phase_map(axes, StackSet([stack(origin=origin)]), phases)
    first_row = axes.transData.transform((0, 0))[1]
    last_row = axes.transData.transform((0, 1))[1]
    assert (first_row > last_row) == (origin == "upper")


def test_reliability_is_a_hundred_times_the_gap(axes, stacks, phases):
    image = figures.draw_reliability(axes, stacks, phases).get_array()
    np.testing.assert_allclose(image[0, 0], 20.0, rtol=1e-5)
    assert np.ma.getmaskarray(image)[0, 2] or np.isnan(image[0, 2])


def test_reliability_of_pixels_decided_by_hand_does_not_spoil_the_scale(phases):
    edited = phases.with_labels(np.array([2, 2, 0, 2, 1]))
    assert np.isinf(edited.margin[0])
    assert np.isfinite(reliability_limit(edited))
    nothing = replace(phases, margin=np.full(5, np.inf, dtype=np.float32))
    assert reliability_limit(nothing) == 1.0


def test_a_correlation_map_shows_the_scores_of_its_phase(axes, stacks, phases):
    image = figures.draw_correlation_map(axes, stacks, phases, phase="b")
    np.testing.assert_allclose(image.get_array()[0, 0], 0.7, rtol=1e-6)
    low, high = image.get_clim()
    assert 0.1 <= low < high == pytest.approx(0.9)


def test_a_correlation_map_without_scores_or_of_no_phase_is_refused(
    axes, stacks, phases
):
    with pytest.raises(ValueError, match="no phase 'z'"):
        figures.draw_correlation_map(axes, stacks, phases, phase="z")
    bare = replace(phases, scores=None)
    with pytest.raises(ValueError, match="keep_scores"):
        figures.draw_correlation_map(axes, stacks, bare, phase="a")


@pytest.mark.parametrize(
    ("pixel_size", "bars"), [((30.0, 30.0), 1), (None, 0)], ids=["nm", "unknown"]
)
def test_a_scale_bar_is_drawn_where_the_pixel_size_is_known(
    axes, phases, pixel_size, bars
):
    figures.draw_phase_map(axes, StackSet([stack(pixel_size=pixel_size)]), phases)
    found = [one for one in axes.artists if type(one).__name__ == "ScaleBar"]
    assert len(found) == bars


def test_oblong_pixels_are_drawn_oblong(axes, phases):
    figures.draw_phase_map(axes, StackSet([stack(pixel_size=(60.0, 30.0))]), phases)
    assert axes.get_aspect() == 2.0


def test_the_smallest_difference_of_references_is_named_and_framed(axes, references):
    figures.draw_reference_correlation(axes, references)
    gap = 1 - np.corrcoef(references.spectra[:2])[0, 1]
    assert f"{gap:.4f}" in axes.get_title()
    assert "a and b" in axes.get_title()
    assert axes.patches[0].get_xy() == (-0.5, 0.5)
    assert len(axes.texts) == 6  # the lower triangle with its diagonal


def test_one_reference_and_a_constant_one_can_be_drawn(axes):
    one = ReferenceSpectra(["flat"], ENERGY, [[1.0, 1.0, 1.0]])
    figures.draw_reference_correlation(axes, one)
    assert axes.get_title() == ""
    assert [text.get_text() for text in axes.texts] == ["–"]


def test_mean_spectra_are_those_of_the_pixels_of_each_phase(axes, stacks, phases):
    lines = figures.draw_spectra(axes, stacks, phases)
    data = stacks[0].data.reshape(3, -1)
    np.testing.assert_allclose(lines[0].get_ydata(), data[:, [0, 4]].mean(axis=1))
    assert axes.get_xlabel() == "energy (eV)"
    assert axes.get_ylabel() == "OD"


def test_a_reference_is_scaled_to_the_mean_of_its_phase(axes, stacks, phases):
    spectrum = stacks[0].data.reshape(3, -1)[:, [0, 4]].mean(axis=1)
    same_shape = ReferenceSpectra(["a"], ENERGY, [7.0 - 0.1 * spectrum])
    figures.draw_spectra(axes, stacks, phases, only=["a"], references=same_shape)
    np.testing.assert_allclose(axes.lines[1].get_ydata(), spectrum, rtol=1e-5)


def test_a_phase_without_pixels_has_no_line(axes, stacks):
    nobody = PhaseMap.from_scores(np.array([[0.9, 0.1]] * 5), ["a", "b"])
    assert len(figures.draw_spectra(axes, stacks, nobody)) == 1


def test_fractions_add_up_to_a_hundred_with_a_bar_for_all(axes, phases):
    two = StackSet([stack(keep=2), stack(keep=3, name="P2")])
    bars = figures.draw_fractions(axes, two, phases, ambiguous_below=0.005)
    heights = np.array([[patch.get_height() for patch in bar] for bar in bars])
    np.testing.assert_allclose(heights, [[50, 50, 50], [50, 50, 50]])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["P1", "P2", "all"]
    above = [text.get_text() for text in axes.texts if text.get_position()[1] > 100]
    assert above == ["50", "0", "25"]


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("kind", ["phase", "ambiguity", "reliability", "brightness"])
def test_every_particle_has_its_map_on_a_sheet(n, kind):
    many = StackSet([stack(name=f"P{i}") for i in range(n)])
    phases = PhaseMap.from_scores(SCORES * n, ["a", "b"])
    figure = figures.map_sheet(many, phases, kind=kind, threshold=0.005)
    shown = [axes.get_title() for axes in figure.axes if axes.images]
    assert shown == list(many.names)
    millimeters = figure.get_figwidth() * 25.4
    assert millimeters == pytest.approx(85.0 if n == 1 else 180.0)


def test_particles_of_different_size_share_one_scale():
    many = StackSet([stack((2, 3)), stack((4, 6), pixel_size=(15.0, 30.0), name="P2")])
    phases = PhaseMap.from_scores(SCORES * 2, ["a", "b"])
    figure = figures.map_sheet(many, phases)
    figure.draw_without_rendering()
    scales = []
    for axes, one in zip(figure.axes, many, strict=True):
        dy, dx = one.pixel_size
        a, b = axes.transData.transform([(0, 0), (1, 1)])
        scales.append(np.abs(b - a) / (dx, dy))
    np.testing.assert_allclose(scales[0], scales[1], rtol=0.02)


def test_sheets_of_spectra_correlations_fractions_and_references_are_complete(
    stacks, phases, references
):
    spectra = figures.spectra_sheet(stacks, phases, references=references)
    assert sum(bool(axes.lines) for axes in spectra.axes) == 2
    correlation = figures.correlation_sheet(stacks, phases)
    assert sum(bool(axes.images) for axes in correlation.axes) >= 2
    assert len(figures.reference_sheet(references, energy=ENERGY).axes) == 2
    assert len(figures.fraction_sheet(stacks, phases).axes[0].patches) == 2


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "tif"])
def test_figures_are_saved_whole_and_only_once(tmp_path, stacks, phases, ending):
    figure = figures.map_sheet(stacks, phases)
    path = tmp_path / f"map.{ending}"
    figures.save_figure(figure, path, dpi=50)
    assert path.stat().st_size > 500
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(FileExistsError, match=path.name):
        figures.save_figure(figure, path)
    figures.save_figure(figure, path, overwrite=True, dpi=50)


def test_a_figure_of_unknown_ending_is_refused(tmp_path, stacks, phases):
    with pytest.raises(ValueError, match=r"\.xyz.*\.png"):
        figures.save_figure(figures.map_sheet(stacks, phases), tmp_path / "a.xyz")


def test_drawing_uses_no_pyplot_and_importing_loads_no_matplotlib():
    code = (
        "import sys; from napari_phasemap import figures;"
        "assert 'matplotlib' not in sys.modules;"
        "from matplotlib.figure import Figure;"
        "from napari_phasemap.core.simulate.synthetic import references;"
        "figures.draw_reference_correlation(Figure().subplots(), references());"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("second", "bars"), [((30.0, 30.0), 1), (None, 1)], ids=["one scale", "unknown"]
)
def test_each_map_with_a_scale_of_its_own_has_its_own_bar(second, bars):
    known = stack(name="P3")
    many = StackSet([stack(pixel_size=second), known])
    both = PhaseMap.from_scores(SCORES * 2, ["a", "b"])
    figure = figures.map_sheet(many, both)
    found = [
        axes.get_title()
        for axes in figure.axes
        for artist in axes.artists
        if type(artist).__name__ == "ScaleBar"
    ]
    assert len(found) == bars
    assert found == (["P1"] if second else ["P3"])
