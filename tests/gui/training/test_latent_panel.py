"""The whole way through the Latent space dock, with TensorFlow in its own process."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.simulate import synthetic
from napari_phasemap.views.shell.link import link_for, workspace_for
from napari_phasemap.views.training.latent_panel import LatentPanel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui

PATIENCE = 120_000


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    for name in ("shell.dock.show_info", "shell.job.show_info", "shell.job.show_error"):
        monkeypatch.setattr(f"napari_phasemap.views.{name}", seen.append)
    return seen


@pytest.fixture
def panel(viewer: Any, qtbot: Any) -> Any:
    """The dock on two small particles with their phase map."""
    made = synthetic.particles(2, (30, 36), seed=3)
    stacks = [one.optical_density for one in made]
    link = link_for(viewer)
    link.open_stacks(stacks)
    workspace = workspace_for(viewer)
    workspace.set_stacks(StackSet(stacks))
    workspace.references = synthetic.references()
    workspace.phase_map = pearson_map(workspace.stacks, workspace.references)
    panel = LatentPanel(viewer)
    qtbot.addWidget(panel)
    yield panel
    panel.trainer.close()


def finish(qtbot: Any, panel: Any) -> None:
    qtbot.waitUntil(lambda: not panel.job.running, timeout=PATIENCE)


def test_train_resolve_save_load_cancel_and_survive_a_killed_child(
    panel: Any, viewer: Any, qtbot: Any, notes: list[str], tmp_path: Path
) -> None:
    workspace = workspace_for(viewer)
    panel.model._main["epochs"].value = 2
    panel.model._rest["min_steps"].value = 0
    panel.train()
    finish(qtbot, panel)
    assert workspace.latent.shape == (workspace.stacks.n_pixels, 3)
    assert set(workspace.latent_markers) == set(workspace.references.names)
    assert "tensorflow" not in sys.modules

    panel.resolve()
    finish(qtbot, panel)
    changed = workspace.resolved.labels != workspace.phase_map.labels
    assert not changed[~workspace.phase_map.ambiguous(workspace.threshold)].any()
    assert "resolved phase" in viewer.layers
    assert "were ambiguous" in panel.resolving._text.text()
    workspace.undo()
    assert workspace.resolved is None

    panel.save_model(tmp_path / "model")
    finish(qtbot, panel)
    latent = workspace.latent
    panel.load_model(tmp_path / "model")
    finish(qtbot, panel)
    np.testing.assert_allclose(workspace.latent, latent, atol=1e-5)

    # Cancel keeps what there was.
    latent = workspace.latent
    panel.model._main["epochs"].value = 5000
    panel.model._rest["max_steps"].value = "10000000"
    panel.train()
    qtbot.waitUntil(lambda: "epoch" in panel.job._text.text(), timeout=PATIENCE)
    panel.job.cancel()
    qtbot.waitUntil(lambda: not panel.job.running, timeout=1500)
    assert workspace.latent is latent
    assert "Cancelled" in notes[-1]

    # A child that is killed is reported, and the dock works again.
    panel.apply()
    finish(qtbot, panel)
    panel.train()
    qtbot.waitUntil(lambda: "epoch" in panel.job._text.text(), timeout=PATIENCE)
    os.kill(panel.trainer.pid, signal.SIGKILL)
    finish(qtbot, panel)
    assert "ended" in notes[-1] or "killed" in notes[-1]
    panel.apply()
    finish(qtbot, panel)
    np.testing.assert_allclose(workspace.latent, latent, atol=1e-5)


def test_buttons_say_what_is_missing(viewer: Any, qtbot: Any, notes: list[str]) -> None:
    panel = LatentPanel(viewer)
    qtbot.addWidget(panel)
    panel.train()
    panel.apply()
    panel.resolve()
    assert "no optical density" in notes[0]
    assert "no model yet" in notes[1]
    assert "no phase map" in notes[2]


def test_a_wrong_number_is_named(panel: Any, notes: list[str]) -> None:
    panel.model._rest["beta"].value = "tiny"
    panel.train()
    assert "beta: 'tiny' is not a number" in notes[-1]
    assert not panel.job.running


def test_closing_the_viewer_ends_the_training_process(qtbot: Any) -> None:
    import napari

    viewer = napari.Viewer(show=True)
    stacks = [one.optical_density for one in synthetic.particles(1, (30, 36), seed=3)]
    link_for(viewer).open_stacks(stacks)
    workspace_for(viewer).set_stacks(StackSet(stacks))
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", "Latent space")
    dock.train()
    trainer = dock.trainer
    qtbot.waitUntil(lambda: trainer.is_running, timeout=PATIENCE)
    viewer.close()
    qtbot.waitUntil(lambda: not trainer.is_running, timeout=2000)
