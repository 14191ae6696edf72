"""With which settings an edge is analyzed.

* `EdgeRecipe`: the settings of one edge; `PRESETS` holds the tables of values.
* `edge_recipe`: a recipe from a preset.
* `EDGES`, `suggest_recipe`: where edges lie and windows for them.
* `parse_edge`: ``"Si_L:70-95:99-130"`` as windows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

# The form of the settings reads these types while it runs.
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.net_edge import BackgroundMethod

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = [
    "EDGES",
    "PRESETS",
    "EdgeRecipe",
    "edge_recipe",
    "parse_edge",
    "suggest_recipe",
]

Representation: TypeAlias = Literal["whitened", "composition"]
ClusterOn: TypeAlias = Literal["scores", "embedding"]

#: Onset energies in eV of the edges that are met most, from the Gatan EELS Atlas (C. C.
#: Ahn, O. L. Krivanek, 1983) and the X-ray Data Booklet (LBNL, 2009), Table 1-1.
EDGES: Mapping[str, float] = MappingProxyType(
    {
        "Li_K": 55.0, "Al_L": 73.0, "Si_L": 99.0, "P_L": 132.0, "S_L": 165.0,
        "B_K": 188.0, "Cl_L": 200.0, "C_K": 284.0, "K_L": 294.0, "Ca_L": 346.0,
        "N_K": 401.0, "Ti_L": 456.0, "V_L": 513.0, "O_K": 532.0, "Cr_L": 575.0,
        "Mn_L": 640.0, "F_K": 685.0, "Fe_L": 708.0, "Co_L": 779.0, "La_M": 832.0,
        "Ni_L": 855.0, "Ce_M": 883.0, "Cu_L": 931.0, "Zn_L": 1020.0, "Na_K": 1072.0,
        "Mg_K": 1305.0, "Al_K": 1560.0, "Si_K": 1839.0,
    }
)  # fmt: skip


#: Lowest and highest value of each number.
RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "background_neighbors": (0.0, 1000.0),
        "significance": (-np.inf, np.inf),
        "jump_ratio": (-np.inf, np.inf),
        "present_neighbors": (0.0, 1000.0),
        "n_components": (1, np.inf),
        "score_neighbors": (0.0, 1000.0),
        "n_clusters": (1, np.inf),
        "n_dimensions": (1, 3),
        "n_neighbors": (2, np.inf),
        "min_distance": (0.0, 1.0),
        "seed": (0, 2**32 - 1),
    }
)
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "method": get_args(BackgroundMethod),
        "representation": get_args(Representation),
        "cluster_on": get_args(ClusterOn),
    }
)


@dataclass(frozen=True)
class EdgeRecipe:
    """Settings of one edge, in the order of the steps.

    Parameters
    ----------
    name : str
        Name of the edge.
    fit_window, window : tuple of float
        Energies (low, high) in eV of the background and of the edge. Without a fit
        window (None) the spectra are taken as they are, in all pixels.
    method : {"poisson", "least_squares"}, default="poisson"
        See `subtract_background`.
    background_neighbors : float, default=1.5
        Pixels over which neighbors share the background's exponent.
    significance, jump_ratio, present_neighbors : float
        When a pixel has the edge, see `measure_presence` and `Presence.at`; neighbors
        are a weight. A significance and a jump ratio of -inf take every pixel.
    n_components : int or "auto", default="auto"
        See `pca`.
    weighted : bool, default=True
        Whether components are weighted by the counting noise.
    score_neighbors : float, default=1.0
        Pixels over which scores are averaged.
    representation : {"whitened", "composition"}, default="composition"
        What is clustered: scores of equal variance, or scores per amount.
    cluster_on : {"scores", "embedding"}, default="scores"
        Where k-means runs.
    n_clusters : int or "auto", default="auto"
        "auto" takes the suggestion of `suggest_n_clusters`, at least 2.
    embed : bool, default=True
        Whether a UMAP embedding is made (always, if it is clustered on).
    n_dimensions : int, default=2
        Of UMAP, 2 or 3.
    n_neighbors : int, default=20
        Of UMAP.
    min_distance : float, default=0.1
        Of UMAP.
    seed : int, default=0
        Seed of everything random.

    Raises
    ------
    ValueError
        If a setting is out of its range or none of its choices.
    """

    name: str
    fit_window: tuple[float, float] | None
    window: tuple[float, float]
    method: BackgroundMethod = "poisson"
    background_neighbors: float = 1.5
    significance: float = 3.0
    jump_ratio: float = 1.05
    present_neighbors: float = 1.0
    n_components: int | Literal["auto"] = "auto"
    weighted: bool = True
    score_neighbors: float = 1.0
    representation: Representation = "composition"
    cluster_on: ClusterOn = "scores"
    n_clusters: int | Literal["auto"] = "auto"
    embed: bool = True
    n_dimensions: int = 2
    n_neighbors: int = 20
    min_distance: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value == "auto" or low <= value <= high:
                continue
            span = f"between {low:g} and {high:g}" if value == value else "a number"
            raise InputError(
                f"{name}={value!r} of {self.name or 'an edge'} is not {span}"
            )
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(f"{name}={getattr(self, name)!r} is not in {choices}")


#: Values by name. "recommended" are the defaults; "paper" follows the published recipe
#: (arXiv listing and code of Yeo et al., eelsmapper 0.2.5): 30 whitened components of
#: all pixels, UMAP, 20 clusters on the embedding.
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "recommended": MappingProxyType({}),
        "paper": MappingProxyType(
            {
                "background_neighbors": 0.0,
                "significance": -np.inf,
                "jump_ratio": -np.inf,
                "present_neighbors": 0.0,
                "n_components": 30,
                "weighted": False,
                "score_neighbors": 0.0,
                "representation": "whitened",
                "cluster_on": "embedding",
                "n_clusters": 20,
                "n_neighbors": 20,
                "min_distance": 0.1,
                "seed": 42,
            }
        ),
    }
)


def edge_recipe(
    name: str,
    fit_window: tuple[float, float] | None,
    window: tuple[float, float],
    /,
    *,
    preset: str = "recommended",
    **changes: Any,
) -> EdgeRecipe:
    """Return the recipe of an edge from a preset and changes to it.

    Parameters
    ----------
    name : str
        Of the edge.
    fit_window : tuple of float or None
        Lowest and highest energy of the background, in eV; None subtracts none.
    window : tuple of float
        Lowest and highest energy of the signal, in eV.
    preset : str, default="recommended"
        One of `PRESETS`.
    **changes : object
        Fields of `EdgeRecipe` and their values.

    Returns
    -------
    EdgeRecipe
        What the preset says, changed.

    Examples
    --------
    >>> edge_recipe("Si_L", (70.0, 95.0), (99.0, 130.0), preset="paper").n_clusters
    20
    """
    if preset not in PRESETS:
        raise InputError(f"{preset=} is not one of {sorted(PRESETS)}")
    known = {field.name for field in fields(EdgeRecipe)}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise InputError(f"no setting {unknown}; there are {sorted(known)}")
    return EdgeRecipe(name, fit_window, window, **{**PRESETS[preset], **changes})


def parse_edge(text: str, /) -> tuple[str, tuple[float, float], tuple[float, float]]:
    """Return name, fit window and window from ``"Si_L:70-95:99-130"`` (eV).

    Parameters
    ----------
    text : str
        Name, fit window and window between colons.

    Returns
    -------
    name : str
        Of the edge.
    fit_window, window : tuple of float
        Lowest and highest energy in eV.

    Examples
    --------
    >>> parse_edge("Si_L:70-95:99-130")
    ('Si_L', (70.0, 95.0), (99.0, 130.0))
    """
    number = r"(\d+(?:\.\d*)?)"
    pattern = rf"([^:]+):{number}-{number}:{number}-{number}"
    found = re.fullmatch(pattern, text.strip())
    if found is None:
        raise InputError(
            f"edge {text!r} is not NAME:FITLOW-FITHIGH:LOW-HIGH in eV, for example "
            "Si_L:70-95:99-130"
        )
    low, high, start, stop = (float(value) for value in found.groups()[1:])
    return found[1], (low, high), (start, stop)


def suggest_recipe(
    name: str, stack: SpectralStack, /, *, preset: str = "recommended"
) -> EdgeRecipe:
    """Return a recipe with windows for an edge of `EDGES` on the axis of a stack.

    The signal window goes from 1 eV before the onset to a tenth above it, at least 30
    eV; the fit window ends 4 eV before the onset and is up to 0.15 of it wide, but at
    least 15 eV. Both are cut at the axis.

    Parameters
    ----------
    name : str
        Of the edge, as in `EDGES`.
    stack : SpectralStack
        Whose axis the windows have to fit.
    preset : str, default="recommended"
        One of `PRESETS`.

    Returns
    -------
    EdgeRecipe
        With both windows.

    Raises
    ------
    ValueError
        If the edge is unknown or the axis has no room for a fit window of 8 eV.
    """
    if name not in EDGES:
        raise InputError(f"no edge {name!r}; there are {', '.join(EDGES)}")
    onset = EDGES[name]
    low, high = float(stack.energy[0]), float(stack.energy[-1])
    fit = (max(low, onset - 4.0 - max(0.15 * onset, 15.0)), onset - 4.0)
    window = (onset - 1.0, min(high, onset + max(0.1 * onset, 30.0)))
    if fit[1] - fit[0] < 8.0 or window[1] - window[0] < 8.0:
        raise InputError(
            f"{name} begins at {onset:g} eV, the axis of {stack.name!r} covers "
            f"{low:g}-{high:g} eV: no room for a background window and the edge"
        )
    return edge_recipe(name, fit, window, preset=preset)
