"""Where the pairs of classes lie that share more pixels than chance has it.

* `co_occurrence_map`: one label per significant pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap

if TYPE_CHECKING:
    from napari_phasemap.core.bonds.mutual_information import ClassPairs

__all__ = ["co_occurrence_map"]


def co_occurrence_map(
    pairs: ClassPairs,
    classes_a: PhaseMap,
    classes_b: PhaseMap,
    /,
    *,
    alpha: float = 0.01,
    depleted: bool = False,
) -> PhaseMap:
    """Label every pixel by its significant pair of classes.

    Parameters
    ----------
    pairs : ClassPairs
        From `mutual_information` of the two maps.
    classes_a, classes_b : PhaseMap
        The maps.
    alpha : float, default=0.01
        Largest family-wise p.
    depleted : bool, default=False
        Also label pairs that are rarer than expected.

    Returns
    -------
    PhaseMap
        One phase per pair, named "a & b", largest z first; other pixels are 0. The
        only score is z of the pair. The pair of both absent is never labeled.

    Raises
    ------
    ValueError
        If the maps are not those of `pairs`.
    """
    if pairs.n.shape != (classes_a.n_phases + 1, classes_b.n_phases + 1):
        raise InputError(
            f"pairs of {pairs.n.shape} classes, maps of {classes_a.n_phases + 1} and "
            f"{classes_b.n_phases + 1}; compute the pairs again"
        )
    wanted = pairs.significant(alpha)
    if not depleted:
        wanted = wanted & (pairs.n > pairs.expected)
    wanted[0, 0] = False
    found = np.argwhere(wanted & (pairs.n > 0))
    order = np.argsort(-np.abs(pairs.z[tuple(found.T)]))
    number = np.zeros(pairs.n.shape, dtype=np.uint16)
    names = []
    for rank, (a, b) in enumerate(found[order], start=1):
        number[a, b] = rank
        names.append(f"{pairs.names_a[a]} & {pairs.names_b[b]}")
    labels = number[classes_a.labels, classes_b.labels]
    strength = pairs.z[classes_a.labels, classes_b.labels].astype(np.float32)
    best = np.where(labels > 0, strength, np.float32(np.nan))
    return PhaseMap(
        labels=labels,
        runner_up=np.zeros_like(labels),
        best=best,
        margin=np.where(labels > 0, np.inf, np.nan).astype(np.float32),
        names=tuple(names),
        method="co-occurrence",
        parameters={"alpha": alpha, "depleted": depleted, "null": pairs.null},
    )
