"""A mean spectrum with its spread: what every plot of spectra is made of.

* `draw_mean`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_phasemap.core.phases.spectra import standardize

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

__all__ = ["N_MARKED", "draw_mean"]

#: Up to so many energies, each is marked: a sparse axis shows where it was measured.
N_MARKED = 40


def draw_mean(
    axes: Axes,
    energy: NDArray[np.float64],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64] | None,
    /,
    *,
    label: str,
    color: str | None = None,
    linestyle: str = "-",
    normalized: bool = False,
) -> Line2D:
    """Draw one mean spectrum and a band of one standard deviation.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    energy : ndarray of shape (n_energies,)
        In eV.
    mean, deviation : ndarray of shape (n_energies,)
        In the unit of the axis; no band where `deviation` is None.
    label : str
        For the legend.
    color : str, optional
        Default the next of the axes' cycle.
    linestyle : str, default="-"
        As matplotlib takes it.
    normalized : bool, default=False
        The mean minus its own mean, over its own standard deviation; the band is
        scaled with it.

    Returns
    -------
    Line2D
        The mean.
    """
    if normalized:
        width = mean.std() or 1.0
        mean = standardize(mean)
        deviation = None if deviation is None else deviation / width
    (line,) = axes.plot(
        energy,
        mean,
        color=color,
        label=label,
        linewidth=1.1,
        linestyle=linestyle,
        marker="o" if len(energy) <= N_MARKED and linestyle == "-" else None,
        markersize=2.5,
    )
    if deviation is not None:
        axes.fill_between(
            energy,
            mean - deviation,
            mean + deviation,
            color=line.get_color(),
            alpha=0.2,
            linewidth=0,
        )
    return line
