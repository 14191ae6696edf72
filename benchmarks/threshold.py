"""Cost of moving the threshold: ambiguity of 10^6 pixels without new correlations.

python benchmarks/threshold.py [--pixels 1000]
"""

from __future__ import annotations

import argparse
import os
import platform
import time

import numpy as np

import napari_phasemap as pm

#: One frame at 60 per second.
FRAME_MS = 1000 / 60


def milliseconds(function, repeats=20):
    """Median CPU and wall time of a call."""
    cpu, wall = [], []
    for _ in range(repeats):
        start = time.process_time(), time.perf_counter()
        function()
        cpu.append(time.process_time() - start[0])
        wall.append(time.perf_counter() - start[1])
    return 1e3 * np.median(cpu), 1e3 * np.median(wall)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", type=int, default=1000, help="side of the image")
    n_side = parser.parse_args().pixels
    rng = np.random.default_rng(0)
    n_pixels = n_side**2
    scores = rng.random((n_pixels, 5), dtype=np.float32)
    phases = pm.PhaseMap.from_scores(scores, [f"phase {i}" for i in range(5)])
    whole = pm.SpectralStack(np.zeros((1, n_side, n_side)), [500.0], name="whole")
    disk = np.hypot(*(np.indices((n_side, n_side)) - n_side / 2)) < n_side / 2
    stacks = pm.StackSet([whole])
    image = np.zeros((n_side, n_side), dtype=np.uint8)

    def into_layer():
        image[disk] = phases.ambiguous(0.01)[disk.ravel()]

    print(f"{platform.machine()}, {os.cpu_count()} cores, {n_pixels} pixels")
    print(f"  one frame at 60 per second is {FRAME_MS:.1f} ms")
    print(f"  {'':44s}{'CPU ms':>9s}{'wall ms':>9s}")
    for text, function in {
        "ambiguous(threshold)": lambda: phases.ambiguous(0.01),
        "and back on the image grid": lambda: stacks.to_image(
            phases.ambiguous(0.01).astype(np.uint8), 0, fill=0
        ),
        "and into an existing image through a mask": into_layer,
        "ambiguous_pairs(threshold)": lambda: phases.ambiguous_pairs(0.01),
        "fractions()": phases.fractions,
    }.items():
        cpu, wall = milliseconds(function)
        print(f"  {text:44s}{cpu:9.2f}{wall:9.2f}")


if __name__ == "__main__":
    main()
