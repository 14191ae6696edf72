"""Keep what was run, from what and with which versions, and run it again.

* `Recipe`: inputs and parameters, in a JSON file.
* `provenance`: versions, machine and checksums of the inputs.
* `written`: a path as it may be sent to others.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

__all__ = ["FORMAT", "Recipe", "provenance", "written"]

FORMAT = "napari-phasemap recipe"
VERSION = 1
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
    parameters : mapping, optional
        Keyword parameters of `run`; those left out have its defaults.

    Raises
    ------
    ValueError
        If there is no stack, or a parameter has a name that `run` does not know or a
        value of another type.

    Examples
    --------
    >>> Recipe(("P1.hdr",), ("refs.csv",), {"threshold": 0.004}).parameters["threshold"]
    0.004
    """

    stacks: tuple[Path, ...]
    references: tuple[Path, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("stacks", "references"):
            paths = tuple(Path(path) for path in getattr(self, name))
            if not paths:
                raise InputError(f"the recipe names no {name}")
            object.__setattr__(self, name, paths)
        parameters = _checked(dict(self.parameters))
        object.__setattr__(self, "parameters", MappingProxyType(parameters))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values with full paths, as they stand in the file.

        Paths below the user's own folder start with ``~``: a recipe is sent to others.
        """
        parameters = dict(self.parameters)
        for name in ("i0", "mask", "energies"):
            if parameters.get(name) and Path(parameters[name]).is_file():
                parameters[name] = written(Path(parameters[name]))
        if parameters.get("model"):
            parameters["model"] = written(Path(parameters["model"]))
        return {
            "format": FORMAT,
            "version": VERSION,
            "stacks": [written(path) for path in self.stacks],
            "references": [written(path) for path in self.references],
            "parameters": parameters,
        }

    @classmethod
    def load(cls, path: str | PathLike[str], /) -> Recipe:
        """Read a recipe; relative paths count from its folder.

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
            return cls(stacks, references, _expanded(values["parameters"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path.name} is a damaged recipe: {error}") from error


def written(path: Path) -> str:
    """Return a full path as it may be sent to others: the own folder is ``~``."""
    path = path.absolute()
    if path.is_relative_to(Path.home()):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


def _expanded(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with the user's own folder in place of ``~``."""
    return {
        name: str(Path(value).expanduser())
        if isinstance(value, str) and value.startswith("~/")
        else value
        for name, value in parameters.items()
    }


def load_json(path: Path) -> dict[str, Any]:
    """Return the contents of a recipe file, or raise ValueError where it is none."""
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
    """Return versions, machine, time and the checksum of every input file."""
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


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """Return all parameters of `run`, those given in place of the defaults."""
    from napari_phasemap.core.data.parameters import parameters_of
    from napari_phasemap.pipeline.batch import run

    known = {one.name: one for one in parameters_of(run)}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(
            f"unknown parameters {', '.join(unknown)}; there are {', '.join(known)}"
        )
    complete = {}
    for name, one in known.items():
        value = given.get(name, one.default)
        if value is not None or one.default is not None:
            kinds = (int, float) if one.type is float else (one.type,)
            strange = isinstance(value, bool) and one.type is not bool
            if strange or not isinstance(value, kinds):
                raise InputError(f"{name}={value!r} is not of type {one.type.__name__}")
            if one.choices and value not in one.choices:
                raise InputError(f"{name}={value!r} is not one of {one.choices}")
        complete[name] = value
    return complete


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
