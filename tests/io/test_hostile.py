"""Damaged and hostile files: an error that names the file, soon, and little memory."""

from __future__ import annotations

import shutil
import tempfile
import time
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from writers import DIALECTS, counts, sdf_text, write_entry, write_image

from napari_phasemap import (
    Results,
    SpectralStack,
    StackSet,
    read_references,
    read_results,
    read_stack,
    write_results,
)
from napari_phasemap.core.data.errors import FORESEEN
from napari_phasemap.io.read import is_readable

bounded = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
ENERGY = [280.0, 284.5, 285.0]
#: What a reader may allocate for any of the small files of this module.
MOST_BYTES = 96 << 20
#: Seconds of the processor that a reader may take for one.
LONGEST = 1.0


def survives(read, path):
    """Read; whatever is wrong must come as an error that names the file."""
    start = time.process_time()
    said = answer(read, path)
    used = time.process_time() - start
    # Apart: what watches memory makes reading several times as slow.
    tracemalloc.start()
    try:
        answer(read, path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.name in said
    assert used < LONGEST
    assert peak < MOST_BYTES


def answer(read, path):
    try:
        read(path)
    except FORESEEN as error:  # a bare ValueError would be a bug of ours
        return str(error)
    return path.name


BYTES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"(", b")", b"{", b"}", b";", b"=", b'"', b"1000000000", b"-1", b"nan",
         b"1e999", b"(99999999, 1, 2)", b"\0", b"\xff\xff\xff\x7f", b"0"]
    ),
)  # fmt: skip
CHANGES = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from(["cut", "insert", "replace", "end"]),
        st.integers(1, 60), BYTES,
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


def changed(content, changes):
    for where, how, length, payload in changes:
        at = int(where * len(content))
        if how == "cut":
            content = content[:at] + content[at + length :]
        elif how == "insert":
            content = content[:at] + payload + content[at:]
        elif how == "replace":
            content = content[:at] + payload + content[at + len(payload) :]
        else:
            content = content[:at]
    return content


@pytest.fixture(scope="module")
def folder():
    path = Path(tempfile.mkdtemp())
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def sdf(folder):
    x = ("Sample X", "um", np.arange(5.0))
    y = ("Sample Y", "um", np.arange(4.0))
    for number, image in enumerate(counts()):
        write_image(folder / f"scan_a{number:03d}.xim", image)
    return sdf_text([(x, y)], ENERGY).encode()


@bounded
@given(changes=CHANGES)
def test_mutated_headers(folder, sdf, changes):
    path = folder / "scan.hdr"
    path.write_bytes(changed(sdf, changes))
    survives(read_stack, path)


@bounded
@given(changes=CHANGES)
def test_mutated_real_headers(folder, real_data, changes):
    source = real_data / "sdf-maxiv"
    for name in ("max_iv_a000.xim", "max_iv_a001.xim"):
        if not (folder / name).exists():
            shutil.copyfile(source / name, folder / name)
    path = folder / "max_iv.hdr"
    path.write_bytes(changed((source / "max_iv.hdr").read_bytes(), changes))
    survives(read_stack, path)


@bounded
@given(changes=CHANGES)
def test_mutated_images(folder, sdf, changes):
    path = folder / "scan.hdr"
    path.write_bytes(sdf)
    image = folder / "scan_a001.xim"
    content = image.read_bytes()
    image.write_bytes(changed(content, changes))
    try:
        survives(read_stack, path)
    finally:
        image.write_bytes(content)


def test_a_header_of_a_billion_by_a_billion_pixels_allocates_nothing(folder):
    x = "(1000000000, 1.0, 2.0)"
    path = folder / "huge.hdr"
    for pair in ((x, x), ("(2, 1, 2)", x)):
        axes = [f'{{ Name = "Sample X"; Unit = "um"; Points = {p}; }}' for p in pair]
        path.write_text(
            'ScanDefinition = { Type = "NEXAFS Image Scan"; Flags = "Image Stack";'
            f"Regions = (1, {{ PAxis = {axes[0]}; QAxis = {axes[1]}; }});"
            'StackAxis = { Name = "Energy"; Unit = "eV"; Points = (1, 280); }; };'
        )
        with pytest.raises(ValueError, match="1000000000 items but holds 2"):
            survives_raising(path)


def test_a_header_that_lists_more_than_its_images_hold_allocates_nothing(folder):
    axis = ("Sample X", "um", np.arange(5000.0))
    path = folder / "wide.hdr"
    path.write_text(sdf_text([(axis, axis)], ENERGY))
    write_image(folder / "wide_a000.xim", counts()[0])
    with pytest.raises(ValueError, match="long enough"):
        survives_raising(path)


def survives_raising(path):
    survives(read_stack, path)
    read_stack(path)


def test_deep_and_long_headers_end_soon(folder):
    path = folder / "deep.hdr"
    for unit in (b"A = { ", b"(1, ", b'"', b"= = ", b"} ", b"A = (2, "):
        path.write_bytes(b"ScanDefinition = {" + unit * 20000)
        survives(read_stack, path)


