"""A blur is found, and boundaries are no third phase, against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases import particle_posterior
from napari_phasemap.core.phases.blur_kernels import blurred, misfit_of, place_products
from napari_phasemap.core.phases.posterior import posterior_map
from napari_phasemap.core.simulate.independent import independent_particles


def strongly_mixed(seed=21):
    particles = independent_particles(2, (60, 72), seed=seed, mixing=2.5)
    stacks = StackSet([one.optical_density for one in particles])
    truth = np.concatenate([one.true_labels for one in particles])
    return stacks, particles[0].references, truth


def test_a_blurred_image_is_the_gaussian_mean_inside_the_mask():
    rng = np.random.default_rng(0)
    image = rng.random((20, 30, 3)).astype(np.float32)
    weights = np.exp(-0.5 * (np.arange(-4, 5) / 1.1) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    out = np.empty_like(image)
    blurred(image, np.ones((20, 30), np.float32), weights, out)
    expected = gaussian_filter(
        image.astype(float), (1.1, 1.1, 0), mode="constant", radius=(4, 4, 0)
    )
    assert_allclose(out, expected, atol=1e-5)


def test_the_misfit_of_a_mixture_is_what_least_squares_leaves():
    rng = np.random.default_rng(1)
    shapes = rng.random((3, 8)) + 0.2
    spectrum = rng.random((1, 8)).astype(np.float32)
    variance = (rng.random((1, 8)) + 0.5).astype(np.float32)
    shares = np.array([0.2, 0.5, 0.3])
    products = np.zeros((1, 3), np.float32)
    grams, squares = np.zeros((1, 3, 3), np.float32), np.zeros(1, np.float32)
    scale, places = np.full(1, 2.0, np.float32), np.zeros(1, np.int64)
    place_products(
        spectrum, variance, shapes, False, scale, places, products, grams, squares
    )
    found = misfit_of(
        shares.astype(np.float32)[None, None],
        np.ones((1, 1), np.float32),
        products[None],
        grams[None],
        squares[None],
    )
    root = np.sqrt(1.0 / (2.0 * variance[0].astype(float)))
    model, value = root * (shares @ shapes), root * spectrum[0]
    amount = value @ model / (model @ model)
    assert found == pytest.approx(np.sum((value - amount * model) ** 2), rel=1e-4)


def test_boundaries_of_a_strong_blur_are_no_third_phase():
    stacks, references, truth = strongly_mixed()
    alone = posterior_map(stacks, references, blur=0)
    found = posterior_map(stacks, references)
    assert np.mean(found.labels == truth) > np.mean(alone.labels == truth) + 0.05
    assert_allclose(found.parameters["blur"], 2.5, atol=0.8)
    assert alone.parameters["blur"] == [0.0, 0.0]
    given = posterior_map(stacks, references, blur=2.5)
    assert given.parameters["blur"] == [2.5, 2.5]
    assert np.mean(given.labels == truth) > np.mean(alone.labels == truth) + 0.05


def test_an_image_in_bands_is_the_image_as_one(monkeypatch):
    stacks, references, _ = strongly_mixed()
    whole = posterior_map(stacks[0], references, blur=1.5)
    monkeypatch.setattr(particle_posterior, "BAND_PIXELS", 25 * 72)
    parts = posterior_map(stacks[0], references, blur=1.5)
    assert np.mean(whole.labels == parts.labels) > 0.99


def test_a_blur_that_pixels_cannot_show_is_refused():
    stacks, references, _ = strongly_mixed()
    with pytest.raises(InputError, match="0 to 6 pixels; got 9"):
        posterior_map(stacks, references, blur=9)
