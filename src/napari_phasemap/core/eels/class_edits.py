"""Classes changed by hand: what a person knows and k-means does not.

* `merge_classes`: several classes become one.
* `split_class`: one class becomes two or more.
* `rename_class`: another name.
* `edit_classes`: any of these, with the stabilities that follow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.palettes import phase_colors
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.learn.clustering import class_stability, kmeans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.eels.edge import EdgeAnalysis

__all__ = ["edit_classes", "merge_classes", "rename_class", "split_class"]


def edit_classes(
    analysis: EdgeAnalysis,
    edit: Callable[[PhaseMap], PhaseMap],
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> EdgeAnalysis:
    """Change the classes of an edge by hand; their stabilities follow.

    Parameters
    ----------
    analysis : EdgeAnalysis
        Not changed.
    edit : callable
        From classes to classes, as `merge_classes` and `split_class`.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    EdgeAnalysis
        With the changed classes.

    Raises
    ------
    InputError
        As `edit` raises it.
    """
    on_progress(0, 1, "classes")
    classes = edit(analysis.classes)
    stability = class_stability(analysis.clustered, classes, on_progress=on_progress)
    return replace(analysis, classes=classes, stability=stability)


def merge_classes(classes: PhaseMap, merged: Sequence[int], /) -> PhaseMap:
    """Make one class of several.

    Parameters
    ----------
    classes : PhaseMap
        Not changed.
    merged : sequence of int
        Two or more labels, counted from 1. The united class takes the place and color
        of the first; its name joins theirs.

    Returns
    -------
    PhaseMap
        Scores of the united class are the largest of its parts'.

    Raises
    ------
    ValueError
        If fewer than two different classes are given, or one does not exist.

    Examples
    --------
    >>> three = PhaseMap.from_scores(np.eye(3), ["a", "b", "c"])
    >>> united = merge_classes(three, [1, 3])
    >>> united.names, united.labels.tolist()
    (('a + c', 'b'), [1, 2, 1])
    """
    chosen = sorted(set(merged))
    if len(chosen) < 2:
        raise InputError(f"{len(chosen)} class is chosen; choose two or more to merge")
    for label in chosen:
        _check_label(classes, label)
    kept = [i for i in range(1, classes.n_phases + 1) if i not in chosen[1:]]
    table = np.zeros(classes.n_phases + 1, dtype=np.intp)
    table[kept] = np.arange(1, len(kept) + 1)
    table[chosen] = table[chosen[0]]
    names = [classes.names[i - 1] for i in kept]
    names[kept.index(chosen[0])] = " + ".join(classes.names[i - 1] for i in chosen)
    scores = None
    if classes.scores is not None:
        scores = np.array(classes.scores[:, [i - 1 for i in kept]])
        best = classes.scores[:, [i - 1 for i in chosen]].max(axis=1)
        scores[:, kept.index(chosen[0])] = best
    return _ranked(
        classes,
        table[classes.labels],
        scores,
        names,
        [classes.colors[i - 1] for i in kept],
        f"merged {', '.join(classes.names[i - 1] for i in chosen)}",
    )


def split_class(
    classes: PhaseMap,
    values: NDArray[Any],
    label: int,
    /,
    *,
    n_parts: int = 2,
    seed: int = 0,
) -> PhaseMap:
    """Split one class by k-means of its own pixels.

    Parameters
    ----------
    classes : PhaseMap
        Not changed.
    values : ndarray of shape (n_pixels, n_values)
        What was clustered. Pixels of the class with NaN are not assigned any more.
    label : int
        The class, counted from 1. Its largest part stays in its place, the others come
        last.
    n_parts : int, default=2
        Number of parts.
    seed : int, default=0
        Seed of the starting centers.

    Returns
    -------
    PhaseMap
        The other classes' pixels keep their labels.

    Raises
    ------
    ValueError
        If the class does not exist or has fewer different pixels than parts.

    Examples
    --------
    >>> two = PhaseMap.from_scores([[1, 0], [1, 0], [1, 0], [0, 1]], ["a", "b"])
    >>> parts = split_class(two, np.array([[0.0], [0.1], [5.0], [9.0]]), 1)
    >>> parts.names, parts.labels.tolist()
    (('a 1', 'b', 'a 2'), [1, 1, 3, 2])
    """
    _check_label(classes, label)
    values = np.asarray(values, dtype=np.float32)
    if len(values) != classes.n_pixels:
        raise InputError(f"{len(values)} values for {classes.n_pixels} pixels")
    own = np.asarray(classes.labels) == label
    name = classes.names[label - 1]
    try:
        parts = kmeans(values[own], n_clusters=n_parts, seed=seed)
    except InputError as error:
        raise InputError(f"{name!r} cannot be split: {error}") from error
    new = range(classes.n_phases + 1, classes.n_phases + n_parts)
    numbers = np.array([0, label, *new])
    labels = classes.labels.astype(np.intp)
    labels[own] = numbers[parts.labels]
    centers = np.asarray(parts.parameters["centers"])
    scores = None
    if classes.scores is not None:
        distance = np.linalg.norm(values[:, None] - centers[None], axis=2)
        scores = np.concatenate([classes.scores, -distance[:, 1:]], axis=1)
        scores[:, label - 1] = -distance[:, 0]
    names = list(classes.names)
    names[label - 1] = f"{name} 1"
    names += [f"{name} {i}" for i in range(2, n_parts + 1)]
    colors = list(classes.colors)
    for color in phase_colors(len(names)):
        if len(colors) < len(names) and color not in colors:
            colors.append(color)
    colors += phase_colors(len(names))[len(colors) :]
    return _ranked(classes, labels, scores, names, colors, f"split {name}")


def rename_class(classes: PhaseMap, label: int, name: str, /) -> PhaseMap:
    """Return the classes with another name for one of them.

    Parameters
    ----------
    classes : PhaseMap
        Classes of an edge.
    label : int
        Of the class to rename, from 1.
    name : str
        Its new name.

    Returns
    -------
    PhaseMap
        The same pixels in the same classes.

    Raises
    ------
    ValueError
        If the class does not exist, or the name is empty or taken.
    """
    _check_label(classes, label)
    name = name.strip()
    others = [n for i, n in enumerate(classes.names, start=1) if i != label]
    if not name or name in others:
        raise InputError(f"{name!r} is no new name; there are {', '.join(others)}")
    names = list(classes.names)
    names[label - 1] = name
    return replace(classes, names=tuple(names))


def _check_label(classes: PhaseMap, label: int) -> None:
    if not 1 <= label <= classes.n_phases:
        raise InputError(f"there is no class {label}; there are 1..{classes.n_phases}")


def _ranked(
    old: PhaseMap,
    labels: NDArray[np.intp],
    scores: NDArray[np.float32] | None,
    names: Sequence[str],
    colors: Sequence[str],
    step: str,
) -> PhaseMap:
    """Return a map whose labels are given and whose runners-up follow from scores."""
    dtype = np.uint8 if len(names) < 256 else np.uint16
    by_hand = np.isposinf(old.margin)
    runner_up = np.zeros(len(labels), dtype=dtype)
    best = np.full(len(labels), np.nan, dtype=np.float32)
    margin = np.where(labels > 0, np.inf, np.nan).astype(np.float32)
    rows = np.flatnonzero(labels > 0)
    if scores is not None and len(rows) and len(names) > 1:
        own = labels[rows] - 1
        rest = np.where(np.isfinite(scores[rows]), scores[rows], -np.inf)
        best[rows] = scores[rows, own]
        rest[np.arange(len(rows)), own] = -np.inf
        second = rest.argmax(axis=1)
        sure = by_hand[rows] | ~np.isfinite(rest.max(axis=1))
        margin[rows] = np.where(sure, np.inf, best[rows] - rest.max(axis=1))
        runner_up[rows] = np.where(sure, 0, second + 1)
    kept = {k: v for k, v in old.parameters.items() if k != "centers"}
    kept["by_hand"] = (*kept.get("by_hand", ()), step)
    return PhaseMap(
        labels=labels.astype(dtype),
        runner_up=runner_up,
        best=best,
        margin=margin,
        names=tuple(names),
        colors=tuple(colors),
        method=old.method,
        scores=scores,
        parameters=kept,
    )
