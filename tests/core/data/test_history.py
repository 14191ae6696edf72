from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.history import History, PackedBits, Step, values


def steps(n):
    return [Step(str(i), {"a": i}, {"a": i + 1}) for i in range(n)]


def test_a_hundred_steps_are_taken_back_in_order_and_done_again():
    history = History()
    for step in steps(130):
        history = history.push(step)
    seen = []
    while history.done:
        history, step = history.undo()
        seen.append(step.before["a"])
    assert seen == list(range(129, 29, -1))
    history, step = history.redo()
    assert step.after["a"] == 31


def test_a_new_step_forgets_what_was_undone_and_changes_no_old_history():
    first, second = steps(2)
    history = History().push(first)
    undone, _ = history.undo()
    assert not undone.push(second).undone
    assert undone.undone == (first,)
    assert history.done == (first,)


def test_nothing_to_undo_or_redo_is_said():
    with pytest.raises(InputError, match="undo"):
        History().undo()
    with pytest.raises(InputError, match="redo"):
        History().redo()


@pytest.mark.parametrize("n", [0, 1, 7, 8, 1001])
def test_packed_bits_come_back_as_they_were(n):
    bits = np.random.default_rng(n).random(n) < 0.5
    packed = PackedBits.pack(bits)
    np.testing.assert_array_equal(packed.unpack(), bits)
    assert packed.bits.nbytes == (n + 7) // 8


def test_a_step_packs_selections_and_leaves_the_rest():
    mask, table = np.array([True, False]), np.array([1.0, 2.0])
    step = Step(
        "x", {"selection": mask, "latent": None}, {"selection": ~mask, "latent": table}
    )
    assert isinstance(step.before["selection"], PackedBits)
    assert values(step.after)["latent"] is table
    assert values(step.after)["selection"].tolist() == [False, True]


def test_a_step_with_different_fields_is_refused():
    with pytest.raises(ValueError, match="before"):
        Step("x", {"a": 1}, {"b": 1})
