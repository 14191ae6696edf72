"""A damaged file is a sentence that names it; a bug of a reader is a bug."""

from __future__ import annotations

import os
import sys

import h5py
import numpy as np
import pytest
from writers import DIALECTS, counts, write_entry

from napari_phasemap import (
    Results,
    SpectralStack,
    StackSet,
    read_references,
    read_results,
    read_stack,
    write_results,
)
from napari_phasemap.core.data.errors import FileError, InputError, is_bug
from napari_phasemap.io import helper
from napari_phasemap.io.damage import parsing
from napari_phasemap.io.masks import read_mask
from napari_phasemap.io.particle_table import read_particle_table
from napari_phasemap.io.read import is_readable
from napari_phasemap.pipeline import Recipe

ENERGY = [280.0, 284.5, 285.0]


@pytest.fixture
def stxm(tmp_path):
    path = tmp_path / "scan.hdf5"
    with h5py.File(path, "w") as file:
        write_entry(file, "entry1", counts(), ENERGY, DIALECTS["PolLux"])
    return path


def planted_attribute(*_, **__):
    return None.shape


def planted_index(*_, **__):
    return [][0]


def planted_numpy(*_, **__):
    return np.ones(3) + np.ones(4)


@pytest.mark.parametrize(
    "planted",
    [planted_attribute, planted_index, planted_numpy],
    ids=lambda f: f.__name__,
)
def test_a_bug_in_a_reader_is_no_damaged_file(stxm, monkeypatch, planted):
    monkeypatch.setattr("napari_phasemap.io.nxstxm.energies", planted)
    with pytest.raises((AttributeError, IndexError, ValueError)) as caught:
        read_stack(stxm)
    assert is_bug(caught.value)
    assert "damaged" not in str(caught.value)


def test_a_bug_in_recognising_a_file_is_not_hidden(stxm, monkeypatch):
    monkeypatch.setattr("napari_phasemap.io.nxstxm.is_stxm", planted_attribute)
    with pytest.raises(AttributeError):
        is_readable(stxm)


def test_a_bug_in_reading_results_is_no_damaged_file(tmp_path, monkeypatch):
    path = tmp_path / "results.h5"
    write_results(Results(stacks=StackSet([SpectralStack(counts(), ENERGY)])), path)
    monkeypatch.setattr("napari_phasemap.io.results.read_stacks", planted_attribute)
    with pytest.raises(AttributeError):
        read_results(path)


def test_what_a_library_raises_names_the_file_and_is_logged(stxm, caplog):
    caplog.set_level("INFO")
    with (
        pytest.raises(InputError, match=r"scan\.hdf5 is damaged .*KeyError") as caught,
        parsing(stxm),
        h5py.File(stxm) as file,
    ):
        file["entry1"]["no such thing"]
    assert isinstance(caught.value.__cause__, KeyError)
    assert "Traceback" in caplog.text


def test_what_the_system_says_names_the_file(stxm):
    with pytest.raises(FileError, match=r"scan\.hdf5: disk"), parsing(stxm):
        raise OSError("disk")
    with pytest.raises(MemoryError, match=r"scan\.hdf5 needs"), parsing(stxm):
        np.empty(1 << 60, np.uint8)


def test_300_damaged_masks_name_their_file(tmp_path):
    import imageio.v3 as iio

    path = tmp_path / "mask.png"
    iio.imwrite(path, np.eye(20, 30, dtype=np.uint8) * 255)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    said = []
    for _ in range(300):
        damaged = content.copy()
        for at in rng.integers(8, len(content), rng.integers(1, 5)):
            damaged[at] = rng.integers(256)
        if rng.random() < 0.3:
            damaged = damaged[: rng.integers(8, len(damaged))]
        path.write_bytes(damaged)
        try:
            read_mask(path, (20, 30))
        except (InputError, OSError) as error:
            said.append(str(error))
    assert len(said) > 150
    assert [text for text in said if "mask.png" not in text] == []


def test_a_tiff_without_an_image_is_a_sentence(tmp_path):
    path = tmp_path / "mask.tif"
    path.write_bytes(b"II*\0" + bytes(12))
    with pytest.raises(InputError, match=r"mask\.tif"):
        read_mask(path, (20, 30))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
