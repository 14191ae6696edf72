"""Write a trained model to a folder and read it back.

The folder holds ``encoder.keras`` and ``decoder.keras`` (any Keras opens them),
``prior.npz`` and ``model.json`` with everything else and the checksums of the others.
Reading rebuilds the network from the numbers in ``model.json`` and takes only the
weights from the Keras files, so that nothing in a model file is ever executed.

* `save`, `load`.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.replacing import folder_beside, put, tidy

if TYPE_CHECKING:
    from os import PathLike

    from napari_phasemap.models.presets import Parameters

__all__ = ["load", "save"]


class Trained(Protocol):
    """What is written of a fitted model: the settings here, and what it learned."""

    preset: str
    seed: int
    n_threads: int | None
    network_: Any
    component_usage_: Any
    energy_: Any
    n_energies_: int
    names_: tuple[str, ...]

    def __init__(self, preset: Any, **settings: Any) -> None: ...

    @property
    def parameters(self) -> Parameters:
        """Every number that shaped the network."""


Model = TypeVar("Model", bound=Trained)

FORMAT, FORMAT_VERSION = "napari-phasemap model", 1
DESCRIPTION = "model.json"
FILES = ("encoder.keras", "decoder.keras", "prior.npz")
#: Attributes of a fitted model that are plain numbers, names and lists of them.
_PLAIN = (
    "history_",
    "test_loss_",
    "n_spectra_",
    "n_epochs_",
    "n_steps_",
    "n_threads_",
    "precision_",
    "device_",
    "versions_",
)


def save(
    model: Trained, folder: str | PathLike[str], /, *, overwrite: bool = False
) -> None:
    """Write `model`; see `GMVAE.save`.

    Parameters
    ----------
    model : Trained
        Fitted.
    folder : str or path
        Where to.
    overwrite : bool, default=False
        Replace an earlier model.
    """
    target = Path(folder)
    tidy(target)
    if target.exists():
        if not overwrite:
            raise FileExistsError(f"{target} exists; choose another name or overwrite")
        if not (target / DESCRIPTION).is_file():
            raise FileExistsError(f"{target} is not a model and is not overwritten")
    with folder_beside(target) as new:
        _write(model, new)
        put(new, target)


def load(kind: type[Model], folder: str | PathLike[str], /) -> Model:
    """Read a model of a kind; see `GMVAE.load`.

    Parameters
    ----------
    kind : type
        The class of the model.
    folder : str or path
        What `save` wrote.

    Returns
    -------
    Model
        Fitted, of that class.
    """
    source = Path(folder)
    text = _description(source)
    for name in FILES:
        _check_whole(source / name, text["sha256"].get(name))
    from napari_phasemap.models.hardware import start_tensorflow

    try:
        model = kind(
            text["preset"],
            seed=text["seed"],
            n_threads=text["n_threads"],
            **text["parameters"],
        )
        attributes = {key: text[key] for key in _PLAIN}
        n_energies = int(text["n_energies_"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{source} is damaged: {DESCRIPTION}: {error}") from error
    start_tensorflow(model.n_threads)
    from napari_phasemap.models.network import Network
    from napari_phasemap.models.training import learned

    network = Network(model.parameters, n_energies, seed=model.seed)
    try:
        network.encoder.load_weights(source / "encoder.keras")
        network.decoder.load_weights(source / "decoder.keras")
        with np.load(source / "prior.npz", allow_pickle=False) as prior:
            network.prior_means.assign(prior["means"])
            network.prior_log_vars.assign(prior["log_vars"])
            usage = prior["usage"]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{source} is damaged: {error}") from error
    energy = text["energy_"]
    model.__dict__.update(
        learned(network),
        **attributes,
        component_usage_=usage,
        names_=tuple(text["names_"]),
        energy_=None if energy is None else np.array(energy, dtype=np.float64),
    )
    return model


def _write(model: Trained, folder: Path) -> None:
    """Write all files of a model into an empty folder."""
    network = model.network_
    network.encoder.save(folder / "encoder.keras")
    network.decoder.save(folder / "decoder.keras")
    np.savez(
        folder / "prior.npz",
        means=network.prior_means.numpy(),
        log_vars=network.prior_log_vars.numpy(),
        usage=model.component_usage_,
    )
    energy = model.energy_
    text = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "preset": model.preset,
        "seed": model.seed,
        "n_threads": model.n_threads,
        "parameters": model.parameters.as_dict(),
        "n_energies_": model.n_energies_,
        "energy_": None if energy is None else energy.tolist(),
        "names_": list(model.names_),
        **{key: getattr(model, key) for key in _PLAIN},
        "sha256": {name: _checksum(folder / name) for name in FILES},
    }
    (folder / DESCRIPTION).write_text(json.dumps(text, indent=1), encoding="utf-8")


def _description(source: Path) -> dict[str, Any]:
    """Return the checked content of ``model.json``."""
    if not source.exists():
        raise FileNotFoundError(f"there is no model at {source}")
    path = source / DESCRIPTION
    if not path.is_file():
        raise InputError(f"{source} is not a model: it has no {DESCRIPTION}")
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{source} is damaged: {DESCRIPTION}: {error}") from error
    if not isinstance(text, dict) or text.get("format") != FORMAT:
        raise InputError(f"{source} is not a model of this program")
    wrote = text.get("format_version")
    if not isinstance(wrote, int) or wrote > FORMAT_VERSION:
        raise InputError(
            f"{source} was written by a newer version (format {wrote}, this one reads "
            f"up to {FORMAT_VERSION}); update napari-phasemap"
        )
    if not isinstance(text.get("sha256"), dict):
        raise InputError(f"{source} is damaged: {DESCRIPTION} has no checksums")
    return text


def _check_whole(path: Path, expected: str | None) -> None:
    if not path.is_file():
        raise InputError(f"{path.parent} is damaged: {path.name} is missing")
    if _checksum(path) != expected:
        raise InputError(f"{path.parent} is damaged: {path.name} was changed or cut")


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
