"""Damage files of every format in thousands of ways and read each of them.

    python benchmarks/damaged_files.py --files ../shared/data sample_data --each 100

Every file is read in a child with 1 GB of memory, on top of the limits that the readers
set themselves. Printed is how the readings ended: read, refused in words that name the
file, refused without naming it, called a bug (a traceback), out of memory, slower than
10 s, crashed. Seeded: the same call damages the same bytes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

MEMORY = 1 << 30
SECONDS = 10.0
#: Larger files are left out: what is damaged are headers, and they are the same there.
LARGEST = 3 << 20
ENDINGS = {
    ".hdr", ".hdf5", ".h5", ".nxs", ".hspy", ".emd", ".dm3", ".dm4", ".msa", ".tif",
    ".npz", ".npy", ".csv", ".xsp", ".txt", ".png", ".ser", ".emi", ".bcf", ".rpl",
}  # fmt: skip


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip bits, overwrite, cut or double some bytes; most often near the front."""
    bytes_ = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        if not bytes_:
            break
        front = min(len(bytes_), 4096)
        at = int(rng.integers(front if rng.random() < 0.6 else len(bytes_)))
        kind = rng.integers(5)
        if kind == 0:
            bytes_[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            bytes_[at : at + 4] = rng.bytes(4)
        elif kind == 2:
            extreme = (
                b"\xff\xff\xff\x7f",
                b"\0\0\0\0",
                b"\xff" * 8,
                b"\x7f" + b"\0" * 7,
            )
            value = extreme[int(rng.integers(len(extreme)))]
            bytes_[at : at + len(value)] = value
        elif kind == 3:
            del bytes_[at : at + int(rng.integers(1, 64))]
        else:
            bytes_[at:at] = bytes_[at : at + int(rng.integers(1, 64))]
    if rng.random() < 0.1:
        del bytes_[int(rng.integers(len(bytes_) + 1)) :]
    return bytes(bytes_)


def read(path: Path) -> str:
    """Read a file and say how it ended."""
    from napari_phasemap import read_references, read_stack
    from napari_phasemap.core.data.errors import is_bug
    from napari_phasemap.io.spectra import read_mask

    try:
        if path.suffix in (".csv", ".xsp", ".txt"):
            read_references(path)
        elif path.suffix == ".png":
            read_mask(path, (20, 30))
        else:
            read_stack(path, duplicates="merge")
    except MemoryError as error:
        return f"out of memory: {error}"
    except Exception as error:  # noqa: BLE001 # counted
        if is_bug(error):
            return f"bug: {type(error).__name__}: {error}"
        return "refused" if path.name in str(error) else f"unnamed: {error}"
    return "read"


def work(source: Path, first: int, last: int) -> None:
    """Damage and read one file again and again; one line for each."""
    import logging
    import resource

    logging.disable()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    content = source.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for other in source.parent.glob(f"{source.stem}*"):
            if other.is_file() and other != source:
                (Path(folder) / other.name).write_bytes(other.read_bytes())
        path = Path(folder) / source.name
        for number in range(first, last):
            path.write_bytes(damaged(content, np.random.default_rng(number)))
            print(json.dumps([number, "began", 0.0]), flush=True)
            start = time.monotonic()
            ending = read(path)
            seconds = time.monotonic() - start
            print(json.dumps([number, ending, seconds]), flush=True)


def tried(source: Path, each: int) -> list[tuple[int, str, float]]:
    """Read a file in `each` damaged forms, in children; one that dies is replaced."""
    endings: list[tuple[int, str, float]] = []
    first = 0
    while first < each:
        command = [
            sys.executable,
            __file__,
            "--work",
            str(source),
            str(first),
            str(each),
        ]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        began = first
        for line in child.stdout or ():
            number, ending, seconds = json.loads(line)
            if ending == "began":
                began = number
            else:
                endings.append((number, ending, seconds))
                first = number + 1
        if child.wait():
            endings.append((began, f"crashed: {child.returncode}", 0.0))
            first = began + 1
    return endings


def sources(places: list[Path]) -> list[Path]:
    """Return the files to damage, one of each name's ending in each folder at most."""
    found: dict[tuple[Path, str], Path] = {}
    for place in places:
        for path in sorted([place] if place.is_file() else place.rglob("*")):
            ending = path.suffix.lower()
            if path.is_file() and ending in ENDINGS and path.stat().st_size < LARGEST:
                found.setdefault((path.parent, ending), path)
    return list(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="*", type=Path, default=[Path("sample_data")])
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--work", nargs=3, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(Path(options.work[0]), int(options.work[1]), int(options.work[2]))
        return
    total: Counter[str] = Counter()
    print(f"{'file':40} {'read':>6} {'refused':>8} {'other':>6} {'slowest':>9}")
    for source in sources(options.files):
        endings = tried(source, options.each)
        kinds = Counter(ending.partition(":")[0] for _, ending, _ in endings)
        slow = sum(seconds > SECONDS for _, _, seconds in endings)
        kinds["too slow"] += slow
        total += kinds
        other = sum(kinds.values()) - kinds["read"] - kinds["refused"]
        slowest = max((seconds for _, _, seconds in endings), default=0.0)
        print(
            f"{source.name[:40]:40} {kinds['read']:6} {kinds['refused']:8} {other:6} "
            f"{slowest:7.2f} s",
            flush=True,
        )
        for number, ending, _ in endings:
            if ending not in ("read", "refused"):
                print(f"    seed {number}: {ending[:160]}")
    print(dict(total))


if __name__ == "__main__":
    main()
