"""The child process that trains and encodes: ``python -m ...models.worker FOLDER``.

TensorFlow and an OpenGL canvas crash one another in one process on many machines, so
the window talks to this process instead: one JSON object per line on standard input
and output, arrays as ``.npy`` files in FOLDER, which the parent made and whose names
the messages carry. When standard input
ends, so does it, and FOLDER is removed. `child` is the other side.

Requests: ``{"do": "start" | "train" | "encode" | "reconstruct" | "decode" |
"components" | "save" | "load" | "describe", ...}``.
Answers: any number of ``{"progress": [step, total, text]}`` and ``{"epoch": {...}}``,
then one ``{"done": {...}}`` or ``{"error": [type, message, traceback]}``.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from napari_phasemap.models.gmvae import GMVAE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Worker", "main"]


class Worker:
    """Answers requests with one model in memory.

    Parameters
    ----------
    folder : Path
        Where the arrays of requests and answers lie.
    answers : file
        Where the answers are written.
    """

    def __init__(self, folder: Path, answers: TextIO) -> None:
        self._folder = folder
        self._answers = answers
        self._model: GMVAE | None = None
        self._n_arrays = 0
        self._actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
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

    def answer(self, line: str) -> None:
        """Do what a line asks and say how it ended."""
        try:
            request = json.loads(line)
            self.say(done=self._actions[request["do"]](request))
        # Whatever went wrong is told to the parent, and the next request is answered.
        except Exception as error:  # noqa: BLE001
            text = "".join(traceback.format_exception(error))
            self.say(error=[type(error).__name__, str(error), text])

    def say(self, **message: Any) -> None:
        """Write one line."""
        self._answers.write(json.dumps(message) + "\n")
        self._answers.flush()

    def _progress(self, step: int, total: int, text: str) -> None:
        self.say(progress=[step, total, text])

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        from napari_phasemap.models.hardware import start_tensorflow

        n_threads, device = start_tensorflow(request.get("n_threads"))
        return {"n_threads": n_threads, "device": device}

    def _train(self, request: dict[str, Any]) -> dict[str, Any]:
        model = GMVAE(request["preset"], seed=request["seed"], **request["parameters"])
        self._model = model.fit(
            self._array(request["X"]),
            energy=request["energy"],
            names=request["names"],
            on_progress=self._progress,
            on_epoch=lambda losses: self.say(epoch=losses),
        )
        return self._describe()

    def _apply(self, request: dict[str, Any]) -> dict[str, Any]:
        model, rows = self._trained(), self._array(request["X"])
        if request["do"] == "decode":
            return {"array": self._store(model.decode(rows))}
        functions = {
            "encode": model.encode,
            "reconstruct": model.reconstruct,
            "components": model.component_probabilities,
        }
        return {
            "array": self._store(
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
            raise ValueError("there is no model yet; train one or load one")
        return self._model

    def _array(self, name: str) -> NDArray[Any]:
        values: NDArray[Any] = np.load(
            self._folder / name, mmap_mode="r", allow_pickle=False
        )
        return values

    def _store(self, values: NDArray[np.float32]) -> str:
        self._n_arrays += 1
        name = f"answer-{self._n_arrays}.npy"
        np.save(self._folder / name, values, allow_pickle=False)
        return name


def main() -> None:
    """Answer the lines of standard input until it ends."""
    # Whatever libraries print goes to the log, and never between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if hasattr(os, "nice"):
        os.nice(5)  # the window goes first where both want the same processor
    folder = Path(sys.argv[1])
    worker = Worker(folder, answers)
    lines: SimpleQueue[str] = SimpleQueue()
    Thread(target=_listen, args=(lines, folder), daemon=True).start()
    try:
        while True:
            worker.answer(lines.get())
    except BrokenPipeError:
        # The parent is gone, and writing told it before the listener could.
        _leave(folder)


def _listen(lines: SimpleQueue[str], folder: Path) -> None:
    """Hand lines on; when there are no more the parent is gone, so end at once."""
    for line in sys.stdin:
        lines.put(line)
    _leave(folder)


def _leave(folder: Path) -> None:
    """Remove the folder and end at once, whatever the other thread does."""
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
