"""How a job ends: what a user can mend as a sentence, a bug as a bug."""

from __future__ import annotations

import sys
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError, MissingPackage
from napari_phasemap.views.shell.dock import guarded
from napari_phasemap.views.shell.job import Bug, JobRow, tell_error
from napari_phasemap.views.shell.turns import SWITCH_AFTER, short_turns

pytestmark = pytest.mark.gui


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a user sees: strings, or exceptions that come with their traceback."""
    from napari_phasemap.views.shell import job

    seen: list[Any] = []
    monkeypatch.setattr(job, "show_error", seen.append)
    monkeypatch.setattr(
        job.notification_manager, "dispatch", lambda note: seen.append(note)
    )
    monkeypatch.setattr(job.notification_manager, "catch_error", True)
    monkeypatch.setattr(job.notification_manager, "exit_on_error", False)
    return seen


def run(qtbot: Any, function: Any) -> None:
    row = JobRow()
    qtbot.addWidget(row)
    row.start(function, on_done=lambda _: None)
    qtbot.waitUntil(lambda: not row.running, timeout=10_000)


def planted_in_numpy(*, on_progress: Any) -> None:
    np.ones(3) + np.ones(4)


def planted_index(*, on_progress: Any) -> None:
    [][0]


@pytest.mark.parametrize("function", [planted_in_numpy, planted_index])
def test_a_bug_in_a_job_is_shown_as_one_with_its_traceback(
    qtbot: Any, shown: list[Any], caplog: Any, function: Any
) -> None:
    run(qtbot, function)
    (note,) = shown
    assert isinstance(note.exception, Bug)
    assert "this is a bug in napari-phasemap" in note.message
    assert function.__name__ in note.as_text()
    (record,) = caplog.records
    assert record.exc_info is not None


@pytest.mark.parametrize(
    "error",
    [
        InputError("a != b; give a"),
        MissingPackage("install it"),
        FileNotFoundError("there is no file scan.h5"),
        MemoryError("no room"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_user_can_mend_is_a_sentence(
    qtbot: Any, shown: list[Any], caplog: Any, error: Exception
) -> None:
    def failing(*, on_progress: Any) -> None:
        raise error

    run(qtbot, failing)
    assert shown == [str(error)]
    assert not caplog.records


def test_a_bug_in_a_guarded_slot_or_after_a_job_is_shown_as_one(
    qtbot: Any, shown: list[Any]
) -> None:
    class Panel:
        @guarded
        def pressed(self) -> None:
            raise KeyError("planted")

    Panel().pressed()
    assert "KeyError: 'planted'" in shown[0].message
    tell_error(TypeError("planted"))
    assert "TypeError: planted" in shown[1].message


def test_the_switch_interval_is_restored_when_the_last_of_two_jobs_ends() -> None:
    before = sys.getswitchinterval()
    assert before > SWITCH_AFTER
    inside, leave = Event(), Event()

    def job() -> None:
        with short_turns():
            inside.set()
            leave.wait(10)

    thread = Thread(target=job)
    with short_turns():
        thread.start()
        inside.wait(10)
        assert sys.getswitchinterval() == pytest.approx(SWITCH_AFTER)
    assert sys.getswitchinterval() == pytest.approx(SWITCH_AFTER)  # one still runs
    leave.set()
    thread.join()
    assert sys.getswitchinterval() == pytest.approx(before)


def test_a_job_leaves_the_switch_interval_as_it_was(
    qtbot: Any, shown: list[Any]
) -> None:
    before = sys.getswitchinterval()
    during = []

    def job(*, on_progress: Any) -> None:
        during.append(sys.getswitchinterval())
        raise InputError("it fails too")

    run(qtbot, job)
    assert during == [pytest.approx(SWITCH_AFTER)]
    assert sys.getswitchinterval() == pytest.approx(before)
