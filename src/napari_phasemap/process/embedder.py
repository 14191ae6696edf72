"""UMAP in a child process, from any thread.

* `EmbedderProcess`: `umap_embedding`, done by `embedding_worker`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.learn.decomposition import Decomposition
from napari_phasemap.process.child import ChildProcess

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EmbedderProcess"]

WORKER = "napari_phasemap.process.embedding_worker"


class EmbedderProcess(ChildProcess):
    """Embeds in a process of its own, which is kept until `close`.

    What is embedded there is what `umap_embedding` gives here.
    """

    def __init__(self) -> None:
        super().__init__(WORKER, name="UMAP")

    def begin(self) -> None:
        """Start the process without waiting: it loads UMAP while other steps run."""
        with self.turn():
            self.ensure()

    def umap_embedding(
        self,
        values: Decomposition | NDArray[Any],
        /,
        *,
        on_progress: OnProgress = ignore_progress,
        **options: int | float,
    ) -> NDArray[np.float32]:
        """Embed pixels, see `core.embedding.umap_embedding`.

        Parameters
        ----------
        values, **options
            As for `umap_embedding`.
        on_progress : callable, optional
            Called with (step, total, text), also while nothing new is known, about ten
            times per second; may raise `Cancelled`, which ends the process.

        Returns
        -------
        ndarray of float32 of shape (n_pixels, n_components)
            Coordinates without unit; NaN where `values` has NaN.

        Raises
        ------
        Cancelled
            If `close` was called or ``on_progress`` raised it.
        ProcessDied
            If the process ended by itself.
        ValueError, TypeError
            As raised by `umap_embedding`.
        """
        rows = values.whitened if isinstance(values, Decomposition) else values
        with self.turn():
            done = self.ask(
                {"do": "embed", "options": options},
                rows,
                text="UMAP: loading",
                on_progress=on_progress,
            )
            return self.take(done["array"])
