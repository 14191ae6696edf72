"""Kill at many moments whatever writes, and look at what is left.

    python benchmarks/killing.py [run] [overwrite] [train] [save] [--moments 20]

"run" writes a new folder, "overwrite" replaces the results of an earlier run, "train"
trains a model and keeps it, "save" is the dock's *Save* (in a window, so it needs a
display). Each is killed by SIGKILL and by SIGTERM at moments spread evenly over the
time that it takes when it is left alone. Counted are:

- *half*: a folder under the final name that is not complete, or earlier results gone;
- *left*: files of ours beside it, or in the temporary folder, after the next run has
  looked (after SIGTERM of the command line: at once, before any other run);
- *wrong*: an exit status that is none of -9, -15, 143 and 0.

The exit status is 1 if any count is not 0.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from napari_phasemap.core.data.replacing import tidy, tidy_marked
from napari_phasemap.io.samples import sample_paths, sample_references
from napari_phasemap.models.saving import FILES

NAME = "out"
KINDS = ("run", "overwrite", "train", "save")
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
PREFIX = "napari-phasemap-"
#: What a complete folder holds.
RESULTS = ("results.h5", "summary.csv", "recipe.json", "phase_map.png")
MODEL = tuple(f"model/{name}" for name in FILES)
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
stage.run(dock, lambda: dock.save(Path(sys.argv[1])), "saving")
"""


def command(kind: str, folder: Path) -> list[str]:
    """Return the command that writes into ``folder / NAME``."""
    output = str(folder / NAME)
    if kind == "save":
        return [sys.executable, "-c", SAVE, output]
    words = [sys.executable, "-m", "napari_phasemap.cli", "run"]
    words += [str(path) for path in sample_paths()[:2]]
    for path in sample_references():
        words += ["--references", str(path)]
    words += ["--output", output]
    if kind == "train":
        words += ["--train", "--epochs", "2"]
    return [*words, "--overwrite"] if kind == "overwrite" else words


def begin(kind: str, folder: Path) -> subprocess.Popen[str]:
    """Start a command, and wait until it is where killing is of interest."""
    process = subprocess.Popen(
        command(kind, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
    )
    if kind == "save" and process.stdout is not None:
        while (line := process.stdout.readline()) and line != "ready\n":
            pass
    return process


def is_complete(kind: str, output: Path) -> bool:
    """Return whether a folder holds all that belongs there."""
    wanted = RESULTS + (MODEL if kind == "train" else ())
    return all((output / name).is_file() for name in wanted)


def leftovers(folder: Path) -> list[Path]:
    """Return files of ours that belong to nobody."""
    hidden = [path for path in folder.iterdir() if path.name.startswith(f".{NAME}-")]
    return hidden + list((folder / "tmp").glob(f"{PREFIX}*"))


def kill_once(kind: str, sent: signal.Signals, after: float) -> dict[str, int]:
    """Start, kill after some seconds, and count what is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        if kind == "overwrite":
            begin("run", folder).communicate()
        process = begin(kind, folder)
        time.sleep(after)
        process.send_signal(sent)
        process.communicate()
        time.sleep(NOTICE)
        output = folder / NAME
        if sent != signal.SIGTERM or kind == "save":
            tempfile.tempdir = str(folder / "tmp")
            tidy(output)
            tidy_marked(PREFIX)
            tempfile.tempdir = None
        half = output.exists() and not is_complete(kind, output)
        half = half or (kind == "overwrite" and not output.exists())
        return {
            "half": int(half),
            "left": len(leftovers(folder)),
            "wrong": int(process.returncode not in (-9, -15, 143, 0)),
            "ended": int(process.returncode == 0),
        }


def measure(kind: str) -> float:
    """Return how many seconds a command takes that nobody kills."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        process = begin(kind, folder)
        start = time.monotonic()
        process.communicate()
        if process.returncode or not is_complete(kind, folder / NAME):
            raise SystemExit(f"{kind} fails by itself: {command(kind, folder)}")
        return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", help=", ".join(KINDS))
    parser.add_argument("--moments", type=int, default=20)
    given = parser.parse_args()
    is_bad = False
    for kind in given.kinds or KINDS:
        takes = measure(kind)
        print(f"{kind}: {takes:.1f} s alone", flush=True)
        for sent in SIGNALS:
            moments = [takes * (i + 0.5) / given.moments for i in range(given.moments)]
            counts = [kill_once(kind, sent, after) for after in moments]
            total = {name: sum(count[name] for count in counts) for name in counts[0]}
            is_bad = is_bad or any(total[x] for x in ("half", "left", "wrong"))
            print(f"  {sent.name} at {given.moments} moments: {total}", flush=True)
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
