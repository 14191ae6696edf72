"""Learn a latent space of many particles, without a window.

* `train`: from files to a saved model.
* `learn`: the model of some stacks.
* `encode`: where their pixels and the references lie.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.models.gmvae import GMVAE
from napari_phasemap.pipeline.collecting import collect
from napari_phasemap.pipeline.folders import check_folder, replacing_folder, sendable
from napari_phasemap.pipeline.parameters import TrainParameters
from napari_phasemap.pipeline.recipe import provenance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.pipeline.summary import Failure

__all__ = [
    "MODEL_FILES",
    "Trained",
    "encode",
    "learn",
    "new_model",
    "save_loss",
    "train",
]

TRAINING, LOSS = "training.json", "loss.png"
MODEL_FILES = frozenset(
    {"encoder.keras", "decoder.keras", "prior.npz", "model.json", TRAINING, LOSS}
)


@dataclass(frozen=True, eq=False)
class Trained:
    """What `train` led to.

    Parameters
    ----------
    model : GMVAE
        Trained.
    failures : tuple of Failure
        Particles that it has not seen.
    output : Path
        Folder of the model.
    """

    model: GMVAE
    failures: tuple[Failure, ...]
    output: Path


def train(
    stacks: Sequence[str | PathLike[str]],
    output: str | PathLike[str],
    /,
    *,
    references: Sequence[str | PathLike[str]] = (),
    parameters: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    **wanted: Any,
) -> Trained:
    """Train a model on the spectra of all particles together and save it.

    Parameters
    ----------
    stacks : sequence of path
        Files of the particles; each may hold several.
    output : path
        Folder of the model, as `GMVAE.load` and `run` take it; also holds the losses as
        a figure and what the model was trained on.
    references : sequence of path, optional
        Files of the reference spectra. The model does not learn them, but a stack that
        they do not cover is refused, as it would be when the model is used.
    parameters : mapping, optional
        Fields of `models.presets.Parameters` that differ from the preset, see
        `new_model`.
    overwrite : bool, default=False
        Replace a model that is there.
    on_progress : callable, optional
        May raise `Cancelled`; nothing is written then.
    **wanted
        Fields of `TrainParameters`: `preset`, `seed`, `mask` and the others.

    Returns
    -------
    Trained

    Raises
    ------
    FileExistsError
        If the folder holds something that may not be replaced.
    ImportError
        If TensorFlow cannot be loaded.
    ValueError
        If a parameter is wrong, no particle could be prepared, or their spectra cannot
        be learned, see `GMVAE.fit`.
    """
    from napari_phasemap.io.spectra import read_references

    options = TrainParameters(**wanted)
    model = new_model(
        options.preset,
        parameters or {},
        seed=options.seed,
        n_threads=options.n_threads,
    )
    check_folder(Path(output), _model_files, overwrite=overwrite)
    checks = []
    if references:
        spectra = read_references(
            references,
            energy_unit=options.energy_unit,
            columns=options.reference_columns,
        )
        checks.append(spectra.resample)
    found = collect(stacks, options, checks=checks, on_progress=on_progress)
    learn(found.stacks, model, on_progress=on_progress)
    about = {
        "format": "napari-phasemap training",
        "version": 1,
        "preparation": options.as_dict(),
        "stacks": {
            stack.name: {
                "file": sendable(Path(found.files[stack.name])),
                "pixels": int(stack.mask.sum()),
                "history": list(stack.history),
            }
            for stack in found.stacks
        },
        "provenance": provenance([*map(Path, stacks), *map(Path, references)]),
    }
    with replacing_folder(Path(output), _model_files, overwrite=overwrite) as folder:
        model.save(folder / "model")
        for path in (folder / "model").iterdir():
            path.rename(folder / path.name)
        (folder / "model").rmdir()
        save_loss(model, folder / LOSS)
        text = json.dumps(about, indent=1, ensure_ascii=False)
        (folder / TRAINING).write_text(text + "\n", encoding="utf-8")
    return Trained(model, found.failures, Path(output))


def new_model(
    preset: str,
    parameters: Mapping[str, Any],
    /,
    *,
    seed: int = 0,
    n_threads: int | None = None,
) -> GMVAE:
    """Return a model that is not trained yet.

    Who asks for a number of epochs means just that: the smallest and largest number of
    steps of the preset then hold only where they are asked for too.

    Parameters
    ----------
    preset : str
        A name of `models.presets.PRESETS`.
    parameters : mapping
        Fields of `models.presets.Parameters` that differ from the preset.
    seed, n_threads
        As for `GMVAE`.

    Returns
    -------
    GMVAE
    """
    exact = {"min_steps": 0, "max_steps": None} if "epochs" in parameters else {}
    return GMVAE(preset, seed=seed, n_threads=n_threads, **(exact | {**parameters}))


def learn(
    stacks: StackSet, model: GMVAE, /, *, on_progress: OnProgress = ignore_progress
) -> GMVAE:
    """Train a model on all pixels of some stacks; it keeps their energies and names.

    Parameters
    ----------
    stacks : StackSet
        Optical density or net counts.
    model : GMVAE
        Trained in place.
    on_progress : callable, optional
        May raise `Cancelled`.

    Returns
    -------
    GMVAE
        `model`.
    """
    return model.fit(
        stacks.spectra(),
        energy=stacks.energy,
        names=stacks.names,
        on_progress=on_progress,
    )


def encode(
    model: GMVAE, stacks: StackSet, references: ReferenceSpectra, /
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Return where pixels and references lie in the latent space of a model.

    Parameters
    ----------
    model : GMVAE
        Trained on the energies of the stacks.
    stacks : StackSet
        As prepared for the training.
    references : ReferenceSpectra
        Resampled to these energies.

    Returns
    -------
    latent : ndarray of shape (n_pixels, n_latent)
        In pixel order.
    markers : dict of str to ndarray of shape (n_latent,)
        The references, by name.

    Raises
    ------
    ValueError
        If the energies are not those of the training.
    """
    latent = model.encode(stacks.spectra(), energy=stacks.energy)
    places = model.encode(
        references.resample(stacks.energy).spectra, energy=stacks.energy
    )
    return latent, dict(zip(references.names, places, strict=True))


def save_loss(model: GMVAE, path: Path, /) -> None:
    """Draw the losses of a trained model into a file.

    Parameters
    ----------
    model : GMVAE
        Trained.
    path : Path
        Its ending is the format.
    """
    from napari_phasemap.figures import loss_sheet, save_figure

    save_figure(loss_sheet(model.history_), path)


def _model_files(folder: Path) -> frozenset[str]:
    """Return the files that a training wrote, none where there is no model."""
    return MODEL_FILES if (folder / "model.json").is_file() else frozenset()
