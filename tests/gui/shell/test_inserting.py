"""Many images at once: napari does once what it would do after each of them."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import pytest

from napari_phasemap.views.shell.link import link_for

pytestmark = pytest.mark.gui


@pytest.fixture
def four(two_particles: list[Any]) -> list[Any]:
    return [replace(two_particles[0], name=f"P{i}") for i in range(1, 5)]


def test_images_are_selected_drawn_and_controlled_once(
    viewer: Any, four: list[Any]
) -> None:
    actives, changes, batches = [], [], []
    viewer.layers.selection.events.active.connect(lambda e: actives.append(e.value))
    viewer.layers.selection.events.changed.connect(lambda e: changes.append(e.added))
    viewer.layers.events.end_batch.connect(batches.append)
    link_for(viewer).open_stacks(four)
    last = viewer.layers["P4"]
    assert viewer.layers.selection.active is last
    assert actives == [last]
    assert set.union(*map(set, changes)) == {last}
    assert len(batches) == 1
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    made = viewer.window._qt_viewer.controls.widgets
    assert set(made) == {last}
    viewer.layers.selection.active = viewer.layers["P2"]
    assert set(made) == {last, viewer.layers["P2"]}
    viewer.layers.remove("P1")  # was never shown in the controls
    assert [layer.name for layer in viewer.layers] == ["P2", "P3", "P4"]


def test_an_image_turns_into_a_volume_when_asked(viewer: Any, four: list[Any]) -> None:
    link_for(viewer).open_stacks(four[:1])
    visual = viewer.window._qt_viewer.canvas.layer_to_visual[viewer.layers["P1"]]
    flat = visual.node
    viewer.dims.ndisplay = 3
    assert type(visual.node).__name__ == "Volume"
    viewer.dims.ndisplay = 2
    assert visual.node is flat
