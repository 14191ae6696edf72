"""Draw a latent space: where the phases lie and what its axes mean.

* `draw_latent`: pixels in two of its axes.
* `draw_traversal`: spectra along a line through it.
* `draw_axis_intensity`: which axis is thickness.
* `draw_phase_reconstructions`: measured and reconstructed mean spectra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.palettes import phase_colors
from napari_phasemap.figures.maps import AMBIGUOUS_COLOR
from napari_phasemap.figures.style import SMALL, dress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.latent.latent import AxisIntensity, PhaseReconstructions

__all__ = [
    "draw_axis_intensity",
    "draw_latent",
    "draw_phase_reconstructions",
    "draw_traversal",
]

#: Most points drawn: more only cover one another and fill the file.
MAX_POINTS = 20_000


def draw_latent(
    axes: Axes,
    latent: NDArray[Any],
    phases: PhaseMap,
    /,
    *,
    dimensions: tuple[int, int] = (0, 1),
    ambiguous_below: float | None = None,
    seed: int = 0,
) -> list[PathCollection]:
    """Draw the pixels in two latent axes, in the colors of their phases.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    latent : ndarray of shape (n_pixels, n_latent)
        In pixel order; rows with NaN are left out.
    phases : PhaseMap
        Of the same pixels.
    dimensions : tuple of int, default=(0, 1)
        The horizontal and the vertical latent axis.
    ambiguous_below : float, optional
        Pixels with a smaller margin are gray and behind the others.
    seed : int, default=0
        Of more than `MAX_POINTS` pixels a random part is drawn.

    Returns
    -------
    list of PathCollection
        One for ambiguous pixels, if asked for, then one per phase.

    Raises
    ------
    ValueError
        If lengths differ or there is no such axis.
    """
    if len(latent) != phases.n_pixels or max(dimensions) >= latent.shape[1]:
        raise InputError(
            f"{latent.shape=} does not fit {phases.n_pixels} pixels and {dimensions=}"
        )
    shown = np.flatnonzero(np.isfinite(latent[:, dimensions]).all(axis=1))
    if len(shown) > MAX_POINTS:
        shown = np.random.default_rng(seed).choice(shown, MAX_POINTS, replace=False)
    points, labels = latent[shown][:, dimensions], phases.labels[shown].astype(int)
    groups = [*zip(range(1, phases.n_phases + 1), phases.colors, strict=True)]
    names = list(phases.names)
    if ambiguous_below is not None:
        labels[phases.ambiguous(ambiguous_below)[shown]] = -1
        groups, names = [(-1, AMBIGUOUS_COLOR), *groups], ["ambiguous", *names]
    drawn = []
    for (label, color), name in zip(groups, names, strict=True):
        x, y = points[labels == label].T
        drawn.append(axes.scatter(x, y, s=1.5, color=color, linewidths=0, label=name))
    axes.set(xlabel=f"z{dimensions[0] + 1}", ylabel=f"z{dimensions[1] + 1}")
    axes.legend(fontsize=SMALL, frameon=False, markerscale=4)
    dress(axes)
    return drawn


def draw_traversal(
    axes: Axes, energy: ArrayLike, spectra: NDArray[Any], /, *, ends: Sequence[str] = ()
) -> list[Line2D]:
    """Draw the decoded spectra along a line through the latent space (Fig. S9).

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    energy : array_like of shape (n_energies,)
        In eV.
    spectra : ndarray of shape (n_steps, n_energies)
        From `GMVAE.decode` of a `latent.traversal`; from dark to bright.
    ends : sequence of str, optional
        Names of the first and the last point, for the legend.

    Returns
    -------
    list of Line2D
        One per step.
    """
    from matplotlib import colormaps

    colors = colormaps["viridis"](np.linspace(0.0, 0.9, len(spectra)))
    lines = [
        axes.plot(energy, spectrum, color=color, lw=0.9)[0]
        for spectrum, color in zip(spectra, colors, strict=True)
    ]
    if len(ends) == 2 and lines:
        axes.legend(
            lines[:: max(len(lines) - 1, 1)], ends, fontsize=SMALL, frameon=False
        )
    axes.set(xlabel="energy (eV)", ylabel="decoded")
    dress(axes)
    return lines


def draw_axis_intensity(axes: Axes, found: AxisIntensity, /) -> list[Line2D]:
    """Draw the mean intensity along every latent axis, with its r (Fig. S10).

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    found : AxisIntensity
        From `latent.axis_intensity`.

    Returns
    -------
    list of Line2D
        One per latent axis; empty bins are bridged.
    """
    lines: list[Line2D] = []
    colors = phase_colors(len(found.correlation))
    for axis, (r, color) in enumerate(zip(found.correlation, colors, strict=True)):
        full = found.n_pixels[axis] > 0
        lines += axes.plot(
            found.center[axis, full],
            found.intensity[axis, full],
            color=color,
            lw=1.1,
            label=f"z{axis + 1}, r = {r:.2f}",
        )
    axes.set(xlabel="latent coordinate", ylabel="mean intensity")
    axes.legend(fontsize=SMALL, frameon=False)
    dress(axes)
    return lines


def draw_phase_reconstructions(
    axes: Axes,
    energy: ArrayLike,
    found: PhaseReconstructions,
    phases: PhaseMap,
    /,
) -> list[Line2D]:
    """Draw measured (solid) and reconstructed (dashed) mean spectra (Fig. S10 d-g).

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    energy : array_like of shape (n_energies,)
        In eV.
    found : PhaseReconstructions
        From `latent.phase_reconstructions`.
    phases : PhaseMap
        Names and colors.

    Returns
    -------
    list of Line2D
        Two per phase that has pixels.
    """
    lines: list[Line2D] = []
    for index in np.flatnonzero(found.n_pixels):
        color = phases.colors[index]
        label = f"{phases.names[index]}, rms {found.error[index]:.3g}"
        lines += axes.plot(
            energy, found.measured[index], color=color, lw=1.1, label=label
        )
        lines += axes.plot(
            energy, found.reconstructed[index], color=color, lw=1.1, linestyle="--"
        )
    axes.set(xlabel="energy (eV)", ylabel="mean spectrum")
    if lines:
        axes.legend(fontsize=SMALL, frameon=False)
    dress(axes)
    return lines
