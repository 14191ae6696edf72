"""Run the whole job on many particles; one that fails does not stop the others.

* `run`: from files to a folder of results.
* `run_recipe`: the same from a recipe, which knows no runner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.io.results import Results
from napari_phasemap.pipeline.bundle import check_output, write_bundle
from napari_phasemap.pipeline.collecting import collect
from napari_phasemap.pipeline.latent import model_files, network_for, with_resolved
from napari_phasemap.pipeline.parameters import RunParameters
from napari_phasemap.pipeline.probabilities import probable_phases
from napari_phasemap.pipeline.recipe import Recipe, provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.phases.reference_check import ReferenceReport
    from napari_phasemap.models.gmvae import GMVAE
    from napari_phasemap.pipeline.resolving import Resolved
    from napari_phasemap.pipeline.summary import Failure

__all__ = ["Outcome", "run", "run_recipe"]


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
    model : GMVAE, optional
        That was trained or applied.
    resolved : Resolved, optional
        What became of the ambiguous pixels.
    report : ReferenceReport, optional
        What a check of the references found; it is of the stacks as they were before.
    """

    results: Results
    failures: tuple[Failure, ...]
    output: Path
    model: GMVAE | None = None
    resolved: Resolved | None = None
    report: ReferenceReport | None = None


def run(
    stacks: Sequence[str | PathLike[str]],
    references: Sequence[str | PathLike[str]],
    output: str | PathLike[str],
    /,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    **parameters: Any,
) -> Outcome:
    """Correlate particles with references and write everything into a folder.

    With `model` or `train` ambiguous pixels are resolved in a latent space; without,
    TensorFlow is not even imported. With `method` "posterior" every phase of every
    pixel gets a probability; with `check_references` it is said whether the references
    fit.

    Parameters
    ----------
    stacks : sequence of path
        Files of the particles; each may hold several.
    references : sequence of path
        Files of the reference spectra.
    output : path
        Folder for results.h5, summary.csv, recipe.json and figures.
    overwrite : bool, default=False
        Replace the results of an earlier run.
    on_progress : callable, optional
        Told the number of steps done; may raise `Cancelled`.
    **parameters
        Fields of `RunParameters`: `threshold`, `i0`, `mask`, `train`, `method` and the
        others.

    Returns
    -------
    Outcome
        Results and failures; the same stands in the folder.

    Raises
    ------
    TypeError
        If a parameter is unknown.
    ValueError
        If a value is wrong; as for `run_recipe`.
    """
    recipe = Recipe(
        tuple(map(Path, stacks)),
        tuple(map(Path, references)),
        RunParameters(**parameters),
    )
    return run_recipe(recipe, output, overwrite=overwrite, on_progress=on_progress)


def run_recipe(
    recipe: Recipe,
    output: str | PathLike[str],
    /,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Outcome:
    """Do what a recipe says and write everything into a folder.

    Parameters
    ----------
    recipe : Recipe
        Files and parameters.
    output, overwrite, on_progress
        As for `run`.

    Returns
    -------
    Outcome
        As for `run`.

    Raises
    ------
    FileExistsError
        If the folder holds something that may not be replaced.
    ImportError
        If a latent space is asked for and TensorFlow cannot be loaded.
    OSError
        If the references or the model cannot be read.
    ValueError
        If the references or the model are unusable, or no particle could be analyzed.
    """
    from napari_phasemap.core.phases.correlation import pearson_map
    from napari_phasemap.io.spectra import read_references

    wanted, total = recipe.parameters, len(recipe.stacks) + 2
    network = network_for(wanted, Path(output))
    check_output(Path(output), overwrite=overwrite)
    spectra = read_references(
        recipe.references,
        energy_unit=wanted.energy_unit,
        columns=wanted.reference_columns,
    )
    found = collect(
        recipe.stacks,
        wanted,
        checks=_checks(spectra, network),
        on_progress=lambda step, _, text: on_progress(step, total, text),
    )

    def told(_step: int, _total: int, text: str) -> None:
        on_progress(total - 2, total, text)

    stacks, spectra, report = _checked(found.stacks, spectra, wanted, told)
    told(0, 0, "correlating")
    results = Results(
        stacks=stacks,
        references=spectra,
        maps={"phase_map": pearson_map(stacks, spectra)},
        threshold=wanted.threshold,
        level=wanted.level,
        recipe=recipe.to_dict()
        | {"provenance": provenance(recipe.inputs)}
        | ({} if report is None else {"reference_check": report.as_dict()}),
    )
    if wanted.posterior:
        results = _with_posterior(results, wanted, told)
    resolved = None
    if wanted.resolves:
        results, resolved = with_resolved(results, network, wanted, told)
    folder = write_bundle(
        results,
        output,
        files=found.files,
        failures=found.failures,
        more=model_files(network, results, trained=wanted.train) if network else {},
        overwrite=overwrite,
        on_progress=lambda _step, _total, text: on_progress(total - 1, total, text),
    )
    on_progress(total, total, "done")
    return Outcome(results, found.failures, folder, network, resolved, report)


def _checked(
    stacks: StackSet,
    references: ReferenceSpectra,
    wanted: RunParameters,
    on_progress: OnProgress,
) -> tuple[StackSet, ReferenceSpectra, ReferenceReport | None]:
    """Return stacks and references, corrected where that is wanted, with the report."""
    from napari_phasemap.core.phases.reference_check import check_references

    if not wanted.check_references:
        return stacks, references, None
    report = check_references(
        stacks, references, per_particle=wanted.per_particle, on_progress=on_progress
    )
    return (*report.apply(wanted.corrections()), report)


def _with_posterior(
    results: Results, wanted: RunParameters, on_progress: OnProgress
) -> Results:
    """Return results with a map of probabilities."""
    assert results.references is not None
    posterior = probable_phases(
        results.stacks,
        results.references,
        **wanted.posterior_options(),
        on_progress=on_progress,
    )
    return replace(results, maps={**results.maps, "posterior": posterior})


def _checks(
    spectra: ReferenceSpectra, network: GMVAE | None
) -> list[Callable[[Any], object]]:
    """Return what refuses the energies of a stack."""
    known = network is not None and network.is_fitted
    return [spectra.resample, *([network.check_energy] if network and known else [])]
