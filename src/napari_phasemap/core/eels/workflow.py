"""All edges of a spectrum image together: their classes, bonds and thickness.

* `analyze_edges`: every edge, every pair of edges, and the thickness where there is a
  low loss: the one way of docks, Python and the command line.
* `compare_edges`: the pairs alone, of edges that are analyzed.
* `suggest_number`: one edge with the number of classes that is reproducible.
* `EelsAnalysis`: the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

from napari_phasemap.core.bonds.mutual_information import ClassPairs, mutual_information
from napari_phasemap.core.data.errors import FORESEEN, InputError, told
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.eels.compared import follow_thickness
from napari_phasemap.core.eels.edge import EdgeAnalysis, analyze_edge
from napari_phasemap.core.eels.thickness import Thickness, thickness
from napari_phasemap.core.learn.embedding import Embedder, umap_embedding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.eels.recipe import EdgeRecipe

__all__ = ["EelsAnalysis", "analyze_edges", "compare_edges", "suggest_number"]


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
    failed : mapping of str to str
        By the name of each edge that could not be analyzed: why, and what to do.
    """

    stack: SpectralStack
    edges: Mapping[str, EdgeAnalysis]
    pairs: Mapping[tuple[str, str], ClassPairs] = field(default_factory=dict)
    thickness: Thickness | None = None
    thickness_pairs: Mapping[str, ClassPairs] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


def analyze_edges(
    stack: SpectralStack,
    recipes: Sequence[EdgeRecipe],
    /,
    *,
    low_loss: SpectralStack | None = None,
    previous: EelsAnalysis | None = None,
    on_progress: OnProgress = ignore_progress,
    measured: Thickness | None = None,
    embed: Embedder = umap_embedding,
) -> EelsAnalysis:
    """Analyze every edge, every pair of edges, and the thickness.

    An edge that fails, or whose UMAP process dies, does not take the others with it:
    it is in `EelsAnalysis.failed`.

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
    measured : Thickness, optional
        From `thickness` of the same pixels, where it is there; instead of `low_loss`.
    embed : callable, default=umap_embedding
        Called like `umap_embedding`; one that works in another process keeps a window
        free.

    Returns
    -------
    EelsAnalysis
        Edges, pairs, thickness and warnings.

    Raises
    ------
    InputError
        If there is no recipe, names repeat, the low loss has other pixels, or all
        edges fail.
    ProcessDied, OSError, MemoryError
        If the one edge asked for failed by it.
    """
    _check_asked(stack, recipes, low_loss)
    total = len(recipes) + 1
    edges: dict[str, EdgeAnalysis] = {}
    failed: dict[str, Exception] = {}
    for number, recipe in enumerate(recipes):
        try:
            edges[recipe.name] = analyze_edge(
                stack,
                recipe,
                previous=previous.edges.get(recipe.name) if previous else None,
                embed=embed,
                on_progress=_numbered(on_progress, number, total),
            )
        except FORESEEN as error:
            failed[recipe.name] = error
    if not edges:
        raise _together(failed)
    if measured is None and low_loss is not None:
        measured = thickness(
            low_loss.with_mask(stack.mask),
            on_progress=_numbered(on_progress, total - 1, total),
        )
    found = compare_edges(
        stack,
        edges,
        measured=measured,
        previous=previous,
        on_progress=on_progress,
    )
    return replace(found, failed={name: told(why) for name, why in failed.items()})


def _check_asked(
    stack: SpectralStack,
    recipes: Sequence[EdgeRecipe],
    low_loss: SpectralStack | None,
) -> None:
    """Raise unless the recipes and the low loss belong together."""
    names = [recipe.name for recipe in recipes]
    if not recipes or len(set(names)) != len(names):
        raise InputError(f"edges {names}: give at least one, with different names")
    if low_loss is not None and low_loss.shape != stack.shape:
        raise InputError(
            f"low loss of {low_loss.shape} pixels, core loss of {stack.shape}; they "
            "must show the same pixels"
        )


def _together(failed: Mapping[str, Exception]) -> Exception:
    """Return one exception for edges that all failed: the only one, or all in one."""
    if len(failed) == 1:
        return next(iter(failed.values()))
    return InputError("; ".join(f"{name}: {told(why)}" for name, why in failed.items()))


def suggest_number(
    stack: SpectralStack,
    recipe: EdgeRecipe,
    /,
    *,
    previous: EdgeAnalysis | None = None,
    on_progress: OnProgress = ignore_progress,
    embed: Embedder = umap_embedding,
) -> EdgeAnalysis:
    """Analyze an edge with the suggested number of classes; UMAP only if it is there.

    Parameters
    ----------
    stack : SpectralStack
        Counts; only masked pixels are analyzed.
    recipe : EdgeRecipe
        The settings but for the number of classes.
    previous : EdgeAnalysis, optional
        An earlier result: what was done for it is not done again.
    on_progress : callable, optional
        Called with (step, total, text).
    embed : callable, default=umap_embedding
        As for `analyze_edges`.

    Returns
    -------
    EdgeAnalysis
        With a `suggestion`.

    Raises
    ------
    InputError
        As `analyze_edge` raises it.
    """
    pictured = previous is not None and previous.embedding is not None
    return analyze_edge(
        stack,
        replace(recipe, n_clusters="auto", embed=recipe.embed and pictured),
        previous=previous,
        embed=embed,
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
    InputError
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
    banded, thick = follow_thickness(
        {name: edge.classes for name, edge in edges.items()},
        measured,
        stack,
        on_progress=_numbered(on_progress, total - 1, total, "thickness: "),
    )
    warnings = tuple(
        f"{name}: where the edge is, is {edge.presence.reason}"
        for name, edge in edges.items()
        if edge.presence is not None and not edge.presence.sure
    )
    on_progress(total, total, "done")
    return EelsAnalysis(stack, dict(edges), pairs, measured, banded, warnings + thick)


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
