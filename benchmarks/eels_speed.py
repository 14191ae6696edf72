"""What the EELS steps cost against HyperSpy, eXSpy and the published recipe.

Give the Python that has HyperSpy, eXSpy and umap-learn:

    python benchmarks/eels_speed.py --peers /path/to/venv/bin/python

Both sides use one thread; numbers are ratios of CPU time within this run. Without
--peers only the ratio to a copy of the data is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import napari_phasemap as pm
from napari_phasemap.core.eels.recipe import edge_recipe
from napari_phasemap.core.eels.workflow import analyze_edges
from napari_phasemap.core.simulate.synthetic_eels import EDGE_WINDOWS, simulate_si_c

AXIS = (70.0, 0.5)
LOW_AXIS = (-15.0, 0.25)


def cpu(function, repeats=3):
    """Return the least CPU seconds of a call, and its value."""
    best, value = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        value = function()
        best = min(best, time.process_time() - start)
    return best, value


class Peers:
    """Runs eels_peers.py in another Python."""

    def __init__(self, python, folder):
        self.python, self.folder = python, folder

    def __call__(self, *tasks):
        if self.python is None:
            return {}
        script = Path(__file__).with_name("eels_peers.py")
        command = [self.python, str(script), str(self.folder), *tasks]
        one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        one_thread["NUMBA_NUM_THREADS"] = "1"
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=one_thread
        )
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
        lines = [json.loads(x) for x in done.stdout.splitlines() if x[:1] == "{"]
        return {line["label"]: line["cpu"] for line in lines}


def row(text, value, target):
    print(f"{text:<66} {value:>9}   target {target}", flush=True)


def background(peers, core):
    copy, _ = cpu(lambda: np.array(core.data))
    windows = list(EDGE_WINDOWS.values())

    def ours():
        for fit, window in windows:
            pm.subtract_background(core, fit_window=fit, window=window)

    mine, _ = cpu(ours)
    row("background of 3 edges / copy of the cube", f"{mine / copy:.2f}", "<= 2")
    theirs = peers("backgrounds")
    for kind, target in (("cropped", ">= 6"), ("whole", ">= 25")):
        total = sum(v for k, v in theirs.items() if k.startswith(kind))
        if total:
            row(f"HyperSpy fast, {kind} axis / ours", f"{total / mine:.1f}", target)


def noise(peers, folder):
    rng = np.random.default_rng(0)
    energy = AXIS[0] + AXIS[1] * np.arange(1024)
    fit, window = EDGE_WINDOWS["C_K"]
    law = (energy / 255.0) ** -3.0
    cube = rng.poisson(10.0 * law, size=(200, 200, 1024)).astype(np.float32)
    np.save(folder / "noise.npy", cube)
    stack = pm.SpectralStack(np.moveaxis(cube, -1, 0), energy)
    edge = pm.subtract_background(stack, fit_window=fit, window=window)
    bias = edge.signal.mean() / edge.background.mean()
    row("bias of the net sum in background, 10 counts", f"{bias:+.2%}", "< 0.5 %")
    peers("noise")
    found = folder / "noise_net.npy"
    if found.is_file():
        theirs = np.load(found)
        theirs = theirs[np.isfinite(theirs)]
        ratio = edge.signal.std() / theirs.std()
        row("noise / noise of HyperSpy fast, 10 counts", f"{ratio:.3f}", "<= .92")


def chain(peers, core):
    recipes = [
        edge_recipe(name, *windows, embed=False, n_clusters=8)
        for name, windows in EDGE_WINDOWS.items()
    ]
    mine, _ = cpu(lambda: analyze_edges(core, recipes), repeats=2)
    print(f"full chain without UMAP, 3 edges, MI with null: {mine:.1f} CPU-s")
    theirs = peers("chain", "published")
    if "HyperSpy chain" in theirs:
        ratio = theirs["HyperSpy chain"] / mine
        row("HyperSpy background + SVD + k-means / ours", f"{ratio:.1f}", ">= 4")
    if "published, one edge" in theirs:
        ratio = 3.0 * theirs["published, one edge"] / mine
        row("published recipe (3 x one edge) / ours", f"{ratio:.0f}", ">= 30")


def thickness(peers, sample, folder):
    low = sample.low_loss
    np.save(folder / "low.npy", np.ascontiguousarray(np.moveaxis(low.data, 0, -1)))
    mine, measured = cpu(lambda: pm.thickness(low))
    theirs = peers("thickness")
    if "eXSpy thickness" in theirs:
        ratio = theirs["eXSpy thickness"] / mine
        row("thickness: eXSpy align + estimate / ours", f"{ratio:.0f}", ">= 15")
        other = np.load(folder / "thickness.npy").ravel()
        truth = sample.thickness.ravel()
        spread = np.nanstd(other - truth)
        ours = float(np.std(measured.t_over_lambda - truth))
        row("spread against the truth / eXSpy's", f"{ours / spread:.3f}", "<= 1.02")
        nans = int(np.isnan(measured.t_over_lambda).sum())
        row("pixels without number, ours (eXSpy's)",
            f"{nans} ({int(np.isnan(other).sum())})", "0")  # fmt: skip


def umap_cost(peers, folder, size):
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 6, size * size)
    centers = rng.normal(size=(6, 5)) * 4.0
    scores = (centers[truth] + rng.normal(size=(size * size, 5))).astype(np.float32)
    np.save(folder / "scores.npy", scores)
    pm.umap_embedding(scores[:300])  # compiles
    mine, placed = cpu(lambda: pm.umap_embedding(scores), repeats=1)
    theirs = peers("umap_full")
    if theirs:
        ratio = theirs["UMAP of all pixels"] / mine
        row(f"UMAP of all pixels at {size} x {size} / ours", f"{ratio:.0f}", ">= 15")
        full = np.load(folder / "umap.npy")
        rand = [
            adjusted_rand_score(truth, pm.kmeans(x, n_clusters=6).labels)
            for x in (full, placed)
        ]
        row("Rand index of k-means on it, full - ours", f"{rand[0] - rand[1]:+.3f}",
            "<= .02")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="Python that has HyperSpy and eXSpy")
    parser.add_argument("--size", type=int, default=256, help="pixels per side")
    parser.add_argument("--umap-size", type=int, default=512)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, one thread each")
    with threadpool_limits(limits=1), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = {
            "axis": AXIS,
            "low_axis": LOW_AXIS,
            "windows": EDGE_WINDOWS,
            "window": EDGE_WINDOWS["C_K"],
        }
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        peers = Peers(options.peers, folder)
        shape = (options.size, options.size)
        sample = simulate_si_c(shape=shape, dose=1000.0, seed=0)
        core = sample.core_loss
        np.save(
            folder / "cube.npy", np.ascontiguousarray(np.moveaxis(core.data, 0, -1))
        )
        background(peers, core)
        thickness(peers, sample, folder)
        noise(peers, folder)
        chain(peers, core)
        del sample, core
        umap_cost(peers, folder, options.umap_size)


if __name__ == "__main__":
    main()
