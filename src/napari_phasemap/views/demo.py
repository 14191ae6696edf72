"""The main job on the sample particles, in a window: ``make demo``.

With a display napari stays open. Without one the window lives on a virtual screen, and
what a user would see is left as screenshots.

* `run_demo`: every step from opening the sample to a lasso in the latent view.
* `Stage`: a viewer driven as by a user, also for the pictures in ``docs``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
import napari
import numpy as np
from qtpy.QtCore import QSettings

from napari_phasemap.views.shell.link import workspace_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Stage", "lasso_around", "main", "run_demo"]

PLUGIN = "napari-phasemap"
#: Seconds that one step of the demo may take.
PATIENCE = 300.0
#: Number of the phase that the lasso goes for, and the share of its points nearest to
#: their middle.
LASSOED, CORE = 5, 0.8
#: Seconds until the workbench has opened what stands beside its form.
OPENING = 1.0
#: Degrees between two looks at the latent space.
TURN = 15.0
#: Corners of the lasso, and pixels that it keeps from the points.
CORNERS, ROOM = 40, 5.0


class Stage:
    """A viewer with the docks, driven as by a user, that takes screenshots."""

    def __init__(
        self, output: Path, *, size: tuple[int, int] = (1600, 950), theme: str = ""
    ) -> None:
        self.output = output
        # What a user's own windows remember stays as it is.
        self._settings = TemporaryDirectory()
        QSettings.setPath(
            QSettings.Format.IniFormat,
            QSettings.Scope.UserScope,
            self._settings.name,
        )
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(*size)
        if theme:
            self.viewer.theme = theme
        self.workspace = workspace_for(self.viewer)

    def dock(self, name: str) -> Any:
        """Open a dock from the Plugins menu, or bring it to the front."""
        _, widget = self.viewer.window.add_plugin_dock_widget(PLUGIN, name)
        widget.parent().raise_()
        self.settle(0.3)
        return widget

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Let the window live until something has happened."""
        end = monotonic() + PATIENCE
        while not until():
            self.settle(0.05)
            if monotonic() > end:
                raise TimeoutError(f"{what} took longer than {PATIENCE:g} s")

    def run(self, dock: Any, action: Callable[[], None], what: str) -> None:
        """Press a button of a dock and wait for its job."""
        action()
        self.wait(lambda: not dock.job.running, what)
        self.settle(0.2)

    def settle(self, seconds: float) -> None:
        """Let the window paint."""
        from qtpy.QtTest import QTest

        QTest.qWait(int(1000 * seconds))

    def shoot(self, name: str) -> Path:
        """Save the whole window as an image."""
        self.settle(0.4)
        path = self.output / f"{name}.png"
        self.viewer.screenshot(path, canvas_only=False, flash=False)
        return path

    def drag(
        self,
        canvas: Any,
        path: Sequence[tuple[float, float]],
        *,
        on_step: Callable[[], None] | None = None,
    ) -> None:
        """Drag with the left mouse button along a path on a canvas; none if empty."""
        if not path:
            return
        from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtTest import QTest
        from qtpy.QtWidgets import QApplication

        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        spots = [QPoint(round(x), round(y)) for x, y in path]
        QTest.mousePress(canvas, left, none, spots[0])
        for spot in spots[1:]:
            move = QMouseEvent(
                QEvent.Type.MouseMove,
                QPointF(spot),
                QPointF(canvas.mapToGlobal(spot)),
                Qt.MouseButton.NoButton,
                left,
                none,
            )
            QApplication.sendEvent(canvas, move)
            if on_step is not None:
                on_step()
        QTest.mouseRelease(canvas, left, none, spots[-1])
        self.settle(0.2)


def lasso_around(
    x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], /
) -> list[tuple[float, float]]:
    """Return a closed path around screen positions, as a hand would draw it."""
    middle_x, middle_y = float(x.mean()), float(y.mean())
    angles = np.arctan2(y - middle_y, x - middle_x)
    radii = np.hypot(x - middle_x, y - middle_y)
    corners = np.linspace(-np.pi, np.pi, CORNERS, endpoint=False)
    width = 2 * np.pi / CORNERS
    reach = np.array(
        [
            radii[np.abs((angles - a + np.pi) % (2 * np.pi) - np.pi) < 2 * width].max(
                initial=ROOM
            )
            for a in corners
        ]
    )
    reach = (reach + np.roll(reach, 1) + np.roll(reach, -1)) / 3 + ROOM
    return [
        (middle_x + r * np.cos(a), middle_y + r * np.sin(a))
        for r, a in zip([*reach, reach[0]], [*corners, corners[0]], strict=True)
    ]


