"""Which pixel has which spectrum: one image stack over an energy axis.

* `SpectralStack`: one aligned image per energy, with mask, units and history.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.noise import Noise, counting_noise
from napari_phasemap.core.data.text_table import described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Origin", "Quantity", "SpectralStack"]

Quantity: TypeAlias = Literal["counts", "optical_density", "net_counts"]
Origin: TypeAlias = Literal["upper", "lower"]

#: Pixels probed before a frame is searched for finite values, see `missing_frames`.
N_PROBES = 64


@dataclass(frozen=True, eq=False, repr=False)
class SpectralStack:
    """One image per energy of one field of view, aligned.

    Parameters
    ----------
    data : ndarray or dask array of shape (n_energies, n_rows, n_cols)
        Intensities, converted to float32. Rows are in the order of the file. A missing
        frame is NaN throughout. The unit is that of `quantity`.
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
    noise : Noise, optional
        What `variance` follows from; None where nothing is known of the noise.
    zero_loss : float, optional
        Energy in eV at which the zero loss of every pixel lies, once they are aligned;
        None where they are not, or nothing is known.

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
    noise: Noise | None = None
    zero_loss: float | None = None

    def __post_init__(self) -> None:
        data = self.data if hasattr(self.data, "dask") else np.asarray(self.data)
        if data.ndim != 3:
            raise InputError(
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
            raise InputError(f"{mask.shape=} != image shape {data.shape[1:]}")
        if self.quantity not in get_args(Quantity):
            raise InputError(f"{self.quantity=} is not one of {get_args(Quantity)}")
        if self.origin not in get_args(Origin):
            raise InputError(f"{self.origin=} is not one of {get_args(Origin)}")
        pixel_size = self.pixel_size
        if pixel_size is not None:
            pixel_size = (float(pixel_size[0]), float(pixel_size[1]))
            if not all(np.isfinite(s) and s > 0 for s in pixel_size):
                raise InputError(f"pixel_size in nm is positive; got {pixel_size}")
        _check_noise(self.noise, data.shape)
        fixed = {
            "data": read_only(data),
            "energy": read_only(energy),
            "mask": read_only(mask),
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
        return np.ascontiguousarray(flat.T[np.flatnonzero(self.mask)])

    def with_mask(self, mask: ArrayLike) -> SpectralStack:
        """Return this stack with another mask, True where a pixel is analyzed.

        Parameters
        ----------
        mask : array_like of bool of shape (n_rows, n_cols)
            Pixels to analyze.

        Returns
        -------
        SpectralStack
            On the same data.
        """
        return replace(self, mask=np.asarray(mask))

    def with_step(self, line: str, **changes: Any) -> SpectralStack:
        """Return a changed stack whose history ends with `line`.

        A step that changes `data` and does not say what became of the noise loses it.

        Parameters
        ----------
        line : str
            What was done, for a person.
        **changes : object
            Fields and their new values.

        Returns
        -------
        SpectralStack
            The rest as it was.
        """
        if "data" in changes:
            changes = {"noise": None, **changes}
        return replace(self, history=(*self.history, line), **changes)

    def variance(self, index: int | None = None) -> NDArray[np.float32]:
        """Return the variance of the values, in the squared unit of `data`.

        Photon noise of the values and of I0, through every step since: see `Noise`.
        Counts whose noise nothing is known of are taken for photons.

        Parameters
        ----------
        index : int, optional
            One energy; default all, which takes as much memory as the stack.

        Returns
        -------
        ndarray of float32 of shape (n_energies, n_rows, n_cols), or (n_rows, n_cols)
            NaN where `data` is NaN. The delta method is right to 2 % from 100 counts.

        Raises
        ------
        InputError
            If nothing is known: optical density that was opened as such, or values
            changed by a step that does not follow the noise.

        Examples
        --------
        >>> SpectralStack([[[9.0]], [[25.0]]], [280.0, 285.0]).variance().ravel()
        array([ 9., 25.], dtype=float32)
        """
        noise = self.noise
        if noise is None and self.quantity == "counts":
            noise = counting_noise(self.n_energies)
        if noise is None:
            raise InputError(
                f"the noise of {self.name!r} ({self.quantity.replace('_', ' ')}) is "
                "not known: make the optical density from counts, or estimate the "
                "noise from the data with estimate_noise"
            )
        if index is not None and noise.weights is None:
            noise = noise.at_energies(np.array([index]))
            frame = np.asarray(self.data[index])[None]
            return np.asarray(_variance(noise, frame, self.quantity)[0])
        whole = _variance(noise, np.asarray(self.data), self.quantity)
        return whole if index is None else np.asarray(whole[index])

    def with_energy_moved(self, shift: float, line: str) -> SpectralStack:
        """Return the stack with `shift` eV added to every energy; no value changes.

        Parameters
        ----------
        shift : float
            In eV.
        line : str
            For the history.

        Returns
        -------
        SpectralStack
            On the same data.
        """
        zero_loss = None if self.zero_loss is None else self.zero_loss + shift
        return self.with_step(line, energy=self.energy + shift, zero_loss=zero_loss)

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
        return described(
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


def _check_noise(noise: Noise | None, shape: tuple[int, int, int]) -> None:
    """Raise unless the noise belongs to a stack of this shape."""
    if noise is None:
        return
    if noise.n_energies != shape[0]:
        raise InputError(f"noise of {noise.n_energies} energies for {shape[0]} images")
    if noise.line is not None and noise.line.shape[1:] != shape[1:]:
        raise InputError(f"noise with lines {noise.line.shape[1:]} for {shape[1:]}")


def _variance(
    noise: Noise, data: NDArray[np.float32], quantity: Quantity
) -> NDArray[np.float32]:
    """Return the variance of values of shape (n_energies, n_rows, n_cols)."""
    if quantity != "counts":
        return noise.of_density(data, noise.line)
    shot = noise.shot[noise.frames].astype(np.float32)
    return np.asarray(shot[:, None, None] * np.abs(data))


def _checked_energy(energy: ArrayLike, n_energies: int) -> NDArray[np.float64]:
    """Return the energies as float64, or raise."""
    values = np.array(energy, dtype=np.float64)
    if values.shape != (n_energies,):
        raise InputError(f"{values.shape=} of the energies != ({n_energies},) images")
    if not np.isfinite(values).all():
        raise InputError(f"energies must be finite; got {values}")
    steps = np.diff(values)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise InputError(
            "energies must increase strictly; got "
            f"{values[at]:g} eV followed by {values[at + 1]:g} eV"
        )
    return values
