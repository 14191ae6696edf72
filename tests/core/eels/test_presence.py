"""Where an edge is: the null of the jump ratio, its threshold, and doubt in words."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.eels.background import subtract_background
from napari_phasemap.core.eels.edge import analyze_edge
from napari_phasemap.core.eels.jump_ratio import suggest_presence
from napari_phasemap.core.eels.null_jump import null_jump
from napari_phasemap.core.eels.presence import measure_presence
from napari_phasemap.core.eels.recipe import edge_recipe, suggest_recipe
from napari_phasemap.core.simulate.embedded import EMBEDDED_WINDOWS, simulate_embedded
from napari_phasemap.io.read import read_stack


def measured(sample, edge):
    """Return the presence of one edge as a run has it."""
    fit_window, window = EMBEDDED_WINDOWS[edge]
    net = subtract_background(
        sample.core_loss, fit_window=fit_window, window=window, neighbors=1.5
    )
    return measure_presence(net)


@pytest.mark.parametrize(
    ("dose", "vacuum", "silicon"), [(300.0, 0.0, 0.88), (3000.0, 0.2, 0.8)]
)
def test_embedded_silicon_and_oxygen_are_found_where_they_are(dose, vacuum, silicon):
    sample = simulate_embedded(dose=dose, vacuum=vacuum, seed=11)
    for edge, least in (("Si_L", silicon), ("O_K", 0.9)):
        found = measured(sample, edge)
        assert found.sure
        truth = sample.present[edge].ravel()
        present = found.at(found.threshold)
        assert adjusted_rand_score(truth, present) >= least
        # The old answer: a fixed jump ratio, above which every pixel of Si-L was.
        if edge == "Si_L":
            assert adjusted_rand_score(truth, found.at(1.05)) < 0.5


def test_the_null_is_followed_over_the_counts():
    rng = np.random.default_rng(3)
    level = rng.uniform(2.0, 6.0, 4000)
    null = 1.15 - 0.03 * (level - 4.0)
    jump = null + rng.normal(0.0, 0.01, 4000)
    with_edge = rng.random(4000) < 0.4
    jump[with_edge] += rng.exponential(0.5, with_edge.sum())
    found = null_jump(jump, level, np.full(4000, 0.01))
    np.testing.assert_allclose(found.curve, null, atol=0.006)
    assert found.center == pytest.approx(1.15, abs=0.006)
    assert found.width < 0.006


def test_a_lower_group_of_few_pixels_is_the_null():
    rng = np.random.default_rng(4)
    jump = np.append(rng.normal(1.02, 0.02, 400), rng.normal(1.8, 0.05, 1600))
    found = null_jump(jump, np.zeros(2000), np.full(2000, 0.02))
    assert found.center == pytest.approx(1.02, abs=0.01)


def test_neighbors_decide_where_a_pixel_cannot():
    rng = np.random.default_rng(5)
    energy = np.arange(200.0, 331.0)
    image = np.zeros((40, 40), dtype=bool)
    image[10:30, 10:30] = True
    mean = 4.0 * (energy / 250.0) ** -3.0
    data = np.repeat(mean[:, None], 1600, axis=1)
    data += np.outer(0.25 * mean * (energy > 280), image.ravel())
    counts = rng.poisson(data).astype(np.float32).reshape(-1, 40, 40)
    edge = subtract_background(
        SpectralStack(counts, energy),
        fit_window=(200.0, 275.0),
        window=(285.0, 330.0),
        neighbors=1.5,
    )
    wrong = []
    for neighbors in (0.0, 1.0):
        found = measure_presence(edge, significance=-np.inf, neighbors=neighbors)
        wrong.append(np.mean(found.at(1.12) != image.ravel()))
    assert wrong[0] > 0.1
    assert wrong[1] < 0.3 * wrong[0]


def test_one_group_is_called_a_guess_and_all_with_edge_is_not():
    sample = simulate_embedded(shape=(40, 40), particles=0.0, seed=6)
    silicon, carbon = (measured(sample, edge) for edge in ("Si_L", "C_K"))
    assert not silicon.sure
    assert "a guess: one group of pixels, around 1.1" in silicon.reason
    assert carbon.sure
    assert "no group of pixels is without the edge" in carbon.reason
    assert carbon.at(carbon.threshold).all()
    recipe = edge_recipe("Si_L", *EMBEDDED_WINDOWS["Si_L"], jump_ratio=1.07)
    assert suggest_presence(sample.core_loss, recipe).jump_ratio == 1.07


def test_few_pixels_are_a_guess():
    sample = simulate_embedded(shape=(4, 4), seed=6)
    found = measured(sample, "Si_L")
    assert not found.sure
    assert "16 pixels are too few" in found.reason


def test_vacuum_has_no_edge_and_nan_is_not_present():
    sample = simulate_embedded(shape=(48, 48), vacuum=0.3, seed=7)
    data = np.array(sample.core_loss.data)
    data[5, 2, 2] = np.nan
    data[700, 3, 3] = np.nan
    stack = sample.core_loss.with_step("two bad pixels", data=data)
    fit_window, window = EMBEDDED_WINDOWS["Si_L"]
    edge = subtract_background(stack, fit_window=fit_window, window=window)
    for fit in (fit_window, (76.0, 97.0)):
        edge = subtract_background(stack, fit_window=fit, window=window)
        found = measure_presence(edge)
        present = found.at(-np.inf).reshape(48, 48)
        assert not present[(sample.thickness == 0.0)].any()
    assert not present[2, 2]


def test_a_run_takes_the_threshold_on_the_freed_jump_ratio():
    sample = simulate_embedded(shape=(48, 48), seed=8)
    recipe = edge_recipe("Si_L", *EMBEDDED_WINDOWS["Si_L"], embed=False, n_clusters=3)
    suggestion = suggest_presence(sample.core_loss, recipe)
    assert suggestion.sure
    recipe = replace(recipe, jump_ratio=suggestion.jump_ratio)
    found = analyze_edge(sample.core_loss, recipe)
    np.testing.assert_array_equal(
        found.present, found.presence.at(suggestion.jump_ratio)
    )
    np.testing.assert_array_equal(found.classes.labels > 0, found.present)
    again = analyze_edge(
        sample.core_loss, replace(recipe, jump_ratio=1.6), previous=found
    )
    assert again.edge.net is found.edge.net
    assert again.present.sum() < found.present.sum()


def test_lanthanum_of_the_real_file_is_in_its_layer_in_a_run(real_data):
    pytest.importorskip("rsciio")
    folder = real_data / "scifi-dm3-eels-si"
    stack = read_stack(folder / "DMReader_SpectrumImage_SI-EELS.dm3")
    recipe = suggest_recipe("La_M", stack)
    suggestion = suggest_presence(stack, recipe)
    assert suggestion.sure
    recipe = replace(
        recipe, jump_ratio=suggestion.jump_ratio, embed=False, n_clusters=2
    )
    present = analyze_edge(stack, recipe).present.reshape(stack.shape)
    assert np.flatnonzero(present.all(axis=1)).tolist() == list(range(17, 30))
    assert np.flatnonzero(present.any(axis=1)).tolist() == list(range(17, 30))
