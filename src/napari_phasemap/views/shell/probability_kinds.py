"""Kinds of results that show what a map of probabilities says.

* `PROBABILITY`, `BY_PROBABILITY`: how probable the phase of each pixel is, in gray and
  as the brightness of its color.
* `CONTRADICTED`: unambiguous pixels of the correlation that have another phase.
* `probability_of`: the probability of one phase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.phases.abstention import contradicted
from napari_phasemap.core.phases.decisions import decisions_of
from napari_phasemap.figures.maps import DARKEST, phase_rgba
from napari_phasemap.pipeline.resolving import DISAGREEMENT_COLOR
from napari_phasemap.views.shell.kinds import Classes, Kind, Values, about_map

if TYPE_CHECKING:
    from napari_phasemap.views.shell.kinds import Picture
    from napari_phasemap.workspace import Workspace

__all__ = ["BY_PROBABILITY", "CONTRADICTED", "PROBABILITY", "probability_of"]


def _probability(workspace: Workspace) -> Picture | None:
    phases = workspace.posterior
    if phases is None:
        return None
    values = decisions_of(phases).probability
    return Values(values, about_map(phases), limits=(0.0, 1.0))


def _shaded(workspace: Workspace) -> Picture | None:
    phases = workspace.posterior
    if phases is None:
        return None
    rgba = phase_rgba(phases)
    share = np.nan_to_num(decisions_of(phases).probability)
    rgba[:, :3] *= (DARKEST + (1.0 - DARKEST) * share)[:, np.newaxis]
    return Values(rgba.astype(np.float32), about_map(phases))


def _contradicted(workspace: Workspace) -> Picture | None:
    phases, posterior = workspace.phase_map, workspace.posterior
    if phases is None or posterior is None or phases.names != posterior.names:
        return None  # one of the two has changed, the other follows or goes
    if phases.n_pixels != posterior.n_pixels:
        return None
    other = contradicted(phases, posterior, threshold=workspace.threshold)
    about = about_map(posterior, threshold=workspace.threshold)
    return Classes(other, (CONTRADICTED.name,), (DISAGREEMENT_COLOR,), about)


PROBABILITY = Kind("probability", _probability, ("posterior",))
BY_PROBABILITY = Kind("phase by probability", _shaded, ("posterior",))
CONTRADICTED = Kind(
    "contradicts Pearson", _contradicted, ("phase_map", "posterior", "threshold")
)


def probability_of(phase: str) -> Kind:
    """Return the kind that shows how probable one phase is; all share one layer."""

    def draw(workspace: Workspace) -> Picture | None:
        phases = workspace.posterior
        if phases is None or phases.scores is None or phase not in phases.names:
            return None
        scores = phases.scores[:, phases.names.index(phase)]
        return Values(np.exp(scores), about_map(phases), "viridis", (0.0, 1.0))

    return Kind(f"p({phase})", draw, ("posterior",), shares="p")
