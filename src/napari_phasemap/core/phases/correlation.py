"""Which reference does each pixel resemble most, and by how much.

* `pearson_map`: phase, runner-up and margin of every pixel (Algorithm 1 and Eq. 1 of
  arXiv:2603.07666).
* `comparable_set`: stacks as a checked set.
* `warm_up`: compile ahead of time, in a worker, what `pearson_map` runs.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import as_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import Stacks, StackSet

__all__ = ["comparable_set", "pearson_map", "warm_up"]

_log = logging.getLogger(__name__)

#: Pixels between two progress reports: some 10 ms of work.
CHUNK_PIXELS = 1 << 18
#: Values of a block that plain numpy works on: 4 MB, and as much again for copies.
NUMPY_VALUES = 1 << 20
#: Largest block, in bytes, that is loaded at once from data that is not in memory.
BLOCK_BYTES = 1 << 25
#: A reference whose spread is smaller than this share of its values is constant.
CONSTANT = 1e-12


class _Ranking(NamedTuple):
    """Where the results of some pixels go; `scores` has the shape (n_refs, n)."""

    labels: NDArray[Any]
    runner_up: NDArray[Any]
    best: NDArray[np.float32]
    margin: NDArray[np.float32]
    scores: NDArray[np.float32]

    def part(self, low: int, high: int) -> _Ranking:
        """Return views on the pixels `low` to `high`."""
        return _Ranking(*(array[..., low:high] for array in self))


def pearson_map(
    stacks: Stacks,
    references: ReferenceSpectra,
    /,
    *,
    keep_scores: bool = True,
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    r"""Correlate every pixel's spectrum with every reference and rank the references.

    The score of pixel x and reference p is Pearson's
    :math:`r = \sum_e (x_e - \bar x)(p_e - \bar p) / (|x - \bar x|\,|p - \bar p|)`. The
    best reference is the pixel's phase, and the gap to the second best says how far it
    can be trusted [1]_: thickness and a constant background change neither.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Optical density or net counts. Frames that are missing in any stack are left
        out. Data may be a dask array; it is then loaded in blocks of rows.
    references : ReferenceSpectra
        Interpolated to the energies of `stacks`.
    keep_scores : bool, default=True
        Keep r of every reference, 4 bytes per pixel and reference. Without, only the
        best score and the margin are kept.
    on_progress : callable, optional
        Told the number of pixels done; may raise `Cancelled`.

    Returns
    -------
    PhaseMap
        In the pixel order of `stacks`. `margin` is L of Algorithm 1. Constant spectra
        and spectra with NaN or infinite values have label 0 and margin NaN, and are
        counted by `PhaseMap.n_unassigned`. With a single reference the margin is
        infinite.

    Raises
    ------
    ValueError
        If the stacks hold raw counts, if there are fewer than two energies, if a
        reference does not cover the energies, or if it is constant on them.

    Notes
    -----
    float32 throughout: within 1e-5 of a float64 computation on the same data. A gap
    below 1e-5 may be decided either way.

    References
    ----------
    .. [1] arXiv:2603.07666, Algorithm 1 and Eq. 1.

    Examples
    --------
    >>> from napari_phasemap.core.data.references import ReferenceSpectra
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> energy = [515.0, 517.0, 519.0]
    >>> refs = ReferenceSpectra(["a", "b"], energy, [[0, 1, 0], [0, 0, 1]])
    >>> data = np.array([[0, 5, 7], [2, 5, 7], [0, 6, 7]]).reshape(3, 1, 3)
    >>> stack = SpectralStack(data, energy, quantity="optical_density")
    >>> phases = pearson_map(stack, refs)
    >>> phases.labels.tolist(), phases.margin.round(2).tolist()
    ([1, 2, 0], [1.5, 1.5, nan])
    """
    stacks = comparable_set(stacks)
    units = _unit_references(stacks, references)
    total = stacks.n_pixels
    ranking = _empty_ranking(len(references), total, keep_scores)
    done = 0
    # Labels of two bytes would have to be compiled for, and products of many
    # references are what numpy is good at.
    rank = _rank_function() if ranking.labels.itemsize == 1 else _rank_with_numpy
    on_progress(0, total, "correlating")
    for flat, frames, positions in _blocks(stacks):
        n_block = flat.shape[1] if positions is None else len(positions)
        for low in range(0, n_block, CHUNK_PIXELS):
            high = min(low + CHUNK_PIXELS, n_block)
            part = ranking.part(done, done + high - low)
            rank(flat, frames, positions, low, units, part)
            done += high - low
            on_progress(done, total, "correlating")
    return PhaseMap(
        labels=ranking.labels,
        runner_up=ranking.runner_up,
        best=ranking.best,
        margin=ranking.margin,
        names=references.names,
        method="pearson",
        scores=ranking.scores.T if keep_scores else None,
        parameters=_parameters(stacks, references),
    )


def comparable_set(stacks: Stacks) -> StackSet:
    """Return the stacks as a set, or raise where they cannot resemble a reference.

    Parameters
    ----------
    stacks : Stacks
        Optical density or net counts, at two energies or more.

    Returns
    -------
    StackSet
        In the order given.
    """
    stacks = as_set(stacks)
    if stacks.quantity == "counts":
        raise InputError(
            f"{', '.join(map(repr, stacks.names))} holds raw counts, which do not "
            "resemble a reference; convert with optical_density (or subtract the "
            'background), or open it with quantity="optical_density" if it is one'
        )
    if stacks.n_energies < 2:
        raise InputError(
            f"a correlation needs at least two energies; got {stacks.n_energies}"
        )
    return stacks


def _unit_references(
    stacks: StackSet, references: ReferenceSpectra
) -> NDArray[np.float32]:
    """Return the references on the stacks' energies, each with mean 0 and norm 1."""
    resampled = references.resample(stacks.energy)
    centered = resampled.spectra - resampled.spectra.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centered, axis=1)
    flat = norm <= CONSTANT * np.linalg.norm(resampled.spectra, axis=1)
    if flat.any():
        names = [repr(references.names[i]) for i in np.flatnonzero(flat)]
        raise InputError(
            f"the reference {', '.join(names)} is constant over "
            f"{stacks.energy[0]:g}-{stacks.energy[-1]:g} eV, so nothing correlates "
            "with it; leave it out or widen the energy range"
        )
    return np.ascontiguousarray(centered / norm[:, None], dtype=np.float32)


