"""What follows from a set of pixels: leave them out, or take their mean spectrum.

* `exclude_pixels`: the stacks without them; `keep_pixels`: a phase map of the rest.
* `with_phase`: a phase map with one more phase, to assign them to.
* `mean_spectrum`: their mean; `with_mean_spectrum`: the mean as one more reference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.palettes import phase_colors
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack_set import StackSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap

__all__ = [
    "exclude_pixels",
    "keep_pixels",
    "mean_spectrum",
    "with_mean_spectrum",
    "with_phase",
]


def exclude_pixels(stacks: StackSet, excluded: NDArray[np.bool_], /) -> StackSet:
    """Return the stacks with these pixels taken out of their masks.

    The per-pixel arrays of the new set are ``values[~excluded]`` of the old ones.

    Parameters
    ----------
    stacks : StackSet
        Not changed.
    excluded : bool ndarray of shape (n_pixels,)
        In the pixel order of `stacks`.

    Returns
    -------
    StackSet
        A stack that loses nothing is the same object as before.

    Raises
    ------
    ValueError
        If no pixel would remain, or the length is wrong.
    """
    excluded = np.asarray(excluded, dtype=bool)
    parts = stacks.split(excluded)
    if excluded.all():
        raise InputError(
            f"all {stacks.n_pixels} pixels would be excluded; nothing is left"
        )
    changed = []
    for index, (stack, part) in enumerate(zip(stacks.stacks, parts, strict=True)):
        count = int(np.count_nonzero(part))
        if count:
            dropped = stacks.to_image(excluded.astype(np.uint8), index, fill=0)
            mask = stack.mask & ~dropped.astype(bool)
            stack = stack.with_step(f"excluded {count} selected pixels", mask=mask)
        changed.append(stack)
    return StackSet(changed)


def keep_pixels(phase_map: PhaseMap, kept: NDArray[np.bool_], /) -> PhaseMap:
    """Return the phase map of some of its pixels.

    Parameters
    ----------
    phase_map : PhaseMap
        Of n_pixels pixels.
    kept : bool ndarray of shape (n_pixels,)
        True for the pixels that remain.

    Returns
    -------
    PhaseMap
    """
    if len(kept) != phase_map.n_pixels:
        raise InputError(f"{len(kept)} values for {phase_map.n_pixels} pixels")
    scores = phase_map.scores
    return replace(
        phase_map,
        labels=phase_map.labels[kept],
        runner_up=phase_map.runner_up[kept],
        best=phase_map.best[kept],
        margin=phase_map.margin[kept],
        scores=None if scores is None else scores[kept],
        misfit=None if phase_map.misfit is None else phase_map.misfit[kept],
    )


def with_phase(phase_map: PhaseMap, name: str, /, *, color: str = "") -> PhaseMap:
    """Return a phase map with one more phase, to which no pixel belongs yet.

    Parameters
    ----------
    phase_map : PhaseMap
        Not changed.
    name : str
        Name of the new phase, not yet taken.
    color : str, optional
        Hexadecimal color; default the first of `phase_colors` that is free.

    Returns
    -------
    PhaseMap
        Scores of the new phase are NaN: nothing has been compared with it.
    """
    if not name or name in phase_map.names:
        raise InputError(f"{name!r} is not a new phase; there are {phase_map.names}")
    n_phases = phase_map.n_phases
    free = [c for c in phase_colors(n_phases + 1) if c not in phase_map.colors]
    color = color or (free or phase_colors(1))[0]
    scores = phase_map.scores
    if scores is not None:
        column = np.full((len(scores), 1), np.nan, dtype=scores.dtype)
        scores = np.concatenate([scores, column], axis=1)
    dtype = np.result_type(phase_map.labels.dtype, np.min_scalar_type(n_phases + 1))
    return replace(
        phase_map,
        names=(*phase_map.names, name),
        colors=(*phase_map.colors, color),
        labels=phase_map.labels.astype(dtype),
        runner_up=phase_map.runner_up.astype(dtype),
        scores=scores,
    )


def mean_spectrum(
    stacks: StackSet,
    selected: NDArray[np.bool_],
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> NDArray[np.float64]:
    """Return the mean spectrum of some pixels.

    Parameters
    ----------
    stacks : StackSet
        With any quantity.
    selected : bool ndarray of shape (n_pixels,)
        At least one True.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    ndarray of shape (n_energies,)
        In the unit of the stacks, on ``stacks.energy``, NaN values left out; NaN where
        all are NaN.

    Raises
    ------
    ValueError
        If no pixel is selected.
    """
    if not np.any(selected):
        raise InputError("the mean of no pixel is not defined; select some first")
    total = np.zeros(stacks.n_energies)
    count = np.zeros(stacks.n_energies)
    used = np.flatnonzero(stacks.energy_used)
    parts = stacks.split(np.asarray(selected, dtype=bool))
    for stack, part in zip(stacks, parts, strict=True):
        chosen = np.flatnonzero(stack.mask)[part]
        for number, channel in enumerate(used):
            on_progress(number, len(used), f"mean spectrum of {stack.name}")
            values = np.asarray(stack.data[channel]).reshape(-1)[chosen]
            known = values[np.isfinite(values)]
            total[number] += known.sum(dtype=np.float64)
            count[number] += known.size
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def with_mean_spectrum(
    references: ReferenceSpectra | None,
    stacks: StackSet,
    selected: NDArray[np.bool_],
    name: str,
    /,
) -> ReferenceSpectra:
    """Return the references with the mean spectrum of some pixels added.

    Parameters
    ----------
    references : ReferenceSpectra or None
        What there is; it is brought to the energies of `stacks`.
    stacks : StackSet
        Where the pixels are.
    selected : bool ndarray of shape (n_pixels,)
        At least one True.
    name : str
        Name of the new reference, not yet taken.

    Returns
    -------
    ReferenceSpectra
        On ``stacks.energy``, the new one last.

    Raises
    ------
    ValueError
        If the name is taken, or the references do not cover the energies.
    """
    spectrum = mean_spectrum(stacks, selected)
    if references is None:
        return ReferenceSpectra((name,), stacks.energy, spectrum[None])
    resampled = references.resample(stacks.energy)
    return ReferenceSpectra(
        (*resampled.names, name),
        stacks.energy,
        np.concatenate([resampled.spectra, spectrum[None]]),
    )
