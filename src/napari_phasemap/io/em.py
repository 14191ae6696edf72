"""Electron microscopes' files: spectrum images, their low loss and their images.

The files are read by RosettaSciIO, which is GPL-3 and therefore an extra that is
imported only here.

* `read_em`: everything in a file, each as what it is.
* `EmContents`, `EmImage`: what came out.
* `recognises`, `read`: for the table of formats in `read`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.io.hdf5 import is_hdf5, open_hdf5

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from napari_phasemap.io.assemble import Options

__all__ = ["EmContents", "EmImage", "is_em", "read", "read_em", "recognises"]

#: Module of RosettaSciIO by what the first bytes say.
_DM, _MSA, _HSPY, _EMD = "digitalmicrograph", "msa", "hspy", "emd"
#: Formats without a sign in their first bytes, by extension.
_BY_EXTENSION = {
    ".ser": "tia", ".emi": "tia", ".prz": "pantarhei", ".rpl": "ripple",
    ".bcf": "bruker", ".zspy": "zspy",
}  # fmt: skip
#: Units of energy in eV and of length in nm.
_ENERGY = {"ev": 1.0, "kev": 1e3, "mev": 1e-3}
_LENGTH = {
    "nm": 1.0, "nanometer": 1.0, "µm": 1e3, "μm": 1e3, "um": 1e3, "micron": 1e3,
    "å": 0.1, "angstrom": 0.1, "a": 0.1, "pm": 1e-3, "mm": 1e6, "m": 1e9,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class EmImage:
    """An image that came with a spectrum image: HAADF, survey.

    Parameters
    ----------
    name : str
        Title in the file.
    data : ndarray of shape (n_rows, n_cols)
        As stored.
    pixel_size : tuple of float, optional
        (dy, dx) in nm; None where the file does not say.
    """

    name: str
    data: NDArray[Any]
    pixel_size: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class EmContents:
    """What a file of an electron microscope holds.

    Parameters
    ----------
    stacks : tuple of SpectralStack
        Signals with an energy axis; a single spectrum has one pixel, a line one row.
    images : tuple of EmImage
        Signals without one.
    """

    stacks: tuple[SpectralStack, ...]
    images: tuple[EmImage, ...]

    def low_loss_of(self, core_loss: SpectralStack) -> SpectralStack | None:
        """Return the stack of the same pixels whose axis holds 0 eV, if any."""
        for stack in self.stacks:
            same = stack.shape == core_loss.shape and stack is not core_loss
            if same and stack.energy[0] <= 0.0 <= stack.energy[-1]:
                return stack
        return None


def is_em(path: str | PathLike[str], /) -> bool:
    """Whether a file is one of an electron microscope, from its first bytes."""
    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return recognises(path, file.read(4096))


def recognises(path: Path, head: bytes) -> bool:
    """Whether `read_em` knows the file."""
    return _plugin(path, head) is not None


def read(path: Path, options: Options) -> list[SpectralStack]:
    """Read the spectrum images of a file; its images are left out."""
    del options  # these files say their energies and their unit
    try:
        contents = read_em(path)
    except ImportError as error:
        raise InputError(str(error)) from error
    if not contents.stacks:
        raise InputError(
            f"{path.name} holds {len(contents.images)} images but no signal with an "
            "energy axis in eV"
        )
    return list(contents.stacks)


def read_em(path: str | PathLike[str], /, *, lazy: bool = False) -> EmContents:
    """Read everything in an electron microscope's file.

    Energy axes are found by their unit, not by their position.

    Parameters
    ----------
    path : str or path
        A dm3, dm4, hspy, emd, msa or other file that RosettaSciIO knows.
    lazy : bool, default=False
        Keep the data in the file, as dask arrays.

    Returns
    -------
    EmContents
        Stacks and images.

    Raises
    ------
    ImportError
        If RosettaSciIO is not installed.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is of no known kind, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    with path.open("rb") as file:
        plugin = _plugin(path, file.read(4096))
    if plugin is None:
        raise InputError(f"{path.name} is no electron microscope's file")
    reader = _reader(plugin, path)
    try:
        signals = reader(str(path), lazy=lazy)
    except ImportError:
        raise
    except Exception as error:
        raise InputError(
            f"{path.name} could not be read as {plugin} ({type(error).__name__}: "
            f"{error})"
        ) from error
    stacks: list[SpectralStack] = []
    images: list[EmImage] = []
    for signal in signals:
        energy_axis = _energy_axis(signal["axes"])
        if energy_axis is not None:
            stacks.append(_stack(signal, energy_axis, path))
        elif np.ndim(signal["data"]) == 2:
            images.append(_image(signal, path))
    return EmContents(tuple(_distinct(stacks)), tuple(images))


