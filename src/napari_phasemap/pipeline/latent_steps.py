"""The network of a viewer: trained and applied in a child process.

* `train`, `apply_model`, `load_model`: the steps of the Latent space dock, for a job.
* `Encoded`: what they return.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.progress import OnProgress, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.models.child import TrainerProcess

__all__ = ["Encoded", "apply_model", "load_model", "train"]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Latent coordinates of all pixels and of the references.

    Parameters
    ----------
    stacks : StackSet
        Whose pixels were encoded.
    latent : ndarray of shape (n_pixels, n_latent)
        In pixel order.
    components : ndarray of uint8 of shape (n_pixels,)
        The most probable component of the mixture prior, from 1. Not a phase.
    markers : mapping of str to ndarray of shape (n_latent,)
        The references, by name.
    summary : mapping
        What is known of the model.
    """

    stacks: StackSet
    latent: NDArray[np.float32]
    components: NDArray[np.uint8]
    markers: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


def train(
    trainer: TrainerProcess,
    stacks: StackSet,
    references: ReferenceSpectra | None,
    chosen: Sequence[int],
    /,
    *,
    preset: str,
    seed: int,
    parameters: Mapping[str, Any],
    on_epoch: Callable[[dict[str, float]], None] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Encoded:
    """Train on the chosen stacks, then encode all of them.

    Parameters
    ----------
    trainer : TrainerProcess
        The process that trains and keeps the model.
    stacks : StackSet
        All that are encoded.
    references : ReferenceSpectra or None
        Encoded, too, where there are any.
    chosen : sequence of int
        Numbers of the stacks to train on.
    preset : str
        One of `models.presets.PRESETS`.
    seed : int
        Of the training.
    parameters : mapping of str to object
        Changes to the preset.
    on_epoch : callable, optional
        Called with the losses of every epoch.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Encoded
        Of all stacks.
    """
    from napari_phasemap.core.data.stack_set import StackSet

    training = StackSet([stacks[index] for index in chosen])
    trainer.train(
        training.spectra(),
        preset=preset,
        seed=seed,
        parameters=parameters,
        energy=stacks.energy,
        names=training.names,
        on_progress=on_progress,
        on_epoch=on_epoch,
    )
    return apply_model(trainer, stacks, references, on_progress=on_progress)


def apply_model(
    trainer: TrainerProcess,
    stacks: StackSet,
    references: ReferenceSpectra | None,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Encoded:
    """Encode all pixels with the model there is.

    Parameters
    ----------
    trainer : TrainerProcess
        The process with the model.
    stacks : StackSet
        What to encode.
    references : ReferenceSpectra or None
        Encoded, too, where there are any.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Encoded
        Of all stacks.
    """
    energy = stacks.energy
    spectra = stacks.spectra()
    latent = trainer.encode(spectra, energy=energy, on_progress=on_progress)
    likely = trainer.component_probabilities(
        spectra, energy=energy, on_progress=on_progress
    )
    components = (likely.argmax(axis=1) + 1).astype("uint8")
    markers = {}
    if references is not None:
        measured = references.resample(energy).spectra
        places = trainer.encode(measured, energy=energy, on_progress=on_progress)
        markers = dict(zip(references.names, places, strict=True))
    return Encoded(stacks, latent, components, markers, trainer.summary or {})


def load_model(
    trainer: TrainerProcess,
    folder: Path,
    stacks: StackSet | None,
    references: ReferenceSpectra | None,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Encoded | None:
    """Load a model and, where there are stacks, encode them with it.

    Parameters
    ----------
    trainer : TrainerProcess
        The process that shall keep the model.
    folder : Path
        What `GMVAE.save` wrote.
    stacks : StackSet or None
        What to encode.
    references : ReferenceSpectra or None
        Encoded, too, where there are any.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Encoded or None
        None without stacks.
    """
    trainer.load(folder, on_progress=on_progress)
    if stacks is None:
        return None
    return apply_model(trainer, stacks, references, on_progress=on_progress)