@pytest.mark.parametrize("name", ["pipe.h5", "pipe.ser"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, name):
    path = tmp_path / name
    os.mkfifo(path)
    readers = {
        "stack": read_stack,
        "results": read_results,
        "references": read_references,
        "mask": lambda path: read_mask(path, (2, 2)),
        "recipe": Recipe.load,
        "table": lambda path: read_particle_table(path, ["P1"]),
    }
    for read in readers.values():
        with pytest.raises(InputError, match=f"{name} is neither a file nor"):
            read(path)
    assert not is_readable(path)


@pytest.mark.parametrize("place", ["/", "stacks"])
def test_names_that_are_no_text_are_no_bug(stxm, tmp_path, place):
    """h5py leaves a name as bytes where it is no UTF-8."""
    own = write_results(
        Results(stacks=StackSet([SpectralStack(counts(), ENERGY)])), tmp_path / "a.h5"
    )
    for path, read in ((stxm, read_stack), (own, read_results)):
        with h5py.File(path, "r+") as file:
            group = file.require_group(place).id
            h5py.h5g.create(group, b"\xff\xfe")
        assert read(path) is not None


class Crashing(helper.FileHelper):
    """A helper whose child does something else than it is asked."""

    def __init__(self, code, folder):
        super().__init__()
        (folder / "crashing_worker.py").write_text(
            "from napari_phasemap.io import helper_worker\n"
            "from napari_phasemap.process.serving import serve\n"
            "import os, signal, sys, time\n"
            f"def look(file):\n    {code}\n    return None\n"
            "helper_worker.look_through = look\n"
            "serve(helper_worker.Worker)\n"
        )
        self._worker = "crashing_worker"


@pytest.fixture
def use(tmp_path, monkeypatch):
    """Let a helper with other code meet files first."""
    made = []

    def start(code):
        monkeypatch.setenv("PYTHONPATH", ":".join([str(tmp_path), *sys.path]))
        made.append(Crashing(code, tmp_path))
        monkeypatch.setattr(helper, "_helper", lambda: made[-1])
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_file_that_crashes_the_library_is_a_sentence_and_the_next_one_is_read(
    stxm, use
):
    use("'bad' in file.filename and os.kill(os.getpid(), signal.SIGSEGV)")
    bad = stxm.with_name("bad.hdf5")
    bad.write_bytes(stxm.read_bytes())
    with pytest.raises(InputError, match=r"bad\.hdf5 crashes the library.*signal 11"):
        read_stack(bad)
    assert read_stack(stxm).data.shape == (3, 4, 5)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the system")
@pytest.mark.parametrize("where", ["attribute of the root", "array"])
def test_texts_that_keep_the_hdf5_library_for_ever_are_a_sentence(
    tmp_path, monkeypatch, where
):
    monkeypatch.setitem(helper.FREE_SECONDS, "look", 1.0)
    path = tmp_path / "scan.hdf5"
    with h5py.File(path, "w") as file:
        if where == "array":
            file["entry1/definition"] = "NXstxm"
        else:
            file.attrs["format"] = "napari-phasemap"
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")  # where texts are; its first object loses its size
    content[heap + 16 : heap + 32] = bytes(16)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"scan\.hdf5 takes longer than 1 s"):
        read_stack(path)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the system")
def test_a_file_that_computes_for_ever_is_a_sentence(stxm, use, monkeypatch):
    monkeypatch.setitem(helper.FREE_SECONDS, "look", 1.0)
    use("while True: pass")
    with pytest.raises(InputError, match=r"scan\.hdf5 takes longer than 1 s"):
        read_stack(stxm)


def test_a_file_that_waits_for_ever_is_a_sentence(stxm, use, monkeypatch):
    monkeypatch.setitem(helper.FREE_SECONDS, "look", 1.0)
    monkeypatch.setattr(helper, "PATIENCE", 5.0)
    use("time.sleep(100)")
    with pytest.raises(InputError, match=r"scan\.hdf5 takes longer than 1 s"):
        read_stack(stxm)


def test_a_bug_in_the_helper_is_a_bug(stxm, use):
    use("None.shape")
    with pytest.raises(RuntimeError, match="AttributeError in the file process") as bug:
        read_stack(stxm)
    assert is_bug(bug.value)


def test_a_warm_helper_is_asked_once_for_a_file(stxm, monkeypatch):
    read_stack(stxm)
    asked = []
    original = helper.FileHelper._asked

    def count(self, path, request):
        asked.append(request["do"])
        return original(self, path, request)

    monkeypatch.setattr(helper.FileHelper, "_asked", count)
    read_stack(stxm)
    assert asked == []
    stxm.touch()
    read_stack(stxm)
    assert asked == ["look"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_file_that_asks_for_too_much_memory_is_a_sentence(tmp_path):
    from rsciio.hspy import file_writer  # noqa: F401 # RosettaSciIO is there

    path = tmp_path / "a.hspy"
    with h5py.File(path, "w") as file:
        file.attrs["file_format"], file.attrs["file_format_version"] = "HyperSpy", "3.3"
        group = file.create_group("Experiments/a")
        # Nothing is stored, and 40 GB are claimed.
        group.create_dataset("data", (100_000, 100_000), "f4", chunks=(1000, 1000))
        for number in range(2):
            axis = group.create_group(f"axis-{number}")
            axis.attrs.update(
                name="E" if number else "x", units="eV" if number else "nm", scale=1.0,
                offset=0.0, size=100_000, navigate=not number,
                _type="UniformDataAxis", index_in_array=number,
            )  # fmt: skip
        group.create_group("metadata/General").attrs["title"] = "a"
        group.create_group("original_metadata")
    with pytest.raises(InputError, match=r"a\.hspy asks for more than .* GB of memory"):
        read_stack(path)
