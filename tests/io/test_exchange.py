"""MANTiS exchange HDF5: (x, y, energy) becomes (energy, row, column)."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from writers import counts

from napari_phasemap import read_stack
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.read import describe

ENERGY = [280.0, 284.5, 285.0]


@pytest.fixture
def write(tmp_path):
    """Write a file as MANTiS does, after its published layout."""

    def write(data, axes="x:y:energy", *, unit="um", energy=ENERGY):
        path = tmp_path / "exchange.hdf5"
        with h5py.File(path, "w") as file:
            file.attrs["implements"] = "information:exchange:spectromicroscopy"
            file.attrs["version"] = "1.0"
            group = file.create_group("exchange")
            group["data"] = data
            if axes is not None:
                group["data"].attrs["axes"] = axes
            group["data"].attrs["signal"] = 1
            for name, values in (
                ("x", np.arange(5) * 0.05), ("y", np.arange(4) * 0.1),
                ("energy", energy),
            ):  # fmt: skip
                group[name] = np.asarray(values)
                group[name].attrs["units"] = "ev" if name == "energy" else unit
            white = file.create_group("spectromicroscopy/normalization")
            white["white_spectrum"] = np.array([500.0, 510.0, 490.0])
        return path

    return write


@pytest.mark.parametrize("axes", ["x:y:energy", "x:y", None, b"x:y:energy"])
def test_the_stack_is_turned_and_knows_its_pixels(write, axes):
    frames = counts()
    path = write(frames.transpose(2, 1, 0), axes)
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data, frames)
    np.testing.assert_array_equal(stack.energy, ENERGY)
    assert stack.pixel_size == pytest.approx((100.0, 50.0))
    assert stack.quantity == "counts"
    assert describe(path).format == "MANTiS exchange HDF5"
    normalization = stack.metadata["spectromicroscopy"]["normalization"]
    np.testing.assert_array_equal(normalization["white_spectrum"], [500, 510, 490])


def test_axes_that_name_another_order_are_believed(write):
    frames = counts()
    stack = read_stack(write(frames, "energy:y:x"))
    np.testing.assert_array_equal(stack.data, frames)


def test_other_shapes_are_refused_in_words(write):
    with pytest.raises(InputError, match=r"exchange\.hdf5 holds a tilt series"):
        read_stack(write(np.ones((5, 4, 3, 2)), "x:y:energy:theta"))
    with pytest.raises(InputError, match="has 3 images for 2 energies"):
        read_stack(write(counts().transpose(2, 1, 0), energy=ENERGY[:2]))
    path = write(counts().transpose(2, 1, 0))
    with pytest.raises(InputError, match="leave out detector="):
        read_stack(path, detector="counter0")
