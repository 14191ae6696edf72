"""STXM scans in self-describing text files: ``.hdr`` with ``.xim`` or ``.xsp``.

Written at ALS, CLS, SLS and MAX IV. The header names the axes; every image is a text
file of its own beside it, with the channel letter, energy number and region number in
its name. Image stacks, single images, line scans over energy and point spectra are
read; a scan with several regions gives several stacks.

* `recognises`, `read`: for the table of formats in `read`.
* `companions`: the files of a scan beside its header.
* `read_matrix`: one text image.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.assemble import assemble, check_size
from napari_phasemap.io.damage import beside
from napari_phasemap.io.sdf_header import parse_header

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.io.assemble import Options

__all__ = ["EXTENSIONS", "companions", "header_of", "read", "read_matrix", "recognises"]

#: What a user chooses; an image of a scan (.xim) opens its scan, but is one of many.
EXTENSIONS = (".hdr",)
#: The longest header seen has 17 kB; one of 2000 energies and motors stays below this.
LARGEST_HEADER = 16 << 20
#: The shortest text of one value is a digit and a separator.
BYTES_PER_VALUE = 2
_SPECTRUM_NAME = re.compile(r"(.+)_\d+\.xsp", re.IGNORECASE)
_IMAGE_NAME = re.compile(r"(.+)_([a-z])(\d*)\.xim", re.IGNORECASE)


def recognises(path: Path, head: bytes) -> bool:
    """Whether this is a header, or an image of one.

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
    if b"ScanDefinition" in head:
        return True
    return path.suffix.lower() == ".xim" and header_of(path) is not None


def header_of(path: Path) -> Path | None:
    """Return the header that a text image belongs to, None if there is none.

    Parameters
    ----------
    path : Path
        The image.

    Returns
    -------
    Path or None
        Beside it, by its name.
    """
    match = _IMAGE_NAME.fullmatch(path.name)
    if match is None:
        return None
    found = (path.with_name(match[1] + ending) for ending in (".hdr", ".HDR"))
    return next((header for header in found if header.is_file()), None)


def companions(path: Path) -> list[Path]:
    """Return the images and spectra of a scan.

    Parameters
    ----------
    path : Path
        The header.

    Returns
    -------
    list of Path
        Those that exist.
    """
    header = header_of(path) or path
    found = []
    for file in sorted(header.parent.iterdir()):
        match = _IMAGE_NAME.fullmatch(file.name) or _SPECTRUM_NAME.fullmatch(file.name)
        if match is not None and match[1] == header.stem:
            found.append(file)
    return found


def read(path: Path, options: Options) -> list[SpectralStack]:
    """Read every region of a scan.

    Parameters
    ----------
    path : Path
        The header, or one of its images.
    options : Options
        What the caller asks for.

    Returns
    -------
    list of SpectralStack
        One per region.
    """
    if path.suffix.lower() == ".xim":
        path = header_of(path) or path
    header = _header(path)
    scan = header.get("ScanDefinition")
    if not isinstance(scan, dict):
        raise InputError(f"{path.name} has no ScanDefinition; it may be cut short")
    _refuse_other_scans(path, scan)
    regions = _structures(scan, "Regions")
    if not regions:
        raise InputError(f"{path.name} names no region in ScanDefinition.Regions")
    channel, notes = _channel(path, scan, options)
    return [
        _Region(path, header, scan, region, number, len(regions)).read(
            channel, notes, options
        )
        for number, region in enumerate(regions)
    ]


