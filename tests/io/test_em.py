"""Electron microscopes' files become stacks and images by their content."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from napari_phasemap.io.em import is_em, read_em
from napari_phasemap.io.read import describe, read_stack

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

    signal = {
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
    file_writer(str(path), signal)
    return path


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
    assert is_em(path)
    (stack,) = read_em(path).stacks
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
    contents = read_em(path)
    assert contents.stacks == ()
    assert contents.images[0].data.shape == (4, 6)
    assert contents.images[0].pixel_size == (0.5, 0.5)
    with pytest.raises(ValueError, match="1 images but no signal with an energy axis"):
        read_stack(path)


def test_lazy_data_stay_in_the_file(tmp_path):
    axes = [axis("x", 3, "nm"), axis("E", 5, "eV", 1.0, 10.0, navigate=False)]
    path = hspy_file(tmp_path / "line.hspy", np.ones((3, 5), np.float32), axes)
    (stack,) = read_em(path, lazy=True).stacks
    assert hasattr(stack.data, "dask")
    assert stack.data.shape == (5, 1, 3)


def test_the_low_loss_is_paired_with_its_core_loss(real_data):
    folder = real_data / "lsmo-eels-linescan"
    if not folder.is_dir():
        pytest.skip("no line scans")
    from napari_phasemap.io.em import EmContents

    core = read_stack(folder / "LSMO_linescan.hdf5")
    low = read_stack(folder / "LSMO_linescan_low_loss.hdf5")
    other = read_stack(folder / "LSMO_STO_linescan_low_loss.hdf5")
    contents = EmContents((core, other, low), ())
    assert contents.low_loss_of(core) is low
    assert core.data.shape == (586, 1, 40)
    assert core.pixel_size[1] == pytest.approx(3.219, abs=0.001)


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
    contents = read_em(path)
    assert len(contents.images) == n_images
    if shape is None:
        assert contents.stacks == ()
        return
    assert contents.stacks[0].data.shape == shape
    assert contents.stacks[0].energy[0] == pytest.approx(first)


def test_an_x_ray_microscope_s_hdf5_is_not_an_electron_microscope_s(real_data):
    path = real_data / "nxstxm-hermes" / "small_OK.hdf5"
    if not path.is_file():
        pytest.skip("no NXstxm file")
    assert not is_em(path)


def test_without_rosettasciio_the_extra_is_named(tmp_path, monkeypatch):
    path = msa_file(tmp_path / "a.msa")
    monkeypatch.setitem(sys.modules, "rsciio.msa", None)
    with pytest.raises(ImportError, match=r"pip install napari-phasemap\[em\]"):
        read_em(path)
    with pytest.raises(ValueError, match=r"pip install napari-phasemap\[em\]"):
        read_stack(path)


def test_damaged_and_foreign_files_are_refused(tmp_path):
    damaged = tmp_path / "a.dm3"
    damaged.write_bytes(b"\0\0\0\3" + bytes(60))
    with pytest.raises(ValueError, match=r"a\.dm3"):
        read_em(damaged)
    text = tmp_path / "b.txt"
    text.write_text("nothing")
    assert not is_em(text)
    assert not is_em(tmp_path / "missing")
    with pytest.raises(ValueError, match="no electron microscope"):
        read_em(text)
    with pytest.raises(FileNotFoundError):
        read_em(tmp_path / "missing.dm3")
