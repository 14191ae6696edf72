"""Cost of `pearson_map` relative to reading the stack once, and to plain ways.

    python benchmarks/pearson.py [--pixels 2048]

CPU time of the process, best of several runs in one process, so that the ratios hold
on a busy machine. One BLAS thread, as the compiled pass has one.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
import tracemalloc

import numpy as np
from threadpoolctl import threadpool_limits

import napari_phasemap as pm
from napari_phasemap.core.phases import correlation


def cpu_seconds(function, repeats=5):
    """Best CPU time of several calls, after one that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def whole_array(data, references):
    """Plain numpy on the whole stack at once: one product, then a sort."""
    spectra = data.reshape(len(data), -1).T
    x = spectra - spectra.mean(axis=1, keepdims=True)
    p = references.astype(np.float32)
    p = p - p.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(p, axis=1)
    r = (x @ p.T) / norms
    order = np.argsort(r, axis=1)
    ranked = np.take_along_axis(r, order, axis=1)
    return order[:, -1] + 1, ranked[:, -1], ranked[:, -1] - ranked[:, -2]


def corrcoef_loop(data, references, n_pixels):
    """CPU seconds of np.corrcoef per pixel and reference, for all pixels."""
    spectra = data.reshape(len(data), -1)
    sample = np.linspace(0, spectra.shape[1] - 1, n_pixels).astype(int)
    start = time.process_time()
    for pixel in sample:
        for reference in references:
            np.corrcoef(spectra[:, pixel], reference)[0, 1]
    return (time.process_time() - start) / n_pixels * spectra.shape[1]


def disagreements(stack, references, phases):
    """Labels that differ from float64 where the float64 gap is 1e-5 or more."""
    p = references.spectra - references.spectra.mean(axis=1, keepdims=True)
    p /= np.linalg.norm(p, axis=1, keepdims=True)
    flat = stack.data.reshape(stack.n_energies, -1)
    wrong, worst = 0, 0.0
    for low in range(0, flat.shape[1], 1 << 17):
        x = flat[:, low : low + (1 << 17)].astype(np.float64)
        x -= x.mean(axis=0)
        r = (p @ x) / np.linalg.norm(x, axis=0)
        order = np.argsort(-r, axis=0)
        ranked = np.take_along_axis(r, order, axis=0)
        gap = ranked[0] - ranked[1]
        here = slice(low, low + x.shape[1])
        wrong += np.count_nonzero((gap >= 1e-5) & (phases.labels[here] != order[0] + 1))
        worst = max(worst, float(np.abs(phases.best[here] - ranked[0]).max()))
    return wrong, worst


def make(n_energies, n_side):
    """A stack of mixtures of five smooth references with noise."""
    rng = np.random.default_rng(0)
    energy = np.linspace(505.0, 540.0, n_energies)
    centers = np.array([517.5, 518.1, 519.0, 520.0, 521.5])[:, None]
    spectra = np.exp(-((energy - centers) ** 2) / 18) + 0.3 * (energy > 516)
    references = pm.ReferenceSpectra([f"phase {i}" for i in range(5)], energy, spectra)
    phase = rng.integers(0, 5, (n_side, n_side))
    thickness = rng.random((n_side, n_side), dtype=np.float32) + 0.2
    data = np.empty((n_energies, n_side, n_side), dtype=np.float32)
    for e in range(n_energies):
        rng.standard_normal(out=data[e], dtype=np.float32)
        data[e] *= 0.03
        data[e] += thickness * spectra[:, e].astype(np.float32)[phase]
    return pm.SpectralStack(data, energy, quantity="optical_density"), references


def report(n_energies, n_side, loop_pixels):
    stack, references = make(n_energies, n_side)
    data = stack.data
    reading = cpu_seconds(data.sum)
    lean = cpu_seconds(lambda: pm.pearson_map(stack, references, keep_scores=False))
    full = cpu_seconds(lambda: pm.pearson_map(stack, references))
    compiled = correlation._rank_function
    correlation._rank_function = lambda: correlation._rank_with_numpy
    chunked = cpu_seconds(lambda: pm.pearson_map(stack, references), repeats=1)
    correlation._rank_function = compiled
    plain = cpu_seconds(lambda: whole_array(data, references.spectra), repeats=1)
    loop = corrcoef_loop(data, references.spectra, loop_pixels)
    phases = pm.pearson_map(stack, references, keep_scores=False)
    wrong, worst = disagreements(stack, references, phases)
    tracemalloc.start()
    phases = pm.pearson_map(stack, references, keep_scores=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kept = sum(
        getattr(phases, name).nbytes
        for name in ("labels", "runner_up", "best", "margin")
    )
    print(f"\n{n_energies} x {n_side} x {n_side} float32, 5 references")
    print(f"  {'':42s}{'CPU s':>10s}{'reading = 1':>14s}{'this = 1':>12s}")
    rows = {
        "stack.sum(): reading the stack once": reading,
        "pearson_map(keep_scores=False)": lean,
        "pearson_map with all scores": full,
        "pearson_map without numba (chunked numpy)": chunked,
        "whole-array numpy and argsort": plain,
        f"np.corrcoef per pixel (from {loop_pixels} pixels)": loop,
    }
    for text, cpu in rows.items():
        print(f"  {text:42s}{cpu:10.3f}{cpu / reading:14.1f}{cpu / lean:12.1f}")
    print(f"  peak beyond input and result: {(peak - kept) / 1e6:.1f} MB")
    print(f"  labels unlike float64 with a gap >= 1e-5: {wrong}; worst r: {worst:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", type=int, default=2048, help="side of the image")
    parser.add_argument("--loop-pixels", type=int, default=2000)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}")
    start = time.perf_counter()
    compiled = correlation.warm_up()
    print(f"compiled: {compiled}, ready after {time.perf_counter() - start:.1f} s")
    with threadpool_limits(1):
        report(13, options.pixels, options.loop_pixels)
        report(100, options.pixels // 2, options.loop_pixels)


if __name__ == "__main__":
    main()
