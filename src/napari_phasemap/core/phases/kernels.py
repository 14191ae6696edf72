"""The compiled inner loops. Imports numba, so it is imported only where one runs.

* `rank_pixels`: correlate a range of pixels with all references and rank them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int64]

__all__ = ["rank_pixels"]

#: Pixels that are worked on at once: their intermediate results stay in the cache of
#: the core, and a size known to the compiler makes it use vector instructions.
TILE = 640
#: Energies per step, written out one by one below.
UNROLL = 4
#: A smaller sum of squares may have lost parts below the smallest normal float32.
SMALLEST = np.float32(1e-24)
#: The sum of squares about the first value over that about the mean. Above, float32
#: loses too much in the difference; with up to 31 energies it is never above.
CANCELLATION = np.float32(32.0)


def _compiled(function: Any) -> Any:
    """Compile when first called, releasing the GIL, and keep the result on disk."""
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba: "cannot cache function: no locator available"
        return numba.njit(**options)(function)


@_compiled
def _load(values: Floats, places: Integers, step: int, out: Floats) -> None:
    """Copy the listed values, or evenly spaced ones where none is listed.

    Unsigned, so that no place is taken to be counted from the end.
    """
    if places.size:
        for j in range(places.size):
            out[j] = values[np.uint64(places[j])]
    else:
        for j in range(out.size):
            out[j] = values[np.uint64(j * step)]


@_compiled
def _add_moments(
    x0: Floats,
    x1: Floats,
    x2: Floats,
    x3: Floats,
    first: Floats,
    tile: Floats,
    total: Floats,
    squares: Floats,
) -> None:
    """Write four energies less the first one into `tile`; add sums and squares."""
    for j in range(x0.size):
        f = first[j]
        a, b, c, d = x0[j] - f, x1[j] - f, x2[j] - f, x3[j] - f
        tile[j] = a
        tile[j + TILE] = b
        tile[j + 2 * TILE] = c
        tile[j + 3 * TILE] = d
        total[j] += (a + b) + (c + d)
        squares[j] += (a * a + b * b) + (c * c + d * d)


@_compiled
def _add_product(tile: Floats, u: Floats, out: Floats) -> None:
    """Add the products of four energies with one reference."""
    u0, u1, u2, u3 = u[0], u[1], u[2], u[3]
    for j in range(TILE):
        a, b, c, d = tile[j], tile[j + TILE], tile[j + 2 * TILE], tile[j + 3 * TILE]
        out[j] += (a * u0 + b * u1) + (c * u2 + d * u3)


@_compiled
def _add_two_products(
    tile: Floats, u: Floats, v: Floats, out_u: Floats, out_v: Floats
) -> None:
    """Add the products of four energies with two references, loading them once."""
    u0, u1, u2, u3 = u[0], u[1], u[2], u[3]
    v0, v1, v2, v3 = v[0], v[1], v[2], v[3]
    for j in range(TILE):
        a, b, c, d = tile[j], tile[j + TILE], tile[j + 2 * TILE], tile[j + 3 * TILE]
        out_u[j] += (a * u0 + b * u1) + (c * u2 + d * u3)
        out_v[j] += (a * v0 + b * v1) + (c * v2 + d * v3)


@_compiled
def _invert_norms(total: Floats, squares: Floats, n_energies: int) -> None:
    """Write 1 / norm into `total`; set `squares` to 0 where it is not to be trusted."""
    per_energy, one = np.float32(1.0 / n_energies), np.float32(1.0)
    for j in range(TILE):
        about_mean = squares[j] - total[j] * total[j] * per_energy
        sound = about_mean * CANCELLATION > squares[j]
        total[j] = one / np.sqrt(about_mean)
        squares[j] = about_mean if sound else np.float32(0.0)


@_compiled
def _fold(
    r: Floats,
    inverse: Floats,
    number: np.float32,
    best: Floats,
    second: Floats,
    label: Floats,
    runner_up: Floats,
) -> None:
    """Norm the products with one reference to r and take them into the ranking."""
    one = np.float32(1.0)
    for j in range(TILE):
        value = r[j] * inverse[j]
        value = one if value > one else value
        value = -one if value < -one else value
        r[j] = value
        wins = value > best[j]
        places = value > second[j]
        second[j] = best[j] if wins else (value if places else second[j])
        runner_up[j] = label[j] if wins else (number if places else runner_up[j])
        best[j] = value if wins else best[j]
        label[j] = number if wins else label[j]


@_compiled
def _correlate_exactly(
    values: Floats, shifts: Integers, at: int, units: Floats, r: NDArray[np.float64]
) -> bool:
    """Correlate one spectrum in float64; False where it is constant or not finite."""
    spectrum = np.empty(shifts.size, dtype=np.float64)
    first = np.float64(values[at + shifts[0]])
    for e in range(shifts.size):
        spectrum[e] = np.float64(values[at + shifts[e]]) - first
    largest = np.max(np.abs(spectrum))
    if not 0.0 < largest < np.inf:
        return False
    spectrum -= spectrum.mean()
    spectrum /= largest
    norm = np.sqrt(np.sum(spectrum * spectrum))
    for k in range(units.shape[0]):
        dot = 0.0
        for e in range(shifts.size):
            dot += spectrum[e] * units[k, e]
        r[k] = min(max(dot / norm, -1.0), 1.0)
    return True


@_compiled
def _rank_exactly(
    r: NDArray[np.float64],
    pixel: int,
    labels: NDArray[Any],
    runner_up: NDArray[Any],
    best: Floats,
    margin: Floats,
) -> None:
    """Write the ranking of one pixel from scores that are all finite or all NaN."""
    top, second = -np.inf, -np.inf
    for k in range(r.size):
        if r[k] > top:
            second, runner_up[pixel] = top, labels[pixel]
            top, labels[pixel] = r[k], k + 1
        elif r[k] > second:
            second, runner_up[pixel] = r[k], k + 1
    if labels[pixel]:
        best[pixel], margin[pixel] = top, top - second


@_compiled
def rank_pixels(
    values: Floats,
    shifts: Integers,
    pixel_step: int,
    positions: Integers,
    start: int,
    units: Floats,
    labels: NDArray[Any],
    runner_up: NDArray[Any],
    best: Floats,
    margin: Floats,
    scores: Floats,
) -> None:
    """Rank the references for consecutive pixels.

    Parameters
    ----------
    values : ndarray of float32 of shape (n_values,)
        The memory of an image stack, contiguous and read-only. The value of pixel p at
        energy e is `values[shifts[e] + pixel_step * p]`.
    shifts : ndarray of int64 of shape (n_energies,)
        Where the energies in use begin.
    pixel_step : int
        1 where every frame is contiguous, n_energies where every spectrum is.
    positions : ndarray of int64 of shape (n,)
        Pixels to use; empty means all.
    start : int
        First of the positions (or pixels) to work on; as many as `labels` is long.
    units : ndarray of float32 of shape (n_references, n_energies)
        References with mean 0 and norm 1. Dimensionless.
    labels, runner_up, best, margin : ndarray of shape (n_pixels,)
        Written, see `PhaseMap`. Numbers of phases, and correlations.
    scores : ndarray of float32 of shape (n_references or 0, n_pixels)
        Written, unless it has no rows. Correlations.
    """
    n_references = units.shape[0]
    as_it_is = pixel_step == 1 and not positions.size
    # Values less the first one are 0 at the first energy, which therefore is left out
    # and can fill up the last step without changing any sum.
    n_steps = (shifts.size + UNROLL - 2) // UNROLL
    steps = np.full(n_steps * UNROLL, shifts[0])
    steps[: shifts.size - 1] = shifts[1:]
    weights = np.zeros((n_references, n_steps * UNROLL), dtype=np.float32)
    weights[:, : shifts.size - 1] = units[:, 1:]
    places = np.empty(0, dtype=np.int64)
    rows = np.zeros((UNROLL, TILE), dtype=np.float32)
    first = np.zeros(TILE, dtype=np.float32)
    tile = np.zeros(UNROLL * TILE, dtype=np.float32)
    r = np.empty((n_references, TILE), dtype=np.float32)
    total, squares = np.empty(TILE, np.float32), np.empty(TILE, np.float32)
    top, second = np.empty(TILE, np.float32), np.empty(TILE, np.float32)
    # float32 numbers: every loop over a tile then works on one kind of vector
    label, other = np.empty(TILE, np.float32), np.empty(TILE, np.float32)
    exact = np.empty(n_references, dtype=np.float64)
    for low in range(0, labels.size, TILE):
        n = min(TILE, labels.size - low)
        at, to = start + low, start + low + n
        origin = at * pixel_step
        if positions.size:
            origin, places = 0, positions[at:to] * pixel_step
        r[:] = np.float32(0.0)
        total[:] = np.float32(0.0)
        squares[:] = np.float32(0.0)
        _load(values[shifts[0] + origin :], places, pixel_step, first[:n])
        for e in range(0, steps.size, UNROLL):
            if as_it_is:
                _add_moments(
                    values[steps[e] + at : steps[e] + to],
                    values[steps[e + 1] + at : steps[e + 1] + to],
                    values[steps[e + 2] + at : steps[e + 2] + to],
                    values[steps[e + 3] + at : steps[e + 3] + to],
                    first[:n],
                    tile,
                    total,
                    squares,
                )
            else:
                for i in range(UNROLL):
                    _load(
                        values[steps[e + i] + origin :], places, pixel_step, rows[i, :n]
                    )
                x0, x1, x2, x3 = rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n]
                _add_moments(x0, x1, x2, x3, first[:n], tile, total, squares)
            u = weights[:, e : e + UNROLL]
            for k in range(0, n_references - 1, 2):
                _add_two_products(tile, u[k], u[k + 1], r[k], r[k + 1])
            if n_references % 2:
                _add_product(tile, u[n_references - 1], r[n_references - 1])
        _invert_norms(total, squares, shifts.size)
        top[:] = np.float32(-np.inf)
        second[:] = np.float32(-np.inf)
        label[:] = np.float32(0.0)
        other[:] = np.float32(0.0)
        for k in range(n_references):
            _fold(r[k], total, np.float32(k + 1), top, second, label, other)
            if scores.shape[0]:
                scores[k, low : low + n] = r[k, :n]
        n_odd = 0
        for j in range(n):
            best[low + j] = top[j]
            margin[low + j] = top[j] - second[j]
            labels[low + j] = np.int32(label[j])
            runner_up[low + j] = np.int32(other[j])
        for j in range(n):
            n_odd += not squares[j] > SMALLEST
        for j in range(n if n_odd else 0):
            if squares[j] > SMALLEST:
                continue
            pixel = low + j
            place = places[j] if positions.size else origin + j * pixel_step
            if not _correlate_exactly(values, shifts, place, units, exact):
                exact[:] = np.nan
            labels[pixel], runner_up[pixel] = 0, 0
            best[pixel], margin[pixel] = np.nan, np.nan
            _rank_exactly(exact, pixel, labels, runner_up, best, margin)
            for k in range(scores.shape[0]):
                scores[k, pixel] = exact[k]
