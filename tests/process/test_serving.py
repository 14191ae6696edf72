"""Which exceptions cross from a child to its parent, as what."""

from __future__ import annotations

import io
import json
import traceback

import numpy as np
import pytest

from napari_phasemap.core.data.errors import (
    FileError,
    InputError,
    MissingPackage,
    ProcessDied,
    is_bug,
)
from napari_phasemap.process.conversation import ChildBug, _raised
from napari_phasemap.process.serving import Server


class ResourceExhaustedError(Exception):
    """As TensorFlow calls a lack of memory."""


class UnknownMode(InputError):
    """A kind of mistake that only the child knows."""


def crossed(error: Exception, tmp_path) -> Exception:
    """Let a child's server raise an error; return what the parent raises."""
    answers = io.StringIO()
    server = Server(tmp_path, answers)

    def act(request):
        raise error

    server.actions = {"act": act}
    server.answer(json.dumps({"do": "act"}))
    return _raised("training", *json.loads(answers.getvalue())["error"])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InputError("a"), InputError),
        (UnknownMode("a"), InputError),
        (FileError("a"), FileError),
        (FileNotFoundError("a"), FileNotFoundError),
        (IsADirectoryError("a"), OSError),
        (MissingPackage("a"), MissingPackage),
        (ProcessDied("a"), ProcessDied),
        (ResourceExhaustedError("a"), MemoryError),
    ],
    ids=lambda one: getattr(one, "__name__", type(one).__name__),
)
def test_what_a_user_can_cause_crosses_as_what_it_is(error, kind, tmp_path):
    there = crossed(error, tmp_path)
    assert type(there) is kind
    assert str(there) == "a"
    assert not is_bug(there)


def test_a_lack_of_memory_in_numpy_crosses_as_such(tmp_path):
    with pytest.raises(MemoryError) as caught:
        np.empty(1 << 60, dtype=np.uint8)
    assert type(crossed(caught.value, tmp_path)) is MemoryError


@pytest.mark.parametrize("error", [ValueError("a"), TypeError("a"), KeyError("a")])
def test_a_bug_crosses_as_a_bug_with_the_traceback_of_the_child(
    error, tmp_path, capsys
):
    there = crossed(error, tmp_path)
    assert type(there) is ChildBug
    assert is_bug(there)
    assert str(there) == f"{type(error).__name__} in the training process: {error}"
    shown = "".join(traceback.format_exception(there))
    assert "in act" in shown  # the function of the child that raised it
    assert "in act" in capsys.readouterr().err  # and in the child's log
