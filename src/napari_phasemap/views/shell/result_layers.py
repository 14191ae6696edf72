"""Results as layers: made on demand, updated in place, painted by hand.

* `ResultLayers`: phase, reliability, ambiguity, correlation and any other per-pixel
  values of all particles, each as one layer per particle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
import pandas as pd

from napari_phasemap import __version__
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.npe2 import METADATA_KEY
from napari_phasemap.views.shell.label_colors import changed_colors, label_colors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.views.shell.link import ViewerLink
    from napari_phasemap.workspace import Workspace

__all__ = ["AMBIGUOUS_COLOR", "ResultLayers"]

#: Ambiguous pixels are grey (paper, Fig. 4b).
AMBIGUOUS_COLOR = "#a0a0a0"


class ResultLayers:
    """Shows the workspace's results as layers of the viewer.

    A layer is known by particle and kind, never by its name: renaming it changes
    nothing, and deleting it means that this kind is not wanted for that particle.
    """

    def __init__(
        self, viewer: ViewerModel, workspace: Workspace, link: ViewerLink
    ) -> None:
        self._viewer = ref(viewer)
        self._workspace = workspace
        self._link = ref(link)
        self._layers: dict[tuple[str, str], Any] = {}
        events = workspace.events
        events.phase_map.connect(self.refresh)
        events.resolved.connect(self.refresh)
        events.threshold.connect(self._on_threshold)
        events.stacks.connect(self._on_stacks)

    # ---- What the docks call ----

    def kinds(self) -> set[str]:
        """Return the kinds of which at least one layer exists."""
        return {kind for name, kind in self._layers if self.layer(name, kind)}

    def layer(self, name: str, kind: str) -> Layer | None:
        """Return the layer of a particle, None where there is none (any more)."""
        viewer = self._viewer()
        layer = self._layers.get((name, kind), lambda: None)()
        if viewer is None or layer is None or layer not in viewer.layers:
            return None
        return layer

    def show(self, kind: str) -> None:
        """Make the layers of a kind: "phase", "reliability", "r(NAME)" and so on."""
        if self._workspace.stacks is not None:
            self._draw(kind, make=True)

    def hide(self, kind: str) -> None:
        """Remove the layers of a kind."""
        viewer = self._viewer()
        for name, other in list(self._layers):
            layer = self.layer(name, other)
            if other == kind:
                del self._layers[name, other]
                if viewer is not None and layer is not None:
                    viewer.layers.remove(layer)

    def show_values(
        self,
        kind: str,
        values: NDArray[Any],
        about: Mapping[str, Any],
        *,
        make: bool = True,
        **style: Any,
    ) -> None:
        """Show per-pixel values as one image layer per particle.

        Parameters
        ----------
        kind : str
            Stands behind the particle's name in the layer's name.
        values : ndarray of shape (n_pixels,) or (n_pixels, 4)
            Float values, or colors with alpha between 0 and 1.
        about : mapping
            Step and parameters that made the values: the layer's provenance.
        make : bool, default=True
            Whether particles without such a layer get one.
        **style
            Further attributes of a new image layer.
        """
        stacks = self._stacks()
        for index, stack in self._wanted(kind, make):
            fill = 0.0 if values.ndim == 2 else np.nan
            image = stacks.to_image(values.astype(np.float32), index, fill)
            self._put_image(stack, kind, image, about, style)

    def show_labels(
        self,
        kind: str,
        labels: NDArray[Any],
        names: Sequence[str],
        colors: Sequence[str],
        about: Mapping[str, Any],
        *,
        make: bool = True,
        visible: bool = True,
    ) -> None:
        """Show per-pixel classes (1..n, 0 transparent) as labels layers."""
        stacks = self._stacks()
        for index, stack in self._wanted(kind, make):
            image = stacks.to_image(labels.astype(np.uint8), index, 0)
            self._put_labels(stack, kind, image, names, colors, about, visible)

    # ---- Following the workspace ----

    def refresh(self, *_: Any) -> None:
        """Bring every layer that exists up to date."""
        if self._workspace.stacks is None or self._workspace.phase_map is None:
            return
        for kind in self.kinds():
            self._draw(kind, make=False)

    def _on_threshold(self, _: float) -> None:
        if "ambiguity" in self.kinds():
            self._draw("ambiguity", make=False)

    def move(self) -> None:
        """Put every layer where its particle's image lies."""
        link, stacks = self._link(), self._workspace.stacks
        if link is None or stacks is None:
            return
        for stack in stacks:
            grid = link.grid(stack)
            for name, kind in list(self._layers):
                layer = self.layer(name, kind) if name == stack.name else None
                if layer is not None:
                    layer.scale, layer.units = grid["scale"], grid["units"]
                    layer.translate = grid["translate"]

    def _on_stacks(self, stacks: StackSet | None) -> None:
        """Remove what was computed from other pixels."""
        viewer = self._viewer()
        for name, kind in list(self._layers):
            layer = self.layer(name, kind)
            if viewer is not None and layer is not None:
                viewer.layers.remove(layer)
        self._layers.clear()

    def _draw(self, kind: str, *, make: bool) -> None:
        workspace = self._workspace
        phases = workspace.resolved if kind == "resolved phase" else workspace.phase_map
        if phases is None:
            return
        parameters = dict(phases.parameters)
        about = {"step": phases.method, "parameters": parameters}
        if kind in ("phase", "resolved phase"):
            self.show_labels(
                kind, phases.labels, phases.names, phases.colors, about, make=make
            )
        elif kind == "ambiguity":
            parameters["threshold"] = workspace.threshold
            mask = phases.ambiguous(workspace.threshold)
            names, colors = ("ambiguous",), (AMBIGUOUS_COLOR,)
            self.show_labels(kind, mask, names, colors, about, make=make)
        elif kind == "reliability":
            values = _finite_reliability(phases)
            limits = (0.0, float(np.nanmax(values, initial=1.0)))
            self.show_values(
                kind, values, about, make=make, colormap="gray", contrast_limits=limits
            )
        elif kind == "phase by reliability":
            self.show_values(kind, _shaded(phases), about, make=make)
        elif kind.startswith("r(") and phases.scores is not None:
            name = kind[2:-1]
            if name in phases.names:
                r = phases.scores[:, phases.names.index(name)]
                self.show_values(
                    kind,
                    r,
                    about,
                    make=make,
                    colormap="viridis",
                    contrast_limits=(-1.0, 1.0),
                )

    # ---- Layers ----

    def _stacks(self) -> StackSet:
        if self._workspace.stacks is None:
            raise InputError("there are no stacks to show results of")
        return self._workspace.stacks

    def _wanted(self, kind: str, make: bool) -> list[tuple[int, SpectralStack]]:
        """Return number and stack of the particles to draw."""
        return [
            (index, stack)
            for index, stack in enumerate(self._stacks())
            if make or self.layer(stack.name, kind) is not None
        ]

    def _attributes(
        self, stack: SpectralStack, kind: str, about: Mapping[str, Any]
    ) -> dict[str, Any]:
        link = self._link()
        grid = {} if link is None else link.grid(stack)
        provenance = {
            "kind": kind,
            "particle": stack.name,
            "inputs": list(stack.history),
            "version": __version__,
            **about,
        }
        return {
            "name": f"{stack.name} {kind}",
            "metadata": {METADATA_KEY: provenance},
            **grid,
        }

    def _put_image(
        self,
        stack: SpectralStack,
        kind: str,
        image: NDArray[np.float32],
        about: Mapping[str, Any],
        style: Mapping[str, Any],
    ) -> None:
        viewer, layer = self._viewer(), self.layer(stack.name, kind)
        if layer is not None:
            layer.data = image
            layer.metadata = self._attributes(stack, kind, about)["metadata"]
        elif viewer is not None:
            attributes = self._attributes(stack, kind, about)
            rgb = image.ndim == 3
            layer = viewer.add_image(image, rgb=rgb, **attributes, **style)
            self._layers[stack.name, kind] = ref(layer)

    def _put_labels(
        self,
        stack: SpectralStack,
        kind: str,
        image: NDArray[np.uint8],
        names: Sequence[str],
        colors: Sequence[str],
        about: Mapping[str, Any],
        visible: bool,
    ) -> None:
        viewer, layer = self._viewer(), self.layer(stack.name, kind)
        features = _features(image, names)
        if layer is not None:
            if not np.array_equal(layer.data, image):
                layer.data[:] = image
                layer.refresh()
            if layer.metadata[METADATA_KEY].get("colors") != tuple(colors):
                layer.colormap = label_colors(colors)
            layer.features = features
        elif viewer is not None:
            attributes = self._attributes(stack, kind, about)
            layer = viewer.add_labels(
                image,
                colormap=label_colors(colors),
                features=features,
                opacity=0.85,
                visible=visible,
                **attributes,
            )
            self._layers[stack.name, kind] = ref(layer)
            if kind in ("phase", "resolved phase"):
                layer.events.labels_update.connect(self._on_painted)
                layer.events.set_data.connect(self._on_painted)
                layer.events.colormap.connect(self._on_colors)
        else:
            return
        about = {**layer.metadata[METADATA_KEY], **about, "colors": tuple(colors)}
        layer.metadata = {METADATA_KEY: about}

    def _on_painted(self, event: Any) -> None:
        """Take labels that were painted by hand into the phase map.

        napari emits `paint` before the array is written and only `set_data` on undo,
        so both events are compared with what the workspace holds.
        """
        stacks = self._workspace.stacks
        for kind, field in (("phase", "phase_map"), ("resolved phase", "resolved")):
            phases: PhaseMap | None = getattr(self._workspace, field)
            if stacks is None or phases is None:
                continue
            labels = phases.labels.copy()
            for part, stack in zip(stacks.split(labels), stacks, strict=True):
                layer = self.layer(stack.name, kind)
                if layer is not None:
                    part[:] = np.where(
                        layer.data[stack.mask] <= phases.n_phases,
                        layer.data[stack.mask],
                        part,
                    )
            if not np.array_equal(labels, phases.labels):
                painted = phases.with_labels(labels)
                self._workspace.apply("paint phases", **{field: painted})

    def _on_colors(self, event: Any) -> None:
        """Take other colors of a layer (napari can shuffle them) into the phase map."""
        for kind, field in (("phase", "phase_map"), ("resolved phase", "resolved")):
            phases: PhaseMap | None = getattr(self._workspace, field)
            about = event.source.metadata.get(METADATA_KEY, {})
            if phases is None or about.get("kind") != kind:
                continue
            colors = changed_colors(event.source, phases.colors)
            if colors:
                recolored = phases.with_colors(colors)
                self._workspace.apply("colors of phases", **{field: recolored})


def _features(image: NDArray[np.uint8], names: Sequence[str]) -> pd.DataFrame:
    """Return one row per label: number, phase, pixels and per cent."""
    counts = np.bincount(image.reshape(-1), minlength=len(names) + 1)[: len(names) + 1]
    total = max(int(counts[1:].sum()), 1)
    return pd.DataFrame(
        {
            "index": np.arange(len(names) + 1),
            "phase": ["(not assigned)", *names],
            "pixels": counts,
            "per cent": np.r_[np.nan, np.round(100 * counts[1:] / total, 2)],
        }
    )


def _finite_reliability(phases: PhaseMap) -> NDArray[np.float32]:
    """Return R with NaN where it is infinite: nothing to compare with."""
    values = phases.reliability
    return np.where(np.isfinite(values), values, np.float32(np.nan))


def _shaded(phases: PhaseMap) -> NDArray[np.float32]:
    """Return RGBA per pixel: the phase color as bright as the pixel is reliable."""
    from napari_phasemap.figures.maps import phase_rgba, reliability_brightness

    rgba = phase_rgba(phases)
    rgba[:, :3] *= reliability_brightness(phases)[:, np.newaxis]
    return rgba.astype(np.float32)
