"""Resolve ambiguous pixels in a latent space, and say how far to trust that.

* `resolve`: assign by one method, compare with the others.
* `Resolved`: what comes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.progress import OnProgress, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.latent.ranking import Scope
    from napari_phasemap.core.phases.changes import ChangeTable

__all__ = ["METHODS", "Method", "Resolved", "resolve"]

Method: TypeAlias = Literal["mahalanobis", "euclidean", "knn", "centroid"]

#: Methods as a user reads them.
METHODS: dict[str, str] = {
    "mahalanobis": "Mahalanobis distance to the phases' clusters",
    "knn": "nearest neighbors",
    "centroid": "nearest centroid",
    "euclidean": "Euclidean distance to the references",
}


@dataclass(frozen=True, eq=False)
class Resolved:
    """A resolved map with what a user must know to trust it.

    Parameters
    ----------
    phase_map : PhaseMap
        After the chosen method.
    table : ChangeTable
        From which phase to which.
    disagreement : bool ndarray of shape (n_pixels,)
        Unambiguous pixels in the latent cluster of another phase.
    agreement : mapping of str to float
        Share of the ambiguous pixels to which another method gives the same phase.
    n_ambiguous, n_changed : int
        Ambiguous pixels, and how many of them changed.
    """

    phase_map: PhaseMap
    table: ChangeTable
    disagreement: NDArray[np.bool_]
    agreement: Mapping[str, float]
    n_ambiguous: int
    n_changed: int

    def __str__(self) -> str:
        others = ", ".join(
            f"{name} {100 * share:.0f} %" for name, share in self.agreement.items()
        )
        changed = 100.0 * self.n_changed / max(self.n_ambiguous, 1)
        return (
            f"{self.n_ambiguous} pixels were ambiguous, {self.n_changed} of them "
            f"({changed:.1f} %) changed phase. Same phase by other methods: "
            f"{others or 'none could be run'}. {int(self.disagreement.sum())} "
            "unambiguous pixels lie in the cluster of another phase."
        )


def resolve(
    latent: NDArray[np.float32],
    markers: Mapping[str, NDArray[np.float32]],
    phases: PhaseMap,
    /,
    *,
    method: Method = "mahalanobis",
    threshold: float = DEFAULT_THRESHOLD,
    scope: Scope = "ambiguous",
    on_progress: OnProgress = ignore_progress,
) -> Resolved:
    """Assign in the latent space by all methods; keep one, compare the others.

    Parameters
    ----------
    latent : ndarray of shape (n_pixels, n_latent)
        In pixel order; a row with NaN is not scored.
    markers : mapping of str to ndarray of shape (n_latent,)
        Latent coordinates of the references, by phase. Where one is missing the
        Euclidean method is not among the others.
    phases : PhaseMap
        Tells which pixels are ambiguous.
    method : {"mahalanobis", "euclidean", "knn", "centroid"}, default="mahalanobis"
        The one to keep, see `core.assignment`.
    threshold : float, default=0.005
        Smallest unambiguous margin of `phases`.
    scope : {"ambiguous", "all"}, default="ambiguous"
        Which pixels get a new label.
    on_progress : callable, optional
        May raise `Cancelled`.

    Returns
    -------
    Resolved

    Raises
    ------
    ValueError
        If the method is unknown or needs coordinates of the references that are not
        known; as for `assign_mahalanobis`.
    """
    from napari_phasemap.core.latent.comparison import all_assignments
    from napari_phasemap.core.latent.latent import LatentSpace
    from napari_phasemap.core.phases.changes import change_table, disagreement

    if method not in METHODS:
        raise InputError(f"{method=} is not one of {tuple(METHODS)}")
    places = None
    if all(name in markers for name in phases.names):
        places = np.array([markers[name] for name in phases.names])
    maps = all_assignments(
        LatentSpace(latent, places),
        phases,
        threshold=threshold,
        scope=scope,
        on_progress=on_progress,
    )
    if method not in maps:
        raise InputError(
            f"{METHODS[method]} needs the references in the latent space; load the "
            "references and encode them"
        )
    chosen = maps[method]
    ambiguous = phases.ambiguous(threshold)
    return Resolved(
        phase_map=chosen,
        table=change_table(phases, chosen),
        disagreement=disagreement(phases, chosen, threshold=threshold),
        agreement={
            name: float((other.labels == chosen.labels)[ambiguous].mean())
            for name, other in maps.items()
            if name != method and ambiguous.any()
        },
        n_ambiguous=int(ambiguous.sum()),
        n_changed=int((chosen.labels != phases.labels)[ambiguous].sum()),
    )
