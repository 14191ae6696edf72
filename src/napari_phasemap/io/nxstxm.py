"""STXM scans in NeXus HDF5 (NXstxm) of PolLux, HERMES, CLS, Diamond, MAX IV and ALS.

The writers agree on little but the names ``data``, ``energy``, ``sample_x`` and
``sample_y``: groups, string types, attributes and the number of dimensions differ, so
everything is found by what it holds. Every entry is a region; every NXdata group with
counts is a detector.

* `recognises`, `read`: for the table of formats in `read`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.assemble import assemble
from napari_phasemap.io.hdf5 import (
    is_hdf5,
    numbers,
    open_hdf5,
    read_floats,
    text,
)
from napari_phasemap.io.hdf5_tree import tree
from napari_phasemap.io.nexus import (
    ENERGY_NAMES,
    Detector,
    axis_names,
    detectors,
    energies,
    entries,
    is_stxm,
    scan_type,
)

if TYPE_CHECKING:
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.io.assemble import Options

__all__ = ["EXTENSIONS", "read", "recognises"]

EXTENSIONS = (".hdf5", ".h5", ".nxs", ".nx5", ".stxm")

#: Words for scans that set up the microscope, and what they are.
_OTHER_SCANS = {
    "focus": "a focus scan (zone plate position against a line on the sample)",
    "osa": "a scan of the order-sorting aperture",
    "detector image": "a scan of the detector position",
    "detector scan": "a scan of the detector position",
    "motor": "a scan of a motor",
}
#: In micrometres; the finest zone plates resolve about 10 nm.
FINEST_STEP = 1e-3
_FOCUS_AXES = ("zp_z", "zone_plate", "zoneplate_z", "zoneplate", "osa_x", "osa_z")


def recognises(path: Path, head: bytes) -> bool:
    """Whether this HDF5 file has an entry of an STXM scan.

    Parameters
    ----------
    path : Path
        The file.
    head : bytes
        Its first bytes.

    Returns
    -------
    bool
        Decided by content.
    """
    if not is_hdf5(head):
        return False
    with open_hdf5(path) as file:
        return any(is_stxm(entry) for _, entry in entries(file))


def read(path: Path, options: Options) -> list[SpectralStack]:
    """Read every entry of the file.

    Parameters
    ----------
    path : Path
        The file.
    options : Options
        What the caller asks for.

    Returns
    -------
    list of SpectralStack
        One per entry.
    """
    with open_hdf5(path) as file:
        scans = [(name, entry) for name, entry in entries(file) if is_stxm(entry)]
        stacks = []
        for number, (name, entry) in enumerate(scans):
            region = f" region {number + 1}" if len(scans) > 1 else ""
            stacks.append(_read_entry(path, name, entry, path.stem + region, options))
        return stacks


def _read_entry(
    path: Path, entry_name: str, entry: h5py.Group, name: str, options: Options
) -> SpectralStack:
    detector, notes = _chosen(path, entry_name, entry, options)
    kind = scan_type(entry, detector.group)
    _refuse_other_scans(path, kind, detector)
    energy_set = energies(entry, detector.group)
    if energy_set is None:
        raise InputError(f"{path.name}: {detector.group.name} has no energies")
    energy = numbers(energy_set)
    frames, is_line = _frames(path, detector, energy, kind)
    x, y, unit = _positions(detector, is_line)
    if not unit:
        unit, warning = _guessed_unit(x, y)
        notes = [*notes, warning]
    return assemble(
        frames,
        energy,
        name=name,
        options=options,
        source=f"read {path.name} (NXstxm, {entry_name}, {kind or 'no scan type'})",
        energy_unit=text(energy_set.attrs.get("units", "")),
        x=x,
        y=y,
        position_unit=unit,
        metadata=_metadata(entry_name, entry, detector, frames.shape),
        notes=notes,
    )


def _chosen(
    path: Path, entry_name: str, entry: h5py.Group, options: Options
) -> tuple[Detector, list[str]]:
    """Return the wanted detector, by default the usual counter."""
    found = detectors(entry)
    names = [item.name for item in found]
    if not found:
        raise InputError(
            f"{path.name}: {entry_name} is NXstxm but holds no data with energies; "
            "the scan may have been stopped before its first image"
        )
    wanted = options.detector
    if wanted is None:
        if len(found) == 1:
            return found[0], []
        others = ", ".join(names[1:])
        return found[0], [f"detector {names[0]!r}; the file also has {others}"]
    if wanted not in names:
        raise InputError(f"{path.name} has no detector {wanted!r}; it has {names}")
    return found[names.index(wanted)], [f"detector {wanted!r}"]


def _refuse_other_scans(path: Path, kind: str, detector: Detector) -> None:
    axes = [axis.lower() for axis in axis_names(detector)]
    for words, sentence in _OTHER_SCANS.items():
        if re.search(rf"\b{words}\b", kind.lower()):
            raise InputError(
                f"{path.name} is {sentence}: scan type {kind!r}; it has no energy axis "
                "and no phases to map"
            )
    odd = [axis for axis in axes if axis in _FOCUS_AXES]
    if odd:
        raise InputError(
            f"{path.name} was scanned over {odd[0]!r}, which sets up the microscope; "
            "it has no energy axis and no phases to map"
        )


def _frames(
    path: Path, detector: Detector, energy: NDArray[np.float64], kind: str
) -> tuple[NDArray[np.float32], bool]:
    """Return the data as (energy, row, column) and whether it is a line scan."""
    shape = detector.signal.shape or ()
    axes = axis_names(detector)
    n_energies = len(energy)
    if len(shape) == 3:
        order = _energy_first(axes)
        data = read_floats(detector.signal)
        data = data if order is None else data.transpose(order)
        return _same_length(path, data, n_energies), False
    if len(shape) == 1:
        data = read_floats(detector.signal)[:, None, None]
        return _same_length(path, data, n_energies), False
    if len(shape) != 2:
        raise InputError(
            f"{path.name}: {detector.signal.name} has {len(shape)} dimensions {shape}; "
            "a stack has energy, row and column"
        )
    data = read_floats(detector.signal)
    if any(axis in ENERGY_NAMES for axis in axes):
        is_line = True
        data = data if axes[0] in ENERGY_NAMES else data.T
    else:
        is_line = not axes and ("line" in kind.lower() or _looks_like_line(detector))
    if is_line:
        data = np.ascontiguousarray(data)[:, None, :]
        return _same_length(path, data, n_energies), True
    return _same_length(path, data[None], n_energies), False


def _energy_first(axes: list[str]) -> tuple[int, int, int] | None:
    """Return how to transpose to (energy, y, x), None where nothing is to be done."""
    at = {name: place for place, name in enumerate(axes)}
    energy = next((at[name] for name in ENERGY_NAMES if name in at), 0)
    if len(axes) != 3 or len(at) != 3:
        return None
    rest = [place for place in range(3) if place != energy]
    if at.get("sample_x", rest[1]) == rest[0]:
        rest.reverse()
    order = (energy, rest[0], rest[1])
    return None if order == (0, 1, 2) else order


def _looks_like_line(detector: Detector) -> bool:
    """Whether x and y run together along the second dimension."""
    sizes = [
        getattr(detector.group.get(n), "size", 0) for n in ("sample_x", "sample_y")
    ]
    shape = detector.signal.shape
    return bool(sizes[0] == sizes[1] == shape[1] != shape[0])


def _same_length(
    path: Path, data: NDArray[np.float32], n_energies: int
) -> NDArray[np.float32]:
    if len(data) != n_energies:
        raise InputError(
            f"{path.name} holds {len(data)} images or points but {n_energies} energies"
        )
    return data


def _positions(
    detector: Detector, is_line: bool
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None, str]:
    """Return x and y positions and their unit, empty where the file names none.

    Along a line these are the distances from its start.
    """
    import h5py

    found: list[NDArray[np.float64] | None] = []
    unit = ""
    for name in ("sample_x", "sample_y"):
        item = detector.group.get(name)
        if not isinstance(item, h5py.Dataset):
            found.append(None)
            continue
        found.append(numbers(item))
        unit = text(item.attrs.get("units", "")) or unit
    x, y = found
    if not is_line:
        return x, y, unit
    if x is None or y is None or x.shape != y.shape or not x.size:
        return (x if x is not None else y), None, unit
    return np.hypot(x - x[0], y - y[0]), None, unit


def _guessed_unit(
    x: NDArray[np.float64] | None, y: NDArray[np.float64] | None
) -> tuple[str, str]:
    """Return the unit of positions that name none, and what has to be said.

    NXstxm is in micrometres. Diamond I08 writes millimetres: where a pixel would be
    finer than any zone plate resolves, these are meant.
    """
    steps = [
        float(np.median(np.abs(np.diff(axis))))
        for axis in (x, y)
        if axis is not None and axis.size > 1
    ]
    step = max(steps, default=0.0)
    if 0.0 < step < FINEST_STEP:
        return "mm", (
            f"warning: positions have no unit; as micrometres a pixel would be "
            f"{step * 1e3:.2g} nm, finer than an X-ray microscope resolves: taken as mm"
        )
    return "um", "positions have no unit, taken as micrometres"


def _metadata(
    entry_name: str, entry: h5py.Group, detector: Detector, shape: tuple[int, ...]
) -> dict[str, Any]:
    """Return the entry's tree and, where it was recorded, the ring current."""
    import h5py

    found: dict[str, Any] = {
        entry_name: tree(entry, leave_out=(str(detector.signal.name),))
    }
    monitor = entry.get("control/data")
    if isinstance(monitor, h5py.Dataset) and monitor.dtype.kind in "iuf":
        try:
            current = read_floats(monitor)
        except (OSError, ValueError):
            return found
        if current.size and current.size % shape[0] == 0:
            flat = current.reshape(shape[0], -1)
            found["ring_current"] = flat.mean(axis=1, dtype=np.float64)
    return found
