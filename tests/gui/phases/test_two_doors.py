"""The Data dock and the command line make the same of the same files, bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner

from napari_phasemap.cli import main
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.io.results import read_results
from napari_phasemap.io.stackfile import write_stack
from napari_phasemap.views.phases.data_panel import DataPanel
from napari_phasemap.views.shell.link import link_for
from napari_phasemap.views.shell.regions import draw_region, region_mask

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui

ENERGY = np.array([515.0, 517.5, 520.0, 525.0, 530.3])
SHAPE = (12, 10)


FAULTS: list[dict[str, bool]] = [
    {},
    {"own": True},
    {"bad": True},
    {"missing": True},
    {"own": True, "bad": True, "missing": True},
]


def counts(
    *, own: bool = False, bad: bool = False, missing: bool = False, name: str = "P1"
) -> Any:
    """A particle of 6 x 6 pixels on empty background, with the faults asked for."""
    rng = np.random.default_rng(7)
    od = rng.uniform(0.0, 0.02, (5, *SHAPE))
    od[:, 2:8, 2:8] += np.array([0.4, 1.2, 0.5, 0.9, 0.6])[:, None, None]
    data = rng.poisson(2000.0 * np.exp(-od)).astype(np.float32)
    if bad:
        data[1, 4, 4], data[2, 5, 5], data[3, 0, 0] = np.nan, 0.0, np.inf
    if missing:
        data[3] = np.nan
    mask = np.arange(SHAPE[1]) < 5 if own else np.ones(SHAPE[1], bool)
    mask = np.broadcast_to(mask, SHAPE)
    return SpectralStack(data, ENERGY, mask=mask, pixel_size=(30.0, 30.0), name=name)


@pytest.fixture
def by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stacks that `napari-phasemap run` analyzes, read from its results."""
    monkeypatch.setattr("napari_phasemap.pipeline.bundle._sheets", lambda *_: {})
    references = tmp_path / "refs.csv"
    rows = [f"{e},{1 + k % 2},{2 + k % 3}" for k, e in enumerate(ENERGY)]
    references.write_text("\n".join(["energy,a,b", *rows]))

    def run(*words: object) -> list[SpectralStack]:
        out = tmp_path / "out"
        words = ("run", *words, "-r", references, "-o", out, "-q", "--overwrite")
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        return list(read_results(out / "results.h5").stacks)

    return run


class DockDoor:
    """The Data dock with a user who presses its buttons."""

    def __init__(self, viewer: Any, qtbot: Any) -> None:
        self.dock, self.qtbot = DataPanel(viewer), qtbot
        qtbot.addWidget(self.dock)

    def open(self, *paths: Path) -> list[SpectralStack]:
        self.dock.open_paths(list(paths))
        return self._analyzed()

    def convert(self, file: Path | None = None) -> list[SpectralStack]:
        self.dock._i0.set_way("brightest" if file is None else "file")
        self.dock._i0._path.setText(str(file or ""))
        self.dock.convert()
        return self._analyzed()

    def mask(self, way: str, file: Path | None = None) -> list[SpectralStack]:
        self.dock._mask.set_way(way)
        self.dock._mask._path.setText(str(file or ""))
        self.dock.mask()
        return self._analyzed()

    def _analyzed(self) -> list[SpectralStack]:
        self.qtbot.waitUntil(lambda: not self.dock.job.running, timeout=60_000)
        stacks = self.dock.workspace.stacks
        return [] if stacks is None else list(stacks)


@pytest.fixture
def by_dock(viewer: Any, qtbot: Any) -> DockDoor:
    """The stacks that the Data dock analyzes."""
    return DockDoor(viewer, qtbot)


def same(dock: SpectralStack, command: SpectralStack) -> None:
    np.testing.assert_array_equal(dock.mask, command.mask)
    assert dock.data.tobytes() == command.data.tobytes()
    assert dock.history == command.history
    assert dock.quantity == command.quantity == "optical_density"


def n_left(way: str, faults: dict[str, bool]) -> int:
    """Pixels that are left of a way to mask, counted by hand."""
    rows, columns = {
        "otsu": (range(2, 8), range(2, 8)),
        "all": (range(12), range(10)),
        "file": (range(1, 7), range(3, 9)),
    }[way]
    left = {(row, column) for row in rows for column in columns}
    if faults.get("own"):
        left = {(row, column) for row, column in left if column < 5}
    if faults.get("bad"):
        left -= {(4, 4), (5, 5)}
        # The infinite value does not count where its frame is missing.
        left -= set() if faults.get("missing") else {(0, 0)}
    return len(left)


