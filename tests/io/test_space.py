"""A disk that fills up is a sentence, and what was there before stays whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest

from napari_phasemap import (
    PhaseMap,
    ReferenceSpectra,
    Results,
    SpectralStack,
    StackSet,
    read_results,
    read_stack,
    write_results,
    write_stack,
)
from napari_phasemap.io.results import NamedPixels, _write
from napari_phasemap.io.space import EMPTY, PER_ITEM, Counted

SHAPE = (6, 60, 50)


def stack(seed=0):
    rng = np.random.default_rng(seed)
    return SpectralStack(
        rng.random(SHAPE, dtype=np.float32),
        np.arange(6.0) + 700,
        metadata={"a": {"b": np.arange(300.0)}, "text": "x" * 1000},
    )


def results(seed=0):
    stacks = StackSet([stack(seed)])
    rng = np.random.default_rng(seed)
    scores = rng.random((stacks.n_pixels, 3), dtype=np.float32)
    return Results(
        stacks=stacks,
        references=ReferenceSpectra(
            ("A", "B", "C"), np.arange(6.0), rng.random((3, 6))
        ),
        maps={"phase_map": PhaseMap.from_scores(scores, ("A", "B", "C"))},
        latent=rng.random((stacks.n_pixels, 3), dtype=np.float32),
        features={"f": rng.random(stacks.n_pixels)},
        selections=(NamedPixels("s", rng.random(stacks.n_pixels) > 0.5, "#ff0000"),),
        recipe={"steps": ["a", "b"], "numbers": np.arange(10)},
    )


def test_what_is_counted_is_a_little_more_than_what_is_written(tmp_path):
    counted = Counted()
    _write(counted, results())
    size = write_results(results(), tmp_path / "a.h5").stat().st_size
    n_items = 60
    assert size <= counted.n_bytes <= 1.02 * size + EMPTY + n_items * PER_ITEM


def test_labels_that_do_not_shrink_are_counted_in_full(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1 << 30, (333, 777), dtype=np.int32)
    counted = Counted()
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for group in (file, counted):
            group.create_dataset("x", data=values, compression="gzip")
    assert path.stat().st_size <= counted.n_bytes


FILL = """
import sys, resource
sys.path.insert(0, {tests!r})
from test_space import results, stack
from napari_phasemap import write_results, write_stack
from napari_phasemap.core.data.errors import FileError
what = {what!r}
write, value = write_stack, stack
if what == "results":
    write, value = write_results, results
if {limit}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
try:
    write(value({seed}), {path!r}, overwrite=True)
except FileError as error:
    print("SAID", error)
else:
    print("WRITTEN")
"""


def fill(path, what, limit=0, seed=1):
    """Write in a process of its own, so that a crash is seen; return what it says."""
    code = FILL.format(
        tests=os.path.dirname(__file__),
        what=what,
        limit=limit,
        path=str(path),
        seed=seed,
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout


def checked(path, what, said):
    """The file is what was written, or what was there before; nothing else is left."""
    read = {"stack": read_stack, "results": read_results}[what](path)
    made = {"stack": stack, "results": results}[what]
    one = read if what == "stack" else read.stacks[0]
    seed = 1 if said.startswith("WRITTEN") else 0
    expected = made(seed) if what == "stack" else made(seed).stacks[0]
    np.testing.assert_array_equal(one.data, expected.data)
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    if said.startswith("SAID"):
        assert path.name in said
        assert re.search(r"needs up to [\d.]+ MB, and there are [\d.e+]+ MB", said)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the system")
@pytest.mark.parametrize("what", ["stack", "results"])
@pytest.mark.parametrize("kilobytes", [1, 20, 50, 75])
def test_a_file_that_may_not_grow_is_a_sentence(tmp_path, what, kilobytes):
    path = tmp_path / "out.h5"
    (write_stack if what == "stack" else write_results)(
        stack() if what == "stack" else results(), path
    )
    said = fill(path, what, limit=kilobytes << 10)
    assert said.startswith("SAID")
    checked(path, what, said)


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of so many kilobytes; only an administrator can."""
    mounted = []

    def mount(kilobytes):
        folder = tmp_path / f"disk{kilobytes}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"]
        done = subprocess.run([*command, str(folder)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("no right to mount a small file system")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only an administrator can mount a small file system",
)
@pytest.mark.parametrize("what", ["stack", "results"])
def test_a_disk_that_fills_up_is_a_sentence_at_every_size(small_disk, what):
    endings = []
    size = 100 if what == "stack" else 240  # kilobytes of the earlier file, and some
    for kilobytes in np.linspace(size, 3 * size, 6).astype(int):
        path = small_disk(int(kilobytes)) / "out.h5"
        first = fill(path, what, seed=0)
        if first.startswith("SAID"):
            assert list(path.parent.iterdir()) == []
            continue
        said = fill(path, what)
        checked(path, what, said)
        endings.append(said.split()[0])
    assert set(endings) == {"SAID", "WRITTEN"}


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    real = tmp_path / "elsewhere" / "real.h5"
    real.parent.mkdir()
    link = tmp_path / "out.h5"
    link.symlink_to(real)
    write_stack(stack(), link)
    assert link.is_symlink()
    np.testing.assert_array_equal(read_stack(real).data, stack().data)
    with pytest.raises(FileExistsError):
        write_stack(stack(1), link)
    write_stack(stack(1), link, overwrite=True)
    assert link.is_symlink()
    np.testing.assert_array_equal(read_stack(real).data, stack(1).data)


def test_a_bug_while_writing_is_no_full_disk(tmp_path, monkeypatch):
    def planted(group, values):
        raise RuntimeError("planted")

    monkeypatch.setattr("napari_phasemap.io.stackfile.write_tree", planted)
    with pytest.raises(RuntimeError, match="planted"):
        write_stack(stack(), tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []
