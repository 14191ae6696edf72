from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.history import MAX_BYTES, History, Step
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.workspace import Workspace
from napari_phasemap.workspace.path import eels_path_of, path_of, saveable
from napari_phasemap.workspace.steps import (
    analyze,
    note_saved,
    put_latent,
    put_map,
    put_references,
    put_resolved,
    set_threshold,
)

ENERGY = [515.0, 517.5, 520.0]
REFERENCES = ReferenceSpectra(["a", "b"], ENERGY, [[0, 1, 0], [0, 0, 1]])


def stack(**changes):
    data = np.random.default_rng(0).random((3, 3, 4))
    about = {"quantity": "optical_density", "name": "P1", **changes}
    return SpectralStack(data, ENERGY, **about)


def a_map(n_pixels=12):
    return PhaseMap.from_scores(np.random.default_rng(1).random((n_pixels, 2)), "ab")


def standings(workspace, path=path_of):
    return {one.name: str(one.standing) for one in path(workspace)}


def standing(workspace):
    """Return the standings as one word per step, "next" first."""
    return " ".join(standings(workspace).values())


@pytest.fixture
def mapped():
    """A workspace with a phase map of 12 pixels."""
    workspace = Workspace(sources=(stack(),), references=REFERENCES)
    analyze(workspace, StackSet(workspace.sources), "convert")
    put_map(workspace, workspace.references, a_map())
    return workspace


def test_the_row_from_nothing_to_figures():
    workspace = Workspace()
    assert standing(workspace) == "next later later later later later later"
    workspace.sources = (one := stack(),)
    assert standing(workspace) == "done next later later later later later"
    analyze(workspace, StackSet([one]), "convert")
    assert standing(workspace) == "done done next later later later later"
    put_references(workspace, REFERENCES)
    assert standing(workspace) == "done done later done next later later"
    put_map(workspace, workspace.references, a_map())
    assert standing(workspace) == "done done later done done next later"
    note_saved(workspace, saveable(workspace))
    assert standing(workspace) == "done done later done done later done"
    put_resolved(workspace, workspace.threshold, a_map())
    assert standing(workspace) == "done done later done done done stale"


def test_references_alone_do_not_pass_by_what_must_come_first():
    workspace = Workspace(references=REFERENCES)
    assert standing(workspace) == "next later later done later later later"


def test_other_references_make_the_map_stale_until_they_are_taken_back(mapped):
    phases = mapped.phase_map
    put_references(mapped, ReferenceSpectra(["a", "b"], ENERGY, REFERENCES.spectra + 1))
    assert standings(mapped)["Correlate"] == "stale"
    np.testing.assert_array_equal(mapped.phase_map.labels, phases.labels)
    mapped.undo()
    assert standings(mapped)["Correlate"] == "done"
    mapped.redo()
    put_map(mapped, mapped.references, a_map())
    assert standings(mapped)["Correlate"] == "done"
    mapped.undo()
    assert standings(mapped)["Correlate"] == "stale"
    np.testing.assert_array_equal(mapped.phase_map.labels, phases.labels)


def test_what_was_replaced_while_a_map_was_made_makes_it_stale(mapped):
    before = mapped.references
    other = ReferenceSpectra(["a", "b"], ENERGY, REFERENCES.spectra + 1)
    put_references(mapped, other)
    put_map(mapped, before, a_map())
    assert standings(mapped)["Correlate"] == "stale"
    put_map(mapped, other, a_map())
    assert standings(mapped)["Correlate"] == "done"
    set_threshold(mapped, 0.02)
    put_resolved(mapped, 0.005, a_map())
    assert standings(mapped)["Resolve"] == "stale"


