from __future__ import annotations

import itertools

import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_phasemap.core.data.palettes import (
    A_AND_B,
    PALETTES,
    palette_colors,
    phase_colors,
)

#: What full protanopia, deuteranopia and tritanopia make of linear red, green and blue:
#: Machado, Oliveira and Fernandes, DOI: 10.1109/TVCG.2009.113, severity 1.0.
SEEN_AS = {
    "all": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
#: Difference in CIE Lab that is seen at a glance; 2.3 is just noticeable.
AT_A_GLANCE = 7.0


def smallest_difference(colors: tuple[str, ...], matrix: object) -> float:
    srgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colors])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.asarray(matrix).T, 0, 1)
    back = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(back)
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(lab, 2))


@pytest.mark.parametrize("eyes", SEEN_AS)
@pytest.mark.parametrize("name", PALETTES)
def test_the_first_seven_colors_are_told_apart_by_all_eyes(
    name: str, eyes: str
) -> None:
    colors = palette_colors(name, 7)
    assert smallest_difference(colors, SEEN_AS[eyes]) > AT_A_GLANCE


@pytest.mark.parametrize("eyes", SEEN_AS)
def test_a_and_b_are_far_apart_for_all_eyes(eyes: str) -> None:
    assert smallest_difference(tuple(A_AND_B.values()), SEEN_AS[eyes]) > 30


def test_no_color_comes_twice_before_three_rounds() -> None:
    for name, colors in PALETTES.items():
        some = palette_colors(name, 3 * len(colors))
        assert len(set(some)) == len(some)
    assert phase_colors(14) == PALETTES["Okabe-Ito"]


def test_an_unknown_palette_is_named() -> None:
    with pytest.raises(ValueError, match="no palette 'jet'"):
        palette_colors("jet", 3)
