"""What a person does to the selection in the latent view, by mouse, key or button.

* `LatentActions`: from the scatter to the workspace.
* `problem`: why there is nothing to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.latent.selection import combine, grow_to_clusters

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_phasemap.core.latent.selection import SelectionMode
    from napari_phasemap.views.scatter.scatter import Scatter
    from napari_phasemap.workspace import Workspace

__all__ = ["NO_STACKS", "LatentActions", "problem"]

#: Points looked at together for a finite one: mostly the first block has one.
BLOCK = 1000
NO_STACKS = (
    "Nothing is analyzed yet. Open stacks and convert them to optical density; then "
    "train a latent space, or use PCA."
)
NO_LATENT = (
    "There is no latent space yet. Train one in the Latent space dock, or take the "
    "first principal components of the spectra, which needs no training."
)


def problem(workspace: Workspace) -> str:
    """Return why the latent space can not be shown, "" where it can."""
    stacks, latent = workspace.stacks, workspace.latent
    if stacks is None:
        return NO_STACKS
    if latent is None:
        return NO_LATENT
    if latent.ndim != 2 or not latent.shape[1]:
        return f"A latent space has the shape (pixels, axes); got {latent.shape}."
    if len(latent) != stacks.n_pixels:
        return (
            f"The latent space has {len(latent)} points for {stacks.n_pixels} pixels: "
            "the mask or the stacks have changed. Encode the pixels again."
        )
    blocks = (latent[i : i + BLOCK] for i in range(0, len(latent), BLOCK))
    if not any(np.isfinite(block).all(axis=1).any() for block in blocks):
        return "No point of the latent space has finite coordinates. Train again."
    return ""


class LatentActions:
    """Writes `cursor` and `selection`, as steps that can be undone.

    Does nothing while there is no latent space to point at.
    """

    def __init__(self, workspace: Workspace, scatter: Scatter) -> None:
        self._workspace = workspace
        self._scatter = scatter

    def do(self, action: str) -> bool:
        """Do what a key stands for; return whether it is one of ours."""
        # Kept as a table, the methods would hold the scatter in a cycle.
        actions: dict[str, Callable[[], None]] = {
            "invert": self.invert,
            "grow": self.grow,
            "clear": self.clear,
            "undo": self.undo,
            "redo": self.redo,
            "phase": self.select_class_of_cursor,
            "toggle cursor": self.toggle_cursor,
            "next": self.next_point,
            "previous": self.previous_point,
        }
        if action not in actions:
            return False
        actions[action]()
        return True

    def pick(self, point: int | None, mode: SelectionMode) -> None:
        """Point at what was clicked; beside all points, clear."""
        workspace, selection = self._workspace, self._selection()
        if selection is None:
            return
        if point is None and mode == "replace":
            self.clear()
        elif point is not None and mode in ("add", "subtract"):
            workspace.select(combine(selection, self._only(point), mode), mode)
        workspace.cursor = point

    def stroke(self, inside: NDArray[np.bool_], mode: SelectionMode, tool: str) -> None:
        """Select what was drawn around."""
        selection = self._selection()
        if selection is not None and len(selection) == len(inside):
            self._workspace.select(combine(selection, inside, mode), tool)

    def select_class(self, code: int) -> None:
        """Select all points of one color."""
        if self._selection() is not None:
            found = self._scatter.scene.coloring
            self._workspace.select(found.codes == code, found.names[code])

    def select_class_of_cursor(self) -> None:
        """Select all points of the color of the marked one."""
        cursor, found = self._workspace.cursor, self._scatter.scene.coloring
        if cursor is not None and found.limits is None:
            self.select_class(int(found.codes[cursor]))

    def invert(self) -> None:
        """Select what is not selected, among the classes that are shown."""
        selection, drawn = self._selection(), self._scatter.scene.drawn()
        if selection is not None:
            inverted = ~selection if drawn is None else ~selection & drawn
            self._workspace.select(inverted, "invert")

    def grow(self) -> None:
        """Grow the selection to the clusters of points that it touches."""
        selection = self._selection()
        if selection is not None:
            n_axes = 2 if self._scatter.camera.flat else 3
            points = self._scatter.scene.points[:n_axes]
            self._workspace.select(grow_to_clusters(points, selection), "grow")

    def clear(self) -> None:
        """Select nothing."""
        selection = self._workspace.selection
        if selection is not None:
            self._workspace.select(np.zeros_like(selection), "clear")

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self._workspace.history.done:
            self._workspace.undo()

    def redo(self) -> None:
        """Do the last step again, if there is one."""
        if self._workspace.history.undone:
            self._workspace.redo()

    def toggle_cursor(self) -> None:
        """Add the marked point to the selection, or take it away."""
        cursor, selection = self._workspace.cursor, self._selection()
        if cursor is not None and selection is not None:
            self._workspace.select(selection ^ self._only(cursor), "toggle")

    def next_point(self) -> None:
        """Mark the next point."""
        self._step(1)

    def previous_point(self) -> None:
        """Mark the previous point."""
        self._step(-1)

    def _step(self, by: int) -> None:
        selection, cursor = self._selection(), self._workspace.cursor
        if selection is not None and len(selection):
            start = min(0, -by) if cursor is None else cursor
            self._workspace.cursor = (start + by) % len(selection)

    def _selection(self) -> NDArray[np.bool_] | None:
        """Return the selection, None while there is nothing to select in."""
        return None if problem(self._workspace) else self._workspace.selection

    def _only(self, point: int) -> NDArray[np.bool_]:
        mask = np.zeros(self._scatter.scene.n_points, dtype=bool)
        mask[point] = True
        return mask
