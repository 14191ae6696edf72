"""What subtracting a background does to one spectrum, before the whole map is done.

* `preview_mean`, `preview_pixel`: measured, background and what is left.
* `EdgePreview`: those three on one axis.
* `jump_ratios`: which pixels would have the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.eels.background import subtract_background
from napari_phasemap.core.eels.edge import subtracted
from napari_phasemap.core.eels.presence import measure_presence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.presence import Presence
    from napari_phasemap.core.eels.recipe import EdgeRecipe

__all__ = ["EdgePreview", "jump_ratios", "preview_mean", "preview_pixel"]

#: Standard deviations of the Gaussian over which neighbors share the exponent.
REACH = 4.0


@dataclass(frozen=True, eq=False)
class EdgePreview:
    """One spectrum from the fit window to the end of the signal window.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In eV.
    measured, background, net : ndarray of shape (n_energies,)
        In the unit of the data; `net` is ``measured - background``.
    """

    energy: NDArray[np.float64]
    measured: NDArray[np.float64]
    background: NDArray[np.float64]

    @property
    def net(self) -> NDArray[np.float64]:
        """What is left."""
        return self.measured - self.background


def preview_mean(
    energy: NDArray[np.float64],
    mean: NDArray[np.float64],
    recipe: EdgeRecipe,
    /,
    *,
    quantity: str = "counts",
) -> EdgePreview:
    """Subtract the background of a mean spectrum.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In eV.
    mean : ndarray of shape (n_energies,)
        The spectrum, in the unit of `quantity`.
    recipe : EdgeRecipe
        Windows and method.
    quantity : str, default="counts"
        What the spectrum holds, see `SpectralStack`.

    Returns
    -------
    EdgePreview
        Spectrum, background and net spectrum.

    Raises
    ------
    ValueError
        If a window does not fit, as `subtract_background` says it.
    """
    stack = SpectralStack(
        np.asarray(mean)[:, None, None],
        energy,
        quantity=quantity,  # type: ignore[arg-type] # checked by SpectralStack
        name="mean spectrum",
    )
    return preview_pixel(stack, 0, 0, recipe)


def preview_pixel(
    stack: SpectralStack, row: int, col: int, recipe: EdgeRecipe, /
) -> EdgePreview:
    """Subtract the background of one pixel as the whole map would have it.

    Only the neighbors that share the pixel's exponent are computed with it.

    Parameters
    ----------
    stack : SpectralStack
        The spectrum image.
    row, col : int
        The pixel, inside the mask.
    recipe : EdgeRecipe
        Windows, method and neighbors.

    Returns
    -------
    EdgePreview
        Spectrum, background and net spectrum.

    Raises
    ------
    ValueError
        If a window does not fit, or the pixel is outside the mask.
    """
    if not stack.mask[row, col]:
        raise InputError(f"pixel ({row}, {col}) of {stack.name!r} is outside the mask")
    low, high = (recipe.fit_window or recipe.window)[0], recipe.window[1]
    used = (stack.energy >= low - 1e-6) & (stack.energy <= high + 1e-6)
    energy = stack.energy[used]
    measured = np.asarray(stack.data[:, row, col], dtype=np.float64)[used]
    if recipe.fit_window is None:
        return EdgePreview(energy, measured, np.zeros_like(measured))
    reach = int(np.ceil(REACH * recipe.background_neighbors))
    top, left = max(row - reach, 0), max(col - reach, 0)
    rows, cols = slice(top, row + reach + 1), slice(left, col + reach + 1)
    mask = np.array(stack.mask[rows, cols])
    patch = SpectralStack(
        np.asarray(stack.data[:, rows, cols]),
        stack.energy,
        mask=mask,
        quantity=stack.quantity,
        name=stack.name,
    )
    edge = subtract_background(
        patch,
        fit_window=recipe.fit_window,
        window=recipe.window,
        method=recipe.method,
        neighbors=recipe.background_neighbors,
    )
    here = int(
        np.count_nonzero(mask.ravel()[: (row - top) * mask.shape[1] + col - left])
    )
    return EdgePreview(energy, measured, edge.background_at(energy, here))


def jump_ratios(
    stack: SpectralStack,
    recipe: EdgeRecipe,
    previous: EdgeAnalysis | None = None,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Presence:
    """Return the jump ratio of every pixel and what it says, as in the run.

    Parameters
    ----------
    stack : SpectralStack
        Counts.
    recipe : EdgeRecipe
        With a fit window.
    previous : EdgeAnalysis, optional
        An earlier result, whose background is taken over where it is the same.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Presence
        In the pixel order of `stack`.

    Raises
    ------
    InputError
        If there is no fit window, or a window does not fit.
    """
    if recipe.fit_window is None:
        raise InputError(f"{recipe.name} has no fit window, so there is no jump ratio")
    on_progress(0, 1, f"{recipe.name}: jump ratios")
    return measure_presence(
        subtracted(stack, recipe, previous),
        significance=recipe.significance,
        neighbors=recipe.present_neighbors,
    )
