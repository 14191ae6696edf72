from __future__ import annotations

import h5py
import numpy as np
import pytest
from writers import DIALECTS, counts, write_entry

from napari_phasemap import read_stack

ENERGY = [280.0, 284.5, 285.0]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_gives_the_same_stack(write_nxstxm, dialect):
    data = counts()
    stack = read_stack(write_nxstxm(data, ENERGY, dialect))
    np.testing.assert_array_equal(stack.data, data)
    assert stack.energy.tolist() == ENERGY
    assert stack.pixel_size == (100.0, 50.0)
    assert stack.origin == "lower"


def test_the_format_is_found_without_an_extension(write_nxstxm):
    stack = read_stack(write_nxstxm(counts(), ENERGY, name="scan"))
    assert stack.n_energies == 3


def test_a_block_before_the_hdf5_part_does_not_hide_it(tmp_path):
    path = tmp_path / "block.hdf5"
    with h5py.File(path, "w", userblock_size=32768) as file:
        write_entry(file, "entry1", counts(), ENERGY, DIALECTS["PolLux"])
    assert read_stack(path).n_energies == 3


def test_decreasing_y_has_its_origin_at_the_top(write_nxstxm):
    assert read_stack(write_nxstxm(counts(), ENERGY, y_down=True)).origin == "upper"


@pytest.mark.parametrize(
    ("axes", "order"),
    [
        (("sample_y", "sample_x", "energy"), (1, 2, 0)),
        (("energy", "sample_x", "sample_y"), (0, 2, 1)),
    ],
)
def test_axes_in_another_order_are_put_right(write_nxstxm, axes, order):
    data = counts()
    x, y = 0.05 * np.arange(5), 0.1 * np.arange(4)
    stored = np.ascontiguousarray(data.transpose(order))
    path = write_nxstxm(stored, ENERGY, axes=axes, positions=(x, y))
    np.testing.assert_array_equal(read_stack(path).data, data)


def test_entries_become_a_list_in_the_order_of_their_numbers(tmp_path):
    path = tmp_path / "many.hdf5"
    with h5py.File(path, "w") as file:
        for number in (10, 2, 1):
            data = np.full((2, 3, 3), float(number))
            write_entry(file, f"entry{number}", data, [1e3, 2e3], DIALECTS["PolLux"])
    stacks = read_stack(path)
    assert [float(stack.data[0, 0, 0]) for stack in stacks] == [1.0, 2.0, 10.0]
    assert stacks[2].name == "many region 3"


def test_a_detector_is_chosen_by_its_name(tmp_path):
    path = tmp_path / "two.hdf5"
    with h5py.File(path, "w") as file:
        for name, value in (("analog0", 5.0), ("counter0", 7.0)):
            data = np.full((3, 2, 2), value)
            write_entry(file, "entry1", data, ENERGY, DIALECTS["PolLux"], group=name)
    stack = read_stack(path)
    assert stack.data[0, 0, 0] == 7.0
    assert any("also has analog0" in line for line in stack.history)
    assert read_stack(path, detector="analog0").data[0, 0, 0] == 5.0
    with pytest.raises(ValueError, match="no detector 'x'"):
        read_stack(path, detector="x")


def test_the_ring_current_is_kept_and_is_not_a_detector(tmp_path):
    path = tmp_path / "ring.hdf5"
    with h5py.File(path, "w") as file:
        entry = write_entry(file, "entry1", counts(), ENERGY, DIALECTS["PolLux"])
        monitor = entry.create_group("control")
        monitor.attrs["NX_class"] = "NXmonitor"
        monitor["data"] = np.full((3, 4, 5), 400.0) + np.arange(3)[:, None, None]
        monitor["energy"] = ENERGY
    stack = read_stack(path)
    np.testing.assert_allclose(stack.metadata["ring_current"], [400, 401, 402])
    assert not any("also has" in line for line in stack.history)


