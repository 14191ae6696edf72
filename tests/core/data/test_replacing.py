from __future__ import annotations

import errno
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from napari_phasemap.core.data import replacing
from napari_phasemap.core.data.errors import FileError
from napari_phasemap.core.data.replacing import (
    abandon,
    folder_beside,
    marked,
    put,
    tidy,
    tidy_marked,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def content(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in folder.iterdir()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(target: Path, text: str) -> None:
    with folder_beside(target) as new:
        (new / "results").write_text(text)
        put(new, target)


@pytest.fixture(params=["exchange", "moves"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which a folder is replaced."""
    if request.param == "moves":
        monkeypatch.setattr(replacing, "_exchange", lambda first, second: False)
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    target = tmp_path / "out[1]"
    write(target, "first")
    write(target, "second")
    assert content(target) == {"results": "second"}
    assert names(tmp_path) == ["out[1]"]


@pytest.mark.usefixtures("way")
def test_a_block_that_raises_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, "first")
    with pytest.raises(IsADirectoryError), folder_beside(target) as new:
        new.write_text("a folder is no file")
    assert content(target) == {"results": "first"}
    assert names(tmp_path) == ["out"]


@pytest.mark.usefixtures("way")
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    disk, link = tmp_path / "disk" / "results", tmp_path / "out"
    write(disk, "first")
    link.symlink_to(disk)
    write(link, "second")
    assert link.is_symlink()
    assert content(disk) == {"results": "second"}
    assert names(tmp_path) == ["disk", "out"]
    assert names(disk.parent) == ["results"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="renameat2 is Linux's")
def test_linux_exchanges_in_one_step(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / folder.name).touch()
    assert replacing._exchange(first, second)
    assert (names(first), names(second)) == (["b"], ["a"])


def gone() -> dict[str, object]:
    """The mark of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return {"host": socket.gethostname(), "pid": done.pid, "start": ""}


def left(target: Path, owner: dict[str, object], inside: str) -> Path:
    """A temporary folder as a killed process leaves it."""
    temporary = target.with_name(f".{target.name}-abcdefgh")
    (temporary / inside).mkdir(parents=True)
    (temporary / inside / "results").write_text("left")
    (temporary / "owner.json").write_text(json.dumps(owner))
    return temporary


def test_what_was_moved_away_when_its_process_was_killed_is_restored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "out"
    left(target, gone(), "old")
    with caplog.at_level(logging.WARNING):
        tidy(target)
    assert content(target) == {"results": "left"}
    assert names(tmp_path) == ["out"]
    assert f"{target} was restored" in caplog.text


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, "first")
    left(target, gone(), "new")
    tidy(target)
    assert content(target) == {"results": "first"}
    assert names(tmp_path) == ["out"]


OTHERS: dict[str, Callable[[], dict[str, object]]] = {
    "running": lambda: {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "start": replacing._start(),
    },
    "another machine": lambda: {**gone(), "host": "elsewhere"},
    "not ours": lambda: {"name": "x"},
}


@pytest.mark.parametrize("owner", OTHERS.values(), ids=OTHERS)
def test_folders_of_others_stay(
    tmp_path: Path, owner: Callable[[], dict[str, object]]
) -> None:
    temporary = left(tmp_path / "out", owner(), "new")
    tidy(tmp_path / "out")
    assert temporary.is_dir()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_number_used_again_is_not_the_process_that_left(tmp_path: Path) -> None:
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "start": "1"}
    left(tmp_path / "out", owner, "new")
    tidy(tmp_path / "out")
    assert names(tmp_path) == []


def test_files_and_folders_of_other_users_are_no_folders_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "ours-abcdefgh").write_text("a file")
    (tmp_path / "ours-ijklmnop").mkdir()
    original = Path.iterdir

    def iterdir(folder: Path) -> object:
        if folder.name == "ours-ijklmnop":
            raise PermissionError
        return original(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    tidy_marked("ours-")
    assert names(tmp_path) == ["ours-abcdefgh", "ours-ijklmnop"]


def test_a_folder_of_another_name_that_begins_the_same_is_not_taken_back(
    tmp_path: Path,
) -> None:
    temporary = left(tmp_path / "out-2", gone(), "old")
    tidy(tmp_path / "out")
    assert names(tmp_path) == [temporary.name]
    tidy(tmp_path / "out-2")
    assert names(tmp_path) == ["out-2"]


@pytest.mark.parametrize(("age", "stays"), [(0.0, True), (60.0, False)])
@pytest.mark.parametrize("written", [None, "", '{"host'])
def test_a_process_killed_before_it_said_whose_its_folder_is(
    tmp_path: Path, age: float, stays: bool, written: str | None
) -> None:
    temporary = tmp_path / ".out-abcdefgh"
    temporary.mkdir()
    if written is not None:
        (temporary / "owner.json").write_text(written)
    when = temporary.stat().st_mtime - age
    os.utime(temporary, (when, when))
    tidy(tmp_path / "out")
    assert temporary.exists() == stays


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "no room"), RuntimeError("write: No space left on device")],
    ids=["system", "library"],
)
def test_a_full_disk_is_a_sentence_that_names_the_folder(
    tmp_path: Path, error: Exception
) -> None:
    target = tmp_path / "out"
    write(target, "first")
    said = r"out could not be written: .* after .* MB, and there are .* MB"
    with pytest.raises(FileError, match=said), folder_beside(target):
        raise error
    assert content(target) == {"results": "first"}
    assert names(tmp_path) == ["out"]


def test_a_full_disk_is_told_under_the_name_that_it_shall_have(tmp_path: Path) -> None:
    target = tmp_path / "out"
    said = r"^[^.]*out/a\.h5: No space left"
    with pytest.raises(FileError, match=said), folder_beside(target) as new:
        raise FileError(f"{new / 'a.h5'}: No space left on device")


def test_abandon_removes_what_is_being_written(tmp_path: Path) -> None:
    with folder_beside(tmp_path / "out") as new:
        abandon()
        assert not new.exists()
        assert names(tmp_path) == []


def test_temporary_folders_of_killed_processes_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = tmp_path / "ours-abcdefgh"
    mine.mkdir()
    marked(mine)
    (tmp_path / "ours-ijklmnop").mkdir()
    (tmp_path / "ours-ijklmnop" / "owner.json").write_text(json.dumps(gone()))
    tidy_marked("ours-")
    assert names(tmp_path) == ["ours-abcdefgh"]
