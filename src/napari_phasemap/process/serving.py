"""The child's side of a conversation: requests in, answers out.

Requests are ``{"do": NAME, ...}``; arrays are ``.npy`` files in the folder, whose names
the messages carry. Answers: any number of reports, such as
``{"progress": [step, total, text]}``, then one ``{"done": {...}}`` or
``{"error": [kind, message, traceback]}``, where the kind of what a user can cause is
the name of a class that `conversation` knows. When standard input ends the parent is
gone: so goes the child, and the folder is removed.

* `Server`: answers requests by the methods that a subclass lists in ``actions``.
* `serve`: answer the lines of standard input until it ends.
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

from napari_phasemap.core.data.errors import is_bug
from napari_phasemap.core.data.replacing import abandon
from napari_phasemap.process.conversation import CROSSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Server", "serve"]


class Server:
    """Answers requests.

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
        self._n_arrays = 0
        self.actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}

    def answer(self, line: str) -> None:
        """Do what a line asks and say how it ended.

        Parameters
        ----------
        line : str
            One JSON object.
        """
        try:
            request = json.loads(line)
            self.say(done=self.actions[request["do"]](request))
        # Whatever went wrong is told to the parent, and the next request is answered.
        except Exception as error:  # noqa: BLE001
            text = "".join(traceback.format_exception(error))
            if is_bug(error):
                sys.stderr.write(text)  # the child's log
            self.say(error=[kind_of(error), str(error), text])

    def say(self, **message: Any) -> None:
        """Write one line.

        Parameters
        ----------
        **message : object
            Fields of one JSON object.
        """
        self._answers.write(json.dumps(message) + "\n")
        self._answers.flush()

    def progress(self, step: int, total: int, text: str) -> None:
        """Report how far the request is; an ``on_progress``.

        Parameters
        ----------
        step, total : int
            Steps done and steps in all.
        text : str
            What is being done.
        """
        self.say(progress=[step, total, text])

    def array(self, name: str) -> NDArray[Any]:
        """Return an array of a request.

        Parameters
        ----------
        name : str
            As the request gives it.

        Returns
        -------
        ndarray of any shape
            Mapped from the file, not loaded.
        """
        values: NDArray[Any] = np.load(
            self._folder / name, mmap_mode="r", allow_pickle=False
        )
        return values

    def store(self, values: NDArray[np.float32]) -> str:
        """Lay an array down for an answer and return its name.

        Parameters
        ----------
        values : ndarray of float32 of any shape
            Part of an answer.

        Returns
        -------
        str
            For the answer.
        """
        self._n_arrays += 1
        name = f"answer-{self._n_arrays}.npy"
        np.save(self._folder / name, values, allow_pickle=False)
        return name


def kind_of(error: Exception, /) -> str:
    """Return the class by which an exception is known on the other side.

    What is no bug crosses as the first of its classes that carries only a message;
    TensorFlow's word for a lack of memory crosses as `MemoryError`.
    """
    if type(error).__name__ == "ResourceExhaustedError":
        return "MemoryError"
    if is_bug(error):
        return type(error).__name__
    classes = (one.__name__ for one in type(error).__mro__)
    return next(name for name in classes if name in CROSSING)


def serve(server: type[Server], *, nice: int = 5) -> None:
    """Answer the lines of standard input until it ends; the folder is ``argv[1]``.

    Parameters
    ----------
    server : type
        Made with the folder and the file for answers.
    nice : int, default=5
        How far other processes go first, where the system knows that: a window does
        where both want the same processor.
    """
    # Whatever libraries print goes to the log, and never between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if nice and hasattr(os, "nice"):
        os.nice(nice)
    folder = Path(sys.argv[1])
    lines: SimpleQueue[str] = SimpleQueue()
    Thread(target=_listen, args=(lines, folder), daemon=True).start()
    try:
        answering = server(folder, answers)
        while True:
            answering.answer(lines.get())
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
    abandon()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
