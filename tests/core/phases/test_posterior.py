"""Probabilities against enumeration, simulated truth and known answers."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import density_noise
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.data.subset import keep_pixels
from napari_phasemap.core.latent.clusters import class_likelihoods
from napari_phasemap.core.learn.clustering import kmeans
from napari_phasemap.core.phases.abstention import (
    chance_of_error,
    conformal_sets,
    contradicted,
    undecided,
    unknown,
)
from napari_phasemap.core.phases.contradictions import contradictions
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.phases.neighbors import smooth_potts
from napari_phasemap.core.phases.posterior import posterior_map
from napari_phasemap.core.phases.potts import NeighborPrior
from napari_phasemap.core.simulate import synthetic
from napari_phasemap.core.simulate.independent import independent_particles


def calibration_error(phases, truth, n_bins=15):
    """Expected calibration error of the best phase."""
    best, right = np.exp(phases.best), phases.labels == truth
    bins = np.minimum((best * n_bins).astype(int), n_bins - 1)
    gaps = [abs(best[bins == b].sum() - right[bins == b].sum()) for b in range(n_bins)]
    return sum(gaps) / len(best)


@pytest.fixture(scope="module")
def simulated():
    particles = independent_particles(3, (72, 90), seed=11)
    stacks = StackSet([one.optical_density for one in particles])
    truth = np.concatenate([one.true_labels for one in particles])
    return stacks, particles[0].references, truth


@pytest.fixture(scope="module")
def found(simulated):
    stacks, references, _ = simulated
    return posterior_map(stacks, references)


def test_neighbors_help_where_pearson_is_ambiguous_and_say_how_sure_they_are(
    simulated, found
):
    stacks, references, truth = simulated
    pearson = pearson_map(stacks, references)
    ambiguous = pearson.ambiguous()
    before = np.mean((pearson.labels == truth)[ambiguous])
    after = np.mean((found.labels == truth)[ambiguous])
    assert after > max(before + 0.08, 0.92)
    assert calibration_error(found, truth) < 0.03
    assert_allclose(np.exp(found.scores).sum(axis=1), 1.0, rtol=1e-4)
    assert found.parameters["noise"] == ["photon counts"] * 3
    assert_allclose(found.parameters["misfit"], 1.0, atol=0.1)


def test_sure_errors_of_pearson_are_contradicted(simulated, found):
    stacks, references, truth = simulated
    pearson = pearson_map(stacks, references)
    odd = contradicted(pearson, found)
    wrong = (pearson.labels != truth) & ~pearson.ambiguous()
    assert np.mean(wrong[odd]) >= 0.8
    assert np.mean(odd[wrong]) >= 0.3


def test_pure_pixels_without_neighbors_have_the_likelihood_of_their_misfit():
    rng = np.random.default_rng(0)
    energy = np.arange(6.0)
    shapes = rng.random((3, 6)) + 0.5
    spectra = 0.8 * shapes[1] + 0.05 * rng.standard_normal((400, 6))
    noise = density_noise(np.full(6, 1 / 0.05**2))
    # No exponential growth, so that the weights are equal: a common variance.
    noise = replace(noise, shot=noise.dark, common=noise.shot)
    stack = SpectralStack(
        spectra.T.reshape(6, 20, 20), energy, quantity="optical_density", noise=noise
    )
    references = ReferenceSpectra("abc", energy, shapes)
    found = posterior_map(stack, references, neighbors=False, mixtures=False)
    unit = shapes / np.linalg.norm(shapes, axis=1, keepdims=True)
    chi = (spectra**2).sum(axis=1, keepdims=True) - (spectra @ unit.T) ** 2
    log = -0.5 * chi / 0.05**2 / found.parameters["misfit"][0]
    log -= np.log(np.exp(log).sum(axis=1, keepdims=True))
    assert_allclose(found.scores, np.maximum(log, np.log(1e-12)), atol=0.02)


def enumerated(likelihoods, mask, strength):
    """Exact marginals of the prior, by summing over all maps."""
    places = np.argwhere(mask)
    n_pixels, n_phases = likelihoods.shape
    total = np.zeros_like(likelihoods, dtype=float)
    for labels in product(range(n_phases), repeat=n_pixels):
        weight = np.prod(likelihoods[np.arange(n_pixels), labels])
        for i, j in product(range(n_pixels), repeat=2):
            step = np.abs(places[i] - places[j])
            if i < j and step.max() == 1 and labels[i] == labels[j]:
                weight *= np.exp(strength * (0.7 if step.sum() == 2 else 1.0))
        total[np.arange(n_pixels), labels] += weight
    return total / total.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("mask", "tolerance"),
    [
        (np.ones((1, 6)), 1e-3),
        (np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]), 1e-3),
        (np.ones((2, 4)), 0.05),
    ],
    ids=["a chain, exact", "a bent chain, exact", "with loops, nearly"],
)
def test_marginals_are_those_of_all_maps_summed_up(mask, tolerance):
    mask = mask.astype(bool)
    rng = np.random.default_rng(3)
    likelihoods = rng.random((mask.sum(), 3)).astype(np.float32)
    marginals = likelihoods / likelihoods.sum(axis=1, keepdims=True)
    NeighborPrior(mask, 3, strength=0.6).update(likelihoods, marginals, 60)
    assert_allclose(marginals, enumerated(likelihoods, mask, 0.6), atol=tolerance)


def drawn(strength, seed, shape=(80, 80), n_phases=3, n_sweeps=60):
    """A map drawn from the prior by Gibbs sampling."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_phases, shape)
    rows, columns = np.indices(shape)
    for _ in range(n_sweeps):
        for corner in product(range(2), range(2)):
            chosen = (rows % 2 == corner[0]) & (columns % 2 == corner[1])
            padded = np.pad(np.eye(n_phases)[labels], ((1, 1), (1, 1), (0, 0)))
            votes = np.zeros((*shape, n_phases))
            for row, column in product((-1, 0, 1), repeat=2):
                if row or column:
                    part = padded[1 + row : 1 + row + shape[0]]
                    part = part[:, 1 + column : 1 + column + shape[1]]
                    votes += part * (0.7 if row and column else 1.0)
            weights = np.exp(strength * votes)
            shares = (weights / weights.sum(axis=2, keepdims=True)).cumsum(axis=2)
            new = (rng.random((*shape, 1)) > shares).sum(axis=2)
            labels[chosen] = new[chosen]
    return labels


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_the_strength_a_map_was_drawn_with_is_found(strength):
    labels = drawn(strength, seed=1)
    clear = (np.eye(3)[labels.ravel()] * 0.98 + 0.01).astype(np.float32)
    prior = NeighborPrior(np.ones(labels.shape, dtype=bool), 3)
    marginals = clear.copy()
    for _ in range(4):
        prior.update(clear, marginals, 4)
    assert prior.strength == pytest.approx(strength, abs=0.05)