def _empty_ranking(n_references: int, n_pixels: int, keep_scores: bool) -> _Ranking:
    """Return room for the results of `n_pixels` pixels."""
    dtype = np.uint8 if n_references < 256 else np.uint16
    return _Ranking(
        labels=np.empty(n_pixels, dtype=dtype),
        runner_up=np.empty(n_pixels, dtype=dtype),
        best=np.empty(n_pixels, dtype=np.float32),
        margin=np.empty(n_pixels, dtype=np.float32),
        scores=np.empty((n_references if keep_scores else 0, n_pixels), np.float32),
    )


def _parameters(stacks: StackSet, references: ReferenceSpectra) -> dict[str, Any]:
    """Return what the provenance of a map needs."""
    from napari_phasemap import __version__

    return {
        "stacks": list(stacks.names),
        "references": list(references.names),
        "n_energies": stacks.n_energies,
        "energy_range": [float(stacks.energy[0]), float(stacks.energy[-1])],
        "version": __version__,
    }


_Block = tuple["NDArray[np.float32]", "NDArray[np.int64]", "NDArray[np.int64] | None"]


def _blocks(stacks: StackSet) -> Iterator[_Block]:
    """Yield (values of shape (n_frames, n), frames in use, analyzed pixels or None).

    Data in memory come as they are, in one block, wherever frames or spectra are
    contiguous. Anything else is loaded in blocks of whole rows.
    """
    frames = np.flatnonzero(stacks.energy_used)
    for stack in stacks:
        for low, high in _row_blocks(stack):
            data = np.asarray(stack.data[:, low:high])
            if not _is_flat(data):
                data = np.ascontiguousarray(data)
            flat = data.reshape(stack.n_energies, -1)
            mask = stack.mask[low:high]
            yield flat, frames, None if mask.all() else np.flatnonzero(mask)


def _is_flat(data: Any) -> bool:
    """Return whether the pixels of an array in memory are evenly spaced."""
    energy_step, row_step, column_step = data.strides
    n_rows, n_cols = data.shape[1:]
    even = (
        n_rows * n_cols > 0
        and (n_rows == 1 or row_step == n_cols * column_step)
        and min(energy_step, column_step) > 0
        and energy_step % data.itemsize == column_step % data.itemsize == 0
    )
    return bool(even and data.flags.aligned)


