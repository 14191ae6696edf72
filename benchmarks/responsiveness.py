"""How long the window is blocked while a dock computes.

A timer ticks every 5 ms in the window's thread; a late tick is a blocked window.
Printed beside it: the same window doing nothing, because a busy machine delays ticks
too.

    python benchmarks/responsiveness.py training [--alone]
    python benchmarks/responsiveness.py eels [EDGE_OF_THE_MAP]

"training": the Latent space dock trains; the start of TensorFlow in the child process
is included. The Phase map dock is open, as on a user's way to the training, so that
matplotlib is there already; with ``--alone`` it is not, and its first use costs one
late tick. "eels": the EELS classes dock runs two edges of the simulated Si-C map with
UMAP, three times, with other windows each time; what the window does with the results
(six layers, table, plots) is included. It is warm from the second run on: the first
makes the layers and loads what draws them.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

os.environ.setdefault("QT_API", "pyqt6")

import napari
from qtpy.QtCore import QTimer
from qtpy.QtTest import QTest

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.simulate import synthetic
from napari_phasemap.core.simulate.synthetic_eels import simulate_si_c
from napari_phasemap.views.shell.link import link_for

if TYPE_CHECKING:
    from collections.abc import Callable

#: Targets in ms.
TRAINING_LIMIT, EELS_LIMIT = 100.0, 50.0


class Ticks:
    """Gaps between the ticks of a timer, in ms."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
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
            f"{np.percentile(gaps, 99.9):5.0f} ms, ticks later than {self.limit:g} ms: "
            f"{np.count_nonzero(gaps > self.limit)} of {gaps.size}"
        )


def opened() -> napari.Viewer:
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    return viewer


def measure_nothing(limit: float) -> None:
    print(f"{os.cpu_count()} CPU cores, load {os.getloadavg()[0]:.1f}")
    with Ticks(limit) as idle:
        QTest.qWait(10_000)
    print(f"doing nothing: {idle}")


def measure_job(dock: Any, start: Callable[[], None], what: str, limit: float) -> None:
    begin = time.perf_counter()
    with Ticks(limit) as busy:
        start()
        while dock.job.running:
            QTest.qWait(20)
        QTest.qWait(300)
    print(f"{what} ({time.perf_counter() - begin:.1f} s): {busy}", flush=True)


def training(*, alone: bool) -> None:
    viewer = opened()
    stacks = [p.optical_density for p in synthetic.particles(4, seed=0)]
    link = link_for(viewer)
    link.open_stacks(stacks)
    workspace = link.workspace
    workspace.set_stacks(StackSet(stacks))
    workspace.references = synthetic.references()
    workspace.phase_map = pearson_map(workspace.stacks, workspace.references)
    if not alone:
        viewer.window.add_plugin_dock_widget("napari-phasemap", "Phase map")
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", "Latent space")
    QTest.qWait(1500)
    measure_nothing(TRAINING_LIMIT)
    what = f"training on {workspace.stacks.n_pixels} pixels"
    measure_job(dock, dock.train, what, TRAINING_LIMIT)
    print("TensorFlow in this process:", "tensorflow" in sys.modules)
    viewer.close()


def eels(size: int) -> None:
    viewer = opened()
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", "EELS classes")
    sample = simulate_si_c(shape=(size, size), seed=1)
    link_for(viewer).open_stacks([sample.core_loss, sample.low_loss])
    QTest.qWait(1000)
    for name in ("Si_L", "C_K"):
        dock.setup.add_edge(name)
    dock.pages.setCurrentIndex(1)
    while dock.job.running:
        QTest.qWait(20)
    QTest.qWait(1500)
    measure_nothing(EELS_LIMIT)
    for run in range(3):
        for number, row in enumerate(dock.setup.table.rows()):
            low, high = row.fit_window
            dock.setup.table.set_row(number, replace(row, fit_window=(low + 1, high)))
        dock.pages.setCurrentIndex(1)
        QTest.qWait(1500)
        what = f"two edges of {size} x {size} pixels, run {run + 1}"
        measure_job(dock, dock.run_all, what, EELS_LIMIT)
    print("UMAP in this process:", "umap" in sys.modules)
    viewer.close()


def main() -> None:
    if sys.argv[1:2] == ["training"]:
        training(alone="--alone" in sys.argv)
    elif sys.argv[1:2] == ["eels"]:
        eels(int(sys.argv[2]) if len(sys.argv) > 2 else 128)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
