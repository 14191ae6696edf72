from __future__ import annotations

import logging

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_phasemap import read_mask, read_references, read_spectrum
from napari_phasemap.core.data.errors import InputError

TABLE = "280.0 1.5\n281.0 2.5\n283.0 0.5\n"


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text", "called"),
    [
        ("PET.xsp", TABLE, "PET"),
        ("a.txt", "% 1d\r\n% PEEK\r\n%  3\r\n% from stack\r\n" + TABLE, "PEEK"),
        ("one.txt", "% 1d\n% 1\n%  3\n" + TABLE, "one"),
        ("a.csv", "energy,NiO\n280,1.5\n281,2.5\n283,0.5\n", "NiO"),
        ("a.csv", "\ufeffenergy (eV),NiO\n280,1.5,\n281,2.5,\n283,0.5,\n", "NiO"),
        ("semi.csv", "eV;OD\n280,0;1,5\n281,0;2,5\n283,0;0,5\n", "semi"),
        ("a.tsv", "energy\tNiO\n280\t1.5\n281\t2.5\n283\t0.5\n", "NiO"),
        ("a.xas", "* Common name: iron\n* eV, value\n280, 1.5\n281, 2.5\n283, 0.5\n",
         "iron"),
        ("a.dat", "# made by hand\n! again\n\n" + TABLE, "a"),
        ("plain", "\n" + TABLE + "\n# the end\n", "plain"),
    ],
)  # fmt: skip
def test_two_columns_are_read_as_they_come(tmp_path, name, text, called):
    references = read_references(write(tmp_path, name, text))
    assert references.names == (called,)
    assert references.energy.tolist() == [280.0, 281.0, 283.0]
    assert references.spectra.tolist() == [[1.5, 2.5, 0.5]]


def test_many_columns_take_their_names_from_the_header(tmp_path):
    path = write(tmp_path, "a.csv", "energy,A b,C\n280,1,2\n281,3,4\n")
    references = read_references([path])
    assert references.names == ("A b", "C")
    assert references.spectra.tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_several_columns_without_names_are_asked_for_then_numbered(tmp_path):
    path = write(tmp_path, "lib.txt", "280 1 2\n281 3 4\n")
    with pytest.raises(InputError, match="3 columns have no names"):
        read_references(path)
    told = read_references(path, columns={"energy": 1, "mu": [2, 3]})
    assert told.names == ("lib 1", "lib 2")
    assert told.spectra.tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_xdi_columns_have_their_names(tmp_path):
    text = "# XDI/1.0\n# Column.1: energy eV\n# Column.2: Magnetite\n# ---\n" + TABLE
    assert read_references(write(tmp_path, "a.nor", text)).names == ("Magnetite",)


@pytest.mark.parametrize("kind", ["XY", "Y"])
def test_emsa_files_are_read_by_their_keywords(tmp_path, kind):
    rows = "1.0, 2.0\n3.0, 4.0\n" if kind == "Y" else "0.5,1\n0.75,2\n1,3\n1.25,4\n"
    text = (
        "#FORMAT : EMSA/MAS Spectral Data File\n#TITLE : TiO2\n#NPOINTS : 4.\n"
        f"#XUNITS : keV\n#DATATYPE : {kind}\n#XPERCHAN : 0.25\n#OFFSET : 0.5\n"
        f"#SPECTRUM : here\n{rows}#ENDOFDATA :\n"
    )
    references = read_references(write(tmp_path, "a.msa", text))
    assert references.names == ("TiO2",)
    assert references.energy.tolist() == [500.0, 750.0, 1000.0, 1250.0]
    assert references.spectra.tolist() == [[1.0, 2.0, 3.0, 4.0]]


def test_an_emsa_file_cut_short_names_both_numbers(tmp_path):
    text = (
        "#FORMAT : EMSA/MAS Spectral Data File\n#NPOINTS : 5\n#DATATYPE : Y\n"
        "#XPERCHAN : 1\n#OFFSET : 0\n1\n2\n"
    )
    with pytest.raises(ValueError, match="NPOINTS 5 but holds 2"):
        read_references(write(tmp_path, "a.msa", text))


def test_other_axes_meet_on_the_finest_without_extrapolation(tmp_path, caplog):
    wide = write(tmp_path, "wide.txt", "270 0\n290 20\n")
    fine = write(tmp_path, "fine.txt", "275 1\n276 2\n277 5\n295 9\n")
    with caplog.at_level(logging.INFO):
        references = read_references([wide, fine])
    assert references.energy.tolist() == [275.0, 276.0, 277.0]
    assert references.spectra.tolist() == [[5.0, 6.0, 7.0], [1.0, 2.0, 5.0]]
    assert "275-277 eV" in caplog.text


