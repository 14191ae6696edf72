"""The parent's side of a child process: started when needed, ended at once.

* `ChildProcess`: one child after the other, the same to whoever asks; the processes of
  the docks derive from it.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_phasemap.core.data.progress import Cancelled, OnProgress, ignore_progress
from napari_phasemap.core.data.replacing import marked, tidy_marked
from napari_phasemap.process.conversation import Conversation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = ["ChildProcess"]

#: How the names of temporary folders begin.
PREFIX = "napari-phasemap-"


class ChildProcess:
    """A process that is started when it is first asked and kept until `close`.

    Ask inside `turn`, from any thread; `cancel` may be called from any other thread and
    takes effect at once, by ending the process. One that ended, however it did, is
    started again when it is next asked.

    Parameters
    ----------
    worker : str
        The module that the child runs, see `serving`.
    name : str
        What the child does, for the messages of errors.
    """

    def __init__(self, worker: str, *, name: str) -> None:
        self._worker = worker
        self._name = name
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._talk: Conversation | None = None
        self._lock = Lock()
        self._stop = Event()
        self._closed = False
        self._n_arrays = 0

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._talk is not None and self._talk.is_alive

    @property
    def pid(self) -> int | None:
        """Number of the process, None where it is not running."""
        return self._talk.pid if self._talk and self._talk.is_alive else None

    @property
    def folder(self) -> Path | None:
        """Where arrays and the log lie; None while there is no such folder."""
        return None if self._folder is None else Path(self._folder.name)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep others waiting while several questions belong together.

        Raises
        ------
        Cancelled
            If `close` was called.
        """
        with self._lock:
            if self._closed:
                raise Cancelled(f"the {self._name} process is closed")
            self._stop.clear()  # an earlier cancel is forgotten
            yield

    def ensure(self, on_progress: OnProgress = ignore_progress) -> Conversation:
        """Return the running child: started, if it was not there.

        Parameters
        ----------
        on_progress : callable, optional
            Called with (step, total, text).

        Returns
        -------
        Conversation
            With the child.
        """
        if self._talk is not None and self._talk.is_alive:
            return self._talk
        folder = self.path("log.txt").parent
        talk = Conversation(self._worker, folder, self._stop, name=self._name)
        self._talk = talk
        try:
            self.prepare(talk, on_progress)
        except BaseException:
            talk.kill()
            raise
        return talk

    def prepare(self, talk: Conversation, on_progress: OnProgress) -> None:
        """Bring a new child where the last one was; here there is nothing to do.

        Parameters
        ----------
        talk : Conversation
            With the new child.
        on_progress : callable
            Called with (step, total, text).
        """

    def ask(
        self,
        request: dict[str, Any],
        rows: ArrayLike | None = None,
        /,
        *,
        text: str = "",
        on_progress: OnProgress = ignore_progress,
        on_epoch: Callable[[dict[str, float]], None] | None = None,
    ) -> dict[str, Any]:
        """Send a request and wait for the answer, see `Conversation.ask`.

        Parameters
        ----------
        request : dict
            As the worker's module says.
        rows : array_like, optional
            Sent as float32 under the name "X".
        text : str, optional
            Reported until the child reports something; default what is to be done.
        on_progress, on_epoch
            As for `Conversation.ask`.

        Returns
        -------
        dict
            As the worker's module says.
        """
        talk = self.ensure(on_progress)
        options: dict[str, Any] = {
            "text": text or request["do"],
            "on_progress": on_progress,
            "on_epoch": on_epoch,
        }
        if rows is None:
            return talk.ask(request, **options)
        self._n_arrays += 1
        path = self.path(f"request-{self._n_arrays}.npy")
        try:
            array = np.asarray(rows, dtype=np.float32)
            np.save(path, array, allow_pickle=False)
            return talk.ask({**request, "X": path.name}, **options)
        finally:
            path.unlink(missing_ok=True)

    def take(self, name: str) -> NDArray[np.float32]:
        """Return an array of an answer and remove its file.

        Parameters
        ----------
        name : str
            As the answer gives it.

        Returns
        -------
        ndarray of float32
            As the child stored it, of any shape.
        """
        path = self.path(name)
        values: NDArray[np.float32] = np.load(path, allow_pickle=False)
        path.unlink()
        return values

    def path(self, name: str) -> Path:
        """Return where a file of the temporary folder lies.

        Parameters
        ----------
        name : str
            Of the file.

        Returns
        -------
        Path
            Whether it is there or not.
        """
        if self._folder is None:
            tidy_marked(PREFIX)
            self._folder = tempfile.TemporaryDirectory(
                prefix=PREFIX, ignore_cleanup_errors=True
            )
            marked(Path(self._folder.name))
        return Path(self._folder.name, name)

    def cancel(self) -> None:
        """End what is running; it raises `Cancelled` in its own thread."""
        self._stop.set()
        if self._lock.locked():
            self._kill()

    def close(self) -> None:
        """End the process and remove the temporary folder; nothing can follow.

        What is running or waiting for its turn raises `Cancelled`.
        """
        self._closed = True
        self._stop.set()
        self._kill()
        with self._lock:
            self._kill()
            if self._folder is not None:
                self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _kill(self) -> None:
        """End the process at once; it holds nothing that is not kept elsewhere."""
        if self._talk is not None:
            self._talk.kill()
