"""Text columns over energy, as beamlines, aXis2000, Athena and the EMSA write them.

* `read_columns`: energies and one or more columns with their names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Columns", "read_columns", "read_numbers"]

#: Spectra are small; a larger file is something else.
LARGEST_TEXT = 64 << 20
_COMMENT = ("#", "%", "*", "!", ";", "//", '"#')
_XDI_COLUMN = re.compile(r"#\s*Column\.(\d+):\s*(.+)", re.IGNORECASE)
_KEV = re.compile(r"\bkev\b", re.IGNORECASE)
_EV = re.compile(r"\bev\b", re.IGNORECASE)
_EMSA = re.compile(r"#\s*([A-Z0-9]+)[^:]*:\s?(.*)", re.IGNORECASE)
#: Header words that name a quantity and not a sample.
_NOT_A_NAME = {
    "", "intensity", "od", "optical density", "absorption", "signal", "counts", "value",
    "mu", "norm", "flux", "i", "y", "absorbance", "xmu", "data",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of a text file.

    Parameters
    ----------
    energy : ndarray of float64 of shape (n_energies,)
        First column, in the order of the file.
    values : ndarray of float64 of shape (n_columns, n_energies)
        The other columns.
    names : tuple of str
        One per column; empty where the file does not name it.
    energy_unit : str
        "eV", "keV" or empty where the file does not say.
    """

    energy: NDArray[np.float64]
    values: NDArray[np.float64]
    names: tuple[str, ...]
    energy_unit: str


def read_columns(path: Path) -> Columns:
    """Read energy and columns from a text file of any common layout.

    Comments start with ``# % * ! ; //``; columns are separated by commas, semicolons,
    tabs or blanks; a header line or comment with as many words as there are columns
    names them. EMSA files (``.msa``) are read by their keywords.

    Raises
    ------
    ValueError
        If there is no table of at least two columns, or its rows differ in length.
    """
    lines = _lines(path)
    if any("EMSA/MAS" in line for line in lines[:3]):
        return _emsa(path, lines)
    header, rows = _split(lines)
    if not rows:
        raise InputError(f"{path.name} holds no numbers")
    split = _splitter(rows[0])
    table = _table(path, rows, split)
    if table.shape[1] < 2:
        raise InputError(
            f"{path.name} has one column; a spectrum needs energy and value"
        )
    return Columns(
        energy=table[:, 0].copy(),
        values=np.ascontiguousarray(table[:, 1:].T),
        names=_names(header, table.shape[1], split),
        energy_unit=_unit(header),
    )


def read_numbers(path: Path) -> NDArray[np.float64]:
    """Read one number per line, or the first column of a table.

    Raises
    ------
    ValueError
        If the file holds no numbers.
    """
    _, rows = _split(_lines(path))
    if not rows:
        raise InputError(f"{path.name} holds no numbers")
    return _table(path, rows, _splitter(rows[0]))[:, 0]


def _lines(path: Path) -> list[str]:
    if path.stat().st_size > LARGEST_TEXT:
        raise InputError(f"{path.name} has {path.stat().st_size} bytes: no spectrum")
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace").splitlines()
    if b"\0" in content:
        raise InputError(f"{path.name} is not a text file")
    try:
        return content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return content.decode("latin-1").splitlines()


