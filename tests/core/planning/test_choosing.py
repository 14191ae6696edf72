from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm

from napari_phasemap import ReferenceSpectra, choose_energies
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.planning.criteria import (
    Amounts,
    PearsonSeparation,
    Separation,
    contest,
)
from napari_phasemap.core.planning.gain import energy_gain, expected_outcome
from napari_phasemap.core.simulate import synthetic

DOSE = 2e4


@pytest.fixture(scope="module")
def few() -> ReferenceSpectra:
    """Three phases at twelve energies: all sets can be tried."""
    energy = np.linspace(512.0, 534.0, 12)
    return synthetic.references(energy).select(["Na3VPF", "Na2VPF", "Na1-yVPF"])


@pytest.mark.parametrize("offset", [False, True])
def test_the_distance_is_what_a_weighted_fit_of_the_other_phase_leaves(few, offset):
    of = contest(few, dose=DOSE, optical_density=1.3, floor=0.01, offset=offset)
    chosen = [1, 3, 4, 8, 10]
    measure = Separation(of, 5)
    got = measure.matrix(measure.features[chosen].sum(axis=0))
    density = 1.3 * few.spectra / few.spectra.max(axis=1, keepdims=True)
    left = np.zeros((3, 3))
    for a in range(3):
        root = 1 / np.sqrt(5 * np.exp(density[a, chosen]) / DOSE + 0.01**2)
        for b in set(range(3)) - {a}:
            columns = [density[b, chosen], *([np.ones(5)] if offset else [])]
            design, y = np.array(columns).T * root[:, None], density[a, chosen] * root
            fit = np.linalg.lstsq(design, y, rcond=None)[0]
            left[a, b] = np.linalg.norm(y - design @ fit)
    np.testing.assert_allclose(got, np.minimum(left, left.T), rtol=1e-9)
    assert (np.diag(got) == 0).all()


def test_the_distance_by_r_tells_how_often_a_map_by_r_is_wrong(few):
    of = contest(few.select(["Na2VPF", "Na1-yVPF"]), dose=3e3)
    chosen, rng = [1, 2, 3, 6, 9], np.random.default_rng(0)
    measure = PearsonSeparation(of, 5)
    features = measure.features[chosen].sum(axis=0)
    distance = np.sqrt(measure.squared(features))
    for k, (a, b) in enumerate(((0, 1), (1, 0))):
        true = of.density[a, chosen]
        pixels = true + rng.standard_normal((40_000, 5)) * np.sqrt(
            5 * np.exp(true) / 3e3
        )
        centered = pixels - pixels.mean(axis=1, keepdims=True)
        # The length of a pixel is the same for both.
        r = [centered @ _unit(of.density[c, chosen]) for c in (a, b)]
        wrong = norm.cdf(-distance[k] / 2)
        assert 0.02 < wrong < 0.4
        assert (r[1] > r[0]).mean() == pytest.approx(wrong, abs=0.01)


def _unit(row):
    centered = row - row.mean()
    return centered / np.linalg.norm(centered)


@pytest.mark.parametrize("criterion", ["separation", "pearson", "D", "A"])
@pytest.mark.parametrize("n", [3, 4, 6])
def test_no_other_set_of_all_is_better(few, criterion, n):
    of = contest(few, dose=DOSE)
    kinds = {"separation": Separation, "pearson": PearsonSeparation}
    measure = (
        kinds[criterion](of, n) if criterion in kinds else Amounts(of, n, criterion)
    )
    sets = np.array(list(combinations(range(12), n)))
    scores = measure.score(measure.features[sets].sum(axis=1))
    plan = choose_energies(few, n, dose=DOSE, criterion=criterion)
    best = np.searchsorted(few.energy, plan.energy)
    score = measure.score(measure.features[best].sum(axis=0))
    assert score == pytest.approx(scores.max(), rel=1e-9)


def test_d_and_a_are_those_of_the_information_matrix(few):
    of = contest(few, dose=DOSE)
    chosen = [0, 3, 5, 9]
    weights = of.weights(4).mean(axis=0)[chosen]
    information = (of.density[:, chosen] * weights) @ of.density[:, chosen].T
    for kind, expected in (
        ("D", np.log(np.linalg.det(information)) / 3),
        ("A", -np.trace(np.linalg.inv(information)) / 3),
    ):
        measure = Amounts(of, 4, kind)
        got = measure.score(measure.features[chosen].sum(axis=0))
        assert got == pytest.approx(expected, rel=1e-6)


