"""What many particles cost in the window: opening, correlating, dragging a threshold.

Run it with a display (or ``xvfb-run -a -s "-screen 0 1600x1000x24"``)::

    python benchmarks/many_particles.py 4x96x120 30x96x120 10x1024x1024 100x96x120

Every argument is number x rows x columns of simulated particles. Wall and CPU time of
this process; "painted" counts until the canvas was drawn again, which napari does for
all layers whatever has changed; "arrays and refresh" ends before that. Steps are the
median of several. The longest gap is the longest time for which a timer of 5 ms did not
tick while the step before it ran. Everything is drawn in software where there is no
graphics card.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("QT_API", "pyqt6")

import napari
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.simulate import synthetic
from napari_phasemap.views.shell.link import link_for, workspace_for

sys.path.insert(0, str(Path(__file__).parent))
from responsiveness import Ticks

SIZE = (1600, 1000)
#: Wanted at 30 particles of 96 x 120 and at 10 of 1024 x 1024.
TARGETS = {
    "opening": 2500,
    "Correlate until painted": 1500,
    "threshold step, painted": 50,
    "threshold step, arrays and refresh": 16,
    "energy step, painted": 60,
    "lasso of a tenth, painted": None,
    "phase hidden and shown, painted": None,
    "r of every phase and the rest shown": None,
}
LONGEST = {"opening": 100, "Correlate": 100}
STEPS = 9


class Canvas:
    """Waits until the images have been drawn."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._drawn: list[Any] = []
        self._canvas = viewer.window._qt_viewer.canvas._scene_canvas
        self._canvas.events.draw.connect(self._drawn.append)

    def paint(self) -> None:
        self._drawn.clear()
        self._canvas.update()
        end = time.perf_counter() + 5
        while not self._drawn and time.perf_counter() < end:
            QApplication.processEvents()


def timed(action: Any) -> np.ndarray:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return 1e3 * np.array([time.perf_counter() - wall, time.process_time() - cpu])


def many(action: Any, values: Any) -> np.ndarray:
    return np.median([timed(lambda v=value: action(v)) for value in values], axis=0)


def measure(number: int, shape: tuple[int, int]) -> dict[str, Any]:
    particles = synthetic.particles(min(number, 6), shape=shape, seed=0)
    densities = [p.optical_density for p in particles]
    stacks = [
        densities[i % len(densities)].with_step("copy", name=f"particle {i + 1}")
        for i in range(number)
    ]
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    link, workspace = link_for(viewer), workspace_for(viewer)
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", "Phase map")
    QTest.qWait(1500)
    canvas, results = Canvas(viewer), {}

    def open_all() -> None:
        link.open_stacks(stacks)
        workspace.set_stacks(StackSet(stacks))
        canvas.paint()

    with Ticks(100) as ticks:
        results["opening"] = timed(open_all)
        QTest.qWait(300)
    results["longest gap: opening"] = max(ticks.gaps)
    workspace.references = synthetic.references()
    QTest.qWait(1500)

    def correlate() -> None:
        dock.correlate()
        while dock.job.running or workspace.phase_map is None:
            QApplication.processEvents()
        canvas.paint()

    with Ticks(100) as ticks:
        results["Correlate until painted"] = timed(correlate)
        QTest.qWait(300)
    results["longest gap: Correlate"] = max(ticks.gaps)

    def threshold(value: float) -> None:
        workspace.threshold = float(value)

    def painted(change: Any) -> Any:
        def act(value: Any) -> None:
            change(value)
            canvas.paint()

        return act

    again = many(lambda _: canvas.paint(), range(STEPS))
    results["the canvas again, nothing changed"] = again
    steps = np.linspace(0.001, 0.03, STEPS)
    results["threshold step, arrays and refresh"] = many(threshold, steps)
    canvas.paint()
    results["threshold step, painted"] = many(painted(threshold), steps)
    energies = range(1, STEPS + 1)
    step = painted(lambda index: viewer.dims.set_current_step(0, index))
    results["energy step, painted"] = many(step, energies)
    pixels = np.arange(workspace.stacks.n_pixels)

    def select(start: int) -> None:
        workspace.selection = (pixels + start) % 10 == 0

    select(0)
    results["lasso of a tenth, painted"] = many(painted(select), range(1, STEPS))
    about = {layer: layer.metadata.get("phasemap", {}) for layer in viewer.layers}
    phases = [layer for layer in about if about[layer].get("kind") == "phase"]

    def hide(on: bool) -> None:
        for layer in phases:
            layer.visible = on

    results["phase hidden and shown, painted"] = many(
        painted(hide), (False, True, False, True)
    )

    def everything() -> None:
        for box in dock.layers.boxes.values():
            box.setChecked(True)
        for action in dock.layers.each.menu().actions():
            action.setChecked(True)
        canvas.paint()

    results["r of every phase and the rest shown"] = timed(everything)
    results["threshold step, all shown"] = many(painted(threshold), steps)
    results["layers"] = len(viewer.layers)
    viewer.close()
    QApplication.processEvents()
    return results


def report(name: str, number: int, results: dict[str, Any]) -> None:
    print(f"\n{name}: {results.pop('layers')} layers (wanted <= {number + 7})")
    print(f"{'':38}{'wall':>10}{'CPU':>10}{'wanted':>10}")
    for what, times in results.items():
        if np.ndim(times) == 0:
            print(f"{what:38}{times:>7.0f} ms")
            continue
        target = TARGETS.get(what)
        limit = "" if target is None else f"{target} ms"
        print(f"{what:38}{times[0]:>7.1f} ms{times[1]:>7.1f} ms{limit:>10}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", default=["4x96x120", "30x96x120"])
    for size in parser.parse_args().sizes:
        number, rows, cols = map(int, size.split("x"))
        print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", end="")
        report(size, number, measure(number, (rows, cols)))


if __name__ == "__main__":
    main()