def test_counts_give_the_same_pixels_by_both_doors(
    tmp_path: Path, by_dock: DockDoor, by_command: Any
) -> None:
    """Own masks, values that are none and missing frames, by every way to mask."""
    paths = [
        write_stack(counts(**faults, name=f"P{k}"), tmp_path / f"P{k}.h5")
        for k, faults in enumerate(FAULTS)
    ]
    image = np.zeros(SHAPE)
    image[1:7, 3:9] = 1
    np.save(tmp_path / "mask.npy", image)
    by_dock.open(*paths)
    for way, word in (
        ("file", tmp_path / "mask.npy"),
        ("otsu", "otsu"),
        ("all", "none"),
    ):
        by_dock.convert()
        dock = by_dock.mask(way, tmp_path / "mask.npy")
        command = by_command(*paths, "--mask", word)
        for one, other, faults in zip(dock, command, FAULTS, strict=True):
            same(one, other)
            assert one.n_pixels == n_left(way, faults), (way, faults)


def test_an_i0_spectrum_from_a_file_gives_the_same_by_both_doors(
    tmp_path: Path, by_dock: DockDoor, by_command: Any
) -> None:
    path = write_stack(counts(own=True, bad=True), tmp_path / "P1.h5")
    lines = [f"{energy} {2000 + k}" for k, energy in enumerate(ENERGY)]
    (tmp_path / "i0.txt").write_text("\n".join(lines))
    by_dock.open(path)
    by_dock.convert(tmp_path / "i0.txt")
    (dock,) = by_dock.mask("otsu")
    same(dock, *by_command(path, "--i0", tmp_path / "i0.txt"))
    assert "I0: i0.txt" in dock.history


def test_density_with_an_own_mask_and_nan_is_the_same_by_both_doors(
    tmp_path: Path, by_dock: DockDoor, by_command: Any
) -> None:
    """The dock analyzes it without a press; it leaves out what has no value."""
    made = counts(own=True)
    data = -np.log(made.data / 2000.0)
    data[1, 4, 4] = data[2, 4, 9] = np.nan
    density = SpectralStack(
        data, ENERGY, mask=made.mask, quantity="optical_density", name="P1"
    )
    path = write_stack(density, tmp_path / "P1.h5")
    (dock,) = by_dock.open(path)
    same(dock, *by_command(path, "--mask", "none"))
    assert dock.n_pixels == 12 * 5 - 1


def test_a_drawn_region_is_the_same_as_a_mask_file_of_its_pixels(
    tmp_path: Path, viewer: Any, by_dock: DockDoor, by_command: Any
) -> None:
    path = write_stack(counts(own=True, bad=True), tmp_path / "P1.h5")
    by_dock.open(path)
    by_dock.convert()
    link = link_for(viewer)
    source = link.workspace.sources[0]
    shapes = draw_region(viewer, "mask region", link)
    corners = np.array([[1.0, 1.0], [1.0, 8.0], [9.0, 8.0], [9.0, 1.0]]) * 30.0
    shapes.add(corners + link.places.place(source.name).translate, shape_type="polygon")
    (dock,) = by_dock.mask("region")
    region = region_mask(shapes, source, link)
    np.save(tmp_path / "region.npy", region)
    (command,) = by_command(path, "--mask", tmp_path / "region.npy")
    np.testing.assert_array_equal(dock.mask, command.mask)
    assert dock.data.tobytes() == command.data.tobytes()
    assert dock.history[:-1] == command.history[:-1]
    assert dock.history[-1] == command.history[-1].replace("region.npy", "drawn region")
    assert dock.n_pixels == np.count_nonzero(region[:, :5]) - 1


def test_choosing_again_starts_from_the_mask_of_the_file_not_from_the_last_choice(
    tmp_path: Path, by_dock: DockDoor
) -> None:
    path = write_stack(counts(own=True), tmp_path / "P1.h5")
    by_dock.open(path)
    by_dock.convert()
    assert by_dock.mask("otsu")[0].n_pixels == 6 * 3
    assert by_dock.mask("all")[0].n_pixels == 12 * 5