def lasso_path(stage: Stage, view: Any, label: int) -> list[tuple[float, float]]:
    """Turn the latent view until a phase stands apart, and return a lasso around it.

    The lasso goes around the dense part of the phase on the screen; the purest one of
    a turn around the upright axis is taken.
    """
    from napari_phasemap.core.latent.selection import in_polygon

    phases, scatter = stage.workspace.best_map(), view.scatter
    if phases is None or not (phases.labels == label).any():
        return []
    members = phases.labels == label
    best = (-1.0, scatter.camera)
    for azimuth in np.arange(-180.0, 180.0, TURN):
        scatter.set_camera(replace(scatter.camera, azimuth=float(azimuth)))
        screen = scatter.screen()
        path = _around_dense_part(screen.x[members], screen.y[members])
        inside = in_polygon(screen.x, screen.y, path)
        purity = float(members[inside].mean()) if inside.any() else 0.0
        best = max(best, (purity, scatter.camera), key=lambda pair: pair[0])
    scatter.set_camera(best[1])
    stage.settle(0.5)
    screen = scatter.screen()
    return _around_dense_part(screen.x[members], screen.y[members])


def _around_dense_part(
    x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], /
) -> list[tuple[float, float]]:
    away = np.hypot(x - np.median(x), y - np.median(y))
    dense = away <= np.quantile(away, CORE)
    return lasso_around(x[dense], y[dense])


def run_demo(output: Path) -> Stage:
    """Run the main job in a new viewer and leave screenshots in `output`."""
    output.mkdir(parents=True, exist_ok=True)
    stage = Stage(output)
    bench = stage.dock("Workbench")
    stage.settle(OPENING)
    stage.shoot("1_start")
    stage.run(bench, bench.open_sample, "the map of the sample")
    stage.viewer.reset_view()
    stacks = stage.workspace.stacks
    if stacks is not None:
        stage.workspace.cursor = int(stacks.offsets[1]) // 2
    stage.shoot("2_phase_map")
    _learn(stage, bench)
    _look(stage)
    bench.go_to("Figure")
    page = bench.page("Phases")
    stage.run(page, lambda: page.save(output / "results", overwrite=True), "saving")
    return stage


def _learn(stage: Stage, bench: Any) -> None:
    """Train a latent space and resolve ambiguity, where TensorFlow works."""
    click.echo("Training a latent space in a child process ...")
    bench.go_to("Resolve")
    dock = bench.page("Latent space")
    stage.run(dock, dock.train, "training")
    if stage.workspace.latent is None:
        click.echo("No latent space could be trained here (the window says why).")
        return
    stage.run(dock, dock.resolve, "resolving")
    stage.viewer.reset_view()
    stage.shoot("3_latent_space")


def _look(stage: Stage) -> None:
    """Draw a lasso in the latent view; principal components stand in if need be."""
    view = stage.dock("Latent view")
    if view.scatter is None:
        click.echo("No OpenGL here: the demo goes on without the latent view.")
        return
    if stage.workspace.latent is None:
        click.echo("The latent view shows principal components instead.")
        stage.run(view, view.use_pca, "principal components")
    stage.viewer.reset_view()
    stage.shoot("4_latent_view")
    path = lasso_path(stage, view, LASSOED)
    view.tools.set_tool("lasso")
    stage.drag(view.scatter.native, path)
    stage.shoot("5_lasso")
    view.tools.set_tool("navigate")


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo_output"),
    show_default=True,
    help="Folder for screenshots, figures and results.",
)
@click.option(
    "--stay/--leave",
    default=True,
    help="Keep the window open at the end, or leave at once.",
)
def main(output: Path, stay: bool) -> None:
    """Open napari with the sample particles and run the main job end to end."""
    stage = run_demo(output)
    for path in sorted(output.rglob("*")):
        if path.is_file():
            click.echo(path)
    click.echo(f"Screenshots, figures and results are in {output.resolve()}")
    if stay:
        napari.run()
    stage.viewer.close()


if __name__ == "__main__":
    main()