def _split(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands before the numbers, and the lines of numbers."""
    header: list[str] = []
    rows: list[str] = []
    for raw in lines:
        line = raw.strip()
        if not line or line.startswith(_COMMENT):
            if line and not rows:
                header.append(line)
        elif not rows and not _is_number(_splitter(line)(line)[0]):
            header.append(line)
        else:
            rows.append(line)
    return header, rows


class _Separator:
    """Splits a line into words; knows decimal commas."""

    def __init__(self, mark: str | None, *, decimal_comma: bool) -> None:
        self.mark = mark
        self.decimal_comma = decimal_comma

    def __call__(self, line: str) -> list[str]:
        words = [word.strip().strip('"') for word in line.split(self.mark)]
        if words and not words[-1]:
            words.pop()
        if self.decimal_comma:
            words = [word.replace(",", ".") for word in words]
        return words or [""]


def _splitter(line: str) -> _Separator:
    """Return how a line is split: by the first mark of ``; tab ,`` that it has."""
    for mark in (";", "\t"):
        if mark in line:
            comma = "," in line and "." not in line
            return _Separator(mark, decimal_comma=comma)
    if "," in line:
        return _Separator(",", decimal_comma=False)
    return _Separator(None, decimal_comma=False)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _table(path: Path, rows: list[str], split: _Separator) -> NDArray[np.float64]:
    n_columns = len(split(rows[0]))
    table = np.empty((len(rows), n_columns))
    for number, row in enumerate(rows):
        words = split(row)
        try:
            table[number] = [float(word) for word in words]
        except ValueError as error:
            raise InputError(
                f"{path.name}: {row[:60]!r} is not {n_columns} numbers like the "
                "first row"
            ) from error
    return table


def _names(header: list[str], n_columns: int, split: _Separator) -> tuple[str, ...]:
    """Return the column names that a header gives, empty where it gives none."""
    xdi = {
        int(match[1]): match[2].strip()
        for match in map(_XDI_COLUMN.match, header)
        if match and len(match[1]) < 5
    }
    if xdi:
        return tuple(_name(xdi.get(column + 1, "")) for column in range(1, n_columns))
    if n_columns == 2 and len(header) > 1 and header[0].split() == ["%", "1d"]:
        return (_name(header[1].lstrip("% ")),)
    for line in header:
        if "common name:" in line.lower():
            return (_name(line.split(":", 1)[1]), *("",) * (n_columns - 2))
    if header:
        bare = header[-1].lstrip("#*!;%/ \t")
        words = split(bare)
        if len(words) != n_columns:
            words = bare.split()
        is_comment = header[-1].startswith(_COMMENT)
        if len(words) == n_columns and (not is_comment or _is_energy(words[0])):
            return tuple(_name(word) for word in words[1:])
    return ("",) * (n_columns - 1)


def _is_energy(word: str) -> bool:
    """Whether the first word over a table says that energies stand below."""
    word = word.lower()
    return word in ("e", "x") or "energy" in word or "ev" in word


def _name(word: str) -> str:
    """Return a name without quotes, or nothing where it names no sample."""
    word = word.strip().strip("\"'")
    if word.lower() in _NOT_A_NAME or _is_number(word):
        return ""
    return word


def _unit(header: list[str]) -> str:
    text = "\n".join(header)
    if _KEV.search(text):
        return "keV"
    return "eV" if _EV.search(text) else ""


def _emsa(path: Path, lines: list[str]) -> Columns:
    """Read the EMSA/MAS exchange format, ISO 22029."""
    keys: dict[str, str] = {}
    rows = []
    for line in lines:
        match = _EMSA.match(line)
        if match:
            keys.setdefault(match[1].upper(), match[2].strip())
        elif line.strip() and not line.startswith("#"):
            rows.append(line.replace(",", " "))
    try:
        values = np.array(" ".join(rows).split(), dtype=np.float64)
        energy: NDArray[Any]
        if keys.get("DATATYPE", "").upper() == "XY":
            values, energy = values[1::2], values[::2]
        else:
            start, step = float(keys["OFFSET"]), float(keys["XPERCHAN"])
            energy = np.arange(len(values), dtype=np.float64) * step + start
        claimed = int(float(keys.get("NPOINTS", len(values))))
    except (KeyError, OverflowError, ValueError) as error:
        raise InputError(f"{path.name} is no valid EMSA file: {error}") from error
    if not claimed == len(values) == len(energy) or not claimed:
        raise InputError(
            f"{path.name} says NPOINTS {claimed} but holds {len(values)} values"
        )
    unit = keys.get("XUNITS", "")
    return Columns(
        energy=np.array(energy),
        values=np.array(values)[None],
        names=(_name(keys.get("TITLE", "")),),
        energy_unit="keV" if _KEV.search(unit) else ("eV" if _EV.search(unit) else ""),
    )
