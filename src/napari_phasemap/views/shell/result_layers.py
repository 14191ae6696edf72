"""Results as layers: one per kind over all particles.

* `ResultLayers`: shows, hides and moves the layers of a `Kind`, one for all particles
  that share a pixel size, and draws them again when the workspace changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from psygnal import Signal

from napari_phasemap import __version__
from napari_phasemap.views.shell.inserting import inserting
from napari_phasemap.views.shell.kinds import SELECTION
from napari_phasemap.views.shell.result_layer import ResultLayer
from napari_phasemap.views.shell.status import tell_pixels

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_phasemap.core.data.pixel_grid import PixelGrid
    from napari_phasemap.views.shell.kinds import Kind, Picture
    from napari_phasemap.views.shell.layout import ParticleLayout
    from napari_phasemap.workspace import Workspace

__all__ = ["ResultLayers"]


class ResultLayers:
    """Shows results as layers of the viewer.

    A layer is known by its kind and the number of its pixel grid, never by its name:
    renaming it changes nothing, and deleting it means that this kind is not wanted.
    `changed` is emitted when a layer has been made or removed.
    """

    changed = Signal()

    def __init__(
        self, viewer: ViewerModel, workspace: Workspace, places: ParticleLayout
    ) -> None:
        self._viewer = ref(viewer)
        self._workspace = workspace
        self._places = places
        self._shown: dict[tuple[Kind, int], ResultLayer] = {}
        events = workspace.events
        events.phase_map.connect(self._on_phase_map)
        events.resolved.connect(self._on_resolved)
        events.threshold.connect(self._on_threshold)
        events.posterior.connect(self._on_posterior)
        events.method.connect(self._on_method)
        events.level.connect(self._on_level)
        events.selection.connect(self._on_selection)
        events.selections.connect(self._on_selection)

    # ---- What the docks call ----

    def is_seen(self, kind: Kind) -> bool:
        """Return whether there is a visible layer of a kind."""
        return any(layer.visible for layer in self.layers(kind))

    def kinds(self) -> set[Kind]:
        """Return the kinds of which a layer exists."""
        return {kind for (kind, _), one in self._shown.items() if one.layer is not None}

    def layers(self, kind: Kind) -> list[Layer]:
        """Return the layers of a kind, one per pixel size; none where it is not."""
        ours = [one.layer for key, one in self._shown.items() if key[0] == kind]
        return [layer for layer in ours if layer is not None]

    def show(self, *kinds: Kind, visible: bool = True) -> None:
        """Make the layers of kinds that the workspace holds, all at once."""
        viewer = self._viewer()
        if viewer is None:
            return
        with inserting(viewer):
            for kind in kinds:
                picture = None if kind.draw is None else kind.draw(self._workspace)
                if picture is not None:
                    self._take_over(kind)
                    self.put(kind, picture, visible=visible)

    def _take_over(self, kind: Kind) -> None:
        """Show a kind in the layers of another that shares them."""
        for (other, number), shown in list(self._shown.items()):
            if kind.shares and other.shares == kind.shares and other != kind:
                shown.become(kind, self._name(kind, self._places.grids[number]))
                self._shown[kind, number] = self._shown.pop((other, number))
                self.changed.emit()

    def hide(self, kind: Kind) -> None:
        """Remove the layers of a kind."""
        viewer = self._viewer()
        for layer in self.layers(kind):
            if viewer is not None:
                viewer.layers.remove(layer)
        for key in [key for key in self._shown if key[0] == kind]:
            del self._shown[key]
        self.changed.emit()

    def put(
        self, kind: Kind, picture: Picture, *, make: bool = True, visible: bool = True
    ) -> None:
        """Show a picture.

        Parameters
        ----------
        kind : Kind
            Which layers take it.
        picture : Classes, Below or Values
            In the pixel order of the workspace's stacks.
        make : bool, default=True
            Whether layers that do not exist are made.
        visible : bool, default=True
            Whether new layers are visible.
        """
        for number, grid in enumerate(self._places.grids):
            shown = self._shown.get((kind, number))
            if shown is not None and shown.layer is not None:
                shown.update(picture, self._provenance(kind, picture))
            elif make:
                self._make(kind, picture, number, grid, visible)

    # ---- Following the workspace ----

    def _on_phase_map(self, _: Any) -> None:
        self._follow("phase_map")

    def _on_resolved(self, _: Any) -> None:
        self._follow("resolved")

    def _on_threshold(self, _: Any) -> None:
        self._follow("threshold")

    def _on_posterior(self, _: Any) -> None:
        self._follow("posterior")

    def _on_method(self, _: Any) -> None:
        self._follow("method")

    def _on_level(self, _: Any) -> None:
        self._follow("level")

    def _on_selection(self, _: Any) -> None:
        """Draw the selection; its layer is made when something is selected."""
        workspace = self._workspace
        chosen = workspace.selection
        if not self.layers(SELECTION) and (
            workspace.selections or (chosen is not None and chosen.any())
        ):
            self.show(SELECTION)
        else:
            self._follow("selection")

    def _follow(self, field: str) -> None:
        """Draw what depends on a field of the workspace."""
        for kind in self.kinds():
            if field in kind.follows and kind.draw is not None:
                picture = kind.draw(self._workspace)
                if picture is not None:
                    self.put(kind, picture, make=False)

    def clear(self) -> None:
        """Remove all layers: what they show was computed from other pixels."""
        for kind in {kind for kind, _ in self._shown}:
            self.hide(kind)

    def move(self) -> None:
        """Lay every layer on the grids as they are now."""
        grids, unit = self._places.grids, self._places.unit
        for kind in self.kinds():
            ours = {n: one for (k, n), one in self._shown.items() if k == kind}
            picture = next(iter(ours.values())).picture
            visible = any(layer.visible for layer in self.layers(kind))
            for number, grid in enumerate(grids):
                if number in ours:
                    ours[number].move(grid, self._name(kind, grid), unit)
                else:
                    self._make(kind, picture, number, grid, visible)
            self._remove_beyond(kind, len(grids))

    def _remove_beyond(self, kind: Kind, n_grids: int) -> None:
        """Remove layers of pixel sizes that are not shown any more."""
        viewer = self._viewer()
        for key in [k for k in self._shown if k[0] == kind and k[1] >= n_grids]:
            layer = self._shown.pop(key).layer
            if viewer is not None and layer is not None:
                viewer.layers.remove(layer)

    # ---- New layers ----

    def _make(
        self, kind: Kind, picture: Picture, number: int, grid: PixelGrid, visible: bool
    ) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        active = viewer.layers.selection.active
        shown = ResultLayer(self._workspace, kind, picture, grid)
        layer = shown.add_to(
            viewer,
            self._name(kind, grid),
            self._provenance(kind, picture),
            units=(self._places.unit,) * 2,
            visible=visible,
        )
        self._shown[kind, number] = shown
        layer.events.visible.connect(self._on_visible)
        tell_pixels(layer, self._workspace, self._places)
        if kind == SELECTION:
            viewer.layers.selection.active = active
        self.changed.emit()

    def _on_visible(self, _: Any) -> None:
        """Tell that an eye was clicked."""
        self.changed.emit()

    def _name(self, kind: Kind, grid: PixelGrid) -> str:
        """Return the name of a new layer: with the pixel size where there are more."""
        if len(self._places.grids) == 1:
            return kind.name
        return f"{kind.name} ({grid.step[0]:.4g} {self._places.unit})"

    def _provenance(self, kind: Kind, picture: Picture) -> dict[str, Any]:
        stacks = self._workspace.stacks or ()
        return {
            "kind": kind.name,
            "particles": [stack.name for stack in stacks],
            "inputs": {stack.name: list(stack.history) for stack in stacks},
            "version": __version__,
            **picture.about,
        }
