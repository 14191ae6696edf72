"""Put drawings together on a page, several particles at once.

* `map_sheet`: one map per particle, with a legend or a color bar.
* `correlation_sheet`: particles by phases.
* `spectra_sheet`, `reference_sheet`, `fraction_sheet`: curves and bars.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from napari_phasemap.core.data.stack_set import as_set
from napari_phasemap.figures.curves import (
    draw_reference_correlation,
    draw_references,
    draw_spectra,
)
from napari_phasemap.figures.fractions import draw_fractions
from napari_phasemap.figures.maps import (
    AMBIGUOUS_COLOR,
    draw_correlation_map,
    draw_phase_map,
    draw_probability,
    draw_reliability,
)
from napari_phasemap.figures.style import MM, NORMAL, SMALL, dress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import Stacks, StackSet
    from napari_phasemap.core.phases.intervals import FractionIntervals

__all__ = [
    "correlation_sheet",
    "fraction_sheet",
    "map_sheet",
    "reference_sheet",
    "spectra_sheet",
]

#: Widths of one and of two columns of a journal, in mm.
ONE_COLUMN, TWO_COLUMNS = 85.0, 180.0
#: Maps of a number, and what their color bars say.
WITH_BAR = {"reliability": draw_reliability, "probability": draw_probability}
BAR_TEXTS = {
    "reliability": "reliability R = 100 (Q1 – Q2)",
    "probability": "probability of the phase",
}
#: Height of a row of a legend, in mm; two rows have room below the maps.
LEGEND_ROW = 5.0
#: Most particles beside one another.
N_ACROSS = 4


def map_sheet(
    stacks: Stacks,
    phases: PhaseMap,
    /,
    *,
    kind: Literal[
        "phase", "ambiguity", "reliability", "brightness", "probability"
    ] = "phase",
    threshold: float | None = None,
) -> Figure:
    """Return a figure with one map per particle.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Of `phases`.
    phases : PhaseMap
        What to draw.
    kind : {"phase", "ambiguity", "reliability", "brightness", "probability"}
        * "phase": phases in their colors.
        * "ambiguity": the same with ambiguous pixels in gray; needs `threshold`.
        * "reliability": R in gray.
        * "brightness": phases darkened where R is low.
        * "probability": of the phase, for a map of `posterior_map`.

        Default "phase".
    threshold : float, optional
        Margin below which a pixel is ambiguous.

    Returns
    -------
    Figure
        85 mm wide for one particle, 180 mm for more.
    """
    stacks = as_set(stacks)
    columns = min(len(stacks), N_ACROSS)
    figure, axes = _grid(stacks, ceil(len(stacks) / columns), columns)
    for index, place in enumerate(axes):
        if index >= len(stacks):
            place.set_visible(False)
            continue
        if kind in WITH_BAR:
            image = WITH_BAR[kind](
                place, stacks, phases, index, scale_bar=_has_bar(stacks, index)
            )
        else:
            draw_phase_map(
                place,
                stacks,
                phases,
                index,
                ambiguous_below=threshold if kind == "ambiguity" else None,
                brightness=kind == "brightness",
                scale_bar=_has_bar(stacks, index),
            )
        _same_scale(place, stacks, index)
    if kind in WITH_BAR:
        _color_bar(figure, image, axes[: len(stacks)], BAR_TEXTS[kind])
    else:
        extra = {"ambiguous": AMBIGUOUS_COLOR} if kind == "ambiguity" else {}
        _legend(figure, phases, extra)
    if kind == "brightness":
        figure.suptitle("dark: low reliability", fontsize=SMALL)
    return figure


def correlation_sheet(stacks: Stacks, phases: PhaseMap, /) -> Figure:
    """Return a figure of r: one row per particle, one column per phase.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Of `phases`.
    phases : PhaseMap
        With scores.

    Returns
    -------
    Figure
        180 mm wide; 85 mm for one particle and one phase.
    """
    stacks = as_set(stacks)
    figure, axes = _grid(stacks, len(stacks), phases.n_phases)
    places = iter(axes)
    for index in range(len(stacks)):
        for column, name in enumerate(phases.names):
            place = next(places)
            image = draw_correlation_map(
                place,
                stacks,
                phases,
                index,
                phase=name,
                scale_bar=column == 0 and _has_bar(stacks, index),
            )
            _same_scale(place, stacks, index)
            place.set_title(name if index == 0 else "")
            place.set_ylabel(stacks.names[index] if column == 0 else "")
            dress(place)
    _color_bar(figure, image, axes, _score_name(phases.method))
    return figure


def spectra_sheet(
    stacks: Stacks,
    phases: PhaseMap,
    /,
    *,
    references: ReferenceSpectra | None = None,
) -> Figure:
    """Return a figure with the mean spectrum of each phase in axes of its own.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Of `phases`.
    phases : PhaseMap
        Which pixels belong together.
    references : ReferenceSpectra, optional
        Drawn dashed, see `draw_spectra`.

    Returns
    -------
    Figure
        Three phases side by side at most.
    """
    from matplotlib.figure import Figure

    n = phases.n_phases
    columns = min(n, 3)
    rows = ceil(n / columns)
    width = ONE_COLUMN if n == 1 else TWO_COLUMNS
    figure = Figure(figsize=(width * MM, 52.0 * rows * MM), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for place, name in zip(axes.flat, phases.names, strict=False):
        lines = draw_spectra(place, stacks, phases, only=[name], references=references)
        if not lines:
            place.set_title(f"{name}: no pixel")
            dress(place)
        place.label_outer()
    bottom, top = axes[0, 0].get_ylim()
    axes[0, 0].set_ylim(bottom, top + 0.2 * (top - bottom))  # room for the legends
    for place in axes.flat[n:]:
        place.set_visible(False)
    for place in axes.flat[max(0, n - columns) : n]:
        place.xaxis.set_tick_params(labelbottom=True)
        place.set_xlabel("energy (eV)")
    return figure


def reference_sheet(
    references: ReferenceSpectra,
    /,
    *,
    energy: ArrayLike | None = None,
    colors: Sequence[str] = (),
) -> Figure:
    """Return a figure of the references and how alike they are.

    Parameters
    ----------
    references : ReferenceSpectra
        As loaded.
    energy : array_like of shape (n_energies,), optional
        Energies of the measurement, at which they are compared; default their own.
    colors : sequence of str, optional
        One per reference.

    Returns
    -------
    Figure
        Spectra on the left, correlations on the right; 180 mm wide.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(TWO_COLUMNS * MM, 75.0 * MM), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1.0))
    marks = () if energy is None else energy
    draw_references(left, references, colors=colors, marks=_few(marks))
    compared = references if energy is None else references.resample(energy)
    draw_reference_correlation(right, compared)
    return figure


