"""From a spectrum image to the classes of an edge: the steps in their order.

* `analyze_edge`: background, components, classes of one edge; steps that did not
  change are taken over from an earlier result.
* `EdgeAnalysis`: what came out of every step.
* `subtracted`: the first step alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.net_edge import NO_COUNTS, NOT_FINITE
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.eels.background import subtract_background
from napari_phasemap.core.eels.naming import class_spectra
from napari_phasemap.core.eels.plain_edge import plain_edge
from napari_phasemap.core.eels.presence import Presence, measure_presence
from napari_phasemap.core.learn.clustering import (
    ClusterSuggestion,
    class_stability,
    kmeans,
    suggest_n_clusters,
)
from napari_phasemap.core.learn.decomposition import pca
from napari_phasemap.core.learn.embedding import Embedder, umap_embedding
from napari_phasemap.core.learn.kinds import Kinds, kinds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.net_edge import NetEdge
    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.eels.naming import ClassSpectra
    from napari_phasemap.core.eels.recipe import EdgeRecipe
    from napari_phasemap.core.learn.decomposition import Decomposition

__all__ = ["EdgeAnalysis", "analyze_edge", "subtracted"]

#: Which settings each step depends on, beside those of the steps before it.
_BACKGROUND = ("fit_window", "window", "method", "background_neighbors")
_PRESENT = ("significance", "jump_ratio", "present_neighbors")
_SCORES = ("n_components", "weighted", "score_neighbors", "representation")
_EMBEDDING = ("n_dimensions", "n_neighbors", "min_distance", "seed")
_CLASSES = ("cluster_on", "n_clusters", "seed")


@dataclass(frozen=True, eq=False)
class EdgeAnalysis:
    """What came out of every step for one edge. Per-pixel values in pixel order.

    Parameters
    ----------
    recipe : EdgeRecipe
        The settings.
    stack : SpectralStack
        What was analyzed.
    edge : NetEdge
        Net counts and their maps.
    present : bool ndarray of shape (n_pixels,)
        Which pixels have the edge.
    presence : Presence, optional
        How that was decided; None where every pixel was taken.
    decomposition : Decomposition
        Components of the pixels that have it.
    values : ndarray of float32 of shape (n_pixels, n_components)
        What was clustered and embedded; NaN where the edge is absent. Whitened, so
        dimensionless.
    embedding : ndarray of float32 of shape (n_pixels, n_dimensions), optional
        From `umap_embedding`; None where it was not asked for. Dimensionless.
    suggestion : ClusterSuggestion, optional
        With ``n_clusters="auto"``.
    classes : PhaseMap
        Classes; 0 where the edge is absent.
    stability : ndarray of shape (n_classes,)
        See `class_stability`, 0 to 1; NaN after classes were painted by hand.
        Dimensionless.
    """

    recipe: EdgeRecipe
    stack: SpectralStack
    edge: NetEdge
    present: NDArray[np.bool_]
    presence: Presence | None
    decomposition: Decomposition
    values: NDArray[np.float32]
    embedding: NDArray[np.float32] | None
    suggestion: ClusterSuggestion | None
    classes: PhaseMap
    stability: NDArray[np.float64]

    @cached_property
    def spectra(self) -> ClassSpectra:
        """Means of the net spectra of the classes as they are."""
        return class_spectra(self.edge, self.classes)

    @property
    def clustered(self) -> NDArray[np.float32]:
        """What k-means ran on, of shape (n_pixels, n_values); NaN where absent."""
        if self.recipe.cluster_on == "embedding" and self.embedding is not None:
            return self.embedding
        return self.values

    def with_classes(self, classes: PhaseMap) -> EdgeAnalysis:
        """Return the analysis with other classes of the same pixels.

        Their stability is not known any more, unless only names or colors differ.

        Parameters
        ----------
        classes : PhaseMap
            Of the same pixels.

        Returns
        -------
        EdgeAnalysis
            The rest is the same.
        """
        same = classes.n_phases == self.classes.n_phases and np.array_equal(
            classes.labels, self.classes.labels
        )
        unknown = np.full(classes.n_phases, np.nan)
        stability = self.stability if same else unknown
        return replace(self, classes=classes, stability=stability)

    @cached_property
    def kinds(self) -> Kinds:
        """Whether the classes are kinds or steps of a continuum, see `kinds_of`."""
        if self.recipe.cluster_on == "embedding" and self.embedding is not None:
            return kinds_of(self.embedding, self.classes)
        averaged = self.recipe.score_neighbors
        return kinds_of(self.values, self.classes, averaged=averaged)

    @property
    def kind(self) -> str:
        """What `picture` shows: "UMAP", "PCA", or "strip" where there is one value."""
        if self.values.shape[1] == 1:
            return "strip"
        return "PCA" if self.embedding is None else "UMAP"

    def picture(self) -> NDArray[np.float32]:
        """Return where pixels are drawn, of shape (n_pixels, 1 to 3); NaN if nowhere.

        The embedding; without one the first three components, or the only one as
        `umap_embedding` shows it.
        """
        if self.embedding is not None:
            return self.embedding
        if self.values.shape[1] == 1:
            return umap_embedding(self.values, n_components=2)
        return np.ascontiguousarray(self.values[:, :3])


def analyze_edge(
    stack: SpectralStack,
    recipe: EdgeRecipe,
    /,
    *,
    previous: EdgeAnalysis | None = None,
    embed: Embedder = umap_embedding,
    on_progress: OnProgress = ignore_progress,
) -> EdgeAnalysis:
    """Take one edge from counts to classes.

    Parameters
    ----------
    stack : SpectralStack
        Counts; only masked pixels are analyzed.
    recipe : EdgeRecipe
        The settings.
    previous : EdgeAnalysis, optional
        An earlier result of the same stack object: steps whose settings, and whose
        earlier steps' settings, are the same are taken from it.
    embed : callable, default=umap_embedding
        Called like `umap_embedding` for the picture of the pixels; one that works in
        another process keeps a window free.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    EdgeAnalysis
        Everything, step by step.

    Raises
    ------
    ValueError
        If a window does not fit, or fewer pixels than needed have the edge.
    """
    n_steps = 5

    def within(step: int) -> OnProgress:
        """Return a report of one step's own steps, which may stop it too."""

        def report(part: int, parts: int, text: str) -> None:
            share = f" {100 * part // parts} %" if part < parts else ""
            on_progress(step, n_steps, f"{recipe.name}: {text}{share}")

        return report

    kept = _Kept(previous, stack, recipe)
    on_progress(0, n_steps, f"{recipe.name}: background")
    edge = _net_edge(stack, recipe, kept)
    old = kept.with_same(_PRESENT)
    if old:
        presence, present = old.presence, old.present
    else:
        presence = presence_of(edge, recipe)
        present = _present(edge, recipe, presence)
    if np.count_nonzero(present) < 2:
        raise InputError(
            f"{int(np.count_nonzero(present))} of {len(present)} pixels have the edge "
            f"{recipe.name} (z > {recipe.significance:g}, jump ratio > "
            f"{recipe.jump_ratio:g}); lower the thresholds or move the windows"
        )
    on_progress(1, n_steps, f"{recipe.name}: components")
    old = kept.with_same(_SCORES)
    if old:
        decomposition, values = old.decomposition, old.values
    else:
        decomposition, values = _scores(edge, present, recipe, within(1))
    on_embedding = recipe.cluster_on == "embedding"
    embedding = None
    if recipe.embed or on_embedding:
        if old and _same(old.recipe, recipe, _EMBEDDING):
            embedding = old.embedding
        if embedding is None:
            embedding = embed(
                values,
                n_components=recipe.n_dimensions,
                n_neighbors=recipe.n_neighbors,
                min_distance=recipe.min_distance,
                seed=recipe.seed,
                on_progress=within(2),
            )
    on_progress(3, n_steps, f"{recipe.name}: classes")
    old = kept.with_same(_CLASSES + (_EMBEDDING if on_embedding else ()))
    if old:
        suggestion, classes, stability = old.suggestion, old.classes, old.stability
    else:
        clustered = embedding if on_embedding and embedding is not None else values
        suggestion, classes = _classes(clustered, recipe, within(3))
        stability = class_stability(
            clustered, classes, seed=recipe.seed, on_progress=within(4)
        )
    on_progress(n_steps, n_steps, f"{recipe.name}: done")
    return EdgeAnalysis(
        recipe=recipe,
        stack=stack,
        edge=edge,
        present=present,
        presence=presence,
        decomposition=decomposition,
        values=values,
        embedding=embedding,
        suggestion=suggestion,
        classes=classes,
        stability=stability,
    )


