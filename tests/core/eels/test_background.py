"""The power law is exact, its errors are right, and bad windows say what to do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from napari_phasemap.core.data.net_edge import (
    AT_LIMIT,
    NO_COUNTS,
    NOT_FINITE,
    RISING,
    edge_present,
)
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.eels.background import subtract_background

ENERGY = np.arange(200.0, 341.0)
WINDOWS = {"fit_window": (200.0, 275.0), "window": (285.0, 330.0)}


def law(shape=(4, 5), level=1000.0, exponent=3.0, jump=0.0):
    counts = level * (ENERGY / 200.0) ** -exponent + jump * (ENERGY > 280)
    return np.broadcast_to(counts[:, None, None], (len(ENERGY), *shape))


def noisy(level, shape=(60, 60), jump=0.0, seed=0):
    mean = law(shape, level, jump=jump)
    return SpectralStack(np.random.default_rng(seed).poisson(mean), ENERGY)


@pytest.mark.parametrize("method", ["poisson", "least_squares"])
def test_a_power_law_without_noise_is_removed_exactly(method):
    stack = SpectralStack(law(jump=7.0), ENERGY)
    edge = subtract_background(stack, method=method, **WINDOWS)
    np.testing.assert_allclose(edge.exponent, 3.0, atol=2e-3)
    np.testing.assert_allclose(edge.net.data, 7.0, atol=0.05)
    assert edge.net.quantity == "net_counts"
    assert not edge.flags.any()


def test_the_text_names_both_windows():
    text = repr(subtract_background(SpectralStack(law(jump=7.0), ENERGY), **WINDOWS))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "window 285-330 eV, 46 channels" in lines
    assert "fit window 200-275 eV" in lines
    assert "exponent median 3" in lines
    assert "pixels 20, 0 flagged" in lines


def test_the_exponent_is_the_root_of_the_likelihood_equation():
    stack = noisy(20.0, shape=(3, 4))
    edge = subtract_background(stack, **WINDOWS)
    fit = (ENERGY >= 200) & (ENERGY <= 275)
    x = np.log(ENERGY[fit])
    for pixel, y in enumerate(stack.spectra()[:, fit].astype(float)):

        def score(r, y=y):
            share = np.exp(-r * (x - x.mean()))
            return (y @ x) / y.sum() - (share @ x) / share.sum()

        root = brentq(score, -3, 13)
        assert edge.exponent[pixel] == pytest.approx(root, abs=2e-3)
        law_sum = edge.background_at(ENERGY[fit], pixel).sum()
        assert law_sum == pytest.approx(y.sum(), rel=1e-4)


def test_least_squares_finds_the_exponent_of_the_smallest_residual():
    stack = noisy(50.0, shape=(2, 3))
    edge = subtract_background(stack, method="least_squares", **WINDOWS)
    fit = (ENERGY >= 200) & (ENERGY <= 275)
    grid = np.arange(-2, 10, 0.002)
    shapes = (ENERGY[fit] / 235.0) ** -grid[:, None]
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    best = grid[(shapes @ stack.spectra()[:, fit].T.astype(float)).argmax(axis=0)]
    np.testing.assert_allclose(edge.exponent, best, atol=0.02)


@pytest.mark.parametrize(("exponent", "found"), [(-6.0, -4.0), (16.0, 14.0)])
def test_an_exponent_beyond_the_table_is_at_its_end_and_flagged(exponent, found):
    stack = SpectralStack(law(level=1e6, exponent=exponent), ENERGY)
    edge = subtract_background(stack, **WINDOWS)
    np.testing.assert_allclose(edge.exponent, found)
    assert (edge.flags & AT_LIMIT).all()


@pytest.mark.parametrize("neighbors", [0.0, 1.5])
@pytest.mark.parametrize("method", ["poisson", "least_squares"])
def test_errors_of_exponent_and_signal_match_the_scatter(neighbors, method):
    edge = subtract_background(
        noisy(30.0), neighbors=neighbors, method=method, **WINDOWS
    )
    inner = np.zeros((60, 60), dtype=bool)
    inner[8:-8, 8:-8] = True
    inner = inner.ravel()
    scatter = np.std(edge.exponent[inner])
    assert scatter == pytest.approx(np.median(edge.exponent_error[inner]), rel=0.12)
    spread = np.std(edge.significance[inner])
    if method == "poisson":
        assert spread == pytest.approx(1.0, abs=0.08)
    else:  # noise is taken from the residuals of the window: on the safe side
        assert 0.6 < spread < 1.08
    assert abs(edge.signal.mean()) < 0.02 * edge.background.mean()


def test_sharing_the_exponent_with_neighbors_lowers_the_noise():
    alone = subtract_background(noisy(10.0), **WINDOWS)
    shared = subtract_background(noisy(10.0), neighbors=1.5, **WINDOWS)
    assert np.std(shared.signal) < 0.8 * np.std(alone.signal)


def test_jump_ratio_is_the_sum_over_the_background():
    edge = subtract_background(SpectralStack(law(jump=300.0), ENERGY), **WINDOWS)
    window = (ENERGY >= 285) & (ENERGY <= 330)
    background = (1000.0 * (ENERGY[window] / 200.0) ** -3).sum()
    expected = 1 + 300.0 * window.sum() / background
    np.testing.assert_allclose(edge.jump_ratio, expected, rtol=1e-3)


def test_pixels_without_counts_are_finite_and_flagged():
    data = np.array(law((3, 3)))
    data[:, 1, 1] = 0.0
    edge = subtract_background(SpectralStack(data, ENERGY), **WINDOWS)
    assert edge.flags[4] == NO_COUNTS
    assert np.count_nonzero(edge.flags) == 1
    for values in (edge.exponent, edge.exponent_error, edge.snr, edge.jump_ratio):
        assert np.isfinite(values).all()
    assert (edge.net.data[:, 1, 1] == 0).all()
    assert not edge_present(edge)[4]


def test_a_map_without_any_counts_is_flagged_not_refused():
    stack = SpectralStack(np.zeros((len(ENERGY), 2, 2)), ENERGY)
    for method in ("poisson", "least_squares"):
        edge = subtract_background(stack, method=method, **WINDOWS)
        assert (edge.flags & NO_COUNTS).all()
        assert np.isfinite(edge.net.data).all()
        assert not edge_present(edge).any()


def test_a_pixel_with_nan_is_nan_and_flagged_and_spares_its_neighbors():
    data = np.array(law((3, 3)))
    data[10, 0, 0] = np.nan
    edge = subtract_background(SpectralStack(data, ENERGY), neighbors=1.0, **WINDOWS)
    assert edge.flags[0] == NOT_FINITE
    assert np.isnan(edge.net.data[:, 0, 0]).all()
    assert np.isnan(edge.exponent[0])
    np.testing.assert_allclose(edge.exponent[1:], 3.0, atol=3e-3)


def test_an_exponent_beyond_the_table_is_flagged():
    data = np.zeros((len(ENERGY), 1, 1))
    data[0] = 100.0
    edge = subtract_background(SpectralStack(data, ENERGY), **WINDOWS)
    assert edge.flags[0] & AT_LIMIT


def test_a_fit_window_that_reaches_into_an_edge_is_flagged():
    data = law((2, 2)) + 900.0 * ((ENERGY > 262) & (ENERGY < 276))[:, None, None]
    edge = subtract_background(SpectralStack(data, ENERGY), **WINDOWS)
    assert (edge.flags & RISING).all()


def test_only_masked_pixels_are_reported():
    mask = np.zeros((4, 5), dtype=bool)
    mask[1, 2:4] = True
    stack = SpectralStack(law(), ENERGY, mask=mask)
    edge = subtract_background(stack, **WINDOWS)
    assert edge.n_pixels == 2
    assert edge.net.shape == (4, 5)


def test_the_stack_is_not_written_to_and_dask_gives_the_same():
    import dask.array as da

    stack = noisy(20.0, shape=(5, 6))
    before = np.array(stack.data)
    edge = subtract_background(stack, **WINDOWS)
    np.testing.assert_array_equal(stack.data, before)
    lazy = SpectralStack(da.from_array(before, chunks=(20, 5, 6)), ENERGY)
    again = subtract_background(lazy, **WINDOWS)
    np.testing.assert_allclose(again.net.data, edge.net.data, atol=1e-4)


def test_the_edge_is_found_where_it_is():
    mean = np.array(law((20, 40), 200.0))
    mean[ENERGY > 280, :, 20:] += 20.0
    stack = SpectralStack(np.random.default_rng(0).poisson(mean), ENERGY)
    edge = subtract_background(stack, neighbors=1.0, **WINDOWS)
    present = edge_present(edge).reshape(20, 40)
    assert present[:, 22:].mean() > 0.99
    assert present[:, :18].mean() < 0.02
    averaged = edge_present(edge, neighbors=1.0, jump_ratio=1.05).reshape(20, 40)
    assert averaged[:, 22:].all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fit_window": (100.0, 275.0)}, "not inside the energy axis 200-340 eV"),
        ({"window": (285.0, 400.0)}, "not inside the energy axis"),
        ({"fit_window": (200.0, 290.0)}, "overlaps the edge's window 285-330"),
        ({"fit_window": (200.0, 201.0)}, "holds 2 channels"),
        ({"fit_window": (275.0, 200.0)}, "low is below high"),
        ({"method": "guess"}, "not one of"),
    ],
    ids=["fit outside", "window outside", "overlap", "short", "reversed", "method"],
)
def test_wrong_windows_name_both_sides(changes, message):
    stack = SpectralStack(law(), ENERGY)
    with pytest.raises(ValueError, match=message):
        subtract_background(stack, **{**WINDOWS, **changes})


def test_what_is_not_counts_is_refused_with_a_way_out():
    density = SpectralStack(law(), ENERGY, quantity="optical_density")
    with pytest.raises(ValueError, match="least_squares"):
        subtract_background(density, **WINDOWS)
    negative = SpectralStack(law() - 900.0, ENERGY)
    with pytest.raises(ValueError, match="negative values"):
        subtract_background(negative, **WINDOWS)
    subtract_background(density, method="least_squares", **WINDOWS)


def test_lanthanum_lies_in_the_middle_rows_of_the_real_spectrum_image(real_data):
    from napari_phasemap.io.read import read_stack

    folder = real_data / "scifi-dm3-eels-si"
    if not folder.is_dir():
        pytest.skip("no DM3 spectrum image")
    stack = read_stack(folder / "DMReader_SpectrumImage_SI-EELS.dm3")

    def by_row(fit_window, window):
        edge = subtract_background(
            stack, fit_window=fit_window, window=window, neighbors=1.5
        )
        rows = edge.signal.reshape(stack.shape).sum(axis=1)
        return rows / rows.max()

    lanthanum = by_row((775.0, 825.0), (830.0, 860.0))
    assert lanthanum[17:30].min() > 0.3
    assert max(lanthanum[:17].max(), lanthanum[30:].max()) < 0.2
    titanium = by_row((405.0, 450.0), (455.0, 480.0))
    assert 19 <= titanium.argmin() <= 28
    assert titanium[21:27].max() < 0.3 < np.delete(titanium, range(18, 30)).min()
    oxygen = by_row((490.0, 525.0), (530.0, 560.0))
    assert oxygen.min() > 0.4


def test_the_manganese_free_layer_of_the_line_scan_is_a_fit_window_in_the_edge(
    real_data,
):
    """With the background before the edge, manganese is at every position."""
    from napari_phasemap.io.read import read_stack

    path = real_data / "lsmo-eels-linescan" / "LSMO_linescan.hdf5"
    if not path.is_file():
        pytest.skip("no line scan")
    stack = read_stack(path)
    wrong = subtract_background(stack, fit_window=(600.0, 634.0), window=(638.0, 660.0))
    assert (wrong.flags[17:22] & RISING).all()
    right = subtract_background(stack, fit_window=(580.0, 626.0), window=(629.0, 652.0))
    assert not right.flags.any()
    assert right.signal.min() > 0.8 * right.signal.max()
    peak = right.energy[right.net.data[:, 0].argmax(axis=0)]
    assert peak[17:21].mean() < np.delete(peak, range(14, 25)).mean() - 0.5
