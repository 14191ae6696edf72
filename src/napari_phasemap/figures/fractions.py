"""Draw how much of each phase every particle has.

* `draw_fractions`: stacked bars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.stack_set import as_set
from napari_phasemap.figures.style import SMALL, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import Stacks
    from napari_phasemap.core.phases.intervals import FractionIntervals

__all__ = ["draw_fractions"]

#: Smallest share in per cent that has room for its number.
WRITTEN = 7.0


def draw_fractions(
    axes: Axes,
    stacks: Stacks,
    phases: PhaseMap,
    /,
    *,
    ambiguous_below: float | None = None,
    intervals: FractionIntervals | None = None,
) -> list[BarContainer]:
    """Draw the per cent of each phase as one stacked bar per particle.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Of `phases`. With several particles a last bar shows all pixels together.
    phases : PhaseMap
        Pixels without phase are not counted.
    ambiguous_below : float, optional
        Threshold; the ambiguous share is then written above each bar.
    intervals : FractionIntervals, optional
        From `fraction_intervals`, of the same maps: a line at the upper end of each
        phase shows how far its per cent may lie beside what was found.

    Returns
    -------
    list of BarContainer
        One per phase.
    """
    stacks = as_set(stacks)
    parts = [
        slice(a, b) for a, b in zip(stacks.offsets, stacks.offsets[1:], strict=False)
    ]
    names = list(stacks.names)
    if len(parts) > 1:
        parts.append(slice(None))
        names.append("all")
    shares = np.nan_to_num([phases.fractions(part) for part in parts])
    positions = np.arange(len(parts), dtype=float)
    if len(parts) > 1:
        positions[-1] += 0.4
    bottom = np.zeros(len(parts))
    bars = []
    for row, name in enumerate(phases.names):
        values = shares[:, row]
        bar = axes.bar(
            positions,
            values,
            bottom=bottom,
            width=0.75,
            color=phases.colors[row],
            edgecolor="white",
            linewidth=0.4,
            label=name,
        )
        texts = [f"{value:.0f}" if value >= WRITTEN else "" for value in values]
        axes.bar_label(
            bar,
            texts,
            label_type="center",
            fontsize=SMALL,
            color=_ink(phases.colors[row]),
        )
        if intervals is not None:
            _draw_interval(axes, intervals, row, positions, bottom)
        bottom += values
        bars.append(bar)
    if ambiguous_below is not None:
        ambiguous = phases.ambiguous(ambiguous_below)
        for x, part in zip(positions, parts, strict=True):
            assigned = int(np.count_nonzero(phases.labels[part]))
            share = 100.0 * np.count_nonzero(ambiguous[part]) / (assigned or 1)
            axes.text(
                x, 101.0, f"{share:.0f}", ha="center", va="bottom", fontsize=SMALL
            )
        axes.set_title("above: ambiguous pixels in per cent", pad=12)
    # a lone bar as wide as the axes looks like a background
    margin = max(0.6, (2.4 - positions[-1]) / 2)
    axes.set_xlim(-margin, positions[-1] + margin)
    axes.set_xticks(positions, names)
    axes.set(ylabel="pixels (per cent)", ylim=(0.0, 100.0))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        *(list(reversed(items)) for items in axes.get_legend_handles_labels()),
        fontsize=SMALL,
        frameon=False,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
    )
    dress(axes)
    return bars


def _draw_interval(
    axes: Axes,
    intervals: FractionIntervals,
    phase: int,
    positions: NDArray[np.float64],
    bottom: NDArray[np.float64],
) -> None:
    """Draw the interval of a phase as a line from where its part of the bar begins."""
    order = [*range(1, len(intervals.stacks) + 1), 0][: len(positions)]
    low, high = intervals.low[order, phase], intervals.high[order, phase]
    shift = 0.25 * (1 if phase % 2 else -1)  # lines of neighbors lie side by side
    axes.vlines(positions + shift, bottom + low, bottom + high, color="black", lw=0.8)


def _ink(color: str) -> str:
    """Return black or white, whichever is legible on a color."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