class _Kept:
    """What an earlier result is good for: nothing behind the first change."""

    def __init__(
        self, previous: EdgeAnalysis | None, stack: SpectralStack, recipe: EdgeRecipe
    ) -> None:
        same = previous is not None and previous.stack is stack
        self._previous = previous if same else None
        self._recipe = recipe

    def with_same(self, settings: tuple[str, ...]) -> EdgeAnalysis | None:
        """Return the result if these settings, and all asked for before, agree."""
        old = self._previous
        if old is not None and not _same(old.recipe, self._recipe, settings):
            self._previous = None
        return self._previous


def subtracted(
    stack: SpectralStack, recipe: EdgeRecipe, previous: EdgeAnalysis | None = None, /
) -> NetEdge:
    """Return the first step of `analyze_edge`: counts above the background.

    Parameters
    ----------
    stack, recipe, previous
        As for `analyze_edge`.

    Returns
    -------
    NetEdge
        With all counts where the recipe has no fit window.

    Raises
    ------
    ValueError
        If a window does not fit.
    """
    return _net_edge(stack, recipe, _Kept(previous, stack, recipe))


def _net_edge(stack: SpectralStack, recipe: EdgeRecipe, kept: _Kept) -> NetEdge:
    old = kept.with_same(_BACKGROUND)
    if old:
        return replace(old.edge, name=recipe.name)
    if recipe.fit_window is None:
        return plain_edge(stack, window=recipe.window, name=recipe.name)
    return subtract_background(
        stack,
        fit_window=recipe.fit_window,
        window=recipe.window,
        method=recipe.method,
        neighbors=recipe.background_neighbors,
        name=recipe.name,
    )


