"""Write onto disks of twenty sizes that are too small, and look at what is left.

    python benchmarks/full_disk.py [run] [overwrite] [train] [save] [file] [read]

The disks are `tmpfs` of a name space of their own (``unshare``), which on most Linux
systems needs no rights. "run" writes a new folder, "overwrite" replaces earlier
results, "train" trains a model, "save" is what the dock's *Save* does, with the
temporary folder on the same disk, "file" is `write_stack` over an earlier file, "read"
reads an electron microscope's file, for which a child writes into the temporary folder.
The sizes go from a few kilobytes to a little more than what is needed. Counted are:

- *done*, or *said*: how it ended well: with a sentence that names what was written;
- *unnamed*: a message that does not, or that calls it a bug;
- *crashed*: ended by a signal;
- *half*: something under the final name that its checksums do not fit, or earlier
  results gone;
- *left*: files of ours beside it or in the temporary folder.

The exit status is 1 if any of the last four is not 0.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from killing import NAME, command, is_whole, leftovers

KINDS = ("run", "overwrite", "train", "save", "file", "read")
OVER = ("overwrite", "save", "file")
#: Of the room that a kind needs in the end, with what it needs meanwhile.
MOST = 1.2
SMALLEST = 8 << 10
SAVE = """
import sys
from pathlib import Path
from napari_phasemap.io.results import read_results
from napari_phasemap.views.shell.saving import save_workspace
from napari_phasemap.core.data.errors import is_bug
try:
    save_workspace(read_results(sys.argv[2]), Path(sys.argv[1]), overwrite=True)
except Exception as error:
    print(error, file=sys.stderr)
    sys.exit(3 if is_bug(error) else 2)
"""
FILE = """
import sys
import numpy as np
from napari_phasemap import SpectralStack, write_stack
data = np.full((20, 100, 100), float(sys.argv[2]), np.float32)
stack = SpectralStack(data, np.arange(1.0, 21.0))
try:
    write_stack(stack, sys.argv[1], overwrite=True)
except OSError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""
READ = """
import sys
from napari_phasemap import read_stack
from napari_phasemap.core.data.errors import is_bug
try:
    read_stack(sys.argv[1])
except Exception as error:
    print(error, file=sys.stderr)
    sys.exit(3 if is_bug(error) else 2)
"""


def words(kind: str, disk: Path, place: Path, *, first: bool = False) -> list[str]:
    """Return the command of a kind that writes onto a disk."""
    output = str(disk / NAME)
    if kind == "read":
        return [sys.executable, "-c", READ, str(place / "read.hspy")]
    if kind == "file":
        return [sys.executable, "-c", FILE, output, "1" if first else "2"]
    if kind == "save" and not first:
        return [
            sys.executable,
            "-c",
            SAVE,
            output,
            str(place / "source" / "results.h5"),
        ]
    return command(kind, disk, first=first)


def do(kind: str, disk: Path, place: Path, *, first: bool = False) -> tuple[int, str]:
    """Do it; return the exit status and what was said."""
    on_disk = kind in ("save", "read") and not first
    temporary = (disk if on_disk else place) / "tmp"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        words(kind, disk, place, first=first),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    return done.returncode, done.stderr


def used(folder: Path) -> int:
    """Return the bytes of a folder, or of a file."""
    files = folder.rglob("*") if folder.is_dir() else [folder]
    return sum(-(-f.lstat().st_size // 4096) * 4096 for f in files)


def prepared(kind: str, place: Path) -> tuple[Path | None, int]:
    """Return earlier results where the kind begins with some, and the room it needs."""
    large = place / "large"
    large.mkdir(parents=True)
    earlier = None
    if kind in OVER:
        do(kind, large, place, first=True)
        earlier = place / "earlier"
        copy(large / NAME, earlier)
    if kind == "save":
        shutil.copytree(large / NAME, place / "source")
    if kind == "read":
        _write_read(place / "read.hspy")
    code, said = do(kind, large, place)
    if code:
        raise SystemExit(f"{kind} fails by itself: {said}")
    needed = used(place / "read.hspy") if kind == "read" else used(large / NAME)
    shutil.rmtree(large)
    return earlier, int(MOST * needed) + (used(earlier) if earlier else 0)


def _write_read(path: Path) -> None:
    """Write a file of RosettaSciIO's with some megabytes."""
    import numpy as np
    from damaged_sources import signal
    from rsciio.hspy import file_writer

    data = np.random.default_rng(0).random((60, 60, 100)).astype("f4")
    file_writer(str(path), signal(data))


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder."""
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def fill(kind: str, size: int, place: Path, earlier: Path | None) -> Counter[str]:
    """Write onto a disk of a size and count how that ended."""
    disk = place / "disk"
    disk.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    subprocess.run(["mount", *options], check=True)
    try:
        if earlier is not None:
            copy(earlier, disk / NAME)
        code, said = do(kind, disk, place)
        counts = Counter[str](ended(kind, code, said))
        there = (disk / NAME).exists()
        wanted = earlier is not None or (code == 0 and kind != "read")
        half = not is_whole(kind, disk / NAME) if there else wanted
        counts["half"] += int(half)
        (disk / "tmp").mkdir(exist_ok=True)
        left = leftovers(disk) + list((place / "tmp").glob("napari-phasemap-*"))
        counts["left"] += len(left)
        if set(counts) - {"done", "said"} and any(
            counts[name] for name in ("unnamed", "crashed", "half", "left")
        ):
            print(f"  {size} bytes: exit status {code}, {left}: {said[-300:]}")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    return counts


def ended(kind: str, code: int, said: str) -> list[str]:
    """Return the word for how a command ended."""
    if code < 0:
        return ["crashed"]
    if code == 0:
        return ["done"]
    named = ("read.hspy" if kind == "read" else f"/{NAME}") in said
    return ["said" if named and code == 2 else "unnamed"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("kinds", nargs="*", help=", ".join(KINDS))
    parser.add_argument("--sizes", type=int, default=20)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.inside:
        command = ["unshare", "--map-root-user", "--mount", sys.executable]
        os.execvp("unshare", [*command, *sys.argv, "--inside"])
    is_bad = False
    for kind in given.kinds or KINDS:
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            earlier, needed = prepared(kind, place)
            total = Counter[str]()
            lowest = (used(earlier) if earlier else 0) + SMALLEST
            step = (needed - lowest) / (given.sizes - 1)
            for number in range(given.sizes):
                total += fill(kind, int(lowest + number * step), place, earlier)
            counts = {
                n: total[n]
                for n in ("done", "said", "unnamed", "crashed", "half", "left")
            }
            print(f"{kind}, {lowest >> 10} to {needed >> 10} kB: {counts}", flush=True)
            is_bad = is_bad or any(
                total[n] for n in ("unnamed", "crashed", "half", "left")
            )
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