VALUES = st.sampled_from(
    [
        np.zeros((0,)), np.zeros((3, 0, 5)), np.float64(3.0), np.arange(3), b"text",
        "µm",
        np.array([b"a", b"b"]), np.full((3, 4, 5), np.nan), np.zeros((2, 2, 2, 2)),
        np.array([1, 2, 3], dtype="complex64"), np.array([(1, 2.0)], dtype="i4,f8"),
        np.array([np.inf, 1.0, 2.0]), np.array([5.0, 5.0, 5.0]),
        np.empty((3, 4, 5), "S3"),
        np.arange(60, dtype=np.int8).reshape(3, 4, 5), None, "group", "huge", "loop",
    ]
)  # fmt: skip


def plant(file, name, value):
    """Put something else where a dataset was, unless its group is no group."""
    parent = file.get(name.rpartition("/")[0] or "/")
    if not isinstance(parent, h5py.Group):
        return
    if name in file:
        del file[name]
    if value is None:
        return
    if isinstance(value, str) and value == "group":
        file.create_group(name)
    elif isinstance(value, str) and value == "huge":
        file.create_dataset(name, (10**9, 10**9), "f4", chunks=(1024, 1024))
    elif isinstance(value, str) and value == "loop":
        file[name] = file["/"]
    else:
        file[name] = value


def attribute(file, name, key, value):
    if name in file and value is not None:
        file[name].attrs[key] = value


STXM_NAMES = [
    "entry1/counter0/data", "entry1/counter0/energy", "entry1/counter0/sample_x",
    "entry1/counter0/sample_y", "entry1/counter0/stxm_scan_type", "entry1/definition",
    "entry1/counter0", "entry1/control/data", "entry1/extra",
]  # fmt: skip


@bounded
@given(
    dialect=st.sampled_from(sorted(DIALECTS)),
    planted=st.lists(st.tuples(st.sampled_from(STXM_NAMES), VALUES), max_size=3),
    attributes=st.lists(
        st.tuples(
            st.sampled_from(STXM_NAMES),
            st.sampled_from(["axes", "signal", "NX_class", "units", "axis"]),
            VALUES,
        ),
        max_size=2,
    ),
)
def test_mutated_stxm_trees(folder, dialect, planted, attributes):
    path = folder / "tree.hdf5"
    with h5py.File(path, "w") as file:
        write_entry(file, "entry1", counts(), ENERGY, DIALECTS[dialect])
        for name, value in planted:
            plant(file, name, value)
        for name, key, value in attributes:
            attribute(file, name, key, value)
    is_readable(path)
    survives(read_stack, path)


OWN_NAMES = [
    "stacks/0/data", "stacks/0/energy", "stacks/0/mask", "stacks/0/tree/json",
    "stacks/0",
    "stacks/0/tree/arrays/0", "stacks/x", "stacks", "tree", "tree/json", "latent",
]  # fmt: skip


@bounded
@given(
    planted=st.lists(st.tuples(st.sampled_from(OWN_NAMES), VALUES), max_size=3),
    version=st.one_of(st.just(1), VALUES),
)
def test_mutated_files_of_our_own(folder, planted, version):
    path = folder / "own.h5"
    stack = SpectralStack(counts(), ENERGY, metadata={"a": np.arange(3)})
    write_results(Results(stacks=StackSet([stack])), path, overwrite=True)
    with h5py.File(path, "r+") as file:
        for name, value in planted:
            plant(file, name, value)
        attribute(file, "/", "version", version)
    survives(read_stack, path)
    survives(read_results, path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.9, 0.99])
def test_truncated_hdf5_files(folder, share):
    path = folder / "cut.hdf5"
    with h5py.File(path, "w") as file:
        write_entry(file, "entry1", counts(), ENERGY, DIALECTS["PolLux"])
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises((ValueError, OSError), match=r"cut\.hdf5"):
        survives_raising(path)


@pytest.fixture(scope="module")
def tiff(folder):
    path = folder / "source.tif"
    tifffile.imwrite(path, counts(), photometric="minisblack", compression="zlib")
    return path.read_bytes()


@bounded
@given(changes=CHANGES)
def test_mutated_tiffs(folder, tiff, changes):
    path = folder / "mutated.tif"
    path.write_bytes(changed(tiff, changes))
    survives(lambda file: read_stack(file, energies=ENERGY), path)


@bounded
@given(changes=CHANGES, zipped=st.booleans())
def test_mutated_arrays(folder, changes, zipped):
    path = folder / ("mutated.npz" if zipped else "mutated.npy")
    if zipped:
        np.savez_compressed(path, data=counts(), energy=ENERGY)
    else:
        np.save(path, counts())
    path.write_bytes(changed(path.read_bytes(), changes))
    survives(lambda file: read_stack(file, energies=ENERGY), path)


SPECTRA = {
    "a.csv": b"energy,A,B\n280,1,2\n281,2,3\n283,0.5,9\n",
    "a.txt": b"% 1d\r\n% PEEK\r\n%  3\r\n% from\r\n 280 1\r\n 281 2\r\n 282 1\r\n",
    "a.msa": (
        b"#FORMAT : EMSA/MAS Spectral Data File\n#TITLE : x\n#NPOINTS : 3\n#XUNITS : eV"
        b"\n#DATATYPE : Y\n#XPERCHAN : 1\n#OFFSET : 2\n#SPECTRUM : x\n1\n2\n3\n"
    ),
}


@bounded
@given(changes=CHANGES, name=st.sampled_from(sorted(SPECTRA)))
def test_mutated_spectra(folder, changes, name):
    path = folder / name
    path.write_bytes(changed(SPECTRA[name], changes))
    survives(read_references, path)
