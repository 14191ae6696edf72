"""Whether probabilities mean what they say, where the truth is known.

* `calibration_error`: how far said and seen lie apart.
* `risk_coverage`: how many of the surest pixels are wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["calibration_error", "risk_coverage"]


def calibration_error(
    probability: ArrayLike, right: ArrayLike, /, *, n_bins: int = 15
) -> float:
    """Return how far probabilities lie from how often they are right [1]_.

    Parameters
    ----------
    probability : array_like of shape (n_pixels,)
        Of the label of each pixel, 0 to 1; NaN is left out.
    right : array_like of bool of shape (n_pixels,)
        Whether the label is the true one.
    n_bins : int, default=15
        Equal parts of 0 to 1.

    Returns
    -------
    float
        Mean distance over the bins, weighted by their pixels, 0 to 1; NaN without one.

    References
    ----------
    .. [1] C. Guo et al., On calibration of modern neural networks, ICML (2017),
       arXiv:1706.04599

    Examples
    --------
    >>> round(calibration_error([0.9, 0.9, 0.6, 0.6], [True, True, True, False]), 3)
    0.1
    """
    said, seen = np.asarray(probability, float), np.asarray(right, bool)
    there = np.isfinite(said)
    said, seen = said[there], seen[there]
    if not said.size:
        return float("nan")
    bins = np.minimum((said * n_bins).astype(int), n_bins - 1)
    gap = np.bincount(bins, said - seen, n_bins)
    return float(np.abs(gap).sum() / said.size)


def risk_coverage(confidence: ArrayLike, right: ArrayLike, /) -> float:
    """Return the area under the risk-coverage curve [1]_.

    Parameters
    ----------
    confidence : array_like of shape (n_pixels,)
        Larger is surer, in any unit: a margin or a probability; NaN counts as least.
    right : array_like of bool of shape (n_pixels,)
        Whether the label is the true one.

    Returns
    -------
    float
        Share of errors among the surest pixels, averaged over all shares of pixels
        that are kept, 0 to 1; NaN without a pixel.

    References
    ----------
    .. [1] Y. Geifman, R. El-Yaniv, Selective classification for deep neural networks,
       NeurIPS (2017), arXiv:1705.08500

    Examples
    --------
    >>> risk_coverage([3.0, 2.0, 1.0, 0.0], [True, True, True, False])
    0.0625
    """
    sure = np.nan_to_num(np.asarray(confidence, float), nan=-np.inf)
    wrong = ~np.asarray(right, bool)
    if not wrong.size:
        return float("nan")
    ordered = np.cumsum(wrong[np.argsort(-sure, kind="stable")])
    return float(np.mean(ordered / np.arange(1, wrong.size + 1)))
