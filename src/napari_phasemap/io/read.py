"""Which format a file has, and the stacks in it.

* `read_stack`: any file to `SpectralStack`, or a list of them.
* `describe`: what is in a file, for a screen.
* `is_readable`: whether a file looks like one of ours, from its first bytes.
* `companions`: what is read with a file.
* `extensions`, `folder_extensions`, `pattern`: what the readers say that they read.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_phasemap.core.data.errors import FORESEEN, InputError
from napari_phasemap.io.assemble import Options
from napari_phasemap.io.damage import is_no_pipe, parsing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from numpy.typing import ArrayLike

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.io.assemble import Duplicates, EnergyUnit

__all__ = [
    "Description",
    "companions",
    "describe",
    "extensions",
    "folder_extensions",
    "is_readable",
    "pattern",
    "read_stack",
]

#: Bytes in which every format shows what it is.
N_HEAD = 1 << 16


class _Format(NamedTuple):
    """A format; its module has `recognises`, `read` and `EXTENSIONS`."""

    name: str
    module: str


#: In the order in which they are asked; the first that recognises a file reads it.
_FORMATS = (
    _Format("napari-phasemap HDF5", "stackfile"),
    _Format("NXstxm HDF5", "nxstxm"),
    _Format("MANTiS exchange HDF5", "exchange"),
    _Format("electron microscope", "em"),
    _Format("SDF", "sdf"),
    _Format("TIFF", "tiff"),
    _Format("numpy arrays", "arrays"),
)


@dataclass(frozen=True, eq=False)
class Description:
    """What is in a file.

    Parameters
    ----------
    path : Path
        The file.
    format : str
        Name of its format.
    stacks : tuple of SpectralStack
        The regions; their `history` holds what was noticed while reading.
    """

    path: Path
    format: str
    stacks: tuple[SpectralStack, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should know before trusting the data."""
        return tuple(
            f"{stack.name}: {line.removeprefix('warning: ')}"
            for stack in self.stacks
            for line in stack.history
            if line.startswith("warning")
        )

    def __str__(self) -> str:
        lines = [f"{self.path.name}: {self.format}"]
        for stack in self.stacks:
            lines += [repr(stack), *(f"  - {line}" for line in stack.history)]
        return "\n".join(lines)


def read_stack(
    path: str | PathLike[str],
    /,
    *,
    energies: ArrayLike | str | PathLike[str] | None = None,
    energy_unit: EnergyUnit | None = None,
    detector: str | None = None,
    duplicates: Duplicates = "refuse",
) -> SpectralStack | list[SpectralStack]:
    """Read a hyperspectral file of any known format.

    The format is found by content, then by extension: SDF (``.hdr`` and its ``.xim``),
    NXstxm HDF5, MANTiS exchange HDF5, multi-page TIFF, ``.npz`` and ``.npy``, this
    program's own HDF5 and, with RosettaSciIO, the formats of electron microscopes.

    Parameters
    ----------
    path : str or path
        The file.
    energies : array_like or path of a text file, optional
        One energy per image, for files that hold none (TIFF, ``.npy``). A TIFF finds a
        text file of the same name, or the only one in its folder with one number per
        page, by itself.
    energy_unit : {"eV", "keV"}, optional
        Unit of the energies where the file does not say it, or says it wrong.
    detector : str, optional
        Name of the detector, where the file has several; default the first counter.
    duplicates : {"refuse", "merge"}, default="refuse"
        What happens to frames with exactly the same energy.

        * "refuse": an error that names the energies.
        * "merge": their mean.

    Returns
    -------
    SpectralStack or list of SpectralStack
        A list where the file has several regions. A line scan has one row, a single
        image one energy. Frames that are missing or incomplete are NaN throughout.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it cannot be read.
    ValueError
        If it is damaged, of no known format or not hyperspectral; says which.
    """
    options = Options(
        energies=energies,
        energy_unit=energy_unit,
        detector=detector,
        duplicates=duplicates,
    )
    stacks = _read(Path(path), options).stacks
    return stacks[0] if len(stacks) == 1 else list(stacks)


