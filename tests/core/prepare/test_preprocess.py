from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.prepare.masking import mask_from, mean_image
from napari_phasemap.core.prepare.preprocess import estimate_i0, optical_density

ENERGY = np.array([505.0, 517.5, 525.0, 530.3])
I0 = np.array([1000.0, 900.0, 950.0, 1100.0])


def absorbing_stack(od=1.0, shape=(10, 20), **options):
    """Counts behind a block of known optical density on empty background."""
    absorption = np.zeros((4, *shape))
    absorption[:, 2:7, 3:9] = od * np.array([0.2, 1.0, 0.8, 0.6])[:, None, None]
    counts = I0[:, None, None] * np.exp(-absorption)
    return SpectralStack(counts, ENERGY, **options), absorption


@pytest.fixture
def toner(real_data):
    """Counts, authors' I0 and mask of the real Fe 2p stack."""
    tifffile = pytest.importorskip("tifffile")
    folder = real_data / "als-toner-71214078-fe2p"
    counts = tifffile.imread(folder / "derived" / "71214078_counts.tif")
    energy, i0 = np.loadtxt(folder / "answers" / "i0.xsp").T
    lines = (folder / "answers" / "mask_file.msk").read_text().splitlines()
    mask = [[letter == "O" for letter in line.ljust(125)] for line in lines]
    return SpectralStack(counts, energy), i0, np.array(mask)


def test_brightest_pixels_give_the_known_i0():
    stack, _ = absorbing_stack()
    i0 = estimate_i0(stack, percentile=50)
    assert i0.dtype == np.float64
    assert_allclose(i0, I0, rtol=1e-6)


def test_a_drawn_region_gives_the_known_i0_whatever_the_mask():
    stack, _ = absorbing_stack(mask=np.zeros((10, 20)))
    region = np.zeros((10, 20), dtype=bool)
    region[:2] = True
    assert_allclose(estimate_i0(stack, method="region", region=region), I0, rtol=1e-6)


def test_an_i0_spectrum_is_interpolated():
    stack, _ = absorbing_stack()
    spectrum = ([500.0, 510.0, 540.0], [100.0, 200.0, 500.0])
    i0 = estimate_i0(stack, method="spectrum", spectrum=spectrum)
    assert_allclose(i0, [150.0, 275.0, 350.0, 403.0])


def test_an_i0_spectrum_that_does_not_reach_names_both_ranges():
    stack, _ = absorbing_stack()
    with pytest.raises(ValueError, match=r"510-540 eV.*505-530.3 eV"):
        estimate_i0(stack, method="spectrum", spectrum=([510, 540], [1, 2]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "region"}, "needs region"),
        ({"method": "spectrum"}, "needs spectrum"),
        ({"method": "region", "region": np.zeros((10, 20))}, "no pixel"),
        ({"method": "region", "region": np.ones((20, 10))}, r"\(20, 10\).*\(10, 20\)"),
        ({"percentile": 101}, "0 to 100; got 101"),
        ({"method": "guess"}, "brightest, region, spectrum"),
        ({"method": "spectrum", "spectrum": ([1, 2], [1])}, "do not match"),
        ({"method": "spectrum", "spectrum": ([2, 1], [1, 1])}, "increase"),
        ({"method": "spectrum", "spectrum": ([1, 1], [1, 1])}, "increase"),
        ({"percentile": -1}, "0 to 100; got -1"),
    ],
)
def test_unusable_i0_arguments_are_refused(options, message):
    stack, _ = absorbing_stack()
    with pytest.raises(ValueError, match=message):
        estimate_i0(stack, **options)


def test_missing_frames_have_no_i0_and_single_nan_pixels_are_left_out():
    stack, _ = absorbing_stack()
    data = stack.data.copy()
    data[1] = np.nan
    data[2, 0, 0] = np.nan
    i0 = estimate_i0(SpectralStack(data, ENERGY), percentile=50)
    assert_allclose(i0, [1000.0, np.nan, 950.0, 1100.0], rtol=1e-6)


