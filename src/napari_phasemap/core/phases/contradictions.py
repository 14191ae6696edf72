"""Where a map by correlation is sure and the posterior says otherwise.

* `contradictions`: these pixels as a map and as a table.
* `Contradictions`: the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.text_table import aligned_table
from napari_phasemap.core.phases.abstention import contradicted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap

__all__ = ["Contradictions", "contradictions"]


@dataclass(frozen=True, eq=False, repr=False)
class Contradictions:
    """Sure pixels of a map that the posterior contradicts.

    Parameters
    ----------
    names : tuple of str
        Phases.
    where : ndarray of bool of shape (n_pixels,)
        The contradicted pixels.
    pixels : ndarray of int of shape (n_phases, n_phases)
        How many, by the phase of the map (row) and of the posterior (column).
    probability : ndarray of shape (n_phases, n_phases)
        Mean probability of the posterior's phase; NaN without pixels.
    n_sure : int
        Unambiguous pixels of the map.
    """

    names: tuple[str, ...]
    where: NDArray[np.bool_]
    pixels: NDArray[np.int64]
    probability: NDArray[np.float64]
    n_sure: int

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of `rows`."""
        return ("phase", "posterior", "pixels", "probability")

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """One row per pair of phases with pixels, most pixels first."""
        pairs = np.argwhere(self.pixels)
        pairs = pairs[np.argsort(-self.pixels[tuple(pairs.T)], kind="stable")]
        return [
            (
                self.names[a],
                self.names[b],
                int(self.pixels[a, b]),
                float(self.probability[a, b]),
            )
            for a, b in pairs
        ]

    def __repr__(self) -> str:
        n_pixels = int(np.count_nonzero(self.where))
        title = f"{n_pixels} of {self.n_sure} sure pixels are contradicted"
        return "\n".join([title, *aligned_table([self.header, *self.rows])])


def contradictions(
    phase_map: PhaseMap,
    posterior: PhaseMap,
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    level: float = 0.5,
) -> Contradictions:
    """Return where the posterior contradicts sure pixels, and which phases it would be.

    Parameters
    ----------
    phase_map : PhaseMap
        By correlation.
    posterior : PhaseMap
        From `posterior_map`, of the same pixels and phases.
    threshold : float, default=0.005
        Smallest unambiguous margin of `phase_map`.
    level : float, default=0.5
        Probability that the other phase has at least.

    Returns
    -------
    Contradictions

    Raises
    ------
    InputError
        If the maps differ in pixels or phases.

    Examples
    --------
    >>> from napari_phasemap.core.data.phasemap import PhaseMap
    >>> sure = PhaseMap.from_scores([[0.9, 0.5], [0.9, 0.5]], ["a", "b"])
    >>> other = PhaseMap.from_scores(np.log([[0.2, 0.8], [0.9, 0.1]]), ["a", "b"])
    >>> contradictions(sure, other)
    1 of 2 sure pixels are contradicted
    phase  posterior  pixels  probability
    a              b       1        0.800
    """
    where = contradicted(phase_map, posterior, threshold=threshold, level=level)
    n = phase_map.n_phases
    flat = (phase_map.labels[where].astype(int) - 1) * n + posterior.labels[where] - 1
    pixels = np.bincount(flat, minlength=n * n)
    sums = np.bincount(flat, np.exp(posterior.best[where].astype(float)), n * n)
    with np.errstate(invalid="ignore"):
        probability = sums / np.where(pixels > 0, pixels, np.nan)
    sure = (phase_map.labels > 0) & ~phase_map.ambiguous(threshold)
    return Contradictions(
        names=phase_map.names,
        where=read_only(where),
        pixels=read_only(pixels.reshape(n, n)),
        probability=read_only(probability.reshape(n, n)),
        n_sure=int(np.count_nonzero(sure)),
    )
