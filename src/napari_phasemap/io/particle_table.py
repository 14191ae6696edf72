"""Tables with a row per particle, for example of states of charge.

* `read_particle_table`: the columns of a CSV file whose first column names particles.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.damage import is_no_pipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

__all__ = ["read_particle_table"]

#: Bytes; a row is short, and there are not so many particles.
LARGEST = 16 << 20


def read_particle_table(
    path: str | PathLike[str], names: Sequence[str], /
) -> dict[str, dict[str, str]]:
    """Read what a table says about particles.

    Parameters
    ----------
    path : path-like
        Text with commas, semicolons or tabs between the columns. The first line names
        the columns; the first column names the particles, with or without the extension
        of their file. Rows of other particles are left out.
    names : sequence of str
        Particles that are open.

    Returns
    -------
    dict of str to dict of str to str
        By column: the value of every particle that has one.

    Raises
    ------
    InputError
        If there is no second column, or no row names an open particle.
    """
    path = Path(path)
    is_no_pipe(path)
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path.name} is too large for a table of particles")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    header = lines[0] if lines else ""
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"{path.name} is no table: {error}") from error
    if not rows or len(rows[0]) < 2:
        raise InputError(
            f"{path.name} has no second column; needed: a line of column names, then "
            "per line the name of a particle and its values"
        )
    columns = [column.strip() for column in rows[0][1:]]
    table: dict[str, dict[str, str]] = {column: {} for column in columns}
    for row in rows[1:]:
        name = _known(row[0].strip(), names)
        for column, value in zip(columns, row[1:], strict=False):
            if name and value.strip():
                table[column][name] = value.strip()
    if not any(table.values()):
        raise InputError(
            f"the first column of {path.name} names {_some([r[0] for r in rows[1:]])}, "
            f"none of the open particles {_some(names)}"
        )
    return table


def _known(name: str, names: Sequence[str]) -> str:
    """Return the particle that a row means, "" for none."""
    stem = Path(name).stem
    return name if name in names else stem if stem in names else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) or "nothing"
    return f"{shown}, ..." if len(names) > 3 else shown
