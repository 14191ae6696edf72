"""Three monkeys at the docks, each in its own process; `benchmarks` has long runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.gui

MONKEY = Path(__file__).parents[3] / "benchmarks" / "monkey.py"
SEEDS = (1, 2, 3)
ACTIONS = 150
#: Seconds for one action: other tests may be running beside.
PATIENCE = 90


@pytest.mark.timeout(900)
def test_random_clicks_break_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(MONKEY), "--actions", str(ACTIONS)]
    command += ["--patience", str(PATIENCE), "--log", str(tmp_path)]
    monkeys = [
        subprocess.Popen(
            [*command, "--seed", str(seed)], stdout=subprocess.PIPE, text=True
        )
        for seed in SEEDS
    ]
    said = [monkey.communicate()[0] for monkey in monkeys]
    logs = [path.read_text() for path in sorted(tmp_path.glob("*.txt"))]
    faults = [log[log.index("TRACEBACK ours") :] for log in logs if "BACK ours" in log]
    ends = [monkey.returncode for monkey in monkeys]
    assert ends == [0] * len(SEEDS), "\n".join([*said, *faults])
    for log in logs:
        assert f"action {ACTIONS} " in log
