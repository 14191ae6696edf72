"""Write a folder of results that appears whole or not at all.

* `write_bundle`: HDF5 results, ``summary.csv``, figures, recipe.
* `summary_rows`: the table.
* `Failure`: a particle that could not be analyzed.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.phases.changes import change_table, disagreement
from napari_phasemap.io.results import write_results
from napari_phasemap.pipeline.folders import (
    check_folder,
    file_names,
    replacing_folder,
)
from napari_phasemap.pipeline.recipe import HEADER, load_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from os import PathLike

    from matplotlib.figure import Figure

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.phases.changes import ChangeTable
    from napari_phasemap.io.results import Results

__all__ = [
    "COLUMNS",
    "RESOLVED_COLUMNS",
    "Failure",
    "check_output",
    "draw_sheets",
    "replacing_results",
    "summary_rows",
    "write_bundle",
    "written",
]

RESULTS, SUMMARY, RECIPE = "results.h5", "summary.csv", "recipe.json"
CHANGES = "changes.csv"
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


def write_bundle(
    results: Results,
    output: str | PathLike[str],
    /,
    *,
    files: Mapping[str, str] | None = None,
    failures: Sequence[Failure] = (),
    more: Mapping[str, Callable[[Path], object]] | None = None,
    overwrite: bool = False,
    draw: Callable[[Results, Path, OnProgress], None] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Path:
    """Write results as HDF5, tables, figures and recipe into a new folder.

    Everything is written under a temporary name beside it and moved at the end: a
    killed run leaves nothing under the final name.

    Parameters
    ----------
    results : Results
        With at least one map. The first is drawn and counted; a map "resolved" of the
        same phases is drawn and counted beside it, with a table of changes.
    output : str or path
        The folder.
    files : mapping of str to str, optional
        File of each particle, by name, for the table.
    failures : sequence of Failure, optional
        Particles to list with their message.
    more : mapping of str to callable, optional
        Further files and folders: by name, who writes them to the path they get.
    overwrite : bool, default=False
        Replace a folder that an earlier run wrote, and nothing else.
    draw : callable, optional
        Draws the figures; default `draw_sheets`, here. A window has a process for it.
    on_progress : callable, optional
        Told the number of figures drawn; may raise `Cancelled`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileExistsError
        If the folder holds anything and `overwrite` is False, or anything that no run
        wrote.
    ValueError
        If there is no map.
    """
    if not results.maps:
        raise InputError("there is no phase map to write")
    output = Path(output)
    phases, resolved = _maps(results)
    with replacing_results(output, overwrite=overwrite) as folder:
        (draw or draw_sheets)(results, folder, on_progress)
        on_progress(0, 0, "results")
        write_results(results, folder / RESULTS)
        rows = summary_rows(results, phases, files or {}, failures)
        columns: tuple[str, ...] = COLUMNS
        if resolved is not None:
            columns = (*COLUMNS[:-1], *RESOLVED_COLUMNS, COLUMNS[-1])
            table = change_table(phases, resolved)
            _write_csv(folder / CHANGES, _change_rows(table), table.header)
        _write_csv(folder / SUMMARY, rows, columns)
        for name, write in (more or {}).items():
            write(folder / name)
        about = {**HEADER, **results.recipe, **written(folder)}
        text = json.dumps(about, indent=2, ensure_ascii=False)
        (folder / RECIPE).write_text(text + "\n", encoding="utf-8")
    on_progress(1, 1, "written")
    return output


def draw_sheets(
    results: Results, folder: Path, on_progress: OnProgress = ignore_progress, /
) -> None:
    """Draw every figure of results as PNG into a folder.

    Parameters
    ----------
    results : Results
        What to draw.
    folder : Path
        Where to.
    on_progress : callable, optional
        Called with (step, total, text).
    """
    sheets = _sheets(results, _maps(results)[0])
    for step, (name, make) in enumerate(sheets.items()):
        on_progress(step, len(sheets), f"figure {name}")
        _save(make(), folder / f"{name}.png")


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

    Parameters
    ----------
    results : Results
        Of a run.
    phases : PhaseMap
        The map to count.
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
    resolved = _maps(results)[1]
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


def _change_rows(table: ChangeTable) -> list[dict[str, Any]]:
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


def check_output(output: Path, *, overwrite: bool) -> None:
    """Raise FileExistsError unless results may be written into this folder.

    Parameters
    ----------
    output : Path
        The folder.
    overwrite : bool
        Whether results of an earlier run may be replaced.
    """
    check_folder(output, _written, overwrite=overwrite)


def replacing_results(output: Path, *, overwrite: bool) -> AbstractContextManager[Path]:
    """Give a temporary folder that takes the place of earlier results at the end.

    Parameters
    ----------
    output : Path
        The folder.
    overwrite : bool
        Whether results of an earlier run may be replaced.

    Returns
    -------
    context manager of Path
        What is written into it stands in `output` at the end, or nothing does.
    """
    return replacing_folder(output, _written, overwrite=overwrite, edited=_edited)


def written(folder: Path) -> dict[str, Any]:
    """Return what a recipe says about the files of its folder, itself included.

    Parameters
    ----------
    folder : Path
        Where everything but the recipe has been written.

    Returns
    -------
    dict of str to object
        Names of the files, and their checksums.
    """
    names = sorted(file_names(folder))
    return {
        "files": sorted([*names, RECIPE]),
        "sha256": {name: _checksum(folder / name) for name in names},
    }


def _written(output: Path) -> set[str]:
    """Return the files that the recipe in a folder names as its own."""
    try:
        return set(load_json(output / RECIPE).get("files", ()))
    except (OSError, ValueError, TypeError):
        return set()


def _edited(output: Path) -> set[str]:
    """Return the files of a folder that are not as the recipe there says."""
    try:
        sums = dict(load_json(output / RECIPE).get("sha256", {}))
    except (OSError, ValueError, TypeError):
        return set()
    there = {name: output / name for name in sums if (output / name).is_file()}
    return {name for name, path in there.items() if _checksum(path) != sums[name]}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _maps(results: Results) -> tuple[PhaseMap, PhaseMap | None]:
    """Return the map of the phases, and the resolved one if there is any."""
    phases = next(iter(results.maps.values()))
    resolved = results.maps.get("resolved")
    same = resolved is not None and resolved.names == phases.names
    return phases, resolved if same and resolved is not phases else None


def _sheets(results: Results, phases: PhaseMap) -> dict[str, Callable[[], Figure]]:
    """Return how to make each figure, by file name."""
    from napari_phasemap import figures

    stacks, threshold, references = (
        results.stacks,
        results.threshold,
        results.references,
    )
    known = references is not None and set(phases.names) <= set(references.names)
    sheets: dict[str, Callable[[], Figure]] = {
        "phase_map": lambda: figures.map_sheet(stacks, phases),
        "ambiguity": lambda: figures.map_sheet(
            stacks, phases, kind="ambiguity", threshold=threshold
        ),
        "reliability": lambda: figures.map_sheet(stacks, phases, kind="reliability"),
        "phase_and_reliability": lambda: figures.map_sheet(
            stacks, phases, kind="brightness"
        ),
        "fractions": lambda: figures.fraction_sheet(
            stacks, phases, threshold=threshold
        ),
        "spectra": lambda: figures.spectra_sheet(
            stacks, phases, references=references if known else None
        ),
    }
    if phases.scores is not None:
        sheets["correlation"] = lambda: figures.correlation_sheet(stacks, phases)
    if references is not None:
        colors = phases.colors if phases.names == references.names else ()
        sheets["references"] = lambda: figures.reference_sheet(
            references, energy=stacks.energy, colors=colors
        )
    resolved = _maps(results)[1]
    if resolved is not None:
        sheets["resolved"] = lambda: figures.map_sheet(stacks, resolved)
        sheets["resolved_fractions"] = lambda: figures.fraction_sheet(stacks, resolved)
    latent = results.latent
    if latent is not None and latent.shape[1] > 1:
        sheets["latent"] = lambda: figures.latent_sheet(
            latent, phases, resolved, threshold=threshold
        )
    return sheets


def _save(figure: Figure, path: Path) -> None:
    from napari_phasemap.figures import save_figure

    save_figure(figure, path)


def _write_csv(
    path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS
) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
