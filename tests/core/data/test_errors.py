from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.errors import (
    FileError,
    InputError,
    MissingPackage,
    ProcessDied,
    is_bug,
    told,
)


@pytest.mark.parametrize(
    "error",
    [
        InputError("3 energies for 4 images"),
        FileError("scan.h5 cannot be opened"),
        FileNotFoundError("there is no file scan.h5"),
        MissingPackage("install it with pip"),
        ProcessDied("the UMAP process ended by itself"),
        MemoryError("Unable to allocate 512 GiB"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_user_can_cause_is_its_message_and_is_not_logged(error, caplog):
    assert not is_bug(error)
    assert told(error) == str(error)
    assert not caplog.records


def raised(action):
    with pytest.raises(Exception) as caught:  # noqa: PT011 # any class
        action()
    return caught.value


@pytest.mark.parametrize(
    "action",
    [
        lambda: np.ones(3) + np.ones(4),  # numpy's ValueError
        lambda: int("four"),
        lambda: [][0],
        lambda: len(3),
        lambda: None.shape,
        lambda: {}["key"],
        lambda: __import__("no_such_module"),
    ],
)
def test_anything_else_is_a_bug_and_logged_with_its_traceback(action, caplog):
    error = raised(action)
    assert is_bug(error)
    text = told(error, where="P1.hdr")
    assert text.startswith("this is a bug")
    assert f"{type(error).__name__}: {error}" in text
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info[1] is error
    assert record.getMessage().startswith("P1.hdr: ")
    assert "Traceback (most recent call last)" in caplog.text


def test_a_system_error_without_words_says_its_name():
    assert told(TimeoutError()) == "TimeoutError"