def test_neighbors_do_not_reach_across_particles_or_masks(simulated):
    stacks, references, _ = simulated
    alone = posterior_map(stacks[0], references)
    together = posterior_map(StackSet([stacks[0], stacks[1]]), references)
    assert_array_equal(alone.scores, together.scores[: alone.n_pixels])


def test_spectra_with_nan_have_no_label_and_do_not_vote(simulated):
    stacks, references, _ = simulated
    data = np.array(stacks[0].data)
    row, column = np.argwhere(stacks[0].mask)[500]
    data[4, row, column] = np.nan
    holed = replace(stacks[0], data=data)
    phases = posterior_map(holed, references)
    assert phases.labels[500] == 0
    assert np.isnan(phases.misfit[500])
    assert np.count_nonzero(phases.labels == 0) == 1


def test_noise_is_estimated_where_only_density_was_opened(simulated):
    stacks, references, truth = simulated
    bare = StackSet([replace(stack, noise=None) for stack in stacks])
    phases = posterior_map(bare, references)
    assert phases.parameters["noise"] == ["residual of the best fits"] * 3
    assert np.mean(phases.labels == truth) > 0.93


def test_a_phase_outside_the_library_is_unknown_and_nothing_else_is():
    particles = independent_particles(3, (72, 90), seed=5, foreign=0.1)
    stacks = StackSet([one.optical_density for one in particles])
    truth = np.concatenate([one.true_labels for one in particles])
    called = unknown(posterior_map(stacks, particles[0].references))
    assert np.mean(called[truth == 6]) >= 0.8
    assert np.mean(truth[called] != 6) <= 0.05