def presence_of(edge: NetEdge, recipe: EdgeRecipe) -> Presence | None:
    """Return what the jump ratios say; None for a recipe that takes every pixel."""
    if recipe.fit_window is None or recipe.jump_ratio == recipe.significance == -np.inf:
        return None
    return measure_presence(
        edge, significance=recipe.significance, neighbors=recipe.present_neighbors
    )


def _present(
    edge: NetEdge, recipe: EdgeRecipe, presence: Presence | None
) -> NDArray[np.bool_]:
    """Return which pixels have the edge."""
    if presence is None:
        return np.asarray((edge.flags & (NO_COUNTS | NOT_FINITE)) == 0)
    return presence.at(recipe.jump_ratio)


def _scores(
    edge: NetEdge,
    present: NDArray[np.bool_],
    recipe: EdgeRecipe,
    on_progress: OnProgress,
) -> tuple[Decomposition, NDArray[np.float32]]:
    """Return the components and what is clustered."""
    kept = recipe.n_components
    if kept != "auto":
        kept = min(kept, len(edge.energy), int(np.count_nonzero(present)))
    weighting = "auto" if recipe.weighted else "none"
    found = pca(
        edge,
        n_components=kept,
        weighting=weighting,  # type: ignore[arg-type]
        where=present,
        on_progress=on_progress,
    )
    averaged = found.averaged(edge.net, recipe.score_neighbors)
    if recipe.representation == "composition" and found.noise == "known":
        return found, averaged.composition
    return found, averaged.whitened


def _classes(
    values: NDArray[np.float32], recipe: EdgeRecipe, on_progress: OnProgress
) -> tuple[ClusterSuggestion | None, PhaseMap]:
    """Return the classes, and why there are so many if nobody said."""
    suggestion = None
    if recipe.n_clusters == "auto":
        suggestion = suggest_n_clusters(
            values, seed=recipe.seed, on_progress=on_progress
        )
        n_clusters = max(2, suggestion.n_clusters)
    else:
        n_clusters = recipe.n_clusters
    classes = kmeans(
        values, n_clusters=n_clusters, seed=recipe.seed, on_progress=on_progress
    )
    return suggestion, classes


def _same(old: EdgeRecipe, new: EdgeRecipe, names: tuple[str, ...]) -> bool:
    """Return whether two recipes agree in some settings."""
    return all(getattr(old, name) == getattr(new, name) for name in names)
