"""Keep figures legible at the width of a journal's column.

* `SMALL`, `NORMAL`: font sizes in points at 85 to 180 mm width.
* `dress`: apply them to axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MM", "NORMAL", "SMALL", "dress"]

#: Inches per millimeter.
MM = 1.0 / 25.4
#: Font sizes in points: journals ask for 6 to 8 in print.
SMALL, NORMAL = 6.5, 7.5


def dress(axes: Axes) -> None:
    """Set the font sizes and line widths of axes.

    Explicitly and not by rcParams, which all threads share.

    Parameters
    ----------
    axes : matplotlib Axes
        With titles, labels and a legend, where they have any.
    """
    axes.tick_params(labelsize=SMALL, width=0.6, length=2.5)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_fontsize(NORMAL)
    for spine in axes.spines.values():
        spine.set_linewidth(0.6)