def test_without_a_foreign_phase_hardly_a_pixel_is_unknown(found):
    assert np.mean(unknown(found)) <= 0.01


def test_a_particle_that_is_all_foreign_is_warned_of_and_is_unknown(simulated):
    _, references, _ = simulated
    simulated = independent_particles(1, (48, 60), seed=5, foreign=0.999, mixing=0)[0]
    with pytest.warns(UserWarning, match="fit no reference"):
        phases = posterior_map(simulated.optical_density, references)
    assert np.mean(unknown(phases)) > 0.9
    assert undecided(phases, level=0.6).all()


def test_undecided_pixels_are_those_below_the_level(found):
    best = np.exp(found.best)
    assert_array_equal(undecided(found, level=0.9), best < 0.9)
    correlations = PhaseMap.from_scores([[0.9, 0.8]], ["a", "b"])
    with pytest.raises(InputError, match="no log-probabilities"):
        undecided(correlations)
    with pytest.raises(InputError, match="between 0 and 1"):
        undecided(found, level=1.5)


def test_a_gap_of_the_paper_has_a_chance_of_error(simulated, found):
    stacks, references, truth = simulated
    pearson = pearson_map(stacks, references)
    near = (pearson.margin > 0.004) & (pearson.margin < 0.00625)
    wrong = np.mean((pearson.labels != truth)[near])
    assert chance_of_error(pearson, found) == pytest.approx(wrong, abs=0.04)


def test_conformal_sets_hold_the_truth_as_often_as_promised(simulated, found):
    _, _, truth = simulated
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(20):
        labelled = np.where(rng.random(len(truth)) < 0.02, truth, 0)
        sets = conformal_sets(found, labelled)
        rest = labelled == 0
        covered.append(np.mean(sets[rest, truth[rest] - 1]))
    assert 0.89 < np.mean(covered) < 0.93
    with pytest.raises(InputError, match="promise nothing"):
        conformal_sets(found, np.zeros(len(truth), dtype=int))


def test_neighbors_make_sets_smaller_and_keep_the_promise(simulated):
    stacks, references, truth = simulated
    alone = posterior_map(stacks, references, neighbors=False)
    rng = np.random.default_rng(1)
    covered, sizes = [], []
    for _ in range(20):
        labelled = np.where(rng.random(len(truth)) < 0.02, truth, 0)
        rest = labelled == 0
        for where in (None, stacks):
            sets = conformal_sets(alone, labelled, stacks=where)
            covered.append(np.mean(sets[rest, truth[rest] - 1]))
            sizes.append(sets[rest].sum(axis=1).mean())
    assert 0.89 < np.mean(covered[1::2]) < 0.93
    assert np.mean(sizes[1::2]) < 0.95 * np.mean(sizes[::2])
    with pytest.raises(InputError, match="stacks that the map was made of"):
        conformal_sets(alone, labelled, stacks=stacks[0])


def test_a_set_is_the_mean_with_the_neighbors_of_the_same_image():
    two = [
        SpectralStack(np.ones((1, 1, 2)), [280.0], name=name, quantity="net_counts")
        for name in "ab"
    ]
    many = np.log(np.tile([[0.9, 0.1], [0.5, 0.5]], (50, 1)))
    wide = SpectralStack(np.ones((1, 50, 2)), [280.0], quantity="net_counts")
    phases = PhaseMap.from_scores(many, ["x", "y"])
    sets = conformal_sets(phases, np.ones(100), stacks=wide, neighbors=1.0)
    # Inside, a pixel at 0.9 has three neighbors at 0.5 and two at 0.9: 0.66; the other
    # way round 0.74. The least tenth is 0.63 at two
    # corners, then 0.66.
    assert sets[:, 0].sum() == 98
    assert not sets[:, 1].any()
    apart = PhaseMap.from_scores(many[:4], ["x", "y"])
    with pytest.raises(InputError, match="4 labelled pixels promise nothing"):
        conformal_sets(apart, np.ones(4), stacks=StackSet(two))


