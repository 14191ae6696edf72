"""Write a folder of results that appears whole or not at all.

* `write_bundle`: HDF5 results, ``summary.csv``, figures, recipe.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.phases.changes import change_table
from napari_phasemap.core.phases.decisions import decisions_of
from napari_phasemap.core.phases.intervals import fraction_intervals
from napari_phasemap.io.results import write_results
from napari_phasemap.pipeline.folders import (
    check_folder,
    file_names,
    replacing_folder,
)
from napari_phasemap.pipeline.recipe import HEADER, load_json
from napari_phasemap.pipeline.summary import (
    Failure,
    change_rows,
    columns_of,
    maps_of,
    summary_rows,
    write_csv,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from os import PathLike

    from matplotlib.figure import Figure

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.io.results import Results

__all__ = [
    "check_output",
    "draw_sheets",
    "replacing_results",
    "write_bundle",
    "written",
]

RESULTS, SUMMARY, RECIPE = "results.h5", "summary.csv", "recipe.json"
CHANGES = "changes.csv"


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
        With at least one map. The first is drawn and counted; maps "resolved" and
        "posterior" of the same phases are drawn and counted beside it, the former with
        a table of changes.
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
    phases, resolved, _ = maps_of(results)
    with replacing_results(output, overwrite=overwrite) as folder:
        (draw or draw_sheets)(results, folder, on_progress)
        on_progress(0, 0, "results")
        write_results(results, folder / RESULTS)
        rows = summary_rows(results, files or {}, failures)
        if resolved is not None:
            table = change_table(phases, resolved)
            write_csv(folder / CHANGES, change_rows(table), table.header)
        write_csv(folder / SUMMARY, rows, columns_of(results))
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
    sheets = _sheets(results)
    for step, (name, make) in enumerate(sheets.items()):
        on_progress(step, len(sheets), f"figure {name}")
        _save(make(), folder / f"{name}.png")


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


def _sheets(results: Results) -> dict[str, Callable[[], Figure]]:
    """Return how to make each figure, by file name."""
    from napari_phasemap import figures

    stacks, threshold, references = (
        results.stacks,
        results.threshold,
        results.references,
    )
    phases, resolved, posterior = maps_of(results)
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
            stacks,
            phases,
            threshold=threshold,
            intervals=fraction_intervals(phases, stacks),
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
    if posterior is not None:
        sheets |= _posterior_sheets(stacks, posterior, results.level)
    if resolved is not None:
        sheets["resolved"] = lambda: figures.map_sheet(stacks, resolved)
        sheets["resolved_fractions"] = lambda: figures.fraction_sheet(stacks, resolved)
    latent = results.latent
    if latent is not None and latent.shape[1] > 1:
        sheets["latent"] = lambda: figures.latent_sheet(
            latent, phases, resolved, threshold=threshold
        )
    return sheets


def _posterior_sheets(
    stacks: StackSet, posterior: PhaseMap, level: float
) -> dict[str, Callable[[], Figure]]:
    """Return how to make the figures of a map of probabilities."""
    from napari_phasemap import figures

    told = decisions_of(posterior).as_map(level)
    return {
        "posterior": lambda: figures.map_sheet(stacks, told),
        "probability": lambda: figures.map_sheet(stacks, posterior, kind="probability"),
        "posterior_fractions": lambda: figures.fraction_sheet(
            stacks, posterior, intervals=fraction_intervals(posterior, stacks)
        ),
    }


def _save(figure: Figure, path: Path) -> None:
    from napari_phasemap.figures import save_figure

    save_figure(figure, path)