def test_i0_of_the_real_stack_has_the_shape_of_the_authors(toner):
    stack, expected, _ = toner
    ratio = estimate_i0(stack, method="brightest", percentile=95) / expected
    assert_allclose(ratio / ratio.mean(), 1.0, atol=0.003)
    assert_allclose(ratio.mean(), 0.43368, atol=1e-4)


def test_optical_density_is_the_known_absorption():
    stack, absorption = absorbing_stack(name="P1", pixel_size=(30, 30))
    od = optical_density(stack, I0)
    assert od.data.dtype == np.float32
    assert od.quantity == "optical_density"
    assert (od.name, od.pixel_size) == ("P1", (30, 30))
    assert_allclose(od.data, absorption, atol=1e-5)
    assert od.mask.all()


def test_a_dark_level_is_taken_off_counts_and_i0():
    stack, absorption = absorbing_stack()
    dark = SpectralStack(stack.data + 50, ENERGY)
    od = optical_density(dark, I0 + 50, dark=50.0)
    assert_allclose(od.data, absorption, atol=1e-4)


@pytest.mark.parametrize(
    "wrong", [{"gain": 0.0}, {"gain": np.inf}, {"dark": -1.0}, {"dark": np.nan}]
)
def test_a_gain_or_dark_level_that_cannot_be_is_refused(wrong):
    stack, _ = absorbing_stack()
    with pytest.raises(ValueError, match=r"gain .* is positive and dark"):
        optical_density(stack, I0, **wrong)


def test_i0_of_all_pixels_and_of_a_fine_spectrum():
    stack, _ = absorbing_stack()
    everything = estimate_i0(stack, percentile=0)
    assert_allclose(everything, stack.data.mean(axis=(1, 2)), rtol=1e-5)
    fine = np.arange(500.0, 540.0, 0.5)
    found = estimate_i0(stack, method="spectrum", spectrum=(fine, 2 * fine))
    assert_allclose(found, 2 * ENERGY)


def test_scaling_counts_and_i0_changes_nothing():
    stack, _ = absorbing_stack()
    scaled = SpectralStack(stack.data * 7, ENERGY)
    expected = optical_density(stack, I0).data
    assert_allclose(optical_density(scaled, 7 * I0).data, expected, atol=1e-5)


def test_pixels_without_counts_are_masked_and_counted_never_repaired():
    stack, absorption = absorbing_stack()
    data = stack.data.copy()
    data[0, 1, 1] = 0.0
    data[3, 5, 5] = -2.0
    data[2, 9, 19] = np.nan
    od = optical_density(SpectralStack(data, ENERGY), I0)
    empty = np.zeros((10, 20), dtype=bool)
    empty[[1, 5, 9], [1, 5, 19]] = True
    assert_array_equal(~od.mask, empty)
    assert np.isnan(od.data[:, empty]).all()
    assert_allclose(od.data[:, ~empty], absorption[:, ~empty], atol=1e-5)
    assert "3 pixels" in od.history[-1]
    assert data[0, 1, 1] == 0.0


def test_pixels_with_too_few_counts_can_be_masked():
    stack, _ = absorbing_stack(od=5.0)
    od = optical_density(stack, I0, min_counts=10.0)
    assert np.count_nonzero(~od.mask) == 30


def test_an_earlier_mask_is_kept():
    stack, _ = absorbing_stack(mask=np.eye(10, 20))
    assert_array_equal(optical_density(stack, I0).mask, np.eye(10, 20, dtype=bool))


def test_missing_frames_stay_missing_and_mask_nothing():
    stack, absorption = absorbing_stack()
    data = stack.data.copy()
    data[1] = np.nan
    od = optical_density(SpectralStack(data, ENERGY), [1000, np.nan, 950, 1100])
    assert od.mask.all()
    assert od.missing_frames.tolist() == [False, True, False, False]
    assert_allclose(od.data[0], absorption[0], atol=1e-5)


def test_dask_counts_give_the_same_and_stay_lazy():
    import dask.array as da

    stack, _ = absorbing_stack()
    data = stack.data.copy()
    data[0, 1, 1] = 0.0
    lazy = SpectralStack(da.from_array(data, chunks=(2, 5, 7)), ENERGY)
    od = optical_density(lazy, I0)
    expected = optical_density(SpectralStack(data, ENERGY), I0)
    assert hasattr(od.data, "dask")
    assert_allclose(od.data.compute(), expected.data, atol=1e-6)
    assert_array_equal(od.mask, expected.mask)