def test_contradictions_are_counted_by_pair_of_phases(simulated, found):
    stacks, references, _ = simulated
    pearson = pearson_map(stacks, references)
    table = contradictions(pearson, found)
    assert_array_equal(table.where, contradicted(pearson, found))
    assert table.pixels.sum() == table.where.sum()
    assert not np.diag(table.pixels).any()
    first = table.rows[0]
    pair = table.where & (pearson.labels == table.names.index(first[0]) + 1)
    pair &= found.labels == table.names.index(first[1]) + 1
    assert first[2] == pair.sum() == table.pixels.max()
    assert first[3] == pytest.approx(np.exp(found.best[pair]).mean(), rel=1e-5)


def test_classes_without_references_can_ask_their_neighbors():
    stack = SpectralStack(np.ones((1, 30, 40)), [280.0], quantity="net_counts")
    truth = (np.arange(1200) % 40 >= 20).astype(int)
    values = truth[:, None] + np.random.default_rng(0).normal(0.0, 0.5, (1200, 2))
    classes = kmeans(values, n_clusters=2)
    left = np.bincount(classes.labels[truth == 0]).argmax()
    before = np.mean((classes.labels == left) == (truth == 0))
    smooth = smooth_potts(stack, class_likelihoods(values, classes), strength=None)
    after = np.mean((smooth.labels == left) == (truth == 0))
    assert before < 0.95
    assert after > 0.98
    assert smooth.names == classes.names
    with pytest.raises(InputError, match="1200 pixels"):
        class_likelihoods(values[:5], classes)


def test_the_prior_can_be_put_on_other_scores_with_its_strength_estimated(simulated):
    stacks, references, truth = simulated
    alone = posterior_map(stacks, references, neighbors=False, mixtures=False)
    together = smooth_potts(stacks, alone, strength=None)
    assert np.mean(together.labels == truth) > np.mean(alone.labels == truth) + 0.03
    assert len(together.parameters["strength"]) == 3


def test_pixels_that_are_taken_out_keep_their_misfit(found):
    kept = np.arange(found.n_pixels) % 3 == 0
    assert_array_equal(keep_pixels(found, kept).misfit, found.misfit[kept])


def test_a_particle_of_three_pixels_has_probabilities(simulated):
    stacks, references, _ = simulated
    mask = np.zeros(stacks[0].shape, dtype=bool)
    mask[30, 40:43] = True
    phases = posterior_map(stacks[0].with_mask(mask), references)
    assert_allclose(np.exp(phases.scores).sum(axis=1), 1.0, rtol=1e-4)


def test_what_cannot_be_decided_is_refused_in_words(simulated):
    stacks, references, _ = simulated
    with pytest.raises(InputError, match="two references or more"):
        posterior_map(stacks, references.select(["A"]))
    with pytest.raises(InputError, match="raw counts"):
        posterior_map(replace(stacks[0], quantity="counts"), references)
    few = SpectralStack(
        np.asarray(stacks[0].data)[:3],
        stacks[0].energy[:3],
        quantity="optical_density",
        noise=stacks[0].noise.at_energies(slice(3)),
    )
    with pytest.raises(InputError, match="3 energies cannot decide"):
        posterior_map(few, references)
    elsewhere = replace(stacks[0], energy=stacks[0].energy + 100.0)
    with pytest.raises(InputError, match="not covered"):
        posterior_map(elsewhere, references)
    tiny = np.zeros(stacks[0].shape, dtype=bool)
    tiny[30, 40:43] = True
    bare = replace(stacks[0], noise=None).with_mask(tiny)
    with pytest.raises(InputError, match="noise cannot be estimated from 3 values"):
        posterior_map(bare, references)


def test_a_map_by_the_first_simulator_is_right_and_calibrated_too():
    particles = synthetic.particles(3, (72, 90), seed=4)
    stacks = StackSet([one.optical_density for one in particles])
    truth = np.concatenate([one.true_labels for one in particles])
    phases = posterior_map(stacks, particles[0].references)
    assert np.mean(phases.labels == truth) > 0.94
    assert calibration_error(phases, truth) < 0.03
