"""How far frames are misplaced after alignment, and what that costs.

Two kinds of grains drift by up to 6 pixels; one kind inverts its contrast across the
edge, and none, one or three frames are displaced by 11 pixels more. Beside it the plain
way: the steps between raw frames by phase correlation, added up.

    python benchmarks/alignment.py
"""

from __future__ import annotations

import os
import platform
import time

import numpy as np
from scipy.ndimage import gaussian_filter, shift
from skimage.registration import phase_cross_correlation

from napari_phasemap import SpectralStack, register_frames

CASES = ((13, 512), (100, 256), (13, 1000))
COUNTS = 400


def scene(n_frames, side, jumps, seed):
    """Return counts and the drift of every frame in pixels."""
    rng = np.random.default_rng(seed)
    size = side + 40
    rows, cols = np.indices((size, size))
    kinds = np.zeros((2, size, size))
    for number in range(30):
        row, col = rng.uniform(0.1, 0.9, 2) * size
        inside = np.hypot(rows - row, cols - col) < rng.uniform(0.02, 0.12) * size
        kinds[number % 2] += inside * rng.uniform(0.2, 1.0)
    kinds = gaussian_filter(kinds, (0, 1.2, 1.2))
    drift = rng.normal(size=(n_frames, 2)).cumsum(axis=0)
    drift *= 6 / np.abs(drift).max()
    drift[list(jumps)] += [9, -7]
    time_of = np.linspace(0, 1, n_frames)
    frames = []
    for at, moved_by in zip(time_of, drift, strict=True):
        steady, inverting = 0.3 + 0.1 * np.sin(9 * at), 0.9 * np.tanh(8 * (at - 0.5))
        density = steady * kinds[0] + inverting * kinds[1]
        moved = shift(density, moved_by, order=3, mode="nearest")[20:-20, 20:-20]
        frames.append(rng.poisson(COUNTS * np.exp(-moved)))
    data = np.array(frames, dtype=np.float32)
    return SpectralStack(data, 500.0 + np.arange(n_frames)), drift


def plain(stack):
    """Steps between raw frames, added up."""
    steps = [
        phase_cross_correlation(before, after, upsample_factor=20)[0]
        for before, after in zip(stack.data[:-1], stack.data[1:], strict=True)
    ]
    return np.vstack([np.zeros(2), np.cumsum(steps, axis=0)])


def errors(shifts, drift):
    """Median and largest distance in pixels from the true place."""
    off = shifts + drift
    distance = np.hypot(*(off - np.median(off, axis=0)).T)
    return f"{np.median(distance):7.3f} {distance.max():8.3f}"


def timed(function, *arguments):
    """Return the result and the CPU seconds it took."""
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start


def main():
    print(f"{platform.machine()}, {os.cpu_count()} cores, {COUNTS} counts per pixel")
    print("frames side jumps |  median      max px  CPU-s  unplaced | plain median max")
    for n_frames, side in CASES:
        thirds = (n_frames // 4, n_frames // 2, 3 * n_frames // 4 + 1)
        for jumps in ((), (n_frames // 2,), thirds):
            for seed in (3, 4, 5):
                stack, drift = scene(n_frames, side, jumps, seed)
                found, cost = timed(register_frames, stack)
                raw, _ = timed(plain, stack)
                print(
                    f"{n_frames:6d} {side:4d} {len(jumps):5d} | "
                    f"{errors(found.shifts, drift)}   {cost:6.2f} "
                    f"{np.count_nonzero(~found.placed):8d}   | {errors(raw, drift)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
