"""Draw an unsupervised EELS analysis: the five panels of the method's paper.

* `draw_thickness`: t/lambda in gray.
* `draw_class_spectra`: mean net spectra of an edge's classes.
* `draw_embedding`: the UMAP plane, or the scores' widest, colored by class.
* `draw_pairs`: which classes of two edges share their pixels.
* `eels_sheet`: all of them on one page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from napari_phasemap.core.bonds.mutual_information import ABSENT
from napari_phasemap.core.data.palettes import AMBIGUOUS
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.figures.maps import draw_phase_map, show_image
from napari_phasemap.figures.style import MM, NORMAL, SMALL, dress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from napari_phasemap.core.bonds.mutual_information import ClassPairs
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.thickness import Thickness
    from napari_phasemap.core.eels.workflow import EelsAnalysis

__all__ = [
    "draw_class_spectra",
    "draw_embedding",
    "draw_pairs",
    "draw_thickness",
    "eels_sheet",
]

PairValue: TypeAlias = Literal["log2_lift", "n", "contribution"]

#: Points of an embedding that are drawn: more only cover one another.
MOST_POINTS = 20_000
#: Lift at the ends of the color scale of pairs: 8 times more or less than expected.
LIFT_LIMIT = 3.0
#: Height of a row of panels, and of the scale bars below the last one, in mm.
ROW_HEIGHT, FOOT = 46.0, 5.0
#: How classes are called that nobody has named.
NUMBERED_NAME = "class "
#: Names along an axis of pairs above which they are turned and become smaller.
CROWDED = 13
#: Classes in one column of a legend.
LEGEND_ROWS = 10
#: Up to so many classes, cells of pairs carry numbers.
NUMBERED = 8


def draw_thickness(
    axes: Axes, stack: SpectralStack, measured: Thickness, /
) -> AxesImage:
    """Draw t/lambda of `stack`'s pixels in gray; uncounted pixels are transparent.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    stack : SpectralStack
        The low loss, or what has its pixels.
    measured : Thickness
        Of the same pixels.

    Returns
    -------
    AxesImage
        In inelastic mean free paths.
    """
    values = np.where(measured.counted, measured.t_over_lambda, np.float32(np.nan))
    image = StackSet([stack]).to_image(values, 0)
    artist = show_image(axes, stack, image, scale_bar=True)
    artist.set(cmap="gray")
    axes.set_title("t/λ", fontsize=NORMAL)
    return artist


def draw_class_spectra(axes: Axes, edge: EdgeAnalysis, /) -> list[Line2D]:
    """Draw the mean net spectrum of every class with its standard error.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    edge : EdgeAnalysis
        With its classes as they are now.

    Returns
    -------
    list of Line2D
        One per class, in the order of their names.
    """
    spectra = edge.spectra
    lines = []
    for name, color, mean, error in zip(
        edge.classes.names,
        edge.classes.colors,
        spectra.mean,
        spectra.standard_error,
        strict=True,
    ):
        (line,) = axes.plot(
            spectra.energy, mean, color=color, linewidth=0.9, label=name
        )
        axes.fill_between(
            spectra.energy,
            mean - error,
            mean + error,
            color=color,
            alpha=0.25,
            linewidth=0,
        )
        lines.append(line)
    axes.axhline(0.0, color="0.6", linewidth=0.5, zorder=0)
    axes.set(xlabel="Energy loss (eV)", ylabel="Net counts", title=edge.recipe.name)
    dress(axes)
    return lines


def draw_embedding(axes: Axes, edge: EdgeAnalysis, /) -> PathCollection:
    """Draw the embedding (or the widest plane of the scores) colored by class.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    edge : EdgeAnalysis
        With an embedding, or with scores.

    Returns
    -------
    PathCollection
        Pixels that have the edge, thinned out evenly where they are very many.
    """
    points, labels = edge.picture(), ("UMAP 1", "UMAP 2")
    if edge.kind == "strip":
        labels = ("component 1", "spread by number")
    elif edge.kind == "PCA":
        points, labels = _widest_plane(edge.values), ("axis 1", "axis 2")
    shown = np.flatnonzero(np.isfinite(points[:, :2]).all(axis=1))
    shown = shown[:: max(1, len(shown) // MOST_POINTS)]
    table = np.array([AMBIGUOUS, *edge.classes.colors])
    artist = axes.scatter(
        points[shown, 0],
        points[shown, 1],
        c=table[edge.classes.labels[shown]],
        s=1.5,
        linewidths=0,
        rasterized=True,
    )
    axes.set(xlabel=labels[0], ylabel=labels[1], title=edge.recipe.name)
    axes.set(xticks=[], yticks=[])
    dress(axes)
    return artist


def draw_pairs(
    axes: Axes,
    pairs: ClassPairs,
    /,
    *,
    names: tuple[str, str] = ("", ""),
    alpha: float = 0.01,
    value: PairValue = "log2_lift",
    order: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None,
) -> AxesImage:
    """Draw a number of every pair of classes; hatched where not significant.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    pairs : ClassPairs
        From `mutual_information`.
    names : tuple of str, optional
        Names of the two edges, for the axes.
    alpha : float, default=0.01
        Largest family-wise p that is significant.
    value : {"log2_lift", "n", "contribution"}, default="log2_lift"
        Which array of `pairs` is colored.
    order : tuple of ndarray of int, optional
        Which classes of either edge are shown, in which order (see `diagonal_order`);
        default all, class 0 first.

    Returns
    -------
    AxesImage
        Rows are the classes of the first edge.
    """
    from matplotlib.patches import Rectangle

    rows, columns = order or (np.arange(n) for n in pairs.n.shape)
    here = np.ix_(rows, columns)
    shown = np.nan_to_num(getattr(pairs, value)[here].astype(np.float64))
    low, high = _pair_limits(shown, value)
    shown = np.clip(shown, low, high)
    cmap = "viridis" if value == "n" else "RdBu_r"
    artist = axes.imshow(shown, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    significant = pairs.significant(alpha)[here]
    count = pairs.n[here]
    for row, col in np.argwhere(~significant):
        axes.add_patch(
            Rectangle(
                (col - 0.5, row - 0.5),
                1,
                1,
                fill=False,
                hatch="////",
                edgecolor="0.65",
                linewidth=0,
            )
        )
    if max(count.shape) <= NUMBERED + 1:
        for row, col in np.argwhere(significant):
            dark = shown[row, col] < 0.6 * high
            if value != "n":
                dark = abs(shown[row, col]) > 0.6 * high
            axes.text(
                col,
                row,
                f"{count[row, col]}",
                ha="center",
                va="center",
                fontsize=SMALL - 1.5,
                color="w" if dark else "k",
            )
    names_a, unit_a = _short_names([pairs.names_a[row] for row in rows])
    names_b, unit_b = _short_names([pairs.names_b[column] for column in columns])
    upright = not unit_b or len(names_b) > CROWDED
    axes.set_xticks(range(len(names_b)), names_b, rotation=90 if upright else 0)
    axes.set_yticks(range(len(names_a)), names_a)
    axes.set(xlabel=names[1] + unit_b, ylabel=names[0] + unit_a)
    axes.set_title(f"excess {pairs.excess:.2f} bit, p {pairs.p_value:.2g}")
    dress(axes)
    for axis, shown_names in (("x", names_b), ("y", names_a)):
        if len(shown_names) > CROWDED:
            size = SMALL * CROWDED / len(shown_names)
            axes.tick_params(axis=axis, labelsize=size)  # type: ignore[arg-type]
    return artist


def _short_names(names: Sequence[str]) -> tuple[list[str], str]:
    """Return numbers and " class" where nobody named the classes, else the names."""
    short = [name.removeprefix(NUMBERED_NAME) for name in names]
    if all(name.isdigit() or name == ABSENT for name in short):
        return short, " class"
    return list(names), ""


def _pair_limits(shown: NDArray[np.float64], value: PairValue) -> tuple[float, float]:
    """Return the ends of the color scale: around 0 where a value has a sign."""
    if value == "n":
        return 0.0, float(max(shown.max(initial=0.0), 1.0))
    if value == "log2_lift":
        return -LIFT_LIMIT, LIFT_LIMIT
    high = float(max(np.abs(shown).max(initial=0.0), 1e-6))
    return -high, high


def eels_sheet(analysis: EelsAnalysis, /, *, alpha: float = 0.01) -> Figure:
    """Return the five panels of the paper on one page.

    a thickness (or the mean image), b net spectra of each edge's classes, c embedding
    of each edge, d pairs of classes, e maps of classes with scale bar.

    Parameters
    ----------
    analysis : EelsAnalysis
        From `analyze_edges`.
    alpha : float, default=0.01
        Largest family-wise p that is significant.

    Returns
    -------
    Figure
        180 mm wide.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    edges = list(analysis.edges.values())
    n_rows = 4 if analysis.pairs else 3
    height = ROW_HEIGHT * n_rows
    foot = FOOT / height
    layout = ConstrainedLayoutEngine(rect=(0.0, foot, 1.0, 1.0 - foot))
    figure = Figure(figsize=(180 * MM, height * MM), layout=layout)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(n_rows, 1)
    top = grid[0].subgridspec(1, len(edges) + 1)
    middle = grid[1].subgridspec(1, len(edges))
    last = grid[n_rows - 1].subgridspec(1, len(edges))
    first = figure.add_subplot(top[0])
    if analysis.thickness is not None:
        artist = draw_thickness(first, analysis.stack, analysis.thickness)
    else:
        mean = np.asarray(analysis.stack.data.mean(axis=0), dtype=np.float32)
        image = np.where(analysis.stack.mask, mean, np.float32(np.nan))
        artist = show_image(first, analysis.stack, image, scale_bar=True)
        artist.set(cmap="gray")
        first.set_title("mean counts", fontsize=NORMAL)
    bar = figure.colorbar(artist, ax=first, shrink=0.7)
    bar.ax.tick_params(labelsize=SMALL)
    _letter(first, "a")
    stacks = StackSet([analysis.stack])
    for column, edge in enumerate(edges):
        axes = [
            figure.add_subplot(top[column + 1]),
            figure.add_subplot(middle[column]),
            figure.add_subplot(last[column]),
        ]
        draw_class_spectra(axes[0], edge)
        draw_embedding(axes[1], edge)
        draw_phase_map(axes[2], stacks, edge.classes)
        axes[2].set_title(edge.recipe.name, fontsize=NORMAL)
        if column == 0:
            for one, letter in zip(axes, "bce", strict=True):
                _letter(one, letter)
        _legend(axes[2], edge)
    if not analysis.pairs:
        return figure
    matrices = grid[2].subgridspec(1, len(analysis.pairs))
    for column, (names, pairs) in enumerate(analysis.pairs.items()):
        axes_d = figure.add_subplot(matrices[column])
        drawn = draw_pairs(axes_d, pairs, names=names, alpha=alpha)
        if column == 0:
            _letter(axes_d, "d")
        if column == len(analysis.pairs) - 1:
            bar = figure.colorbar(drawn, ax=axes_d, label="log2 lift")
            bar.ax.tick_params(labelsize=SMALL)
            bar.ax.yaxis.label.set_fontsize(SMALL)
    return figure


def _widest_plane(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values on their two widest directions, NaN where they are."""
    finite = np.isfinite(values).all(axis=1)
    centered = values - values[finite].mean(axis=0)
    _, _, axes = np.linalg.svd(centered[finite], full_matrices=False)
    plane = np.zeros((len(values), 2), dtype=np.float32)
    plane[:, : min(2, len(axes))] = centered @ axes[:2].T
    plane[~finite] = np.nan
    return plane


def _legend(axes: Axes, edge: EdgeAnalysis) -> None:
    """Put the names of the classes beside a map."""
    from matplotlib.patches import Patch

    handles = [
        Patch(color=color, label=name)
        for name, color in zip(edge.classes.names, edge.classes.colors, strict=True)
    ]
    axes.legend(
        handles=handles,
        fontsize=SMALL - 1.5,
        ncols=-(-len(handles) // LEGEND_ROWS),
        frameon=False,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        handlelength=0.8,
        columnspacing=0.8,
    )


def _letter(axes: Axes, letter: str) -> None:
    axes.text(
        -0.12,
        1.06,
        letter,
        transform=axes.transAxes,
        fontsize=NORMAL + 1,
        fontweight="bold",
        ha="right",
    )
