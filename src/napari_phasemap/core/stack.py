"""Which pixel has which spectrum: image stacks over an energy axis.

* `SpectralStack`: one aligned image per energy, with mask, units and history.
* `StackSet`: several stacks on one energy axis. The order of its masked pixels,
  stack after stack and row after row, is the pixel order of the whole program.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Origin", "Quantity", "SpectralStack", "StackSet"]

Quantity: TypeAlias = Literal["counts", "optical_density", "net_counts"]
Origin: TypeAlias = Literal["upper", "lower"]

#: Two energies of different stacks that differ by less are the same energy, in eV.
#: Monochromator read-back scatters by a few meV; a spectral feature is >= 0.1 eV wide.
SAME_ENERGY = 0.02
#: Pixels probed before a frame is searched for finite values, see `missing_frames`.
N_PROBES = 64


@dataclass(frozen=True, eq=False, repr=False)
class SpectralStack:
    """One image per energy of one field of view, aligned.

    Parameters
    ----------
    data : ndarray or dask array of shape (n_energies, n_rows, n_cols)
        Intensities, converted to float32. Rows are in the order of the file. A
        missing frame is NaN throughout.
    energy : array_like of shape (n_energies,)
        Photon energy or energy loss in eV, strictly increasing, never assumed uniform.
    mask : array_like of bool of shape (n_rows, n_cols), optional
        True where a pixel is analyzed; default all.
    quantity : {"counts", "optical_density", "net_counts"}, default="counts"
        What `data` holds. "net_counts" are counts after background subtraction.
    pixel_size : tuple of float, optional
        Row and column step (dy, dx) in nm; None where the file does not say.
    origin : {"upper", "lower"}, default="upper"
        Whether the first row is the top of the field of view or its bottom.
    name : str, default="stack"
        Short name of the particle or region.
    metadata : mapping, optional
        The file's own tree, untouched.
    history : sequence of str, optional
        One line per step that made this stack.

    Raises
    ------
    ValueError
        If shapes disagree or the energies are not finite and strictly increasing.

    Examples
    --------
    >>> stack = SpectralStack(np.ones((2, 3, 4)), [280.0, 285.0], name="P1")
    >>> stack.with_mask(np.eye(3, 4, dtype=bool)).spectra().shape
    (3, 2)
    """

    data: Any
    energy: NDArray[np.float64]
    mask: NDArray[np.bool_] = None  # type: ignore[assignment] # filled below
    quantity: Quantity = "counts"
    pixel_size: tuple[float, float] | None = None
    origin: Origin = "upper"
    name: str = "stack"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        data = self.data if hasattr(self.data, "dask") else np.asarray(self.data)
        if data.ndim != 3:
            raise ValueError(
                f"a stack has the axes (energy, row, column); got {data.shape=}"
            )
        if data.dtype != np.float32:
            data = data.astype(np.float32)
        energy = _checked_energy(self.energy, data.shape[0])
        mask = (
            np.ones(data.shape[1:], dtype=bool)
            if self.mask is None
            else np.array(self.mask, dtype=bool)
        )
        if mask.shape != data.shape[1:]:
            raise ValueError(f"{mask.shape=} != image shape {data.shape[1:]}")
        if self.quantity not in get_args(Quantity):
            raise ValueError(f"{self.quantity=} is not one of {get_args(Quantity)}")
        if self.origin not in get_args(Origin):
            raise ValueError(f"{self.origin=} is not one of {get_args(Origin)}")
        pixel_size = self.pixel_size
        if pixel_size is not None:
            pixel_size = (float(pixel_size[0]), float(pixel_size[1]))
            if not all(np.isfinite(s) and s > 0 for s in pixel_size):
                raise ValueError(f"pixel_size in nm is positive; got {pixel_size}")
        fixed = {
            "data": _read_only(data),
            "energy": _read_only(energy),
            "mask": _read_only(mask),
            "pixel_size": pixel_size,
            "metadata": MappingProxyType(dict(self.metadata)),
            "history": tuple(self.history),
        }
        for key, value in fixed.items():
            object.__setattr__(self, key, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "metadata": dict(self.metadata)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, metadata=MappingProxyType(state["metadata"]))

    @property
    def n_energies(self) -> int:
        """Number of energies."""
        return int(self.data.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return int(self.data.shape[1]), int(self.data.shape[2])

    @cached_property
    def n_pixels(self) -> int:
        """Number of pixels that are analyzed."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def missing_frames(self) -> NDArray[np.bool_]:
        """Bool of shape (n_energies,): frames without one finite value."""
        if 0 in self.shape:
            return np.zeros(self.n_energies, dtype=bool)
        rows, cols = (np.linspace(0, n - 1, N_PROBES).astype(int) for n in self.shape)
        probes = np.isfinite(np.asarray(self.data[:, rows, :][:, :, cols]))
        suspects: NDArray[np.bool_] = ~probes.any(axis=(1, 2))
        for index in np.flatnonzero(suspects):
            suspects[index] = not np.isfinite(np.asarray(self.data[index])).any()
        return suspects

    def spectra(self) -> NDArray[np.float32]:
        """Return the spectra of the masked pixels, of shape (n_pixels, n_energies)."""
        flat = np.asarray(self.data).reshape(self.n_energies, -1)
        return np.ascontiguousarray(flat[:, np.flatnonzero(self.mask)].T)

    def with_mask(self, mask: ArrayLike) -> SpectralStack:
        """Return this stack with another mask, True where a pixel is analyzed."""
        return replace(self, mask=np.asarray(mask))

    def with_step(self, line: str, **changes: Any) -> SpectralStack:
        """Return a changed stack whose history ends with `line`."""
        return replace(self, history=(*self.history, line), **changes)

    def __repr__(self) -> str:
        rows, cols = self.shape
        if self.n_energies:
            span = f"{self.energy[0]:g}-{self.energy[-1]:g} eV"
        else:
            span = "none"
        size = "unknown"
        if self.pixel_size is not None:
            size = f"{self.pixel_size[0]:g} x {self.pixel_size[1]:g} nm"
        n_missing = int(self.missing_frames.sum())
        missing = f", {n_missing} missing" if n_missing else ""
        return _table(
            f"SpectralStack {self.name!r}",
            {
                "quantity": self.quantity.replace("_", " "),
                "energies": f"{self.n_energies}, {span}{missing}",
                "image": f"{rows} rows x {cols} columns",
                "pixel": size,
                "mask": f"{self.n_pixels} of {rows * cols} pixels",
                "history": f"{len(self.history)} steps",
            },
        )


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
        If there is no stack, or energies or quantities differ.

    Examples
    --------
    >>> stack = SpectralStack(np.zeros((2, 3, 4)), [280.0, 285.0])
    >>> stacks = StackSet([stack, stack])
    >>> stacks.n_pixels, stacks.locate(13), stacks.pixel_at(1, 0, 1)
    (24, (1, 0, 1), 13)
    """

    stacks: tuple[SpectralStack, ...]

    def __init__(self, stacks: Sequence[SpectralStack]) -> None:
        object.__setattr__(self, "stacks", tuple(stacks))
        if not self.stacks:
            raise ValueError("a StackSet needs at least one stack; got none")
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
        """Return the spectra of one stack, of shape (its n_pixels, n_energies)."""
        spectra = self.stacks[index].spectra()
        return spectra if self.energy_used.all() else spectra[:, self.energy_used]

    def spectrum(self, pixel: int) -> NDArray[np.float32]:
        """Return the spectrum of one pixel, of shape (n_energies,)."""
        index, row, col = self.locate(pixel)
        values = np.asarray(self.stacks[index].data[:, row, col])
        return values[self.energy_used]

    def split(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Return one view per stack of a per-pixel array (first axis n_pixels)."""
        self._check_length(values)
        return [
            values[low:high]
            for low, high in zip(self.offsets[:-1], self.offsets[1:], strict=True)
        ]

    def join(self, images: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return the per-pixel array of one image per stack: `to_image` undone."""
        if len(images) != len(self.stacks):
            raise ValueError(f"{len(images)} images for {len(self.stacks)} stacks")
        parts = []
        for image, stack in zip(images, self.stacks, strict=True):
            if image.shape[:2] != stack.shape:
                raise ValueError(
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
            Same dtype as `values`.
        """
        part = self.split(values)[index]
        if np.isnan(fill) and not np.issubdtype(part.dtype, np.floating):
            raise ValueError(f"{fill=} cannot be stored as {part.dtype}; give 0")
        shape = self.stacks[index].shape
        image = np.full((shape[0] * shape[1], *part.shape[1:]), fill, dtype=part.dtype)
        image[self._flat_positions[index]] = part
        return image.reshape(*shape, *part.shape[1:])

    def locate(self, pixel: int) -> tuple[int, int, int]:
        """Return (stack, row, column) of a pixel."""
        if not 0 <= pixel < self.n_pixels:
            raise IndexError(f"pixel {pixel} is outside 0..{self.n_pixels - 1}")
        index = int(np.searchsorted(self.offsets, pixel, side="right")) - 1
        flat = self._flat_positions[index][pixel - self.offsets[index]]
        row, col = divmod(int(flat), self.stacks[index].shape[1])
        return index, row, col

    def pixel_at(self, index: int, row: int, col: int) -> int | None:
        """Return the pixel at a position, None where it is outside image or mask."""
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
            raise ValueError(
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
        return _table(title, rows)


def _checked_energy(energy: ArrayLike, n_energies: int) -> NDArray[np.float64]:
    """Return the energies as float64, or raise."""
    values = np.array(energy, dtype=np.float64)
    if values.shape != (n_energies,):
        raise ValueError(f"{values.shape=} of the energies != ({n_energies},) images")
    if not np.isfinite(values).all():
        raise ValueError(f"energies must be finite; got {values}")
    steps = np.diff(values)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise ValueError(
            "energies must increase strictly; got "
            f"{values[at]:g} eV followed by {values[at + 1]:g} eV"
        )
    return values


def _check_same_axis(first: SpectralStack, other: SpectralStack) -> None:
    """Raise unless two stacks share quantity and energies."""
    if first.quantity != other.quantity:
        raise ValueError(
            f"{first.name!r} holds {first.quantity}, {other.name!r} {other.quantity}"
        )
    same = len(first.energy) == len(other.energy) and bool(
        np.all(np.abs(first.energy - other.energy) < SAME_ENERGY)
    )
    if not same:
        raise ValueError(
            f"energies of {first.name!r} ({_axis(first)}) and {other.name!r} "
            f"({_axis(other)}) differ; analyze them separately or keep common energies"
        )


def _axis(stack: SpectralStack) -> str:
    if not stack.n_energies:
        return "none"
    return f"{stack.n_energies} from {stack.energy[0]:g} to {stack.energy[-1]:g} eV"


def _read_only(array: Any) -> Any:
    """Return a view that refuses writing, dask arrays as they are."""
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def _table(title: str, rows: Mapping[str, str]) -> str:
    width = max((len(key) for key in rows), default=0)
    lines = [f"  {key:<{width}}  {value}" for key, value in rows.items()]
    return "\n".join([title, *lines])