def test_axes_without_a_common_range_are_refused_with_both(tmp_path):
    a = write(tmp_path, "a.txt", "270 0\n280 1\n")
    b = write(tmp_path, "b.txt", "290 0\n300 1\n")
    with pytest.raises(ValueError, match=r"a\.txt 270-280 eV, b\.txt 290-300 eV"):
        read_references([a, b])


def test_equal_names_are_told_apart(tmp_path):
    (tmp_path / "sub").mkdir()
    paths = [
        write(tmp_path, "ox.t", TABLE),
        write(tmp_path, "ox.r", TABLE),
        write(tmp_path / "sub", "ox.t", TABLE),
    ]
    assert read_references(paths).names == ("ox.t", "ox.r", "ox.t (2)")


def test_rows_are_sorted_and_equal_energies_averaged(tmp_path, caplog):
    path = write(tmp_path, "a.txt", "283 4\n280 1\n280 3\n281 7\n")
    with caplog.at_level(logging.INFO):
        references = read_references(path)
    assert references.energy.tolist() == [280.0, 281.0, 283.0]
    assert references.spectra.tolist() == [[2.0, 7.0, 4.0]]
    assert "averaged: 1 rows" in caplog.text


def test_kev_are_told_by_the_numbers_and_no_word_in_a_comment(tmp_path, caplog):
    path = write(tmp_path, "a.txt", "8.2 0\n8.3 1\n")
    with caplog.at_level(logging.INFO):
        np.testing.assert_allclose(read_references(path).energy, [8200.0, 8300.0])
    assert "keV by their size" in caplog.text
    assert read_references(path, energy_unit="eV").energy.tolist() == [8.2, 8.3]
    headed = write(
        tmp_path, "b.txt", "# crystal at 7.1 KeV\n#  E  xmu(trans)\n6339 0\n6349 1\n"
    )
    assert read_references(headed).energy.tolist() == [6339.0, 6349.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no numbers"),
        ("# nothing\n", "holds no numbers"),
        ("280\n281\n", "one column"),
        ("280 1\n281 x\n", "'281 x'"),
        ("280 1\n281 2 3\n", "'281 2 3'"),
        ("280 nan\n281 2\n", "row 1 is not finite"),
        ("280 1\n280 2\n", "has 1 energies"),
        ("280 1\0\n", "not a text file"),
    ],
)
def test_bad_spectra_are_refused_with_the_file_name(tmp_path, text, said):
    with pytest.raises(ValueError, match=said) as caught:
        read_references(write(tmp_path, "bad.txt", text))
    assert "bad.txt" in str(caught.value)


def test_no_file_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        read_references([])


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_references(tmp_path / "nowhere.txt")


def test_a_spectrum_is_energy_and_values(tmp_path):
    energy, values = read_spectrum(write(tmp_path, "i0.xsp", TABLE))
    assert energy.tolist() == [280.0, 281.0, 283.0]
    assert values.tolist() == [1.5, 2.5, 0.5]
    with pytest.raises(ValueError, match="holds 2 spectra"):
        read_spectrum(write(tmp_path, "two.txt", "280 1 2\n281 3 4\n"))


MASK = np.array([[0, 1, 1], [0, 0, 0], [1, 0, 0]], dtype=bool)


@pytest.mark.parametrize(
    "text",
    [" OO\n\nO\n", "011\n000\n100\n", "0,1,1\n0,0,0\n1,0,0\n", "0 1 1\n0 0 0\n1 0 0"],
)
def test_text_masks_have_one_character_per_pixel(tmp_path, text):
    mask = read_mask(write(tmp_path, "m.msk", text), (3, 3))
    np.testing.assert_array_equal(mask, MASK)


def test_image_and_array_masks_keep_what_is_not_zero(tmp_path):
    np.save(tmp_path / "m.npy", MASK.astype(float) * 3)
    tifffile.imwrite(tmp_path / "m.tif", MASK.astype(np.uint8) * 255)
    iio.imwrite(tmp_path / "m.png", MASK.astype(np.uint8) * 255)
    for name in ("m.npy", "m.tif", "m.png"):
        np.testing.assert_array_equal(read_mask(tmp_path / name, (3, 3)), MASK)


@pytest.mark.parametrize(
    ("text", "said"),
    [("OO\nOO\n", "2 lines"), ("OOOO\n\n\n", "up to 4"), ("abc\n\n\n", "characters")],
)
def test_a_mask_of_another_shape_or_kind_is_refused(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        read_mask(write(tmp_path, "m.msk", text), (3, 3))


def test_an_array_mask_of_another_shape_names_both(tmp_path):
    np.save(tmp_path / "m.npy", MASK)
    with pytest.raises(ValueError, match=r"\(3, 3\), the stack \(4, 4\)"):
        read_mask(tmp_path / "m.npy", (4, 4))
