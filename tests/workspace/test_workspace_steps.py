from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.workspace import Selection, Workspace

ENERGY = [280.0, 285.0, 292.0]


@pytest.fixture
def workspace():
    rng = np.random.default_rng(0)
    stacks = StackSet(
        [
            SpectralStack(rng.random((3, 3, 4)), ENERGY, name="P1"),
            SpectralStack(rng.random((3, 2, 5)), ENERGY, name="P2"),
        ]
    )
    workspace = Workspace()
    workspace.set_stacks(stacks)
    workspace.latent = rng.normal(size=(22, 3)).astype(np.float32)
    workspace.phase_map = PhaseMap.from_scores(rng.random((22, 2)), ["a", "b"])
    workspace.features = {"size": np.arange(22.0)}
    return workspace


def pixels(*chosen):
    mask = np.zeros(22, bool)
    mask[list(chosen)] = True
    return mask


def test_sixty_selections_are_taken_back_and_done_again(workspace):
    for i in range(60):
        workspace.select(pixels(i % 22))
    for _ in range(60):
        workspace.undo()
    assert not workspace.selection.any()
    for _ in range(60):
        workspace.redo()
    assert np.flatnonzero(workspace.selection).tolist() == [59 % 22]


def test_an_unchanged_selection_makes_no_step_and_a_wrong_one_is_refused(workspace):
    workspace.select(pixels(1))
    workspace.select(pixels(1))
    assert len(workspace.history.done) == 1
    with pytest.raises(ValueError, match="3 for 22 pixels"):
        workspace.select(np.ones(3, bool))


def test_undo_tells_the_listeners_of_the_field(workspace):
    heard = []
    workspace.select(pixels(3))
    workspace.events.selection.connect(lambda value: heard.append(int(value.sum())))
    workspace.undo()
    assert heard == [0]


def test_assigning_changes_the_phase_map_and_can_be_undone(workspace):
    before = workspace.phase_map
    workspace.select(pixels(0, 1, 2))
    workspace.assign_selection("b")
    assert workspace.phase_map.labels[:3].tolist() == [2, 2, 2]
    workspace.undo()
    assert workspace.phase_map is before
    workspace.redo()
    assert workspace.phase_map.labels[:3].tolist() == [2, 2, 2]


def test_assigning_edits_the_resolved_map_where_there_is_one(workspace):
    workspace.resolved = workspace.phase_map.with_labels(np.ones(22, int))
    before = workspace.phase_map
    workspace.select(pixels(4))
    workspace.assign_selection("new phase")
    assert workspace.phase_map is before
    assert workspace.resolved.names[workspace.resolved.labels[4] - 1] == "new phase"


def test_excluding_carries_every_per_pixel_value_to_the_rest(workspace):
    workspace.selections = (Selection("mine", pixels(5, 6), "#ff0000"),)
    latent, labels = workspace.latent, workspace.phase_map.labels
    workspace.select(pixels(0, 5, 13))
    kept = ~workspace.selection
    workspace.exclude_selection()
    assert workspace.stacks.n_pixels == 19
    np.testing.assert_array_equal(workspace.latent, latent[kept])
    np.testing.assert_array_equal(workspace.phase_map.labels, labels[kept])
    np.testing.assert_array_equal(workspace.features["size"], np.arange(22)[kept])
    assert workspace.selections[0].pixels.sum() == 1
    assert workspace.selection.shape == (19,)


def test_excluding_can_be_undone_with_everything_back(workspace):
    stacks, latent, phases = workspace.stacks, workspace.latent, workspace.phase_map
    workspace.select(pixels(0, 5, 13))
    workspace.exclude_selection()
    workspace.undo()
    assert workspace.stacks is stacks
    assert workspace.latent is latent
    assert workspace.phase_map is phases
    assert workspace.selection.sum() == 3
    workspace.undo()
    assert not workspace.selection.any()
    workspace.redo()
    workspace.redo()
    assert workspace.stacks.n_pixels == 19


def test_a_mean_spectrum_becomes_a_reference(workspace):
    workspace.references = ReferenceSpectra(["iron"], ENERGY, [[0.0, 1.0, 2.0]])
    workspace.select(pixels(2))
    workspace.add_reference_from_selection("mine")
    assert workspace.references.names == ("iron", "mine")
    np.testing.assert_allclose(
        workspace.references.spectra[1], workspace.stacks.spectrum(2), rtol=1e-6
    )
    workspace.undo()
    assert workspace.references.names == ("iron",)


@pytest.mark.parametrize("action", ["assign", "exclude", "average"])
def test_without_a_selection_it_is_said_what_is_missing(workspace, action):
    with pytest.raises(ValueError, match=f"nothing to {action}"):
        {
            "assign": lambda: workspace.assign_selection("a"),
            "exclude": workspace.exclude_selection,
            "average": lambda: workspace.add_reference_from_selection("x"),
        }[action]()


def test_undo_leaves_a_map_that_was_recomputed_since(workspace):
    workspace.select(pixels(0))
    workspace.assign_selection("b")
    newer = PhaseMap.from_scores(np.ones((22, 1)), ["only"])
    workspace.phase_map = newer
    workspace.undo()
    assert workspace.phase_map is newer


def test_other_stacks_forget_the_history(workspace):
    workspace.select(pixels(0))
    workspace.set_stacks(StackSet([SpectralStack(np.ones((2, 2, 2)), [1.0, 2.0])]))
    assert not workspace.history.done
    with pytest.raises(InputError, match="nothing to undo"):
        workspace.undo()


def test_a_recalibration_drops_what_came_of_the_old_stacks_and_is_taken_back(workspace):
    before = workspace.stacks, workspace.phase_map, workspace.latent
    workspace.references = ReferenceSpectra(["a"], ENERGY, [[0.0, 1.0, 2.0]])
    workspace.posterior = workspace.phase_map
    workspace.select(pixels(3))
    stacks = StackSet([s.with_step("recalibrated") for s in workspace.stacks])
    moved = ReferenceSpectra(["a"], np.array(ENERGY) + 0.1, [[0.0, 1.0, 2.0]])
    old = workspace.references
    workspace.recalibrate(stacks, moved, "recalibrate: shift", keep=["features"])
    assert workspace.stacks is stacks
    assert workspace.references is moved
    assert workspace.phase_map is workspace.posterior is workspace.latent is None
    assert set(workspace.features) == {"size"}
    assert np.flatnonzero(workspace.selection).tolist() == [3]
    workspace.phase_map = PhaseMap.from_scores(np.ones((22, 1)), ["new"])
    workspace.undo()
    assert (workspace.stacks, workspace.phase_map, workspace.latent) == before
    assert workspace.references is old
    assert workspace.posterior is workspace.phase_map


def test_the_method_says_which_map_tells_the_phases(workspace):
    probable = workspace.phase_map.with_colors(workspace.phase_map.colors)
    workspace.method = "posterior"
    assert workspace.best_map() is workspace.phase_map
    workspace.posterior = probable
    assert workspace.best_map() is probable
    workspace.select(pixels(0, 1))
    workspace.assign_selection("b")
    assert workspace.posterior.labels[:2].tolist() == [2, 2]
    assert workspace.phase_map.labels is not workspace.posterior.labels
    workspace.method = "pearson"
    assert workspace.best_map() is workspace.phase_map
