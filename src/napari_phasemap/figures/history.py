"""How a model learned: its losses from epoch to epoch.

* `draw_history`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_phasemap.figures.style import SMALL, dress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["draw_history"]

#: Key of `GMVAE.history_`, label, color, line style: training solid, validation dashed.
CURVES = (
    ("reconstruction", "reconstruction, training", "#0072b2", "-"),
    ("validation_reconstruction", "reconstruction, validation", "#56b4e9", "--"),
    ("kl", "KL divergence, training", "#d55e00", "-"),
    ("validation_kl", "KL divergence, validation", "#e69f00", "--"),
)


def draw_history(axes: Axes, history: Mapping[str, Sequence[float]], /) -> list[Line2D]:
    """Draw the losses per epoch on a logarithmic scale (paper, Fig. S11).

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    history : mapping of str to sequence of float
        `GMVAE.history_`; what is missing is not drawn, and what is not positive has
        no place on a logarithmic scale.

    Returns
    -------
    list of Line2D
        One per curve drawn.
    """
    lines: list[Line2D] = []
    for key, label, color, linestyle in CURVES:
        values = history.get(key)
        if values:
            epochs: Any = range(1, len(values) + 1)
            lines += axes.plot(
                epochs, values, color=color, linestyle=linestyle, label=label, lw=1.1
            )
    axes.set(xlabel="epoch", ylabel="loss", yscale="log")
    # Plain numbers: powers as mathematical text take their own fonts and much longer.
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    if lines:
        axes.legend(fontsize=SMALL, frameon=False)
    dress(axes)
    return lines
