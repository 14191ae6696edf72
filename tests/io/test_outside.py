"""Files that reach outside themselves: nothing is taken from anywhere else."""

from __future__ import annotations

from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from writers import DIALECTS, counts, sdf_text, write_entry, write_image

from napari_phasemap import (
    Results,
    SpectralStack,
    StackSet,
    read_results,
    read_stack,
    write_results,
)
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io import outside
from napari_phasemap.io.read import is_readable
from napari_phasemap.io.samples import sample_references
from napari_phasemap.pipeline import run

ENERGY = [280.0, 284.5, 285.0]
SECRET = b"root:x:0:0:the secret of this machine\n"


@pytest.fixture
def secret(tmp_path):
    """A file that nobody wants to send, and an HDF5 file beside it."""
    path = tmp_path / "elsewhere" / "secret.txt"
    path.parent.mkdir()
    path.write_bytes(SECRET)
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file["values"] = counts()
    return path


def external_storage(file, name, secret):
    where = [(str(secret), 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(name, (len(SECRET),), "S1", external=where)


def external_numbers(file, name, secret):
    where = [(str(secret), 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(name, (3, 1, 3), np.float32, external=where)


def external_link(file, name, secret):
    file[name] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "/values")


def virtual(file, name, secret):
    layout = h5py.VirtualLayout((3, 4, 5), np.float64)
    layout[:] = h5py.VirtualSource(
        str(secret.with_suffix(".h5")), "values", shape=(3, 4, 5)
    )
    file.create_virtual_dataset(name, layout)


WAYS = [external_storage, external_numbers, external_link, virtual]


def planted(path, way, secret, place):
    with h5py.File(path, "r+") as file:
        if place in file:
            del file[place]
        way(file, place, secret)
    return path


@pytest.fixture
def stxm(tmp_path):
    path = tmp_path / "scan.hdf5"
    with h5py.File(path, "w") as file:
        write_entry(file, "entry1", counts(), ENERGY, DIALECTS["PolLux"])
    return path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "place",
    ["entry1/sample/notes", "entry1/counter0/data", "entry1/definition", "aside"],
)
def test_an_stxm_file_that_takes_something_along_is_refused(stxm, secret, way, place):
    planted(stxm, way, secret, place)
    with pytest.raises(InputError, match=rf"scan\.hdf5: {place} .*elsewhere/secret"):
        read_stack(stxm)
    assert not is_readable(stxm)


@pytest.mark.parametrize("way", [external_storage, virtual])
def test_a_block_before_the_hdf5_file_hides_nothing(tmp_path, secret, way):
    path = tmp_path / "scan.hdf5"
    with h5py.File(path, "w", userblock_size=512) as file:
        write_entry(file, "entry1", counts(), ENERGY, DIALECTS["PolLux"])
    planted(path, way, secret, "entry1/sample/notes")
    with pytest.raises(InputError, match=r"scan\.hdf5: entry1/sample/notes .*secret"):
        read_stack(path)


def test_texts_inside_of_records_are_read_where_they_may_crash():
    """Also values of any length that are a part of something are looked at."""
    with h5py.File("records", "w", driver="core", backing_store=False) as file:
        kind = np.dtype([("name", h5py.string_dtype()), ("number", "i4")])
        file.create_dataset("a", data=np.array([("text", 1)], kind))
        item, seen = file["a"].id, []
        noting = SimpleNamespace(
            shape=item.shape,
            dtype=item.dtype,
            get_type=item.get_type,
            read=lambda *spaces: seen.append(spaces[:2]),
        )
        outside._read(noting, outside._fixed_types(), "all", "all")
    assert seen == [("all", "all")]


def test_a_secret_reaches_no_results(stxm, secret, tmp_path):
    planted(stxm, external_storage, secret, "entry1/sample/notes")
    with pytest.raises(InputError, match="keeps its values in the file"):
        run([stxm], sample_references(), tmp_path / "out")
    held = [
        one
        for one in tmp_path.rglob("*")
        if one.is_file() and one != secret and b"the secret of" in one.read_bytes()
    ]
    assert held == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "place", ["stacks/0/data", "stacks/0/tree/json", "tree/json", "latent"]
)
def test_results_of_our_own_are_no_exception(tmp_path, secret, way, place):
    path = tmp_path / "results.h5"
    stack = SpectralStack(counts(), ENERGY)
    write_results(Results(stacks=StackSet([stack])), path)
    planted(path, way, secret, place)
    for read in (read_results, read_stack):
        with pytest.raises(InputError, match=rf"results\.h5: {place} .*elsewhere"):
            read(path)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["map.hspy", "map.emd"])
