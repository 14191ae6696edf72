"""What a folder of results says in tables.

* `summary_rows`: one row per particle and phase; `write_csv`.
* `change_rows`: from which phase to which.
* `Failure`: a particle that could not be analyzed.
* `maps_of`: which maps of some results are counted and drawn.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.phases.changes import disagreement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.phases.changes import ChangeTable
    from napari_phasemap.io.results import Results

__all__ = [
    "COLUMNS",
    "RESOLVED_COLUMNS",
    "Failure",
    "change_rows",
    "maps_of",
    "summary_rows",
    "write_csv",
]

#: Columns of the summary; shares in per cent of the assigned pixels.
COLUMNS = (
    "particle", "file", "phase", "pixels", "percent", "ambiguous_percent",
    "mean_reliability", "message",
)  # fmt: skip
#: Further columns where ambiguous pixels were resolved; `disagreeing_pixels` are
#: unambiguous ones of the phase that lie in the latent cluster of another.
RESOLVED_COLUMNS = ("resolved_pixels", "resolved_percent", "disagreeing_pixels")


@dataclass(frozen=True)
class Failure:
    """A file or particle that could not be analyzed, and why; a bug says that it is."""

    name: str
    file: str
    message: str
    is_bug: bool = False


def summary_rows(
    results: Results,
    phases: PhaseMap,
    /,
    files: Mapping[str, str],
    failures: Sequence[Failure] = (),
) -> list[dict[str, Any]]:
    """Return one row per particle and phase, and one per failure.

    Shares are in per cent: `percent` of the particle's assigned pixels,
    `ambiguous_percent` of the pixels of the phase. Pixels without phase have a row
    of their own where there are any. `RESOLVED_COLUMNS` are there where the results
    have a map "resolved".
    """
    rows = []
    resolved = maps_of(results)[1]
    other = None
    if resolved is not None and resolved.scores is not None:
        other = disagreement(phases, resolved, threshold=results.threshold)
    stacks = results.stacks
    ambiguous = phases.ambiguous(results.threshold)
    for stack, low, high in zip(
        stacks, stacks.offsets, stacks.offsets[1:], strict=False
    ):
        part = slice(low, high)
        labels = phases.labels[part]
        shares = np.nan_to_num(phases.fractions(part))
        notes = [
            line.removeprefix("warning: ")
            for line in stack.history
            if line.startswith("warning")
        ]
        shown = [(n, name, shares[n - 1]) for n, name in enumerate(phases.names, 1)]
        after = None if resolved is None else resolved.labels[part]
        if (labels == 0).any() or (after is not None and (after == 0).any()):
            shown.append((0, "(not assigned)", None))
        for number, name, share in shown:
            here = labels == number
            row: dict[str, Any] = {
                "particle": stack.name,
                "file": files.get(stack.name, ""),
                "phase": name,
                "pixels": int(np.count_nonzero(here)),
                "message": "; ".join(notes),
            }
            if share is not None:
                row["percent"] = f"{share:.3f}"
            if resolved is not None and after is not None:
                row["resolved_pixels"] = int(np.count_nonzero(after == number))
                if number:
                    new = np.nan_to_num(resolved.fractions(part))[number - 1]
                    row["resolved_percent"] = f"{new:.3f}"
                if number and other is not None:
                    row["disagreeing_pixels"] = int(np.count_nonzero(other[part][here]))
            if number and here.any():
                gaps = phases.reliability[part][here]
                row["ambiguous_percent"] = f"{100 * ambiguous[part][here].mean():.3f}"
                row["mean_reliability"] = f"{gaps.mean(dtype=float):.5g}"
            rows.append(row)
    for failure in failures:
        rows.append(
            {
                "particle": failure.name,
                "file": failure.file,
                "message": failure.message,
            }
        )
    return rows


def change_rows(table: ChangeTable) -> list[dict[str, Any]]:
    """Return the rows of a table of changes with three decimals."""
    rows = []
    for values in table.rows:
        name, before, after, *pixels = values
        shares = [
            "" if np.isnan(share) else f"{share:.3f}" for share in (before, after)
        ]
        row = (name, *shares, *pixels)
        rows.append(dict(zip(table.header, row, strict=True)))
    return rows


def maps_of(results: Results) -> tuple[PhaseMap, PhaseMap | None]:
    """Return the map of the phases, and the resolved one if there is any."""
    phases = next(iter(results.maps.values()))
    resolved = results.maps.get("resolved")
    same = resolved is not None and resolved.names == phases.names
    return phases, resolved if same and resolved is not phases else None


def write_csv(
    path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS
) -> None:
    """Write rows under the names of their columns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