def test_fewer_pixels_keep_their_map_and_more_ask_for_another(mapped):
    mask = np.ones((3, 4), bool)
    mask[0] = False
    labels = mapped.phase_map.labels
    analyze(mapped, StackSet([mapped.stacks[0].with_mask(mask)]), "mask")
    assert mapped.phase_map.labels.tolist() == labels[4:].tolist()
    assert standings(mapped)["Correlate"] == "done"
    assert standings(mapped)["Pixels"] == "done"
    analyze(mapped, StackSet([mapped.stacks[0].with_mask(~mask)]), "mask")
    assert mapped.phase_map is None
    assert standings(mapped)["Correlate"] == "stale"
    mapped.undo()
    assert mapped.phase_map.labels.tolist() == labels[4:].tolist()
    mapped.undo()
    assert mapped.phase_map.labels.tolist() == labels.tolist()
    assert mapped.stacks.n_pixels == 12


def test_other_values_of_the_same_pixels_ask_for_another_map(mapped):
    phases = mapped.phase_map
    other = stack().with_step("aligned", data=stack().data + 1)
    analyze(mapped, StackSet([other]), "align")
    assert mapped.phase_map is None
    assert standings(mapped)["Correlate"] == "stale"
    mapped.undo()
    np.testing.assert_array_equal(mapped.phase_map.labels, phases.labels)


def test_the_same_pixels_again_make_no_step(mapped):
    again = StackSet([mapped.stacks[0].with_step("mask: all pixels")])
    phases = mapped.phase_map
    analyze(mapped, again, "mask")
    assert mapped.stacks is again  # its history says more
    np.testing.assert_array_equal(mapped.phase_map.labels, phases.labels)
    history = mapped.history
    analyze(mapped, StackSet([again[0].with_step("mask: all pixels")]), "mask")
    assert mapped.history is history


def test_a_threshold_that_is_dragged_is_one_step_and_makes_resolved_stale(mapped):
    put_latent(mapped, np.zeros((12, 2), np.float32), "PCA")
    put_resolved(mapped, mapped.threshold, a_map())
    for number in range(1, 40):
        set_threshold(mapped, number / 1000, goes_on=number > 1)
    assert standings(mapped)["Resolve"] == "stale"
    assert [step.text for step in mapped.history.done[-2:]] == [
        "resolve ambiguity",
        "threshold",
    ]
    set_threshold(mapped, 0.5)
    mapped.undo()
    assert mapped.threshold == 0.039
    mapped.undo()
    assert mapped.threshold == 0.005
    assert standings(mapped)["Resolve"] == "done"


def test_another_latent_space_takes_the_resolved_map_along_and_back(mapped):
    put_latent(mapped, first := np.zeros((12, 2), np.float32), "PCA")
    put_resolved(mapped, mapped.threshold, resolved := a_map())
    put_latent(mapped, np.ones((12, 2), np.float32), "GMVAE", features={"m": [0] * 12})
    assert mapped.resolved is None
    assert "m" in mapped.features
    mapped.undo()
    assert mapped.resolved is resolved
    assert mapped.latent is first
    assert mapped.latent_name == "PCA"
    assert "m" not in mapped.features


def test_the_way_of_an_edge():
    workspace = Workspace(sources=(stack(quantity="counts"),))
    named = standings(workspace, eels_path_of)
    assert named == {
        "Open": "done",
        "Pixels": "next",
        "Edges": "later",
        "Classes": "later",
        "Figure": "later",
    }


def test_steps_that_hold_too_many_bytes_are_forgotten_but_never_the_last():
    class Huge(np.ndarray):
        nbytes = MAX_BYTES // 2 + 1

    def step(number):
        array = np.ndarray.__new__(Huge, (1,))
        return Step(str(number), {"stacks": array}, {"stacks": None})

    history = History()
    for number in range(4):
        history = history.push(step(number))
        assert [one.text for one in history.done] == [str(number)]


def test_bytes_that_are_still_in_use_do_not_count():
    array = np.zeros(1000)
    kept = Step("paint", {"map": a_map()}, {"map": a_map()})
    same = Step("paint", {"a": array[:10]}, {"a": array[5:]})
    gone = Step("paint", {"a": array}, {"a": None})
    assert same.n_bytes == 0
    assert gone.n_bytes == 8000
    assert kept.n_bytes > 0
