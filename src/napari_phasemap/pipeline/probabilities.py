"""The map of probabilities, for docks and the command line alike.

* `probable_phases`: probabilities in which what fits no reference has no phase.
* `both_maps`: the correlation and the probabilities; `BothMaps`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.phases.decisions import without_unknown
from napari_phasemap.core.phases.posterior import posterior_map

if TYPE_CHECKING:
    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet

__all__ = ["BothMaps", "both_maps", "probable_phases"]


@dataclass(frozen=True, eq=False)
class BothMaps:
    """What correlation and probabilities say of the same pixels."""

    phase_map: PhaseMap
    posterior: PhaseMap


def probable_phases(
    stacks: StackSet,
    references: ReferenceSpectra,
    /,
    *,
    neighbors: bool = True,
    mixtures: bool = True,
    offset: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    """Return the probabilities; pixels that fit no reference have no phase.

    Parameters
    ----------
    stacks, references, neighbors, mixtures, offset, on_progress
        As for `posterior_map`.

    Returns
    -------
    PhaseMap
        That most spectra of a particle fit nothing is said by `strangers`, not warned
        of.

    Raises
    ------
    ValueError
        As for `posterior_map`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = posterior_map(
            stacks,
            references,
            neighbors=neighbors,
            mixtures=mixtures,
            offset=offset,
            on_progress=on_progress,
        )
    return without_unknown(found)


def both_maps(
    stacks: StackSet,
    references: ReferenceSpectra,
    phase_map: PhaseMap | None = None,
    /,
    *,
    neighbors: bool = True,
    mixtures: bool = True,
    offset: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> BothMaps:
    """Return correlation and probabilities.

    Parameters
    ----------
    stacks, references, neighbors, mixtures, offset, on_progress
        As for `posterior_map`.
    phase_map : PhaseMap, optional
        The correlation where it is known; default it is computed.

    Returns
    -------
    BothMaps

    Raises
    ------
    ValueError
        As for `pearson_map` and `posterior_map`.
    """
    if phase_map is None:
        phase_map = pearson_map(stacks, references, on_progress=on_progress)
    posterior = probable_phases(
        stacks,
        references,
        neighbors=neighbors,
        mixtures=mixtures,
        offset=offset,
        on_progress=on_progress,
    )
    return BothMaps(phase_map, posterior)
