"""The jump ratio of pixels without an edge, from pixels of which nobody knows which.

* `null_jump`: its curve over the counts, and its width.
* `NullJump`: the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HIGHEST", "LEAST_PIXELS", "NullJump", "null_jump"]

#: Largest jump ratio that a background without an edge is believed to have.
HIGHEST = 1.25
#: Fewer pixels than this show no groups.
LEAST_PIXELS = 20
#: From how many pixels on the curve is a line, and a cubic.
PIXELS_OF_A_LINE, PIXELS_OF_A_CUBIC = 60, 300
#: Width beyond the noise above which a group is no null.
WIDEST = 0.05
#: A lower group counts from this share of the highest density on.
LOWER_PEAK = 0.25
#: Width in jump ratio of what is one group at least.
RESOLUTION = 0.02
#: A quarter of the normal distribution is within this many standard deviations of its
#: middle on one side: the median of the squares of one side is 0.455 variances.
MEDIAN_SQUARE = 0.455


@dataclass(frozen=True, eq=False)
class NullJump:
    """What the jump ratio is without the edge.

    Parameters
    ----------
    curve : ndarray of shape (n_pixels,)
        Per pixel, from its counts.
    center : float
        Median of the curve over the pixels that lie on it.
    width : float
        Standard deviation beyond the noise of a pixel.
    """

    curve: NDArray[np.float64]
    center: float
    width: float

    @property
    def too_wide(self) -> bool:
        """Whether this is no group of pixels without the edge."""
        return self.width > WIDEST


def null_jump(
    jump: NDArray[np.floating],
    level: NDArray[np.floating],
    noise: NDArray[np.floating],
    /,
) -> NullJump:
    """Follow the lowest group of jump ratios over the counts.

    Modal regression [1]_: the curve on which most pixels lie, whatever lies above it.
    Its width is that of the pixels below it, where no edge adds anything.

    Parameters
    ----------
    jump, level, noise : ndarray of shape (n_pixels,)
        Jump ratio, logarithm of the background's counts, and standard deviation of the
        jump ratio by counting; NaN in `jump` where nothing was measured.

    Returns
    -------
    NullJump
        A constant for few pixels, a line or a cubic for more.

    References
    ----------
    .. [1] W. Yao, L. Li, A new regression model: modal linear regression, Scand. J.
       Stat. 41, 656 (2014), doi:10.1111/sjos.12054.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> jump = np.append(rng.normal(1.1, 0.02, 600), rng.uniform(1.1, 2.0, 400))
    >>> found = null_jump(jump, np.zeros(1000), np.full(1000, 0.02))
    >>> bool(abs(found.center - 1.1) < 0.01), bool(found.width < 0.01)
    (True, True)
    """
    known = np.isfinite(jump) & np.isfinite(level) & np.isfinite(noise)
    if int(known.sum()) < LEAST_PIXELS:
        return NullJump(np.ones(len(jump)), 1.0, 0.0)
    y, sigma = jump[known].astype(np.float64), float(np.median(noise[known]))
    design = _Design(level[known])
    curve, width = _modal(y, design.columns(level[known]), _lowest_peak(y, sigma))
    on_it = np.abs(y - curve) < 2.0 * width
    inside = design.within(level[known][on_it])
    fitted = np.ones(len(jump))
    coefficients = np.linalg.lstsq(design.columns(level[known]), curve, rcond=None)[0]
    filled = np.where(known, level, inside[0])
    fitted = design.columns(np.clip(filled, *inside)) @ coefficients
    center = float(np.median(fitted[known][on_it]))
    beyond = np.sqrt(max(width**2 - sigma**2, 0.0))
    return NullJump(fitted, center, float(beyond))


class _Design:
    """Columns 1, x, x^2 and x^3 of a curve over the counts, x without unit."""

    def __init__(self, level: NDArray[np.floating]) -> None:
        self._middle = float(np.median(level))
        self._scale = float(np.std(level))
        self.degree = 0
        # Where all pixels have the same counts, there is no curve to follow.
        if self._scale > 1e-3 and len(level) >= PIXELS_OF_A_LINE:
            self.degree = 3 if len(level) >= PIXELS_OF_A_CUBIC else 1

    def columns(self, level: NDArray[np.floating]) -> NDArray[np.float64]:
        x = np.clip((level - self._middle) / max(self._scale, 1e-3), -3.0, 3.0)
        return np.stack([x**power for power in range(self.degree + 1)], axis=1)

    @staticmethod
    def within(level: NDArray[np.floating]) -> tuple[float, float]:
        """Return between which counts the curve is known."""
        if not len(level):
            return -np.inf, np.inf
        low, high = np.percentile(level, (0.5, 99.5))
        return float(low), float(high)


def _lowest_peak(jump: NDArray[np.float64], sigma: float) -> float:
    """Return the lowest jump ratio around which many pixels lie."""
    from scipy.ndimage import gaussian_filter1d

    width = max(1.5 * sigma, RESOLUTION)
    low, high = np.percentile(jump, (0.5, 99.5))
    bins = np.arange(low - 3.0 * width, high + 3.0 * width, width / 4.0)
    density = gaussian_filter1d(np.histogram(jump, bins)[0].astype(float), 4.0)
    inner = density[1:-1]
    peaks = (inner >= density[:-2]) & (inner > density[2:])
    high_enough = np.flatnonzero(peaks & (inner >= LOWER_PEAK * density.max()))
    if not len(high_enough):
        return float(np.median(jump))
    at = int(high_enough[0]) + 1
    return float(0.5 * (bins[at] + bins[at + 1]))


def _modal(
    jump: NDArray[np.float64], design: NDArray[np.float64], start: float
) -> tuple[NDArray[np.float64], float]:
    """Return the curve on which most pixels lie, and the width below it."""
    curve = np.full(len(jump), start)
    width = _left_width(jump - curve)
    reach = max(2.0 * width, RESOLUTION)
    ridge = np.diag([0.0] + [1e-3] * (design.shape[1] - 1))
    for step in range(60):
        weight = np.exp(-0.5 * ((jump - curve) / reach) ** 2)
        weighted = design * weight[:, None]
        gram = weighted.T @ design + ridge * weight.sum()
        new = design @ np.linalg.solve(gram, weighted.T @ jump)
        moved = float(np.abs(new - curve).max())
        curve, width = new, _left_width(jump - new)
        if moved < 1e-5:
            break
        # The reach narrows slowly, so that a curve that starts flat can bend first.
        reach = max(1.2 * width, 0.7 * reach if step < 5 else 0.0, RESOLUTION / 2.0)
    return curve, width


def _left_width(rest: NDArray[np.float64]) -> float:
    """Return the standard deviation of a normal group from its lower side."""
    below = rest[rest < 0]
    if not len(below):
        return RESOLUTION
    return float(max(np.sqrt(np.median(below**2) / MEDIAN_SQUARE), 1e-4))
