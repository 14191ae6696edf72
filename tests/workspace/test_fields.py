"""Every field of the workspace when pixels change: one case for each, none left out."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import pytest

from napari_phasemap.core.data.history import History, Step
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.workspace import Selection, Workspace
from napari_phasemap.workspace.fields import Follows, rules
from napari_phasemap.workspace.made import Made

N = 12
TAKEN = [0, 5, 11]
KEPT = [1, 2, 3, 4, 6, 7, 8, 9, 10]
NAMES = [one.name for one in fields(Workspace)]


def stacks(n_cols=4):
    data = np.arange(2.0 * 3 * n_cols).reshape(2, 3, n_cols)
    return StackSet([SpectralStack(data, [280.0, 285.0], name="P")])


def phases(seed):
    return PhaseMap.from_scores(np.random.default_rng(seed).random((N, 2)), ["a", "b"])


def chosen(*pixels):
    mask = np.zeros(N, bool)
    mask[list(pixels)] = True
    return mask


#: A value that each field does not start with. Results of edges are only held here.
SAMPLES = {
    "sources": stacks().stacks,
    "references": ReferenceSpectra(["iron"], [280.0, 285.0], [[0.0, 1.0]]),
    "phase_map": phases(1),
    "resolved": phases(2),
    "posterior": phases(3),
    "method": "posterior",
    "level": 0.5,
    "latent": np.arange(2.0 * N, dtype=np.float32).reshape(N, 2),
    "latent_name": "PCA Si_L",
    "latent_markers": {"iron": np.array([1.0, 2.0])},
    "features": {"size": np.arange(float(N)), "flag": np.arange(N) % 3},
    "selection": chosen(*TAKEN),
    "selections": (Selection("mine", chosen(5, 6), "#ff0000"),),
    "cursor": 4,
    "hover": 7,
    "energy_index": 1,
    "threshold": 0.25,
    "thickness": object(),
    "computed": {"Si_L": object()},
    "suggestions": {"Si_L": object()},
    "class_names": {"Si_L": object()},
    "edges": {"Si_L": object()},
    "edge": "Si_L",
    "made": Made(threshold=0.25),
    "history": History().push(Step("before", {"threshold": 0.1}, {"threshold": 0.2})),
}
UNTOUCHED = {
    "sources", "references", "energy_index", "threshold", "method", "level"
}  # fmt: skip
WITH_LATENT = {"latent_name", "latent_markers", "made"}
ONLY_POINTED = {"cursor", "hover", "history"}
EMPTY = {
    "latent_name": "", "edge": "", "selections": (), "latent_markers": {},
    "features": {}, "computed": {}, "suggestions": {}, "class_names": {}, "edges": {},
}  # fmt: skip


@pytest.fixture
def full():
    """A workspace whose every field holds something."""
    workspace = Workspace()
    workspace.set_stacks(stacks())
    for name, value in SAMPLES.items():
        setattr(workspace, name, value)
    return workspace


def of_the_rest(name):
    """Return what a field holds for the pixels that stay, written out by hand."""
    value = SAMPLES[name]
    if name in UNTOUCHED | WITH_LATENT:
        return value
    if name in ("phase_map", "resolved", "posterior"):
        return value.labels[KEPT]
    return {
        "latent": SAMPLES["latent"][KEPT],
        "features": {"size": np.array(KEPT, float), "flag": np.array(KEPT) % 3},
        "selection": np.zeros(len(KEPT), bool),
        "selections": [False, False, False, False, True, False, False, False, False],
    }.get(name, EMPTY.get(name))


def test_every_field_has_a_rule_and_a_sample():
    assert set(rules(Workspace)) == set(NAMES)
    assert set(SAMPLES) == set(NAMES) - {"stacks"}


def test_a_field_without_a_rule_is_refused():
    @dataclass
    class Careless:
        known: int = field(default=0, metadata={"follows": Follows.KEPT, "held": False})
        forgotten: int = 0

    with pytest.raises(KeyError, match="follows"):
        rules(Careless)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("stacks", "history")])
def test_a_field_when_pixels_are_taken_out_and_put_back(full, name):
    before = {one: getattr(full, one) for one in NAMES}
    full.exclude_selection()
    assert full.stacks.n_pixels == len(KEPT)
    value, expected = getattr(full, name), of_the_rest(name)
    if name in ("phase_map", "resolved", "posterior"):
        value = value.labels
    if name == "selections":
        ((label, value, color),) = [(s.name, s.pixels, s.color) for s in value]
        assert (label, color) == ("mine", "#ff0000")
    np.testing.assert_equal(value, expected)
    full.undo()
    if name in ONLY_POINTED:
        assert getattr(full, name) is None
    elif name == "selection":
        np.testing.assert_array_equal(full.selection, chosen(*TAKEN))
    else:
        assert getattr(full, name) is before[name]
    full.redo()
    assert full.stacks.n_pixels == len(KEPT)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "stacks"])
def test_a_field_when_other_pixels_are_analyzed(full, name):
    full.set_stacks(other := stacks(n_cols=2))
    assert full.stacks is other
    value = getattr(full, name)
    if name in UNTOUCHED:
        assert value is SAMPLES[name]
    elif name == "selection":
        np.testing.assert_array_equal(value, np.zeros(6, bool))
    elif name == "history":
        assert not value.done
    else:
        assert value == EMPTY.get(name) or vars(value) == vars(Made())
        assert name == "made" or type(value) is type(EMPTY.get(name))


@pytest.mark.parametrize("name", NAMES)
def test_only_numbers_and_texts_are_compared_by_value(name):
    """Arrays have no single truth value: what holds them is compared by identity."""
    heard = []
    workspace = Workspace()
    value = SAMPLES.get(name, stacks())
    setattr(workspace, name, value)
    getattr(workspace.events, name).connect(heard.append)
    setattr(workspace, name, value)
    assert not heard
    numbers = {
        "latent_name", "cursor", "hover", "energy_index", "threshold", "edge", "method",
        "level",
    }  # fmt: skip
    if name not in numbers:
        copy = {"stacks": stacks, "features": lambda: dict(SAMPLES["features"])}.get(
            name, object
        )()
        setattr(workspace, name, copy)
        assert len(heard) == 1


def test_pixels_come_back_although_something_was_made_of_the_rest(full):
    """What was made for fewer pixels means nothing for all of them."""
    phases_before = full.phase_map
    full.exclude_selection()
    full.phase_map = PhaseMap.from_scores(np.ones((len(KEPT), 1)), ["only"])
    full.features = {"new": np.zeros(len(KEPT))}
    full.undo()
    assert full.stacks.n_pixels == N
    assert full.phase_map is phases_before
    assert set(full.features) == {"size", "flag"}
    full.set_stacks(other := stacks())
    assert full.stacks is other


def test_a_dataset_of_other_pixels_is_not_replaced_by_an_undo(full):
    full.exclude_selection()
    history, rest = full.history, stacks(n_cols=3)
    full.stacks = rest  # by a view, without forgetting the history
    full.history = history
    full.undo()
    assert full.stacks is rest
