"""Probabilities, unknown pixels and the check of references, by mouse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from qtpy.QtWidgets import QAbstractButton, QLabel

from napari_phasemap.cli import main
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import density_noise
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.phases.decisions import decisions_of
from napari_phasemap.core.phases.distortion import Distortion
from napari_phasemap.core.phases.reference_check import ReferenceReport
from napari_phasemap.core.phases.reference_corrections import corrections_of
from napari_phasemap.io.results import read_results
from napari_phasemap.io.stackfile import write_stack
from napari_phasemap.views.shell.link import link_for, workspace_for
from napari_phasemap.views.shell.maps import known_correlation, take_map
from napari_phasemap.views.shell.status import pixel_text
from napari_phasemap.workspace import Workspace
from napari_phasemap.workspace.steps import analyze

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui

ENERGY = [515.0, 517.5, 520.0, 525.0, 530.3, 532.0]
SHAPES = np.array(
    [[0.2, 1.2, 0.3, 0.3, 0.4, 0.3], [0.2, 0.3, 0.3, 1.2, 0.4, 0.3]], np.float64
)
FOREIGN = np.array([0.2, 0.3, 1.3, 0.3, 0.4, 0.9])
SIZE = (24, 20)


def particle(name: str = "P1", *, known: bool = True) -> Any:
    """Left and right half of two phases, with a corner that is neither."""
    od = np.empty((6, *SIZE))
    od[:, :, :10], od[:, :, 10:] = SHAPES[0, :, None, None], SHAPES[1, :, None, None]
    od[:, 16:, 12:] = FOREIGN[:, None, None]
    noise = density_noise(np.full(6, 900.0))
    rng = np.random.default_rng(5)
    od += rng.normal(size=od.shape) * np.sqrt(noise.of_density(od.astype(np.float32)))
    return SpectralStack(
        od,
        ENERGY,
        quantity="optical_density",
        pixel_size=(30.0, 30.0),
        name=name,
        noise=noise if known else None,
    )


def press(dock: Any, text: str) -> None:
    button = next(b for b in dock.findChildren(QAbstractButton) if b.text() == text)
    assert button.isVisibleTo(dock), text
    button.click()


def finish(qtbot: Any, dock: Any) -> None:
    qtbot.waitUntil(lambda: not dock.job.running, timeout=60_000)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages that a user would see."""
    seen: list[str] = []
    for name in ("shell.dock.show_info", "shell.job.show_info", "shell.job.show_error"):
        monkeypatch.setattr(f"napari_phasemap.views.{name}", seen.append)
    return seen


def opened(viewer: Any, stacks: list[Any], shapes: Any = SHAPES) -> tuple[Any, Any]:
    """The Phase map dock with stacks and references, set to probabilities."""
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", "Phase map")
    link_for(viewer).open_stacks(stacks)
    workspace = workspace_for(viewer)
    workspace.set_stacks(StackSet(stacks))
    names = ("left", "right")[: len(shapes)]
    workspace.references = ReferenceSpectra(names, ENERGY, shapes)
    dock.method.method.setCurrentText("Posterior")
    return dock, workspace


def test_probabilities_by_mouse_and_a_reference_of_what_fits_none(
    viewer: Any, qtbot: Any, notes: list[str]
) -> None:
    dock, workspace = opened(viewer, [particle()])
    press(dock, "Compute probabilities")
    finish(qtbot, dock)
    told = decisions_of(workspace.posterior)
    corner = np.zeros(SIZE, bool)
    corner[16:, 12:] = True
    inner = np.zeros(SIZE, bool)
    inner[17:, 13:] = True
    assert told.unknown[inner.ravel()].all()
    assert not told.unknown[~corner.ravel()].any()
    layer = viewer.layers["phase"]
    assert list(layer.features["phase"])[-2:] == ["undecided", "unknown"]
    np.testing.assert_array_equal(layer.data == 4, told.unknown.reshape(SIZE))
    dock.method.level.setValue(0.999)
    unsure = told.undecided(workspace.level)
    assert int((layer.data == 3).sum()) == int(unsure.sum())
    text = dock.trust.posterior.text.text
    dock.trust.posterior.follow()
    assert f"{int(told.unknown.sum())} (" in text()
    assert "Noise from: photon counts." in text()
    places = link_for(viewer).places
    assert "p = " in pixel_text(workspace, places, (90.0, 90.0))
    assert "unknown" in pixel_text(workspace, places, (20 * 30.0, 16 * 30.0))
    cells = dock.fractions.model()
    rows = [cells.index(row, 1).data() for row in range(cells.rowCount())]
    assert rows == ["left", "right", "undecided", "unknown", "not assigned"]
    qtbot.waitUntil(lambda: "–" in cells.index(0, 3).data(), timeout=20_000)
    press(dock, "Add mean spectrum as a reference")
    finish(qtbot, dock)
    assert workspace.references.names == ("left", "right", "unknown")
    assert workspace.posterior.names == workspace.phase_map.names
    third = workspace.posterior.labels.reshape(SIZE) == 3
    assert third[inner].all()
    assert not third[~corner].any()
    assert decisions_of(workspace.posterior).unknown.mean() < 0.01
    assert notes == []


