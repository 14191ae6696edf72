"""Run the whole job on many particles; one that fails does not stop the others.

* `run`: from files to a folder of results.
* `run_recipe`: the same from a recipe.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_phasemap.core.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.progress import Cancelled, OnProgress, ignore_progress
from napari_phasemap.core.stack import StackSet
from napari_phasemap.io.results import Results
from napari_phasemap.pipeline.bundle import Failure, check_output, write_bundle
from napari_phasemap.pipeline.preparation import prepare
from napari_phasemap.pipeline.recipe import Recipe, provenance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from napari_phasemap.core.references import ReferenceSpectra
    from napari_phasemap.core.stack import SpectralStack

__all__ = ["Outcome", "run", "run_recipe"]

_log = logging.getLogger(__name__)

#: What a damaged or unsuitable file leads to; anything else is a mistake of ours.
FORESEEN = (ValueError, TypeError, OSError, MemoryError)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run led to.

    Parameters
    ----------
    results : Results
        Of the particles that could be analyzed.
    failures : tuple of Failure
        The others.
    output : Path
        Folder of the results.
    """

    results: Results
    failures: tuple[Failure, ...]
    output: Path


def run(
    stacks: Sequence[str | PathLike[str]],
    references: Sequence[str | PathLike[str]],
    output: str | PathLike[str],
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    i0: str = "brightest",
    i0_percentile: float = 95.0,
    min_counts: float = 0.0,
    mask: str = "otsu",
    energies: str | None = None,
    energy_unit: Literal["eV", "keV"] | None = None,
    detector: str | None = None,
    duplicates: Literal["refuse", "merge"] = "refuse",
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Outcome:
    """Correlate particles with references and write everything into a folder.

    Parameters
    ----------
    stacks : sequence of path
        Files of the particles; each may hold several.
    references : sequence of path
        Files of the reference spectra.
    output : path
        Folder for results.h5, summary.csv, recipe.json and figures.
    threshold : float, default=0.005
        Gap between best and second best r below which a pixel is ambiguous.
    i0 : str, default="brightest"
        Incident intensity: "brightest" pixels, "none" (files hold optical density), or
        a text file with a spectrum.
    i0_percentile : float, default=95.0
        Percentile above which a pixel counts as background, for i0 "brightest".
    min_counts : float, default=0.0
        Leave out pixels with no more counts than this at some energy.
    mask : str, default="otsu"
        Pixels to analyze: "otsu" (the thicker ones), "none" (all), or a mask file.
    energies : str, optional
        Text file with one energy per image, for stacks that hold none.
    energy_unit : {"eV", "keV"}, optional
        Unit of energies where the files do not say it.
    detector : str, optional
        Name of the detector, for files with several.
    duplicates : {"refuse", "merge"}, default="refuse"
        What happens to frames with the same energy.
    overwrite : bool, default=False
        Replace the results of an earlier run.
    on_progress : callable, optional
        Told the number of steps done; may raise `Cancelled`.

    Returns
    -------
    Outcome
        Results and failures; the same stands in the folder.

    Raises
    ------
    FileExistsError
        If the folder holds something that may not be replaced.
    OSError
        If the references cannot be read.
    ValueError
        If a parameter is wrong, the references are unusable, or no particle could be
        analyzed.
    """
    from napari_phasemap.core.correlation import pearson_map
    from napari_phasemap.io.spectra import read_references

    recipe = Recipe(
        tuple(map(Path, stacks)),
        tuple(map(Path, references)),
        {
            "threshold": threshold,
            "i0": i0,
            "i0_percentile": i0_percentile,
            "min_counts": min_counts,
            "mask": mask,
            "energies": energies,
            "energy_unit": energy_unit,
            "detector": detector,
            "duplicates": duplicates,
        },
    )
    if not (np.isfinite(threshold) and threshold >= 0):
        raise ValueError(f"the threshold is a gap of r, 0 to 2; got {threshold}")
    check_output(Path(output), overwrite=overwrite)
    total = len(recipe.stacks) + 2
    spectra = read_references(recipe.references, energy_unit=energy_unit)
    batch = _Batch(recipe, spectra)
    for step, path in enumerate(recipe.stacks):
        on_progress(step, total, path.name)
        batch.add(path)
    chosen = batch.on_one_axis()
    on_progress(total - 2, total, "correlating")
    phases = pearson_map(chosen, spectra)
    about = recipe.to_dict()
    about["provenance"] = provenance([*recipe.stacks, *recipe.references])
    results = Results(
        stacks=chosen,
        references=spectra,
        maps={"phase_map": phases},
        threshold=threshold,
        recipe=about,
    )
    folder = write_bundle(
        results,
        output,
        files=batch.files,
        failures=batch.failures,
        overwrite=overwrite,
        on_progress=lambda _step, _total, text: on_progress(total - 1, total, text),
    )
    on_progress(total, total, "done")
    return Outcome(results, tuple(batch.failures), folder)


def run_recipe(
    recipe: Recipe,
    output: str | PathLike[str],
    /,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Outcome:
    """Run a recipe again, see `run`."""
    return run(
        recipe.stacks,
        recipe.references,
        output,
        **recipe.parameters,
        overwrite=overwrite,
        on_progress=on_progress,
    )


class _Batch:
    """Collects prepared stacks, and the reasons why others are not among them."""

    def __init__(self, recipe: Recipe, references: ReferenceSpectra) -> None:
        self.parameters = recipe.parameters
        self.references = references
        self.stacks: list[SpectralStack] = []
        self.files: dict[str, str] = {}
        self.failures: list[Failure] = []

    def add(self, path: Path) -> None:
        """Read a file and prepare what is in it."""
        from napari_phasemap.io.read import read_stack

        options = ("energies", "energy_unit", "detector", "duplicates")
        try:
            read = read_stack(path, **{name: self.parameters[name] for name in options})
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 # a night's batch must go on
            self._fail(path.stem, path, error)
            return
        for stack in read if isinstance(read, list) else [read]:
            self._prepare(stack, path)

    def _prepare(self, stack: SpectralStack, path: Path) -> None:
        steps = ("i0", "i0_percentile", "min_counts", "mask")
        try:
            ready = prepare(stack, **{name: self.parameters[name] for name in steps})
            self.references.resample(ready.energy)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 # a night's batch must go on
            self._fail(stack.name, path, error)
            return
        name = self._unused(ready.name)
        if name != ready.name:
            ready = ready.with_step(f"renamed from {ready.name!r}", name=name)
        self.files[name] = str(path)
        self.stacks.append(ready)

    def _fail(self, name: str, path: Path, error: Exception) -> None:
        message = str(error) or type(error).__name__
        if not isinstance(error, FORESEEN):
            _log.error("%s: unforeseen error", path, exc_info=error)
            message = f"unforeseen {type(error).__name__}: {message}"
        self.failures.append(Failure(name, str(path), " ".join(message.split())))

    def _unused(self, name: str) -> str:
        number, unused = 1, name
        while unused in self.files:
            number += 1
            unused = f"{name} ({number})"
        return unused

    def on_one_axis(self) -> StackSet:
        """Return the stacks on the most frequent energy axis; others have failed."""
        if not self.stacks:
            raise ValueError(self._nothing())
        kinds = [_kind(stack, self.stacks) for stack in self.stacks]
        common = Counter(kinds).most_common(1)[0][0]
        kept = []
        for kind, stack in zip(kinds, self.stacks, strict=True):
            if kind == common:
                kept.append(stack)
                continue
            try:
                StackSet([self.stacks[common], stack])
            except ValueError as error:
                self._fail(stack.name, Path(self.files[stack.name]), error)
        return StackSet(kept)

    def _nothing(self) -> str:
        reasons = "".join(f"\n  {one.name}: {one.message}" for one in self.failures)
        return f"no particle could be analyzed{reasons}"


def _kind(stack: SpectralStack, stacks: Sequence[SpectralStack]) -> int:
    """Return the number of the first stack that goes together with this one."""
    for number, other in enumerate(stacks):
        try:
            StackSet([other, stack])
        except ValueError:
            continue
        return number
    raise AssertionError("a stack goes together with itself")
