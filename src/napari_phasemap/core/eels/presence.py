"""Which pixels have an edge: what the jump ratio is without it, and what is more.

A power law is not exactly what lies under an edge, so the jump ratio of a pixel without
the edge is neither 1 nor the same everywhere: it follows the thickness, and with it the
counts. So it is estimated from the pixels themselves.

* `measure_presence`: jump ratios freed of that, and a threshold for them.
* `Presence`: the result; `at` says which pixels have the edge at any threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.net_edge import (
    NO_COUNTS,
    NOT_FINITE,
    averaged_significance,
    check_reach,
)
from napari_phasemap.core.eels.null_jump import (
    HIGHEST,
    LEAST_PIXELS,
    NullJump,
    null_jump,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.net_edge import NetEdge

__all__ = ["FALLBACK", "Presence", "measure_presence"]

#: Threshold where the pixels do not say one. A power law is a few per cent off where it
#: is continued over a wide window.
FALLBACK = 1.05
#: Least share of the background by which an edge raises it, however many counts there
#: are: the probe's tails and the mixed pixels at a boundary make up less.
LEAST_AMOUNT = 0.05
#: Standard deviations without an edge that an edge is above; neighbors and the
#: significance do the rest.
SIGMAS = 2.0
#: Share of pixels that is a group rather than some odd ones.
LEAST_SHARE = 0.01
#: A pixel with less than this share of the counts of a bright one is vacuum.
VACUUM = 0.02
#: What one agreeing neighbor is worth in nats, for a weight of 1; diagonal ones less.
PULL = 0.5
_KERNEL = np.array([[0.7, 1.0, 0.7], [1.0, 0.0, 1.0], [0.7, 1.0, 0.7]])
#: Log-odds that one pixel can have by itself, and sweeps over all pixels.
LARGEST_ODDS, SWEEPS = 8.0, 12


@dataclass(frozen=True, eq=False)
class Presence:
    """Jump ratios and what they say. Per-pixel arrays are in pixel order.

    Parameters
    ----------
    jump : ndarray of float32 of shape (n_pixels,)
        Jump ratio less its trend with the counts, so that pixels without the edge lie
        around `center` wherever they are; NaN in vacuum and where nothing was measured.
    spread : ndarray of float32 of shape (n_pixels,)
        Standard deviation that `jump` has without the edge. Dimensionless.
    significant : bool ndarray of shape (n_pixels,)
        Whether the counts above the null are more than noise, with the neighbors'.
    center : float
        Jump ratio of a pixel without the edge, at the median counts of such pixels; 1
        where it is not known.
    threshold : float
        Suggested smallest `jump` of a pixel that has the edge.
    sure : bool
        False where the threshold is a guess.
    reason : str
        In words, why.
    neighbors : float
        Weight of the neighbors.
    mask : bool ndarray of shape (n_rows, n_cols)
        Where the pixels lie.
    """

    jump: NDArray[np.float32]
    spread: NDArray[np.float32]
    significant: NDArray[np.bool_]
    center: float
    threshold: float
    sure: bool
    reason: str
    neighbors: float
    mask: NDArray[np.bool_]

    def at(self, threshold: float) -> NDArray[np.bool_]:
        r"""Return which pixels have the edge at a threshold, (n_pixels,).

        A pixel's log-odds compare an amount of twice the threshold's with none:
        :math:`2 a (j - t) / s^2` with :math:`a = t -` `center` and the spread s; it is
        0 at the threshold. Its neighbors pull it with a mean-field Ising model, which
        matters where the noise is large, and hardly where it is small.

        Parameters
        ----------
        threshold : float
            Smallest jump ratio; -inf for every pixel that was measured.

        Returns
        -------
        bool ndarray of shape (n_pixels,)
            False where nothing was measured.
        """
        known = np.isfinite(self.jump)
        if threshold == -np.inf:
            return known & self.significant
        amount = max(threshold - self.center, LEAST_AMOUNT)
        with np.errstate(invalid="ignore"):
            odds = 2.0 * amount * (self.jump - threshold) / self.spread**2
        odds = np.clip(np.where(known, odds, 0.0), -LARGEST_ODDS, LARGEST_ODDS)
        image = np.zeros(self.mask.shape)
        image[self.mask] = odds
        seen = np.zeros(self.mask.shape, dtype=bool)
        seen[self.mask] = known
        agreed = _agreed(image, seen, PULL * self.neighbors)[self.mask]
        present: NDArray[np.bool_] = known & self.significant & (agreed > 0)
        return present


def measure_presence(
    edge: NetEdge, /, *, significance: float = 3.0, neighbors: float = 1.0
) -> Presence:
    """Find what the jump ratio is without the edge, and how much more an edge is.

    Parameters
    ----------
    edge : NetEdge
        After background subtraction.
    significance : float, default=3.0
        Smallest z of the counts above the null, averaged over neighbors.
    neighbors : float, default=1.0
        Weight of the neighbors; 0 takes every pixel alone.

    Returns
    -------
    Presence
        With a threshold that is `FALLBACK` and a guess where the pixels are all alike.

    Raises
    ------
    ValueError
        If `neighbors` is negative or no number.
    """
    check_reach(neighbors)
    usable = _usable(edge)
    raw = np.where(usable, edge.jump_ratio, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = np.sqrt(edge.null_variance) / edge.background
        level = np.log(edge.background)
    null = null_jump(raw, np.where(usable, level, np.nan), noise)
    jump = raw - null.curve + null.center
    spread = np.sqrt(np.maximum(noise, 1e-6) ** 2 + null.width**2)
    center, threshold, sure, reason = _judged(null, jump, spread)
    if center != null.center:
        jump = raw
    above = (jump - center) * edge.background
    z = averaged_significance(
        np.where(usable, above, np.nan).astype(np.float32),
        edge.null_variance,
        edge.net.mask,
        neighbors,
    )
    return Presence(
        jump=read_only(jump.astype(np.float32)),
        spread=read_only(spread.astype(np.float32)),
        significant=read_only(usable & (np.nan_to_num(z) > significance)),
        center=center,
        threshold=threshold,
        sure=sure,
        reason=reason,
        neighbors=neighbors,
        mask=edge.net.mask,
    )


def _usable(edge: NetEdge) -> NDArray[np.bool_]:
    """Return which pixels have a background that is not vacuum's."""
    usable: NDArray[np.bool_] = (edge.flags & (NO_COUNTS | NOT_FINITE)) == 0
    usable &= edge.background > 0
    if usable.any():
        usable &= edge.background >= VACUUM * np.percentile(edge.background[usable], 90)
    return usable


