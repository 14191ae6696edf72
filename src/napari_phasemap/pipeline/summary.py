"""What a folder of results says in tables.

* `summary_rows`: one row per particle and phase; `columns_of` them; `write_csv`.
* `change_rows`: from which phase to which.
* `Failure`: a particle that could not be analyzed.
* `maps_of`: which maps of some results are counted and drawn (`Maps`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_phasemap.core.phases.abstention import contradicted
from napari_phasemap.core.phases.changes import disagreement
from napari_phasemap.core.phases.decisions import decisions_of
from napari_phasemap.core.phases.intervals import fraction_intervals
from napari_phasemap.pipeline.folders import without_home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.phases.changes import ChangeTable
    from napari_phasemap.io.results import Results

__all__ = [
    "Failure",
    "Maps",
    "change_rows",
    "columns_of",
    "maps_of",
    "summary_rows",
    "write_csv",
]

#: Columns of the summary; shares in per cent of the assigned pixels, with the ends of
#: their intervals.
COLUMNS = (
    "particle", "file", "phase", "pixels", "percent", "percent_low", "percent_high",
    "ambiguous_percent", "mean_reliability", "message",
)  # fmt: skip
#: Further columns where ambiguous pixels were resolved; `disagreeing_pixels` are
#: unambiguous ones of the phase that lie in the latent cluster of another.
RESOLVED_COLUMNS = ("resolved_pixels", "resolved_percent", "disagreeing_pixels")
#: Further columns with probabilities; `contradicted_pixels` are unambiguous ones of the
#: phase that have another one by their probabilities.
POSTERIOR_COLUMNS = (
    "posterior_pixels", "posterior_percent", "posterior_low", "posterior_high",
    "undecided_percent", "mean_probability", "contradicted_pixels",
)  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """A file or particle that could not be analyzed, and why; a bug says that it is."""

    name: str
    file: str
    message: str
    is_bug: bool = False


def columns_of(results: Results) -> tuple[str, ...]:
    """Return the columns that the summary of some results has.

    Parameters
    ----------
    results : Results
        With at least one map.

    Returns
    -------
    tuple of str
    """
    maps = maps_of(results)
    more = RESOLVED_COLUMNS if maps.resolved is not None else ()
    if maps.posterior is not None:
        more = (*more, *POSTERIOR_COLUMNS)
    return (*COLUMNS[:-1], *more, COLUMNS[-1])


def summary_rows(
    results: Results,
    /,
    files: Mapping[str, str],
    failures: Sequence[Failure] = (),
) -> list[dict[str, Any]]:
    """Return one row per particle and phase, and one per failure.

    Shares are in per cent: `percent` of the particle's assigned pixels with the ends of
    its interval (`fraction_intervals`), `ambiguous_percent` of the pixels of the phase.
    Pixels without phase have a row of their own where there are any. Further columns:
    `columns_of`.

    Parameters
    ----------
    results : Results
        Of a run.
    files : mapping of str to str
        File of each particle, by its name.
    failures : sequence of Failure, optional
        Particles that were left out, with the reason.

    Returns
    -------
    list of dict of str to object
        By the names of the columns.
    """
    rows = []
    maps, stacks = maps_of(results), results.stacks
    parts = list(zip(stacks.offsets, stacks.offsets[1:], strict=False))
    counted = [_Counted(maps.phases, stacks)]
    resolved, posterior = maps.resolved, maps.posterior
    if posterior is not None:
        counted.append(_Counted(posterior, stacks))
    flags = _Flags.of(results, maps)
    for index, (stack, (low, high)) in enumerate(zip(stacks, parts, strict=True)):
        part = slice(low, high)
        notes = [
            line.removeprefix("warning: ")
            for line in stack.history
            if line.startswith("warning")
        ]
        labels = [one.labels[part] for one in maps if one is not None]
        shown = list(enumerate(maps.phases.names, 1))
        if any((one == 0).any() for one in labels):
            shown.append((0, "(not assigned)"))
        for number, name in shown:
            row: dict[str, Any] = {
                "particle": stack.name,
                "file": without_home(files.get(stack.name, "")),
                "phase": name,
                "message": "; ".join(notes),
            }
            row |= counted[0].cells(index, number, part, "pixels", "percent")
            row |= flags.of_phase(maps.phases, number, part)
            if resolved is not None:
                row |= _resolved_cells(resolved, number, part)
            if posterior is not None:
                row |= counted[1].cells(
                    index, number, part, "posterior_pixels", "posterior"
                )
                row |= flags.of_posterior(posterior, number, part)
            rows.append(row)
    for failure in failures:
        rows.append(
            {
                "particle": failure.name,
                "file": without_home(failure.file),
                "message": without_home(failure.message),
            }
        )
    return rows


class _Counted:
    """Pixels and per cent of the phases of one map, with intervals."""

    def __init__(self, phases: PhaseMap, stacks: StackSet) -> None:
        self._phases = phases
        self._found = fraction_intervals(phases, stacks)

    def cells(
        self, index: int, number: int, part: slice, pixels: str, share: str
    ) -> dict[str, Any]:
        """Return the cells of one phase (0 for none) of one particle."""
        here = self._phases.labels[part] == number
        row: dict[str, Any] = {pixels: int(np.count_nonzero(here))}
        if not number:
            return row
        at, found = (index + 1, number - 1), self._found
        row[share if share == "percent" else f"{share}_percent"] = (
            f"{np.nan_to_num(found.fractions[at]):.3f}"
        )
        for end, value in (("low", found.low[at]), ("high", found.high[at])):
            if np.isfinite(value):
                row[f"{share}_{end}"] = f"{value:.3f}"
        return row


@dataclass(frozen=True, eq=False)
class _Flags:
    """Pixels that are not to be believed: per-pixel arrays, None where not known."""

    ambiguous: NDArray[np.bool_]
    disagreeing: NDArray[np.bool_] | None
    undecided: NDArray[np.bool_] | None
    contradicted: NDArray[np.bool_] | None

    @classmethod
    def of(cls, results: Results, maps: Maps) -> _Flags:
        phases, threshold = maps.phases, results.threshold
        disagreeing = undecided = contrary = None
        if maps.resolved is not None and maps.resolved.scores is not None:
            disagreeing = disagreement(phases, maps.resolved, threshold=threshold)
        if maps.posterior is not None:
            undecided = decisions_of(maps.posterior).undecided(results.level)
            contrary = contradicted(phases, maps.posterior, threshold=threshold)
        return cls(phases.ambiguous(threshold), disagreeing, undecided, contrary)

    def of_phase(self, phases: PhaseMap, number: int, part: slice) -> dict[str, Any]:
        """Return the cells of one phase of the first map."""
        here = phases.labels[part] == number
        row: dict[str, Any] = {}
        if number and self.disagreeing is not None:
            row["disagreeing_pixels"] = int(
                np.count_nonzero(self.disagreeing[part][here])
            )
        if number and self.contradicted is not None:
            row["contradicted_pixels"] = int(
                np.count_nonzero(self.contradicted[part][here])
            )
        if number and here.any():
            gaps = phases.reliability[part][here]
            unclear = self.ambiguous[part][here]
            row["ambiguous_percent"] = f"{100 * unclear.mean():.3f}"
            row["mean_reliability"] = f"{gaps.mean(dtype=float):.5g}"
        return row

    def of_posterior(
        self, posterior: PhaseMap, number: int, part: slice
    ) -> dict[str, Any]:
        """Return the cells of one phase of the map of probabilities."""
        here = posterior.labels[part] == number
        if not number or not here.any() or self.undecided is None:
            return {}
        chance = decisions_of(posterior).probability[part][here]
        return {
            "undecided_percent": f"{100 * self.undecided[part][here].mean():.3f}",
            "mean_probability": f"{chance.mean(dtype=float):.4f}",
        }


def _resolved_cells(resolved: PhaseMap, number: int, part: slice) -> dict[str, Any]:
    count = int(np.count_nonzero(resolved.labels[part] == number))
    row: dict[str, Any] = {"resolved_pixels": count}
    if number:
        share = np.nan_to_num(resolved.fractions(part))[number - 1]
        row["resolved_percent"] = f"{share:.3f}"
    return row


def change_rows(table: ChangeTable) -> list[dict[str, Any]]:
    """Return the rows of a table of changes with three decimals.

    Parameters
    ----------
    table : ChangeTable
        From `change_table`.

    Returns
    -------
    list of dict of str to object
        By the names of the columns.
    """
    rows = []
    for values in table.rows:
        name, before, after, *pixels = values
        shares = [
            "" if np.isnan(share) else f"{share:.3f}" for share in (before, after)
        ]
        row = (name, *shares, *pixels)
        rows.append(dict(zip(table.header, row, strict=True)))
    return rows


class Maps(NamedTuple):
    """The maps of some results that are counted and drawn, all of the same phases."""

    phases: PhaseMap
    resolved: PhaseMap | None
    posterior: PhaseMap | None


def maps_of(results: Results) -> Maps:
    """Return the first map, the resolved one and the probabilities, if there are.

    Parameters
    ----------
    results : Results
        With at least one map.

    Returns
    -------
    Maps
    """
    phases = next(iter(results.maps.values()))
    others = [results.maps.get(name) for name in ("resolved", "posterior")]
    same = [
        other
        if other is not None and other.names == phases.names and other is not phases
        else None
        for other in others
    ]
    return Maps(phases, *same)


def write_csv(
    path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS
) -> None:
    """Write rows under the names of their columns.

    Parameters
    ----------
    path : Path
        Of the new file.
    rows : sequence of mapping of str to object
        What is missing in one stays empty.
    columns : sequence of str
        Their order.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
