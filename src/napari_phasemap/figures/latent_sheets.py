"""Put drawings of a latent space together on a page.

* `latent_sheet`: where the phases lie, before and after ambiguity is resolved.
* `meaning_sheet`: which axis is thickness, and what the model makes of the phases.
* `loss_sheet`: how it learned.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.figures.history import draw_history
from napari_phasemap.figures.latent import (
    draw_axis_intensity,
    draw_latent,
    draw_phase_reconstructions,
)
from napari_phasemap.figures.style import MM, NORMAL, SMALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.latent.latent import AxisIntensity, PhaseReconstructions

__all__ = ["latent_sheet", "loss_sheet", "meaning_sheet"]


def latent_sheet(
    latent: NDArray[Any],
    phases: PhaseMap,
    resolved: PhaseMap | None = None,
    /,
    *,
    threshold: float,
) -> Figure:
    """Return a figure of the first three latent axes in pairs (Fig. S5).

    Parameters
    ----------
    latent : ndarray of shape (n_pixels, n_latent)
        With two axes or more.
    phases : PhaseMap
        Upper row; its ambiguous pixels are gray.
    resolved : PhaseMap, optional
        Lower row.
    threshold : float
        Margin of `phases` below which a pixel is ambiguous.

    Returns
    -------
    Figure
        180 mm wide.

    Raises
    ------
    ValueError
        If there is only one latent axis.
    """
    from matplotlib.figure import Figure

    pairs = [*combinations(range(min(latent.shape[1], 3)), 2)]
    if not pairs:
        raise InputError("one latent axis alone cannot be drawn in pairs")
    rows: list[tuple[str, PhaseMap, float | None]] = [
        ("correlation", phases, threshold)
    ]
    if resolved is not None:
        rows.append((f"resolved ({resolved.method})", resolved, None))
    size = (180.0 * MM, (58.0 * len(rows) + 10.0) * MM)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(rows), len(pairs), squeeze=False)
    for places, (title, drawn, below) in zip(grid, rows, strict=True):
        for axes, pair in zip(places, pairs, strict=True):
            draw_latent(axes, latent, drawn, dimensions=pair, ambiguous_below=below)
            axes.get_legend().remove()
        places[0].set_title(title, fontsize=NORMAL, loc="left")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(len(labels), 7),
        fontsize=NORMAL,
        frameon=False,
        markerscale=5,
    )
    return figure


def meaning_sheet(
    energy: ArrayLike,
    intensity: AxisIntensity,
    reconstructions: PhaseReconstructions,
    phases: PhaseMap,
    /,
) -> Figure:
    """Return a figure of what the latent axes and the phases are to the model (S10).

    Parameters
    ----------
    energy : array_like of shape (n_energies,)
        In eV.
    intensity : AxisIntensity
        From `latent.axis_intensity`.
    reconstructions : PhaseReconstructions
        From `latent.phase_reconstructions` of `phases`.
    phases : PhaseMap
        Names and colors.

    Returns
    -------
    Figure
        180 mm wide.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(180.0 * MM, 70.0 * MM), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_axis_intensity(left, intensity)
    draw_phase_reconstructions(right, energy, reconstructions, phases)
    if right.get_legend() is not None:  # beside the curves, which fill their axes
        right.legend(
            loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=SMALL, frameon=False
        )
    right.set_title("solid: measured, dashed: reconstructed", fontsize=NORMAL)
    return figure


def loss_sheet(history: Mapping[str, Sequence[float]], /) -> Figure:
    """Return a figure of the losses per epoch, see `draw_history`; 85 mm wide.

    Parameters
    ----------
    history : mapping of str to sequence of float
        One value per epoch, by the name of the loss.

    Returns
    -------
    Figure
        One pair of axes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(85.0 * MM, 65.0 * MM), layout="constrained")
    draw_history(figure.subplots(), history)
    return figure
