from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace

import h5py
import numpy as np
import pytest
from writers import counts

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
from napari_phasemap.core.data.noise import density_noise
from napari_phasemap.io.atomic import replacing
from napari_phasemap.io.results import NamedPixels

METADATA = {
    "text": "µm \0 \U0001f52c",
    "nested": {"list": [1, 2.5, None, True], "tuple": ("a", ("b", 3))},
    "array": np.array([[1.5, np.nan], [np.inf, -0.0]]),
    "ints": np.arange(5, dtype=np.uint16),
    "bytes": b"\xb5\x00",
    "complex": 1 + 2j,
    "big": 2**70,
    "__kind__": "array",
    "nan": float("nan"),
    "empty": {},
}


def same(a, b):
    """Whether two values have the same types and bits."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and all(map(same, a, b)) and len(a) == len(b)
    return type(a) is type(b) and (a == b or (a != a and b != b))


@pytest.fixture
def stack():
    data = counts()
    data[1] = np.nan
    data[0, 0, 0] = -0.0
    return SpectralStack(
        data,
        [280.0, 284.5, 285.0 + 1e-13],
        mask=np.eye(4, 5, dtype=bool),
        quantity="optical_density",
        pixel_size=(40.1, 50.2),
        origin="lower",
        name="P1 é/2",
        metadata=METADATA,
        history=("read", "aligned"),
    )


def assert_same_stack(got, expected):
    for key in ("data", "energy", "mask"):
        assert same(np.asarray(getattr(got, key)), np.asarray(getattr(expected, key)))
    for key in ("quantity", "pixel_size", "origin", "name", "history"):
        assert getattr(got, key) == getattr(expected, key)
    assert same(dict(got.metadata), dict(expected.metadata))


def test_a_stack_comes_back_bit_by_bit(stack, tmp_path):
    path = write_stack(stack, tmp_path / "stack.h5")
    assert_same_stack(read_stack(path), stack)


def test_a_bare_stack_comes_back(tmp_path):
    bare = SpectralStack(np.zeros((1, 1, 1)), [5.0])
    got = read_stack(write_stack(bare, tmp_path / "a.h5"))
    assert got.pixel_size is None
    assert got.data.shape == (1, 1, 1)


def test_the_noise_comes_back_with_the_stack(stack, tmp_path):
    noise = density_noise([100.0, np.nan, 300.0], i0_variance=2.0, dark=5.0)
    lines = np.arange(40.0).reshape(2, 4, 5)
    noise = noise.with_line(np.eye(3), *lines, np.array([-1.0, 0.0, 2.5]))
    stack = replace(stack, noise=noise)
    found = read_stack(write_stack(stack, tmp_path / "a.h5")).noise
    for one in fields(noise):
        assert same(getattr(found, one.name), getattr(noise, one.name)), one.name
    bare = read_stack(write_stack(replace(stack, noise=None), tmp_path / "b.h5"))
    assert bare.noise is None


def test_a_dask_stack_is_written_frame_by_frame(stack, tmp_path):
    da = pytest.importorskip("dask.array")
    lazy = SpectralStack(da.from_array(np.asarray(stack.data)), stack.energy)
    got = read_stack(write_stack(lazy, tmp_path / "a.h5"))
    assert same(np.asarray(got.data), np.asarray(stack.data))


def test_an_existing_file_is_only_replaced_on_request(stack, tmp_path):
    path = write_stack(stack, tmp_path / "a.h5")
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write_stack(stack, path)
    assert path.read_bytes() == before
    write_stack(stack.with_step("more"), path, overwrite=True)
    assert read_stack(path).history[-1] == "more"
    assert [file.name for file in tmp_path.iterdir()] == ["a.h5"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with replacing(path, overwrite=True) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_beside_a_file_goes_with_the_next(stack, tmp_path):
    path = tmp_path / "a.h5"
    code = (
        "import os, pathlib\n"
        "from napari_phasemap.io.atomic import replacing\n"
        f"with replacing({str(path)!r}) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    (hidden,) = tmp_path.iterdir()
    assert hidden.name.startswith(".a.h5-")
    write_stack(stack, path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(stack, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_stack(stack, tmp_path / "nowhere" / "a.h5")


def test_a_newer_version_is_refused_with_a_sentence(stack, tmp_path):
    path = write_stack(stack, tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(ValueError, match=r"version 99.*update napari-phasemap"):
        read_stack(path)


@pytest.fixture
def results(stack):
    other = SpectralStack(
        counts(seed=3), stack.energy, quantity="optical_density", name="P2"
    )
    stacks = StackSet([stack, other])
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(stacks.n_pixels, 3)).astype(np.float32)
    scores[0] = np.nan
    phases = PhaseMap.from_scores(
        scores, ["a", "b/c", "ü"], parameters={"threshold": 1}
    )
    pixels = rng.random(stacks.n_pixels) > 0.5
    return Results(
        stacks=stacks,
        references=ReferenceSpectra(
            ["a", "b"],
            [1.0, 2.0],
            [[0.0, 1.0], [1.0, 0.0]],
            [[0.1, 0.2], [np.nan, np.nan]],
        ),
        maps={"phase_map": phases, "resolved/knn": phases.with_labels(phases.labels)},
        latent=rng.normal(size=(stacks.n_pixels, 2)).astype(np.float32),
        latent_name="GMVAE",
        features={"thickness": rng.random(stacks.n_pixels)},
        selections=(NamedPixels("rim", pixels, "#ff0000"),),
        threshold=0.007,
        recipe={"steps": [{"step": "pearson_map", "threshold": 0.007}]},
    )


def test_results_come_back_bit_by_bit(results, tmp_path):
    got = read_results(write_results(results, tmp_path / "results.h5"))
    for a, b in zip(got.stacks, results.stacks, strict=True):
        assert_same_stack(a, b)
    assert got.references.names == results.references.names
    assert same(got.references.spectra, results.references.spectra)
    assert same(got.references.errors, results.references.errors)
    assert list(got.maps) == ["phase_map", "resolved/knn"]
    for name, phases in results.maps.items():
        for key in ("labels", "runner_up", "best", "margin", "scores"):
            assert same(getattr(got.maps[name], key), np.array(getattr(phases, key)))
        for key in ("names", "colors", "method"):
            assert getattr(got.maps[name], key) == getattr(phases, key)
        assert dict(got.maps[name].parameters) == dict(phases.parameters)
    assert same(got.latent, results.latent)
    assert same(got.features["thickness"], results.features["thickness"])
    assert same(got.selections[0].pixels, results.selections[0].pixels)
    assert (got.selections[0].name, got.selections[0].color) == ("rim", "#ff0000")
    assert (got.latent_name, got.threshold) == ("GMVAE", 0.007)
    assert got.recipe == results.recipe


def test_results_with_nothing_found_yet_come_back(stack, tmp_path):
    results = Results(stacks=StackSet([stack]))
    got = read_results(write_results(results, tmp_path / "a.h5"))
    assert got.references is None
    assert got.latent is None
    assert not got.maps
    assert got.threshold == 0.005


def test_the_stacks_of_a_results_file_open_as_stacks(results, tmp_path):
    stacks = read_stack(write_results(results, tmp_path / "a.h5"))
    assert [stack.name for stack in stacks] == ["P1 é/2", "P2"]


def test_arrays_of_other_pixels_are_refused(stack):
    with pytest.raises(ValueError, match="latent has 7 pixels, the stacks 4"):
        Results(stacks=StackSet([stack]), latent=np.zeros((7, 2), np.float32))


def test_a_stack_file_holds_no_results(stack, tmp_path):
    path = write_stack(stack, tmp_path / "a.h5")
    with pytest.raises(ValueError, match="use read_stack"):
        read_results(path)


def test_energies_are_not_given_to_a_file_that_has_them(stack, tmp_path):
    path = write_stack(stack, tmp_path / "a.h5")
    with pytest.raises(ValueError, match="leave out energies="):
        read_stack(path, energies=[1.0, 2.0, 3.0])


def test_where_the_zero_loss_lies_is_kept(tmp_path):
    stack = SpectralStack(np.ones((3, 2, 2)), [1.0, 2.0, 3.0])
    for number, value in enumerate((None, 0.0, -1.25)):
        path = write_stack(replace(stack, zero_loss=value), tmp_path / f"{number}.h5")
        assert read_stack(path).zero_loss == value
