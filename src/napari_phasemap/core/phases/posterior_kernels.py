"""The compiled inner loops of the posterior. Imports numba, so import it where it runs.

* `fit_references`: amount and offset of the best reference of every pixel.
* `mixture_likelihoods`: how likely each phase is, pure or mixed with another.
* `weighted_products`: of one spectrum with the references.
* `pass_messages`, `add_neighbors`: belief propagation on the pixels of an image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

__all__ = [
    "add_neighbors",
    "fit_references",
    "mixture_likelihoods",
    "pass_messages",
    "weighted_products",
]

#: Messages are stored as whole numbers up to this, which halves their memory.
FULL = 65535.0
#: A misfit that is larger by so much than the best adds less than float32 can hold.
NEGLIGIBLE = 16.0
#: Neighbors in the order of their messages: the opposite of d is 7 - d.
ROWS = (-1, -1, -1, 0, 0, 1, 1, 1)
COLUMNS = (-1, 0, 1, -1, 1, -1, 0, 1)


def compiled(function: Any) -> Any:
    """Compile when first called, releasing the GIL, and keep the result on disk."""
    options = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract", "reassoc", "arcp", "nsz"},
    }
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba: "cannot cache function: no locator available"
        return numba.njit(**options)(function)


@compiled
def weighted_products(
    x: Floats, v: Floats, shapes: Doubles, offset: bool, b: Doubles, g: Doubles
) -> tuple[float, float, float]:
    """Write weighted products of a spectrum with the references, and of those.

    With an offset, everything is about the weighted mean.

    Parameters
    ----------
    x, v : ndarray of float32 of shape (n_energies,)
        Values and their variance. In the unit of the stack, and its square.
    shapes : ndarray of shape (n_references, n_energies)
        References. In the unit of the spectra.
    offset : bool
        Whether a constant is fitted as well.
    b : ndarray of shape (n_references,)
        Written: spectrum times reference over the variance. Dimensionless.
    g : ndarray of shape (n_references, n_references)
        Written: the same of two references, in the lower triangle. Dimensionless.

    Returns
    -------
    squares, mean, total : float
        Sum of the squares over the variance, weighted mean, and sum of the weights.
    """
    n_references, n_energies = shapes.shape
    total, mean, squares = 0.0, 0.0, 0.0
    means = np.zeros(n_references)
    b[:] = 0.0
    g[:] = 0.0
    for e in range(n_energies):
        weight = 1.0 / v[e]
        value = weight * x[e]
        total += weight
        mean += value
        squares += value * x[e]
        for k in range(n_references):
            own = weight * shapes[k, e]
            means[k] += own
            b[k] += own * x[e]
            for other in range(k + 1):
                g[k, other] += own * shapes[other, e]
    mean /= total
    if offset:
        squares -= mean * mean * total
        for k in range(n_references):
            b[k] -= means[k] * mean
            for other in range(k + 1):
                g[k, other] -= means[k] * means[other] / total
    return squares, mean, total


@compiled
def fit_references(
    spectra: Floats,
    variance: Floats,
    shapes: Doubles,
    offset: bool,
    label: NDArray[np.int64],
    amount: Floats,
    level: Floats,
) -> None:
    """Write the best reference of every pixel, its amount and its offset.

    Parameters
    ----------
    spectra, variance : ndarray of float32 of shape (n_pixels, n_energies)
        Values and their variance; a pixel with NaN gets NaN.
    shapes : ndarray of shape (n_references, n_energies)
        References, in the unit of the spectra.
    offset : bool
        Whether a constant is fitted as well.
    label : ndarray of int64 of shape (n_pixels,)
        Written: number of the reference.
    amount, level : ndarray of float32 of shape (n_pixels,)
        Written: factor of the reference, not negative, and the constant. Dimensionless,
        and in the unit of the spectra.
    """
    n_references, n_energies = shapes.shape
    b = np.zeros(n_references)
    g = np.zeros((n_references, n_references))
    for i in range(len(spectra)):
        _, mean, total = weighted_products(
            spectra[i], variance[i], shapes, offset, b, g
        )
        best, gain = 0, -1.0
        for k in range(n_references):
            explained = b[k] * b[k] / g[k, k] if b[k] > 0.0 else 0.0
            if explained > gain:
                best, gain = k, explained
        factor = max(b[best] / g[best, best], 0.0)
        label[i], amount[i], level[i] = best, factor, 0.0
        if offset:
            weighted = 0.0
            for e in range(n_energies):
                weighted += shapes[best, e] / variance[i, e]
            level[i] = mean - factor * weighted / total


@compiled
def mixture_likelihoods(
    spectra: Floats,
    variance: Floats,
    shapes: Doubles,
    offset: bool,
    shares: Doubles,
    scale: float,
    mixed: float,
    partners: Floats,
    likelihoods: Floats,
    misfit: Floats,
    mixing: Floats,
) -> None:
    """Write how likely every pixel is under each phase.

    A phase is pure with the probability ``1 - mixed``; else it has the larger part in a
    mixture with another phase, which is one with the probability of `partners`.

    Parameters
    ----------
    spectra, variance : ndarray of float32 of shape (n_pixels, n_energies)
        Values in any unit, and their variance in its square.
    shapes : ndarray of shape (n_references, n_energies)
        References, in the unit of the spectra.
    offset : bool
        Whether a constant is fitted as well.
    shares : ndarray of shape (n_shares,)
        Share of the second phase in a mixture, symmetric about 0.5.
    scale : float
        By which all variances are multiplied.
    mixed : float
        0 to 1.
    partners : ndarray of float32 of shape (n_pixels, n_references)
        How likely each phase is to be met around the pixel, not normalized.
    likelihoods : ndarray of float32 of shape (n_pixels, n_references)
        Written: relative to the best of the pixel.
    misfit : ndarray of float32 of shape (n_pixels,)
        Written: smallest sum of squared residuals over their variance. Dimensionless.
    mixing : ndarray of float32 of shape (n_pixels,)
        Written: probability that the pixel is a mixture, all phases alike.
    """
    n_references = len(shapes)
    n_shares = len(shares)
    b = np.zeros(n_references)
    g = np.zeros((n_references, n_references))
    found = np.zeros((n_references, n_references, n_shares))
    half = 0.5 / scale
    small = 2.0 / n_shares
    for i in range(len(spectra)):
        squares, _, _ = weighted_products(spectra[i], variance[i], shapes, offset, b, g)
        best = squares
        for k in range(n_references):
            chi = squares - (b[k] * b[k] / g[k, k] if b[k] > 0.0 else 0.0)
            found[k, k, 0] = chi
            best = min(best, chi)
            for m in range(k if mixed > 0.0 else 0):
                for q in range(n_shares):
                    a = shares[q]
                    product = (1.0 - a) * b[k] + a * b[m]
                    norm = (1.0 - a) * (1.0 - a) * g[k, k] + a * a * g[m, m]
                    norm += 2.0 * a * (1.0 - a) * g[k, m]
                    chi = squares
                    if product > 0.0:
                        chi -= product * product / norm
                    found[k, m, q] = chi
                    best = min(best, chi)
        misfit[i] = best
        total, pure, double = 0.0, 0.0, 0.0
        for k in range(n_references):
            total += partners[i, k]
            value = (1.0 - mixed) * np.exp(-half * (found[k, k, 0] - best))
            likelihoods[i, k] = value
            pure += value
        for k in range(n_references if mixed > 0.0 else 0):
            for m in range(k):
                first = partners[i, m] / (total - partners[i, k])
                second = partners[i, k] / (total - partners[i, m])
                for q in range(n_shares):
                    above = half * (found[k, m, q] - best)
                    if above > NEGLIGIBLE:
                        continue
                    value = mixed * small * np.exp(-above)
                    if shares[q] == 0.5:
                        value *= 0.5
                    if shares[q] <= 0.5:
                        likelihoods[i, k] += value * first
                        double += value * first
                    if shares[q] >= 0.5:
                        likelihoods[i, m] += value * second
                        double += value * second
        mixing[i] = double / (pure + double)


@compiled
def pass_messages(
    likelihoods: Floats,
    index: NDArray[np.int32],
    messages: NDArray[np.uint16],
    field: Doubles,
    strength: float,
    diagonal: float,
    n_sweeps: int,
    damping: float,
    marginals: Floats,
) -> None:
    """Let neighbors tell each other what they think, sweep after sweep.

    Sum-product belief propagation with a Potts prior, pixel after pixel in alternating
    order; a message sent is used at once.

    Parameters
    ----------
    likelihoods : ndarray of float32 of shape (n_pixels, n_phases)
        What each pixel thinks alone, up to a factor.
    index : ndarray of int32 of shape (n_rows + 2, n_cols + 2)
        Number of the pixel at each place, -1 where there is none.
    messages : ndarray of uint16 of shape (n_pixels, 8, n_phases)
        Messages to every pixel from its eight neighbors, read and written; 65535 at
        first.
    field : ndarray of shape (n_phases,)
        Factor of each phase. Dimensionless.
    strength : float
        What an agreeing neighbor is worth, in nats.
    diagonal : float
        The share of it that a diagonal neighbor is worth.
    n_sweeps : int
        Over all pixels.
    damping : float
        Share of the old message in the new one, 0 to 1.
    marginals : ndarray of float32 of shape (n_pixels, n_phases)
        Written: probability of each phase.
    """
    n_phases = likelihoods.shape[1]
    n_rows, n_columns = index.shape
    own, sent = np.empty(n_phases), np.empty(n_phases)
    straight, slanted = np.exp(strength) - 1.0, np.exp(diagonal * strength) - 1.0
    for sweep in range(n_sweeps):
        for at_row in range(1, n_rows - 1):
            row = at_row if sweep % 2 == 0 else n_rows - 1 - at_row
            for at_column in range(1, n_columns - 1):
                column = at_column if sweep % 2 == 0 else n_columns - 1 - at_column
                i = index[row, column]
                if i < 0:
                    continue
                total = 0.0
                for k in range(n_phases):
                    value = np.float64(likelihoods[i, k]) * field[k]
                    for d in range(8):
                        value *= messages[i, d, k] * (1.0 / FULL)
                    own[k] = value
                    total += value
                for k in range(n_phases):
                    own[k] /= total
                    marginals[i, k] = own[k]
                for d in range(8):
                    j = index[row + ROWS[d], column + COLUMNS[d]]
                    if j < 0:
                        continue
                    total = 0.0
                    for k in range(n_phases):
                        sent[k] = own[k] / messages[i, d, k]
                        total += sent[k]
                    slant = ROWS[d] * COLUMNS[d] != 0
                    worth = (slanted if slant else straight) / total
                    largest = 0.0
                    for k in range(n_phases):
                        sent[k] = 1.0 + worth * sent[k]
                        largest = max(largest, sent[k])
                    factor = (1.0 - damping) * FULL / largest
                    for k in range(n_phases):
                        old = damping * messages[j, 7 - d, k]
                        messages[j, 7 - d, k] = np.uint16(old + factor * sent[k] + 0.5)


@compiled
def add_neighbors(
    marginals: Floats, index: NDArray[np.int32], diagonal: float, out: Floats
) -> None:
    """Write the summed probabilities of the neighbors of every pixel.

    Parameters
    ----------
    marginals : ndarray of float32 of shape (n_pixels, n_phases)
        Probabilities.
    index : ndarray of int32 of shape (n_rows + 2, n_cols + 2)
        Number of the pixel at each place, -1 where there is none.
    diagonal : float
        Weight of a diagonal neighbor.
    out : ndarray of float32 of shape (n_pixels, n_phases)
        Written: sums of probabilities.
    """
    n_rows, n_columns = index.shape
    n_phases = marginals.shape[1]
    for row in range(1, n_rows - 1):
        for column in range(1, n_columns - 1):
            i = index[row, column]
            if i < 0:
                continue
            for k in range(n_phases):
                out[i, k] = 0.0
            for d in range(8):
                j = index[row + ROWS[d], column + COLUMNS[d]]
                if j < 0:
                    continue
                weight = diagonal if ROWS[d] * COLUMNS[d] != 0 else 1.0
                for k in range(n_phases):
                    out[i, k] += weight * marginals[j, k]
