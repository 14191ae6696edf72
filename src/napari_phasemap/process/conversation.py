"""Start a worker, send it requests, and wait for its answers without going deaf.

* `Conversation`: one child process.
* `ChildBug`: a bug that showed itself in a child.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import (
    FileError,
    InputError,
    MissingPackage,
    ProcessDied,
)
from napari_phasemap.core.data.progress import Cancelled, OnProgress, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

__all__ = ["CROSSING", "ChildBug", "Conversation"]

LOG = "log.txt"
#: Seconds between two looks at whether to stop, while the child says nothing.
HEARTBEAT = 0.1
#: Lines of the child's log that are repeated when it dies, but for those that
#: TensorFlow writes at every start.
LAST_WORDS = 8
_USUAL = re.compile(r"^[IEW]\d{4} .*(oneDNN|cuda|cpu_feature)|absl::InitializeLog")
#: What a user can cause in the child is raised here as what it is; `serving` sends the
#: nearest of these names. All else is a `ChildBug`.
CROSSING: dict[str, type[Exception]] = {
    one.__name__: one
    for one in (
        InputError, FileError, MissingPackage, ProcessDied, MemoryError, OSError,
        FileExistsError, FileNotFoundError, PermissionError,
    )
}  # fmt: skip


class ChildBug(RuntimeError):
    """A bug that showed itself in a child; its cause has the child's traceback."""


class _Traceback(Exception):
    """The child's traceback as text, so that it is shown with ours."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Conversation:
    """One child process and what is said between it and us.

    Parameters
    ----------
    worker : str
        The module that the child runs, see `serving`.
    folder : Path
        Where arrays and the child's log lie; the child removes it when we are gone.
    stop : threading.Event
        Set by any thread to end what is running.
    name : str
        What the child does, for the messages of errors.
    """

    def __init__(self, worker: str, folder: Path, stop: Event, *, name: str) -> None:
        self._folder = folder
        self._name = name
        self._stop = stop
        self._lines: Queue[str | None] = Queue()
        with (folder / LOG).open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", worker, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        Thread(target=self._listen, daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def ask(
        self,
        request: dict[str, Any],
        /,
        *,
        text: str,
        on_progress: OnProgress = ignore_progress,
        on_epoch: Callable[[dict[str, float]], None] | None = None,
    ) -> dict[str, Any]:
        """Send a request and return the answer, with reports in between.

        Parameters
        ----------
        request : dict
            As the worker's module says.
        text : str
            Reported until the child reports something.
        on_progress : callable, optional
            Called with every report, and again every `HEARTBEAT` seconds.
        on_epoch : callable, optional
            Called with the losses of every epoch.

        Returns
        -------
        dict

        Raises
        ------
        Cancelled
            If the stop event is set or a callable raised it; the process is ended.
        ProcessDied
            If the process ended by itself.
        InputError, OSError, MissingPackage, MemoryError
            As the child raised it.
        ChildBug
            If the child raised anything else.
        """
        last = (0, 0, text)
        self._send(request)
        try:
            while True:
                if self._stop.is_set():
                    raise Cancelled
                try:
                    line = self._lines.get(timeout=HEARTBEAT)
                except Empty:
                    on_progress(*last)
                    continue
                if line is None:
                    raise Cancelled if self._stop.is_set() else self._died()
                message = json.loads(line)
                if "done" in message:
                    return dict(message["done"])
                if "error" in message:
                    raise _raised(self._name, *message["error"])
                if "epoch" in message and on_epoch is not None:
                    on_epoch(message["epoch"])
                if "progress" in message:
                    step, total, text = message["progress"]
                    last = (step, total, text)
                    on_progress(*last)
        except Cancelled:
            self.kill()
            raise

    def kill(self) -> None:
        """End the process at once."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _send(self, request: dict[str, Any]) -> None:
        stdin, line = self._process.stdin, json.dumps(request) + "\n"
        try:
            if stdin is not None:
                stdin.write(line)
                stdin.flush()
        except (OSError, ValueError):
            # It is gone, or the listener has found the end of its output already and
            # closed the pipe (ValueError): `ask` says why.
            return

    def _listen(self) -> None:
        """Queue every line of the child, and None when there are no more."""
        with self._process as process:
            for line in process.stdout or ():
                self._lines.put(line)
            self._lines.put(None)

    def _died(self) -> ProcessDied:
        """Return the exception that says why the process ended."""
        code = self._process.wait()
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        if code in (-9, 137):
            reason += ", as when memory runs out"
        log = self._folder / LOG
        words = log.read_text(errors="replace").split("\n") if log.exists() else []
        words = [line for line in words if line.strip() and not _USUAL.search(line)]
        tail = "\n".join(words[-LAST_WORDS:])
        died = ProcessDied(
            f"the {self._name} process ended by itself ({reason}); what was finished "
            "is kept, and the next step starts the process anew. Its last words:\n"
            f"{tail or '(it said nothing)'}"
        )
        died.code = code
        return died


def _raised(name: str, kind: str, message: str, text: str) -> Exception:
    if kind in CROSSING:
        return CROSSING[kind](message)
    bug = ChildBug(f"{kind} in the {name} process: {message}")
    bug.__cause__ = _Traceback(text)
    return bug
