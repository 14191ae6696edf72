"""How large the jump of an edge has to be to be more than a bent background.

* `suggest_presence`: the threshold between pixels without and with the edge, and why.
* `suggest_jump_ratio`: the threshold alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.eels.background import subtract_background
from napari_phasemap.core.eels.presence import measure_presence

if TYPE_CHECKING:
    from napari_phasemap.core.eels.recipe import EdgeRecipe

__all__ = ["JumpSuggestion", "suggest_jump_ratio", "suggest_presence"]

#: Pixels that suffice to see two groups.
MOST_PIXELS = 20_000


@dataclass(frozen=True)
class JumpSuggestion:
    """A smallest jump ratio for an edge.

    Parameters
    ----------
    jump_ratio : float
        For `EdgeRecipe`.
    sure : bool
        False where it is a guess, because pixels do not fall into two groups.
    reason : str
        Why, in words.
    """

    jump_ratio: float
    sure: bool
    reason: str


def suggest_presence(stack: SpectralStack, recipe: EdgeRecipe, /) -> JumpSuggestion:
    """Return a smallest jump ratio for an edge from all pixels, and how sure it is.

    With enough counts a background that is not quite a power law is significant in
    every pixel. So what the jump ratio is without the edge is taken from the pixels,
    see `measure_presence`; where they do not tell, the recipe's own threshold stays.

    Parameters
    ----------
    stack : SpectralStack
        What the recipe is for; of a large one every so many rows and columns are used.
    recipe : EdgeRecipe
        Windows, method and neighbors.

    Returns
    -------
    JumpSuggestion
        The threshold and the reason.

    Raises
    ------
    ValueError
        If a window does not fit, as `subtract_background` says it.
    """
    if recipe.fit_window is None or not np.isfinite(recipe.jump_ratio):
        return JumpSuggestion(recipe.jump_ratio, True, "every pixel is taken")
    edge = subtract_background(
        _thinned(stack, recipe.fit_window[0], recipe.window[1]),
        fit_window=recipe.fit_window,
        window=recipe.window,
        method=recipe.method,
        neighbors=recipe.background_neighbors,
    )
    found = measure_presence(
        edge, significance=recipe.significance, neighbors=recipe.present_neighbors
    )
    threshold = recipe.jump_ratio if found.center == 1.0 else round(found.threshold, 3)
    return JumpSuggestion(threshold, found.sure, found.reason)


def suggest_jump_ratio(stack: SpectralStack, recipe: EdgeRecipe, /) -> float:
    """Return the threshold of `suggest_presence`, with its parameters.

    Parameters
    ----------
    stack : SpectralStack
        The spectrum image, in counts.
    recipe : EdgeRecipe
        Windows of the edge.

    Returns
    -------
    float
        Dimensionless, see `suggest_presence`.
    """
    return suggest_presence(stack, recipe).jump_ratio


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
