from __future__ import annotations

import numpy as np
import pytest
import tifffile
from writers import counts

from napari_phasemap import read_stack

ENERGY = [280.0, 284.5, 285.0]


@pytest.fixture
def tiff(tmp_path):
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, counts(), photometric="minisblack", compression="zlib")
    return path


def test_a_tiff_finds_the_text_file_of_its_name(tiff):
    tiff.with_suffix(".txt").write_text("* energies\n280.0\n284.5\n285.0\n")
    stack = read_stack(tiff)
    np.testing.assert_array_equal(stack.data, counts())
    assert stack.energy.tolist() == ENERGY
    assert "energies from scan.txt" in stack.history


def test_a_tiff_finds_the_only_text_file_with_one_number_per_page(tiff):
    tiff.with_name("Energy.txt").write_text("280.0\r\n284.5\r\n285.0")
    tiff.with_name("notes.txt").write_text("dwell was 3 ms")
    tiff.with_name("two.txt").write_text("1\n2\n")
    assert read_stack(tiff).energy.tolist() == ENERGY


def test_two_text_files_that_fit_are_not_guessed_between(tiff):
    for name in ("a.txt", "b.txt"):
        tiff.with_name(name).write_text("280\n284.5\n285\n")
    with pytest.raises(ValueError, match=r"several fit: a\.txt, b\.txt.*energies="):
        read_stack(tiff)


def test_a_tiff_without_energies_says_how_to_give_them(tiff):
    with pytest.raises(ValueError, match=r"3 images but no energies.*scan\.txt"):
        read_stack(tiff)


@pytest.mark.parametrize("as_file", [False, True])
def test_energies_are_given_as_numbers_or_as_a_file(tiff, tmp_path, as_file):
    given = ENERGY
    if as_file:
        (tmp_path / "sub").mkdir()
        given = tmp_path / "sub" / "axis.csv"
        given.write_text("energy,dwell\n280.0,1\n284.5,1\n285.0,1\n")
    assert read_stack(tiff, energies=given).energy.tolist() == ENERGY


def test_a_wrong_number_of_energies_names_both(tiff):
    with pytest.raises(ValueError, match="3 images but there are 2 energies"):
        read_stack(tiff, energies=[1.0, 2.0])


def test_a_color_image_is_no_stack(tmp_path):
    path = tmp_path / "photo.tif"
    tifffile.imwrite(path, np.zeros((8, 9, 3), np.uint8), photometric="rgb")
    with pytest.raises(ValueError, match="color image"):
        read_stack(path, energies=[1.0])


def test_a_single_page_with_one_energy_is_an_image(tmp_path):
    path = tmp_path / "one.tif"
    tifffile.imwrite(path, np.arange(12, dtype=np.uint16).reshape(3, 4))
    assert read_stack(path, energies=[350.0]).data.shape == (1, 3, 4)


def test_imagej_tells_the_pixel_size(tmp_path):
    path = tmp_path / "ij.tif"
    tifffile.imwrite(
        path, counts(), imagej=True, resolution=(20.0, 10.0), metadata={"unit": "um"}
    )
    np.testing.assert_allclose(
        read_stack(path, energies=ENERGY).pixel_size, (100.0, 50.0)
    )


@pytest.mark.parametrize("key", ["energy", "ev", "Energies"])
@pytest.mark.parametrize("last", [False, True])
def test_an_npz_needs_obvious_names_and_any_energy_axis(tmp_path, key, last):
    data = counts()
    images = np.moveaxis(data, 0, 2) if last else data
    path = tmp_path / "a.npz"
    np.savez(path, X=images, **{key: ENERGY}, pixel_size=[40.0, 50.0])
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data, data)
    assert stack.pixel_size == (40.0, 50.0)


def test_an_npz_keeps_mask_and_quantity(tmp_path):
    mask = np.eye(4, 5, dtype=bool)
    path = tmp_path / "a.npz"
    np.savez(path, data=counts(), energy=ENERGY, mask=mask, quantity="optical_density")
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.mask, mask)
    assert stack.quantity == "optical_density"


def test_an_npy_takes_given_energies(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.asfortranarray(counts()))
    np.testing.assert_array_equal(read_stack(path, energies=ENERGY).data, counts())
    with pytest.raises(ValueError, match="no energies"):
        read_stack(path)


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="holds object"):
        read_stack(path, energies=ENERGY)


def test_an_array_header_that_claims_too_much_allocates_nothing(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, counts())
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(3, 4, 5)", b"(3,9999999,9999999)", 1))
    with pytest.raises(ValueError, match=r"a\.npy"):
        read_stack(path, energies=ENERGY)
