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
from dataclasses import replace

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


def turned(stack):
    """The same stack with the spectra of the pixels side by side in memory."""
    data = np.ascontiguousarray(stack.data.transpose(1, 2, 0)).transpose(2, 0, 1)
    return replace(stack, data=data)


def without_numba(stack, references):
    """CPU seconds of the fallback."""
    compiled = correlation._rank_function
    correlation._rank_function = lambda: correlation._rank_with_numpy
    seconds = cpu_seconds(lambda: pm.pearson_map(stack, references), repeats=1)
    correlation._rank_function = compiled
    return seconds


def memory_orders(stack, references):
    """CPU seconds by text, each row with the reading of its own memory order."""
    rows = []
    for text, one in (
        ("(energies, rows, columns)", stack),
        ("(rows, columns, energies)", turned(stack)),
    ):
        reading = cpu_seconds(one.data.sum)
        lean = cpu_seconds(
            lambda one=one: pm.pearson_map(one, references, keep_scores=False)
        )
        full = cpu_seconds(lambda one=one: pm.pearson_map(one, references))
        rows += [
            (f"{text}: reading it once", reading, reading),
            ("  pearson_map(keep_scores=False)", lean, reading),
            ("  pearson_map with all scores", full, reading),
        ]
    return rows


def report(n_energies, n_side, loop_pixels):
    """Print one size: both memory orders, the plain ways, memory and correctness."""
    stack, references = make(n_energies, n_side)
    rows = memory_orders(stack, references)
    reading, lean = rows[0][1], rows[1][1]
    plain = cpu_seconds(lambda: whole_array(stack.data, references.spectra), repeats=1)
    loop = corrcoef_loop(stack.data, references.spectra, loop_pixels)
    rows += [
        ("without numba (chunked numpy)", without_numba(stack, references), reading),
        ("whole-array numpy and argsort", plain, reading),
        (f"np.corrcoef per pixel (from {loop_pixels} pixels)", loop, reading),
    ]
    print(f"\n{n_energies} x {n_side} x {n_side} float32, 5 references")
    print(f"  {'':44s}{'CPU s':>10s}{'reading = 1':>14s}{'this = 1':>12s}")
    for text, cpu, once in rows:
        print(f"  {text:44s}{cpu:10.3f}{cpu / once:14.1f}{cpu / lean:12.1f}")
    for text, one in (("frames", stack), ("spectra", turned(stack))):
        phases = pm.pearson_map(one, references, keep_scores=False)
        wrong, worst = disagreements(one, references, phases)
        print(
            f"  {text} side by side: {extra_memory(one, references):.1f} MB beyond "
            f"input and result; labels unlike float64 with a gap >= 1e-5: {wrong}; "
            f"worst r: {worst:.1e}"
        )


def extra_memory(stack, references):
    """Peak of the map beyond its input and its result, in MB."""
    tracemalloc.start()
    phases = pm.pearson_map(stack, references, keep_scores=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    names = ("labels", "runner_up", "best", "margin")
    return (peak - sum(getattr(phases, name).nbytes for name in names)) / 1e6


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
