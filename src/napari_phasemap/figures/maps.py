"""Draw one particle: its phases, how reliable they are, its correlations.

* `draw_phase_map`: phases in their colors, ambiguous pixels gray, reliability as
  brightness.
* `draw_reliability`: R in gray. `draw_probability`: the probability of the phase.
* `draw_correlation_map`: Pearson's r with one reference.
* `phase_rgba`, `reliability_brightness`: the colors of pixels, for figures and layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data import palettes
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import as_set
from napari_phasemap.figures.style import SMALL, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import Stacks

__all__ = [
    "AMBIGUOUS_COLOR",
    "DARKEST",
    "correlation_limits",
    "draw_correlation_map",
    "draw_phase_map",
    "draw_probability",
    "draw_reliability",
    "phase_rgba",
    "reliability_brightness",
    "reliability_limit",
]

#: Gray of an ambiguous pixel (arXiv:2603.07666, Fig. 3b), lighter than every phase.
AMBIGUOUS_COLOR = palettes.AMBIGUOUS
#: Brightness of a pixel of which nothing is sure, where brightness shows how sure it
#: is: its phase can still be told.
DARKEST = 0.15
#: Percentile of R (or of r) that spans the scale: a few extreme pixels must not
#: make all others look alike.
FULL_SCALE = 98.0


def draw_phase_map(
    axes: Axes,
    stacks: Stacks,
    phases: PhaseMap,
    /,
    index: int = 0,
    *,
    ambiguous_below: float | None = None,
    brightness: bool = False,
    scale_bar: bool = True,
) -> AxesImage:
    """Draw the phase of every pixel of one particle.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Of `phases`.
    phases : PhaseMap
        Pixels without phase are transparent.
    index : int, default=0
        Number of the particle.
    ambiguous_below : float, optional
        Pixels whose margin is below this threshold are gray (arXiv:2603.07666,
        Fig. 3b); default none.
    brightness : bool, default=False
        Darken pixels of low reliability R (arXiv:2603.07666, Fig. S3b); full color at
        the 98th percentile of R over all particles.
    scale_bar : bool, default=True
        Draw one where the pixel size is known.

    Returns
    -------
    AxesImage
        RGBA.
    """
    from matplotlib.colors import to_rgba

    stacks, rgba = as_set(stacks), phase_rgba(phases)
    if ambiguous_below is not None:
        rgba[phases.ambiguous(ambiguous_below)] = to_rgba(AMBIGUOUS_COLOR)
    if brightness:
        rgba[:, :3] *= reliability_brightness(phases)[:, np.newaxis]
    image = stacks.to_image(rgba, index, fill=0.0)
    return show_image(axes, stacks[index], image, scale_bar=scale_bar)


def draw_reliability(
    axes: Axes,
    stacks: Stacks,
    phases: PhaseMap,
    /,
    index: int = 0,
    *,
    limit: float | None = None,
    scale_bar: bool = True,
) -> AxesImage:
    """Draw R = 100 (Q1 - Q2) of one particle in gray (arXiv:2603.07666, Fig. S3a).

    Parameters
    ----------
    axes, stacks, phases, index, scale_bar
        As for `draw_phase_map`.
    limit : float, optional
        R that is white; default `reliability_limit`, the same for all particles.

    Returns
    -------
    AxesImage
        Pixels without phase are transparent.
    """
    stacks = as_set(stacks)
    limit = reliability_limit(phases) if limit is None else limit
    image = stacks.to_image(np.minimum(phases.reliability, np.float32(1e6)), index)
    artist = show_image(axes, stacks[index], image, scale_bar=scale_bar)
    artist.set(cmap="gray", clim=(0.0, limit))
    return artist


def draw_probability(
    axes: Axes,
    stacks: Stacks,
    phases: PhaseMap,
    /,
    index: int = 0,
    *,
    scale_bar: bool = True,
) -> AxesImage:
    """Draw how probable the phase of every pixel of one particle is, 1 is yellow.

    Parameters
    ----------
    axes, stacks, index, scale_bar
        As for `draw_phase_map`.
    phases : PhaseMap
        With log-probabilities, from `posterior_map`.

    Returns
    -------
    AxesImage
        Pixels without phase are transparent.
    """
    from napari_phasemap.core.phases.abstention import probability

    stacks = as_set(stacks)
    image = stacks.to_image(probability(phases), index)
    artist = show_image(axes, stacks[index], image, scale_bar=scale_bar)
    artist.set(cmap="cividis", clim=(0.0, 1.0))
    return artist


def draw_correlation_map(
    axes: Axes,
    stacks: Stacks,
    phases: PhaseMap,
    /,
    index: int = 0,
    *,
    phase: str,
    limits: tuple[float, float] | None = None,
    scale_bar: bool = True,
) -> AxesImage:
    """Draw the score of one phase, for Pearson r (arXiv:2603.07666, Fig. S3c-g).

    Parameters
    ----------
    axes, stacks, phases, index, scale_bar
        As for `draw_phase_map`.
    phase : str
        Name of the phase.
    limits : tuple of float, optional
        Ends of the color scale; default `correlation_limits`, the same for all phases
        and particles.

    Returns
    -------
    AxesImage
        Pixels without score are transparent.

    Raises
    ------
    ValueError
        If the scores were not kept or there is no such phase.
    """
    if phases.scores is None:
        raise InputError("the scores were not kept; classify with keep_scores=True")
    if phase not in phases.names:
        raise InputError(f"there is no phase {phase!r}; there are {phases.names}")
    stacks = as_set(stacks)
    low, high = correlation_limits(phases) if limits is None else limits
    scores = phases.scores[:, phases.names.index(phase)]
    image = stacks.to_image(scores, index)
    artist = show_image(axes, stacks[index], image, scale_bar=scale_bar)
    artist.set(cmap="viridis", clim=(low, high))
    return artist


def phase_rgba(phases: PhaseMap) -> NDArray[np.float64]:
    """Return the color of each pixel's phase, (n_pixels, 4), clear without one.

    Parameters
    ----------
    phases : PhaseMap
        With colors.

    Returns
    -------
    ndarray of shape (n_pixels, 4)
        Red, green, blue and alpha, 0 to 1.
    """
    from matplotlib.colors import to_rgba

    table = np.array([(0.0, 0.0, 0.0, 0.0), *map(to_rgba, phases.colors)])
    return np.asarray(table[phases.labels])


def reliability_brightness(phases: PhaseMap) -> NDArray[np.float64]:
    """Return a factor per pixel that darkens low R: 1 at `reliability_limit`.

    Parameters
    ----------
    phases : PhaseMap
        With margins.

    Returns
    -------
    ndarray of shape (n_pixels,)
        From `DARKEST` to 1; `DARKEST` without phase.
    """
    full = reliability_limit(phases)
    with np.errstate(invalid="ignore"):
        share = np.nan_to_num(np.clip(phases.reliability / full, 0.0, 1.0))
    return np.asarray(DARKEST + (1.0 - DARKEST) * share)


def reliability_limit(phases: PhaseMap) -> float:
    """Return the 98th percentile of the finite R, 1 where there is none.

    Parameters
    ----------
    phases : PhaseMap
        With margins.

    Returns
    -------
    float
        In units of R.
    """
    finite = phases.reliability[np.isfinite(phases.reliability)]
    limit = float(np.percentile(finite, FULL_SCALE)) if finite.size else 0.0
    return limit if limit > 0 else 1.0


def correlation_limits(phases: PhaseMap) -> tuple[float, float]:
    """Return the 2nd percentile and the maximum of all finite scores.

    Parameters
    ----------
    phases : PhaseMap
        With scores.

    Returns
    -------
    tuple of float
        In units of the scores; -1 and 1 where none is finite.
    """
    if phases.scores is None:
        raise InputError("the scores were not kept; classify with keep_scores=True")
    finite = phases.scores[np.isfinite(phases.scores)]
    if not finite.size:
        return -1.0, 1.0
    low, high = np.percentile(finite, [100.0 - FULL_SCALE, 100.0])
    return float(low), float(high if high > low else low + 1e-6)


def show_image(
    axes: Axes, stack: SpectralStack, image: NDArray[Any], *, scale_bar: bool
) -> AxesImage:
    """Show an image the right way up, without ticks, with a scale bar."""
    dy, dx = stack.pixel_size or (1.0, 1.0)
    artist = axes.imshow(
        image, origin=stack.origin, aspect=dy / dx, interpolation="nearest"
    )
    axes.set(xticks=[], yticks=[])
    axes.set_title(stack.name)
    dress(axes)
    axes.set_frame_on(False)
    if scale_bar and stack.pixel_size is not None:
        _add_scale_bar(axes, dx)
    return artist


def _add_scale_bar(axes: Axes, pixel_nm: float) -> None:
    """Put a scale bar below the lower left corner, where it hides nothing."""
    from matplotlib_scalebar.scalebar import ScaleBar

    bar = ScaleBar(
        pixel_nm,
        "nm",
        location="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=axes.transAxes,
        frameon=False,
        border_pad=0.0,
        pad=0.2,
        sep=2,
        length_fraction=0.3,
        width_fraction=0.02,
        font_properties={"size": SMALL},
    )
    bar.set_in_layout(False)
    axes.add_artist(bar)
