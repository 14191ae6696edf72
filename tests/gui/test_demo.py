from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.gui

from napari_phasemap.core.data.phasemap import PhaseMap  # noqa: E402
from napari_phasemap.core.data.stack_set import StackSet  # noqa: E402
from napari_phasemap.core.latent.selection import in_polygon  # noqa: E402
from napari_phasemap.views.demo import (  # noqa: E402
    Stage,
    lasso_around,
    lasso_path,
    run_demo,
)
from napari_phasemap.views.shell import opening  # noqa: E402
from napari_phasemap.views.training.model_box import ModelBox  # noqa: E402


@pytest.mark.parametrize("n_points", [1, 2, 500])
def test_a_lasso_goes_around_all_points_and_closes(n_points: int) -> None:
    rng = np.random.default_rng(n_points)
    x, y = rng.normal(300, 40, n_points), rng.normal(200, 8, n_points)
    path = lasso_around(x, y)
    assert in_polygon(x, y, path).all()
    assert np.allclose(path[0], path[-1])


def test_the_demo_lassoes_a_phase_with_the_mouse(
    tmp_path: Any, two_particles: Any, qtbot: Any
) -> None:
    stage = Stage(tmp_path, size=(1100, 700))
    try:
        workspace = stage.workspace
        view = stage.dock("Latent view")
        workspace.set_stacks(StackSet(two_particles))
        n_pixels = workspace.stacks.n_pixels
        truth = np.arange(n_pixels) % 2
        scores = np.stack([1.0 - truth, truth], axis=1)
        workspace.phase_map = PhaseMap.from_scores(scores, ("a", "b"))
        rng = np.random.default_rng(0)
        latent = rng.normal(0, 0.2, (n_pixels, 3))
        latent[:, 1] += 9 * truth
        workspace.latent = latent.astype(np.float32)
        stage.settle(0.3)
        path = lasso_path(stage, view, 2)
        view.tools.set_tool("lasso")
        stage.drag(view.scatter.native, path)
        picked = workspace.selection
        assert picked.sum() >= 0.5 * truth.sum()
        assert truth[picked].all()
        assert lasso_path(stage, view, 3) == []
        assert stage.shoot("view").stat().st_size > 10_000
    finally:
        stage.viewer.close()


@pytest.mark.timeout(900)
def test_the_demo_runs_from_the_sample_to_the_lasso_and_saves(
    tmp_path: Any, monkeypatch: Any, qtbot: Any
) -> None:
    """Every step of ``make demo``, with the last of the particles and two epochs."""
    whole = opening.sample_densities
    monkeypatch.setattr(opening, "sample_densities", lambda **told: whole(**told)[-1:])
    monkeypatch.setattr(ModelBox, "parameters", lambda _: {"epochs": 2})
    stage = run_demo(tmp_path)
    try:
        workspace = stage.workspace
        assert workspace.phase_map is not None
        assert workspace.latent.shape == (workspace.stacks.n_pixels, 3)
        assert workspace.resolved.method == "mahalanobis"
        assert 0 < workspace.selection.sum() < workspace.stacks.n_pixels
        steps = ["1_start", "2_phase_map", "3_latent_space", "4_latent_view", "5_lasso"]
        shots = [tmp_path / f"{step}.png" for step in steps]
        assert all(path.stat().st_size > 10_000 for path in shots)
        assert (tmp_path / "results" / "results.h5").is_file()
        assert (tmp_path / "results" / "resolved.png").is_file()
    finally:
        stage.viewer.close()
