from __future__ import annotations

import numpy as np
import pytest
from writers import counts, sdf_text, write_image

from napari_phasemap import read_stack
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.sdf_header import parse_header

ENERGY = [280.0, 284.5, 285.0]


def test_a_stack_with_decimals_comes_back_as_it_was_written(write_sdf):
    data = counts()
    stack = read_stack(write_sdf(data, ENERGY))
    np.testing.assert_array_equal(stack.data, data)
    assert stack.energy.tolist() == ENERGY
    assert stack.pixel_size == (50.0, 50.0)
    assert (stack.origin, stack.quantity, stack.name) == ("lower", "counts", "scan")
    assert stack.metadata["StorageRingCurrent"] == 253.321
    assert stack.metadata["BeamFeedback"] is False
    assert stack.metadata["ScanDefinition"]["Label"] == "a; {b"


def test_rows_that_run_down_have_their_origin_at_the_top(write_sdf):
    assert read_stack(write_sdf(counts(), ENERGY, y_down=True)).origin == "upper"


def test_text_is_rounded_once_like_float64_cast_to_float32(write_sdf):
    header = write_sdf(counts(1), [280.0])
    words = [
        "0.1",
        "16777217.0000001",
        "1e-46",
        "3.4028234e38",
        "7.0064923216240854e-46",
    ]
    rows = "\n".join("\t".join(words) for _ in range(4))
    header.with_name("scan_a000.xim").write_text(rows)
    expected = np.array(words, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(read_stack(header).data[0, 0], expected)


def test_regions_become_a_list_of_stacks(write_sdf):
    data = [counts(), counts(n_rows=2, n_cols=7, seed=1)]
    stacks = read_stack(write_sdf(data, ENERGY))
    assert [stack.name for stack in stacks] == ["scan region 1", "scan region 2"]
    for stack, expected in zip(stacks, data, strict=True):
        np.testing.assert_array_equal(stack.data, expected)


@pytest.mark.parametrize("damage", ["missing", "short", "empty", "words"])
def test_a_frame_that_is_not_complete_is_nan_and_reported(write_sdf, damage):
    header = write_sdf(counts(), ENERGY)
    image = header.with_name("scan_a001.xim")
    content = image.read_text()
    if damage == "missing":
        image.unlink()
    else:
        cut = {"short": content[: len(content) // 2], "empty": ""}
        image.write_text(cut.get(damage, content.replace("5", "x")))
    stack = read_stack(header)
    assert stack.missing_frames.tolist() == [False, True, False]
    assert np.isnan(stack.data[1]).all()
    assert any("missing" in line and "284.5" in line for line in stack.history)


def test_a_frame_without_a_count_is_missing(write_sdf):
    data = counts()
    data[2] = 0
    stack = read_stack(write_sdf(data, ENERGY))
    assert stack.missing_frames.tolist() == [False, False, True]


def test_without_any_image_the_error_says_what_is_missing(write_sdf):
    header = write_sdf(counts(1), [280.0])
    header.with_name("scan_a000.xim").unlink()
    with pytest.raises(ValueError, match=r"no image file scan_\*\.xim"):
        read_stack(header)


def test_energies_are_sorted_and_their_frames_with_them(write_sdf):
    data = counts()
    stack = read_stack(write_sdf(data, [285.0, 280.0, 284.5]))
    assert stack.energy.tolist() == [280.0, 284.5, 285.0]
    np.testing.assert_array_equal(stack.data, data[[1, 2, 0]])
    assert any("sorted" in line for line in stack.history)


def test_equal_energies_are_refused_or_averaged_on_request(write_sdf):
    data = counts()
    header = write_sdf(data, [280.0, 284.5, 280.0])
    with pytest.raises(ValueError, match=r'280 eV.*duplicates="merge"'):
        read_stack(header)
    stack = read_stack(header, duplicates="merge")
    assert stack.energy.tolist() == [280.0, 284.5]
    np.testing.assert_allclose(stack.data[0], (data[0] + data[2]) / 2)
    np.testing.assert_array_equal(stack.data[1], data[1])
    assert any("averaged: 280 eV" in line for line in stack.history)


def test_a_missing_frame_does_not_spoil_the_average_of_its_energy(write_sdf):
    data = counts()
    header = write_sdf(data, [280.0, 284.5, 280.0])
    header.with_name("scan_a000.xim").unlink()
    stack = read_stack(header, duplicates="merge")
    np.testing.assert_array_equal(stack.data[0], data[2])


def test_kev_are_converted_where_the_header_says_so(write_sdf):
    header = write_sdf(counts(), [0.28, 0.2845, 0.285], unit="keV")
    np.testing.assert_allclose(read_stack(header).energy, ENERGY)


def test_small_energies_without_a_unit_are_only_warned_about(write_sdf):
    header = write_sdf(counts(), [8.28, 8.2845, 8.285], unit="")
    stack = read_stack(header)
    np.testing.assert_allclose(stack.energy, [8.28, 8.2845, 8.285])
    assert any("look like keV" in line for line in stack.history)
    converted = read_stack(header, energy_unit="keV")
    np.testing.assert_allclose(converted.energy, [8280.0, 8284.5, 8285.0])


def test_the_second_channel_is_read_by_its_name(write_sdf):
    data = counts(2)
    header = write_sdf(data, [280.0, 281.0], channels=("PMT", "TEY"))
    for number in range(2):
        write_image(header.with_name(f"scan_b{number:03d}.xim"), data[number] + 1)
    stack = read_stack(header)
    assert any("also has TEY" in line for line in stack.history)
    np.testing.assert_array_equal(stack.data, data)
    np.testing.assert_array_equal(read_stack(header, detector="TEY").data, data + 1)
    np.testing.assert_array_equal(read_stack(header, detector="b").data, data + 1)
    with pytest.raises(ValueError, match=r"no detector 'APD'.*PMT.*TEY"):
        read_stack(header, detector="APD")


def test_a_single_image_has_one_energy(write_sdf):
    data = counts(1)
    header = write_sdf(data, [281.5], kind="Image Scan", flags="Image")
    header.with_name("scan_a000.xim").rename(header.with_name("scan_a.xim"))
    stack = read_stack(header)
    np.testing.assert_array_equal(stack.data, data)
    assert stack.energy.tolist() == [281.5]


@pytest.mark.parametrize("energy_axis", ["P", "Q"])
def test_a_line_scan_has_one_row(tmp_path, energy_axis):
    image = counts(1, 3, 6)[0]
    energy = ("Energy", "eV", [280.0, 281.0, 283.0])
    place = ("Sample", "um", np.arange(6) * 0.2)
    pair = (energy, place) if energy_axis == "P" else (place, energy)
    header = tmp_path / "line.hdr"
    header.write_text(sdf_text([pair], [280.0], kind="NEXAFS Line Scan", flags="Image"))
    write_image(tmp_path / "line_a.xim", image.T if energy_axis == "P" else image)
    stack = read_stack(header)
    assert stack.data.shape == (3, 1, 6)
    np.testing.assert_array_equal(stack.data[:, 0], image)
    assert stack.pixel_size == (200.0, 200.0)


def test_a_point_spectrum_has_one_pixel(tmp_path):
    energy = ("Energy", "eV", [280.0, 281.0])
    header = tmp_path / "point.hdr"
    header.write_text(
        sdf_text([(energy, energy)], [0.0], kind="NEXAFS Point Scan", flags="Spectra")
    )
    (tmp_path / "point_0.xsp").write_text("280.0 17.5\n281.0 18.5\n")
    stack = read_stack(header)
    assert stack.data.ravel().tolist() == [17.5, 18.5]
    assert stack.energy.tolist() == [280.0, 281.0]


def test_an_image_leads_to_its_header(write_sdf):
    header = write_sdf(counts(), ENERGY)
    stack = read_stack(header.with_name("scan_a001.xim"))
    assert stack.n_energies == 3
    lonely = header.with_name("other_a001.xim")
    lonely.write_text("1\t2\n")
    with pytest.raises(ValueError, match=r"\.hdr is not beside it"):
        read_stack(lonely)


def test_a_focus_scan_is_refused_by_name(write_sdf):
    with pytest.raises(ValueError, match=r"type 'Focus Scan'.*no energy axis"):
        read_stack(write_sdf(counts(), ENERGY, kind="Focus Scan"))


def test_uneven_positions_take_the_median_step_and_warn(tmp_path):
    x = ("Sample X", "um", [0.0, 0.1, 0.2, 0.3, 0.9])
    y = ("Sample Y", "um", [0.0, 0.2, 0.4, 0.6])
    (tmp_path / "u.hdr").write_text(sdf_text([(x, y)], [280.0]))
    write_image(tmp_path / "u_a000.xim", counts(1)[0])
    stack = read_stack(tmp_path / "u.hdr")
    np.testing.assert_allclose(stack.pixel_size, (200.0, 100.0))
    assert any("uneven" in line for line in stack.history)


def test_the_header_parser_skips_what_does_not_fit():
    found = parse_header('A = (2, 1.5, } 2); B = { C = "x;}{"; }; D = true; E =;')
    assert found == {"A": [1.5, 2], "B": {"C": "x;}{"}, "D": True, "E": ""}


def test_an_array_must_hold_as_many_items_as_it_says():
    with pytest.raises(ValueError, match="says 3 items but holds 2"):
        parse_header("A = (3, 1, 2);")


def test_deep_brackets_are_refused():
    with pytest.raises(ValueError, match="nest deeper"):
        parse_header("A = " + "(1, " * 100000)


def test_a_stack_over_a_magnetic_field_has_no_energies(write_sdf):
    header = write_sdf(counts(2), [-2.0, -1.0])
    with pytest.raises(InputError, match=r"'Energy' holds -2, -1, which are no photon"):
        read_stack(header)
    stack = read_stack(header, energies=[706.0, 708.0])
    np.testing.assert_array_equal(stack.energy, [706.0, 708.0])
