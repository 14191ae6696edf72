from __future__ import annotations

import traceback

import pytest

from napari_phasemap.models import hardware
from napari_phasemap.process.conversation import ChildBug, _raised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor : 0\nflags : sse2 avx512_bf16 fma\n", True),
        ("processor : 0\nflags : sse2 amx_bf16 fma\n", True),
        ("processor : 0\nflags : sse2 avx2\nbugs : avx512_bf16\n", False),
        ("", False),
        (None, False),
    ],
)
def test_bfloat16_products_are_read_from_the_flags_of_the_processor(
    tmp_path, monkeypatch, text, expected
):
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(hardware, "_CPU_INFO", path)
    assert hardware.multiplies_bfloat16() is expected
    auto = hardware.chosen_precision("auto", "CPU")
    assert auto == ("bfloat16" if expected else "float32")
    assert hardware.chosen_precision("auto", "GPU") == "float32"
    assert hardware.chosen_precision("bfloat16", "CPU") == "bfloat16"


def test_a_bug_of_the_child_keeps_its_traceback():
    known = _raised("training", "MemoryError", "no room", "Traceback ...")
    assert isinstance(known, MemoryError)
    unknown = _raised("training", "ZeroDivisionError", "oh", "Traceback, line 3")
    assert isinstance(unknown, ChildBug)
    assert "ZeroDivisionError" in str(unknown)
    assert "line 3" in "".join(traceback.format_exception(unknown))
