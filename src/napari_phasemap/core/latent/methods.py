"""The ways to give a pixel its phase: one table that everything reads.

The docks' list, the command line's choices, `compare` and `resolve` come from it: a
further method is one function and one row.

* `ASSIGNMENTS`: the table, by name.
* `Assignment`: one row. `Evidence`: what a method may look at.
* `assign`: by one method. `all_assignments`: by all that the evidence allows.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.latent.assignment import (
    assign_centroid,
    assign_euclidean,
    assign_knn,
    assign_mahalanobis,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.latent.ranking import Candidates, Scope

__all__ = [
    "ASSIGNMENTS",
    "DEFAULT_METHOD",
    "Assignment",
    "Evidence",
    "all_assignments",
    "assign",
    "method_names",
]

Need: TypeAlias = Literal[
    "phases", "latent", "reference_latent", "stacks", "references"
]

#: What a user does where something is missing that a method needs.
WANTED: dict[str, str] = {
    "phases": "a phase map; correlate with references",
    "latent": "a latent space; train a model or apply one",
    "reference_latent": "the references in the latent space; load the references and "
    "encode them",
    "stacks": "the spectra of the pixels; open the stacks",
    "references": "reference spectra; open them",
}


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the pixels; None where it is not.

    Parameters
    ----------
    phases : PhaseMap
        Tells which pixels are ambiguous.
    latent : ndarray of shape (n_pixels, n_latent), optional
        Coordinates of any origin, without a unit; a row with NaN is not scored.
    reference_latent : ndarray of shape (n_phases, n_latent), optional
        Where the references lie, in the order of the names of `phases`. In latent
        units.
    stacks : StackSet, optional
        The stacks of the pixels.
    references : ReferenceSpectra, optional
        The spectra of the phases.
    """

    phases: PhaseMap
    latent: NDArray[Any] | None = None
    reference_latent: NDArray[Any] | None = None
    stacks: StackSet | None = None
    references: ReferenceSpectra | None = None


@dataclass(frozen=True)
class Assignment:
    """One way to give pixels their phase.

    Parameters
    ----------
    function : callable
        Takes what it needs by position and, as far as its signature names them,
        `threshold`, `scope`, `candidates` and `on_progress` by keyword; returns a
        `PhaseMap` of all pixels. The first line of its docstring is what a user reads
        of it.
    text : str
        Its name as a user reads it.
    needs : tuple of str
        Fields of `Evidence`, in the order of the function's parameters.
    """

    function: Callable[..., PhaseMap]
    text: str
    needs: tuple[Need, ...]

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (inspect.getdoc(self.function) or self.text).splitlines()[0]

    def lacks(self, evidence: Evidence, /) -> str:
        """Return what a user must still do for this method, "" if nothing.

        Parameters
        ----------
        evidence : Evidence
            What there is.

        Returns
        -------
        str
            A sentence.
        """
        missing = [name for name in self.needs if getattr(evidence, name) is None]
        return WANTED[missing[0]] if missing else ""


#: The first is the paper's. Scores of all are log-densities.
ASSIGNMENTS: dict[str, Assignment] = {
    "mahalanobis": Assignment(
        assign_mahalanobis,
        "Mahalanobis distance to the phases' clusters",
        ("latent", "phases"),
    ),
    "knn": Assignment(assign_knn, "nearest neighbors", ("latent", "phases")),
    "centroid": Assignment(assign_centroid, "nearest centroid", ("latent", "phases")),
    "euclidean": Assignment(
        assign_euclidean,
        "Euclidean distance to the references",
        ("latent", "phases", "reference_latent"),
    ),
}
DEFAULT_METHOD = next(iter(ASSIGNMENTS))


def method_names() -> tuple[str, ...]:
    """Return the names of the methods, in the order of the table."""
    return tuple(ASSIGNMENTS)


def assign(
    method: str,
    evidence: Evidence,
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    scope: Scope = "ambiguous",
    candidates: Candidates = "all",
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    """Give pixels their phase by one method of the table.

    Parameters
    ----------
    method : str
        A name of `ASSIGNMENTS`.
    evidence : Evidence
        What is known of the pixels.
    threshold, scope, candidates, on_progress
        As for `assign_mahalanobis`.

    Returns
    -------
    PhaseMap
        As for `assign_mahalanobis`.

    Raises
    ------
    ValueError
        If the method is unknown, or needs what is not known; as for the method.
    """
    if method not in ASSIGNMENTS:
        raise InputError(f"{method=} is not one of {method_names()}")
    row = ASSIGNMENTS[method]
    lacking = row.lacks(evidence)
    if lacking:
        raise InputError(f"{row.text} needs {lacking}")
    options = {
        "threshold": threshold,
        "scope": scope,
        "candidates": candidates,
        "on_progress": on_progress,
    }
    known = inspect.signature(row.function).parameters
    given = [getattr(evidence, name) for name in row.needs]
    return row.function(
        *given, **{name: value for name, value in options.items() if name in known}
    )


def all_assignments(
    evidence: Evidence,
    /,
    *,
    methods: Iterable[str] | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    scope: Scope = "ambiguous",
    candidates: Candidates = "all",
    on_progress: OnProgress = ignore_progress,
) -> dict[str, PhaseMap]:
    """Give pixels their phase by every method that the evidence allows.

    Parameters
    ----------
    evidence : Evidence
        What is known of the pixels.
    methods : iterable of str, optional
        Names of `ASSIGNMENTS`; default all.
    threshold, scope, candidates, on_progress
        As for `assign_mahalanobis`.

    Returns
    -------
    dict of str to PhaseMap
        By the name of the method; those that lack something are left out.
    """
    return {
        name: assign(
            name,
            evidence,
            threshold=threshold,
            scope=scope,
            candidates=candidates,
            on_progress=on_progress,
        )
        for name in (ASSIGNMENTS if methods is None else methods)
        if not ASSIGNMENTS[name].lacks(evidence)
    }
