"""Stacks in the exchange HDF5 of MANTiS: ``exchange/data`` over x, y and energy.

The root says ``implements`` = "information:exchange:spectromicroscopy"; `data` is
stored as (x, y, energy), also where the attribute ``axes`` says "x:y" only.

* `recognises`, `read`, `EXTENSIONS`: for the table of formats in `read`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.assemble import assemble
from napari_phasemap.io.hdf5 import (
    dataset_in,
    group_in,
    is_hdf5,
    numbers,
    open_hdf5,
    read_floats,
    text,
    texts,
)
from napari_phasemap.io.hdf5_tree import tree

if TYPE_CHECKING:
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.io.assemble import Options

__all__ = ["EXTENSIONS", "read", "recognises"]

EXTENSIONS = (".hdf5", ".h5")


def recognises(path: Path, head: bytes) -> bool:
    """Whether this HDF5 file has images and energies where MANTiS puts them.

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
    import h5py

    if not is_hdf5(head):
        return False
    with open_hdf5(path) as file:
        return all(
            isinstance(file.get(f"exchange/{name}"), h5py.Dataset)
            for name in ("data", "energy")
        )


def read(path: Path, options: Options) -> list[SpectralStack]:
    """Read the stack as transmitted counts; what was computed from it is metadata.

    Parameters
    ----------
    path : Path
        The file.
    options : Options
        What the caller asks for.

    Returns
    -------
    list of SpectralStack
        One.
    """
    if options.detector is not None:
        raise InputError(f"{path.name} holds one detector: leave out detector=")
    with open_hdf5(path) as file:
        group = group_in(file, "exchange")
        data, energy = dataset_in(group, "data"), dataset_in(group, "energy")
        n_energies = int(energy.size or 0)
        frames = _frames(path, data, n_energies)
        x, unit = _positions(group, "x", frames.shape[2])
        y, _ = _positions(group, "y", frames.shape[1])
        return [
            assemble(
                frames,
                numbers(energy),
                name=path.stem,
                options=options,
                source=f"read {path.name} (MANTiS exchange HDF5)",
                energy_unit=text(energy.attrs.get("units", "")),
                x=x,
                y=y,
                position_unit=unit or "um",
                metadata=tree(file, leave_out=(str(data.name),)),
            )
        ]


def _frames(path: Path, data: h5py.Dataset, n_energies: int) -> NDArray[np.float32]:
    """Return the data as (energy, row, column)."""
    shape = data.shape or ()
    if len(shape) != 3:
        what = "a tilt series" if len(shape) == 4 else "no stack"
        raise InputError(f"{path.name} holds {what}: {data.name} has the shape {shape}")
    names: list[str] = texts(data.attrs["axes"]) if "axes" in data.attrs else []
    at = names.index("energy") if len(names) == 3 and "energy" in names else 2
    if shape[at] != n_energies:
        raise InputError(
            f"{path.name}: {data.name} of shape {shape} has {shape[at]} images for "
            f"{n_energies} energies"
        )
    columns, rows = (axis for axis in range(3) if axis != at)
    if len(names) == 3 and names[columns] == "y":
        columns, rows = rows, columns
    return np.ascontiguousarray(read_floats(data).transpose(at, rows, columns))


def _positions(
    group: h5py.Group, name: str, size: int
) -> tuple[NDArray[np.float64] | None, str]:
    """Return the positions of an axis where there is one for each pixel, and unit."""
    item: Any = group.get(name)
    if not hasattr(item, "shape"):
        return None, ""
    values = numbers(item)
    return (values if len(values) == size else None), text(item.attrs.get("units", ""))