def test_electron_microscopes_files_are_refused_before_the_library_sees_them(
    tmp_path, secret, way, name, monkeypatch
):
    path = tmp_path / name
    with h5py.File(path, "w") as file:
        file.attrs["file_format"] = "HyperSpy" if name.endswith("hspy") else ""
        file.attrs["version_major"] = 0
        file.create_group("Experiments/made")
    planted(path, way, secret, "Experiments/made/data")
    monkeypatch.setattr("napari_phasemap.io.em.read_foreign", None)
    with pytest.raises(InputError, match=rf"{name}: Experiments/made/data .*elsewhere"):
        read_stack(path)


def test_a_soft_link_and_a_virtual_dataset_of_the_same_file_are_read(stxm):
    with h5py.File(stxm, "r+") as file:
        file.move("entry1/counter0/data", "entry1/counter0/raw")
        layout = h5py.VirtualLayout((3, 4, 5), np.float64)
        layout[:] = h5py.VirtualSource(file["entry1/counter0/raw"])
        file.create_virtual_dataset("entry1/counter0/data", layout)
        file["entry1/again"] = h5py.SoftLink("/entry1/counter0/raw")
    np.testing.assert_array_equal(read_stack(stxm).data, counts().astype(np.float32))


def test_a_file_that_changed_is_looked_through_again(stxm, secret):
    read_stack(stxm)
    planted(stxm, external_link, secret, "entry1/sample/notes")
    with pytest.raises(InputError, match="is a link to the file"):
        read_stack(stxm)


@pytest.fixture
def scan(tmp_path):
    """An SDF scan in a folder that somebody sent."""
    folder = tmp_path / "sent"
    folder.mkdir()
    x, y = ("Sample X", "um", np.arange(5.0)), ("Sample Y", "um", np.arange(4.0))
    for number, image in enumerate(counts()):
        write_image(folder / f"scan_a{number:03d}.xim", image)
    header = folder / "scan.hdr"
    header.write_text(sdf_text([(x, y)], ENERGY))
    return header


def test_an_image_that_is_a_link_to_another_folder_is_refused(scan, tmp_path):
    image = scan.with_name("scan_a001.xim")
    image.rename(tmp_path / "moved.xim")
    image.symlink_to(tmp_path / "moved.xim")
    with pytest.raises(InputError, match=r"scan_a001\.xim, which belongs to scan\.hdr"):
        read_stack(scan)
    image.unlink()
    (tmp_path / "moved.xim").rename(scan.with_name("other.xim"))
    image.symlink_to("other.xim")  # in the same folder
    np.testing.assert_array_equal(read_stack(scan).data, counts())


def test_a_scan_in_a_folder_that_is_a_link_is_read(scan, tmp_path):
    (tmp_path / "link").symlink_to(scan.parent)
    stack = read_stack(tmp_path / "link" / "scan.hdr")
    np.testing.assert_array_equal(stack.data, counts())


def test_energies_beside_a_tiff_are_no_link_to_another_folder(tmp_path, secret):
    import tifffile

    folder = tmp_path / "sent"
    folder.mkdir()
    path = folder / "stack.tif"
    tifffile.imwrite(path, counts().astype(np.float32), photometric="minisblack")
    (secret.parent / "e.txt").write_text("280\n284.5\n285\n")
    (folder / "stack.txt").symlink_to(secret.parent / "e.txt")
    with pytest.raises(InputError, match=r"stack\.txt, which belongs to stack\.tif"):
        read_stack(path)
    (folder / "stack.txt").rename(folder / "list.txt")
    with pytest.raises(InputError, match="3 images but no energies"):
        read_stack(path)


def test_an_ome_tiff_opens_no_other_file(tmp_path, secret):
    import tifffile

    other = secret.parent / "other.tif"
    tifffile.imwrite(other, np.full((2, 4, 5), 7, np.uint16), photometric="minisblack")
    path = tmp_path / "a.ome.tif"
    part = (
        '<TiffData IFD="{0}" FirstT="{1}"><UUID FileName="elsewhere/other.tif">'
        "urn:uuid:12345678-1234-1234-1234-123456789abc</UUID></TiffData>"
    )
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/'
        '2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
        'Type="uint16" SizeX="5" SizeY="4" SizeZ="1" SizeC="1" SizeT="3">'
        '<TiffData IFD="0" FirstT="0"/>'
        + "".join(part.format(number, number + 1) for number in range(2))
        + "</Pixels></Image></OME>"
    )
    tifffile.imwrite(
        path, np.ones((1, 4, 5), np.uint16), description=xml, metadata=None
    )
    with tifffile.TiffFile(path) as file:  # what the library would do on its own
        assert (file.series[0].asarray() == 7).any()
    with pytest.raises(InputError, match=r"a\.ome\.tif has 1 images"):
        read_stack(path, energies=ENERGY)
