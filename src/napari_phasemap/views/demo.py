"""The main job on the sample particles, in a window: ``make demo``.

With a display napari stays open. Without one the window lives on a virtual screen, and
what a user would see is left as screenshots.
"""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
import napari

from napari_phasemap.views.link import workspace_for

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main", "run_demo"]

PLUGIN = "napari-phasemap"
#: Seconds that one step of the demo may take.
PATIENCE = 600.0


class _Stage:
    """A viewer with the docks, driven as by a user, that takes screenshots."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(1600, 950)
        self.shots: list[Path] = []

    def dock(self, name: str) -> Any:
        """Open a dock from the Plugins menu."""
        _, widget = self.viewer.window.add_plugin_dock_widget(PLUGIN, name)
        self.settle(0.2)
        return widget

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Let the window live until something has happened."""
        end = monotonic() + PATIENCE
        while not until():
            self.settle(0.05)
            if monotonic() > end:
                raise TimeoutError(f"{what} took longer than {PATIENCE:g} s")

    def settle(self, seconds: float) -> None:
        """Let the window paint."""
        from qtpy.QtTest import QTest

        QTest.qWait(int(1000 * seconds))

    def shoot(self, name: str) -> None:
        """Save the whole window as an image."""
        self.settle(0.4)
        path = self.output / f"{name}.png"
        self.viewer.screenshot(path, canvas_only=False, flash=False)
        self.shots.append(path)


def run_demo(output: Path) -> _Stage:
    """Run the main job in a new viewer and leave screenshots in `output`."""
    output.mkdir(parents=True, exist_ok=True)
    stage = _Stage(output)
    workspace = workspace_for(stage.viewer)
    phase_map = stage.dock("Phase map")
    stage.shoot("1_start")
    phase_map.open_sample()
    stage.wait(lambda: workspace.references is not None, "opening the sample")
    stage.settle(0.3)
    phase_map.correlate()
    stage.wait(lambda: workspace.phase_map is not None, "correlating")
    stage.viewer.reset_view()
    stage.dock("Spectra")
    assert workspace.stacks is not None
    workspace.cursor = int(workspace.stacks.offsets[1]) // 2
    stage.shoot("2_phase_map")
    phase_map.save(output / "results", overwrite=True)
    stage.wait(lambda: not phase_map.job.running, "saving")
    return stage


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
