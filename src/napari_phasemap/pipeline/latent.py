"""The part of a run that resolves ambiguity, mostly in the latent space of a model.

* `network_for`: the model that was asked for.
* `with_resolved`: results with latent coordinates and resolved ambiguity.
* `model_files`: what a run keeps of the model.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.results import NamedPixels, Results
from napari_phasemap.models.gmvae import GMVAE
from napari_phasemap.pipeline.learning import encode, learn, new_model, save_loss
from napari_phasemap.pipeline.resolving import (
    DISAGREEMENT,
    DISAGREEMENT_COLOR,
    Resolved,
    evidence_of,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.progress import OnProgress
    from napari_phasemap.pipeline.parameters import RunParameters

__all__ = ["model_files", "network_for", "with_resolved"]


def network_for(wanted: RunParameters, output: Path, /) -> GMVAE | None:
    """Return the model to apply or to train, None where neither is asked for.

    Parameters
    ----------
    wanted : RunParameters
        What was asked for.
    output : Path
        Folder of the results, in which the model may not lie.

    Returns
    -------
    GMVAE or None
        Trained already, or still to be trained.

    Raises
    ------
    OSError, ValueError
        If the model cannot be read or would be replaced by the results.
    """
    if wanted.train:
        return new_model(
            wanted.preset,
            wanted.network_numbers(),
            seed=wanted.seed,
            n_threads=wanted.n_threads,
        )
    if not wanted.model:
        return None
    if Path(wanted.model).absolute().is_relative_to(output.absolute()):
        raise InputError(
            f"the model {wanted.model} lies in the folder of the results, {output}, "
            "which would be replaced; choose another folder"
        )
    return GMVAE.load(wanted.model)


def with_resolved(
    results: Results,
    network: GMVAE | None,
    wanted: RunParameters,
    on_progress: OnProgress,
    /,
) -> tuple[Results, Resolved]:
    """Resolve ambiguous pixels, in the latent space of a model where there is one.

    Parameters
    ----------
    results : Results
        With a map "phase_map" and the references.
    network : GMVAE, optional
        Trained here if it is new.
    wanted : RunParameters
        Method and scope.
    on_progress : callable
        May raise `Cancelled`.

    Returns
    -------
    results : Results
        With a map "resolved", the disagreement as a selection and, with a model, the
        latent coordinates.
    resolved : Resolved
        What became of the ambiguous pixels.

    Raises
    ------
    ValueError
        If the method lacks something, or every pixel is ambiguous.
    """
    stacks, references = results.stacks, results.references
    phases = results.maps["phase_map"]
    latent, markers, about = None, None, {}
    if network is not None and references is not None:
        _check_sure(phases, results.threshold)
        if not network.is_fitted:
            learn(stacks, network, on_progress=on_progress)
        latent, markers = encode(network, stacks, references)
        about["model"] = repr(network)
        results = replace(results, latent=latent, latent_name="GMVAE")
    on_progress(0, 0, "resolving ambiguity")
    evidence = evidence_of(
        phases, latent=latent, markers=markers, stacks=stacks, references=references
    )
    resolved = resolve(
        evidence,
        method=wanted.method,
        threshold=results.threshold,
        scope=wanted.scope,
        on_progress=on_progress,
    )
    found = replace(
        results,
        maps={"phase_map": phases, "resolved": resolved.phase_map},
        selections=(
            NamedPixels(DISAGREEMENT, resolved.disagreement, DISAGREEMENT_COLOR),
        ),
        recipe={**results.recipe, "resolved": {**resolved.counts, **about}},
    )
    return found, resolved


def _check_sure(phases: PhaseMap, threshold: float) -> None:
    """Raise before a training where no pixel could describe a phase after it."""
    if not ((phases.labels > 0) & ~phases.ambiguous(threshold)).any():
        raise InputError(
            f"every pixel is ambiguous at threshold={threshold:g}, so nothing tells "
            "where the phases lie in a latent space; lower the threshold"
        )


def model_files(
    network: GMVAE, results: Results, *, trained: bool
) -> dict[str, Callable[[Path], object]]:
    """Return who writes the figures of a model, and the model if it is new.

    Parameters
    ----------
    network : GMVAE
        Trained.
    results : Results
        From `with_resolved`.
    trained : bool
        Whether it was trained here, and is to be kept.

    Returns
    -------
    dict of str to callable
        By the name of the file or folder: who writes it to the path it gets.
    """
    from napari_phasemap.core.latent.latent import axis_intensity, phase_reconstructions
    from napari_phasemap.figures import meaning_sheet, save_figure

    def meaning(path: Path) -> None:
        stacks, resolved = results.stacks, results.maps["resolved"]
        spectra = stacks.spectra()
        assert results.latent is not None
        sheet = meaning_sheet(
            stacks.energy,
            axis_intensity(results.latent, spectra),
            phase_reconstructions(spectra, network.reconstruct(spectra), resolved),
            resolved,
        )
        save_figure(sheet, path)

    writers: dict[str, Callable[[Path], object]] = {
        "loss.png": lambda path: save_loss(network, path),
        "latent_meaning.png": meaning,
    }
    if trained:
        writers["model"] = network.save
    return writers
