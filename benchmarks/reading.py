"""Reading a stack of text images against the fastest plain parses of the same files.

Prints CPU-time ratios within one run. Usage: ``python benchmarks/reading.py [HEADER]``;
without a header it writes a stack like the ALS one (123 x 125 x 125) and reads that.
Rivals that are not installed are left out.
"""

from __future__ import annotations

import io
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_phasemap.io.read import read_stack

REPEATS = 7
REAL = Path(__file__).parents[2] / "shared/data/als-toner-71214078-fe2p/71214078"


def contents(files):
    return [file.read_bytes() for file in files]


def numpy_loadtxt(files, shape):
    return np.stack([np.loadtxt(file, dtype=np.float32) for file in files])


def numpy_fromstring(files, shape):
    parsed = [np.fromstring(text, sep=" ") for text in contents(files)]
    return np.stack(parsed).astype(np.float32).reshape(shape)


def numpy_split(files, shape):
    parsed = [np.array(text.split(), dtype=np.float64) for text in contents(files)]
    return np.stack(parsed).astype(np.float32).reshape(shape)


def pandas_per_file(files, shape):
    import pandas

    frames = [pandas.read_csv(file, sep="\t", header=None) for file in files]
    return np.stack([f.to_numpy()[:, : shape[2]] for f in frames]).astype(np.float32)


def pandas_joined(files, shape):
    import pandas

    text = io.BytesIO(b"".join(contents(files)))
    table = pandas.read_csv(text, sep="\t", header=None, low_memory=False)
    return table.to_numpy()[:, : shape[2]].astype(np.float32).reshape(shape)


def pyarrow_joined(files, shape):
    import pyarrow
    from pyarrow import csv

    columns = [f"f{number}" for number in range(shape[2])]
    table = csv.read_csv(
        pyarrow.BufferReader(b"".join(contents(files))),
        csv.ReadOptions(
            autogenerate_column_names=True, use_threads=False, block_size=1 << 26
        ),
        csv.ParseOptions(delimiter="\t"),
        csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, pyarrow.float64()),
        ),
    )
    values = np.stack([column.to_numpy() for column in table.columns], axis=1)
    return values.astype(np.float32).reshape(shape)


RIVALS = (
    numpy_loadtxt, numpy_fromstring, numpy_split, pandas_per_file, pandas_joined,
    pyarrow_joined,
)  # fmt: skip


def cpu_times(functions):
    """Best CPU seconds of each, taken in turns so that all meet the same machine."""
    best = dict.fromkeys(functions, np.inf)
    for _ in range(REPEATS):
        for function in functions:
            start = time.process_time()
            function()
            best[function] = min(best[function], time.process_time() - start)
    return [best[function] for function in functions]


def write_stack_of_text(folder, shape=(123, 125, 125)):
    rng = np.random.default_rng(0)
    points = [", ".join(f"{value:.4f}" for value in np.arange(n)) for n in shape]
    axes = [
        f'{{ Name = "{name}"; Unit = "{unit}"; Points = ({n}, {text}); }};'
        for name, unit, n, text in zip(
            ("Energy", "Sample Y", "Sample X"), ("eV", "um", "um"), shape, points,
            strict=True,
        )
    ]  # fmt: skip
    header = folder / "made.hdr"
    header.write_text(
        'ScanDefinition = { Type = "NEXAFS Image Scan"; Flags = "Image Stack"; '
        f"Regions = (1, {{ PAxis = {axes[2]} QAxis = {axes[1]} }}); "
        f"StackAxis = {axes[0]} }};"
    )
    for number in range(shape[0]):
        image = rng.uniform(50, 900, shape[1:])
        np.savetxt(folder / f"made_a{number:03d}.xim", image, "%.6f", "\t")
    return header


def compare(header):
    stack = read_stack(header)
    shape = stack.data.shape
    files = sorted(header.parent.glob("*.xim"))
    expected = np.asarray(stack.data)
    functions, names = [lambda: read_stack(header)], ["read_stack"]
    for rival in RIVALS:
        try:
            got = rival(files, shape)
        except ImportError:
            print(f"{rival.__name__} is not installed")
            continue
        equal = got.tobytes() == expected.tobytes()
        functions.append(lambda rival=rival: rival(files, shape))
        names.append(rival.__name__ + ("" if equal else "  (other bits)"))
    times = cpu_times(functions)
    fastest = min(times[1:])
    print(f"{header.name}: {shape[0]} x {shape[1]} x {shape[2]} text values")
    for name, seconds in zip(names, times, strict=True):
        print(f"  {name:<24} {seconds:7.3f} CPU s  {seconds / fastest:6.2f} x fastest")
    print(f"  read_stack / fastest plain parse = {times[0] / fastest:.2f} (target 1.5)")


def main():
    print(f"{platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}")
    if len(sys.argv) > 1:
        compare(Path(sys.argv[1]))
        return
    if REAL.is_dir():
        compare(REAL / "71214078.hdr")
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(write_stack_of_text(Path(folder)))


if __name__ == "__main__":
    main()
