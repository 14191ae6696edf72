"""What the points of the scatter may be colored by.

* `Coloring`: one code per point, and what each code means.
* `colorings`: names of the choices that a workspace offers.
* `coloring`: one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.palettes import AMBIGUOUS_POINTS as AMBIGUOUS
from napari_phasemap.core.data.palettes import UNASSIGNED, phase_colors
from napari_phasemap.core.phases.decisions import decisions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.workspace import Workspace

__all__ = ["Coloring", "coloring", "colorings", "continuous", "plain"]

#: The coloring by what the map of probabilities says.
PROBABLE = "probable phase"
#: Codes of a continuous scale; one more stands for "no value".
N_SHADES = 255
#: Range of a continuous scale in per cent, so that single outliers do not decide.
RANGE = (0.5, 99.5)
#: Values looked at for that range.
MAX_SAMPLE = 100_000
#: More different whole numbers than that are a scale, not classes.
MAX_CLASSES = 64


@dataclass(frozen=True, eq=False)
class Coloring:
    """One code per point with the meaning and the color of each code.

    Parameters
    ----------
    title : str
        What the colors show.
    codes : ndarray of uint8 or uint16 of shape (n_points,)
        Index into `colors`.
    colors : ndarray of uint8 of shape (n_codes, 3)
        Red, green, blue.
    names : tuple of str
        One per code; empty for a continuous scale.
    limits : tuple of float, optional
        Values of the first and the last shade of a continuous scale.
    """

    title: str
    codes: NDArray[Any]
    colors: NDArray[np.uint8]
    names: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of points of each code."""
        return np.bincount(self.codes, minlength=len(self.colors))


def plain(n_points: int) -> Coloring:
    """Return one color for all points."""
    return Coloring(
        "one color",
        np.zeros(n_points, dtype=np.uint8),
        _rgb([phase_colors(5)[4]]),
        ("pixels",),
    )