@pytest.mark.parametrize(
    ("i0", "message"),
    [
        (I0[:3], r"\(3,\).*\(4,\)"),
        ([1, 0, 1, 1], r"is 0 at 517.5 eV"),
        ([1, 1, np.nan, 1], r"is nan at 525 eV"),
    ],
)
def test_an_unusable_i0_is_refused(i0, message):
    with pytest.raises(ValueError, match=message):
        optical_density(absorbing_stack()[0], i0)


def test_what_is_no_counts_is_refused():
    od = optical_density(absorbing_stack()[0], I0)
    with pytest.raises(ValueError, match="holds optical density"):
        optical_density(od, I0)
    with pytest.raises(ValueError, match="holds optical density"):
        estimate_i0(od)


def test_a_stack_without_any_counts_is_refused():
    stack = SpectralStack(np.zeros((4, 2, 2)), ENERGY, name="dark")
    with pytest.raises(ValueError, match="no pixel of 'dark'"):
        optical_density(stack, I0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1)])
def test_any_image_shape_is_taken(shape):
    counts = np.full((4, *shape), np.exp(-0.5)) * I0[:, None, None]
    od = optical_density(SpectralStack(counts, ENERGY), I0)
    assert_allclose(od.data, 0.5, atol=1e-6)


def test_one_energy_is_enough_for_optical_density():
    stack = SpectralStack(np.full((1, 2, 2), 10.0), [500.0])
    assert_allclose(optical_density(stack, [100.0]).data, np.log(10), rtol=1e-6)


def test_no_float64_copy_of_the_stack_is_made():
    stack = SpectralStack(np.full((13, 600, 600), 5.0, np.float32), np.arange(13.0))
    i0 = np.full(13, 10.0)
    stack.missing_frames  # noqa: B018 # cached: not what is measured
    tracemalloc.start()
    od = optical_density(stack, i0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * od.data.nbytes


def test_progress_counts_frames_and_can_stop():
    steps = []
    stack, _ = absorbing_stack()
    optical_density(stack, I0, on_progress=lambda *step: steps.append(step[:2]))
    assert steps == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]

    def stop(done, total, text):
        raise Cancelled

    with pytest.raises(Cancelled):
        optical_density(stack, I0, on_progress=stop)


def test_mean_image_leaves_missing_frames_out():
    data = np.stack([np.full((2, 2), v) for v in (1.0, np.nan, 4.0)])
    data[2, 0, 0] = np.nan
    stack = SpectralStack(data, [1, 2, 3])
    assert_array_equal(mean_image(stack), [[np.nan, 2.5], [2.5, 2.5]])


def test_otsu_finds_the_particle():
    stack, absorption = absorbing_stack()
    od = optical_density(stack, I0)
    assert_array_equal(mask_from(od), absorption[1] > 0)


def test_otsu_splits_where_scikit_image_does():
    from skimage.filters import threshold_otsu

    rng = np.random.default_rng(0)
    image = np.concatenate([rng.normal(0.1, 0.05, 3000), rng.normal(0.8, 0.2, 1000)])
    image = image.astype(np.float32).reshape(1, 40, 100)
    od = SpectralStack(image, [500.0], quantity="optical_density")
    kept = mask_from(od)
    width = (image.max() - image.min()) / 256
    border = image[0][kept].min()
    assert abs(border - threshold_otsu(image)) < 2 * width


def test_limits_on_the_mean_optical_density():
    data = np.array([[[0.1, 0.5, 1.0, 2.0]]])
    od = SpectralStack(data, [500.0], quantity="optical_density")
    kept = mask_from(od, method="threshold", low=0.4, high=1.5)
    assert kept.tolist() == [[False, True, True, False]]
    kept = mask_from(od, method="threshold", low=0.4)
    assert kept.tolist() == [[False, True, True, True]]


