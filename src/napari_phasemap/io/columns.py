"""Text columns over energy, as beamlines, aXis2000, Athena and the EMSA write them.

* `read_table`: numbers, names of the columns, what each of them is.
* `read_numbers`: one number per line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.prepare.column_recognition import recognize
from napari_phasemap.core.prepare.column_words import unit_of
from napari_phasemap.io.column_names import (
    COMMENT,
    column_names,
    is_number,
    sample_title,
)
from napari_phasemap.io.damage import is_no_pipe

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_phasemap.core.prepare.column_roles import ColumnTable

__all__ = ["read_numbers", "read_table"]

#: Spectra are small; a larger file is something else.
LARGEST_TEXT = 64 << 20
_EMSA = re.compile(r"#\s*([A-Z0-9]+)[^:]*:\s?(.*)", re.IGNORECASE)


def read_table(path: Path) -> ColumnTable:
    """Read the columns of a text file of any common layout, and what each of them is.

    The table is the longest run of rows with the same number of numbers; what stands
    before it is the header, nothing may stand behind it. Comments start with
    ``# % * ! ; //``; columns are separated by commas, semicolons, tabs or blanks. EMSA
    files (``.msa``) are read by their keywords.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Columns
        Energies and named columns.

    Raises
    ------
    ValueError
        If there is no table of at least two columns, or its rows differ in length.
    """
    lines = _lines(path)
    if any("EMSA/MAS" in line for line in lines[:3]):
        return _emsa(path, lines)
    header, rows = _split(path, lines)
    split = _splitter(rows[0])
    values = _table(path, rows, split)
    if values.shape[1] < 2:
        raise InputError(
            f"{path.name} has one column; a spectrum needs energy and value"
        )
    names = column_names(header, values.shape[1], split)
    return recognize(path.name, names, values, title=sample_title(header))


def read_numbers(path: Path) -> NDArray[np.float64]:
    """Read one number per line, or the first column of a table.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray of shape (n,)
        In the unit of the file.

    Raises
    ------
    ValueError
        If the file holds no numbers.
    """
    _, rows = _split(path, _lines(path))
    return _table(path, rows, _splitter(rows[0]))[:, 0]


def _lines(path: Path) -> list[str]:
    is_no_pipe(path)
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


def _split(path: Path, lines: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines before the longest run of rows, and those rows."""
    written = [line for line in lines if line.strip(" \t\r\x1a")]
    width = [_n_numbers(line) for line in written]
    start, stop = _longest_run(width)
    if stop == start:
        raise InputError(f"{path.name} holds no numbers")
    n_columns = max(width[start:stop])
    before = [at for at in range(start) if width[at] == n_columns]
    bad = [
        behind
        for at in reversed(before)
        for behind in _next(width, at)
        if any(map(str.isdigit, written[behind]))
    ]
    bad += [at for at in _previous(width, start) if _is_row(written[at], n_columns)]
    for at in [*bad, *_next(width, stop - 1)]:
        raise InputError(
            f"{path.name}: {written[at].strip()[:60]!r} is not {n_columns} numbers "
            "like the other rows"
        )
    rows = [row for row, n in zip(written, width, strict=True) if n >= 0]
    kept = sum(n >= 0 for n in width[:start])
    return written[:start], rows[kept : kept + sum(n > 0 for n in width[start:stop])]


def _longest_run(width: list[int]) -> tuple[int, int]:
    """Return where the longest run of rows of one width starts and ends."""
    best, start, rows = (0, 0, 0), 0, 0
    for at, n in enumerate(width):
        if n < 0:  # a comment interrupts nothing
            continue
        if not rows or n != width[start]:
            start, rows = at, 0
        rows = rows + 1 if n > 0 else 0
        if rows > best[2]:
            best = (start, at + 1, rows)
    return best[0], best[1]


def _next(width: list[int], at: int) -> list[int]:
    """Return the line after another, comments left out; empty if there is none."""
    return [n for n in range(at + 1, len(width)) if width[n] >= 0][:1]


def _previous(width: list[int], at: int) -> list[int]:
    """Return the line before another, comments left out; empty if there is none."""
    return [n for n in range(at) if width[n] >= 0][-1:]


def _is_row(line: str, n_columns: int) -> bool:
    """Whether the line above the rows is a broken one of them."""
    words = _splitter(line.strip())(line.strip())
    return words[0][:1] in "0123456789+-." and len(words) == n_columns


def _n_numbers(line: str) -> int:
    """Return how many numbers a row has, 0 if it is none, -1 for a comment."""
    bare = line.strip()
    if bare.startswith(COMMENT):
        return -1
    words = _splitter(bare)(bare)
    return len(words) if all(map(is_number, words)) else 0


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
        if mark in line.strip():
            comma = "," in line and "." not in line
            return _Separator(mark, decimal_comma=comma)
    if "," in line:
        return _Separator(",", decimal_comma=False)
    return _Separator(None, decimal_comma=False)


def _table(path: Path, rows: list[str], split: _Separator) -> NDArray[np.float64]:
    n_columns = len(split(rows[0].strip()))
    table = np.empty((len(rows), n_columns))
    for number, row in enumerate(rows):
        words = split(row.strip())
        try:
            table[number] = [float(word) for word in words]
        except ValueError as error:
            raise InputError(
                f"{path.name}: {row.strip()[:60]!r} is not {n_columns} numbers like "
                "the first row"
            ) from error
    return table


def _emsa(path: Path, lines: list[str]) -> ColumnTable:
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
    units: dict[str, Literal["eV", "keV"]] = {"eV": "eV", "keV": "keV"}
    return recognize(
        path.name,
        ("energy", ""),
        np.stack([energy, values], axis=1),
        title=keys.get("TITLE", ""),
        told_unit=units.get(unit_of(keys.get("XUNITS", ""))),
    )