def test_forced_energies_range_and_spacing_hold():
    plan = choose_energies(
        synthetic.references(), 9, forced=(505.04, 530.3), high=532.0, spacing=0.5
    )
    assert len(plan.energy) == 9
    assert {505.0, 530.3} <= set(plan.energy.tolist())
    assert plan.energy.max() <= 532.0
    assert np.diff(plan.energy).min() >= 0.5 - 1e-9


def test_planned_energies_beat_equidistant_ones_at_equal_dose():
    references = synthetic.references()
    even = np.linspace(500.0, 550.0, 13)
    for criterion in ("separation", "pearson"):
        plan = choose_energies(references, 13, dose=4e4, criterion=criterion)
        best, plain = (
            expected_outcome(references, at, dose=4e4, criterion=criterion)
            for at in (plan.energy, even)
        )
        assert best.ambiguous < plain.ambiguous - 0.5
        assert best.right > plain.right + 0.2


def test_four_times_the_dose_is_twice_the_distance_until_the_floor(few):
    once = choose_energies(few, 4, dose=1e4).closest[2]
    assert choose_energies(few, 4, dose=4e4).closest[2] == pytest.approx(2 * once)
    held = [choose_energies(few, 4, dose=d, floor=0.05).closest[2] for d in (1e8, 4e8)]
    assert held[1] == pytest.approx(held[0], rel=1e-3)


def test_the_gain_runs_over_numbers_or_doses(few):
    over_n = energy_gain(few, numbers=(3, 5), dose=1e4)
    assert over_n.x.tolist() == [3, 5]
    over_dose = energy_gain(few, numbers=(4,), doses=(1e3, 1e5))
    assert over_dose.x.tolist() == [1e3, 1e5]
    assert over_dose.separation[1] == pytest.approx(10 * over_dose.separation[0])
    assert over_dose.ambiguous[1] < over_dose.ambiguous[0]
    with pytest.raises(InputError, match="2 numbers"):
        energy_gain(few, numbers=(3, 4), doses=(1e3,))


def test_the_summary_names_the_hardest_pair_and_the_dose_it_needs(few):
    plan = choose_energies(few, 4, dose=100.0)
    first, second, distance = plan.closest
    needed = 100.0 * (3.29 / distance) ** 2
    assert f"{first} and {second}, {distance:.2f} times the noise" in plan.summary()
    assert f"{needed:.2g} photons" in plan.summary()
    assert "photons per pixel would" not in choose_energies(few, 4, dose=1e9).summary()


@pytest.mark.parametrize(
    ("n", "wanted", "said"),
    [
        (1, {}, "1 energies: it takes 2"),
        (2, {"offset": True}, "it takes 3"),
        (13, {}, "there are 12"),
        (3, {"dose": 0.0}, "dose is positive; got 0"),
        (3, {"floor": -1.0}, "floor"),
        (3, {"forced": (600.0,)}, "forced energy 600 eV .* 512 to 534"),
        (3, {"forced": (512.0, 520.0, 530.0, 534.0)}, "4 forced energies"),
        (3, {"low": 533.0}, "1 energies of the references"),
        (9, {"spacing": 5.0}, "9 energies 5 eV apart do not fit"),
        (3, {"criterion": "best"}, "'best'"),
    ],
)
def test_what_cannot_be_chosen_is_said(few, n, wanted, said):
    with pytest.raises(InputError, match=said):
        choose_energies(few, n, **wanted)


def test_references_that_nothing_tells_apart_are_refused_by_name(few):
    twice = np.vstack([few.spectra, 2 * few.spectra[:1] + 0.1])
    same = ReferenceSpectra([*few.names, "copy"], few.energy, twice)
    with pytest.raises(InputError, match="Na3VPF and copy have the same shape"):
        choose_energies(same, 4)
    with pytest.raises(InputError, match="two references; got 1"):
        choose_energies(few.select(["Na3VPF"]), 4)
    flipped = ReferenceSpectra(["a", "b"], few.energy, -few.spectra[:2])
    with pytest.raises(InputError, match="positive value: a, b"):
        choose_energies(flipped, 4)