def describe(path: str | PathLike[str], /) -> Description:
    """Say what is in a file; reads it, merging duplicate energies.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    Description
        Format, stacks and what was noticed.
    """
    return _read(Path(path), Options(duplicates="merge"))


def is_readable(path: str | PathLike[str], /) -> bool:
    """Whether `read_stack` has a reader for this file; looks at its first bytes.

    Parameters
    ----------
    path : str or path
        The file or folder.

    Returns
    -------
    bool
        False also where it cannot be opened.
    """
    path = Path(path)
    try:
        with parsing(path):
            is_no_pipe(path)
            return path.exists() and _format_of(path) is not None
    except FORESEEN:
        return False


def companions(path: str | PathLike[str], /) -> list[Path]:
    """Return the files that are read with a file: images of a scan, energies.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    list of Path
        Without the file itself.
    """
    path = Path(path)
    found: list[Path] = []
    for _, module in _modules():
        endings = (*module.EXTENSIONS, *getattr(module, "FOLDERS", ()))
        if path.suffix.lower() in endings and hasattr(module, "companions"):
            found += module.companions(path)
    return found


def extensions() -> tuple[str, ...]:
    """Return the endings of files that the readers name, each once.

    Examples
    --------
    >>> extensions()[:3]
    ('.h5', '.hdf5', '.nxs')
    """
    return tuple(dict.fromkeys(e for _, m in _modules() for e in m.EXTENSIONS))


def folder_extensions() -> tuple[str, ...]:
    """Return the endings of folders that are read like files."""
    return tuple(e for _, m in _modules() for e in getattr(m, "FOLDERS", ()))


def pattern() -> str:
    """Return the endings of stacks as a dialog takes them: ``*.h5 *.hdf5 ...``."""
    return " ".join(f"*{ending}" for ending in extensions())


def _read(path: Path, options: Options) -> Description:
    if path.is_dir() and path.suffix.lower() not in folder_extensions():
        raise InputError(f"{path} is a folder; give a file, for example its .hdr")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    is_no_pipe(path)
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty")
    with parsing(path):
        found = _format_of(path)
        if found is None:
            raise InputError(_why_not(path))
        module = import_module(f"napari_phasemap.io.{found.module}")
        stacks = tuple(module.read(path, options))
    if not stacks:
        raise InputError(f"{path.name} ({found.name}) holds no stack")
    return Description(path, found.name, stacks)


def _format_of(path: Path) -> _Format | None:
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(N_HEAD)
    for found, module in _modules():
        if module.recognises(path, head):
            return found
    return None


def _modules() -> Iterator[tuple[_Format, Any]]:
    for item in _FORMATS:
        yield item, import_module(f"napari_phasemap.io.{item.module}")


def _why_not(path: Path) -> str:
    """Return a sentence on a file that no format recognises."""
    with path.open("rb") as file:
        head = file.read(N_HEAD)
    if head.lstrip().upper().startswith(b"ENVI"):
        return f"{path.name} is an ENVI header of a remote sensing image, not an SDF"
    known = {
        ".stk": "a Stony Brook stack",
        ".ncb": "an aXis2000 binary stack",
        ".xrm": "a Xradia image",
        ".txrm": "a Xradia stack",
        ".sm": "an X1A netCDF scan",
    }.get(path.suffix.lower())
    if known:
        return f"{path.name} seems to be {known}; that format is not read, save as TIFF"
    if path.suffix.lower() == ".xim":
        return f"{path.name} is one image of a scan whose .hdr is not beside it"
    if path.suffix.lower() == ".hdr":
        return f"{path.name} is no SDF header: it has no ScanDefinition"
    return (
        f"{path.name} is of no known format: SDF (.hdr), NXstxm HDF5, TIFF, .npz and "
        ".npy, napari-phasemap HDF5 or an electron microscope's file"
    )
