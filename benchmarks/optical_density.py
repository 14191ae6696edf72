"""Cost of `optical_density` against MANTiS and against plain numpy.

    python benchmarks/optical_density.py [--pixels 1000] [--mantis PYTHON]

MANTiS (GPL-3) is only called, in an interpreter of its own that has `mantis-xray`
installed, given with --mantis. Without it, the float64 formula that it evaluates is
timed instead, and the table says so. CPU seconds, best of several runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
import tracemalloc

import numpy as np

import napari_phasemap as pm

#: Runs in the interpreter of MANTiS; prints CPU seconds of its own conversion.
IN_MANTIS = """
import sys, time, types
import numpy as np
from mantis_xray.analysis import data_stack, data_struct
n_energies, n_side = int(sys.argv[1]), int(sys.argv[2])
stack = data_stack.data(data_struct.h5())
rng = np.random.default_rng(0)
stack.n_cols = stack.n_rows = n_side
stack.n_ev = n_energies
stack.ev = np.linspace(505.0, 540.0, n_energies)
stack.absdata = rng.random((n_side, n_side, n_energies), dtype=np.float32) * 900 + 100
stack.evi0, stack.i0data = stack.ev.copy(), np.full(n_energies, 1000.0)
stack.data_dwell = stack.i0_dwell = stack.stack4D = None
times = []
for _ in range(4):
    start = time.process_time()
    stack.calculate_optical_density()
    times.append(time.process_time() - start)
print("CPU", min(times))
"""


def cpu_seconds(function, repeats=7):
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def mantis_seconds(python, n_energies, n_side):
    """CPU seconds of MANTiS' own conversion, in its interpreter."""
    arguments = [python, "-c", IN_MANTIS, str(n_energies), str(n_side)]
    out = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if out.returncode:
        sys.exit(out.stderr)
    return float(out.stdout.split("CPU")[-1])


def in_float64(counts, i0):
    """The formula in float64, with the result kept twice: as image and as table."""
    od = -np.log(counts / i0[:, None, None])
    return od, od.reshape(len(od), -1).copy()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", type=int, default=1000, help="side of the image")
    parser.add_argument("--mantis", help="python with mantis-xray installed")
    options = parser.parse_args()
    n_energies, n_side = 13, options.pixels
    rng = np.random.default_rng(0)
    counts = rng.random((n_energies, n_side, n_side), dtype=np.float32) * 900 + 100
    i0 = np.full(n_energies, 1000.0)
    stack = pm.SpectralStack(counts, np.linspace(505.0, 540.0, n_energies))
    ours = cpu_seconds(lambda: pm.optical_density(stack, i0))
    shape = (-1, 1, 1)
    plain = cpu_seconds(lambda: -np.log(counts / i0.astype(np.float32).reshape(shape)))
    rows = {
        "stack.sum(): reading the stack once": cpu_seconds(counts.sum),
        "optical_density": ours,
        "-np.log(stack / i0) in float32, no checks": plain,
        "the formula in float64": cpu_seconds(lambda: in_float64(counts, i0)),
    }
    if options.mantis:
        rows["MANTiS"] = mantis_seconds(options.mantis, n_energies, n_side)
    tracemalloc.start()
    result = pm.optical_density(stack, i0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}")
    print(f"{n_energies} x {n_side} x {n_side} float32")
    print(f"  {'':44s}{'CPU s':>9s}{'ours = 1':>10s}")
    for text, cpu in rows.items():
        print(f"  {text:44s}{cpu:9.3f}{cpu / ours:10.1f}")
    if not options.mantis:
        print("  MANTiS was not timed: no --mantis; the float64 row stands for it")
    print(f"  peak beyond input and result: {(peak - result.data.nbytes) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