def fraction_sheet(
    stacks: Stacks,
    phases: PhaseMap,
    /,
    *,
    threshold: float | None = None,
    intervals: FractionIntervals | None = None,
) -> Figure:
    """Return a figure of the phase fractions of every particle.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Of `phases`.
    phases : PhaseMap
        What to count.
    threshold : float, optional
        Margin below which a pixel is ambiguous; the share is then written above.
    intervals : FractionIntervals, optional
        As for `draw_fractions`.

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    stacks = as_set(stacks)
    width = ONE_COLUMN if len(stacks) <= 5 else TWO_COLUMNS
    figure = Figure(figsize=(width * MM, 65.0 * MM), layout="constrained")
    draw_fractions(
        figure.subplots(),
        stacks,
        phases,
        ambiguous_below=threshold,
        intervals=intervals,
    )
    if intervals is not None:
        share = f"{100 * intervals.confidence:.0f}"
        figure.supxlabel(f"lines: {share} % intervals of the pixels", fontsize=SMALL)
    return figure


def _grid(stacks: StackSet, rows: int, columns: int) -> tuple[Figure, list[Any]]:
    """Return a figure with room for maps of the stacks, all at the same scale."""
    from matplotlib.figure import Figure

    width = ONE_COLUMN if rows * columns == 1 else TWO_COLUMNS
    tallest, widest = _extent(stacks)
    each = (width - 8.0) / columns
    height = rows * (each * min(tallest / widest, 2.0) + 6.0) + 16.0
    figure = Figure(figsize=(width * MM, height * MM), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.flat)


def _extent(stacks: StackSet) -> tuple[float, float]:
    """Return the largest height and width, in nm or in pixels."""
    sizes = [stack.pixel_size or (1.0, 1.0) for stack in stacks]
    heights = [s.shape[0] * dy for s, (dy, _) in zip(stacks, sizes, strict=True)]
    widths = [s.shape[1] * dx for s, (_, dx) in zip(stacks, sizes, strict=True)]
    return max(heights), max(widths)


def _comparable(stacks: StackSet) -> bool:
    """Whether all sizes are in nm, or all in pixels."""
    return len({stack.pixel_size is None for stack in stacks}) == 1


def _has_bar(stacks: StackSet, index: int) -> bool:
    """Whether a map needs a scale bar: one is enough where all share a scale."""
    return index == 0 or not _comparable(stacks)


def _same_scale(axes: Any, stacks: StackSet, index: int) -> None:
    """Show a map in the middle of an area of the size of the largest one."""
    if not _comparable(stacks):
        return
    stack = stacks[index]
    dy, dx = stack.pixel_size or (1.0, 1.0)
    tallest, widest = _extent(stacks)
    rows, cols = stack.shape
    free_y, free_x = (tallest / dy - rows) / 2, (widest / dx - cols) / 2
    low, high = -0.5 - free_y, rows - 0.5 + free_y
    axes.set_xlim(-0.5 - free_x, cols - 0.5 + free_x)
    axes.set_ylim(*((low, high) if stack.origin == "lower" else (high, low)))


def _score_name(method: str) -> str:
    return "Pearson's r" if method == "pearson" else f"score ({method})"


def _few(marks: ArrayLike) -> ArrayLike:
    """Return marks only if they are few enough to be seen one by one."""
    return marks if len(marks) <= 40 else ()  # type: ignore[arg-type]


def _legend(figure: Figure, phases: PhaseMap, extra: dict[str, str]) -> None:
    """Put a legend of the phases below the maps."""
    from matplotlib.patches import Patch

    entries = {**dict(zip(phases.names, phases.colors, strict=True)), **extra}
    handles = [Patch(color=color, label=name) for name, color in entries.items()]
    narrow = figure.get_figwidth() < 100.0 * MM
    n_across = min(len(handles), 3 if narrow else 7)
    more_rows = max(ceil(len(handles) / n_across) - 2, 0)
    figure.set_figheight(figure.get_figheight() + more_rows * LEGEND_ROW * MM)
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=n_across,
        fontsize=NORMAL,
        frameon=False,
        handlelength=1.0,
        columnspacing=1.2,
    )


def _color_bar(figure: Figure, image: Any, axes: list[Any], label: str) -> None:
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=25, pad=0.02)
    bar.set_label(label)
    dress(bar.ax)
    bar.outline.set_linewidth(0.6)
