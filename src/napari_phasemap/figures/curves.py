"""Draw spectra, and how alike the references are.

* `draw_references`: the reference spectra.
* `draw_reference_correlation`: Pearson's r of every pair.
* `draw_spectra`: mean and standard deviation of each phase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.palettes import phase_colors
from napari_phasemap.core.data.stack_set import as_set
from napari_phasemap.core.phases.spectra import mean_spectra
from napari_phasemap.figures.means import N_MARKED, draw_mean
from napari_phasemap.figures.style import SMALL, dress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import Stacks, StackSet

__all__ = ["draw_reference_correlation", "draw_references", "draw_spectra"]


def draw_references(
    axes: Axes,
    references: ReferenceSpectra,
    /,
    *,
    colors: Sequence[str] = (),
    marks: ArrayLike = (),
) -> list[Line2D]:
    """Draw reference spectra, one line each.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    references : ReferenceSpectra
        As loaded.
    colors : sequence of str, optional
        One per reference; default the phase colors.
    marks : array_like of shape (n,), optional
        Energies in eV to mark with vertical lines, such as those of a sparse scan.

    Returns
    -------
    list of Line2D
        One per reference.
    """
    for energy in np.asarray(marks, dtype=float):
        axes.axvline(energy, color="#999999", linewidth=0.5, linestyle=":", zorder=0)
    colors = tuple(colors) or phase_colors(len(references))
    lines = []
    for name, spectrum, color in zip(
        references.names, references.spectra, colors, strict=True
    ):
        lines += axes.plot(
            references.energy,
            spectrum,
            color=color,
            label=name,
            linewidth=1.0,
            marker="o" if references.n_energies <= N_MARKED else None,
            markersize=2.5,
        )
    axes.set(xlabel="energy (eV)", ylabel="reference OD")
    axes.margins(x=0.01)
    axes.legend(fontsize=SMALL, frameon=False)
    dress(axes)
    return lines


def draw_reference_correlation(
    axes: Axes, references: ReferenceSpectra, /
) -> AxesImage:
    """Draw Pearson's r of every pair of references (arXiv:2603.07666, Fig. S4).

    The pair that differs least is framed and named in the title: a threshold above its
    difference calls even pure pixels ambiguous.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    references : ReferenceSpectra
        On the energies at which they will be compared.

    Returns
    -------
    AxesImage
        The lower triangle; nothing above the diagonal.
    """
    r = references.correlation()
    n = len(references)
    shown = np.ma.masked_array(r, np.triu(np.ones((n, n), dtype=bool), k=1))
    low = float(np.nanmin(r)) if np.isfinite(r).any() else 0.0
    image = axes.imshow(shown, cmap="viridis", vmin=min(low, 0.999), vmax=1.0)
    for row in range(n):
        for col in range(row + 1):
            axes.text(
                col,
                row,
                _r_text(r[row, col]),
                ha="center",
                va="center",
                fontsize=SMALL,
                color=_ink(image, r[row, col]),
            )
    ticks = range(n)
    axes.set_xticks(ticks, references.names, rotation=35, ha="right")
    axes.set_yticks(ticks, references.names)
    axes.set_frame_on(False)
    if n > 1:
        first, second, gap = references.closest_pair()
        a, b = references.names.index(first), references.names.index(second)
        _frame(axes, max(a, b), min(a, b))
        axes.set_title(f"smallest difference {gap:.4f}\n{first} and {second}")
    dress(axes)
    return image


def draw_spectra(
    axes: Axes,
    stacks: Stacks,
    phases: PhaseMap,
    /,
    *,
    only: Sequence[str] = (),
    references: ReferenceSpectra | None = None,
) -> list[Line2D]:
    """Draw mean and standard deviation of the spectra of each phase.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Of `phases`.
    phases : PhaseMap
        Which pixels belong together.
    only : sequence of str, optional
        Names of the phases to draw; default all that have pixels.
    references : ReferenceSpectra, optional
        Drawn dashed, scaled and shifted to the mean of their phase: neither changes
        Pearson's r.

    Returns
    -------
    list of Line2D
        The mean of each phase drawn.
    """
    stacks = as_set(stacks)
    means, deviations, n_pixels = mean_spectra(stacks, phases.labels, phases.n_phases)
    lines: list[Line2D] = []
    for row, name in enumerate(phases.names):
        if not n_pixels[row] or (only and name not in only):
            continue
        mean, deviation = means[row], deviations[row]
        line = draw_mean(
            axes,
            stacks.energy,
            mean,
            deviation,
            label=f"{name} ({n_pixels[row]} px)",
            color=phases.colors[row],
        )
        lines.append(line)
        if references is not None and name in references.names:
            _draw_fitted(axes, stacks, references.select([name]), mean)
    axes.set(xlabel="energy (eV)", ylabel=_unit(stacks))
    axes.margins(x=0.01)
    if lines:
        axes.legend(fontsize=SMALL, frameon=False)
    dress(axes)
    return lines


def _draw_fitted(
    axes: Axes, stacks: StackSet, reference: ReferenceSpectra, mean: NDArray[np.float64]
) -> None:
    """Draw a reference scaled and shifted to a mean spectrum, over the same range."""
    sparse = reference.resample(stacks.energy).spectra[0]
    design = np.stack([sparse, np.ones_like(sparse)], axis=1)
    slope, offset = np.linalg.lstsq(design, mean, rcond=None)[0]
    inside = (reference.energy >= stacks.energy[0]) & (
        reference.energy <= stacks.energy[-1]
    )
    axes.plot(
        reference.energy[inside],
        slope * reference.spectra[0][inside] + offset,
        color="#555555",
        linewidth=0.8,
        linestyle="--",
        label="reference, scaled",
        zorder=1,
    )


def _unit(stacks: StackSet) -> str:
    return {"optical_density": "OD", "net_counts": "net counts"}.get(
        stacks.quantity, "counts"
    )


def _r_text(value: float) -> str:
    """Return r with the digits that tell neighbors apart."""
    return "–" if not np.isfinite(value) else f"{value:.4f}"


def _ink(image: AxesImage, value: float) -> str:
    """Return black or white, whichever is legible on the color of a value."""
    red, green, blue, _ = image.to_rgba(np.array([value]))[0]
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    return "black" if luminance > 0.5 or not np.isfinite(value) else "white"


def _frame(axes: Axes, row: int, col: int) -> Any:
    from matplotlib.patches import Rectangle

    box = Rectangle(
        (col - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#d55e00", linewidth=1.8
    )
    return axes.add_patch(box)