def continuous(title: str, values: NDArray[Any]) -> Coloring:
    """Return a perceptual scale over the middle 99 % of the values.

    NaN is grey; plus and minus infinity are the ends of the scale.
    """
    values = np.asarray(values)
    step = max(1, len(values) // MAX_SAMPLE)
    sample = values[::step]
    sample = sample[np.isfinite(sample)]
    low, high = (0.0, 1.0)
    if sample.size:
        low, high = (float(v) for v in np.percentile(sample, RANGE))
    scale = (N_SHADES - 1) / (high - low) if high > low else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        shade = (values - values.dtype.type(low)) * values.dtype.type(scale)
    shade = np.clip(shade, 0, N_SHADES - 1)
    codes = np.where(np.isnan(shade), N_SHADES, shade).astype(np.uint8)
    return Coloring(title, codes, _viridis(), limits=(low, high))


def colorings(workspace: Workspace) -> list[str]:
    """Return what the points can be colored by, the most telling first."""
    names = []
    if workspace.resolved is not None:
        names.append("resolved phase")
    if workspace.posterior is not None:
        names += [PROBABLE, "probability"]
    if workspace.phase_map is not None:
        names += ["phase", "phase, ambiguous grey", "ambiguity", "reliability"]
    if workspace.stacks is not None:
        names += ["intensity", "particle"]
    if workspace.selections:
        names.append("named selections")
    n_pixels = None if workspace.stacks is None else workspace.stacks.n_pixels
    names += [
        name
        for name, values in workspace.features.items()
        if np.ndim(values) == 1 and n_pixels in (None, len(values))
    ]
    return [*names, "one color"]


def coloring(workspace: Workspace, name: str, n_points: int) -> Coloring:
    """Return the coloring of this name, of one color if it is not there any more."""
    phases, resolved, stacks = (
        workspace.phase_map,
        workspace.resolved,
        workspace.stacks,
    )
    found: Coloring | None = None
    if name in workspace.features:
        found = _feature(name, np.asarray(workspace.features[name]))
    elif name == "resolved phase" and resolved is not None:
        found = _classes(name, resolved)
    elif name in (PROBABLE, "probability") and workspace.posterior is not None:
        found = _of_posterior(name, workspace.posterior, workspace.level)
    elif name == "intensity" and stacks is not None:
        found = continuous("mean intensity", _intensity(stacks))
    elif name == "particle" and stacks is not None:
        found = Coloring(
            name, stacks.stack_index, _rgb(phase_colors(len(stacks))), stacks.names
        )
    elif name == "named selections":
        found = _named(workspace, n_points)
    elif phases is not None:
        found = _of_phase_map(name, phases, workspace.threshold)
    if found is None or len(found.codes) != n_points:
        return plain(n_points)
    return replace(found, codes=np.ascontiguousarray(found.codes))


def _of_phase_map(name: str, phases: PhaseMap, threshold: float) -> Coloring | None:
    if name == "phase":
        return _classes(name, phases)
    if name == "reliability":
        return continuous("reliability R", phases.reliability)
    if name == "ambiguity":
        codes = np.where(
            phases.labels == 0, 0, 1 + phases.ambiguous(threshold).astype(np.uint8)
        ).astype(np.uint8)
        colors = _rgb([UNASSIGNED, phase_colors(5)[4], AMBIGUOUS])
        return Coloring(name, codes, colors, ("not assigned", "clear", "ambiguous"))
    if name == "phase, ambiguous grey":
        known = _classes(name, phases)
        grey = len(known.names)
        dtype = np.uint8 if grey < 256 else np.uint16
        codes = np.where(phases.ambiguous(threshold), grey, known.codes).astype(dtype)
        colors = np.concatenate([known.colors, _rgb([AMBIGUOUS])])
        return Coloring(name, codes, colors, (*known.names, "ambiguous"))
    return None


def _of_posterior(name: str, posterior: PhaseMap, level: float) -> Coloring:
    told = decisions_of(posterior)
    if name == PROBABLE:
        return _classes(name, told.as_map(level))
    return continuous(name, told.probability)


def _classes(title: str, phases: PhaseMap) -> Coloring:
    colors = _rgb([UNASSIGNED, *phases.colors])
    return Coloring(title, phases.labels, colors, ("not assigned", *phases.names))


def _feature(name: str, values: NDArray[Any]) -> Coloring:
    """Return classes for few whole numbers or words, else a scale."""
    if values.dtype == bool or values.dtype.kind in "iuUSO":
        classes, codes = np.unique(values, return_inverse=True)
        if len(classes) <= MAX_CLASSES:
            names = tuple(str(value) for value in classes)
            colors = _rgb(phase_colors(len(classes)))
            return Coloring(name, codes.astype(np.uint8), colors, names)
    return continuous(name, values.astype(np.float32))


def _named(workspace: Workspace, n_points: int) -> Coloring | None:
    codes = np.zeros(n_points, dtype=np.uint16)
    for number, selection in enumerate(workspace.selections):
        if len(selection.pixels) != n_points:
            return None
        codes[selection.pixels] = number + 1
    names = ("in none", *(s.name for s in workspace.selections))
    colors = _rgb([UNASSIGNED, *(s.color for s in workspace.selections)])
    return Coloring("named selections", codes, colors, names)


@lru_cache(maxsize=2)
def _intensity(stacks: StackSet) -> NDArray[np.float32]:
    """Return the mean over the energies of every pixel."""
    parts = []
    for stack in stacks:
        used = [
            np.asarray(frame)[stack.mask]
            for frame, is_used in zip(stack.data, stacks.energy_used, strict=True)
            if is_used
        ]
        parts.append(np.mean(used, axis=0, dtype=np.float32))
    return np.concatenate(parts)


@lru_cache(maxsize=1)
def _viridis() -> NDArray[np.uint8]:
    from vispy.color import get_colormap

    ramp = get_colormap("viridis").map(np.linspace(0, 1, N_SHADES))[:, :3]
    colors: NDArray[np.uint8] = np.concatenate(
        [np.round(255 * ramp).astype(np.uint8), _rgb([UNASSIGNED])]
    )
    return colors


def _rgb(colors: Sequence[str]) -> NDArray[np.uint8]:
    """Return hexadecimal colors as (n, 3) bytes."""
    return np.array(
        [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors],
        dtype=np.uint8,
    ).reshape(-1, 3)
