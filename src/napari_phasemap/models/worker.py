"""The child process that trains and encodes: ``python -m ...models.worker FOLDER``.

TensorFlow and an OpenGL canvas crash one another in one process on many machines, so
the window talks to this process instead, see `process.serving`. `child` is the other
side.

Requests: ``{"do": "start" | "train" | "encode" | "reconstruct" | "decode" |
"components" | "save" | "load" | "describe", ...}``; beside progress it reports
``{"epoch": {...}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.models.gmvae import GMVAE
from napari_phasemap.process.serving import Server, serve

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

__all__ = ["Worker"]


class Worker(Server):
    """Answers requests with one model in memory."""

    def __init__(self, folder: Path, answers: TextIO) -> None:
        super().__init__(folder, answers)
        self._model: GMVAE | None = None
        self.actions = {
            "start": self._start,
            "train": self._train,
            "encode": self._apply,
            "reconstruct": self._apply,
            "decode": self._apply,
            "components": self._apply,
            "save": self._save,
            "load": self._load,
            "describe": lambda request: self._describe(),
        }

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        from napari_phasemap.models.hardware import start_tensorflow

        n_threads, device = start_tensorflow(request.get("n_threads"))
        return {"n_threads": n_threads, "device": device}

    def _train(self, request: dict[str, Any]) -> dict[str, Any]:
        model = GMVAE(request["preset"], seed=request["seed"], **request["parameters"])
        self._model = model.fit(
            self.array(request["X"]),
            energy=request["energy"],
            names=request["names"],
            on_progress=self.progress,
            on_epoch=lambda losses: self.say(epoch=losses),
        )
        return self._describe()

    def _apply(self, request: dict[str, Any]) -> dict[str, Any]:
        model, rows = self._trained(), self.array(request["X"])
        if request["do"] == "decode":
            return {"array": self.store(model.decode(rows))}
        functions = {
            "encode": model.encode,
            "reconstruct": model.reconstruct,
            "components": model.component_probabilities,
        }
        return {
            "array": self.store(
                functions[request["do"]](rows, energy=request["energy"])
            )
        }

    def _save(self, request: dict[str, Any]) -> dict[str, Any]:
        self._trained().save(request["folder"], overwrite=request["overwrite"])
        return {}

    def _load(self, request: dict[str, Any]) -> dict[str, Any]:
        self._model = GMVAE.load(request["folder"])
        return self._describe()

    def _describe(self) -> dict[str, Any]:
        model = self._trained()
        return {
            "repr": repr(model),
            "preset": model.preset,
            "seed": model.seed,
            "parameters": model.parameters.as_dict(),
            "energy": None if model.energy_ is None else model.energy_.tolist(),
            "names": list(model.names_),
            "n_energies": model.n_energies_,
            "n_spectra": model.n_spectra_,
            "n_epochs": model.n_epochs_,
            "n_threads": model.n_threads_,
            "precision": model.precision_,
            "device": model.device_,
            "versions": model.versions_,
            "history": model.history_,
            "test_loss": model.test_loss_,
            "component_usage": model.component_usage_.tolist(),
        }

    def _trained(self) -> GMVAE:
        if self._model is None:
            raise InputError("there is no model yet; train one or load one")
        return self._model


if __name__ == "__main__":
    serve(Worker)
