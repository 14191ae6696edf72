"""Tables as text.

* `aligned_table`: rows of values as lines with aligned columns.
* `described`: a title with one line per property.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["aligned_table", "described"]


def aligned_table(rows: Sequence[Sequence[Any]], /) -> list[str]:
    """Return one line per row: first column to the left, the others to the right.

    Parameters
    ----------
    rows : sequence of sequence
        The header may be the first; floats get three decimals, NaN stays empty.

    Returns
    -------
    list of str

    Examples
    --------
    >>> aligned_table([("phase", "share"), ("a", 0.5)])
    ['phase  share', 'a      0.500']
    """
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]


def described(title: str, rows: Mapping[str, str], /) -> str:
    """Return a title and under it, indented, one line per property.

    Parameters
    ----------
    title : str
        First line.
    rows : mapping of str to str
        Property and its value in words.

    Returns
    -------
    str

    Examples
    --------
    >>> print(described("Stack", {"energies": "13", "size": "4 x 3"}))
    Stack
      energies  13
      size      4 x 3
    """
    width = max((len(key) for key in rows), default=0)
    lines = [f"  {key:<{width}}  {value}" for key, value in rows.items()]
    return "\n".join([title, *lines])


def _text(cell: Any) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return "" if cell != cell else f"{cell:.3f}"
