"""What napari's status bar says of the pixel under the mouse.

* `pixel_text`: particle, row, column, phase, r and R or its probability in words.
* `tell_pixels`: let the status bar say it while a layer is active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_phasemap.core.phases.decisions import decisions_of

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.views.shell.layout import ParticleLayout
    from napari_phasemap.workspace import Workspace

__all__ = ["pixel_text", "tell_pixels"]


def pixel_text(workspace: Workspace, places: ParticleLayout, position: Any) -> str:
    """Return what is known of the pixel at a world position, "" beside particles."""
    found = places.layout.at(position[-2], position[-1])
    if found is None:
        return ""
    name, row, col = found
    text = f"{name}  row {row}, column {col}"
    pixel = places.pixel_at(position)
    phases = workspace.phase_map
    if workspace.shown_map == "posterior":
        phases = workspace.posterior
    if pixel is None or phases is None or pixel >= phases.n_pixels:
        return text
    if phases is workspace.posterior:
        return f"{text}  {_told(phases, workspace.level, pixel)}"
    text += f"  {_phase(phases, pixel)}"
    resolved = workspace.resolved
    if resolved is not None and resolved.n_pixels == phases.n_pixels:
        name = _name(resolved, pixel)
        text += f"  resolved {name}" if name != _name(phases, pixel) else ""
    return text


def _phase(phases: PhaseMap, pixel: int) -> str:
    text = _name(phases, pixel)
    score, reliability = float(phases.best[pixel]), float(phases.reliability[pixel])
    if np.isfinite(score):
        text += f"  {'r' if phases.method == 'pearson' else 'score'} = {score:.4f}"
    if np.isfinite(reliability):
        text += f"  R = {reliability:.2f}"
    return text


def _told(phases: PhaseMap, level: float, pixel: int) -> str:
    """Return phase and probability, and the next phase where it is undecided."""
    told = decisions_of(phases)
    if told.unknown[pixel]:
        return "unknown: fits no reference"
    chance = float(told.probability[pixel])
    if not np.isfinite(chance):
        return _name(phases, pixel)
    text = f"{_name(phases, pixel)}  p = {chance:.3f}"
    second = int(phases.runner_up[pixel])
    if chance < level and second and phases.scores is not None:
        other = float(np.exp(phases.scores[pixel, second - 1]))
        text += f", undecided: {phases.names[second - 1]}  p = {other:.3f}"
    return text


def _name(phases: PhaseMap, pixel: int) -> str:
    label = int(phases.labels[pixel])
    return phases.names[label - 1] if label else "not assigned"


def tell_pixels(layer: Layer, workspace: Workspace, places: ParticleLayout) -> None:
    """Let the status bar tell the pixel under the mouse while `layer` is active.

    napari asks from a thread of its own, so this only reads. Beside the particles and
    in 3-D napari's own text stays.
    """
    own, space_of, where_of = ref(layer), ref(workspace), ref(places)

    def get_status(
        position: Any = None, *, world: bool = False, **options: Any
    ) -> dict[str, str]:
        layer, space, where = own(), space_of(), where_of()
        if layer is None:
            return {}
        ask = type(layer).get_status
        status: dict[str, str] = ask(layer, position, world=world, **options)
        if world and position is not None and space is not None and where is not None:
            text = pixel_text(space, where, position)
            if text:
                status["coordinates"] = f" {text}"
                status["value"] = ""
        return status

    layer.get_status = get_status
