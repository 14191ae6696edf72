"""Analyzed edges in the workspace: taken in, shown, edited, and taken back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.eels.class_edits import edit_classes, merge_classes
from napari_phasemap.core.eels.edge import analyze_edge
from napari_phasemap.core.eels.recipe import edge_recipe
from napari_phasemap.core.simulate.synthetic_eels import EDGE_WINDOWS, simulate_si_c
from napari_phasemap.workspace import Workspace
from napari_phasemap.workspace.edges import (
    put_classes,
    put_edges,
    remove_edge,
    show_edge,
    shown_edge,
)


@pytest.fixture(scope="module")
def analyses():
    stack = simulate_si_c(shape=(16, 16), dose=3000.0, seed=3).core_loss
    return {
        name: analyze_edge(
            stack, edge_recipe(name, *EDGE_WINDOWS[name], embed=False, n_clusters=3)
        )
        for name in ("Si_L", "C_K")
    }


@pytest.fixture
def workspace(analyses):
    workspace = Workspace()
    workspace.set_stacks(StackSet([analyses["Si_L"].stack]))
    put_edges(workspace, analyses.values())
    return workspace


def shown(workspace):
    return (
        workspace.edge, workspace.edges, workspace.class_names,
        workspace.phase_map, workspace.latent, workspace.latent_name,
    )  # fmt: skip


def all_same(one, other):
    return all(a is b or (isinstance(a, str) and a == b)
               for a, b in zip(one, other, strict=True))  # fmt: skip


def test_the_first_result_is_shown_and_a_later_one_does_not_take_its_place(
    workspace, analyses
):
    assert workspace.edge == "Si_L"
    assert workspace.phase_map is analyses["Si_L"].classes
    assert workspace.latent_name == "PCA Si_L"
    latent = workspace.latent
    put_edges(workspace, [replace(analyses["Si_L"])])
    assert workspace.edge == "Si_L"
    assert workspace.latent is latent  # the same values make the same picture
    show_edge(workspace, "C_K")
    assert workspace.phase_map is analyses["C_K"].classes
    assert workspace.latent_name.split()[-1] == "C_K"


ACTIONS = {
    "show": lambda w: show_edge(w, "C_K"),
    "remove": lambda w: remove_edge(w, "Si_L"),
    "merge": lambda w: put_classes(
        w, edit_classes(w.edges["Si_L"], lambda c: merge_classes(c, [1, 2])), "merge"
    ),
    "merge hidden": lambda w: put_classes(
        w, edit_classes(w.edges["C_K"], lambda c: merge_classes(c, [1, 2])), "merge"
    ),
    "run again": lambda w: put_edges(w, [replace(w.edges["Si_L"])]),
    "assign": lambda w: w.assign_selection("class 2"),
}


@pytest.mark.parametrize("first", ACTIONS)
@pytest.mark.parametrize("second", ACTIONS)
def test_any_two_actions_are_taken_back_and_done_again(workspace, first, second):
    if first == "remove" and second in ("merge", "run again"):
        pytest.skip("there is no Si_L any more")
    workspace.select(np.arange(256) < 5)
    workspace.apply("names", class_names={"Si_L": object()})
    states = [shown(workspace)]
    for action in (first, second):
        ACTIONS[action](workspace)
        states.append(shown(workspace))
    steps = len(workspace.history.done) - 3  # put, select, names
    for _ in range(steps):
        workspace.undo()
    assert all_same(shown(workspace), states[0])
    for _ in range(steps):
        workspace.redo()
    assert all_same(shown(workspace), states[-1])
    for _ in range(steps + 3):
        workspace.undo()
    assert not workspace.edges
    assert workspace.phase_map is None


def test_classes_of_the_edge_and_the_phase_map_are_one(workspace):
    workspace.select(np.arange(256) < 5)
    workspace.assign_selection("class 2")
    analysis = shown_edge(workspace)
    assert analysis.classes is workspace.phase_map
    assert np.isnan(analysis.stability).all()  # of other classes
    assert analysis.spectra.n_pixels.sum() == np.count_nonzero(analysis.classes.labels)
    computed = workspace.computed["Si_L"]
    assert not np.isnan(computed.stability).any()
    renamed = analysis.classes.with_colors(["#000000", "#111111", "#222222"])
    assert (
        computed.with_classes(
            replace(computed.classes, colors=renamed.colors)
        ).stability
        is computed.stability
    )


def test_merging_keeps_what_is_known_and_forgets_what_references_said(workspace):
    workspace.class_names = {"Si_L": "of three", "C_K": "other"}
    ACTIONS["merge"](workspace)
    assert workspace.edges["Si_L"].classes.n_phases == 2
    assert np.isfinite(workspace.edges["Si_L"].stability).all()
    assert len(workspace.edges["Si_L"].spectra.names) == 2
    assert dict(workspace.class_names) == {"C_K": "other"}
    workspace.undo()
    assert dict(workspace.class_names) == {"Si_L": "of three", "C_K": "other"}


def test_removing_the_last_edge_leaves_no_edge_shown(workspace):
    remove_edge(workspace, "C_K")
    assert (workspace.edge, list(workspace.edges)) == ("Si_L", ["Si_L"])
    remove_edge(workspace, "Si_L")
    assert (workspace.edge, dict(workspace.computed)) == ("", {})
    remove_edge(workspace, "Si_L")
    assert len(workspace.history.done) == 3
    workspace.undo()
    assert (workspace.edge, list(workspace.edges)) == ("Si_L", ["Si_L"])
