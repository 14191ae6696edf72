"""Counts of shifted pairs against brute force, and a null that does not cry wolf."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score

from napari_phasemap.core.bonds.co_occurrence import co_occurrence_map
from napari_phasemap.core.bonds.mutual_information import mutual_information
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet


def grains(shape, n_classes, seed, sigma=3.0):
    rng = np.random.default_rng(seed)
    fields = [gaussian_filter(rng.normal(size=shape), sigma) for _ in range(n_classes)]
    return np.argmax(fields, axis=0)


def as_map(labels, n=None):
    labels = np.asarray(labels).ravel()
    n = n or int(labels.max())
    scores = np.full((len(labels), n), np.nan, dtype=np.float32)
    inside = labels > 0
    scores[inside] = 0
    scores[np.flatnonzero(inside), labels[inside] - 1] = 1
    return PhaseMap.from_scores(scores, [f"c{i}" for i in range(1, n + 1)])


def brute_force(a, b, mask, least=0.5):
    """Return counts per allowed shift, shift (0, 0) first."""
    sizes = a.max() + 1, b.max() + 1
    out = []
    for dy in range(a.shape[0]):
        for dx in range(a.shape[1]):
            moved = np.roll(b, (-dy, -dx), (0, 1))
            both = mask & np.roll(mask, (-dy, -dx), (0, 1))
            if both.sum() >= least * mask.sum():
                n = np.zeros(sizes)
                np.add.at(n, (a[both], moved[both]), 1)
                out.append(n)
    return np.array(out)


def bits_of(n):
    total = n.sum()
    expected = np.outer(n.sum(1), n.sum(0)) / total
    used = n > 0
    return float((n[used] / total * np.log2(n[used] / expected[used])).sum())


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
def test_the_shift_null_equals_brute_force(masked):
    shape = (11, 13)
    a, b = grains(shape, 3, 1, 1.0), grains(shape, 4, 2, 1.0)
    mask = np.ones(shape, dtype=bool)
    if masked:
        mask[:, :4] = False
        mask[0] = False
    stack = SpectralStack(np.zeros((1, *shape)), [1.0], mask=mask)
    pairs = mutual_information(a, b, stacks=stack)
    counts = brute_force(a, b, mask)
    assert pairs.n_null == len(counts)
    np.testing.assert_array_equal(pairs.n, counts[0])
    null = np.array([bits_of(n) for n in counts])
    assert pairs.bits == pytest.approx(null[0])
    assert pairs.excess == pytest.approx(null[0] - null.mean(), abs=1e-9)
    assert pairs.p_value == pytest.approx(np.mean(null >= null[0] - 1e-9))
    expected = counts.sum(2)[:, :, None] * counts.sum(1)[:, None]
    expected = expected / counts.sum((1, 2))[:, None, None]
    z = (counts - expected) / np.sqrt(np.maximum(expected, 0.5))
    z = (z - z.mean(0)) / z.std(0)
    tested = np.isfinite(pairs.z)
    np.testing.assert_array_equal(tested, expected[0] >= 5)
    np.testing.assert_allclose(pairs.z[tested], z[0][tested], rtol=1e-4)
    largest = np.abs(z[:, tested]).max(axis=1)
    family = [(largest >= abs(v) - 1e-6).mean() for v in z[0][tested]]
    np.testing.assert_allclose(pairs.p_family[tested], family, atol=1e-9)


def test_values_agree_with_scikit_learn_in_bits_and_nats():
    a, b = grains((30, 31), 4, 1), grains((30, 31), 5, 1)
    pairs = mutual_information(a, b)
    nats = mutual_info_score(a.ravel(), b.ravel())
    assert pairs.nats == pytest.approx(nats)
    assert pairs.bits == pytest.approx(nats / np.log(2))
    assert pairs.normalized == pytest.approx(
        normalized_mutual_info_score(a.ravel(), b.ravel())
    )
    assert pairs.contribution.sum() == pytest.approx(pairs.bits)


def test_what_no_permutation_reaches_has_the_smallest_p_there_is():
    a = grains((12, 12), 3, 1)
    pairs = mutual_information(a, a, null="permutation", n_null=99)
    assert pairs.p_value == pytest.approx(1 / 100)
    np.testing.assert_allclose(np.diag(pairs.p)[np.diag(pairs.p) < 1], 1 / 100)


def test_two_equal_halves_are_by_hand_one_bit_and_twice_as_often_as_by_chance():
    a = np.repeat([1, 2], 72).reshape(12, 12)
    pairs = mutual_information(a, a)
    assert pairs.bits == pytest.approx(1.0)
    assert pairs.expected[1, 1] == pytest.approx(36.0)
    assert pairs.log2_lift[1, 1] == pytest.approx(1.0)
    assert np.isnan(pairs.log2_lift[0, 0])
    rare = a.copy()
    rare[0, 0] = 3
    lift = mutual_information(rare, rare).log2_lift[3, 3]
    assert lift == pytest.approx(np.log2(144))  # one pixel where 1 / 144 is expected
    flat = mutual_information(a.ravel(), a.ravel(), null="permutation", n_null=9)
    assert flat.bits == pytest.approx(1.0)


def test_renumbering_classes_changes_nothing():
    a, b = grains((24, 24), 4, 5), grains((24, 24), 3, 6)
    order = np.array([2, 0, 3, 1])
    plain, renamed = mutual_information(a, b), mutual_information(order[a], b)
    assert renamed.bits == pytest.approx(plain.bits)
    assert renamed.p_value == plain.p_value
    np.testing.assert_allclose(renamed.z[order], plain.z, rtol=1e-5)


def test_unrelated_grains_are_not_bonded_while_permutation_says_so():
    shifted = permuted = 0
    for seed in range(20):
        a, b = grains((48, 48), 4, 2 * seed), grains((48, 48), 4, 2 * seed + 1)
        shifted += mutual_information(a, b).significant(0.05).any()
        if seed < 5:
            by_chance = mutual_information(a, b, null="permutation", n_null=199)
            permuted += by_chance.p_value < 0.05
    assert shifted <= 4
    assert permuted == 5


def test_a_shared_class_is_enriched_and_found():
    rng = np.random.default_rng(0)
    a, b = grains((64, 64), 4, 1), grains((64, 64), 4, 2)
    shared = gaussian_filter(rng.normal(size=(64, 64)), 2.0) > 0.1
    a, b = np.where(shared, 4, a), np.where(shared, 4, b)
    pairs = mutual_information(a, b)
    assert pairs.p_family[4, 4] < 0.01
    assert pairs.rows()[0]["a"] == "class 4"
    assert pairs.rows()[0]["direction"] == "enriched"
    assert pairs.log2_lift[4, 4] > 1
    where = co_occurrence_map(pairs, as_map(a), as_map(b))
    assert where.names[0] == "class 4 & class 4"
    np.testing.assert_array_equal(where.labels == 1, shared.ravel())


def test_an_excluded_pair_is_depleted_and_class_0_counts():
    block = np.kron(grains((16, 16), 2, 3, 1.0), np.ones((4, 4), dtype=int))
    pairs = mutual_information(as_map(block), as_map(1 - block), stacks=SpectralStack(
        np.zeros((1, 64, 64)), [1.0]))  # fmt: skip
    assert pairs.n[1, 1] == 0
    row = next(r for r in pairs.rows() if (r["a"], r["b"]) == ("c1", "c1"))
    assert row["direction"] == "depleted"
    assert row["log2_lift"] == -np.inf
    assert pairs.n[1, 0] == (block == 1).sum()
    assert pairs.names_a[0] == "(absent)"


def test_a_class_of_one_pixel_is_not_tested():
    a = grains((20, 20), 2, 1)
    a[3, 3] = 2
    pairs = mutual_information(a, grains((20, 20), 2, 2))
    assert np.isnan(pairs.z[2]).all()
    assert not pairs.significant(1.0)[2].any()


def test_several_stacks_are_shifted_each_by_itself():
    a, b = grains((20, 20), 3, 1), grains((30, 20), 3, 2)
    stacks = StackSet(
        [SpectralStack(np.zeros((1, *image.shape)), [1.0]) for image in (a, b)]
    )
    labels = np.concatenate([a.ravel(), b.ravel()])
    pairs = mutual_information(labels, labels, stacks=stacks, n_null=499)
    assert pairs.n_null == 500
    assert pairs.p_value == pytest.approx(1 / 500)
    again = mutual_information(labels, labels, stacks=stacks, n_null=499)
    np.testing.assert_array_equal(pairs.z, again.z)


def test_a_map_of_one_class_knows_nothing():
    pairs = mutual_information(np.ones((8, 8), int), grains((8, 8), 2, 1))
    assert pairs.bits == 0.0
    assert pairs.adjusted == 0.0
    assert not pairs.significant(0.05).any()


def test_the_table_is_written_and_not_overwritten(tmp_path):
    pairs = mutual_information(grains((16, 16), 3, 1), grains((16, 16), 3, 2))
    path = tmp_path / "pairs.csv"
    pairs.to_csv(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == pairs.n.size
    assert sum(int(row["n"]) for row in rows) == 256
    with pytest.raises(FileExistsError):
        pairs.to_csv(path)
    pairs.to_csv(path, overwrite=True)
    assert "bits" in repr(pairs)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: mutual_information(a, a[:4]), ValueError, "same pixels"),
        (lambda a: mutual_information(a.ravel(), a.ravel()), ValueError, "stacks="),
        (lambda a: mutual_information(a * 0.5, a), TypeError, "integers"),
        (lambda a: mutual_information(a[:0], a[:0]), ValueError, "no pixels"),
        (lambda a: mutual_information(a, a, null="chi"), ValueError, "not one of"),
    ],
    ids=["sizes", "places", "floats", "empty", "null"],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call(grains((8, 8), 2, 1))


def test_maps_of_other_pairs_are_refused():
    pairs = mutual_information(grains((8, 8), 3, 1), grains((8, 8), 3, 2))
    wrong = as_map(grains((8, 8), 2, 1))
    with pytest.raises(ValueError, match="compute the pairs again"):
        co_occurrence_map(pairs, wrong, wrong)
