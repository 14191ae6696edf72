"""Train and encode in a child process, from any thread and without TensorFlow here.

* `TrainerProcess`: what a `GMVAE` does, done by `worker`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.process.child import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.process.conversation import Conversation

__all__ = ["TrainerProcess"]

WORKER = "napari_phasemap.models.worker"


class TrainerProcess(ChildProcess):
    """A `GMVAE` in a process of its own.

    The process is started when it is first needed and kept until `close`. Methods
    block and may be called from any thread, one at a time; `cancel` may be called from
    any other thread and takes effect within a second, by ending the process. The last
    trained or loaded model survives that, and a crash: it is loaded again when the
    process is next needed.

    Parameters
    ----------
    n_threads : int, optional
        Threads of TensorFlow; default all.
    """

    def __init__(self, *, n_threads: int | None = None) -> None:
        super().__init__(WORKER, name="training")
        self._n_threads = n_threads
        self._summary: dict[str, Any] | None = None

    @property
    def summary(self) -> dict[str, Any] | None:
        """What is known about the model, plain types; None without a model.

        Keys: "repr", "preset", "seed", "parameters", "energy", "names", "n_energies",
        "n_spectra", "n_epochs", "n_threads", "precision", "device", "versions",
        "history", "test_loss", "component_usage".
        """
        return self._summary

    def start(self, *, on_progress: OnProgress = ignore_progress) -> None:
        """Start the process and let it import TensorFlow (6 to 20 s); else nothing.

        Parameters
        ----------
        on_progress : callable, optional
            Called with (step, total, text).
        """
        with self.turn():
            self.ensure(on_progress)

    def train(
        self,
        X: ArrayLike,
        /,
        *,
        preset: str = "recommended",
        seed: int = 0,
        parameters: Mapping[str, Any] | None = None,
        energy: ArrayLike | None = None,
        names: Sequence[str] = (),
        on_progress: OnProgress = ignore_progress,
        on_epoch: Callable[[dict[str, float]], None] | None = None,
    ) -> dict[str, Any]:
        """Train a new model; the old one stays when this fails or is cancelled.

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            As for `GMVAE.fit`.
        preset, seed
            As for `GMVAE`.
        parameters : mapping, optional
            Changed fields of `models.presets.Parameters`.
        energy, names, on_progress, on_epoch
            As for `GMVAE.fit`. ``on_progress`` is also called while nothing new is
            known, about ten times per second.

        Returns
        -------
        dict
            `summary`.

        Raises
        ------
        Cancelled
            If `cancel` was called or ``on_progress`` raised it.
        ProcessDied
            If the process ended by itself.
        ValueError, TypeError, OSError, ImportError, MemoryError
            As raised by `GMVAE.fit`.
        """
        request = {
            "do": "train",
            "preset": preset,
            "seed": int(seed),
            "parameters": dict(parameters or {}),
            "energy": _axis(energy),
            "names": list(names),
        }
        with self.turn():
            done = self.ask(request, X, on_progress=on_progress, on_epoch=on_epoch)
            self._keep(done, on_progress)
        return done

    def encode(
        self,
        X: ArrayLike,
        /,
        *,
        energy: ArrayLike | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> NDArray[np.float32]:
        """Return latent means, see `GMVAE.encode`.

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            As for `GMVAE.fit`.
        energy : array_like of shape (n_energies,), optional
            In eV, compared with that of the training.
        on_progress : callable, optional
            Called with (step, total, text).

        Returns
        -------
        ndarray of float32 of shape (n_spectra, n_latent)
            In latent units.
        """
        return self._apply("encode", X, energy=energy, on_progress=on_progress)

    def reconstruct(
        self,
        X: ArrayLike,
        /,
        *,
        energy: ArrayLike | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> NDArray[np.float32]:
        """Return decoded latent means, see `GMVAE.reconstruct`.

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            As for `GMVAE.fit`.
        energy : array_like of shape (n_energies,), optional
            In eV, compared with that of the training.
        on_progress : callable, optional
            Called with (step, total, text).

        Returns
        -------
        ndarray of float32 of shape (n_spectra, n_energies)
            In the unit of `X`.
        """
        return self._apply("reconstruct", X, energy=energy, on_progress=on_progress)

    def component_probabilities(
        self,
        X: ArrayLike,
        /,
        *,
        energy: ArrayLike | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> NDArray[np.float32]:
        """Return p(k|x), see `GMVAE.component_probabilities`.

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            As for `GMVAE.fit`.
        energy : array_like of shape (n_energies,), optional
            In eV, compared with that of the training.
        on_progress : callable, optional
            Called with (step, total, text).

        Returns
        -------
        ndarray of float32 of shape (n_spectra, n_components)
            0 to 1.
        """
        return self._apply("components", X, energy=energy, on_progress=on_progress)

    def decode(
        self, Z: ArrayLike, /, *, on_progress: OnProgress = ignore_progress
    ) -> NDArray[np.float32]:
        """Return the spectra of latent points, see `GMVAE.decode`.

        Parameters
        ----------
        Z : array_like of shape (n_points, n_latent)
            In latent units.
        on_progress : callable, optional
            Called with (step, total, text).

        Returns
        -------
        ndarray of float32 of shape (n_points, n_energies)
            In the units of the training.
        """
        return self._apply("decode", Z, energy=None, on_progress=on_progress)

    def save(
        self,
        folder: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: OnProgress = ignore_progress,
    ) -> None:
        """Write the model, see `GMVAE.save`.

        Parameters
        ----------
        folder : str or path
            Where to.
        overwrite : bool, default=False
            Replace an earlier model.
        on_progress : callable, optional
            Called with (step, total, text).
        """
        target = str(Path(folder).absolute())
        request = {"do": "save", "folder": target, "overwrite": overwrite}
        with self.turn():
            self.ask(request, on_progress=on_progress)

    def load(
        self,
        folder: str | PathLike[str],
        *,
        on_progress: OnProgress = ignore_progress,
    ) -> dict[str, Any]:
        """Read a model, see `GMVAE.load`; return its `summary`.

        Parameters
        ----------
        folder : str or path
            What `GMVAE.save` wrote.
        on_progress : callable, optional
            Called with (step, total, text).

        Returns
        -------
        dict of str to object
            What is known of the model.
        """
        request = {"do": "load", "folder": str(Path(folder).absolute())}
        with self.turn():
            done = self.ask(request, on_progress=on_progress)
            self._keep(done, on_progress)
        return done

    def close(self) -> None:
        """End the process and forget the model; nothing can follow."""
        super().close()
        self._summary = None

    def _apply(
        self, do: str, rows: ArrayLike, *, energy: ArrayLike | None, on_progress: Any
    ) -> NDArray[np.float32]:
        with self.turn():
            request = {"do": do, "energy": _axis(energy)}
            done = self.ask(request, rows, on_progress=on_progress)
            return self.take(done["array"])

    def _keep(self, done: dict[str, Any], on_progress: OnProgress) -> None:
        """Store the new model, so that it survives the process."""
        kept = {
            "do": "save",
            "folder": str(self.path("model")),
            "overwrite": True,
        }
        self.ask(kept, on_progress=on_progress)
        self._summary = done

    def prepare(self, talk: Conversation, on_progress: OnProgress) -> None:
        """Import TensorFlow in a new child and give it the last model.

        Parameters
        ----------
        talk : Conversation
            With the new child.
        on_progress : callable
            Called with (step, total, text).
        """
        start = {"do": "start", "n_threads": self._n_threads}
        talk.ask(start, on_progress=on_progress, text="starting TensorFlow")
        if self._summary is not None:
            load = {"do": "load", "folder": str(self.path("model"))}
            talk.ask(load, on_progress=on_progress, text="loading the last model")


def _axis(energy: ArrayLike | None) -> list[float] | None:
    if energy is None:
        return None
    return [float(value) for value in np.asarray(energy, dtype=np.float64)]
