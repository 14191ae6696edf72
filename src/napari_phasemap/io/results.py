"""Everything that was found in some stacks, written so that it can be drawn again.

* `Results`, `write_results`, `read_results`, `holds_results`.

Layout, version 1, beside the stacks of `stackfile`::

    references                energy, spectra, errors if known (n_references,
                              n_energies); tree: names
    maps/0, maps/1 ...        labels, runner_up, best, margin, scores, per pixel;
                              tree: names, colors, method, parameters
    latent                    (n_pixels, n_latent)
    features/0 ...            one array per pixel each
    selections/0 ...          bool (n_pixels,)
    tree                      latent_name, threshold, level, recipe; names of maps and
                              of features; names and colors of selections

Pixel order is that of `StackSet`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD, PhaseMap
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.decisions import DEFAULT_LEVEL
from napari_phasemap.io.damage import parsing
from napari_phasemap.io.hdf5 import (
    dataset_in,
    group_in,
    numbers,
    open_hdf5,
    read_array,
    text,
)
from napari_phasemap.io.space import write_hdf5
from napari_phasemap.io.stackfile import (
    FORMAT,
    about_file,
    add_stack,
    check_version,
    read_stacks,
    write_packed,
)
from napari_phasemap.io.trees import built, read_tree, write_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import h5py
    import numpy as np
    from numpy.typing import NDArray

    from napari_phasemap.io.stackfile import Group

__all__ = ["NamedPixels", "Results", "holds_results", "read_results", "write_results"]

_MAP_ARRAYS = ("labels", "runner_up", "best", "margin", "scores", "misfit")
#: What the tree of a file says of the results themselves.
_SAID = ("latent_name", "threshold", "level", "recipe")


@dataclass(frozen=True)
class _Root:
    """The tree of a file: what its arrays are called, and what was asked for."""

    latent_name: str
    threshold: float
    recipe: dict[str, Any]
    maps: list[str]
    features: list[str]
    selections: list[list[str]]
    level: float = DEFAULT_LEVEL  # files of version 0.1 know no probabilities

    def __post_init__(self) -> None:
        names = [self.latent_name, *self.maps, *self.features]
        named = all(isinstance(name, str) for name in names)
        pairs = all(len(pair) == 2 for pair in self.selections)
        if not (named and pairs and isinstance(self.recipe, dict)):
            raise InputError("the names of maps, features or selections are damaged")
        float(self.threshold), float(self.level)


@dataclass(frozen=True, eq=False)
class NamedPixels:
    """A named set of pixels, bool of shape (n_pixels,), with its color."""

    name: str
    pixels: NDArray[np.bool_]
    color: str


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that was found in some stacks, enough to draw all of it again.

    Parameters
    ----------
    stacks : StackSet
        The stacks that were analyzed; their masks fix the pixel order.
    references : ReferenceSpectra, optional
        As loaded.
    maps : mapping of str to PhaseMap
        By what made them: "phase_map", "resolved", "posterior" or any other name.
    latent : ndarray of float32 of shape (n_pixels, n_latent), optional
        Latent coordinates.
    latent_name : str, default=""
        What made them.
    features : mapping of str to ndarray of shape (n_pixels,)
        Other values per pixel.
    selections : tuple of NamedPixels
        Named selections; anything with `name`, `pixels` and `color` will do.
    threshold : float, default=0.005
        Smallest unambiguous Q1 - Q2.
    level : float, default=0.9
        Smallest probability of a phase that is not undecided.
    recipe : mapping, optional
        The steps with their parameters: plain dict, list, str, numbers and arrays.

    Raises
    ------
    ValueError
        If a per-pixel array has another length than the stacks have pixels.
    """

    stacks: StackSet
    references: ReferenceSpectra | None = None
    maps: Mapping[str, PhaseMap] = field(default_factory=dict)
    latent: NDArray[np.float32] | None = None
    latent_name: str = ""
    features: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    selections: tuple[NamedPixels, ...] = ()
    threshold: float = DEFAULT_THRESHOLD
    recipe: Mapping[str, Any] = field(default_factory=dict)
    level: float = DEFAULT_LEVEL

    def __post_init__(self) -> None:
        lengths = {f"map {name!r}": m.n_pixels for name, m in self.maps.items()}
        lengths |= {f"feature {n!r}": len(v) for n, v in self.features.items()}
        lengths |= {f"selection {s.name!r}": len(s.pixels) for s in self.selections}
        if self.latent is not None:
            lengths["latent"] = len(self.latent)
        for what, length in lengths.items():
            if length != self.stacks.n_pixels:
                raise InputError(
                    f"{what} has {length} pixels, the stacks {self.stacks.n_pixels}"
                )


