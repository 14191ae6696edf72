"""Keep what was run, from what and with which versions, and run it again.

* `Recipe`: inputs and parameters, in a JSON file.
* `provenance`: versions, machine and checksums of the inputs.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.parameters import from_mapping
from napari_phasemap.io.damage import is_no_pipe
from napari_phasemap.pipeline.folders import sendable
from napari_phasemap.pipeline.parameters import RunParameters

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

__all__ = ["HEADER", "Recipe", "load_json", "provenance"]

FORMAT = "napari-phasemap recipe"
VERSION = 1
#: What every file of this kind begins with.
HEADER = {"format": FORMAT, "version": VERSION}
#: A recipe is a page of text; a larger file is something else.
LARGEST = 16 << 20
#: Packages whose version may change a number or a picture.
PACKAGES = ("napari-phasemap", "numpy", "scipy", "numba", "scikit-image", "h5py",
            "tifffile", "matplotlib", "tensorflow", "keras")  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """What `run` was asked to do.

    Parameters
    ----------
    stacks : tuple of Path
        The files of the particles.
    references : tuple of Path
        The files of the reference spectra.
    parameters : RunParameters, optional
        Everything else.

    Raises
    ------
    ValueError
        If there is no stack or no reference.

    Examples
    --------
    >>> recipe = Recipe(("P1.hdr",), ("refs.csv",), RunParameters(threshold=0.004))
    >>> recipe.to_dict()["parameters"]["threshold"]
    0.004
    """

    stacks: tuple[Path, ...]
    references: tuple[Path, ...]
    parameters: RunParameters = field(default_factory=RunParameters)

    def __post_init__(self) -> None:
        for name in ("stacks", "references"):
            paths = tuple(Path(path) for path in getattr(self, name))
            if not paths:
                raise InputError(f"the recipe names no {name}")
            object.__setattr__(self, name, paths)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """All files and folders that the results come from."""
        model = self.parameters.model
        return (*self.stacks, *self.references, *([Path(model)] if model else []))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values with full paths, as they stand in the file.

        Paths below the user's own folder start with ``~``: a recipe is sent to others.
        """
        return {
            **HEADER,
            "stacks": [sendable(path) for path in self.stacks],
            "references": [sendable(path) for path in self.references],
            "parameters": self.parameters.as_dict(),
        }

    @classmethod
    def load(cls, path: str | PathLike[str], /) -> Recipe:
        """Read a recipe; relative paths count from its folder.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        Recipe
            Checked, but for the files it names.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is no recipe, or of a newer version.
        """
        path = Path(path)
        values = load_json(path)
        if values.get("command") == "eels":
            raise InputError(
                f"{path.name} was written by 'napari-phasemap eels'; it says what was "
                "done there, and 'run --recipe' repeats only what 'run' wrote"
            )
        newest = values.get("version")
        if not isinstance(newest, int) or newest > VERSION:
            raise InputError(
                f"{path.name} is a recipe of version {newest}; this program reads up "
                f"to {VERSION}: update napari-phasemap"
            )
        try:
            stacks, references = (
                tuple(path.parent / Path(one).expanduser() for one in values[key])
                for key in ("stacks", "references")
            )
            parameters = _expanded(values["parameters"])
            return cls(stacks, references, from_mapping(RunParameters, parameters))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path.name} is a damaged recipe: {error}") from error


def _expanded(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with the user's own folder in place of ``~``."""
    return {
        name: str(Path(value).expanduser())
        if isinstance(value, str) and value.startswith("~/")
        else value
        for name, value in parameters.items()
    }


def load_json(path: Path) -> dict[str, Any]:
    """Return the contents of a recipe file, or raise ValueError where it is none.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to object
        As it stands there.
    """
    is_no_pipe(path)
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path.name} is no recipe: it is too large")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path.name} is no recipe: {error}") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise InputError(f"{path.name} is no recipe of napari-phasemap")
    return values


def provenance(inputs: Iterable[Path]) -> dict[str, Any]:
    """Return versions, machine, time and the checksum of every input file.

    Parameters
    ----------
    inputs : iterable of Path
        Files that were read.

    Returns
    -------
    dict of str to object
        By what it is.
    """
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
        "versions": versions,
        "inputs": [_checksum(path) for path in _with_companions(inputs)],
    }


def _with_companions(inputs: Iterable[Path]) -> list[Path]:
    """Return the files and those that are read with them; of a folder, all in it."""
    from napari_phasemap.io.read import companions

    found: list[Path] = []
    for path in inputs:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.is_file())
            continue
        found.append(path)
        if path.is_file():
            found += companions(path)
    return list(dict.fromkeys(found))


def _checksum(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {"name": path.name, "missing": True}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    return {"name": path.name, "bytes": size, "sha256": digest}
