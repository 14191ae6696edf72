"""The way from files to figures: what is done, what is next, what has to be done again.

* `path_of`, `eels_path_of`: the steps of a workspace and how they stand.
* `Station`: one step; `Standing`: how it stands.
* `saveable`: what figures show.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_phasemap.workspace.state import Workspace

__all__ = ["Standing", "Station", "eels_path_of", "path_of", "saveable"]


class Standing(StrEnum):
    """How a step stands.

    ========  ==========================================================
    DONE      there is a result
    STALE     the result says what was, or is gone with what it was made from
    NEXT      the first step without a result that nothing later passed by
    LATER     another comes first
    ========  ==========================================================
    """

    DONE = "done"
    STALE = "stale"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True)
class Station:
    """One step of the way.

    Parameters
    ----------
    name : str
        One word.
    standing : Standing
        How it stands.
    text : str
        What there is, or what to do: one sentence.
    """

    name: str
    standing: Standing
    text: str


@dataclass(frozen=True)
class _Look:
    """What is seen of one step before its place on the way is known."""

    name: str
    done: bool
    there: str
    todo: str
    stale: str = ""


def path_of(workspace: Workspace, /) -> tuple[Station, ...]:
    """Return the steps from X-ray stacks to figures.

    Parameters
    ----------
    workspace : Workspace
        Only read.

    Returns
    -------
    tuple of Station
        Open, Convert, Pixels, References, Correlate, Resolve, Figure. Pixels and
        Resolve may be left out: they are next no more once something later is done.

    Examples
    --------
    >>> from napari_phasemap.workspace import Workspace
    >>> [station.name for station in path_of(Workspace()) if station.standing == "next"]
    ['Open']
    """
    stacks, references = workspace.stacks, workspace.references
    n_masked = 0 if stacks is None else sum(int((~s.mask).sum()) for s in stacks)
    looks = [
        _open(workspace),
        _Look(
            "Convert",
            stacks is not None,
            "Optical density is there.",
            "Convert counts to optical density.",
        ),
        _Look(
            "Pixels",
            n_masked > 0,
            f"{0 if stacks is None else stacks.n_pixels} pixels are analyzed.",
            "Choose the pixels to analyze: leave out the background.",
        ),
        _Look(
            "References",
            references is not None,
            f"{0 if references is None else len(references)} reference spectra.",
            "Open the spectra of the phases that you expect.",
        ),
        _correlate(workspace),
        _resolve(workspace),
        _figure(workspace, nothing=workspace.phase_map is None),
    ]
    return _placed(looks)


def eels_path_of(workspace: Workspace, /) -> tuple[Station, ...]:
    """Return the steps from a spectrum image to the figures of its edges.

    Parameters
    ----------
    workspace : Workspace
        Only read.

    Returns
    -------
    tuple of Station
        Open, Pixels, Edges, Classes, Figure. Classes may be left out: it is done when
        classes were edited, or compared with references.
    """
    stacks, edges, computed = workspace.stacks, workspace.edges, workspace.computed
    edited = any(
        name in computed and one.classes is not computed[name].classes
        for name, one in edges.items()
    )
    looks = [
        _open(workspace),
        _Look(
            "Pixels",
            stacks is not None,
            f"{0 if stacks is None else stacks.n_pixels} pixels are analyzed.",
            "Choose the spectrum image and its pixels.",
        ),
        _Look(
            "Edges",
            bool(edges),
            f"Analyzed: {', '.join(edges)}.",
            "Add the edges that you see, and run them.",
        ),
        _Look(
            "Classes",
            bool(edges) and (edited or bool(workspace.class_names)),
            "Classes are named or edited.",
            "Look at the classes; merge, split or name them.",
        ),
        _figure(workspace, nothing=not edges),
    ]
    return _placed(looks)


def _open(workspace: Workspace) -> _Look:
    n_open = len(workspace.sources)
    return _Look(
        "Open",
        bool(n_open) or workspace.stacks is not None,
        f"{n_open} stack{'s' if n_open != 1 else ''} open.",
        "Open files, or drop them on the window.",
    )


def _correlate(workspace: Workspace) -> _Look:
    """Return what is known of the phase map, and whether it still holds."""
    phases, used = workspace.phase_map, workspace.made.references
    stale = ""
    if used is None or workspace.stacks is None or workspace.references is None:
        pass  # nothing can have changed, or something else comes first
    elif phases is None:
        stale = "The pixels have changed after the phase map was made."
    elif used is not workspace.references:
        stale = "The references have changed after the phase map was made."
    return _Look(
        "Correlate",
        phases is not None,
        f"A phase map of {0 if phases is None else phases.n_phases} phases.",
        "Correlate every pixel with the references.",
        stale,
    )


def _resolve(workspace: Workspace) -> _Look:
    """Return what is known of the resolved map, and whether it still holds."""
    used, now = workspace.made.threshold, workspace.threshold
    stale = ""
    if workspace.resolved is not None and used is not None and used != now:
        stale = f"Resolved at the threshold {used:g}; it is {now:g} now."
    todo = "Decide ambiguous pixels in a latent space."
    return _Look(
        "Resolve",
        workspace.resolved is not None,
        "Ambiguous pixels are resolved.",
        todo,
        stale,
    )


def _figure(workspace: Workspace, *, nothing: bool) -> _Look:
    saved = workspace.made.saved
    changed = bool(saved) and not _same(saved, saveable(workspace))
    return _Look(
        "Figure",
        bool(saved) and not nothing,
        "Figures and results are saved.",
        "Save figures and results.",
        "Results have changed after they were saved." if changed else "",
    )


def saveable(workspace: Workspace, /) -> tuple[Any, ...]:
    """Return what figures show, for `Made.saved`.

    Parameters
    ----------
    workspace : Workspace
        Only read.

    Returns
    -------
    tuple of object
        Compared by identity, numbers by value.
    """
    return (
        workspace.phase_map,
        workspace.resolved,
        workspace.posterior,
        workspace.edges,
        workspace.threshold,
    )


def _same(old: Sequence[Any], new: Sequence[Any]) -> bool:
    return all(
        one is other or (isinstance(one, float) and one == other)
        for one, other in zip(old, new, strict=True)
    )


def _placed(looks: Sequence[_Look]) -> tuple[Station, ...]:
    """Say which step is next: the first that is not done and that nothing passed by."""
    done = [number for number, look in enumerate(looks) if look.done]
    optional = {"Pixels", "Resolve", "Classes"}
    last = done[-1] if done else -1
    following = next(
        (
            number
            for number, look in enumerate(looks)
            if not (look.done or look.stale)
            and not (look.name in optional and number < last)
        ),
        None,
    )
    return tuple(
        Station(look.name, *_standing(look, is_next=number == following))
        for number, look in enumerate(looks)
    )


def _standing(look: _Look, *, is_next: bool) -> tuple[Standing, str]:
    if look.stale:
        return Standing.STALE, look.stale
    if look.done:
        return Standing.DONE, look.there
    return (Standing.NEXT if is_next else Standing.LATER), look.todo
