"""Resolve ambiguous pixels in a latent space, and say how far to trust that.

* `resolve`: assign by one method, compare with the others.
* `evidence_of`: what a method may look at.
* `Resolved`: what comes of it; `expectation`: what may come of it, before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data import palettes
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.phases.decisions import mean_chance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.latent.methods import Evidence
    from napari_phasemap.core.latent.ranking import Scope
    from napari_phasemap.core.phases.changes import ChangeTable

__all__ = [
    "DISAGREEMENT",
    "DISAGREEMENT_COLOR",
    "Resolved",
    "evidence_of",
    "expectation",
    "resolve",
]

#: Name and color of the pixels in the latent cluster of another phase.
DISAGREEMENT, DISAGREEMENT_COLOR = "disagreement", palettes.DISAGREEMENT


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

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers as plain values, as a recipe holds them."""
        return {
            "n_ambiguous": self.n_ambiguous,
            "n_changed": self.n_changed,
            "n_disagreeing": int(self.disagreement.sum()),
            "agreement": dict(self.agreement),
        }

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


def evidence_of(
    phases: PhaseMap,
    /,
    *,
    latent: NDArray[np.float32] | None = None,
    markers: Mapping[str, NDArray[np.float32]] | None = None,
    stacks: StackSet | None = None,
    references: ReferenceSpectra | None = None,
) -> Evidence:
    """Put together what is known of some pixels.

    Parameters
    ----------
    phases : PhaseMap
        Tells which pixels are ambiguous.
    latent : ndarray of shape (n_pixels, n_latent), optional
        In pixel order, without a unit; a row with NaN is not scored.
    markers : mapping of str to ndarray of shape (n_latent,), optional
        Latent coordinates of the references, by phase. Where one is missing they count
        as not known.
    stacks, references : optional
        As for `Evidence`.

    Returns
    -------
    Evidence
    """
    from napari_phasemap.core.latent.methods import Evidence

    known = markers or {}
    places = None
    if latent is not None and all(name in known for name in phases.names):
        places = np.array([known[name] for name in phases.names])
    return Evidence(phases, latent, places, stacks, references)


def expectation(
    phases: PhaseMap, posterior: PhaseMap | None, /, *, threshold: float
) -> str:
    """Say what to expect before ambiguous pixels are resolved in a latent space.

    Parameters
    ----------
    phases : PhaseMap
        By correlation.
    posterior : PhaseMap, optional
        Probabilities of the same pixels, where they are known.
    threshold : float
        Smallest unambiguous margin of `phases`.

    Returns
    -------
    str
    """
    ambiguous = phases.ambiguous(threshold)
    n = int(ambiguous.sum())
    if not n:
        return "No pixel is ambiguous: there is nothing to resolve."
    start = f"{n} pixels ({100 * ambiguous.mean():.1f} %) are ambiguous."
    if posterior is None or posterior.names != phases.names:
        return (
            f"{start} On simulated particles whose truth is known, a latent space "
            "decided them no better than Pearson's best guess; probabilities from "
            "noise and neighbors did."
        )
    guessed = mean_chance(posterior, phases.labels, ambiguous)
    told = mean_chance(posterior, posterior.labels, ambiguous)
    return (
        f"{start} By their probabilities Pearson's best guess is right in "
        f"{100 * guessed:.0f} % of them, the most probable phase in {100 * told:.0f} %."
        " A latent space usually does no better than Pearson's guess."
    )


def resolve(
    evidence: Evidence,
    /,
    *,
    method: str = "mahalanobis",
    threshold: float = DEFAULT_THRESHOLD,
    scope: Scope = "ambiguous",
    on_progress: OnProgress = ignore_progress,
) -> Resolved:
    """Assign by every method that the evidence allows; keep one, compare the others.

    Parameters
    ----------
    evidence : Evidence
        What is known of the pixels, see `evidence_of`.
    method : str, default="mahalanobis"
        The one to keep, a name of `core.latent.methods.ASSIGNMENTS`.
    threshold : float, default=0.005
        Smallest unambiguous margin of the phase map.
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
        If the method is unknown or needs what is not known; as for the method.
    """
    from napari_phasemap.core.latent.methods import (
        all_assignments,
        assign,
        method_names,
    )
    from napari_phasemap.core.phases.changes import change_table, disagreement

    options: dict[str, Any] = {
        "threshold": threshold,
        "scope": scope,
        "on_progress": on_progress,
    }
    phases = evidence.phases
    chosen = assign(method, evidence, **options)
    others = [name for name in method_names() if name != method]
    maps = all_assignments(evidence, methods=others, **options)
    ambiguous = phases.ambiguous(threshold)
    return Resolved(
        phase_map=chosen,
        table=change_table(phases, chosen),
        disagreement=disagreement(phases, chosen, threshold=threshold),
        agreement={
            name: float((other.labels == chosen.labels)[ambiguous].mean())
            for name, other in maps.items()
            if ambiguous.any()
        },
        n_ambiguous=int(ambiguous.sum()),
        n_changed=int((chosen.labels != phases.labels)[ambiguous].sum()),
    )
