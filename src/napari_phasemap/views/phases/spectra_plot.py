"""How spectra are drawn in the Spectra dock, on the screen and into files.

* `draw_curves`: curves with legend and labels.
* `draw_residuals`: what fits leave, or a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from napari_phasemap.core.data.palettes import QUIET
from napari_phasemap.core.phases.peaks import find_edge, find_peaks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_phasemap.core.phases.curves import Curve

__all__ = ["draw_curves", "draw_residuals", "unit_of"]

Corner: TypeAlias = Literal["upper right", "lower right", "upper left", "lower left"]
#: Corners for a legend: name, and which part of x and of y it covers.
CORNERS: dict[Corner, tuple[float, float, float, float]] = {
    "upper right": (0.6, 1.0, 0.5, 1.0),
    "lower right": (0.6, 1.0, 0.0, 0.5),
    "upper left": (0.0, 0.4, 0.5, 1.0),
    "lower left": (0.0, 0.4, 0.0, 0.5),
}
#: Inches per row of a legend.
LEGEND_ROW = 0.13
#: Labels closer than this part of the axis are written once.
CLOSE = 0.02


def unit_of(quantity: str, way: str) -> str:
    """Return the title of the axis of values."""
    if way in ("normalized", "ratio"):
        return way
    unit = "OD" if quantity == "optical_density" else quantity.replace("_", " ")
    return f"Δ {unit}" if way == "difference" else unit


def draw_curves(
    axes: Axes,
    energy: NDArray[np.float64],
    curves: Sequence[Curve],
    /,
    *,
    unit: str,
    peaks: bool = False,
    legend: bool = True,
) -> None:
    """Draw curves with their bands; the legend stands where there is least.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    energy : ndarray of shape (n_energies,)
        In eV.
    curves : sequence of Curve
        As plotted.
    unit : str
        Title of the axis of values.
    peaks, legend : bool
        Whether the energies of peaks and edges, and names, are written.
    """
    from napari_phasemap.figures.means import draw_mean

    for curve in curves:
        line = draw_mean(
            axes,
            energy,
            curve.values,
            curve.spread,
            label=curve.name,
            color=curve.color,
            linestyle="--" if curve.is_reference else "-",
        )
        if peaks:
            _label_peaks(axes, energy, curve, str(line.get_color()))
    axes.margins(x=0.01)
    axes.set_xlabel("energy (eV)", labelpad=1)
    axes.set_ylabel(unit)
    if legend and curves:
        n_rows = max(1, int(axes.bbox.height / axes.figure.dpi / LEGEND_ROW) - 1)
        found = axes.legend(
            loc=_freest_corner(axes, energy, curves),
            ncols=-(-len(curves) // n_rows),
            handlelength=1.4,
            labelspacing=0.3,
            columnspacing=1.0,
            prop={"size": 7},
        )
        found.set_draggable(True)


def draw_residuals(
    axes: Axes,
    energy: NDArray[np.float64],
    curves: Sequence[Curve],
    /,
    *,
    title: str,
) -> None:
    """Draw what is left around a line at zero, as high up as down."""
    axes.axhline(0.0, color=QUIET, linewidth=0.7)
    reach = 0.0
    for curve in curves:
        (line,) = axes.plot(energy, curve.values, color=curve.color, linewidth=1.0)
        reach = max(reach, float(np.nanmax(np.abs(curve.values), initial=0.0)))
        if curve.spread is not None:
            low, high = curve.values - curve.spread, curve.values + curve.spread
            color = line.get_color()
            axes.fill_between(energy, low, high, color=color, alpha=0.25, lw=0)
            reach = max(reach, float(np.nanmax(np.abs([low, high]), initial=0.0)))
    if reach > 0:
        axes.set_ylim(-1.1 * reach, 1.1 * reach)
    axes.set_xlabel("energy (eV)", labelpad=1)
    axes.set_ylabel(title)


def _label_peaks(
    axes: Axes, energy: NDArray[np.float64], curve: Curve, color: str
) -> None:
    """Write the energies of the peaks above them, and of the edge beside it."""
    least = CLOSE * float(np.ptp(energy))
    written: list[float] = [float(text.xy[0]) for text in axes.texts]  # type: ignore[attr-defined]
    edge = find_edge(energy, curve.values)
    places = [(float(at), 4, "center") for at in find_peaks(energy, curve.values)]
    if edge is not None and not any(abs(edge - at) < least for at, *_ in places):
        places.append((edge, 0, "right"))
    for at, above, align in places:
        if any(abs(at - other) < least for other in written):
            continue
        written.append(at)
        axes.annotate(
            f"{at:.1f}",
            (at, float(np.interp(at, energy, curve.values))),
            xytext=(0 if above else -4, above),
            textcoords="offset points",
            ha=align,
            color=color,
            fontsize=7,
        )


def _freest_corner(
    axes: Axes, energy: NDArray[np.float64], curves: Sequence[Curve]
) -> Corner:
    """Return the corner of the axes that the fewest points lie in."""
    x_low, x_high = axes.get_xlim()
    y_low, y_high = axes.get_ylim()
    x = np.tile((energy - x_low) / (x_high - x_low), len(curves))
    y = (np.concatenate([one.values for one in curves]) - y_low) / (y_high - y_low)
    counts = {
        name: np.count_nonzero((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))
        for name, (x0, x1, y0, y1) in CORNERS.items()
    }
    return min(counts, key=lambda name: int(counts[name]))
