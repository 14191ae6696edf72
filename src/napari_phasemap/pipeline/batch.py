"""Run the whole job on many particles; one that fails does not stop the others.

* `run`: from files to a folder of results.
* `run_recipe`: the same from a recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.io.results import Results
from napari_phasemap.pipeline.bundle import Failure, check_output, write_bundle
from napari_phasemap.pipeline.collecting import PREPARATION, collect
from napari_phasemap.pipeline.latent import model_files, network_for, with_latent
from napari_phasemap.pipeline.recipe import Recipe, provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from napari_phasemap.models.gmvae import GMVAE
    from napari_phasemap.pipeline.resolving import Resolved

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
    """

    results: Results
    failures: tuple[Failure, ...]
    output: Path
    model: GMVAE | None = None
    resolved: Resolved | None = None


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
    model: str | None = None,
    train: bool = False,
    method: Literal["mahalanobis", "euclidean", "knn", "centroid"] = "mahalanobis",
    scope: Literal["ambiguous", "all"] = "ambiguous",
    preset: Literal["recommended", "paper"] = "recommended",
    seed: int = 0,
    n_threads: int | None = None,
    epochs: int | None = None,
    n_latent: int | None = None,
    n_components: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Outcome:
    """Correlate particles with references and write everything into a folder.

    With `model` or `train` ambiguous pixels are resolved in a latent space; without,
    TensorFlow is not even imported.

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
    model : str, optional
        Folder of a trained model, whose latent space resolves ambiguous pixels.
    train : bool, default=False
        Train such a model on these particles and keep it with the results.
    method : {"mahalanobis", "euclidean", "knn", "centroid"}, default="mahalanobis"
        How a pixel gets its phase in the latent space, see `core.assignment`.
    scope : {"ambiguous", "all"}, default="ambiguous"
        Which pixels get a new phase in the latent space.
    preset : {"recommended", "paper"}, default="recommended"
        Table of values for the training.
    seed : int, default=0
        Of the training.
    n_threads : int, optional
        Threads of the training; default all that this process may use.
    epochs : int, optional
        Passes over the spectra, in place of what the preset makes of their number.
    n_latent : int, optional
        Latent dimensions, in place of the preset's.
    n_components : int, optional
        Components of the prior, in place of the preset's.
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
    ImportError
        If a latent space is asked for and TensorFlow cannot be loaded.
    OSError
        If the references or the model cannot be read.
    ValueError
        If a parameter is wrong, the references or the model are unusable, or no
        particle could be analyzed.
    """
    from napari_phasemap.core.phases.correlation import pearson_map
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
            "model": model,
            "train": train,
            "method": method,
            "scope": scope,
            "preset": preset,
            "seed": seed,
            "n_threads": n_threads,
            "epochs": epochs,
            "n_latent": n_latent,
            "n_components": n_components,
        },
    )
    if not (np.isfinite(threshold) and threshold >= 0):
        raise InputError(f"the threshold is a gap of r, 0 to 2; got {threshold}")
    network = network_for(recipe, Path(output))
    check_output(Path(output), overwrite=overwrite)
    total = len(recipe.stacks) + 2
    spectra = read_references(recipe.references, energy_unit=energy_unit)
    checks: list[Callable[[Any], object]] = [spectra.resample]
    if network is not None and network.is_fitted:
        checks.append(network.check_energy)
    found = collect(
        recipe.stacks,
        checks=checks,
        on_progress=lambda step, _, text: on_progress(step, total, text),
        **{name: recipe.parameters[name] for name in PREPARATION},
    )

    def told(_step: int, _total: int, text: str) -> None:
        on_progress(total - 2, total, text)

    told(0, 0, "correlating")
    phases = pearson_map(found.stacks, spectra)
    about = recipe.to_dict()
    inputs = [*recipe.stacks, *recipe.references, *([Path(model)] if model else [])]
    about["provenance"] = provenance(inputs)
    results = Results(
        stacks=found.stacks,
        references=spectra,
        maps={"phase_map": phases},
        threshold=threshold,
        recipe=about,
    )
    resolved, more = None, {}
    if network is not None:
        results, resolved = with_latent(results, network, recipe, told)
        more = model_files(network, results, trained=train)
    folder = write_bundle(
        results,
        output,
        files=found.files,
        failures=found.failures,
        more=more,
        overwrite=overwrite,
        on_progress=lambda _step, _total, text: on_progress(total - 1, total, text),
    )
    on_progress(total, total, "done")
    return Outcome(results, found.failures, folder, network, resolved)


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
