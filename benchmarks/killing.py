"""Kill at many moments whatever writes, and look at what is left.

    python benchmarks/killing.py [run] [overwrite] [train] [save] [file] [--moments 20]

"run" writes a new folder, "overwrite" replaces the results of an earlier run, "train"
trains a model, "save" is the dock's *Save* over earlier results (in a window, so it
needs a display), "file" is `write_stack` over an earlier file. Each is killed by
SIGKILL and by SIGTERM at moments spread evenly over the time that it takes when it is
left alone. Counted are:

- *half*: something under the final name that its checksums do not fit, or earlier
  results gone;
- *left*: files of ours beside it, or in the temporary folder, after the next run has
  looked (after SIGTERM of the command line: at once, before any other run);
- *wrong*: an exit status that is none of -9, -15, 143 and 0;
- *ended* (no fault): it was done before it was killed.

The exit status is 1 if any of the first three is not 0.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from napari_phasemap.core.data.replacing import tidy, tidy_marked
from napari_phasemap.io.samples import sample_paths, sample_references

NAME = "out"
KINDS = ("run", "overwrite", "train", "save", "file")
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
PREFIX = "napari-phasemap-"
#: Kinds that begin with something under the final name.
OVER = ("overwrite", "save", "file")
#: Kinds that leave by themselves at SIGTERM: commands.
COMMANDS = ("run", "overwrite", "train")
#: Seconds that children get to notice that their parent is gone.
NOTICE = 1.0
SAVE = """
import sys
from pathlib import Path
import napari
from qtpy.QtTest import QTest
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.views.demo import Stage
stage = Stage(Path(sys.argv[1]).parent)
dock = stage.dock("Phase map")
dock.open_sample()
stage.wait(lambda: stage.workspace.references is not None, "sample")
stage.run(dock, dock.correlate, "correlating")
print("ready", flush=True)
stage.run(dock, lambda: dock.save(Path(sys.argv[1]), overwrite=True), "saving")
"""
FILE = """
import sys
import numpy as np
from napari_phasemap import SpectralStack, write_stack
data = np.full((100, 300, 300), float(sys.argv[2]), np.float32)
stack = SpectralStack(data, np.arange(1.0, 101.0))
print("ready", flush=True)
write_stack(stack, sys.argv[1], overwrite=True)
"""


def command(kind: str, folder: Path, *, first: bool = False) -> list[str]:
    """Return the command that writes ``folder / NAME``, for the first time or again."""
    output = str(folder / NAME)
    if kind == "file":
        return [sys.executable, "-c", FILE, output, "1" if first else "2"]
    if kind == "save" and not first:
        return [sys.executable, "-c", SAVE, output]
    name = "train" if kind == "train" else "run"
    words = [sys.executable, "-m", "napari_phasemap.cli", name]
    words += [str(path) for path in sample_paths()[:2]]
    for path in sample_references():
        words += ["--references", str(path)]
    words += ["--output", output]
    if kind == "train":
        words += ["--epochs", "2"]
    return [*words, "--overwrite"] if kind == "overwrite" else words


def begin(kind: str, folder: Path, *, first: bool = False) -> subprocess.Popen[str]:
    """Start a command, and wait until it is where killing is of interest."""
    process = subprocess.Popen(
        command(kind, folder, first=first),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
    )
    if kind in ("save", "file") and not first and process.stdout is not None:
        while (line := process.stdout.readline()) and line != "ready\n":
            pass
    return process


def is_whole(kind: str, output: Path) -> bool:
    """Return whether what is under the final name is as it was written."""
    if kind == "file":
        from napari_phasemap import read_stack

        return len(set(read_stack(output).data.flat[::1000])) == 1
    about = output / ("model.json" if kind == "train" else "recipe.json")
    if not about.is_file():
        return False
    sums = json.loads(about.read_text())["sha256"]
    found = {name: output / name for name in sums}
    return all(path.is_file() and _sum(path) == sums[n] for n, path in found.items())


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def leftovers(folder: Path) -> list[Path]:
    """Return files of ours that belong to nobody."""
    hidden = [path for path in folder.iterdir() if path.name.startswith(f".{NAME}-")]
    return hidden + list((folder / "tmp").glob(f"{PREFIX}*"))


def kill_once(
    kind: str, sent: signal.Signals, after: float, earlier: Path | None
) -> dict[str, int]:
    """Start, kill after some seconds, and count what is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder, output = Path(name), Path(name, NAME)
        (folder / "tmp").mkdir()
        if earlier is not None and earlier.is_dir():
            shutil.copytree(earlier, output)
        elif earlier is not None:
            shutil.copy(earlier, output)
        process = begin(kind, folder)
        time.sleep(after)
        process.send_signal(sent)
        process.communicate()
        time.sleep(NOTICE)
        if sent != signal.SIGTERM or kind not in COMMANDS:
            tempfile.tempdir = str(folder / "tmp")
            for one in leftovers(folder):  # the next run comes a minute later
                os.utime(one, (time.time() - 60,) * 2)
            tidy(output)
            tidy_marked(PREFIX)
            tempfile.tempdir = None
        is_there = output.exists()
        is_half = not is_whole(kind, output) if is_there else earlier is not None
        return {
            "half": int(is_half),
            "left": len(leftovers(folder)),
            "wrong": int(process.returncode not in (-9, -15, 143, 0)),
            "ended": int(process.returncode == 0),
        }


def measure(kind: str, place: Path) -> tuple[float, Path | None]:
    """Return how long a command takes that nobody kills, and earlier results."""
    (place / "tmp").mkdir(parents=True)
    if kind in OVER:
        begin(kind, place, first=True).communicate()
    earlier = place / "earlier"
    if kind in OVER:
        (shutil.copytree if (place / NAME).is_dir() else shutil.copy)(
            place / NAME, earlier
        )
    process = begin(kind, place)
    start = time.monotonic()
    process.communicate()
    seconds = time.monotonic() - start
    if process.returncode or not is_whole(kind, place / NAME):
        raise SystemExit(f"{kind} fails by itself: {command(kind, place)}")
    return seconds, earlier if kind in OVER else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", help=", ".join(KINDS))
    parser.add_argument("--moments", type=int, default=20)
    given = parser.parse_args()
    is_bad = False
    for kind in given.kinds or KINDS:
        with tempfile.TemporaryDirectory() as place:
            takes, earlier = measure(kind, Path(place))
            print(f"{kind}: {takes:.1f} s alone", flush=True)
            for sent in SIGNALS:
                total = Counter[str]()
                for number in range(given.moments):
                    after = takes * (number + 0.5) / given.moments
                    total.update(kill_once(kind, sent, after, earlier))
                is_bad = is_bad or any(total[x] for x in ("half", "left", "wrong"))
                said = f"{sent.name} at {given.moments} moments: {dict(total)}"
                print(f"  {said}", flush=True)
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