def test_wrong_clicks_on_probabilities_say_what_to_do(
    viewer: Any, qtbot: Any, notes: list[str]
) -> None:
    few = particle()
    mask = np.zeros(SIZE, bool)
    mask[4, 4:7] = True
    dock, workspace = opened(viewer, [particle()], SHAPES[:1])
    press(dock, "Compute probabilities")
    finish(qtbot, dock)
    assert "needs two references or more" in notes[-1]
    workspace.references = ReferenceSpectra(("left", "right"), ENERGY, SHAPES)
    workspace.set_stacks(StackSet([few.with_mask(mask)]))
    press(dock, "Check references")
    finish(qtbot, dock)
    assert "to check references takes 100" in notes[-1]
    workspace.set_stacks(StackSet([particle(known=False).with_mask(mask)]))
    press(dock, "Compute probabilities")
    finish(qtbot, dock)
    assert "noise cannot be estimated" in notes[-1]
    press(dock, "Noise from it")
    assert "Draw a flat region" in notes[-1]
    workspace.set_stacks(StackSet([few.with_mask(mask)]))
    press(dock, "Compute probabilities")
    finish(qtbot, dock)
    assert workspace.posterior.n_pixels == 3
    assert workspace.posterior.labels.tolist() == [1, 1, 1]


def report(stacks: Any, references: Any) -> ReferenceReport:
    """Return a report that finds a shift of 0.1 eV, and nothing else."""
    n = len(ENERGY)
    zeros, errors = np.zeros((1, n)), np.full((1, n), 0.01)
    found = Distortion(0.1, 0.01, 0.0, 0.01, zeros, errors)
    none = np.zeros((2, n))
    corrections = corrections_of(found, stacks, 0.0)
    shares = np.array([50.0, 50.0])
    corrections = [replace(c, before=shares, after=shares) for c in corrections]
    return ReferenceReport(
        stacks, references, found, tuple(corrections), ("Look twice.",), none, none,
        np.zeros(1, np.int64),
    )  # fmt: skip


def test_accepted_corrections_are_a_step_and_can_be_taken_back(
    viewer: Any, qtbot: Any, notes: list[str]
) -> None:
    dock, workspace = opened(viewer, [particle()])
    stacks, references = workspace.stacks, workspace.references
    dock.method.method.setCurrentText("Pearson (paper)")
    press(dock, "Correlate")
    finish(qtbot, dock)
    phases = workspace.phase_map
    dock.trust.report.show_report(report(stacks, references))
    said = [label.text() for label in dock.trust.report.findChildren(QLabel)]
    assert any("sit 0.10 ± 0.01 eV too low" in one for one in said)
    assert "Caution: Look twice." in said
    press(dock, "Apply checked")
    finish(qtbot, dock)
    moved = workspace.references
    np.testing.assert_allclose(moved.energy, [ENERGY[0], *(np.array(ENERGY) + 0.1)])
    np.testing.assert_allclose(moved.spectra[:, 0], moved.spectra[:, 1])
    assert workspace.phase_map is not phases
    steps = [step.text for step in workspace.history.done]
    assert steps[-2:] == ["recalibrate: energy shift", "correlate"]
    assert "references moved by +0.100 eV" in workspace.stacks[0].history[-1]
    assert notes == []
    press(dock, "Undo")
    assert (workspace.stacks, workspace.references) == (stacks, references)
    assert workspace.phase_map is phases
    assert "phase" in viewer.layers


def test_dock_and_command_line_give_the_same_probabilities(
    viewer: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_phasemap.pipeline.bundle._sheets", lambda *_: {})
    path = write_stack(particle(), tmp_path / "P1.h5")
    columns = np.column_stack([ENERGY, *SHAPES])
    table = "\n".join(",".join(f"{x:g}" for x in row) for row in columns)
    (tmp_path / "refs.csv").write_text(f"energy,left,right\n{table}")
    words = ["run", path, "-r", tmp_path / "refs.csv", "--mask", "none", "-q"]
    words += ["--method", "posterior", "--no-neighbors", "--level", 0.8]
    words += ["-o", tmp_path / "out"]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    by_command = read_results(tmp_path / "out" / "results.h5")
    dock, workspace = opened(viewer, list(by_command.stacks))
    press(dock, "neighbors")
    press(dock, "Compute probabilities")
    finish(qtbot, dock)
    for mine, other in (
        (workspace.posterior, by_command.maps["posterior"]),
        (workspace.phase_map, by_command.maps["phase_map"]),
    ):
        assert mine.scores.tobytes() == other.scores.tobytes()
        np.testing.assert_array_equal(mine.labels, other.labels)
    assert by_command.level == 0.8


def test_a_correlation_with_other_references_or_pixels_is_not_used() -> None:
    references = ReferenceSpectra(["a", "b"], ENERGY, SHAPES)
    stacks = StackSet([particle()])
    workspace = Workspace(stacks=stacks, references=references)
    phases = pearson_map(stacks, references)
    take_map(workspace, stacks, references, phases)
    assert known_correlation(workspace, references) is phases
    # Of the same names, as after a shift: not what the map was made from.
    other = ReferenceSpectra(["a", "b"], ENERGY, SHAPES[::-1])
    workspace.references = other
    assert known_correlation(workspace, other) is None
    fewer = StackSet([particle().with_mask(np.arange(480).reshape(SIZE) < 300)])
    analyze(workspace, fewer, "mask")
    with pytest.raises(InputError, match="the stacks changed while correlating"):
        take_map(workspace, stacks, references, phases)