def _row_blocks(stack: SpectralStack) -> Iterator[tuple[int, int]]:
    """Yield the first and last row of blocks that can be worked on at once.

    Blocks follow the chunks of a dask array, so that no chunk is loaded twice unless
    a single one is far too large.
    """
    n_rows, n_cols = stack.shape
    step = max(BLOCK_BYTES // max(4 * stack.n_energies * n_cols, 1), 1)
    heights, limit = (n_rows,), step
    if hasattr(stack.data, "chunks"):
        heights, limit = stack.data.chunks[1], 8 * step
    elif _is_flat(stack.data):
        limit = max(n_rows, 1)
    low = 0
    for height in heights:
        for start in range(low, low + height, limit):
            yield start, min(start + limit, low + height)
        low += height


@cache
def _rank_function() -> Callable[..., None]:
    """Return the compiled ranking once it has run, or plain numpy where it cannot."""
    try:
        spectra = np.array([[0.0], [1.0]], dtype=np.float32)
        frames = np.arange(2)
        for in_use in (None, np.arange(1)):
            ranking = _empty_ranking(1, 1, keep_scores=True)
            units = np.array([[-0.5, 0.5]], dtype=np.float32)
            _rank_compiled(spectra, frames, in_use, 0, units, ranking)
    except Exception:  # noqa: BLE001 # numba and LLVM fail in many ways of their own
        _log.warning("no compiled correlation, numpy is used instead", exc_info=True)
        return _rank_with_numpy
    return _rank_compiled


def warm_up() -> bool:
    """Compile the ranking, or load it from the cache; True where that worked.

    Takes seconds the first time on a machine, so call it in a worker.
    """
    return _rank_function() is _rank_compiled


def _memory(flat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what lies from the first to the last value, read-only, without a copy."""
    span = sum((n - 1) * step for n, step in zip(flat.shape, flat.strides, strict=True))
    return np.lib.stride_tricks.as_strided(
        flat, (span // flat.itemsize + 1,), (flat.itemsize,), writeable=False
    )


def _rank_compiled(
    flat: NDArray[np.float32],
    frames: NDArray[np.int64],
    positions: NDArray[np.int64] | None,
    start: int,
    units: NDArray[np.float32],
    out: _Ranking,
) -> None:
    """Rank the references for `len(out.labels)` pixels in one compiled pass."""
    from napari_phasemap.core.phases.kernels import rank_pixels

    if not flat.size:
        return
    listed = np.empty(0, dtype=np.int64) if positions is None else positions
    frame_step, pixel_step = (step // flat.itemsize for step in flat.strides)
    shifts = frames * frame_step
    rank_pixels(_memory(flat), shifts, pixel_step, listed, start, units, *out)


def _rank_with_numpy(
    flat: NDArray[np.float32],
    frames: NDArray[np.int64],
    positions: NDArray[np.int64] | None,
    start: int,
    units: NDArray[np.float32],
    out: _Ranking,
) -> None:
    """Rank the references for `len(out.labels)` pixels, in blocks that stay small."""
    n_pixels = len(out.labels)
    step = max(NUMPY_VALUES // len(frames), 1)
    for low in range(0, n_pixels, step):
        high = min(low + step, n_pixels)
        if positions is None:
            values = flat[frames, start + low : start + high]
        else:
            values = flat[np.ix_(frames, positions[start + low : start + high])]
        _rank_block(values, units, out.part(low, high))


def _rank_block(
    values: NDArray[np.float32], units: NDArray[np.float32], out: _Ranking
) -> None:
    """Rank the references for spectra of shape (n_energies, n_pixels)."""
    with np.errstate(all="ignore"):
        spectra = values - values[0].astype(np.float64)
        spectra -= spectra.mean(axis=0)
        norm = np.sqrt(np.einsum("ep,ep->p", spectra, spectra))
        scores = np.clip(units @ spectra / norm, -1.0, 1.0).astype(np.float32)
    ranked = PhaseMap.from_scores(scores.T, [str(k) for k in range(len(units))])
    for name in ("labels", "runner_up", "best", "margin"):
        getattr(out, name)[:] = getattr(ranked, name)
    out.scores[:] = scores[: len(out.scores)]
