"""The compiled inner loops of the blur. Imports numba, so import it where it runs.

* `place_products`: what the likelihood of any mixture in a pixel follows from.
* `blurred`: an image of shares, each the mean of its surroundings.
* `misfit_of`: what mixtures leave of the spectra.
* `sharpen`: pure phases whose blurred image explains the spectra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.phases.posterior_kernels import compiled, weighted_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

__all__ = ["blurred", "misfit_of", "place_products", "sharpen"]

#: A change of a share that is smaller is none.
STILL = 3e-3


@compiled
def place_products(
    spectra: Floats,
    variance: Floats,
    shapes: Doubles,
    offset: bool,
    scale: Floats,
    places: NDArray[np.int64],
    products: Floats,
    grams: Floats,
    squares: Floats,
) -> None:
    """Write weighted products of spectra and references to their places in an image.

    Parameters
    ----------
    spectra, variance : ndarray of float32 of shape (n_pixels, n_energies)
        Values and their variance. In the unit of the stack, and its square.
    shapes : ndarray of shape (n_references, n_energies)
        References. In the unit of the spectra.
    offset : bool
        Whether a constant is fitted as well.
    scale : ndarray of float32 of shape (n_pixels,)
        By which the variance is multiplied. Dimensionless.
    places : ndarray of int64 of shape (n_pixels,)
        Where each pixel goes.
    products : ndarray of float32 of shape (n_places, n_references)
        Written: spectrum times reference over the variance. Dimensionless.
    grams : ndarray of float32 of shape (n_places, n_references, n_references)
        Written: reference times reference over the variance. Dimensionless.
    squares : ndarray of float32 of shape (n_places,)
        Written: spectrum times spectrum over the variance. Dimensionless.
    """
    n_references = len(shapes)
    b = np.zeros(n_references)
    g = np.zeros((n_references, n_references))
    for i in range(len(spectra)):
        total, _, _ = weighted_products(spectra[i], variance[i], shapes, offset, b, g)
        p = places[i]
        squares[p] = total / scale[i]
        for k in range(n_references):
            products[p, k] = b[k] / scale[i]
            for m in range(k + 1):
                grams[p, k, m] = g[k, m] / scale[i]
                grams[p, m, k] = g[k, m] / scale[i]


@compiled
def blurred(image: Floats, inverse: Floats, weights: Floats, out: Floats) -> None:
    """Write the weighted mean of the surroundings of every pixel.

    Parameters
    ----------
    image : ndarray of float32 of shape (n_rows, n_cols, n_phases)
        Shares, 0 outside the mask.
    inverse : ndarray of float32 of shape (n_rows, n_cols)
        1 over the weights that lie inside the mask; 0 outside. Dimensionless.
    weights : ndarray of float32 of shape (2 * reach + 1,)
        Along a row and along a column. Dimensionless.
    out : ndarray of float32 of the shape of `image`
        Written. Shares.
    """
    n_rows, n_columns, n_phases = image.shape
    lines, sums = image.reshape(n_rows, -1), out.reshape(n_rows, -1)
    across = np.zeros(n_columns * n_phases, dtype=np.float32)
    for row in range(n_rows):
        _down(lines, row, weights, across)
        _along(across, weights, n_phases, sums[row])
        for column in range(n_columns):
            for k in range(n_phases):
                out[row, column, k] *= inverse[row, column]


@compiled
def _down(lines: Floats, row: int, weights: Floats, out: Floats) -> None:
    """Write the weighted sums of a row with those above and below it."""
    reach = len(weights) // 2
    out[:] = 0.0
    for a in range(max(-reach, -row), min(reach, len(lines) - 1 - row) + 1):
        weight = weights[a + reach]
        line = lines[row + a]
        for q in range(len(out)):
            out[q] += weight * line[q]


@compiled
def _along(values: Floats, weights: Floats, n_phases: int, out: Floats) -> None:
    """Write the weighted sums along a row of (n_cols * n_phases) values."""
    n_values = len(values)
    reach = len(weights) // 2
    out[:] = 0.0
    for a in range(-reach, reach + 1):
        weight = weights[a + reach]
        by = a * n_phases
        for q in range(max(0, -by), min(n_values, n_values - by)):
            out[q] += weight * values[q + by]


@compiled
def misfit_of(
    mixed: Floats, inverse: Floats, products: Floats, grams: Floats, squares: Floats
) -> float:
    """Return the summed squared residuals of mixtures with a free amount.

    Parameters
    ----------
    mixed : ndarray of float32 of shape (n_rows, n_cols, n_phases)
        Shares.
    inverse : ndarray of float32 of shape (n_rows, n_cols)
        0 outside the mask. Dimensionless.
    products, grams, squares : ndarray of float32 of shape (n_rows, n_cols, ...)
        From `place_products`, as images. Dimensionless.

    Returns
    -------
    float
        In units of the variance.
    """
    n_rows, n_columns, n_phases = mixed.shape
    total = 0.0
    for row in range(n_rows):
        for column in range(n_columns):
            if inverse[row, column] == 0.0:
                continue
            along, norm = 0.0, 0.0
            for k in range(n_phases):
                share = mixed[row, column, k]
                along += share * products[row, column, k]
                for m in range(n_phases):
                    norm += share * mixed[row, column, m] * grams[row, column, k, m]
            total += squares[row, column]
            if along > 0.0:
                total -= along * along / norm
    return total


@compiled
def _slope(
    mixed: Floats, products: Floats, grams: Floats, inverse: float, out: Floats
) -> float:
    """Write the slope of the log-likelihood by the shares; return the amount."""
    n_phases = len(mixed)
    along, norm = 0.0, 0.0
    for k in range(n_phases):
        value = 0.0
        for m in range(n_phases):
            value += grams[k, m] * mixed[m]
        out[k] = value
        norm += value * mixed[k]
        along += products[k] * mixed[k]
    amount = along / norm if along > 0.0 and norm > 0.0 else 0.0
    for k in range(n_phases):
        out[k] = amount * inverse * (products[k] - amount * out[k])
    return amount


@compiled
def sharpen(
    products: Floats,
    grams: Floats,
    inverse: Floats,
    weights: Floats,
    strength: float,
    diagonal: float,
    damping: float,
    n_sweeps: int,
    pure: Floats,
    mixed: Floats,
) -> None:
    """Improve pure phases, pixel after pixel, so that their blurred image fits better.

    Mean field: every pixel's phase is drawn to where the slope of the likelihood of all
    pixels it spills into points, and to its neighbors. Within a row, slopes follow the
    pixels before to first order; between rows, exactly.

    Parameters
    ----------
    products, grams : ndarray of float32 of shape (n_rows, n_cols, n_phases, ...)
        From `place_products`, as images. Dimensionless.
    inverse : ndarray of float32 of shape (n_rows, n_cols)
        1 over the weights inside the mask; 0 outside. Dimensionless.
    weights : ndarray of float32 of shape (2 * reach + 1,)
        Of the blur, along a row and along a column. Dimensionless.
    strength, diagonal : float
        As for `pass_messages`.
    damping : float
        Share of the old probability in the new one.
    n_sweeps : int
        Over all rows.
    pure : ndarray of float32 of shape (n_rows, n_cols, n_phases)
        Probabilities of the pure phases, 0 outside; improved.
    mixed : ndarray of float32 of the same shape
        Shares: `pure` blurred; kept up to date.
    """
    n_rows, n_columns, n_phases = pure.shape
    reach = len(weights) // 2
    slopes = np.zeros_like(pure)
    amounts = np.zeros((n_rows, n_columns), dtype=np.float32)
    for row in range(n_rows):
        for column in range(n_columns):
            one = inverse[row, column]
            if one > 0.0:
                amounts[row, column] = _slope(
                    mixed[row, column],
                    products[row, column],
                    grams[row, column],
                    one,
                    slopes[row, column],
                )
    echo = _echo(weights)
    lines = slopes.reshape(n_rows, -1)
    across = np.zeros(n_columns * n_phases, dtype=np.float32)
    pull = np.zeros((n_columns, n_phases), dtype=np.float32)
    change = np.zeros((n_columns, n_phases), dtype=np.float32)
    spilled = np.zeros((n_columns, n_phases), dtype=np.float32)
    for sweep in range(n_sweeps):
        for number in range(n_rows):
            row = number if sweep % 2 == 0 else n_rows - 1 - number
            _down(lines, row, weights, across)
            _along(across, weights, n_phases, pull.reshape(-1))
            if not _change_row(
                row,
                sweep % 2 == 1,
                pull,
                amounts,
                grams,
                inverse,
                echo,
                strength,
                diagonal,
                damping,
                pure,
                change,
            ):
                continue
            _along(change.reshape(-1), weights, n_phases, spilled.reshape(-1))
            for other in range(max(row - reach, 0), min(row + reach + 1, n_rows)):
                weight = weights[row - other + reach]
                for column in range(n_columns):
                    one = inverse[other, column]
                    if one == 0.0:
                        continue
                    largest = np.float32(0.0)
                    for k in range(n_phases):
                        step = weight * one * spilled[column, k]
                        mixed[other, column, k] += step
                        largest = max(largest, abs(step))
                    if largest > 0.0:
                        amounts[other, column] = _slope(
                            mixed[other, column],
                            products[other, column],
                            grams[other, column],
                            one,
                            slopes[other, column],
                        )


@compiled
def _echo(weights: Floats) -> Floats:
    """Return how much two pixels of a row spill into the same ones, by distance."""
    n_weights = len(weights)
    out = np.zeros(n_weights, dtype=np.float32)
    for distance in range(n_weights):
        for a in range(n_weights - distance):
            out[distance] += weights[a] * weights[a + distance]
    out *= out[0]
    return out


@compiled
def _change_row(
    row: int,
    backward: bool,
    pull: Floats,
    amounts: Floats,
    grams: Floats,
    inverse: Floats,
    echo: Floats,
    strength: float,
    diagonal: float,
    damping: float,
    pure: Floats,
    change: Floats,
) -> bool:
    """Change the probabilities of a row; write by how much, return whether at all."""
    n_rows, n_columns, n_phases = pure.shape
    new, leaned = np.empty(n_phases), np.empty(n_phases)
    changed = False
    for number in range(n_columns):
        column = n_columns - 1 - number if backward else number
        one = inverse[row, column]
        for k in range(n_phases):
            change[column, k] = 0.0
        if one == 0.0:
            continue
        stiff = (one * amounts[row, column]) ** 2
        mean = 0.0
        for k in range(n_phases):
            value = 0.0
            for m in range(n_phases):
                value += grams[row, column, k, m] * pure[row, column, m]
            leaned[k] = value
            mean += value * pure[row, column, k]
        for k in range(n_phases):
            curved = grams[row, column, k, k] - 2.0 * leaned[k] + mean
            new[k] = pull[column, k] - 0.5 * stiff * echo[0] * curved
        for up in range(-1, 2):
            if row + up < 0 or row + up >= n_rows:
                continue
            for side in range(-1, 2):
                at = column + side
                if (up == 0 and side == 0) or at < 0 or at >= n_columns:
                    continue
                worth = strength * (diagonal if up * side != 0 else 1.0)
                for k in range(n_phases):
                    new[k] += worth * pure[row + up, at, k]
        highest = new[0]
        for k in range(1, n_phases):
            highest = max(highest, new[k])
        total = 0.0
        for k in range(n_phases):
            new[k] = np.exp(new[k] - highest)
            total += new[k]
        largest = 0.0
        for k in range(n_phases):
            new[k] = (1.0 - damping) * (new[k] / total - pure[row, column, k])
            largest = max(largest, abs(new[k]))
        if largest < STILL:
            continue
        changed = True
        for k in range(n_phases):
            pure[row, column, k] += new[k]
            change[column, k] = new[k]
        for k in range(n_phases):
            value = 0.0
            for m in range(n_phases):
                value += grams[row, column, k, m] * new[m]
            leaned[k] = stiff * value
        for distance in range(1, len(echo)):
            at = column - distance if backward else column + distance
            if at < 0 or at >= n_columns:
                break
            for k in range(n_phases):
                pull[at, k] -= echo[distance] * leaned[k]
    return changed
