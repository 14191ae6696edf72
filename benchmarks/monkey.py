"""A seeded monkey at the docks: random real mouse and keys, until something breaks.

    python benchmarks/monkey.py --actions 3000 --seed 1 [--runs 5] [--log FILE]

Every run has its own process, with `faulthandler`, and is a row of the table that is
printed at the end:

- *crash*: the process ended by a signal, or before its report;
- *hang*: one action took longer than ``--patience`` (ten seconds; a busy machine needs
  more), and the stacks of all threads follow; *slowest*: the longest action in seconds;
- *tracebacks*: exceptions that reached a user, an event loop or a thread; those in
  which no line of ours took part are counted as *upstream*;
- *Qt*: warnings of Qt about objects touched from the wrong thread;
- *memory*: what the process holds at the end above what it held after its first
  thousand actions (half of fewer), each time with all windows closed; everything was
  opened once before;
- *children*: processes that were left two seconds after the last window was closed.

The exit status is 1 if anything but upstream stands in the table. What the monkey can
do is in `monkey_actions`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

#: Report of a run, as the last line of its output.
REPORT = "MONKEY "
#: MiB that memory may grow from the first thousand actions to the end.
GROWTH = 200.0
#: Seconds for a whole run, per action and for what a window needs.
PER_ACTION, AROUND = 2.0, 240.0
#: Lines of the log of a run that crashed or hung that are repeated.
LAST_LINES = 60
COLUMNS = (
    "seed", "actions", "seconds", "slowest", "crash", "hang", "tracebacks", "upstream",
    "Qt", "memory_MB", "children",
)  # fmt: skip


def run_one(seed: int, actions: int, patience: float, log: Path) -> dict[str, Any]:
    """Run one monkey in a process of its own and return its row."""
    command = [sys.executable, "-X", "faulthandler", str(Path(__file__))]
    command += ["--inside", "--seed", str(seed), "--actions", str(actions)]
    command += ["--patience", str(patience)]
    begin, hung = time.monotonic(), False
    with log.open("w") as file, tempfile.TemporaryDirectory() as home:
        surroundings = {**os.environ, "NAPARI_CONFIG": str(Path(home, "napari.yaml"))}
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=surroundings
        )
        try:
            code = process.wait(AROUND + actions * PER_ACTION)
        except subprocess.TimeoutExpired:
            process.kill()
            code, hung = process.wait(), True
    lines = log.read_text(errors="replace").splitlines()
    row: dict[str, Any] = dict.fromkeys(COLUMNS, 0)
    row |= {"seed": seed, "actions": sum(x.startswith("action ") for x in lines)}
    reports = [line for line in lines if line.startswith(REPORT)]
    if reports:
        row |= json.loads(reports[-1].removeprefix(REPORT))
    hung = hung or any("Timeout (" in line for line in lines)
    row["seconds"] = round(time.monotonic() - begin)
    row["hang"] = int(hung)
    row["crash"] = int(not hung and (code < 0 or not reports))
    if row["hang"] or row["crash"]:
        print(f"seed {seed}: exit status {code}", *lines[-LAST_LINES:], sep="\n")
    return row


def is_bad(row: dict[str, Any]) -> bool:
    """Return whether a row holds what must not be."""
    counted = ("crash", "hang", "tracebacks", "Qt", "children")
    return any(row[name] for name in counted) or row["memory_MB"] > GROWTH


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    print("  ".join(f"{name:>10}" for name in COLUMNS))
    for row in rows:
        print("  ".join(f"{row[name]:>10}" for name in COLUMNS), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--actions", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1, help="with seeds that follow")
    parser.add_argument("--patience", type=float, default=10.0)
    parser.add_argument("--log", type=Path, help="folder for the logs of the runs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        from monkey_actions import play

        print(
            REPORT + json.dumps(play(given.seed, given.actions, given.patience)),
            flush=True,
        )
        return
    folder = given.log or Path(tempfile.mkdtemp(prefix="monkey-"))
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for seed in range(given.seed, given.seed + given.runs):
        log = folder / f"seed-{seed}.txt"
        rows.append(run_one(seed, given.actions, given.patience, log))
        show(rows[-1:])
    print(f"\nlogs in {folder}")
    show(rows)
    sys.exit(any(map(is_bad, rows)))


if __name__ == "__main__":
    main()
