"""Classes that are kinds of their own, told from steps along a continuum.

k-means cuts any cloud into as many classes as it is asked for. Between two kinds there
are few pixels; between two steps of one amount or one mixture there are as many as in
the steps themselves.

* `kinds_of`: which classes have a gap between them.
* `Kinds`: the result, with a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.learn.clustering import finite_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap

__all__ = ["Kinds", "kinds_of"]

#: Half of the width of what is counted, in distances between two centers.
HALF_WIDTH = 0.1
#: A gap holds at most this share of the pixels around the lower peak.
DEPTH = 0.6
#: Probability of a gap that is none, over all pairs of classes together.
LEVEL = 0.01


@dataclass(frozen=True)
class Kinds:
    """Which classes are kinds.

    Parameters
    ----------
    group : tuple of int
        Number of the kind of each class, counted from 1.
    names : tuple of str
        Names of the classes.
    """

    group: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def n_kinds(self) -> int:
        """How many kinds have a gap around them."""
        return max(self.group, default=0)

    @property
    def reason(self) -> str:
        """What that means, in words."""
        if len(self.group) < 2:
            return "one class"
        if self.n_kinds == 1:
            return "no gap between the classes: they are steps of a continuum"
        steps = [
            " + ".join(np.array(self.names)[np.array(self.group) == kind])
            for kind in range(1, self.n_kinds + 1)
            if self.group.count(kind) > 1
        ]
        text = f"{self.n_kinds} kinds with gaps between them"
        return f"{text}; steps of one kind: {', '.join(steps)}" if steps else text


def kinds_of(
    values: NDArray[Any], classes: PhaseMap, /, *, averaged: float = 0.0
) -> Kinds:
    """Tell classes with gaps between them from steps along a continuum.

    Pixels of two neighboring classes are projected on the line between the centers. A
    density with one peak is at the middle at least as high as around the lower of the
    two centers, so fewer pixels there, by a one-sided binomial test, are a gap. Classes
    without a gap are one kind; mixed pixels that connect two kinds go to one of them.

    Parameters
    ----------
    values : ndarray of shape (n_pixels, n_values)
        What was clustered; NaN rows are left out. In one unit: distances count all
        values alike.
    classes : PhaseMap
        Of the same pixels.
    averaged : float, default=0.0
        Standard deviation in pixels over which values were averaged: fewer of them are
        independent.

    Returns
    -------
    Kinds
        A kind for every class with pixels between gaps.

    Raises
    ------
    ValueError
        If the lengths differ.

    Notes
    -----
    Two classes are neighbors if no third center lies in the sphere around the middle of
    theirs (a Gabriel graph). Gaps that too few pixels show are not seen. Joining by
    saddles follows the idea of F. Chazal et al., J. ACM 60, 41 (2013),
    doi:10.1145/2535927.
    """
    rows, finite = finite_rows(values)
    if len(rows) != classes.n_pixels:
        raise InputError(f"{len(rows)} values for {classes.n_pixels} classified pixels")
    labels = np.where(finite, np.asarray(classes.labels), 0)
    used = [k for k in range(1, classes.n_phases + 1) if np.any(labels == k)]
    centers = {k: rows[labels == k].mean(axis=0, dtype=np.float64) for k in used}
    independent = 1.0 / max(1.0, np.pi * averaged**2)
    counts = {}
    for i, a in enumerate(used):
        for b in used[i + 1 :]:
            if _are_neighbors(centers, a, b):
                both = rows[(labels == a) | (labels == b)]
                counts[a, b] = independent * _along(both, centers[a], centers[b])
    group = _joined(used, counts)
    order = {g: number for number, g in enumerate(dict.fromkeys(group.values()), 1)}
    names = tuple(classes.names[k - 1] for k in used)
    return Kinds(tuple(order[group[k]] for k in used), names)


def _joined(
    used: list[int], counts: dict[tuple[int, int], NDArray[np.float64]]
) -> dict[int, int]:
    """Return the peak of the density that each class belongs to.

    From the highest saddle down, classes are joined unless the lower of their peaks
    stands out of the saddle: what connects two kinds through mixed pixels is lower than
    both.
    """
    height = _heights(used, counts)
    saddles = {
        pair: 0.5 * (height[pair[0]] + height[pair[1]])
        + float(np.log(n[1]) - 0.5 * np.log(n[0] * n[2]))
        for pair, n in ((pair, np.maximum(n, 0.5)) for pair, n in counts.items())
    }
    group = {k: k for k in used}
    for a, b in sorted(saddles, key=lambda pair: -saddles[pair]):
        low, high = sorted((group[a], group[b]), key=lambda k: height[k])
        if low == high:
            continue
        share = float(np.exp(saddles[a, b] - height[low]))
        around = float(counts[a, b][[0, 2]].min())
        if not _is_gap(share, around, len(counts)):
            group = {k: high if g == low else g for k, g in group.items()}
    return group


def _heights(
    used: list[int], counts: dict[tuple[int, int], NDArray[np.float64]]
) -> dict[int, float]:
    """Return logarithms of the density at the centers, up to a constant.

    Every two neighbors tell the ratio of theirs; all ratios together are solved by
    least squares.
    """
    place = {k: i for i, k in enumerate(used)}
    equations = np.zeros((len(counts), len(used)))
    ratios = np.zeros(len(counts))
    for row, ((a, b), n) in enumerate(counts.items()):
        equations[row, place[a]], equations[row, place[b]] = -1.0, 1.0
        ratios[row] = np.log(max(n[2], 0.5) / max(n[0], 0.5))
    solved = np.linalg.lstsq(equations, ratios, rcond=None)[0] if counts else ratios
    return {k: float(solved[i]) if counts else 0.0 for k, i in place.items()}


def _are_neighbors(centers: dict[int, NDArray[np.float64]], a: int, b: int) -> bool:
    """Return whether no third center is nearer to the middle of two than they are."""
    middle = 0.5 * (centers[a] + centers[b])
    reach = float(np.sum((centers[a] - middle) ** 2))
    return all(
        float(np.sum((center - middle) ** 2)) >= reach
        for k, center in centers.items()
        if k not in (a, b)
    )


def _along(
    rows: NDArray[np.float32], first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how many pixels lie at the first center, midway and at the second."""
    line = second - first
    along = (rows - first) @ line / max(float(line @ line), 1e-30)
    return np.array(
        [np.count_nonzero(np.abs(along - at) < HALF_WIDTH) for at in (0.0, 0.5, 1.0)],
        dtype=np.float64,
    )


def _is_gap(share: float, around: float, n_pairs: int) -> bool:
    """Return whether a saddle holds significantly less than the lower peak."""
    from scipy.stats import binom

    if share > DEPTH:
        return False
    middle, around = np.ceil(share * around), np.floor(around)
    return bool(binom.cdf(middle, middle + around, 0.5) < LEVEL / n_pairs)