def _judged(
    null: NullJump, jump: NDArray[np.floating], spread: NDArray[np.floating]
) -> tuple[float, float, bool, str]:
    """Return center, threshold, whether it is sure, and why."""
    known = np.isfinite(jump)
    n_known = int(known.sum())
    if n_known < LEAST_PIXELS:
        return (
            1.0,
            FALLBACK,
            False,
            f"a guess: {n_known} pixels are too few to see two groups",
        )
    if null.center > HIGHEST:
        return (
            1.0,
            FALLBACK,
            True,
            f"no group of pixels is without the edge: the lowest jump ratios that many "
            f"have are around {null.center:.2f}",
        )
    typical = float(np.median(spread[known]))
    amount = max(LEAST_AMOUNT, SIGMAS * typical)
    beyond_doubt = null.center + max(LEAST_AMOUNT, 3.0 * typical)
    with_edge = float(np.mean(jump[known] > beyond_doubt))
    if null.too_wide:
        return (
            1.0,
            FALLBACK,
            False,
            "a guess: jump ratios spread evenly, no group is as narrow as without edge",
        )
    if with_edge < LEAST_SHARE:
        return (
            1.0,
            FALLBACK,
            False,
            f"a guess: one group of pixels, around {null.center:.2f}; a weak edge "
            "everywhere looks like a background that is not quite a power law",
        )
    return (
        null.center,
        _in_the_gap(jump[known], null.center + amount),
        True,
        f"without the edge the jump ratio is {null.center:.2f} ± {typical:.2f}",
    )


def _in_the_gap(jump: NDArray[np.floating], least: float) -> float:
    """Return the middle of a gap above `least`; `least` where there is none.

    A gap is the widest stretch that holds a hundredth of the pixels, if behind it they
    lie three times as densely.
    """
    few = max(int(LEAST_SHARE * len(jump)), 1)
    above = np.sort(jump[jump > least])
    if len(above) <= 7 * few:
        return least
    starts = np.append(least, above)
    width = starts[few : -6 * few] - starts[: -7 * few]
    behind = starts[6 * few : -few] - starts[few : -6 * few]
    near = starts[: -7 * few] < HIGHEST
    gap = int(np.argmax(np.where(near, width, 0.0)))
    if not near.any() or behind[gap] > 5.0 / 3.0 * width[gap]:
        return least
    # What is above `HIGHEST` is an edge in any case, however far the gap goes.
    return float(max(min(starts[gap] + 0.5 * width[gap], HIGHEST - 0.01), least))


def _agreed(
    odds: NDArray[np.float64], seen: NDArray[np.bool_], pull: float
) -> NDArray[np.float64]:
    """Return log-odds after neighbors pulled one another: a mean-field Ising model."""
    from scipy.ndimage import convolve

    if pull <= 0:
        return odds
    out = odds
    for _ in range(SWEEPS):
        votes = np.tanh(0.5 * out) * seen
        out = odds + pull * convolve(votes, _KERNEL, mode="constant")
    return out