def test_without_a_lower_limit_negative_means_are_kept():
    od = SpectralStack([[[-0.1, 0.5, 1.0]]], [500.0], quantity="optical_density")
    kept = mask_from(od, method="threshold", high=0.7)
    assert kept.tolist() == [[True, True, False]]
    with pytest.warns(UserWarning, match="keeps all 3"):
        mask_from(od, method="threshold", high=1.0)


def test_otsu_is_the_edge_of_a_bin_that_an_exhaustive_search_finds():
    """Largest variance between the two sides, over the same 256 bins, by hand."""
    image = np.r_[np.linspace(0, 1, 300), np.linspace(3, 4, 80), 10.0, 10.5]
    image = image.astype(np.float32)
    od = SpectralStack(image.reshape(1, 1, -1), [500.0], quantity="optical_density")
    counts, edges = np.histogram(image, bins=256)
    centers = (edges[:-1] + edges[1:]) / 2
    between = []
    for cut in range(1, 256):
        low, high = counts[:cut].sum(), counts[cut:].sum()
        step = np.average(centers[cut:], weights=counts[cut:]) - np.average(
            centers[:cut], weights=counts[:cut]
        )
        between.append(low * high * step**2)
    border = edges[1 + int(np.argmax(between))]
    assert_array_equal(mask_from(od)[0], image >= border)
    assert 1 < border < 3


def test_polygons_keep_the_pixels_inside_any_of_them():
    stack, _ = absorbing_stack()
    square = [(0.5, 0.5), (0.5, 3.5), (2.5, 3.5), (2.5, 0.5)]
    triangle = [(7.5, 15.5), (7.5, 18.5), (9.5, 18.5)]
    kept = mask_from(stack, method="polygon", polygons=[square, triangle])
    expected = np.zeros((10, 20), dtype=bool)
    expected[1:3, 1:4] = True
    assert_array_equal(kept[:5], expected[:5])
    assert kept[8, 17]
    assert not kept[9, 16]
    assert kept[7:].sum() <= 4


def test_a_loaded_mask_is_taken_without_pixels_that_have_no_counts():
    data = absorbing_stack()[0].data.copy()
    data[0, 3, 4] = 0.0
    od = optical_density(SpectralStack(data, ENERGY), I0)
    loaded = np.zeros((10, 20), dtype=np.uint8)
    loaded[3, 4:7] = 255
    kept = mask_from(od, method="mask", mask=loaded)
    assert np.argwhere(kept).tolist() == [[3, 5], [3, 6]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "threshold"}, "needs low, high"),
        ({"method": "threshold", "low": 9.0}, r"keeps no pixel.*0 to 0.65"),
        ({"method": "polygon"}, "at least one polygon"),
        ({"method": "polygon", "polygons": [[(0, 0), (1, 1)]]}, "three or more"),
        ({"method": "mask"}, "needs mask"),
        ({"method": "mask", "mask": np.ones((20, 10))}, r"\(20, 10\).*\(10, 20\)"),
        ({"method": "mask", "mask": np.zeros((10, 20))}, "keeps no pixel"),
        ({"method": "magic"}, "otsu, threshold, polygon, mask"),
    ],
)
def test_unusable_masks_are_refused(options, message):
    od = optical_density(absorbing_stack()[0], I0)
    with pytest.raises(ValueError, match=message):
        mask_from(od, **options)


def test_otsu_refuses_counts_and_images_without_contrast():
    stack, _ = absorbing_stack()
    with pytest.raises(ValueError, match="optical_density first"):
        mask_from(stack)
    flat = SpectralStack(np.ones((2, 3, 3)), [1, 2], quantity="optical_density")
    with pytest.raises(ValueError, match="same mean"):
        mask_from(flat)


def test_a_threshold_that_keeps_everything_is_said_aloud():
    od = optical_density(absorbing_stack()[0], I0)
    with pytest.warns(UserWarning, match="keeps all 200 pixels"):
        mask_from(od, method="threshold", low=-1.0)


def test_otsu_on_the_real_stack_keeps_pixels_of_the_authors_mask(toner):
    stack, i0, authors = toner
    kept = mask_from(optical_density(stack, i0))
    assert kept[authors].mean() > 0.4
    assert kept[~authors].mean() < 0.03