def write_results(
    results: Results, path: str | PathLike[str], /, *, overwrite: bool = False
) -> Path:
    """Write results so that `read_results` gives them back bit by bit.

    Parameters
    ----------
    results : Results
        What to write.
    path : str or path
        File to write, usually ``.h5``.
    overwrite : bool, default=False
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileExistsError
        If the file exists and may not be replaced.
    FileError
        If the disk has no room for it; an earlier file is as it was.
    """

    def write(file: Group) -> None:
        _write(file, results)

    return write_hdf5(path, write, overwrite=overwrite, attributes=about_file())


def _write(file: Group, results: Results) -> None:
    """Write everything into the root of an empty file."""
    for number, stack in enumerate(results.stacks.stacks):
        add_stack(file.create_group(f"stacks/{number}"), stack)
    if results.references is not None:
        _write_references(file.create_group("references"), results.references)
    for number, phases in enumerate(results.maps.values()):
        _write_map(file.create_group(f"maps/{number}"), phases)
    if results.latent is not None:
        file["latent"] = results.latent
    for number, values in enumerate(results.features.values()):
        file[f"features/{number}"] = values
    for number, selection in enumerate(results.selections):
        write_packed(file, f"selections/{number}", selection.pixels)
    root = {
        "latent_name": results.latent_name,
        "threshold": float(results.threshold),
        "level": float(results.level),
        "recipe": dict(results.recipe),
        "maps": list(results.maps),
        "features": list(results.features),
        "selections": [[s.name, s.color] for s in results.selections],
    }
    write_tree(file.create_group("tree"), root)


def read_results(path: str | PathLike[str], /) -> Results:
    """Read what `write_results` wrote.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    Results
        Equal, array by array, to what was written.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged, of a newer version, or holds only a stack.
    """
    path = Path(path)
    with parsing(path), open_hdf5(path) as file:
        check_version(path, file)
        return _read_results(path, file)


def holds_results(path: str | PathLike[str], /) -> bool:
    """Return whether a file is one that `write_results` wrote, of any version.

    Parameters
    ----------
    path : str or path
        Any file or folder.

    Returns
    -------
    bool
    """
    path = Path(path)
    if path.suffix.lower() not in (".h5", ".hdf5") or not path.is_file():
        return False
    try:
        with open_hdf5(path) as file:
            return text(file.attrs.get("format", "")) == FORMAT and "tree" in file
    except (OSError, ValueError):
        return False


def _write_references(group: Group, references: ReferenceSpectra) -> None:
    group["energy"], group["spectra"] = references.energy, references.spectra
    if references.errors is not None:
        group["errors"] = references.errors
    write_tree(group.create_group("tree"), {"names": references.names})


def _write_map(group: Group, phases: PhaseMap) -> None:
    for key in _MAP_ARRAYS:
        values = getattr(phases, key)
        if values is not None and values.dtype.kind in "iu":
            write_packed(group, key, values)
        elif values is not None:
            group[key] = values
    described = {
        "names": phases.names,
        "colors": phases.colors,
        "method": phases.method,
        "parameters": dict(phases.parameters),
    }
    write_tree(group.create_group("tree"), described)


def _read_map(group: h5py.Group) -> PhaseMap:
    arrays: dict[str, Any] = {
        key: read_array(dataset_in(group, key)) for key in _MAP_ARRAYS if key in group
    }
    return built(PhaseMap, str(group.name), arrays, read_tree(group_in(group, "tree")))


def _read_results(path: Path, file: h5py.File) -> Results:
    if "tree" not in file:
        raise InputError(f"{path.name} holds stacks but no results; use read_stack")
    root = built(_Root, "tree", read_tree(group_in(file, "tree")))
    found: dict[str, Any] = {
        "stacks": StackSet(read_stacks(path, file)),
        "maps": {
            name: _read_map(group_in(file, f"maps/{number}"))
            for number, name in enumerate(root.maps)
        },
        "features": {
            name: read_array(dataset_in(file, f"features/{number}"))
            for number, name in enumerate(root.features)
        },
        "selections": tuple(
            NamedPixels(
                name, read_array(dataset_in(file, f"selections/{number}")), color
            )
            for number, (name, color) in enumerate(root.selections)
        ),
    }
    if "references" in file:
        found["references"] = _read_references(group_in(file, "references"))
    if "latent" in file:
        found["latent"] = read_array(dataset_in(file, "latent"))
    said = {name: getattr(root, name) for name in _SAID}
    return built(Results, "tree", found, said)


def _read_references(group: h5py.Group) -> ReferenceSpectra:
    arrays = {
        "energy": numbers(dataset_in(group, "energy")),
        "spectra": read_array(dataset_in(group, "spectra")),
    }
    if "errors" in group:
        arrays["errors"] = read_array(dataset_in(group, "errors"))
    return built(
        ReferenceSpectra, "references", arrays, read_tree(group_in(group, "tree"))
    )
