"""Electron microscopes' files: spectrum images, lines and spectra with an energy axis.

The files are read by RosettaSciIO, which is GPL-3 and therefore an extra; it works in
a process of its own, because damaged files make it ask for any amount of memory.

* `recognises`, `read`, `EXTENSIONS`, `FOLDERS`: for the table of formats in `read`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.assemble import EV_PER_UNIT, NM_PER_UNIT, assemble
from napari_phasemap.io.damage import beside
from napari_phasemap.io.hdf5 import (
    children,
    dataset_in,
    group_in,
    is_hdf5,
    open_hdf5,
    opened,
    read_array,
)
from napari_phasemap.io.helper import read_foreign
from napari_phasemap.io.trees import read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.io.assemble import Options

__all__ = ["EXTENSIONS", "FOLDERS", "companions", "read", "recognises"]

#: Module of RosettaSciIO by what the first bytes say.
_DM, _MSA, _HSPY, _EMD = "digitalmicrograph", "msa", "hspy", "emd"
#: Formats without a sign in their first bytes, by extension.
_BY_EXTENSION = {
    ".ser": "tia", ".emi": "tia", ".prz": "pantarhei", ".rpl": "ripple",
    ".bcf": "bruker",
}  # fmt: skip
#: Formats that are folders, by extension.
_FOLDER_FORMATS = {".zspy": "zspy"}
EXTENSIONS = (".dm3", ".dm4", ".hspy", ".emd", ".msa", *_BY_EXTENSION)
FOLDERS = tuple(_FOLDER_FORMATS)
#: Files that RosettaSciIO opens beside the one that it is given, by its extension.
_COMPANIONS = {".emi": ".ser", ".rpl": ".raw"}


def recognises(path: Path, head: bytes) -> bool:
    """Whether RosettaSciIO reads the file; a folder has no first bytes.

    Parameters
    ----------
    path : Path
        The file or folder.
    head : bytes
        Its first bytes.

    Returns
    -------
    bool
        Decided by content where that says what it is, else by the ending.
    """
    return _plugin(path, head) is not None


def read(path: Path, options: Options) -> list[SpectralStack]:
    """Read the signals with an energy axis; images are left out.

    Parameters
    ----------
    path : Path
        The file or folder.
    options : Options
        What the caller asks for.

    Returns
    -------
    list of SpectralStack
        One per signal.
    """
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(4096)
    plugin = _plugin(path, head)
    if plugin is None:
        raise InputError(f"{path.name} is no electron microscope's file")
    _refuse_links(path)
    answer = read_foreign(path, plugin)
    try:
        with opened(answer) as file:
            stacks = _stacks(path, file, options)
    finally:
        answer.unlink(missing_ok=True)
    return stacks


def companions(path: Path) -> list[Path]:
    """Return what the library opens beside a file; of a folder, all that is in it.

    Parameters
    ----------
    path : Path
        The file or folder.

    Returns
    -------
    list of Path
        Without the file itself.
    """
    if path.is_dir():
        return sorted(one for one in path.rglob("*") if one.is_file())
    ending = _COMPANIONS.get(path.suffix.lower())
    return sorted(
        one
        for one in (path.parent.iterdir() if ending else ())
        if one.suffix.lower() == ending and one.stem.startswith(path.stem)
    )


def _plugin(path: Path, head: bytes) -> str | None:
    """Return which module of RosettaSciIO reads a file, None if none."""
    if path.is_dir():
        return _FOLDER_FORMATS.get(path.suffix.lower())
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
        if any("emd_group_type" in item.attrs for _, item in children(file)):
            return _EMD
        if "version_major" in file.attrs and path.suffix.lower() == ".emd":
            return _EMD
        data = file.get("Data")
        if hasattr(data, "keys") and {"Image", "SpectrumImage", "SpectrumStream"} & set(
            data.keys()
        ):
            return _EMD
    return None


def _refuse_links(path: Path) -> None:
    """Raise where the library would follow a link to another folder."""
    if path.is_dir():
        root = path.resolve()
        for one in path.rglob("*"):
            if one.is_symlink() and not one.resolve().is_relative_to(root):
                raise InputError(
                    f"{path.name}: {one.relative_to(path)} is a link out of the folder"
                )
        return
    for one in companions(path):
        beside(one, path)


def _stacks(path: Path, file: h5py.File, options: Options) -> list[SpectralStack]:
    """Return the signals that have an energy axis, those of one name if asked for."""
    signals = [
        _Signal(path, group_in(file, name)) for name in sorted(file, key=int)
    ]  # in the order of the file
    spectral = [signal for signal in signals if signal.energy_axis is not None]
    if not spectral:
        raise InputError(
            f"{path.name} holds {len(signals)} images but no signal with an energy "
            "axis in eV"
        )
    titles = [signal.title for signal in spectral]
    if options.detector is not None:
        if options.detector not in titles:
            raise InputError(
                f"{path.name} has no signal {options.detector!r}; it has {titles}"
            )
        spectral = [one for one in spectral if one.title == options.detector]
        titles = [one.title for one in spectral]
    names = [
        f"{title} {titles[:i].count(title) + 1}" if titles.count(title) > 1 else title
        for i, title in enumerate(titles)
    ]
    return [
        signal.stack(name, options)
        for signal, name in zip(spectral, names, strict=True)
    ]


class _Signal:
    """A signal as RosettaSciIO describes it: data, axes and metadata."""

    def __init__(self, path: Path, group: h5py.Group) -> None:
        self.path = path
        self.data = dataset_in(group, "data")
        tree = read_tree(group_in(group, "tree"))
        self.axes: Sequence[Mapping[str, Any]] = tree.pop("axes")
        self.metadata = tree
        self.units = [_word(axis.get("units")) for axis in self.axes]
        self.energy_axis = self._energy_axis()
        general = tree["metadata"].get("General", {})
        self.title = str(general.get("title") or "").strip() or path.stem

    def _energy_axis(self) -> int | None:
        """Return which axis is the energy: by unit, else by name."""
        for index, unit in enumerate(self.units):
            if unit in EV_PER_UNIT:
                return index
        for index, axis in enumerate(self.axes):
            if not self.units[index] and "energy" in _word(axis.get("name")):
                return index
        return None

    def stack(self, name: str, options: Options) -> SpectralStack:
        """Return the signal as (energy, row, column)."""
        at = self.energy_axis or 0
        rest = [i for i in range(len(self.axes)) if i != at]
        shape = self.data.shape
        if not self.data.size:
            raise InputError(f"{self.path.name}: {self.title!r} holds no values")
        if len(shape) != len(self.axes):
            raise InputError(
                f"{self.path.name}: {self.title!r} of shape {shape} has "
                f"{len(self.axes)} axes"
            )
        if len(rest) > 2:
            raise InputError(
                f"{self.path.name}: a signal of shape {shape} has {len(rest)} axes "
                "beside the energy; maps (two) and lines (one) are supported"
            )
        values = read_array(self.data).transpose(at, *rest)
        unit = self.units[at]
        return assemble(
            np.array(values, dtype=np.float32, order="C").reshape(
                shape[at], *([1] * (2 - len(rest))), *values.shape[1:]
            ),
            _values(self.path, self.axes[at], shape[at]),
            name=name,
            options=options,
            source=f"read from {self.path.name} through RosettaSciIO",
            energy_unit=unit,
            pixel_size=_pixel_size([self.axes[i] for i in rest]),
            metadata=self.metadata,
            notes=(
                [] if unit else ["warning: the energy axis has no unit, eV assumed"]
            ),
            one_by_one=False,
        )


def _word(value: Any) -> str:
    return str(value or "").strip().lower()


def _values(path: Path, axis: Mapping[str, Any], size: int) -> NDArray[np.float64]:
    """Return the values of a uniform or tabulated axis, in its own unit."""
    if axis.get("axis") is not None:
        return np.asarray(axis["axis"], dtype=np.float64)
    offset, scale = axis.get("offset"), axis.get("scale")
    if not isinstance(offset, int | float) or not isinstance(scale, int | float):
        raise InputError(
            f"{path.name}: the energy axis has neither values nor offset and scale"
        )
    return np.asarray(float(offset) + float(scale) * np.arange(size, dtype=np.float64))


def _pixel_size(axes: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Return (dy, dx) in nm, None where a unit is missing or no length."""
    sizes = []
    for axis in axes:
        factor = NM_PER_UNIT.get(_word(axis.get("units")))
        scale = axis.get("scale")
        if factor is None or not isinstance(scale, int | float) or not abs(scale) > 0:
            return None
        sizes.append(factor * abs(float(scale)))
    if not sizes or not np.isfinite(sizes).all():
        return None
    return (sizes[0], sizes[-1])