class _Region:
    """One region of a scan: its axes and the files that hold it."""

    def __init__(
        self,
        path: Path,
        header: Mapping[str, Any],
        scan: Mapping[str, Any],
        region: Mapping[str, Any],
        number: int,
        n_regions: int,
    ) -> None:
        self.path, self.header, self.scan = path, header, scan
        self.number, self.n_regions = number, n_regions
        self.p_name, self.p, self.p_unit = _axis(path, region, "PAxis")
        self.q_name, self.q, self.q_unit = _axis(path, region, "QAxis")
        self.name = path.stem + (f" region {number + 1}" if n_regions > 1 else "")
        kind = scan.get("Type") or scan.get("Flags") or "scan"
        self.source = f"read {path.name} (SDF, {kind})"

    def read(self, channel: str, notes: list[str], options: Options) -> SpectralStack:
        """Read the region as what it is: stack, line scan, spectrum or image."""
        if "spectra" in str(self.scan.get("Flags", "")).lower():
            return self._spectrum(notes, options)
        if "energy" in (self.p_name.lower(), self.q_name.lower()):
            return self._line(channel, notes, options)
        return self._images(channel, notes, options)

    def _images(
        self, channel: str, notes: list[str], options: Options
    ) -> SpectralStack:
        energy, unit = self._energies(options)
        files = self._files(channel, len(energy))
        shape = (len(self.q), len(self.p))
        frames, damaged = _frames(self.path, files, (len(energy), *shape))
        return assemble(
            frames,
            energy,
            name=self.name,
            options=options,
            source=self.source,
            energy_unit=unit,
            x=self.p,
            y=self.q,
            position_unit=self.p_unit,
            metadata=self.header,
            notes=[*notes, *damaged],
        )

    def _line(self, channel: str, notes: list[str], options: Options) -> SpectralStack:
        """Read a line scan: (energy, 1, position)."""
        file = self._files(channel, 1).get(0)
        if file is None:
            raise InputError(f"no image file {self.path.stem}_{channel}.xim")
        image = read_matrix(file, (len(self.q), len(self.p)))
        if image is None:
            raise InputError(
                f"{file.name} is cut short: not {len(self.q)} x {len(self.p)} numbers"
            )
        first, other = (self.q, self.q_unit), (self.p, self.p_unit)
        if self.p_name.lower() == "energy":
            image, first, other = image.T, other, first
        return assemble(
            np.ascontiguousarray(image[:, None, :]),
            first[0],
            name=self.name,
            options=options,
            source=self.source,
            energy_unit=first[1],
            x=other[0],
            position_unit=other[1],
            metadata=self.header,
            notes=notes,
        )

    def _spectrum(self, notes: list[str], options: Options) -> SpectralStack:
        """Read a point spectrum: (energy, 1, 1)."""
        from napari_phasemap.io.columns import read_table

        file = self.path.with_name(f"{self.path.stem}_{self.number}.xsp")
        if not file.is_file():
            raise InputError(f"the spectrum {file.name} is not beside {self.path.name}")
        energy, counts = read_table(beside(file, self.path)).values.T[:2]
        return assemble(
            counts.astype(np.float32)[:, None, None],
            energy,
            name=self.name,
            options=options,
            source=self.source,
            energy_unit="eV",
            metadata=self.header,
            notes=notes,
        )

    def _energies(self, options: Options) -> tuple[NDArray[np.float64], str]:
        """Return the points of the stack axis, or where a single image was taken."""
        if isinstance(self.scan.get("StackAxis"), dict) and self._is_stack():
            name, points, unit = _axis(self.path, self.scan, "StackAxis")
            self._check_energies(name, points, options)
            return points, unit
        for block, key in (
            (self.header.get(f"Image000_{self.number}"), "Energy"),
            (self.header.get("Energy"), "LastPosition"),
        ):
            value = block.get(key) if isinstance(block, dict) else None
            if isinstance(value, int | float):
                return np.array([float(value)]), "eV"
        raise InputError(f"{self.path.name} does not say the energy of its image")

    def _check_energies(
        self, name: str, points: NDArray[np.float64], options: Options
    ) -> None:
        """Refuse a stack over something else, as over the field of a magnet."""
        if options.energies is None and (points <= 0.0).any():
            listed = ", ".join(f"{point:g}" for point in points[:5])
            raise InputError(
                f"{self.path.name}: the StackAxis {name!r} holds {listed}, which are "
                "no photon energies; if the images differ in energy, give them with "
                "energies="
            )

    def _is_stack(self) -> bool:
        words = f"{self.scan.get('Flags', '')} {self.scan.get('Type', '')}".lower()
        return "stack" in words or "nexafs" in words

    def _files(self, channel: str, n_energies: int) -> dict[int, Path]:
        """Return the image files of this region by energy number."""
        found: dict[int, Path] = {}
        for file in sorted(self.path.parent.iterdir()):
            match = _IMAGE_NAME.fullmatch(file.name)
            if match is None or match[1] != self.path.stem:
                continue
            if match[2].lower() != channel:
                continue
            place = self._place(match[3])
            if place is not None and place < n_energies:
                found[place] = beside(file, self.path)
        return found

    def _place(self, digits: str) -> int | None:
        """Return the energy number in a file name, None for another region."""
        if self.n_regions > 1 or len(digits) == 4:
            if digits[-1:] != str(self.number):
                return None
            digits = digits[:-1]
        return int(digits or 0)


