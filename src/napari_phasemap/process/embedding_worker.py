"""The child process that embeds: ``python -m ...process.embedding_worker FOLDER``.

UMAP holds Python's lock for tenths of a second at a time and compiles when it is first
used; in a process of its own it blocks no window. `embedder` is the other side.

Request: ``{"do": "embed", "X": NAME, "options": {...}}`` with the options of
`umap_embedding`; answer: ``{"array": NAME}``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.learn.embedding import umap_embedding
from napari_phasemap.process.serving import Server, serve

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

__all__ = ["Worker"]


class Worker(Server):
    """Answers requests for embeddings; imports and compiles UMAP before the first."""

    def __init__(self, folder: Path, answers: TextIO) -> None:
        super().__init__(folder, answers)
        self.actions = {"embed": self._embed}
        with suppress(Exception):  # whatever is wrong is told when somebody asks
            umap_embedding(np.random.default_rng(0).random((64, 3), dtype=np.float32))

    def _embed(self, request: dict[str, Any]) -> dict[str, Any]:
        placed = umap_embedding(
            self.array(request["X"]), on_progress=self.progress, **request["options"]
        )
        return {"array": self.store(placed)}


if __name__ == "__main__":
    serve(Worker)
