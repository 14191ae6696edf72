"""The part of a run that needs a model of the latent space.

* `network_for`: the model that was asked for.
* `with_latent`: results with latent coordinates and resolved ambiguity.
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
from napari_phasemap.pipeline.recipe import Recipe
from napari_phasemap.pipeline.resolving import Resolved, evidence_of, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.progress import OnProgress

__all__ = ["model_files", "network_for", "with_latent"]

#: Parameters that mean something with a latent space only, and in training only.
LATENT = ("method", "scope")
TRAINING = ("preset", "seed", "n_threads", "epochs", "n_latent", "n_components")
DISAGREEMENT_COLOR = "#ff2020"


def network_for(recipe: Recipe, output: Path) -> GMVAE | None:
    """Return the model to apply or to train, and refuse what has no meaning."""
    given = recipe.parameters
    model, train = given["model"], given["train"]
    if model and train:
        raise InputError("give either a model to apply or train=True, not both")
    unused = (() if train else TRAINING) + (() if model or train else LATENT)
    defaults = Recipe(recipe.stacks, recipe.references).parameters
    for name in unused:
        if given[name] != defaults[name]:
            need = "train" if name in TRAINING else "a model or train"
            raise InputError(f"{name}={given[name]!r} means nothing without {need}")
    if train:
        numbers = {name: given[name] for name in ("epochs", "n_latent", "n_components")}
        return new_model(
            given["preset"],
            {name: value for name, value in numbers.items() if value is not None},
            seed=given["seed"],
            n_threads=given["n_threads"],
        )
    if not model:
        return None
    if Path(model).absolute().is_relative_to(output.absolute()):
        raise InputError(
            f"the model {model} lies in the folder of the results, {output}, which "
            "would be replaced; choose another folder"
        )
    return GMVAE.load(model)


def with_latent(
    results: Results, network: GMVAE, recipe: Recipe, on_progress: OnProgress
) -> tuple[Results, Resolved]:
    """Train the model if it is new; return the results with the latent space."""
    stacks, references = results.stacks, results.references
    phases, given = results.maps["phase_map"], recipe.parameters
    _check_sure(phases, results.threshold)
    if not network.is_fitted:
        learn(stacks, network, on_progress=on_progress)
    on_progress(0, 0, "resolving ambiguity")
    assert references is not None
    latent, markers = encode(network, stacks, references)
    resolved = resolve(
        evidence_of(
            phases,
            latent=latent,
            markers=markers,
            stacks=stacks,
            references=references,
        ),
        method=given["method"],
        threshold=results.threshold,
        scope=given["scope"],
        on_progress=on_progress,
    )
    about = {
        "n_ambiguous": resolved.n_ambiguous,
        "n_changed": resolved.n_changed,
        "n_disagreeing": int(resolved.disagreement.sum()),
        "agreement": dict(resolved.agreement),
        "model": repr(network),
    }
    found = replace(
        results,
        maps={"phase_map": phases, "resolved": resolved.phase_map},
        latent=latent,
        latent_name="GMVAE",
        selections=(
            NamedPixels("disagreement", resolved.disagreement, DISAGREEMENT_COLOR),
        ),
        recipe={**results.recipe, "resolved": about},
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
    """Return who writes the figures of a model, and the model if it is new."""
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
