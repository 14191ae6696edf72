"""From simulated counts to named classes, and what the low loss adds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from napari_phasemap.core.bonds.mutual_information import mutual_information
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.net_edge import edge_present
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.pixel_spectra import average_neighbors
from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.eels.axis import (
    align_zero_loss,
    calibrate_onset,
    find_spikes,
    remove_spikes,
)
from napari_phasemap.core.eels.background import subtract_background
from napari_phasemap.core.eels.edge import analyze_edge
from napari_phasemap.core.eels.jump_ratio import suggest_jump_ratio
from napari_phasemap.core.eels.naming import ClassSpectra, class_spectra, name_classes
from napari_phasemap.core.eels.recipe import (
    EDGES,
    PRESETS,
    edge_recipe,
    parse_edge,
    suggest_recipe,
)
from napari_phasemap.core.eels.thickness import (
    specimen_mask,
    thickness,
    thickness_bins,
    thickness_warning,
)
from napari_phasemap.core.prepare.energy_axis import calibrate_energy
from napari_phasemap.core.simulate.synthetic_eels import (
    EDGE_WINDOWS,
    PHASES,
    si_c_references,
    simulate_si_c,
)
from napari_phasemap.io.read import read_stack


@pytest.fixture(scope="module")
def sample():
    return simulate_si_c(shape=(48, 48), dose=1500.0, seed=7)


@pytest.fixture(scope="module")
def silicon(sample):
    recipe = edge_recipe("Si_L", *EDGE_WINDOWS["Si_L"], embed=False, n_clusters=6)
    return analyze_edge(sample.core_loss, recipe)


def test_the_sample_repeats_and_its_shares_sum_to_one(sample):
    again = simulate_si_c(shape=(48, 48), dose=1500.0, seed=7)
    np.testing.assert_array_equal(again.core_loss.data, sample.core_loss.data)
    np.testing.assert_allclose(sample.fractions.sum(axis=0), 1.0, atol=1e-5)
    channel = int(np.searchsorted(sample.core_loss.energy, 80.0))
    pixels = np.abs(sample.thickness - 0.6) < 0.03
    mean = sample.core_loss.data[channel][pixels].mean()
    assert mean == pytest.approx(1500.0, rel=0.05)
    with pytest.raises(ValueError, match="positive"):
        simulate_si_c(shape=(0, 4))


def test_silicon_phases_are_found_and_named(sample, silicon):
    truth = sample.silicon_phase.ravel()
    references = si_c_references("Si_L", shift=0.5, plural=0.3)
    names = name_classes(silicon.spectra, references)
    assert names.shift == pytest.approx(-0.5, abs=0.21)
    numbers = np.array([0, *(PHASES.index(name) for name in names.names)])
    guess = numbers[silicon.classes.labels]
    both = (truth > 0) & (guess > 0)
    assert both.sum() > 0.9 * (truth > 0).sum()
    assert adjusted_rand_score(truth[both], guess[both]) > 0.65
    renamed = names.rename(silicon.classes)
    assert len(set(renamed.names)) == 6
    assert {name.split()[0] for name in renamed.names} <= {"Si", "SiC", "SiO2"}


def test_changing_the_number_of_clusters_keeps_the_earlier_steps(sample, silicon):
    recipe = edge_recipe("Si_L", *EDGE_WINDOWS["Si_L"], embed=False, n_clusters=3)
    again = analyze_edge(sample.core_loss, recipe, previous=silicon)
    assert again.edge.net is silicon.edge.net
    assert again.values is silicon.values
    assert again.classes.n_phases == 3
    moved = edge_recipe("Si_L", (73.0, 97.0), (98.0, 130.0), embed=False, n_clusters=3)
    other = analyze_edge(sample.core_loss, moved, previous=again)
    assert other.values is not silicon.values
    stricter = edge_recipe(
        "Si_L", *EDGE_WINDOWS["Si_L"], embed=False, n_clusters=3, jump_ratio=1.2
    )
    fewer = analyze_edge(sample.core_loss, stricter, previous=again)
    assert fewer.edge.net is silicon.edge.net
    assert fewer.present.sum() < again.present.sum()


def test_a_number_of_clusters_is_suggested(sample):
    recipe = edge_recipe("Si_L", *EDGE_WINDOWS["Si_L"], embed=False)
    steps = []
    found = analyze_edge(
        sample.core_loss, recipe, on_progress=lambda *step: steps.append(step)
    )
    assert found.suggestion is not None
    assert found.classes.n_phases == max(2, found.suggestion.n_clusters)
    assert steps[-1][0] == steps[-1][1]
    assert ((found.stability > 0) & (found.stability <= 1)).all()


def test_an_edge_that_nowhere_is_says_what_to_do(sample):
    recipe = edge_recipe("none", (340.0, 400.0), (405.0, 450.0), jump_ratio=5.0)
    with pytest.raises(ValueError, match="lower the thresholds or move the windows"):
        analyze_edge(sample.core_loss, recipe)


def test_presets_and_windows():
    assert edge_recipe("a", (1, 2), (3, 4), preset="paper").n_components == 30
    assert set(PRESETS) == {"recommended", "paper"}
    with pytest.raises(ValueError, match="not one of"):
        edge_recipe("a", (1, 2), (3, 4), preset="mine")
    with pytest.raises(ValueError, match="no setting"):
        edge_recipe("a", (1, 2), (3, 4), clusters=3)
    assert parse_edge("O_K:480.5-526:530-575")[1] == (480.5, 526.0)
    for text in ("O_K", "O_K:1-2", "a:1-2:x-4", ""):
        with pytest.raises(ValueError, match="NAME:FITLOW"):
            parse_edge(text)


def test_suggested_windows_lie_on_the_axis_around_the_edge(sample):
    for name in EDGE_WINDOWS:
        recipe = suggest_recipe(name, sample.core_loss)
        onset = EDGES[name]
        assert recipe.fit_window[1] < onset < recipe.window[1]
        assert recipe.fit_window[0] >= sample.core_loss.energy[0]
    with pytest.raises(ValueError, match="no room"):
        suggest_recipe("Fe_L", sample.core_loss)
    with pytest.raises(ValueError, match="no edge 'Xx'"):
        suggest_recipe("Xx", sample.core_loss)


def test_class_spectra_have_standard_errors():
    rng = np.random.default_rng(0)
    values = rng.normal(5.0, 2.0, size=(1000, 4))
    scores = np.zeros((1000, 3))
    scores[:400, 0] = scores[400:999, 1] = scores[999:, 2] = 1
    classes = PhaseMap.from_scores(scores, ["a", "b", "c"])
    found = class_spectra(values, classes)
    np.testing.assert_allclose(found.mean[0], values[:400].mean(axis=0))
    sem = values[:400].std(axis=0, ddof=1) / 20.0
    np.testing.assert_allclose(found.standard_error[0], sem, rtol=1e-6)
    assert np.isnan(found.standard_error[2]).all()
    assert found.n_pixels.tolist() == [400, 599, 1]
    with pytest.raises(ValueError, match="9 spectra for 1000 labels"):
        class_spectra(values[:9], classes)


def spectra_of(rows, energy):
    rows = np.asarray(rows, dtype=float)
    names = tuple(f"class {i + 1}" for i in range(len(rows)))
    return ClassSpectra(
        names, energy, rows, np.full(rows.shape, np.nan), np.ones(len(rows), int)
    )


def test_mixtures_are_recovered_with_shift_and_background():
    energy = np.linspace(100, 130, 121)
    wide = np.linspace(90, 140, 401)

    def peak(e, center):
        return np.exp(-0.5 * ((e - center) / 1.5) ** 2)

    references = ReferenceSpectra(
        ["a", "b"], wide, [peak(wide, 108.0), 3.0 * peak(wide, 116.0)]
    )
    rows = [
        0.8 * peak(energy, 109.0)
        + 0.2 * peak(energy, 117.0)
        + 0.1 * (energy / 110) ** -3,
        peak(energy, 117.0) - 0.05 * (energy / 110) ** -3,
    ]
    found = name_classes(spectra_of(rows, energy), references)
    assert found.names == ("a", "b")
    assert found.runner_up[0] == "b"
    assert found.shift == pytest.approx(1.0)
    np.testing.assert_allclose(found.shares, [[0.8, 0.2], [0, 1]], atol=0.01)
    assert found.residual.max() < 1e-3


def test_a_class_without_pixels_or_signal_has_no_name():
    energy = np.linspace(100, 130, 31)
    references = ReferenceSpectra(["a"], np.linspace(90, 140, 51), [np.ones(51)])
    rows = [np.full(31, np.nan), np.zeros(31)]
    found = name_classes(spectra_of(rows, energy), references, tangents=False)
    assert found.names == ("", "")
    assert np.isnan(found.score).all()
    narrow = ReferenceSpectra(["a"], [110.0, 112.0], [[0.0, 1.0]])
    with pytest.raises(ValueError, match="at least half"):
        name_classes(spectra_of(rows, energy), narrow)


def test_thickness_is_the_true_one_without_bias(sample):
    measured = thickness(sample.low_loss)
    difference = measured.t_over_lambda - sample.thickness.ravel()
    assert abs(difference.mean()) < 0.01
    assert difference.std() < 0.01
    assert measured.counted.all()


def low_loss(t, centers, energy):
    """Return a cube of exact Gaussian zero losses and one broad plasmon."""
    zero = np.exp(-0.5 * ((energy[:, None] - centers) / 0.5) ** 2)
    plasmon = np.exp(-0.5 * ((energy[:, None] - centers - 22) / 2.5) ** 2)
    zero /= zero.sum(axis=0)
    plasmon /= plasmon.sum(axis=0)
    return (1e6 * (np.exp(-t) * zero + (1 - np.exp(-t)) * plasmon)).reshape(
        len(energy), 1, -1
    )


def test_thickness_and_zero_loss_of_known_spectra():
    energy = np.arange(-20, 80, 0.3)
    centers = np.array([0.0, 0.37, -1.4, 2.0])
    t = np.array([0.2, 0.5, 1.0, 1.5])
    data = np.concatenate(
        [low_loss(t, centers, energy), np.zeros((len(energy), 1, 1))], axis=2
    )
    measured = thickness(SpectralStack(data, energy))
    np.testing.assert_allclose(measured.t_over_lambda[:4], t, rtol=1e-3)
    np.testing.assert_allclose(measured.zero_loss[:4], centers, atol=0.01)
    assert measured.counted.tolist() == [True] * 4 + [False]
    assert np.isfinite(measured.t_over_lambda).all()
    mask = specimen_mask(measured, SpectralStack(data, energy), least=0.3)
    assert mask.ravel().tolist() == [False, True, True, True, False]


def test_zero_losses_are_aligned_by_whole_channels_and_the_core_loss_follows():
    energy = np.arange(-20, 80, 0.25)
    centers = np.array([0.5, 1.0, 0.5, -0.25])
    low = SpectralStack(low_loss(np.full(4, 0.5), centers, energy), energy)
    core_energy = np.arange(400.0, 440.0, 0.5)
    edges = (core_energy[:, None] >= 420.0 + centers).astype(float) * 100
    core = SpectralStack(edges.reshape(-1, 1, 4), core_energy)
    aligned, moved = align_zero_loss(low, core)
    np.testing.assert_allclose(thickness(aligned).zero_loss, 0.0, atol=0.02)
    onset = moved.energy[np.asarray(moved.data > 0).argmax(axis=0)]
    np.testing.assert_allclose(onset, 420.0, atol=0.5)
    same = SpectralStack(low.data[:, :, :1], energy)
    only_axis, none = align_zero_loss(same)
    assert none is None
    assert np.shares_memory(only_axis.data, same.data)
    with pytest.raises(ValueError, match="same pixels"):
        align_zero_loss(same, core)


def test_an_aligned_stack_says_so_and_is_not_moved_twice():
    energy = np.arange(-20, 80, 0.25)
    centers = np.array([0.5, 1.0, 0.5, -0.25])
    low = SpectralStack(low_loss(np.full(4, 0.5), centers, energy), energy)
    core = SpectralStack(np.ones((81, 1, 4)), np.arange(400.0, 440.5, 0.5))
    assert low.zero_loss is None
    assert core.zero_loss is None
    aligned, moved = align_zero_loss(low, core)
    assert (aligned.zero_loss, moved.zero_loss) == (0.0, 0.0)
    # The fact follows what is done to the stack, whatever its history says.
    masked = moved.with_mask(np.array([[True, False, True, True]]))
    assert replace(masked, history=()).zero_loss == 0.0
    assert calibrate_energy(moved, shift=1.5).zero_loss == 1.5
    with pytest.raises(InputError, match="at 0 eV in every pixel already"):
        align_zero_loss(low, moved)
    again, _ = align_zero_loss(aligned, moved)
    np.testing.assert_allclose(again.energy[0], aligned.energy[0], atol=0.02)


@pytest.mark.parametrize(
    ("energy", "center", "width", "message"),
    [
        (np.arange(400.0, 500.0), 450.0, 1.0, "without|not 0 eV"),
        (np.arange(-20.0, 80.0, 0.5), 22.0, 6.0, "no zero-loss peak"),
    ],
    ids=["core loss", "plasmon only"],
)
def test_a_low_loss_without_zero_loss_is_refused(energy, center, width, message):
    data = 1e4 * np.exp(-0.5 * ((energy - center) / width) ** 2)
    stack = SpectralStack(data[:, None, None] * np.ones((1, 3, 3)), energy)
    with pytest.raises(ValueError, match=message):
        thickness(stack)


def test_classes_that_are_thickness_bands_are_called_so(sample, silicon):
    measured = thickness(sample.low_loss)
    bins = thickness_bins(measured, n_bins=4)
    np.testing.assert_allclose(bins.fractions(), 25.0, atol=1.0)
    bands = mutual_information(bins, bins, stacks=sample.low_loss)
    assert "thickness bands" in str(thickness_warning(bands, "Si_L"))
    chemistry = mutual_information(silicon.classes, bins, stacks=sample.low_loss)
    assert thickness_warning(chemistry) is None


def test_the_axis_is_moved_to_a_known_onset():
    energy = np.arange(270.0, 300.0, 0.5)
    data = (1.0 + (energy > 281.2))[:, None, None] * np.ones((1, 2, 2))
    moved = calibrate_onset(
        SpectralStack(data, energy), window=(275.0, 290.0), onset=284.0
    )
    assert moved.energy[0] == pytest.approx(270.0 + 284.0 - 281.25, abs=0.3)
    with pytest.raises(ValueError, match="at least 5"):
        calibrate_onset(SpectralStack(data, energy), window=(500.0, 510.0), onset=284.0)
    with pytest.raises(ValueError, match="nothing rises"):
        calibrate_onset(
            SpectralStack(data[::-1], energy), window=(282.0, 295.0), onset=284.0
        )


def test_a_spike_is_found_and_an_edge_is_not():
    rng = np.random.default_rng(0)
    mean = np.full((60, 8, 9), 40.0)
    mean[30:] = 400.0
    mean[:, 2, 3] *= 5
    counts = rng.poisson(mean).astype(float)
    counts[20, 5, 5] = 5000.0
    stack = SpectralStack(counts, np.arange(60.0))
    assert np.argwhere(find_spikes(stack)).tolist() == [[20, 5, 5]]
    clean = remove_spikes(stack)
    assert clean.data[20, 5, 5] < 80
    assert stack.data[20, 5, 5] == 5000.0
    assert "1 spikes" in clean.history[-1]
    assert remove_spikes(clean) is clean


def test_thickness_of_the_real_line_scan_is_plausible(real_data):
    from napari_phasemap.io.read import read_stack

    path = real_data / "lsmo-eels-linescan" / "LSMO_linescan_low_loss.hdf5"
    if not path.is_file():
        pytest.skip("no low loss")
    measured = thickness(read_stack(path))
    assert measured.counted.all()
    assert 0.3 < measured.t_over_lambda.min() < measured.t_over_lambda.max() < 0.8


def cancel_at(number, call):
    """Raise `Cancelled` at a report and see that no other report follows."""
    seen = []

    def stop(*_):
        seen.append(None)
        if len(seen) > number:
            raise Cancelled

    with pytest.raises(Cancelled):
        call(stop)
    assert len(seen) == number + 1


def test_cancel_takes_effect_at_every_report_of_every_step(sample):
    recipe = edge_recipe("Si_L", *EDGE_WINDOWS["Si_L"], embed=False)
    whole = sample.core_loss
    stack = SpectralStack(np.array(whole.data[:130, :14, :14]), whole.energy[:130])
    texts = []
    analyze_edge(stack, recipe, on_progress=lambda *step: texts.append(step[2]))
    for step in ("background", "components", "scores", "3 clusters", "12 clusters",
                 "k-means", "stability"):  # fmt: skip
        number = next(i for i, text in enumerate(texts) if step in text)
        cancel_at(number, lambda stop: analyze_edge(stack, recipe, on_progress=stop))


def test_the_latent_space_of_an_edge_may_have_three_dimensions(sample):
    asked = []

    def embedded(values, *, n_components, **_):
        asked.append(n_components)
        return np.zeros((len(values), n_components), dtype=np.float32)

    windows = EDGE_WINDOWS["Si_L"]
    recipe = edge_recipe("Si_L", *windows, n_clusters=2, n_dimensions=3)
    found = analyze_edge(sample.core_loss, recipe, embed=embedded)
    assert found.embedding.shape == (48 * 48, 3)
    flat = edge_recipe("Si_L", *windows, n_clusters=2)
    again = analyze_edge(sample.core_loss, flat, previous=found, embed=embedded)
    assert again.embedding.shape == (48 * 48, 2)
    assert again.classes is found.classes
    assert asked == [3, 2]


def test_spikes_are_told_block_by_block_and_can_be_stopped(monkeypatch):
    monkeypatch.setattr("napari_phasemap.core.eels.axis.BLOCK", 60)
    data = np.full((20, 7, 3), 5.0)
    data[9, 5, 1] = 500.0
    stack = SpectralStack(data, np.arange(20.0) + 100.0)
    spikes = np.argwhere(find_spikes(stack))
    assert spikes.tolist() == [[9, 5, 1]]

    def stop(step, total, text):
        if step:
            raise Cancelled

    with pytest.raises(Cancelled):
        remove_spikes(stack, on_progress=stop)


def test_a_bent_background_is_no_edge_however_many_counts():
    energy = np.arange(600.0, 900.0)
    bent = 1e11 * energy**-3.0 * (1.0 + 0.06 * (energy > 780) * (energy - 780) / 50)
    data = np.repeat(bent[:, None], 20 * 20, axis=1).reshape(-1, 20, 20)
    data[energy > 832, 8:14] += 0.5 * bent[energy > 832][:, None, None]
    counts = np.random.default_rng(0).poisson(data).astype(np.float32)
    stack = SpectralStack(counts, energy)
    recipe = replace(suggest_recipe("La_M", stack), present_neighbors=0.0)
    threshold = suggest_jump_ratio(stack, recipe)
    assert 1.1 < threshold < 1.25
    again = replace(recipe, jump_ratio=threshold, embed=False, n_clusters=1)
    present = analyze_edge(stack, again).present.reshape(20, 20)
    np.testing.assert_array_equal(np.flatnonzero(present.any(axis=1)), range(8, 14))
    paper = edge_recipe("La_M", recipe.fit_window, recipe.window, preset="paper")
    assert suggest_jump_ratio(stack, paper) == -np.inf


def test_lanthanum_is_found_in_its_layer_of_the_real_file_only(real_data):
    folder = real_data / "scifi-dm3-eels-si"
    pytest.importorskip("rsciio")
    stack = read_stack(folder / "DMReader_SpectrumImage_SI-EELS.dm3")
    recipe = suggest_recipe("La_M", stack)
    threshold = suggest_jump_ratio(stack, recipe)
    edge = subtract_background(
        stack, fit_window=recipe.fit_window, window=recipe.window, neighbors=1.5
    )
    present = edge_present(
        edge,
        significance=recipe.significance,
        jump_ratio=threshold,
        neighbors=recipe.present_neighbors,
    ).reshape(stack.shape)
    assert np.flatnonzero(present.all(axis=1)).tolist() == list(range(17, 30))
    assert np.flatnonzero(present.any(axis=1)).tolist() == list(range(17, 30))


def test_thickness_and_zero_loss_are_told_channel_by_channel_and_can_be_stopped(sample):
    low, core = sample.low_loss, sample.core_loss
    drifting = np.array(low.data)
    drifting[:, :10] = np.roll(drifting[:, :10], 2, axis=0)
    low = low.with_step("drift", data=drifting)
    texts = []
    whole = align_zero_loss(low, core, on_progress=lambda *step: texts.append(step[2]))
    assert "pixels by" in whole[0].history[-1]
    assert len(set(texts)) == 6
    assert texts.count(f"relabeling {core.name}") > 20
    for number in (0, len(texts) // 2, len(texts) - 1):
        cancel_at(number, lambda stop: align_zero_loss(low, core, on_progress=stop))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_neighbors": 0}, "n_neighbors=0 of Si_L is not between 2 and inf"),
        ({"min_distance": float("nan")}, "min_distance=nan"),
        ({"min_distance": 2.0}, "between 0 and 1"),
        ({"background_neighbors": float("inf")}, "background_neighbors=inf"),
        ({"score_neighbors": -1.0}, "score_neighbors=-1.0"),
        ({"significance": float("nan")}, "significance=nan"),
        ({"n_components": 0}, "n_components=0"),
        ({"n_clusters": 0}, "n_clusters=0"),
        ({"n_dimensions": 4}, "n_dimensions=4"),
        ({"seed": -1}, "seed=-1"),
        ({"representation": "raw"}, "representation='raw' is not in"),
    ],
)
def test_settings_out_of_range_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        edge_recipe("Si_L", *EDGE_WINDOWS["Si_L"], **changes)


def test_neighbors_that_are_no_number_of_pixels_are_refused(sample, silicon):
    for bad in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="give a number of 0 or more"):
            subtract_background(
                sample.core_loss,
                fit_window=(70.0, 95.0),
                window=(99.0, 130.0),
                neighbors=bad,
            )
        with pytest.raises(ValueError, match="give a number of 0 or more"):
            edge_present(silicon.edge, neighbors=bad)
        with pytest.raises(ValueError, match="give a number of 0 or more"):
            average_neighbors(silicon.values, sample.core_loss, sigma=bad)
