"""Two maps of the same pixels, taken into the workspace by whichever dock made them.

* `ready_to_compare`: stacks and references, or what is missing.
* `known_correlation`: the correlation that need not be made again.
* `colored_as`: a map in the colors of an older one.
* `take_map`, `take_maps`: correlation, and probabilities, as they come from a job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.workspace.steps import put_map, put_probabilities

if TYPE_CHECKING:
    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.pipeline.probabilities import BothMaps
    from napari_phasemap.workspace import Workspace

__all__ = [
    "colored_as",
    "known_correlation",
    "ready_to_compare",
    "take_map",
    "take_maps",
]


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


def known_correlation(
    workspace: Workspace, references: ReferenceSpectra, /
) -> PhaseMap | None:
    """Return the correlation with these references, None where there is none yet."""
    phases = workspace.phase_map
    if phases is None or phases.method != "pearson":
        return None
    return phases if workspace.made.references is references else None


def take_map(
    workspace: Workspace,
    stacks: StackSet,
    references: ReferenceSpectra,
    phases: PhaseMap,
    /,
) -> None:
    """Let the correlation tell the phases.

    Parameters
    ----------
    workspace : Workspace
        Gets the map, in the colors it has for these phases.
    stacks : StackSet
        Whose pixels the map is of.
    references : ReferenceSpectra
        What it was made from.
    phases : PhaseMap
        From `pearson_map`.

    Raises
    ------
    InputError
        If other stacks are analyzed by now.
    """
    _refuse_others(workspace, stacks, "correlating")
    put_map(workspace, references, colored_as(phases, workspace.phase_map))


def take_maps(
    workspace: Workspace,
    stacks: StackSet,
    references: ReferenceSpectra,
    maps: BothMaps,
    /,
) -> None:
    """Let the probabilities tell the phases.

    Parameters
    ----------
    workspace : Workspace
        Gets both maps, in the colors it has for these phases.
    stacks : StackSet
        Whose pixels the maps are of.
    references : ReferenceSpectra
        What they were made from.
    maps : BothMaps
        From `both_maps`.

    Raises
    ------
    InputError
        If other stacks are analyzed by now.
    """
    _refuse_others(workspace, stacks, "computing probabilities")
    old = workspace.phase_map
    put_probabilities(
        workspace,
        references,
        colored_as(maps.phase_map, old),
        colored_as(maps.posterior, workspace.posterior or old),
    )


def _refuse_others(workspace: Workspace, stacks: StackSet, what: str) -> None:
    if workspace.stacks is not stacks:
        raise InputError(f"the stacks changed while {what}; do it again")


def colored_as(phases: PhaseMap, other: PhaseMap | None, /) -> PhaseMap:
    """Return a map in the colors of another one of the same phases."""
    if other is None or phases is other or other.names != phases.names:
        return phases
    return phases.with_colors(other.colors)
