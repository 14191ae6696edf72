"""How pixels and scans become fewer and better.

* `bin_pixels`: means of blocks of pixels.
* `crop_pixels`: a part of the image.
* `average_stacks`: the mean of repeated scans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.noise import counting_noise, mean_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.noise import Noise
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["average_stacks", "bin_pixels", "crop_pixels"]


def bin_pixels(stack: SpectralStack, /, *, factor: int = 2) -> SpectralStack:
    """Average blocks of pixels.

    Parameters
    ----------
    stack : SpectralStack
        Anything. Counts should be binned before they become optical density, whose
        mean is not the density of the mean.
    factor : int, default=2
        Rows and columns of a block; what is left over at the end is dropped.

    Returns
    -------
    SpectralStack
        A block is analyzed where all of its pixels are. NaN makes the block NaN.

    Raises
    ------
    InputError
        If no block fits.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack([[[2.0, 4.0, 9.0], [6.0, 8.0, 9.0]]], [280.0])
    >>> binned = bin_pixels(stack)
    >>> binned.data.tolist(), binned.variance().tolist()
    ([[[5.0]]], [[[1.25]]])
    """
    rows, columns = (length // factor if factor > 0 else 0 for length in stack.shape)
    if not (rows and columns):
        raise InputError(f"no block of {factor} x {factor} fits into {stack.shape}")
    part = np.s_[: rows * factor, : columns * factor]
    blocks = (rows, factor, columns, factor)
    data = np.empty((stack.n_energies, rows, columns), dtype=np.float32)
    for index in range(stack.n_energies):
        frame = np.asarray(stack.data[index])[part]
        data[index] = frame.reshape(blocks).mean(axis=(1, 3), dtype=np.float64)
    noise = _known_noise(stack)
    if noise is not None and noise.line is not None:
        noise = None  # its line would have to be averaged as well
    size = stack.pixel_size
    return stack.with_step(
        f"binned {factor} x {factor}",
        data=data,
        mask=stack.mask[part].reshape(blocks).all(axis=(1, 3)),
        pixel_size=None if size is None else (size[0] * factor, size[1] * factor),
        noise=None if noise is None else noise.reduced(1.0 / factor**2),
    )


def crop_pixels(
    stack: SpectralStack, /, *, rows: tuple[int, int], columns: tuple[int, int]
) -> SpectralStack:
    """Keep a part of the image.

    Parameters
    ----------
    stack : SpectralStack
        Anything.
    rows, columns : tuple of int
        First, and the one after the last.

    Returns
    -------
    SpectralStack
        Its data are a view on those of `stack`.

    Raises
    ------
    InputError
        If the part does not lie inside the image.
    """
    for (low, high), length in zip((rows, columns), stack.shape, strict=True):
        if not 0 <= low < high <= length:
            raise InputError(
                f"rows {rows} and columns {columns} do not lie in {stack.shape}"
            )
    part = slice(*rows), slice(*columns)
    return stack.with_step(
        f"cropped to rows {rows[0]}-{rows[1] - 1}, columns {columns[0]}-"
        f"{columns[1] - 1}",
        data=stack.data[:, part[0], part[1]],
        mask=stack.mask[part],
        noise=None if stack.noise is None else stack.noise.of_pixels(*part),
    )


def average_stacks(stacks: Sequence[SpectralStack], /) -> SpectralStack:
    """Average repeated scans of one field of view.

    Parameters
    ----------
    stacks : sequence of SpectralStack
        Aligned, of one shape, energy axis and quantity.

    Returns
    -------
    SpectralStack
        Named like the first; analyzed where all are. NaN in one scan is NaN.

    Raises
    ------
    InputError
        If there is none, or they differ in shape, energies or quantity.
    """
    if not stacks:
        raise InputError("the mean of no stack is not defined; give at least one")
    first = stacks[0]
    for other in stacks[1:]:
        if other.data.shape != first.data.shape or other.quantity != first.quantity:
            raise InputError(
                f"{first.name!r} ({first.quantity}, {first.data.shape}) and "
                f"{other.name!r} ({other.quantity}, {other.data.shape}) are no "
                "repetitions of one scan"
            )
        if not np.array_equal(first.energy, other.energy):
            raise InputError(f"{first.name!r} and {other.name!r} differ in energies")
    data = np.zeros(first.data.shape, dtype=np.float32)
    mask: NDArray[np.bool_] = np.ones(first.shape, dtype=bool)
    for stack in stacks:
        data += np.asarray(stack.data) / np.float32(len(stacks))
        mask &= stack.mask
    noises = [noise for noise in map(_known_noise, stacks) if noise is not None]
    return first.with_step(
        f"mean of {len(stacks)} scans: {', '.join(stack.name for stack in stacks)}",
        data=data,
        mask=mask,
        noise=mean_noise(noises) if len(noises) == len(stacks) else None,
    )


def _known_noise(stack: SpectralStack) -> Noise | None:
    """Return the noise of a stack; counts of which nothing is known are photons."""
    if stack.noise is None and stack.quantity == "counts":
        return counting_noise(stack.n_energies)
    return stack.noise
