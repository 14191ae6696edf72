"""The figures of a folder of results, drawn in a child process.

matplotlib is not made for threads, and a window draws with it too. So what saves
results from a dock, beside the window, lets a process of its own draw.

* `DrawingProcess`: draws in `drawing_worker`.
"""

from __future__ import annotations

import pickle
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.process.child import ChildProcess

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DrawingProcess"]

WORKER = "napari_phasemap.pipeline.drawing_worker"
#: File of the temporary folder, which nobody else may write.
WHAT = "what.pickle"


def _frozen(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(values)


class _Pickler(pickle.Pickler):
    """Also writes mappings that refuse to be changed."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, MappingProxyType):
            return _frozen, (dict(value),)
        return NotImplemented


class DrawingProcess(ChildProcess):
    """Draws in a process of its own, which is kept until `close`."""

    def __init__(self) -> None:
        super().__init__(WORKER, name="drawing")

    def draw(
        self,
        kind: Literal["results", "eels"],
        what: Any,
        folder: Path,
        /,
        on_progress: OnProgress = ignore_progress,
    ) -> None:
        """Draw the figures of results into a folder.

        Parameters
        ----------
        kind : {"results", "eels"}
            `draw_sheets` of `bundle`, or `draw_figure` of `eels`.
        what : Results or EelsAnalysis
            What is drawn; its arrays must be in memory.
        folder : Path
            Where the files go.
        on_progress : callable, optional
            Also called while nothing new is known, about ten times per second; may
            raise `Cancelled`, which ends the process.

        Raises
        ------
        Cancelled
            If ``on_progress`` raised it.
        ProcessDied
            If the process ended by itself.
        OSError
            If the files cannot be written.
        """
        request = {"do": "draw", "kind": kind, "folder": str(folder.absolute())}
        with self.turn():
            path = self.path(WHAT)
            with path.open("wb") as file:
                _Pickler(file, protocol=pickle.HIGHEST_PROTOCOL).dump(what)
            try:
                self.ask(request, text="drawing", on_progress=on_progress)
            finally:
                path.unlink(missing_ok=True)
