"""In which order two label maps' classes are shown, so that partners meet.

* `diagonal_order`: rows and columns whose strongest pairs lie on the diagonal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.bonds.mutual_information import ClassPairs

__all__ = ["diagonal_order"]


def diagonal_order(pairs: ClassPairs, /) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of `pairs` so that the strongest pairs meet.

    Every class gets at most one partner among those it meets more often than by chance,
    such that the pairs' z add up to the most (linear assignment). Pairs come by falling
    z, those with class 0 after the others, classes without a partner last.
    Classes without pixels are left out.

    Parameters
    ----------
    pairs : ClassPairs
        From `mutual_information`.

    Returns
    -------
    rows, columns : ndarray of int of shape (n_rows,), (n_columns,)
        Numbers of the classes of the first and the second map, 0 for "absent".
    """
    from scipy.optimize import linear_sum_assignment

    used_a = np.flatnonzero(pairs.n.sum(axis=1))
    used_b = np.flatnonzero(pairs.n.sum(axis=0))
    # Where a pair was not tested, a little for its contribution breaks the tie.
    known = np.nan_to_num(np.maximum(pairs.z, 0.0), nan=0.0)
    gain = np.where(pairs.n > pairs.expected, known + 1e-3 * pairs.contribution, 0.0)
    gain = gain[np.ix_(used_a, used_b)]
    partners = [
        (-gain[i, j], used_a[i], used_b[j])
        for i, j in zip(*linear_sum_assignment(-gain), strict=True)
        if gain[i, j] > 0
    ]
    partners.sort(key=lambda pair: ((pair[1] == 0) or (pair[2] == 0), pair[0]))
    rows = [int(a) for _, a, _ in partners]
    columns = [int(b) for _, _, b in partners]
    rows += _rest(used_a, rows)
    columns += _rest(used_b, columns)
    return np.array(rows, dtype=np.intp), np.array(columns, dtype=np.intp)


def _rest(used: NDArray[np.intp], placed: list[int]) -> list[int]:
    """Return the classes not yet placed, class 0 last."""
    left = [int(i) for i in used if int(i) not in placed]
    return sorted(left, key=lambda i: (i == 0, i))
