"""How large the jump of an edge has to be to be more than a bent background.

* `suggest_jump_ratio`: the threshold between pixels without and with the edge.
* `valley`: the gap between two groups of jump ratios.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.net_edge import averaged_jump
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.eels.background import subtract_background

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.eels.recipe import EdgeRecipe

__all__ = ["suggest_jump_ratio", "valley"]

#: Where a threshold may lie. A power law is a few per cent off where it is continued
#: over a wide window; a quarter more than it is an edge without doubt.
LOWEST, HIGHEST = 1.05, 1.25
#: Width of the bins of the logarithm of the jump ratio.
BIN = 0.02
#: The gap holds at most this share of the pixels per bin of either group's peak.
DEPTH = 0.5
#: Each group holds at least this share of the pixels.
LEAST_SHARE = 0.05
#: Pixels that suffice to see two groups.
MOST_PIXELS = 20_000


def suggest_jump_ratio(stack: SpectralStack, recipe: EdgeRecipe, /) -> float:
    """Return a smallest jump ratio for an edge, from all pixels.

    With enough counts a background that is not quite a power law is significant in
    every pixel. Where the jump ratios fall into two groups, the gap between them says
    which pixels have the edge; otherwise the recipe's own threshold stays.

    Parameters
    ----------
    stack : SpectralStack
        What the recipe is for; of a large one every so many rows and columns are used.
    recipe : EdgeRecipe
        Windows, method and neighbors.

    Returns
    -------
    float
        Between 1.05 and 1.25, or ``recipe.jump_ratio``.

    Raises
    ------
    ValueError
        If a window does not fit, as `subtract_background` says it.
    """
    if recipe.fit_window is None or not np.isfinite(recipe.jump_ratio):
        return recipe.jump_ratio
    edge = subtract_background(
        _thinned(stack, recipe.fit_window[0], recipe.window[1]),
        fit_window=recipe.fit_window,
        window=recipe.window,
        method=recipe.method,
        neighbors=recipe.background_neighbors,
    )
    found = valley(averaged_jump(edge, recipe.present_neighbors))
    return recipe.jump_ratio if found is None else found


def valley(jump: NDArray[np.floating]) -> float | None:
    """Return the jump ratio between two groups of pixels; None without a clear gap.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> valley(np.concatenate([rng.normal(1.02, 0.01, 500), rng.normal(1.5, 0.1, 500)]))
    1.13
    """
    kept = np.asarray(jump, dtype=np.float64)
    kept = np.log(kept[np.isfinite(kept) & (kept > 0)])
    if kept.size < 1 / LEAST_SHARE:
        return None
    bins = np.arange(np.log(LOWEST) - 40 * BIN, np.log(LOWEST) + 120 * BIN, BIN)
    count = np.convolve(np.histogram(kept, bins)[0], [0.25, 0.5, 0.25], mode="same")
    middle = 0.5 * (bins[:-1] + bins[1:])
    inside = np.flatnonzero((middle >= np.log(LOWEST)) & (middle <= np.log(HIGHEST)))
    # Several empty bins are one gap: its middle is the threshold.
    low = inside[count[inside] <= count[inside].min()]
    place = int(low[len(low) // 2])
    peaks = min(count[:place].max(), count[place + 1 :].max())
    shares = np.mean(kept < middle[place]), np.mean(kept >= middle[place])
    if count[place] > DEPTH * peaks or min(shares) < LEAST_SHARE:
        return None
    return round(float(np.exp(middle[place])), 2)


def _thinned(stack: SpectralStack, low: float, high: float) -> SpectralStack:
    """Return the channels that are needed, of at most `MOST_PIXELS` pixels."""
    step = int(np.ceil(np.sqrt(stack.mask.size / MOST_PIXELS)))
    if not stack.mask[::step, ::step].any():
        return stack
    # One channel more on either side, so that the windows still lie inside the axis.
    first, last = np.searchsorted(stack.energy, (low, high))
    channels = slice(max(int(first) - 1, 0), int(last) + 2)
    return SpectralStack(
        np.asarray(stack.data[channels, ::step, ::step]),
        stack.energy[channels],
        mask=np.array(stack.mask[::step, ::step]),
        quantity=stack.quantity,
        name=stack.name,
    )