def _plugin(path: Path, head: bytes) -> str | None:
    """Return which module of RosettaSciIO reads a file, None if none."""
    # A DM file starts with its version, big-endian, then its length, then 0 or 1.
    if len(head) > 24 and head[:3] == b"\0\0\0" and head[3] in (3, 4):
        return _DM
    if re.match(rb"\s*#FORMAT\s*:", head):
        return _MSA
    if is_hdf5(head):
        return _hdf5_plugin(path)
    return _BY_EXTENSION.get(path.suffix.lower())


def _hdf5_plugin(path: Path) -> str | None:
    """Return which kind of electron microscope's HDF5 a file is, by its content."""
    with open_hdf5(path) as file:
        if "HyperSpy" in str(file.attrs.get("file_format", "")):
            return _HSPY
        if "Experiments" in file:
            return _HSPY
        groups = [g for g in file.values() if hasattr(g, "attrs")]
        if any("emd_group_type" in g.attrs for g in groups):
            return _EMD
        if "version_major" in file.attrs and path.suffix.lower() == ".emd":
            return _EMD
        data = file.get("Data")
        if hasattr(data, "keys") and {"Image", "SpectrumImage", "SpectrumStream"} & set(
            data.keys()
        ):
            return _EMD
    return None


def _reader(plugin: str, path: Path) -> Any:
    """Return RosettaSciIO's reader, or raise with the name of the extra."""
    try:
        return import_module(f"rsciio.{plugin}").file_reader
    except ImportError as error:
        raise ImportError(
            f"{path.name} is read by RosettaSciIO, which could not be imported "
            f"({error}); install it with: pip install napari-phasemap[em]"
        ) from error


def _energy_axis(axes: Sequence[Mapping[str, Any]]) -> int | None:
    """Return which axis is the energy: by unit, else by name."""
    units = [str(axis.get("units") or "").strip().lower() for axis in axes]
    for index, unit in enumerate(units):
        if unit in _ENERGY:
            return index
    for index, axis in enumerate(axes):
        if not units[index] and "energy" in str(axis.get("name") or "").lower():
            return index
    return None


def _stack(signal: Mapping[str, Any], energy_axis: int, path: Path) -> SpectralStack:
    """Return a stack from a signal with an energy axis."""
    axes = signal["axes"]
    unit = str(axes[energy_axis].get("units") or "").strip().lower()
    energy = _values(axes[energy_axis]) * _ENERGY.get(unit, 1.0)
    data = signal["data"]
    if not data.size:
        raise InputError(f"{path.name}: {_title(signal, path)!r} holds no values")
    rest = [i for i in range(data.ndim) if i != energy_axis]
    if len(rest) > 2:
        raise InputError(
            f"{path.name}: a signal of shape {data.shape} has {len(rest)} axes beside "
            "the energy; maps (two) and lines (one) are supported"
        )
    data = data.transpose(energy_axis, *rest)
    data = data.reshape(data.shape[0], *([1] * (2 - len(rest))), *data.shape[1:])
    history = [f"read from {path.name} through RosettaSciIO"]
    if unit not in _ENERGY:
        history.append("warning: the energy axis has no unit, eV assumed")
    if len(energy) > 1 and energy[0] > energy[-1]:
        energy, data = energy[::-1], data[::-1]
        history.append("energies reversed: the file has them falling")
    return SpectralStack(
        data,
        energy,
        pixel_size=_pixel_size([axes[i] for i in rest]),
        name=_title(signal, path),
        metadata={
            "metadata": signal.get("metadata", {}),
            "original_metadata": signal.get("original_metadata", {}),
        },
        history=tuple(history),
    )


def _image(signal: Mapping[str, Any], path: Path) -> EmImage:
    return EmImage(
        _title(signal, path), np.asarray(signal["data"]), _pixel_size(signal["axes"])
    )


def _values(axis: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the values of a uniform or tabulated axis."""
    if axis.get("axis") is not None:
        return np.asarray(axis["axis"], dtype=np.float64)
    steps = np.arange(int(axis["size"]), dtype=np.float64)
    return np.asarray(float(axis["offset"]) + float(axis["scale"]) * steps)


def _pixel_size(axes: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Return (dy, dx) in nm, None where a unit is missing or no length."""
    sizes = []
    for axis in axes:
        factor = _LENGTH.get(str(axis.get("units") or "").strip().lower())
        scale = abs(float(axis.get("scale") or 0.0))
        if factor is None or not scale > 0:
            return None
        sizes.append(factor * scale)
    if not sizes:
        return None
    return (sizes[0], sizes[-1])


def _title(signal: Mapping[str, Any], path: Path) -> str:
    general = signal.get("metadata", {}).get("General", {})
    return str(general.get("title") or "").strip() or path.stem


def _distinct(stacks: list[SpectralStack]) -> list[SpectralStack]:
    """Number names that repeat."""
    names = [stack.name for stack in stacks]
    return [
        replace(stack, name=f"{stack.name} {names[:i].count(stack.name) + 1}")
        if names.count(stack.name) > 1
        else stack
        for i, stack in enumerate(stacks)
    ]
