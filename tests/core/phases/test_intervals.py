from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_phasemap import PhaseMap, SpectralStack, StackSet, fraction_intervals


def stack_of(shape, name="P1", mask=None):
    return SpectralStack(np.ones((1, *shape)), [280.0], name=name, mask=mask)


def map_of(labels, names=("a", "b")):
    flat = np.concatenate([np.ravel(one) for one in labels]).astype(int)
    scores = np.full((len(flat), len(names)), np.nan)
    rows = np.flatnonzero(flat)
    scores[rows] = 0.0
    scores[rows, flat[rows] - 1] = 1.0
    return PhaseMap.from_scores(scores, names)


def test_independent_pixels_have_the_interval_of_the_binomial_distribution():
    labels = 1 + (np.random.default_rng(0).random((80, 80)) < 0.3)
    found = fraction_intervals(map_of([labels]), stack_of((80, 80)), block=1)
    share = (labels == 1).mean()
    half = 196 * np.sqrt(share * (1 - share) / labels.size)
    assert_allclose(found.high[1, 0] - found.low[1, 0], 2 * half, rtol=0.1)
    assert_allclose(found.fractions[1], [100 * share, 100 - 100 * share])


def test_grains_widen_the_interval_once_blocks_hold_them():
    grains = 1 + (np.random.default_rng(1).random((16, 16)) < 0.5)
    labels = np.kron(grains, np.ones((5, 5), dtype=int))
    width = [
        np.subtract(
            *(
                getattr(
                    fraction_intervals(
                        map_of([labels]), stack_of((80, 80)), block=block
                    ),
                    end,
                )[1, 0]
                for end in ("high", "low")
            )
        )
        for block in (1, 5)
    ]
    assert_allclose(width[1] / width[0], 5.0, rtol=0.15)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = []
    for seed in range(150):
        grains = 1 + (rng.random((12, 12)) < 0.4)
        labels = np.kron(grains, np.ones((4, 4), dtype=int))
        found = fraction_intervals(
            map_of([labels]), stack_of((48, 48)), block=4, confidence=0.9, seed=seed
        )
        held.append(found.low[1, 1] <= 40.0 <= found.high[1, 1])
    assert 0.83 < np.mean(held) < 0.97


def test_all_particles_together_come_first_and_the_mask_is_kept():
    mask = np.zeros((8, 9), dtype=bool)
    mask[:, :4] = True
    stacks = StackSet([stack_of((8, 9), "P1", mask), stack_of((8, 8), "P2")])
    phases = map_of([np.full(32, 1), np.full(64, 2)])
    found = fraction_intervals(phases, stacks, block=2)
    assert found.stacks == ("P1", "P2")
    assert_allclose(found.fractions, [[100 / 3, 200 / 3], [100, 0], [0, 100]])
    assert_allclose(found.low[1], [100, 0])
    # Blocks are drawn within a particle: how many pixels each has is no chance.
    assert_allclose([found.low[0], found.high[0]], [found.fractions[0]] * 2)


def test_pixels_without_a_phase_do_not_count_and_few_blocks_have_no_interval():
    labels = np.zeros((8, 8), dtype=int)
    labels[:, :2] = 1
    found = fraction_intervals(map_of([labels]), stack_of((8, 8)), block=8)
    assert_allclose(found.fractions[1], [100, 0])
    assert np.isnan([found.low, found.high]).all()
    none = fraction_intervals(map_of([0 * labels]), stack_of((8, 8)), block=1)
    assert np.isnan([none.fractions, none.low, none.high]).all()


def test_a_seed_repeats_the_interval():
    labels = 1 + (np.random.default_rng(3).random((20, 20)) < 0.5)
    one, same, other = (
        fraction_intervals(map_of([labels]), stack_of((20, 20)), block=2, seed=seed)
        for seed in (4, 4, 5)
    )
    assert_array_equal(one.low, same.low)
    assert not np.array_equal(one.low, other.low)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": 0}, "block=0"),
        ({"confidence": 1.0}, r"confidence=1\.0"),
        ({"n_resamples": 0}, "n_resamples=0"),
    ],
)
def test_numbers_out_of_their_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fraction_intervals(map_of([np.ones((4, 4))]), stack_of((4, 4)), **options)


def test_a_map_of_other_pixels_is_refused():
    with pytest.raises(ValueError, match="16 pixels, the stacks have 20"):
        fraction_intervals(map_of([np.ones((4, 4))]), stack_of((4, 5)))
