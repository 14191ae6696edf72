from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet

ENERGY = [280.0, 285.5, 287.0]


def make(shape=(4, 5), seed=0, **options):
    data = np.random.default_rng(seed).random((3, *shape), dtype=np.float32)
    return SpectralStack(data, ENERGY, **options)


@pytest.fixture
def stacks():
    """Three particles of different size and mask, none of them square."""
    mask = np.random.default_rng(3).random((6, 3)) < 0.5
    empty = np.zeros((2, 2))
    return StackSet(
        [
            make((4, 5), name="a"),
            make((2, 2), seed=1, mask=empty, name="b"),
            make((6, 3), seed=2, mask=mask, name="c"),
        ]
    )


def test_data_become_float32_and_energies_float64():
    stack = SpectralStack(np.ones((2, 3, 4), dtype=np.uint16), [1, 2])
    assert stack.data.dtype == np.float32
    assert stack.energy.dtype == np.float64
    assert stack.mask.all()
    assert stack.shape == (3, 4)


def test_float32_data_are_not_copied_and_cannot_be_written_through_the_stack():
    data = np.zeros((2, 3, 4), dtype=np.float32)
    stack = SpectralStack(data, [1, 2])
    assert np.shares_memory(stack.data, data)
    for array in (stack.data, stack.energy, stack.mask):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
    data[0] = 5  # the caller's own array stays writable


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f4", np.uint16])
def test_data_stay_in_the_memory_order_of_the_file(dtype):
    file = np.random.default_rng(4).integers(0, 99, (4, 5, 3)).astype(dtype)
    stack = SpectralStack(file.transpose(2, 0, 1), ENERGY)
    assert stack.data.strides == (4, 5 * 3 * 4, 3 * 4)
    mask = np.random.default_rng(5).random((4, 5)) < 0.5
    for kept in (np.ones((4, 5), dtype=bool), mask):
        spectra = stack.with_mask(kept).spectra()
        assert_array_equal(spectra, file[kept])
        assert spectra.flags.c_contiguous
        assert not np.shares_memory(spectra, stack.data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.ones((3, 4))}, "energy, row, column"),
        ({"data": np.ones((3, 4, 5, 1))}, "energy, row, column"),
        ({"energy": [1, 2]}, r"\(2,\).*\(3,\) images"),
        ({"energy": [1, 3, 2]}, "3 eV followed by 2 eV"),
        ({"energy": [1, 2, 2]}, "2 eV followed by 2 eV"),
        ({"energy": [1, 2, np.nan]}, "finite"),
        ({"mask": np.ones((5, 4))}, r"\(5, 4\).*\(4, 5\)"),
        ({"quantity": "absorbance"}, "optical_density"),
        ({"origin": "left"}, "upper"),
        ({"pixel_size": (30, 0)}, "positive"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    options = {"data": np.ones((3, 4, 5)), "energy": ENERGY} | change
    data, energy = options.pop("data"), options.pop("energy")
    with pytest.raises(ValueError, match=message):
        SpectralStack(data, energy, **options)


def test_spectra_are_the_masked_pixels_in_row_order():
    mask = np.zeros((4, 5), dtype=bool)
    mask[1, 3] = mask[2, 0] = True
    stack = make(mask=mask)
    expected = [stack.data[:, 1, 3], stack.data[:, 2, 0]]
    assert_array_equal(stack.spectra(), expected)
    assert stack.n_pixels == 2


def test_a_missing_frame_is_one_without_a_finite_value():
    data = np.full((3, 200, 300), np.nan, dtype=np.float32)
    data[1, 17, 253] = 1.0  # off the probed grid
    data[2] = 0.0
    stack = SpectralStack(data, ENERGY)
    assert stack.missing_frames.tolist() == [True, False, False]
    assert "1 missing" in repr(stack)


def test_steps_leave_the_first_stack_as_it_was():
    stack = make(name="P1")
    changed = stack.with_step("did it", quantity="optical_density")
    assert (stack.history, stack.quantity) == ((), "counts")
    assert (changed.history, changed.quantity) == (("did it",), "optical_density")
    assert changed.name == "P1"


def test_a_stack_survives_pickling():
    stack = make(metadata={"entry": {"a": 1}}, mask=np.eye(4, 5))
    copy = pickle.loads(pickle.dumps(stack))
    assert_array_equal(copy.data, stack.data)
    assert dict(copy.metadata) == {"entry": {"a": 1}}


def test_metadata_cannot_be_replaced():
    with pytest.raises(TypeError):
        make(metadata={"a": 1}).metadata["a"] = 2


def test_empty_axes_are_held():
    assert SpectralStack(np.ones((0, 3, 3)), []).missing_frames.shape == (0,)
    assert "none" in repr(SpectralStack(np.ones((0, 3, 3)), []))
    assert SpectralStack(np.ones((2, 0, 3)), [1, 2]).n_pixels == 0


def test_pixel_order_is_stack_then_row_then_column(stacks):
    parts = [stack.data[:, stack.mask].T for stack in stacks]
    assert_array_equal(stacks.spectra(), np.concatenate(parts))
    assert stacks.n_pixels == 20 + stacks[2].n_pixels
    assert_array_equal(np.bincount(stacks.stack_index), [20, 0, stacks[2].n_pixels])


def test_images_and_pixels_are_inverse(stacks):
    values = np.arange(1, stacks.n_pixels + 1)
    images = [stacks.to_image(values, i, fill=0) for i in range(len(stacks))]
    assert [image.shape for image in images] == [(4, 5), (2, 2), (6, 3)]
    assert_array_equal(stacks.join(images), values)
    for image, stack in zip(images, stacks, strict=True):
        assert_array_equal(image > 0, stack.mask)


def test_images_of_several_values_keep_them_last(stacks):
    values = np.random.default_rng(4).random((stacks.n_pixels, 2))
    image = stacks.to_image(values, 2)
    assert image.shape == (6, 3, 2)
    assert_array_equal(image[stacks[2].mask], stacks.split(values)[2])
    assert np.isnan(image[~stacks[2].mask]).all()


def test_locate_and_pixel_at_are_inverse(stacks):
    spectra = stacks.spectra()
    for pixel in range(stacks.n_pixels):
        index, row, col = stacks.locate(pixel)
        assert stacks.pixel_at(index, row, col) == pixel
        assert_array_equal(stacks[index].data[:, row, col], spectra[pixel])
        assert_array_equal(stacks.spectrum(pixel), spectra[pixel])


def test_positions_outside_have_no_pixel(stacks):
    assert stacks.pixel_at(0, 4, 0) is None
    assert stacks.pixel_at(0, 0, -1) is None
    assert stacks.pixel_at(1, 0, 0) is None
    for pixel in (-1, stacks.n_pixels):
        with pytest.raises(IndexError, match="outside"):
            stacks.locate(pixel)


def test_arrays_of_another_length_are_refused(stacks):
    with pytest.raises(ValueError, match="has changed"):
        stacks.split(np.zeros(3))
    with pytest.raises(ValueError, match="give 0"):
        stacks.to_image(np.zeros(stacks.n_pixels, dtype=int), 0)
    with pytest.raises(ValueError, match="1 images for 3 stacks"):
        stacks.join([np.zeros((4, 5))])
    with pytest.raises(ValueError, match=r"\(5, 4\).*'a'"):
        stacks.join([np.zeros((5, 4)), np.zeros((2, 2)), np.zeros((6, 3))])


def test_frames_missing_in_one_stack_are_left_out_of_all():
    first, second = make().data.copy(), make(seed=1).data
    first[1] = np.nan
    stacks = StackSet([SpectralStack(first, ENERGY), SpectralStack(second, ENERGY)])
    assert stacks.energy.tolist() == [280.0, 287.0]
    assert stacks.spectra().shape == (40, 2)
    assert np.isfinite(stacks.spectra()).all()


def test_stacks_of_unlike_axes_or_quantities_are_refused():
    other = SpectralStack(np.ones((3, 2, 2)), [280.0, 285.6, 287.0], name="late")
    with pytest.raises(ValueError, match=r"'stack'.*'late'.*differ"):
        StackSet([make(), other])
    with pytest.raises(ValueError, match=r"counts.*optical_density"):
        StackSet([make(), make(quantity="optical_density")])
    with pytest.raises(ValueError, match="at least one"):
        StackSet([])


def test_energies_that_scatter_by_a_few_mev_are_the_same():
    other = SpectralStack(np.ones((3, 2, 2)), np.array(ENERGY) + 0.01)
    assert StackSet([make(), other]).energy.tolist() == ENERGY


def test_the_text_of_a_stack_names_its_range_and_its_pixels():
    text = repr(make(mask=np.eye(4, 5), pixel_size=(30, 40), name="P1"))
    for words in ("'P1'", "3, 280-287 eV", "4 rows x 5 columns", "30 x 40 nm"):
        assert words in text
    assert "4 of 20 pixels" in text


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (4, 0), (0, 5), (9, 0), (0, 9)])
def test_nothing_lies_outside_the_image(stacks, place):
    assert stacks.pixel_at(0, *place) is None


def test_a_pixel_that_there_is_not_is_named_with_what_there_is(stacks):
    with pytest.raises(IndexError, match=rf"0\.\.{stacks.n_pixels - 1}$"):
        stacks.locate(stacks.n_pixels)
