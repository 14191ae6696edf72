"""Kinds of results that layers show: what is drawn, and what painting changes.

* `Kind`: how a result is drawn from the workspace, and what a painted one edits.
* `Classes`, `Below`, `Values`: what a layer shows, as per-pixel arrays.
* `PHASE`, `RESOLVED`, `AMBIGUITY`, `DISAGREEMENT`, `RELIABILITY`, `SHADED`, `SELECTION`
  and `correlation`: the kinds that the workspace holds; those of probabilities are in
  `probability_kinds`.
* `of_phases`: a kind whose painting edits a phase map; `about_map`: its provenance.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data import palettes
from napari_phasemap.core.phases.changes import disagreement
from napari_phasemap.core.phases.decisions import (
    UNDECIDED,
    UNDECIDED_COLOR,
    decisions_of,
)
from napari_phasemap.figures.maps import (
    AMBIGUOUS_COLOR,
    phase_rgba,
    reliability_brightness,
    reliability_limit,
)
from napari_phasemap.pipeline.resolving import DISAGREEMENT as DISAGREEMENT_NAME
from napari_phasemap.pipeline.resolving import DISAGREEMENT_COLOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.workspace import Workspace

__all__ = [
    "AMBIGUITY",
    "DISAGREEMENT",
    "PHASE",
    "RELIABILITY",
    "RESOLVED",
    "SELECTION",
    "SELECTION_COLOR",
    "SHADED",
    "Below",
    "Classes",
    "Kind",
    "Picture",
    "Values",
    "about_map",
    "correlation",
    "of_phases",
]

#: Bright on grey images and different from every phase color.
SELECTION_COLOR = palettes.SELECTION
#: Pixels that tell the range of the scores.
MOST_LOOKED_AT = 50_000


@dataclass(frozen=True, eq=False)
class Classes:
    """A class per pixel, in colors.

    Parameters
    ----------
    labels : ndarray of shape (n_pixels,)
        1..n in the order of `names`, at most 255; 0 or False is transparent.
    names, colors : sequence of str
        Of the classes; "#rrggbb".
    about : mapping
        Step and parameters that made the labels: the layer's provenance.
    """

    labels: NDArray[Any]
    names: Sequence[str]
    colors: Sequence[str]
    about: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Below:
    """One class: where values are smaller than a limit that is dragged.

    The values are laid on the canvas once, so that another limit costs one comparison.

    Parameters
    ----------
    values : ndarray of float32 of shape (n_pixels,)
        NaN is never below.
    limit : float
        In the unit of the values.
    name, color : str
        Of the class.
    about : mapping
        Provenance.
    """

    values: NDArray[np.float32]
    limit: float
    name: str
    color: str
    about: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Values:
    """A number or a color per pixel.

    Parameters
    ----------
    values : ndarray of shape (n_pixels,) or (n_pixels, 4)
        Numbers, NaN transparent; or red, green, blue and alpha from 0 to 1.
    about : mapping
        Provenance.
    colormap : str, default="gray"
        Of numbers.
    limits : tuple of float, optional
        Ends of the color scale.
    """

    values: NDArray[Any]
    about: Mapping[str, Any]
    colormap: str = "gray"
    limits: tuple[float, float] | None = None


Picture = Classes | Below | Values


@dataclass(frozen=True)
class Kind:
    """A kind of result; two of the same name are the same kind.

    Parameters
    ----------
    name : str
        What the layer is called until somebody renames it.
    draw : callable, optional
        Returns what the workspace has of this kind, None for nothing. Without it a dock
        gives the picture.
    follows : tuple of str
        Fields of the workspace whose change draws it again.
    paint : callable, optional
        Takes the per-pixel labels of a layer that was painted by hand.
    recolor : callable, optional
        Takes the colors that a person gave to the classes.
    opacity : float, default=0.85
        Of new labels layers.
    shares : str, optional
        Kinds with the same word are shown in one layer, one after the other.
    """

    name: str
    draw: Callable[[Workspace], Picture | None] | None = field(
        default=None, compare=False
    )
    follows: tuple[str, ...] = field(default=(), compare=False)
    paint: Callable[[Workspace, NDArray[Any]], None] | None = field(
        default=None, compare=False
    )
    recolor: Callable[[Workspace, Sequence[str]], None] | None = field(
        default=None, compare=False
    )
    opacity: float = field(default=0.85, compare=False)
    shares: str = field(default="", compare=False)


def of_phases(
    name: str,
    get: Callable[[Workspace], PhaseMap | None],
    store: Callable[[Workspace, PhaseMap, str], None],
    *,
    follows: tuple[str, ...] = (),
    about: Callable[[Workspace], Mapping[str, Any]] | None = None,
) -> Kind:
    """Return a kind that shows the classes of a phase map, and whose painting edits it.

    Parameters
    ----------
    name : str
        Of the kind.
    get : callable
        Returns the phase map, None where there is none.
    store : callable
        Puts a map that was painted or recolored in its place, as the step of that text.
    follows : tuple of str
        As for `Kind`.
    about : callable, optional
        Returns the provenance; default method and parameters of the map.
    """

    def draw(workspace: Workspace) -> Picture | None:
        phases = get(workspace)
        if phases is None:
            return None
        made = about_map(phases) if about is None else about(workspace)
        return Classes(phases.labels, phases.names, phases.colors, made)

    def paint(workspace: Workspace, labels: NDArray[Any]) -> None:
        phases = get(workspace)
        if phases is None:
            return
        known = np.where(labels <= phases.n_phases, labels, phases.labels)
        if not np.array_equal(known, phases.labels):
            store(workspace, phases.with_labels(known), f"paint {name}")

    def recolor(workspace: Workspace, colors: Sequence[str]) -> None:
        phases = get(workspace)
        if phases is not None:
            store(workspace, phases.with_colors(colors), f"colors of {name}")

    return Kind(name, draw, follows, paint, recolor)


def _recolor(workspace: Workspace, colors: Sequence[str]) -> None:
    """Give the phases other colors in both maps; those of no phase are fixed."""
    told = getattr(workspace, _told_by(workspace))
    maps = {name: getattr(workspace, name) for name in ("phase_map", "posterior")}
    changes = {
        name: phases.with_colors(colors[: phases.n_phases])
        for name, phases in maps.items()
        if phases is not None and told is not None and phases.names == told.names
    }
    workspace.apply("colors of phase", **changes)


def _told_by(workspace: Workspace) -> str:
    """Return the field whose phases the layer of phases shows."""
    return "posterior" if workspace.shown_map == "posterior" else "phase_map"


def _of_field(name: str, stored: str) -> Kind:
    return of_phases(
        name,
        lambda workspace: getattr(workspace, stored),
        lambda workspace, phases, text: workspace.apply(text, **{stored: phases}),
        follows=(stored,),
    )


def about_map(phases: PhaseMap, **more: Any) -> dict[str, Any]:
    """Return the provenance of a layer that shows a map."""
    return {"step": phases.method, "parameters": {**phases.parameters, **more}}


def _phase(workspace: Workspace) -> Picture | None:
    """Return the phases of the method that tells them; the posterior may abstain."""
    if workspace.shown_map != "posterior":
        phases = workspace.phase_map
        if phases is None:
            return None
        return Classes(phases.labels, phases.names, phases.colors, about_map(phases))
    assert workspace.posterior is not None
    told, level = decisions_of(workspace.posterior), workspace.level
    about = about_map(told.phase_map, level=level)
    return Classes(told.labels(level), told.names, told.colors, about)


def _ambiguity(workspace: Workspace) -> Picture | None:
    if workspace.shown_map == "posterior" and workspace.posterior is not None:
        told, level = decisions_of(workspace.posterior), workspace.level
        about = about_map(told.phase_map, level=level)
        return Below(told.probability, level, UNDECIDED, UNDECIDED_COLOR, about)
    phases, threshold = workspace.phase_map, workspace.threshold
    if phases is None:
        return None
    about = about_map(phases, threshold=threshold)
    return Below(phases.margin, threshold, "ambiguous", AMBIGUOUS_COLOR, about)


def _disagreement(workspace: Workspace) -> Picture | None:
    phases, resolved = workspace.phase_map, workspace.resolved
    if phases is None or resolved is None or resolved.scores is None:
        return None
    if phases.names != resolved.names or phases.n_pixels != resolved.n_pixels:
        return None  # one of the two has changed, the other follows or goes
    other = disagreement(phases, resolved, threshold=workspace.threshold)
    about = {
        "step": DISAGREEMENT_NAME,
        "parameters": {**resolved.parameters, "threshold": workspace.threshold},
    }
    return Classes(other, (DISAGREEMENT_NAME,), (DISAGREEMENT_COLOR,), about)


def _reliability(workspace: Workspace) -> Picture | None:
    phases = workspace.phase_map
    if phases is None:
        return None
    values = phases.reliability
    finite = np.where(np.isfinite(values), values, np.float32(np.nan))
    limits = (0.0, reliability_limit(phases))
    return Values(finite, about_map(phases), limits=limits)


def _shaded(workspace: Workspace) -> Picture | None:
    phases = workspace.phase_map
    if phases is None:
        return None
    rgba = phase_rgba(phases)
    rgba[:, :3] *= reliability_brightness(phases)[:, np.newaxis]
    return Values(rgba.astype(np.float32), about_map(phases))


def _selection(workspace: Workspace) -> Picture | None:
    stacks, chosen = workspace.stacks, workspace.selection
    if stacks is None or chosen is None or len(chosen) != stacks.n_pixels:
        return None
    values = np.zeros(stacks.n_pixels, dtype=np.uint8)
    named = workspace.selections
    for number, one in enumerate(named):
        values[one.pixels] = number + 2
    values[chosen] = 1
    return Classes(
        values,
        ("selection", *(one.name for one in named)),
        (SELECTION_COLOR, *(one.color for one in named)),
        {"step": "selection", "parameters": {}},
    )


def _select(workspace: Workspace, labels: NDArray[Any]) -> None:
    painted = labels == 1
    if workspace.selection is None or np.array_equal(painted, workspace.selection):
        return
    workspace.select(painted, "paint the selection")


PHASE = replace(
    of_phases(
        "phase",
        lambda workspace: getattr(workspace, _told_by(workspace)),
        lambda workspace, phases, text: workspace.apply(
            text, **{_told_by(workspace): phases}
        ),
        follows=("phase_map", "posterior", "method", "level"),
    ),
    draw=_phase,
    recolor=_recolor,
)
RESOLVED = _of_field("resolved phase", "resolved")
AMBIGUITY = Kind(
    "ambiguity",
    _ambiguity,
    ("phase_map", "threshold", "posterior", "method", "level"),
)
DISAGREEMENT = Kind(DISAGREEMENT_NAME, _disagreement, ("phase_map", "resolved"))
RELIABILITY = Kind("reliability", _reliability, ("phase_map",))
SHADED = Kind("phase by reliability", _shaded, ("phase_map",))
SELECTION = Kind(
    "selection", _selection, ("selection", "selections"), paint=_select, opacity=0.6
)


def _score_limits(phases: PhaseMap) -> tuple[float, float] | None:
    """Return the ends of the color scale of scores, the same for every phase.

    The worst hundredth is as dark as the next pixel: r of phases that are alike lies
    between .9 and 1, and other methods have other units.
    """
    if phases.scores is None:
        return None
    some = phases.scores[:: max(1, phases.n_pixels // MOST_LOOKED_AT)]
    finite = some[np.isfinite(some)]
    if not finite.size:
        return None
    low, high = np.percentile(finite, 1), finite.max()
    return (float(low), float(high)) if low < high else None


def correlation(phase: str) -> Kind:
    """Return the kind that shows Pearson's r (or another score) with one phase.

    As each of them covers the others, all share one layer.
    """

    def draw(workspace: Workspace) -> Picture | None:
        phases = workspace.phase_map
        if phases is None or phases.scores is None or phase not in phases.names:
            return None
        scores = phases.scores[:, phases.names.index(phase)]
        return Values(scores, about_map(phases), "viridis", _score_limits(phases))

    return Kind(f"r({phase})", draw, ("phase_map",), shares="r")
