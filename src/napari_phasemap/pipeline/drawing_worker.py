"""The child process that draws: ``python -m ...pipeline.drawing_worker FOLDER``.

Request: ``{"do": "draw", "kind": "results" | "eels", "folder": PATH}``; what is drawn
lies as a pickle in the folder of the conversation. `drawing` is the other side.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_phasemap.pipeline.bundle import draw_sheets
from napari_phasemap.pipeline.drawing import WHAT
from napari_phasemap.pipeline.eels import draw_figure
from napari_phasemap.process.serving import Server, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from napari_phasemap.core.data.progress import OnProgress

__all__ = ["Worker"]

DRAW: dict[str, Callable[[Any, Path, OnProgress], None]] = {
    "results": draw_sheets,
    "eels": draw_figure,
}


class Worker(Server):
    """Answers requests for figures."""

    def __init__(self, folder: Path, answers: TextIO) -> None:
        super().__init__(folder, answers)
        self._what = folder / WHAT
        self.actions = {"draw": self._draw}

    def _draw(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._what.open("rb") as file:
            what = pickle.load(file)
        DRAW[request["kind"]](what, Path(request["folder"]), self.progress)
        return {}


if __name__ == "__main__":
    serve(Worker)
