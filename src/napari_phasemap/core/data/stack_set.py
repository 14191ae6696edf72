"""Many particles as one: several stacks on one energy axis.

* `StackSet`: the order of its masked pixels, stack after stack and row after row, is
  the pixel order of the whole program.
* `Stacks`, `as_set`: what a function of several stacks takes, and the set it works on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.text_table import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import Quantity

__all__ = ["StackSet", "Stacks", "as_set"]

#: Two energies of different stacks that differ by less are the same energy, in eV.
#: Monochromator read-back scatters by a few meV; a spectral feature is >= 0.1 eV wide.
SAME_ENERGY = 0.02


@dataclass(frozen=True, eq=False, repr=False)
class StackSet:
    """Several stacks on one energy axis, and the pixel order of the program.

    A per-pixel array runs over the masked pixels of the first stack in C order, then
    over those of the second, and so on. Energies whose frame is missing in any stack
    are left out of `energy` and of `spectra`.

    Parameters
    ----------
    stacks : sequence of SpectralStack
        At least one; same quantity, same energies within 0.02 eV.

    Raises
    ------
    ValueError
        If there is no stack, something is none, or energies or quantities differ.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack(np.zeros((2, 3, 4)), [280.0, 285.0])
    >>> stacks = StackSet([stack, stack])
    >>> stacks.n_pixels, stacks.locate(13), stacks.pixel_at(1, 0, 1)
    (24, (1, 0, 1), 13)
    """

    stacks: tuple[SpectralStack, ...]

    def __init__(self, stacks: Sequence[SpectralStack]) -> None:
        object.__setattr__(self, "stacks", tuple(stacks))
        if not self.stacks:
            raise InputError("a StackSet needs at least one stack; got none")
        for one in self.stacks:
            if not isinstance(one, SpectralStack):
                raise InputError(f"a StackSet holds stacks; {_refused(one)}")
        first = self.stacks[0]
        for other in self.stacks[1:]:
            _check_same_axis(first, other)

    def __len__(self) -> int:
        return len(self.stacks)

    def __getitem__(self, index: int) -> SpectralStack:
        return self.stacks[index]

    def __iter__(self) -> Iterator[SpectralStack]:
        return iter(self.stacks)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stacks, in order."""
        return tuple(stack.name for stack in self.stacks)

    @property
    def quantity(self) -> Quantity:
        """What the stacks hold."""
        return self.stacks[0].quantity

    @cached_property
    def energy_used(self) -> NDArray[np.bool_]:
        """Bool over the frames: energies present in every stack."""
        missing = np.array([stack.missing_frames for stack in self.stacks])
        return np.asarray(~missing.any(axis=0))

    @cached_property
    def energy(self) -> NDArray[np.float64]:
        """Energies of `spectra`, in eV."""
        return self.stacks[0].energy[self.energy_used]

    @property
    def n_energies(self) -> int:
        """Number of energies of `spectra`."""
        return len(self.energy)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """First pixel of every stack and, last, the number of pixels."""
        return np.cumsum([0, *(stack.n_pixels for stack in self.stacks)])

    @property
    def n_pixels(self) -> int:
        """Number of analyzed pixels of all stacks."""
        return int(self.offsets[-1])

    @cached_property
    def _flat_positions(self) -> tuple[NDArray[np.int64], ...]:
        """Flat image index of every masked pixel, one array per stack."""
        return tuple(np.flatnonzero(stack.mask) for stack in self.stacks)

    @cached_property
    def stack_index(self) -> NDArray[np.uint16]:
        """Which stack each pixel belongs to, of shape (n_pixels,)."""
        numbers = np.arange(len(self.stacks), dtype=np.uint16)
        return np.repeat(numbers, np.diff(self.offsets))

    def spectra(self) -> NDArray[np.float32]:
        """Return a new array of shape (n_pixels, n_energies) of all spectra."""
        out = np.empty((self.n_pixels, self.n_energies), dtype=np.float32)
        for index, part in enumerate(self.split(out)):
            part[:] = self.stack_spectra(index)
        return out

    def stack_spectra(self, index: int) -> NDArray[np.float32]:
        """Return the spectra of one stack, of shape (its n_pixels, n_energies).

        Parameters
        ----------
        index : int
            Number of the stack.

        Returns
        -------
        ndarray of float32 of shape (its n_pixels, n_energies)
            In the unit of the stack.
        """
        spectra = self.stacks[index].spectra()
        return spectra if self.energy_used.all() else spectra[:, self.energy_used]

    def stack_variance(self, index: int) -> NDArray[np.float32]:
        """Return the variance of the spectra of one stack, shaped like them.

        Parameters
        ----------
        index : int
            Number of the stack.

        Returns
        -------
        ndarray of float32 of shape (its n_pixels, n_energies)
            In the unit of the stack, squared.

        Raises
        ------
        InputError
            If the noise of the stack is not known.
        """
        stack = self.stacks[index]
        if stack.quantity == "counts" or stack.noise is None:
            variance = stack.variance()[:, stack.mask].T
        else:
            line = stack.noise.line
            line = None if line is None else line[:, stack.mask]
            variance = stack.noise.of_density(stack.spectra().T, line).T
        return np.ascontiguousarray(variance[:, self.energy_used])

    def spectrum(self, pixel: int) -> NDArray[np.float32]:
        """Return the spectrum of one pixel, of shape (n_energies,).

        Parameters
        ----------
        pixel : int
            In pixel order.

        Returns
        -------
        ndarray of float32 of shape (n_energies,)
            In the unit of the stacks.
        """
        index, row, col = self.locate(pixel)
        values = np.asarray(self.stacks[index].data[:, row, col])
        return values[self.energy_used]

    def split(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Return one view per stack of a per-pixel array (first axis n_pixels).

        Parameters
        ----------
        values : ndarray of shape (n_pixels, ...)
            Per-pixel values, of any unit.

        Returns
        -------
        list of ndarray of shape (its n_pixels, ...)
            In the order of the stacks and in the same unit.
        """
        self._check_length(values)
        return [
            values[low:high]
            for low, high in zip(self.offsets[:-1], self.offsets[1:], strict=True)
        ]

    def join(self, images: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return the per-pixel array of one image per stack: `to_image` undone.

        Parameters
        ----------
        images : sequence of ndarray of shape (n_rows, n_cols, ...)
            One per stack, of any unit.

        Returns
        -------
        ndarray of shape (n_pixels, ...)
            What is outside a mask is left out. The unit is the same.
        """
        if len(images) != len(self.stacks):
            raise InputError(f"{len(images)} images for {len(self.stacks)} stacks")
        parts = []
        for image, stack in zip(images, self.stacks, strict=True):
            if image.shape[:2] != stack.shape:
                raise InputError(
                    f"{image.shape=} != {stack.shape} of stack {stack.name!r}"
                )
            parts.append(image[stack.mask])
        return np.concatenate(parts)

    def to_image(
        self, values: NDArray[Any], index: int, fill: float = np.nan
    ) -> NDArray[Any]:
        """Put the values of one stack back on its pixel grid.

        Parameters
        ----------
        values : ndarray of shape (n_pixels,) or (n_pixels, n_values)
            Per-pixel array of the whole set.
        index : int
            Number of the stack.
        fill : float, default=nan
            Value outside the mask; use 0 for labels (NaN needs a float dtype).

        Returns
        -------
        ndarray of shape (n_rows, n_cols) or (n_rows, n_cols, n_values)
            In the unit and with the dtype of `values`.
        """
        part = self.split(values)[index]
        if np.isnan(fill) and not np.issubdtype(part.dtype, np.floating):
            raise InputError(f"{fill=} cannot be stored as {part.dtype}; give 0")
        shape = self.stacks[index].shape
        image = np.full((shape[0] * shape[1], *part.shape[1:]), fill, dtype=part.dtype)
        image[self._flat_positions[index]] = part
        return image.reshape(*shape, *part.shape[1:])

    def locate(self, pixel: int) -> tuple[int, int, int]:
        """Return (stack, row, column) of a pixel.

        Parameters
        ----------
        pixel : int
            In pixel order.

        Returns
        -------
        tuple of int
            Counted from 0, rows as in the file.
        """
        if not 0 <= pixel < self.n_pixels:
            raise IndexError(f"pixel {pixel} is outside 0..{self.n_pixels - 1}")
        index = int(np.searchsorted(self.offsets, pixel, side="right")) - 1
        flat = self._flat_positions[index][pixel - self.offsets[index]]
        row, col = divmod(int(flat), self.stacks[index].shape[1])
        return index, row, col

    def pixel_at(self, index: int, row: int, col: int) -> int | None:
        """Return the pixel at a position, None where it is outside image or mask.

        Parameters
        ----------
        index : int
            Number of the stack.
        row, col : int
            Position in its image, from 0.

        Returns
        -------
        int or None
            In pixel order.
        """
        n_rows, n_cols = self.stacks[index].shape
        if not (0 <= row < n_rows and 0 <= col < n_cols):
            return None
        if not self.stacks[index].mask[row, col]:
            return None
        flat = row * n_cols + col
        position = int(np.searchsorted(self._flat_positions[index], flat))
        return int(self.offsets[index]) + position

    def _check_length(self, values: NDArray[Any]) -> None:
        if len(values) != self.n_pixels:
            raise InputError(
                f"{len(values)} values for {self.n_pixels} pixels of {len(self)} "
                "stacks; the mask or the list of stacks has changed since they were "
                "computed"
            )

    def __repr__(self) -> str:
        rows = {
            stack.name: f"{stack.shape[0]} x {stack.shape[1]}, {stack.n_pixels} pixels"
            for stack in self.stacks
        }
        title = (
            f"StackSet of {len(self)} ({self.quantity.replace('_', ' ')}), "
            f"{self.n_pixels} pixels, {self.n_energies} energies"
        )
        return described(title, rows)


#: What a function of several stacks takes; `as_set` makes a set of it.
Stacks: TypeAlias = StackSet | SpectralStack | Sequence[SpectralStack]


def as_set(stacks: Stacks, /) -> StackSet:
    """Return one stack, or several, as a set; a set as it is.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Of one quantity, on the same energies.

    Returns
    -------
    StackSet
        In the order given.

    Raises
    ------
    InputError
        If it is none of them, or the stacks differ in quantity or energies.

    Examples
    --------
    >>> as_set(SpectralStack(np.zeros((2, 3, 4)), [280.0, 285.0])).n_pixels
    12
    """
    if isinstance(stacks, StackSet):
        return stacks
    if isinstance(stacks, SpectralStack):
        return StackSet([stacks])
    if isinstance(stacks, Iterable):
        return StackSet(stacks)
    raise InputError(f"stacks are needed; {_refused(stacks)}")


def _refused(value: object) -> str:
    """Return what something is that is no stack, and what to do."""
    return (
        f"got {type(value).__name__}; make a stack by read_stack(file) or "
        "SpectralStack(data, energy), and take .net of an edge"
    )


def _check_same_axis(first: SpectralStack, other: SpectralStack) -> None:
    """Raise unless two stacks share quantity and energies."""
    if first.quantity != other.quantity:
        raise InputError(
            f"{first.name!r} holds {first.quantity}, {other.name!r} {other.quantity}"
        )
    same = len(first.energy) == len(other.energy) and bool(
        np.all(np.abs(first.energy - other.energy) < SAME_ENERGY)
    )
    if not same:
        raise InputError(
            f"energies of {first.name!r} ({_axis(first)}) and {other.name!r} "
            f"({_axis(other)}) differ; analyze them separately or keep common energies"
        )


def _axis(stack: SpectralStack) -> str:
    if not stack.n_energies:
        return "none"
    return f"{stack.n_energies} from {stack.energy[0]:g} to {stack.energy[-1]:g} eV"
