"""How long the window is blocked while the Latent space dock trains.

A timer ticks every 5 ms in the window's thread; a late tick is a blocked window. The
start of TensorFlow in the child process is included. Printed beside it: the same window
doing nothing for as long, because a busy machine delays ticks too. The Phase map dock
is open, as on a user's way to the training, so that matplotlib is there already; with
``--alone`` it is not, and its first use costs one late tick.

    python benchmarks/responsiveness.py [--alone]
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

os.environ.setdefault("QT_API", "pyqt6")

import napari
from qtpy.QtCore import QTimer
from qtpy.QtTest import QTest

from napari_phasemap.core import synthetic
from napari_phasemap.core.correlation import pearson_map
from napari_phasemap.core.stack_set import StackSet
from napari_phasemap.views.link import link_for

LIMIT_MS = 100.0


class Ticks:
    """Gaps between the ticks of a timer, in ms."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)

    def __enter__(self) -> Ticks:
        self._last = time.perf_counter()
        self._timer.start(5)
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1000 * (now - self._last))
        self._last = now

    def __str__(self) -> str:
        gaps = np.array(self.gaps)
        return (
            f"longest {gaps.max():6.0f} ms, 99.9th percentile "
            f"{np.percentile(gaps, 99.9):5.0f} ms, ticks later than {LIMIT_MS:g} ms: "
            f"{np.count_nonzero(gaps > LIMIT_MS)} of {gaps.size}"
        )


def main() -> None:
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    stacks = [p.optical_density for p in synthetic.particles(4, seed=0)]
    link = link_for(viewer)
    link.open_stacks(stacks)
    workspace = link.workspace
    workspace.set_stacks(StackSet(stacks))
    workspace.references = synthetic.references()
    workspace.phase_map = pearson_map(workspace.stacks, workspace.references)
    if "--alone" not in sys.argv:
        viewer.window.add_plugin_dock_widget("napari-phasemap", "Phase map")
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", "Latent space")
    QTest.qWait(1500)
    load = os.getloadavg()[0]
    n_pixels = workspace.stacks.n_pixels
    print(f"{os.cpu_count()} CPU cores, load {load:.1f}, {n_pixels} pixels")
    with Ticks() as idle:
        QTest.qWait(10_000)
    print(f"doing nothing: {idle}")
    start = time.perf_counter()
    with Ticks() as busy:
        dock.train()
        while dock.job.running:
            QTest.qWait(20)
    print(f"training ({time.perf_counter() - start:.1f} s): {busy}")
    print("TensorFlow in this process:", "tensorflow" in sys.modules)
    viewer.close()


if __name__ == "__main__":
    main()
