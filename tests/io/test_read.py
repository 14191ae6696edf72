from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from writers import counts

from napari_phasemap import SpectralStack, read_stack, write_stack
from napari_phasemap.io.read import describe, is_readable


def test_the_extension_does_not_matter_when_the_content_is_known(tmp_path):
    stack = SpectralStack(counts(), [1.0, 2.0, 3.0])
    path = write_stack(stack, tmp_path / "stack.tif")
    np.testing.assert_array_equal(read_stack(path).data, stack.data)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.hdr", b"ENVI\nsamples = 10\nlines = 3\n", "ENVI header"),
        ("a.hdr", b"something else", "no ScanDefinition"),
        ("a.stk", b"\0\0\0\1", "Stony Brook"),
        ("a.xyz", b"hello", "no known format"),
        ("a", b"", "is empty"),
        ("a.hdr", b"ScanDefinition = {", "names no region"),
        ("a.tif", b"II*\0", "a.tif"),
        ("a.npz", b"PK\3\4", "a.npz"),
    ],
)
def test_other_files_are_refused_with_a_sentence(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said) as caught:
        read_stack(path)
    assert name in str(caught.value)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere\.hdr"):
        read_stack(tmp_path / "nowhere.hdr")
    with pytest.raises(ValueError, match="is a folder"):
        read_stack(tmp_path)


def test_readable_is_what_has_a_reader(tmp_path, write_sdf, write_nxstxm):
    header = write_sdf(counts(), [1.0, 2.0, 3.0])
    assert is_readable(header)
    assert is_readable(header.with_name("scan_a000.xim"))
    assert is_readable(write_nxstxm(counts(), [1.0, 2.0, 3.0]))
    other = tmp_path / "x.txt"
    other.write_text("280 1\n")
    for path in (other, tmp_path, tmp_path / "nowhere"):
        assert not is_readable(path)


def test_a_description_names_format_stacks_and_warnings(write_sdf):
    header = write_sdf(counts(), [280.0, 280.0, 285.0])
    header.with_name("scan_a002.xim").unlink()
    found = describe(header)
    assert found.format == "SDF"
    assert found.stacks[0].n_energies == 2
    assert len(found.warnings) == 1
    assert "1 missing" in found.warnings[0]
    assert "4 rows x 5 columns" in str(found)


def test_importing_the_readers_loads_no_file_library():
    code = (
        "import sys, napari_phasemap.io.read, napari_phasemap.io.spectra;"
        "heavy = ('h5py', 'tifffile', 'imageio', 'pandas', 'numba');"
        "print([name for name in heavy if name in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


def test_what_is_read_with_a_file_is_known(tmp_path):
    from napari_phasemap.io.read import companions

    for name in (
        "P1.hdr", "P1_a000.xim", "P1_a001.xim", "P1_0.xsp", "P10_a000.xim", "P1.txt",
        "stack.tif", "stack.csv", "stack.dat", "other.txt", "map.emi", "map_1.ser",
    ):  # fmt: skip
        (tmp_path / name).touch()

    def names(of):
        return [path.name for path in companions(tmp_path / of)]

    assert names("P1.hdr") == ["P1_0.xsp", "P1_a000.xim", "P1_a001.xim"]
    assert names("stack.tif") == ["stack.csv"]
    assert names("map.emi") == ["map_1.ser"]
    assert names("other.txt") == []
    (tmp_path / "map.zspy" / "data").mkdir(parents=True)
    (tmp_path / "map.zspy" / "data" / "0").touch()
    assert names("map.zspy") == ["0"]
