"""The one way from a stack as read to the pixels that are analyzed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.prepare.prepare import (
    I0Source,
    PixelSource,
    keep_pixels,
    prepare,
    to_density,
)

ENERGY = [505.0, 517.5, 525.0]


def particle(**options):
    """10 x 10 pixels of optical density: 0.1 outside, 1 in the 6 x 6 in the middle."""
    od = np.full((3, 10, 10), 0.1)
    od[:, 2:8, 2:8] = 1.0
    return SpectralStack(od, ENERGY, quantity="optical_density", name="P", **options)


def left_half():
    return np.arange(10) < np.full((10, 1), 5)


@pytest.mark.parametrize(
    ("source", "n_pixels"),
    [
        (PixelSource("otsu"), 18),
        (PixelSource("threshold", low=0.5), 18),
        (PixelSource("threshold", high=0.5), 32),
        (PixelSource("mask", mask=np.eye(10)), 5),
        (PixelSource("none"), 50),
        (None, 18),
    ],
    ids=str,
)
def test_an_own_mask_restricts_whatever_is_chosen(source, n_pixels):
    ready = keep_pixels(particle(mask=left_half()), source)
    assert ready.n_pixels == n_pixels
    assert not ready.mask[:, 5:].any()
    words = f"mask: {source or 'otsu'} and the own mask, {n_pixels} pixels kept"
    assert ready.history[-1] == words


def test_otsu_also_looks_outside_the_own_mask():
    """An own mask that outlines the particle has no background to separate."""
    particle_only = np.zeros((10, 10), bool)
    particle_only[2:8, 2:8] = True
    ready = keep_pixels(particle(mask=particle_only))
    np.testing.assert_array_equal(ready.mask, particle_only)


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=str)
@pytest.mark.parametrize(
    "source",
    [
        PixelSource("none"),
        PixelSource("otsu"),
        PixelSource("mask", mask=np.ones((10, 10))),
    ],
    ids=str,
)
def test_pixels_that_cannot_be_analyzed_are_never_in(source, bad):
    data = particle().data.copy()
    data[1, 4, 4] = bad
    stack = SpectralStack(data, ENERGY, quantity="optical_density")
    ready = keep_pixels(stack, source)
    assert not ready.mask[4, 4]
    assert ready.n_pixels == {"none": 99, "otsu": 35, "mask": 99}[source.method]


def test_a_missing_frame_leaves_no_pixel_out():
    data = particle().data.copy()
    data[1] = np.nan
    stack = SpectralStack(data, ENERGY, quantity="optical_density")
    assert keep_pixels(stack, PixelSource("none")).n_pixels == 100
    assert keep_pixels(stack).n_pixels == 36


def test_pixels_are_chosen_anew_within_the_mask_that_the_stack_came_with():
    stack = particle(mask=left_half())
    once = keep_pixels(stack, PixelSource("mask", mask=np.eye(10)))
    again = keep_pixels(once, PixelSource("none"), own=stack.mask)
    np.testing.assert_array_equal(again.mask, left_half())
    assert [line.split(",")[-1] for line in again.history] == [
        " 5 pixels kept",
        " 50 pixels kept",
    ]


def test_masks_without_a_common_pixel_are_refused_with_both_numbers():
    right = PixelSource("mask", mask=~left_half(), text="right.npy")
    message = r"'P'.*right\.npy keeps 50 pixels, its own mask 50, and none is in both"
    with pytest.raises(InputError, match=message):
        keep_pixels(particle(mask=left_half()), right)
    with pytest.raises(InputError, match=r"\(3, 3\).*\(10, 10\)"):
        keep_pixels(particle(), own=np.ones((3, 3)))


def test_a_choice_that_keeps_everything_is_a_line_of_the_history_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ready = keep_pixels(particle(), PixelSource("threshold", low=-1.0))
    assert ready.history[0].startswith("warning: the mask by threshold keeps all 100")
    assert ready.history[1] == "mask: mean from -1, 100 pixels kept"


def test_counts_become_density_by_every_source_of_i0():
    i0 = np.array([1000.0, 900.0, 800.0])
    counts = i0[:, None, None] * np.exp(-particle().data + 0.1)
    stack = SpectralStack(counts, ENERGY, name="P")
    border = np.zeros((10, 10), bool)
    border[0] = True
    for source, line in (
        (I0Source(percentile=50), "I0: brightest pixels, percentile 50"),
        (I0Source("region", region=border), "I0: region, 10 pixels"),
        (I0Source("spectrum", spectrum=(ENERGY, i0), text="i0.txt"), "I0: i0.txt"),
    ):
        ready = prepare(stack, i0=source)
        assert ready.history[0] == line
        np.testing.assert_allclose(ready.spectra(), np.full((36, 3), 0.9), rtol=1e-5)


def test_a_region_that_was_not_given_is_called_by_its_method():
    assert str(I0Source("region")) == "region"


def test_what_holds_no_counts_is_not_converted_and_words_may_say_so():
    density = particle()
    assert to_density(density, I0Source("brightest")) is density
    counts = SpectralStack(density.data, ENERGY)
    taken = to_density(counts, I0Source("none"))
    assert taken.quantity == "optical_density"
    np.testing.assert_array_equal(taken.data, density.data)


def test_dark_pixels_do_not_count_as_an_own_mask():
    counts = np.full((3, 10, 10), 100.0)
    counts[:, 2:8, 2:8] = 30.0
    counts[0, 4, 4] = 2.0
    ready = prepare(SpectralStack(counts, ENERGY), min_counts=5.0)
    assert ready.n_pixels == 35
    assert ready.history[-1] == "mask: otsu, 35 pixels kept"
