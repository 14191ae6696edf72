"""From starting napari to a dock that can be used: at most 1 s more than napari alone.

Each way runs in processes of its own, in turn, so that a busy machine hurts both.

    python benchmarks/startup.py [REPEATS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

COMMON = """
import os, time
start = time.perf_counter(), time.process_time()
os.environ.setdefault("QT_API", "pyqt6")
import napari
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer(show=True)
{open_dock}
for _ in range(5):
    QApplication.processEvents()
print("TOOK", time.perf_counter() - start[0], time.process_time() - start[1])
os._exit(0)
"""
OPEN = "viewer.window.add_plugin_dock_widget('napari-phasemap', {!r})"
WAYS = {
    "napari alone": "",
    "with the Data dock": OPEN.format("Data"),
    "with the Phase map dock": OPEN.format("Phase map"),
}


def run(open_dock: str) -> tuple[float, float]:
    """Return wall and CPU seconds until the window is there and painted."""
    code = COMMON.format(open_dock=open_dock)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(x for x in done.stdout.splitlines() if x.startswith("TOOK"))
    wall, cpu = line.split()[1:]
    return float(wall), float(cpu)


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    run("")  # the first start reads everything from disk
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for _ in range(repeats):
        for name, code in WAYS.items():
            times[name].append(run(code))
    print(f"{os.cpu_count()} CPU cores, medians of {repeats}")
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in times.items()
    }
    alone = medians["napari alone"]
    print(f"{'':26}{'wall s':>8}{'CPU s':>8}{'more wall':>11}{'more CPU':>10}")
    for name, (wall, cpu) in medians.items():
        more = f"{wall - alone[0]:11.2f}{cpu - alone[1]:10.2f}"
        print(f"{name:26}{wall:8.2f}{cpu:8.2f}{more}")


if __name__ == "__main__":
    main()
