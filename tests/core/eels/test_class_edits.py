from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_phasemap.core.bonds.mutual_information import mutual_information
from napari_phasemap.core.bonds.pair_order import diagonal_order
from napari_phasemap.core.data.mosaic import mosaic
from napari_phasemap.core.data.net_edge import NOT_FINITE
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.eels.class_edits import (
    merge_classes,
    rename_class,
    split_class,
)
from napari_phasemap.core.eels.edge import analyze_edge
from napari_phasemap.core.eels.edge_preview import preview_mean, preview_pixel
from napari_phasemap.core.eels.plain_edge import plain_edge
from napari_phasemap.core.eels.recipe import edge_recipe
from napari_phasemap.core.learn.clustering import kmeans

if TYPE_CHECKING:
    from napari_phasemap.core.data.phasemap import PhaseMap


@pytest.fixture
def four() -> tuple[PhaseMap, np.ndarray]:
    """Forty pixels in four groups on a line, one of them without values."""
    rng = np.random.default_rng(0)
    values = np.repeat([0.0, 4.0, 9.0, 20.0], [16, 12, 8, 4])[:, None]
    values = (values + 0.1 * rng.normal(size=values.shape)).astype(np.float32)
    values[5] = np.nan
    return kmeans(values, n_clusters=4), values


def test_merging_keeps_all_other_pixels_and_ranks_the_rest_anew(
    four: tuple[PhaseMap, np.ndarray],
) -> None:
    classes, values = four
    merged = merge_classes(classes, [3, 1])
    assert merged.names == ("class 1 + class 3", "class 2", "class 4")
    np.testing.assert_array_equal(
        merged.labels, np.array([0, 1, 2, 1, 3])[classes.labels]
    )
    assert merged.labels[5] == 0
    assert np.isnan(merged.margin[5])
    centers = classes.parameters["centers"]
    pixel = 0  # of class 1; the nearest of the other two classes is class 2
    best, second = (np.abs(values[pixel] - centers[i]).item() for i in (0, 1))
    assert merged.margin[pixel] == pytest.approx(second - best, rel=1e-5)
    assert merged.runner_up[pixel] == 2


def test_what_was_split_and_merged_again_is_the_class_it_was(
    four: tuple[PhaseMap, np.ndarray],
) -> None:
    classes, values = four
    two = merge_classes(classes, [2, 3])
    parts = split_class(two, values, 2)
    assert parts.n_phases == 4
    assert set(parts.labels[classes.labels == 2]) == {2}
    assert set(parts.labels[classes.labels == 3]) == {4}
    again = merge_classes(parts, [2, 4])
    np.testing.assert_array_equal(again.labels, two.labels)
    assert len(set(parts.colors)) == 4


def test_a_painted_pixel_stays_certain_when_classes_are_merged(
    four: tuple[PhaseMap, np.ndarray],
) -> None:
    classes, _ = four
    labels = classes.labels.copy()
    labels[0] = 4
    merged = merge_classes(classes.with_labels(labels), [1, 2])
    assert merged.labels[0] == 3
    assert np.isposinf(merged.margin[0])