def test_metadata_are_plain_values_without_the_data(write_nxstxm):
    stack = read_stack(write_nxstxm(counts(), ENERGY))
    counter = stack.metadata["entry1"]["counter0"]
    assert counter["stxm_scan_type"] == "sample image stack"
    assert counter["energy@units"] == "eV"
    assert counter["sample_x@units"] == "µm"
    assert "left in the file" in counter["data"]
    assert stack.metadata["entry1"]["definition"] == "NXstxm"


def test_a_line_scan_has_one_row_and_its_step_is_along_the_line(write_nxstxm):
    data = counts(3, 1, 6)[:, 0]
    positions = (np.arange(6) * 0.3, np.arange(6) * 0.4)
    for dialect in ("PolLux", "ALS"):
        path = write_nxstxm(
            data,
            ENERGY,
            dialect,
            kind="sample line spectrum",
            axes=("energy", "line_position"),
            positions=positions,
        )
        stack = read_stack(path)
        np.testing.assert_array_equal(stack.data[:, 0], data)
        np.testing.assert_allclose(stack.pixel_size, (500.0, 500.0))


def test_an_image_has_one_energy(write_nxstxm):
    image = counts(1)[0]
    path = write_nxstxm(
        image,
        [350.0],
        kind="sample image",
        axes=("sample_y", "sample_x"),
        positions=(np.arange(5.0), np.arange(4.0)),
    )
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data[0], image)
    assert stack.energy.tolist() == [350.0]


def test_a_point_scan_has_one_pixel(write_nxstxm):
    path = write_nxstxm(
        np.array([5.0, 6.0, 7.0]),
        ENERGY,
        kind="sample point spectrum",
        axes=("energy",),
    )
    assert read_stack(path).data.shape == (3, 1, 1)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("sample focus", "focus scan"), ("Focus", "focus scan"), ("osa image", "aperture"),
     ("detector image", "detector position")],
)  # fmt: skip
def test_scans_that_set_up_the_microscope_are_refused(write_nxstxm, kind, said):
    path = write_nxstxm(counts(), ENERGY, kind=kind)
    with pytest.raises(ValueError, match=said):
        read_stack(path)


def test_frames_that_a_stopped_scan_left_are_missing(write_nxstxm):
    data = counts()
    data[1, 2:] = np.nan
    data[2] = np.nan
    stack = read_stack(write_nxstxm(data, ENERGY))
    assert stack.missing_frames.tolist() == [False, True, True]
    np.testing.assert_array_equal(stack.data[0], data[0])


def test_a_number_of_energies_that_does_not_fit_is_said(write_nxstxm):
    with pytest.raises(ValueError, match=r"3 images.*2 energies"):
        read_stack(write_nxstxm(counts(), [280.0, 281.0]))


def test_given_energies_replace_those_of_the_file(write_nxstxm):
    stack = read_stack(write_nxstxm(counts(), ENERGY), energies=[1.0, 2.0, 300.0])
    assert stack.energy.tolist() == [1.0, 2.0, 300.0]
    assert any("given by the caller" in line for line in stack.history)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["table"] = np.arange(5)
    with pytest.raises(ValueError, match="no known format"):
        read_stack(path)


def without_units(path, factor):
    """Take the units of the positions away and write them in another one."""
    with h5py.File(path, "r+") as file:
        counter = next(
            group for group in file["entry1"].values() if "sample_x" in group
        )
        for name in ("sample_x", "sample_y"):
            values = counter[name][()] * factor
            counter[name][...] = values
            counter[name].attrs.pop("units", None)


def test_positions_without_unit_are_micrometres_and_this_is_said(write_nxstxm):
    path = write_nxstxm(counts(), ENERGY, "I08")
    without_units(path, 1.0)
    stack = read_stack(path)
    assert stack.pixel_size == pytest.approx((100.0, 50.0))
    assert "positions have no unit, taken as micrometres" in stack.history


def test_positions_in_millimetres_without_unit_are_recognised(write_nxstxm):
    path = write_nxstxm(counts(), ENERGY, "I08")
    without_units(path, 1e-3)
    stack = read_stack(path)
    assert stack.pixel_size == pytest.approx((100.0, 50.0))
    assert any("0.1 nm, finer" in line and "mm" in line for line in stack.history)
