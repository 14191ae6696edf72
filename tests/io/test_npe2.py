from __future__ import annotations

import numpy as np

from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.io.npe2 import stack_layer


def stack(factors: list[float], quantity: str) -> SpectralStack:
    frame = np.random.default_rng(0).random((6, 7), dtype=np.float32)
    data = np.stack([factor * (1.0 + frame) for factor in factors]).astype(np.float32)
    energy = 100.0 + np.arange(len(factors))
    return SpectralStack(data, energy, quantity=quantity)


def test_frames_that_fade_get_limits_of_their_own():
    _, attributes, kind = stack_layer(stack([900.0, 90.0, 30.0, 9.0], "counts"))
    assert kind == "image"
    assert attributes["auto_contrast"]
    low, high = attributes["contrast_limits"]
    assert low < high < 900.0


def test_optical_density_and_even_counts_keep_one_scale_for_all_frames():
    for made in (
        stack([0.2, 0.2, 1.4, 0.3], "optical_density"),
        stack([900.0, 800.0, 600.0, 700.0], "counts"),
    ):
        assert not stack_layer(made)[1]["auto_contrast"]
