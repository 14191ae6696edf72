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
#: A gap holds at most this share of the pixels around the emptier center.
DEPTH = 0.7
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
            return "a continuum: no gap between the classes, they are steps of it"
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
    without a gap are one kind, and so is what they connect.

    Parameters
    ----------
    values : ndarray of shape (n_pixels, n_values)
        What was clustered; NaN rows are left out.
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
    theirs (a Gabriel graph). Gaps that too few pixels show are not seen.
    """
    rows, finite = finite_rows(values)
    if len(rows) != classes.n_pixels:
        raise InputError(f"{len(rows)} values for {classes.n_pixels} classified pixels")
    labels = np.where(finite, np.asarray(classes.labels), 0)
    used = [k for k in range(1, classes.n_phases + 1) if np.any(labels == k)]
    centers = {k: rows[labels == k].mean(axis=0, dtype=np.float64) for k in used}
    pairs = [
        (a, b)
        for i, a in enumerate(used)
        for b in used[i + 1 :]
        if _are_neighbors(centers, a, b)
    ]
    group = {k: k for k in used}
    independent = 1.0 / max(1.0, 4.0 * np.pi * averaged**2)
    for a, b in pairs:
        both = rows[(labels == a) | (labels == b)]
        if not _has_gap(both, centers[a], centers[b], independent, len(pairs)):
            joined, kept = group[b], group[a]
            group = {k: kept if g == joined else g for k, g in group.items()}
    order = {g: number for number, g in enumerate(dict.fromkeys(group.values()), 1)}
    names = tuple(classes.names[k - 1] for k in used)
    return Kinds(tuple(order[group[k]] for k in used), names)


def _are_neighbors(centers: dict[int, NDArray[np.float64]], a: int, b: int) -> bool:
    """Return whether no third center is nearer to the middle of two than they are."""
    middle = 0.5 * (centers[a] + centers[b])
    reach = float(np.sum((centers[a] - middle) ** 2))
    return all(
        float(np.sum((center - middle) ** 2)) >= reach
        for k, center in centers.items()
        if k not in (a, b)
    )


def _has_gap(
    rows: NDArray[np.float32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    independent: float,
    n_pairs: int,
) -> bool:
    """Return whether fewer pixels lie midway than around the emptier center."""
    from scipy.stats import binom

    line = second - first
    length = float(line @ line)
    if length == 0.0:
        return False
    along = (rows - first) @ line / length
    counts = [
        float(np.count_nonzero(np.abs(along - at) < HALF_WIDTH)) * independent
        for at in (0.0, 0.5, 1.0)
    ]
    middle, around = counts[1], min(counts[0], counts[2])
    if middle > DEPTH * around:
        return False
    chance = binom.cdf(np.ceil(middle), np.ceil(middle) + np.floor(around), 0.5)
    return bool(chance < LEVEL / n_pairs)
