"""All edges of a spectrum image together: their classes, bonds and thickness.

* `analyze_edges`: every edge, every pair of edges, and the thickness where there is a
  low loss.
* `EelsAnalysis`: the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from napari_phasemap.core.bonds.mutual_information import ClassPairs, mutual_information
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.eels.edge import EdgeAnalysis, analyze_edge
from napari_phasemap.core.eels.thickness import (
    Thickness,
    thickness,
    thickness_bins,
    thickness_warning,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.eels.recipe import EdgeRecipe

__all__ = ["EelsAnalysis", "analyze_edges"]


@dataclass(frozen=True, eq=False)
class EelsAnalysis:
    """The edges of one spectrum image and what they say about each other.

    Parameters
    ----------
    stack : SpectralStack
        The core loss.
    edges : mapping of str to EdgeAnalysis
        By name, in the order of the recipes.
    pairs : mapping of (str, str) to ClassPairs
        Classes of every two edges.
    thickness : Thickness, optional
        With a low loss.
    thickness_pairs : mapping of str to ClassPairs
        Classes of each edge with bins of thickness; empty without a low loss.
    warnings : tuple of str
        What somebody should know before trusting the classes.
    """

    stack: SpectralStack
    edges: Mapping[str, EdgeAnalysis]
    pairs: Mapping[tuple[str, str], ClassPairs]
    thickness: Thickness | None
    thickness_pairs: Mapping[str, ClassPairs]
    warnings: tuple[str, ...]


def analyze_edges(
    stack: SpectralStack,
    recipes: Sequence[EdgeRecipe],
    /,
    *,
    low_loss: SpectralStack | None = None,
    previous: EelsAnalysis | None = None,
    on_progress: OnProgress = ignore_progress,
) -> EelsAnalysis:
    """Analyze every edge, every pair of edges, and the thickness.

    Parameters
    ----------
    stack : SpectralStack
        Counts; only masked pixels are analyzed.
    recipes : sequence of EdgeRecipe
        At least one; names differ.
    low_loss : SpectralStack, optional
        Of the same pixels; its mask is that of `stack`.
    previous : EelsAnalysis, optional
        An earlier result; unchanged steps and pairs of unchanged edges are taken over.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    EelsAnalysis
        Edges, pairs, thickness and warnings.

    Raises
    ------
    ValueError
        If there is no recipe, names repeat, or the low loss has other pixels.
    """
    names = [recipe.name for recipe in recipes]
    if not recipes or len(set(names)) != len(names):
        raise InputError(f"edges {names}: give at least one, with different names")
    if low_loss is not None and low_loss.shape != stack.shape:
        raise InputError(
            f"low loss of {low_loss.shape} pixels, core loss of {stack.shape}; they "
            "must show the same pixels"
        )
    total = len(recipes) + 1
    edges: dict[str, EdgeAnalysis] = {}
    for number, recipe in enumerate(recipes):
        edges[recipe.name] = analyze_edge(
            stack,
            recipe,
            previous=previous.edges.get(recipe.name) if previous else None,
            on_progress=_numbered(on_progress, number, total),
        )
    measured = None
    if low_loss is not None:
        measured = thickness(
            low_loss.with_mask(stack.mask),
            on_progress=_numbered(on_progress, total - 1, total),
        )
    return compare_edges(
        stack,
        edges,
        measured=measured,
        previous=previous,
        on_progress=on_progress,
    )


def compare_edges(
    stack: SpectralStack,
    edges: Mapping[str, EdgeAnalysis],
    /,
    *,
    measured: Thickness | None = None,
    previous: EelsAnalysis | None = None,
    on_progress: OnProgress = ignore_progress,
) -> EelsAnalysis:
    """Compare the classes of edges that are analyzed, also with the thickness.

    Parameters
    ----------
    stack : SpectralStack
        What the edges were analyzed in.
    edges : mapping of str to EdgeAnalysis
        Analyzed edges by name, at least one.
    measured : Thickness, optional
        Of the same pixels.
    previous : EelsAnalysis, optional
        An earlier result: pairs of unchanged classes are taken over.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    EelsAnalysis
        Edges, pairs, thickness and warnings.

    Raises
    ------
    ValueError
        If there is no edge.
    """
    if not edges:
        raise InputError("no edge is analyzed yet; analyze at least one")
    couples = list(combinations(edges, 2))
    total = len(couples) + 1
    pairs: dict[tuple[str, str], ClassPairs] = {}
    for number, (a, b) in enumerate(couples):
        pairs[a, b] = _kept_pairs(previous, edges, a, b) or mutual_information(
            edges[a].classes,
            edges[b].classes,
            stacks=stack,
            on_progress=_numbered(on_progress, number, total, f"{a} and {b}: "),
        )
    banded = {}
    warnings = [
        f"{name}: where the edge is, is {edge.presence.reason}"
        for name, edge in edges.items()
        if edge.presence is not None and not edge.presence.sure
    ]
    if measured is not None:
        bins = thickness_bins(measured)
        for name, edge in edges.items():
            banded[name] = mutual_information(
                edge.classes,
                bins,
                stacks=stack,
                on_progress=_numbered(on_progress, total - 1, total, "thickness: "),
            )
            warning = thickness_warning(banded[name], name)
            if warning:
                warnings.append(warning)
    on_progress(total, total, "done")
    return EelsAnalysis(stack, dict(edges), pairs, measured, banded, tuple(warnings))


def _numbered(
    on_progress: OnProgress, number: int, total: int, about: str = ""
) -> OnProgress:
    """Return a callable that reports a part's steps as one step of many."""

    def report(step: int, count: int, text: str) -> None:
        on_progress(number, total, f"{about}{text}")

    return report


def _kept_pairs(
    previous: EelsAnalysis | None, edges: Mapping[str, EdgeAnalysis], a: str, b: str
) -> ClassPairs | None:
    """Return earlier pairs of two edges whose classes are the same objects."""
    if previous is None or (a, b) not in previous.pairs:
        return None
    same = all(previous.edges[n].classes is edges[n].classes for n in (a, b))
    return previous.pairs[a, b] if same else None
