"""Draw which energies were chosen, and what others would give.

* `draw_energy_plan`: reference spectra with a dashed line at every chosen energy.
* `draw_energy_gain`: separation and ambiguous share over energies or dose.
* `plan_sheet`: both on a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_phasemap.figures.curves import draw_references
from napari_phasemap.figures.style import MM, SMALL, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.planning.gain import EnergyGain
    from napari_phasemap.core.planning.plan import EnergyPlan

__all__ = ["draw_energy_gain", "draw_energy_plan", "plan_sheet"]

#: Of the page, in mm.
WIDTH, HEIGHT = 180.0, 130.0
SEPARATION, AMBIGUOUS = "#0072B2", "#D55E00"


def draw_energy_plan(
    axes: Axes, references: ReferenceSpectra, plan: EnergyPlan, /
) -> list[Line2D]:
    """Draw reference spectra with a dashed line at every chosen energy.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    references : ReferenceSpectra
        The spectra the energies were chosen from.
    plan : EnergyPlan
        The energies.

    Returns
    -------
    list of Line2D
        One per reference.
    """
    for energy in plan.energy:
        axes.axvline(energy, color="#888888", linewidth=0.7, linestyle="--", zorder=0)
    return draw_references(axes, references)


def draw_energy_gain(axes: Axes, gain: EnergyGain, /, *, over: str) -> list[Line2D]:
    """Draw how far apart phases are, and how many pixels are ambiguous.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw; gets a second axis on the right.
    gain : EnergyGain
        What to draw.
    over : str
        What stands below: "energies", or a dose, whose axis is logarithmic.

    Returns
    -------
    list of Line2D
        Separation, then ambiguous share.
    """
    twin = axes.twinx()
    lines = axes.plot(gain.x, gain.separation, "o-", color=SEPARATION, markersize=3)
    lines += twin.plot(
        gain.x, 100 * gain.ambiguous, "s--", color=AMBIGUOUS, markersize=3
    )
    axes.set_xlabel(over)
    axes.set_ylabel("separation (noise)", color=SEPARATION)
    twin.set_ylabel("ambiguous (%)", color=AMBIGUOUS, fontsize=SMALL)
    axes.set_ylim(bottom=0)
    twin.set_ylim(0, 100)
    if over != "energies":
        axes.set_xscale("log")
    dress(axes)
    twin.tick_params(labelsize=SMALL, colors=AMBIGUOUS)
    return lines


def plan_sheet(
    references: ReferenceSpectra,
    plan: EnergyPlan,
    over_number: EnergyGain,
    over_dose: EnergyGain,
    /,
) -> Figure:
    """Return a page: the chosen energies, and what more energies and dose would give.

    Parameters
    ----------
    references : ReferenceSpectra
        The spectra the energies were chosen from.
    plan : EnergyPlan
        The energies.
    over_number, over_dose : EnergyGain
        What others give.

    Returns
    -------
    Figure
        Made without pyplot.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH * MM, HEIGHT * MM), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.3, 1.0))
    draw_energy_plan(figure.add_subplot(grid[0, :]), references, plan)
    draw_energy_gain(figure.add_subplot(grid[1, 0]), over_number, over="energies")
    text = "photons per pixel"
    draw_energy_gain(figure.add_subplot(grid[1, 1]), over_dose, over=text)
    return figure