@pytest.mark.parametrize(
    ("chosen", "words"),
    [([2], "choose two or more"), ([2, 2], "choose two"), ([1, 9], "no class 9")],
)
def test_what_cannot_be_merged_is_named(
    four: tuple[PhaseMap, np.ndarray], chosen: list[int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        merge_classes(four[0], chosen)


def test_a_painted_pixel_without_values_belongs_to_no_part(
    four: tuple[PhaseMap, np.ndarray],
) -> None:
    classes, values = four
    labels = classes.labels.copy()
    labels[5] = 1
    parts = split_class(classes.with_labels(labels), values, 1)
    assert parts.labels[5] == 0
    assert set(parts.labels[labels == 1]) == {0, 1, 5}


def test_a_class_of_one_pixel_cannot_be_split() -> None:
    classes = kmeans(np.array([[0.0], [0.1], [5.0]]), n_clusters=2)
    with pytest.raises(ValueError, match="'class 2' cannot be split"):
        split_class(classes, np.array([[0.0], [0.1], [5.0]]), 2)


def test_a_name_that_is_taken_is_refused(four: tuple[PhaseMap, np.ndarray]) -> None:
    assert rename_class(four[0], 2, "SiC").names[1] == "SiC"
    for name in ("class 1", "  "):
        with pytest.raises(ValueError, match="no new name"):
            rename_class(four[0], 2, name)


def test_a_mosaic_has_the_pixel_order_of_its_set() -> None:
    rng = np.random.default_rng(0)
    masks = rng.random((3, 7)) > 0.3, rng.random((5, 4)) > 0.3
    data = [rng.random((6, *mask.shape), dtype=np.float32) for mask in masks]
    data[1][2] = np.nan  # a missing frame
    energy = np.arange(280.0, 286.0)
    stacks = StackSet(
        [SpectralStack(d, energy, mask=m) for d, m in zip(data, masks, strict=True)]
    )
    joined = mosaic(stacks)
    np.testing.assert_array_equal(joined.spectra(), stacks.spectra())
    np.testing.assert_array_equal(joined.energy, stacks.energy)
    one = StackSet([stacks[0]])
    assert mosaic(one) is stacks[0]


def test_a_window_without_background_is_an_edge_of_every_finite_pixel() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(1.0, 0.01, (10, 6, 6)).astype(np.float32)
    data[4:6, :, :3] += 1.0
    data[3, 0, 0] = np.nan
    stack = SpectralStack(
        data, np.arange(280.0, 290.0), quantity="optical_density", name="P1"
    )
    edge = plain_edge(stack, window=(282.0, 288.0))
    assert edge.energy.tolist() == list(range(282, 289))
    assert edge.flags[0] == NOT_FINITE
    assert edge.signal[1] == pytest.approx(data[2:9, 0, 1].sum(), rel=1e-6)
    recipe = edge_recipe("all", None, (282.0, 288.0), n_clusters=2, embed=False)
    found = analyze_edge(stack, recipe)
    assert found.present.sum() == 35
    labels = found.classes.labels.reshape(6, 6)
    assert labels[0, 0] == 0
    assert len(set(labels[1:, :3].ravel())) == 1
    assert len(set(labels[:, 3:].ravel())) == 1
    assert labels[1, 0] != labels[1, 5]


@pytest.mark.parametrize("window", [(270.0, 285.0), (285.0, 285.5), (288.0, 284.0)])
def test_a_window_that_does_not_fit_is_named(window: tuple[float, float]) -> None:
    stack = SpectralStack(np.ones((10, 2, 2)), np.arange(280.0, 290.0), name="P1")
    with pytest.raises(ValueError, match="P1"):
        plain_edge(stack, window=window)


def test_the_preview_of_a_pixel_is_what_the_whole_map_has() -> None:
    rng = np.random.default_rng(0)
    energy = np.arange(200.0, 331.0)
    counts = 4e8 * energy**-3.0 * (1.0 + 0.1 * rng.random((20, 20, 1)))
    data = rng.poisson(np.moveaxis(counts, 2, 0)).astype(np.float32)
    mask = np.ones((20, 20), dtype=bool)
    mask[:, :3] = False
    stack = SpectralStack(data, energy, mask=mask)
    recipe = edge_recipe(
        "C_K", (200.0, 275.0), (284.0, 330.0), n_clusters=2, embed=False, jump_ratio=0.0
    )
    from napari_phasemap.core.eels.background import subtract_background

    edge = subtract_background(
        stack, fit_window=recipe.fit_window, window=recipe.window, neighbors=1.5
    )
    pixel = StackSet([stack]).pixel_at(0, 11, 5)
    preview = preview_pixel(stack, 11, 5, recipe)
    assert pixel is not None
    np.testing.assert_allclose(
        preview.background, edge.background_at(preview.energy, pixel), rtol=1e-4
    )
    np.testing.assert_array_equal(preview.measured, data[:, 11, 5])
    with pytest.raises(ValueError, match="outside the mask"):
        preview_pixel(stack, 0, 0, recipe)


def test_the_preview_of_a_power_law_leaves_only_the_edge() -> None:
    energy = np.arange(200.0, 331.0)
    mean = 1e9 * energy**-3.0 + 20.0 * (energy >= 284)
    recipe = edge_recipe("C_K", (200.0, 275.0), (284.0, 330.0))
    preview = preview_mean(energy, mean, recipe)
    np.testing.assert_allclose(preview.net, 20.0 * (energy >= 284), atol=0.05)


def test_partners_meet_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(1, 5, (10, 10))
    first = np.kron(coarse, np.ones((4, 4), dtype=int))
    partner = np.array([0, 3, 1, 4, 2])[first]
    rows, columns = diagonal_order(mutual_information(first, partner))
    assert sorted(rows) == [1, 2, 3, 4]
    assert [int(np.array([0, 3, 1, 4, 2])[row]) for row in rows] == columns.tolist()
