"""Two maps of the same pixels, taken into the workspace by whichever dock made them.

* `ready_to_compare`: stacks and references, or what is missing.
* `colored_as`: a map in the colors of an older one.
* `take_maps`: correlation and probabilities as they come from a job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.workspace.steps import put_probabilities

if TYPE_CHECKING:
    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.pipeline.probabilities import BothMaps
    from napari_phasemap.workspace import Workspace

__all__ = ["colored_as", "ready_to_compare", "take_maps"]


def ready_to_compare(
    workspace: Workspace, purpose: str = "correlate", /
) -> tuple[StackSet, ReferenceSpectra]:
    """Return stacks and references.

    Raises
    ------
    InputError
        If one of them is missing; says what to do.
    """
    if workspace.stacks is None:
        raise InputError(
            f"there is no optical density to {purpose}; open stacks and convert "
            "them in Plugins > Phase map > Data"
        )
    if workspace.references is None:
        raise InputError("there are no reference spectra; press 'Open references…'")
    return workspace.stacks, workspace.references


def take_maps(workspace: Workspace, stacks: StackSet, maps: BothMaps, /) -> None:
    """Let the probabilities tell the phases.

    Parameters
    ----------
    workspace : Workspace
        Gets both maps, in the colors it has for these phases.
    stacks : StackSet
        Whose pixels the maps are of.
    maps : BothMaps
        From `both_maps`.

    Raises
    ------
    InputError
        If other stacks are analyzed by now.
    """
    if workspace.stacks is not stacks:
        raise InputError(
            "the stacks changed while the probabilities were computed; compute again"
        )
    old = workspace.phase_map
    put_probabilities(
        workspace,
        colored_as(maps.phase_map, old),
        colored_as(maps.posterior, workspace.posterior or old),
    )


def colored_as(phases: PhaseMap, other: PhaseMap | None, /) -> PhaseMap:
    """Return a map in the colors of another one of the same phases."""
    if other is None or phases is other or other.names != phases.names:
        return phases
    return phases.with_colors(other.colors)
