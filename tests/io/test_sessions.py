"""Sessions as files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.io import sessions
from napari_phasemap.io.results import Results, holds_results, read_results
from napari_phasemap.io.sessions import Session, read_session, write_session
from napari_phasemap.io.stackfile import write_stack

WINDOW = {"camera": {"zoom": 0.5, "center": [1.0, 2.0]}, "docks": ["Spectra"]}


@pytest.fixture
def results():
    data = np.arange(24.0).reshape(2, 3, 4)
    stack = SpectralStack(data, [280.0, 285.0], quantity="optical_density", name="P")
    return Results(StackSet([stack]), recipe={"steps": ["mask"]})


def test_a_session_comes_back_and_is_a_results_file_too(results, tmp_path):
    path = write_session(Session(results, WINDOW), tmp_path / "one.h5")
    back = read_session(path)
    assert {key: back.window[key] for key in WINDOW} == WINDOW
    assert dict(back.results.recipe) == {"steps": ["mask"]}
    np.testing.assert_array_equal(back.results.stacks[0].data, results.stacks[0].data)
    assert read_results(path).stacks.names == ("P",)
    assert write_session(Session(results, {}), path) == path
    assert "camera" not in read_session(path).window


def test_results_without_a_session_open_as_they_are(results, tmp_path):
    from napari_phasemap.io.results import write_results

    assert read_session(write_results(results, tmp_path / "r.h5")).window == {}


def test_a_session_of_a_newer_version_says_so(results, tmp_path, monkeypatch):
    monkeypatch.setattr(sessions, "VERSION", 7)
    path = write_session(Session(results, WINDOW), tmp_path / "new.h5")
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"new\.h5 is a session of version 7.*up to"):
        read_session(path)


def test_a_damaged_session_says_so(results, tmp_path):
    from napari_phasemap.io.results import write_results

    damaged = replace(results, recipe={"session": "lost"})
    path = write_results(damaged, tmp_path / "bad.h5")
    with pytest.raises(InputError, match=r"session in bad\.h5 is damaged: 'lost'"):
        read_session(path)


def test_results_are_told_from_stacks_and_from_anything_else(results, tmp_path):
    from napari_phasemap.io.results import write_results

    other = tmp_path / "text.h5"
    other.write_text("no HDF5")
    write_stack(results.stacks[0], tmp_path / "stack.h5")
    assert holds_results(write_results(results, tmp_path / "r.h5"))
    assert not holds_results(tmp_path / "stack.h5")
    assert not holds_results(other)
    assert not holds_results(tmp_path)
