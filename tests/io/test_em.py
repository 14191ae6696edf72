"""Electron microscopes' files become stacks by their content."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError, MissingPackage
from napari_phasemap.io import em, helper_worker
from napari_phasemap.io.assemble import Options
from napari_phasemap.io.read import describe, is_readable, read_stack

pytest.importorskip("rsciio")


def msa_file(path, n=20):
    lines = ["#FORMAT      : EMSA/MAS Spectral Data File", "#VERSION     : 1.0"]
    lines += ["#TITLE       : test", f"#NPOINTS     : {n}.", "#NCOLUMNS    : 1."]
    lines += ["#XUNITS      : eV", "#YUNITS      : Counts", "#DATATYPE    : Y"]
    lines += ["#XPERCHAN    : 0.5", "#OFFSET      : 100.", "#SIGNALTYPE  : ELS"]
    lines += ["#SPECTRUM    : Spectral Data Starts Here"]
    lines += [*(f"{i}.0," for i in range(n)), "#ENDOFDATA   : "]
    path.write_text("\n".join(lines) + "\n")
    return path


def hspy_file(path, data, axes, title="made"):
    from rsciio.hspy import file_writer

    file_writer(str(path), signal_of(data, axes, title))
    return path


def signal_of(data, axes, title):
    return {
        "data": data,
        "axes": axes,
        "metadata": {"General": {"title": title}, "Signal": {"signal_type": "EELS"}},
        "original_metadata": {},
        "package_info": {"package": "test", "package_version": "0"},
        "learning_results": {},
        "attributes": {"_lazy": False},
        "models": {},
        "tmp_parameters": {},
    }


def axis(name, size, units, scale=1.0, offset=0.0, navigate=True):
    return {
        "name": name,
        "size": size,
        "units": units,
        "scale": scale,
        "offset": offset,
        "navigate": navigate,
        "_type": "UniformDataAxis",
    }


def test_a_spectrum_in_msa_is_one_pixel(tmp_path):
    path = msa_file(tmp_path / "a.msa")
    assert is_readable(path)
    stack = read_stack(path)
    assert stack.data.shape == (20, 1, 1)
    np.testing.assert_allclose(stack.energy, 100 + 0.5 * np.arange(20))
    np.testing.assert_array_equal(stack.data[:, 0, 0], np.arange(20))


@pytest.mark.parametrize("suffix", ["hspy", "hdf5"])
def test_the_energy_axis_is_found_by_its_unit(tmp_path, suffix):
    data = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5)
    axes = [
        axis("y", 2, "µm", 0.002),
        axis("x", 3, "µm", 0.003),
        axis("Energy loss", 5, "keV", 0.001, 0.1, navigate=False),
    ]
    path = hspy_file(tmp_path / f"a.{suffix}", data, axes)
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data, data.transpose(2, 0, 1))
    np.testing.assert_allclose(stack.energy, [100, 101, 102, 103, 104])
    np.testing.assert_allclose(stack.pixel_size, (2.0, 3.0))
    assert stack.name == "made"
    assert describe(path).format == "electron microscope"


def test_an_image_is_no_stack(tmp_path):
    axes = [axis("y", 4, "nm", 0.5), axis("x", 6, "nm", 0.5)]
    path = hspy_file(tmp_path / "image.hspy", np.ones((4, 6)), axes)
    with pytest.raises(ValueError, match="1 images but no signal with an energy axis"):
        read_stack(path)


def two_signals(tmp_path):
    """A map of 2 x 3 pixels in counts of two detectors, in one file."""
    import h5py

    axes = [axis("y", 2, "nm"), axis("x", 3, "nm")]
    paths = []
    for number, name in enumerate(("EELS", "EDS")):
        energy = axis("E", 5, "keV", 0.001, 0.1 + number, navigate=False)
        data = np.full((2, 3, 5), float(number + 1), np.float32)
        paths.append(hspy_file(tmp_path / f"{name}.hspy", data, [*axes, energy], name))
    with h5py.File(paths[0], "r+") as first, h5py.File(paths[1]) as second:
        second.copy("Experiments/EDS", first["Experiments"])
    return paths[0]


def test_one_of_several_signals_is_chosen_by_its_name(tmp_path):
    path = two_signals(tmp_path)
    assert sorted(stack.name for stack in read_stack(path)) == ["EDS", "EELS"]
    chosen = read_stack(path, detector="EDS")
    np.testing.assert_array_equal(chosen.data, np.full((5, 2, 3), 2.0))
    np.testing.assert_allclose(chosen.energy, [1100, 1101, 1102, 1103, 1104])
    with pytest.raises(InputError, match=r"no signal 'HAADF'; it has \['E"):
        read_stack(path, detector="HAADF")


def test_energies_and_unit_that_are_given_win_over_those_of_the_file(tmp_path):
    data = np.arange(20.0, dtype=np.float32).reshape(4, 5)
    axes = [axis("x", 4, "nm"), axis("E", 5, "eV", 1.0, 10.0, navigate=False)]
    path = hspy_file(tmp_path / "line.hspy", data, axes)
    given = [700.0, 701.0, 703.0, 704.0, 710.0]
    stack = read_stack(path, energies=given)
    np.testing.assert_array_equal(stack.energy, given)
    np.testing.assert_array_equal(stack.data[:, 0], data.T)
    assert any("given by the caller" in line for line in stack.history)
    in_kev = read_stack(path, energy_unit="keV")
    np.testing.assert_allclose(in_kev.energy, [10e3, 11e3, 12e3, 13e3, 14e3])
    with pytest.raises(InputError, match="3 energies for 5 images"):
        read_stack(path, energies=given[:3])


def test_energies_that_repeat_are_refused_or_merged(tmp_path):
    data = np.array([[1.0, 3.0, 5.0]], np.float32)
    tabulated = axis("E", 3, "eV", navigate=False)
    tabulated |= {"axis": np.array([10.0, 10.0, 12.0]), "_type": "DataAxis"}
    for name in ("scale", "offset"):
        del tabulated[name]
    path = hspy_file(tmp_path / "a.hspy", data, [axis("x", 1, "nm"), tabulated])
    with pytest.raises(InputError, match="more than one frame at 10 eV"):
        read_stack(path)
    merged = read_stack(path, duplicates="merge")
    np.testing.assert_array_equal(merged.energy, [10.0, 12.0])
    np.testing.assert_array_equal(merged.data[:, 0, 0], [2.0, 5.0])


def test_a_channel_without_counts_was_measured(tmp_path):
    data = np.ones((3, 5), np.float32)
    data[:, 2] = 0.0
    axes = [axis("x", 3, "nm"), axis("E", 5, "eV", 1.0, 10.0, navigate=False)]
    stack = read_stack(hspy_file(tmp_path / "line.hspy", data, axes))
    np.testing.assert_array_equal(stack.data[2], np.zeros((1, 3)))
    assert not stack.missing_frames.any()


def test_falling_energies_are_sorted_and_said(tmp_path):
    data = np.arange(5.0, dtype=np.float32)[None]
    axes = [axis("x", 1, "nm"), axis("E", 5, "eV", -1.0, 14.0, navigate=False)]
    stack = read_stack(hspy_file(tmp_path / "a.hspy", data, axes))
    np.testing.assert_array_equal(stack.energy, [10, 11, 12, 13, 14])
    np.testing.assert_array_equal(stack.data[:, 0, 0], [4, 3, 2, 1, 0])
    assert any("not in increasing order" in line for line in stack.history)


def test_metadata_come_as_plain_values(real_data):
    stack = read_stack(real_data / "em-formats" / "EELS_SI.dm4")
    assert stack.metadata["metadata"]["General"]["title"] == "EELS_SI"
    assert "ImageList" in stack.metadata["original_metadata"]


def test_a_zspy_folder_opens(tmp_path):
    pytest.importorskip("zarr")
    from rsciio.zspy import file_writer

    folder = tmp_path / "map.zspy"
    data = np.arange(30.0, dtype=np.float32).reshape(2, 3, 5)
    axes = [
        axis("y", 2, "nm", 0.5),
        axis("x", 3, "nm", 0.5),
        axis("E", 5, "eV", 1.0, 10.0, navigate=False),
    ]
    file_writer(str(folder), signal_of(data, axes, "made"))
    assert is_readable(folder)
    stack = read_stack(folder)
    np.testing.assert_array_equal(stack.data, data.transpose(2, 0, 1))
    assert stack.pixel_size == (0.5, 0.5)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    chunk = next(one for one in folder.rglob("data/0/**/0") if one.is_file())
    chunk.unlink()
    chunk.symlink_to(secret)
    with pytest.raises(InputError, match=r"0 is a link out of the folder"):
        read_stack(folder)


def test_another_folder_is_no_stack(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    assert not is_readable(folder)
    with pytest.raises(InputError, match="is a folder; give a file"):
        read_stack(folder)


@pytest.mark.parametrize(
    ("name", "shape", "first", "n_images"),
    [
        ("scifi-dm3-eels-si/DMReader_SpectrumImage_SI-EELS.dm3", (1024, 49, 6), 350, 0),
        ("scifi-dm3-eels-si/DMReader_EELS_STO.dm4", (2048, 1, 1), 350, 0),
        ("scifi-dm3-eels-si/DMReader_SI-HAADF.dm3", None, None, 1),
        ("em-formats/EELS_SI.dm4", (2048, 2, 2), 300, 0),
        ("em-formats/coreloss_spectrum.msa", (2048, 1, 1), 360, 0),
        ("em-formats/lowloss_spectrum.msa", (2048, 1, 1), -40, 0),
    ],
)
def test_real_files(real_data, name, shape, first, n_images):
    path = real_data / name
    if not path.is_file():
        pytest.skip(f"no {name}")
    if shape is None:
        with pytest.raises(InputError, match=f"holds {n_images} images but no signal"):
            read_stack(path)
        return
    stack = read_stack(path)
    assert stack.data.shape == shape
    assert stack.energy[0] == pytest.approx(first)


def test_an_x_ray_microscope_s_hdf5_is_not_an_electron_microscope_s(real_data):
    path = real_data / "nxstxm-hermes" / "small_OK.hdf5"
    if not path.is_file():
        pytest.skip("no NXstxm file")
    assert describe(path).format == "NXstxm HDF5"


def test_without_rosettasciio_the_extra_is_named(tmp_path, monkeypatch):
    path = msa_file(tmp_path / "a.msa")
    monkeypatch.setitem(sys.modules, "rsciio.msa", None)
    with pytest.raises(MissingPackage, match=r"pip install napari-phasemap\[em\]"):
        helper_worker._reader("msa", path)

    def lacks_a_package(name, lazy):
        raise ModuleNotFoundError("No module named 'sparse'")

    with pytest.raises(MissingPackage, match=r"a\.msa needs .* 'sparse'"):
        helper_worker._signals(lacks_a_package, path, "emd")


def test_damaged_and_foreign_files_are_refused(tmp_path):
    damaged = tmp_path / "a.dm3"
    damaged.write_bytes(b"\0\0\0\3" + bytes(60))
    with pytest.raises(InputError, match=r"a\.dm3"):
        read_stack(damaged)
    text = tmp_path / "b.txt"
    text.write_text("nothing")
    assert not is_readable(text)
    assert not is_readable(tmp_path / "missing")
    with pytest.raises(InputError, match="no electron microscope"):
        em.read(text, Options())
    with pytest.raises(FileNotFoundError):
        read_stack(tmp_path / "missing.dm3")


def test_a_companion_that_is_a_link_elsewhere_is_refused(tmp_path):
    folder = tmp_path / "sent"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(24))
    (folder / "map.rpl").write_text("key\tvalue\nwidth\t1\n")
    (folder / "map.raw").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match=r"map\.raw, which belongs to map\.rpl"):
        read_stack(folder / "map.rpl")
