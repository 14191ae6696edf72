"""How fast points, pixels and spectra follow one another, in software rendering.

Run it with a display (or ``xvfb-run -a -s "-screen 0 1400x900x24"``)::

    python benchmarks/linked_view.py 1e5 1e6

Every number is the median of several repeats, wall and CPU time of this process.
"Painted" means that the scatter (all points) and the canvas of napari were drawn again;
without it, everything up to the arrays, the layer and the buffers. The lasso counts its
mean spectrum; click and hover count the curve and the text of the Spectra dock. The
first row of memory is what our own arrays hold after a lasso; the second one is what
the process has grown by at opening: software rendering, which keeps the buffers and its
own lists in the same memory, and what was freed but not given back, are in it.
Peers (clusters-plotter, glue, hsi-analysis) were measured once on the same kind of
machine; their figures stand beside ours.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import time
import tracemalloc
from dataclasses import replace
from functools import partial

os.environ.setdefault("QT_API", "pyqt6")

import numpy as np
from napari import Viewer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.spectra import mean_spectra
from napari_phasemap.views.latent.view import LatentView
from napari_phasemap.views.phases.spectra import SpectraView
from napari_phasemap.views.scatter.figure import render
from napari_phasemap.views.scatter.tools import Stroke
from napari_phasemap.views.shell.kinds import SELECTION
from napari_phasemap.views.shell.link import link_for, workspace_for

N_ENERGIES = 12
TARGETS = {
    "lasso of 10 %, not painted": (150, ""),
    "lasso of 10 %, all painted": (350, "clusters-plotter 11 500-17 000, glue 7000+"),
    "click, not painted": (60, ""),
    "hover in the image, not painted": (15, ""),
    "recolor by another feature": (50, ""),
    "camera drag, frame": (60, "1300: all points, default markers"),
    "frame of all points at rest": (None, ""),
    "mean spectrum of the selection": (None, ""),
    "figure 2400 x 2400": (2000, ""),
    "opening the view": (2000, "clusters-plotter 9000-29 000, hsi-analysis 33 000"),
    "arrays beyond latent, MB": (150, ""),
    "process beyond latent, MB": (150, "1800-5900"),
}


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def median_ms(action, repeats):
    action()
    times = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return 1e3 * np.median(times, axis=0)


def make_workspace(viewer, n_points):
    """One particle with three phases in four clusters of an 8-D latent space."""
    side = int(np.sqrt(n_points))
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, side * side)
    data = rng.random((N_ENERGIES, side, side), dtype=np.float32)
    energy = np.linspace(515.0, 530.0, N_ENERGIES)
    stack = SpectralStack(data, energy, quantity="optical_density", name="P1")
    link_for(viewer).open_stacks([stack])
    workspace = workspace_for(viewer)
    workspace.set_stacks(StackSet([stack]))
    centers = rng.normal(0, 3, (4, 8))
    noise = rng.normal(0, 0.6, (len(truth), 8))
    latent = (centers[truth] + noise).astype(np.float32)
    scores = rng.random((len(truth), 4), dtype=np.float32)
    workspace.phase_map = PhaseMap.from_scores(scores, ["a", "b", "c", "d"])
    workspace.features = {"grain": truth.astype(np.float32) + scores[:, 0]}
    return workspace, latent


def lasso_of_a_tenth(scatter):
    """A wobbly outline of 60 corners around a tenth of the points."""
    screen = scatter.screen()
    x, y = np.nanmedian(screen.x), np.nanmedian(screen.y)
    radius = np.nanquantile(np.hypot(screen.x - x, screen.y - y), 0.1)
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    far = radius * (1 + 0.1 * np.sin(7 * angle))
    outline = np.stack([x + far * np.cos(angle), y + far * np.sin(angle)], axis=1)
    return Stroke("lasso", tuple(map(tuple, outline)))


def measure(n_points, repeats):
    median = partial(median_ms, repeats=repeats)
    viewer = Viewer(show=True)
    viewer.window.resize(1300, 800)
    workspace, latent = make_workspace(viewer, n_points)
    QTest.qWait(500)
    before = resident_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    workspace.latent = latent
    view = LatentView(viewer)
    viewer.window.add_dock_widget(view, name="Latent view", area="right")
    link_for(viewer).results.show(SELECTION)
    QApplication.processEvents()
    view.scatter.native.repaint()
    opened = 1e3 * np.array([time.perf_counter() - wall, time.process_time() - cpu])
    QTest.qWait(1500)
    memory = resident_mb() - before
    scatter = view.scatter
    results = {}

    drawn, images_drawn = [], []
    scatter.canvas.events.draw.connect(drawn.append)
    images = viewer.window._qt_viewer.canvas._scene_canvas
    images.events.draw.connect(images_drawn.append)

    def paint():
        """Let the window paint until scatter and images have been drawn."""
        drawn.clear()
        images_drawn.clear()
        while not (drawn and images_drawn):
            QApplication.processEvents()

    stroke, none = lasso_of_a_tenth(scatter), np.zeros(len(latent), dtype=bool)

    def mean():
        mean_spectra(workspace.stacks, workspace.selection.astype(np.uint8), 1)

    def select():
        workspace.selection = none
        view.actions.stroke(scatter.inside(stroke), "replace", "lasso")
        mean()

    def clear():
        workspace.selection = none

    cleared = median(clear)
    results["lasso of 10 %, not painted"] = median(select) - cleared

    def select_and_paint():
        select()
        paint()

    results["lasso of 10 %, all painted"] = median(select_and_paint) - cleared
    share = workspace.selection.mean()

    results["mean spectrum of the selection"] = median(mean)
    clear()
    spectra = SpectraView(viewer)
    viewer.window.add_dock_widget(spectra, name="Spectra", area="bottom")
    QTest.qWait(1500)
    points = iter(np.random.default_rng(1).integers(0, len(latent), 10_000))

    def click():
        point = int(next(points))
        view.actions.pick(scatter.point_at(*scatter.position_of(point)), "replace")

    results["click, not painted"] = median(click)

    def hover():
        workspace.hover = int(next(points))

    results["hover in the image, not painted"] = median(hover)
    workspace.hover = None
    names = iter(["reliability", "grain", "phase", "intensity", "particle"] * 20)
    view._colors.setCurrentText("intensity")  # its mean is taken once
    results["recolor by another feature"] = median(
        lambda: view._colors.setCurrentText(next(names))
    )
    view._colors.setCurrentText("phase")

    def drag():
        camera = scatter.camera
        scatter.set_camera(replace(camera, azimuth=camera.azimuth + 1.0))
        scatter.native.grabFramebuffer()

    results["camera drag, frame"] = median(drag)
    QTest.qWait(800)
    results["frame of all points at rest"] = median(scatter.native.grabFramebuffer)
    results["figure 2400 x 2400"] = median(lambda: render(scatter, 2400, 2400))
    results["opening the view"] = opened
    results["arrays beyond latent, MB"] = np.array([arrays_mb(viewer, stroke), np.nan])
    results["process beyond latent, MB"] = np.array([memory, np.nan])
    viewer.close()
    return share, results


def arrays_mb(viewer, stroke):
    """What a second view, a lasso in it and the selection layers hold."""
    gc.collect()
    tracemalloc.start()
    view = LatentView(viewer)
    view.resize(420, 640)
    view.show()
    QTest.qWait(500)
    view.actions.stroke(view.scatter.inside(stroke), "replace", "lasso")
    QTest.qWait(500)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    layers = [x.data.nbytes for x in viewer.layers if x.name == "selection"]
    return (held + sum(layers)) / 1e6


def report(n_points, share, results):
    print(f"\n{n_points:,} points ({100 * share:.1f} % in the lasso), median")
    print(f"{'':34}{'wall':>9}{'CPU':>9}{'target':>9}  peers (10^6)")
    for name, (target, peers) in TARGETS.items():
        wall, cpu = results[name]
        unit = "" if name.endswith("MB") else " ms"
        limit = "" if target is None else f"{target}{unit}"
        cost = "" if np.isnan(cpu) else f"{cpu:.1f}{unit}"
        print(f"{name:34}{f'{wall:.1f}{unit}':>9}{cost:>9}{limit:>9}  {peers}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=float, default=[1e5, 1e6])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for size in sizes:
        report(size, *measure(size, options.repeats))


if __name__ == "__main__":
    main()