def _frames(
    path: Path, files: Mapping[int, Path], shape: tuple[int, int, int]
) -> tuple[NDArray[np.float32], list[str]]:
    """Read the images into one array; missing and short ones are NaN."""
    n_pixels = shape[1] * shape[2]
    if not files:
        raise InputError(f"there is no image file {path.stem}_*.xim beside {path.name}")
    n_bytes = sum(file.stat().st_size for file in files.values())
    if max(f.stat().st_size for f in files.values()) + 1 < BYTES_PER_VALUE * n_pixels:
        raise InputError(
            f"no image beside {path.name} is long enough for its "
            f"{shape[1]} x {shape[2]} pixels"
        )
    check_size(shape, n_bytes, path.name)
    frames = np.empty(shape, dtype=np.float32)
    damaged = []
    for number in range(shape[0]):
        file = files.get(number)
        image = None if file is None else read_matrix(file, shape[1:])
        frames[number] = np.nan if image is None else image
        if file is not None and image is None:
            damaged.append(f"warning: {file.name} is cut short or damaged")
    return frames, damaged


def read_matrix(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """Return one text image of `shape`, None where it is cut short or damaged.

    The numbers may have decimals: programs that align a stack write them.

    Parameters
    ----------
    path : Path
        The image.
    shape : tuple of int
        Rows and columns that the header promises.

    Returns
    -------
    ndarray of float32 of that shape, or None
        In counts.
    """
    if path.stat().st_size + 1 < BYTES_PER_VALUE * shape[0] * shape[1]:
        return None
    try:
        # Parses as double and rounds once: the same bits as float64 cast to float32.
        image = np.loadtxt(
            path, dtype=np.float32, comments=None, ndmin=2, encoding="latin-1"
        )
    except (ValueError, OverflowError):
        return None
    if image.shape == shape:
        return image
    return image.reshape(shape) if image.size == shape[0] * shape[1] else None


def _header(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST_HEADER:
        raise InputError(
            f"{path.name} has {path.stat().st_size} bytes, too many for a header"
        )
    return parse_header(path.read_bytes().decode("latin-1"))


def _refuse_other_scans(path: Path, scan: Mapping[str, Any]) -> None:
    kind = str(scan.get("Type", ""))
    for word in ("focus", "osa", "detector", "motor"):
        if word in kind.lower().split():
            raise InputError(
                f"{path.name} is a scan of type {kind!r}, used to set up the "
                "microscope: it has no energy axis and no phases to map"
            )


def _structures(block: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    items = block.get(key)
    if not isinstance(items, list):
        return []
    return [item for item in items if isinstance(item, dict)]


def _axis(
    path: Path, block: Mapping[str, Any], key: str
) -> tuple[str, NDArray[np.float64], str]:
    """Return name, points and unit of an axis; `Points` are right, `Max` is not."""
    axis = block.get(key)
    points = axis.get("Points") if isinstance(axis, dict) else None
    if not isinstance(axis, dict) or not isinstance(points, list) or not points:
        raise InputError(f"{path.name}: {key} has no Points")
    if not all(isinstance(point, int | float) for point in points):
        raise InputError(f"{path.name}: the Points of {key} are not all numbers")
    values = np.array(points, dtype=np.float64)
    return str(axis.get("Name", "")).strip(), values, str(axis.get("Unit", ""))


def _channel(
    path: Path, scan: Mapping[str, Any], options: Options
) -> tuple[str, list[str]]:
    """Return the letter of the wanted channel, by default the first."""
    names = [str(item.get("Name", "")) for item in _structures(scan, "Channels")]
    letters = [chr(ord("a") + number) for number in range(len(names))] or ["a"]
    wanted = options.detector
    if wanted is None:
        if len(names) < 2:
            return "a", []
        others = ", ".join(names[1:])
        return "a", [f"detector {names[0]!r}; the file also has {others}"]
    if wanted in names:
        return letters[names.index(wanted)], [f"detector {wanted!r}"]
    if wanted.lower() in letters:
        return wanted.lower(), [f"detector {wanted!r}"]
    raise InputError(f"{path.name} has no detector {wanted!r}; it has {names}")
