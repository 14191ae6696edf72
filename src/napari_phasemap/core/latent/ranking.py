"""Rank the phases of each pixel by scores, and keep the labels that nobody asked about.

* `sure_phases`: the pixels that describe each phase.
* `ranked_map`: the map that follows from scores.
* `told`: log which phases are treated specially.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.progress import OnProgress

    Scorer: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]

__all__ = ["Candidates", "Scope", "ranked_map", "sure_phases", "told"]

_log = logging.getLogger(__name__)

Scope: TypeAlias = Literal["ambiguous", "all"]
Candidates: TypeAlias = Literal["all", "pair"]

#: Largest log-density that is stored: two of them still have a difference in float32.
LARGEST = float(np.finfo(np.float32).max) / 4
#: Pixels scored at once.
CHUNK_PIXELS = 1 << 16


def sure_phases(
    latent: ArrayLike,
    phase_map: PhaseMap,
    threshold: float,
    scope: Scope,
    candidates: Candidates,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Check options and shapes, and find the pixels that a phase map is sure about.

    Parameters
    ----------
    latent, phase_map, threshold, scope, candidates
        As for `assignment.assign_mahalanobis`.

    Returns
    -------
    points : ndarray of shape (n_pixels, n_latent)
        `latent` as an array, in latent units.
    core : ndarray of int of shape (n_pixels,)
        Phase of every unambiguous pixel with finite coordinates, 0 for the others.

    Raises
    ------
    ValueError
        If lengths differ, no pixel is unambiguous, or an option is unknown.
    """
    points = np.asarray(latent)
    if points.ndim != 2 or len(points) != phase_map.n_pixels:
        raise InputError(
            f"latent coordinates of shape {points.shape} do not belong to a phase map "
            f"of {phase_map.n_pixels} pixels"
        )
    for name, value, known in (
        ("scope", scope, get_args(Scope)),
        ("candidates", candidates, get_args(Candidates)),
    ):
        if value not in known:
            raise InputError(f"{name}={value!r} is not one of {known}")
    sure = ~phase_map.ambiguous(threshold) & np.isfinite(points).all(axis=1)
    core = np.where(sure, phase_map.labels, 0).astype(np.int64)
    if not core.any():
        raise InputError(
            f"no pixel is unambiguous at {threshold=:g} and has latent coordinates, so "
            "there is no cluster to compare with; lower the threshold"
        )
    return points, core


def told(phase_map: PhaseMap, which: NDArray[np.bool_], why: str) -> list[str]:
    """Log which phases are treated specially; return their names.

    Parameters
    ----------
    phase_map : PhaseMap
        With the names.
    which : bool ndarray of shape (n_phases,)
        The phases meant.
    why : str
        What they have, to be read after their names.

    Returns
    -------
    list of str
        Their names.
    """
    names = [
        name for name, chosen in zip(phase_map.names, which, strict=True) if chosen
    ]
    if names:
        _log.warning("%s %s unambiguous pixels", ", ".join(names), why)
    return names


def ranked_map(
    points: NDArray[Any],
    phase_map: PhaseMap,
    score: Scorer,
    *,
    method: str,
    threshold: float,
    scope: Scope,
    candidates: Candidates,
    notes: dict[str, Any],
    on_progress: OnProgress,
) -> PhaseMap:
    """Score all pixels in chunks and rank the phases of each.

    Parameters
    ----------
    points : ndarray of shape (n_pixels, n_latent)
        In latent units.
    phase_map : PhaseMap
        What is asked, what is kept.
    score : callable
        Log-densities (n, n_phases) of points (n, n_latent) in float64.
    method : str
        Name of the result's method.
    threshold, scope, candidates, on_progress
        As for `assignment.assign_mahalanobis`.
    notes : dict
        Further parameters of the result.

    Returns
    -------
    PhaseMap
        As `assignment.assign_mahalanobis` describes.
    """
    n_pixels, n_phases = phase_map.n_pixels, phase_map.n_phases
    asked = phase_map.ambiguous(threshold) if scope == "ambiguous" else np.True_
    asked = np.broadcast_to(asked, n_pixels)
    scores = np.empty((n_pixels, n_phases), dtype=np.float32)
    labels, runner_up = np.empty((2, n_pixels), dtype=phase_map.labels.dtype)
    best, margin = np.empty((2, n_pixels), dtype=np.float32)
    for low in range(0, n_pixels, CHUNK_PIXELS):
        on_progress(low, n_pixels, f"assigning by {method}")
        part = slice(low, low + CHUNK_PIXELS)
        # Clusters without any spread give log-densities beyond float32.
        density = score(np.asarray(points[part], dtype=np.float64))
        scores[part] = np.clip(density, -LARGEST, LARGEST)
        old = phase_map.labels[part]
        open_to = np.isfinite(scores[part])
        if candidates == "pair":
            numbers = np.arange(1, n_phases + 1)
            pair = (old[:, None] == numbers) | (
                phase_map.runner_up[part, None] == numbers
            )
            open_to &= pair | ~asked[part, None]
        keep = old if scope == "ambiguous" else np.zeros_like(old)
        labels[part], runner_up[part], best[part], margin[part] = _ranked(
            scores[part], open_to, asked[part], keep
        )
    on_progress(n_pixels, n_pixels, f"assigning by {method}")
    return PhaseMap(
        labels=labels,
        runner_up=runner_up,
        best=best,
        margin=margin,
        names=phase_map.names,
        colors=phase_map.colors,
        method=method,
        scores=scores,
        parameters={
            "threshold": threshold,
            "scope": scope,
            "candidates": candidates,
            "before": phase_map.method,
            **notes,
        },
    )


def _ranked(
    scores: NDArray[np.float32],
    open_to: NDArray[np.bool_],
    asked: NDArray[np.bool_],
    keep: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float32], NDArray[np.float32]]:
    """Return labels, runner-up, best and margin of some pixels.

    `keep` is the label where a pixel is not asked or nothing is open to it.
    """
    ranked = np.where(open_to, scores, -np.inf)
    rows = np.arange(len(ranked))
    decided = asked & open_to.any(axis=1)
    labels = np.where(decided, ranked.argmax(axis=1) + 1, keep).astype(keep.dtype)
    own = np.maximum(labels.astype(np.int64), 1) - 1
    best = np.where((labels > 0) & open_to[rows, own], ranked[rows, own], np.nan)
    ranked[rows, own] = -np.inf
    second = ranked.argmax(axis=1)
    has_second = np.isfinite(best) & np.isfinite(ranked[rows, second])
    with np.errstate(invalid="ignore"):
        margin = best - ranked[rows, second]
    runner_up = np.where(has_second, second + 1, 0).astype(keep.dtype)
    return labels, runner_up, best, margin
