"""What an assignment changed.

* `change_table`: how many pixels went from which phase to which.
* `disagreement`: sure pixels whose latent cluster is another phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.text_table import aligned_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap

__all__ = ["ChangeTable", "change_table", "disagreement"]

UNASSIGNED = "(not assigned)"


@dataclass(frozen=True, eq=False, repr=False)
class ChangeTable:
    """How many pixels went from which phase to which.

    Parameters
    ----------
    names : tuple of str
        Phases.
    pixels : ndarray of int of shape (n_phases + 1, n_phases + 1)
        Pixels by label before (row) and after (column); 0 is not assigned.
    before, after : ndarray of shape (n_phases,)
        Per cent of each phase among the assigned pixels.
    """

    names: tuple[str, ...]
    pixels: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]

    @property
    def n_changed(self) -> int:
        """Number of pixels with another label."""
        return int(self.pixels.sum() - np.trace(self.pixels))

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of `rows`."""
        to = [f"to {name}" for name in (*self.names, UNASSIGNED)]
        return ("phase", "before (%)", "after (%)", *to)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """One row per phase before, the last one for pixels without a phase."""
        shares = [*zip(self.before, self.after, strict=True), (np.nan, np.nan)]
        order = [*range(1, len(self.names) + 1), 0]
        return [
            (name, float(low), float(high), *(int(n) for n in self.pixels[row, order]))
            for name, (low, high), row in zip(
                (*self.names, UNASSIGNED), shares, order, strict=True
            )
        ]

    def __repr__(self) -> str:
        title = f"{self.n_changed} of {int(self.pixels.sum())} pixels changed"
        return "\n".join([title, *aligned_table([self.header, *self.rows])])


def change_table(before: PhaseMap, after: PhaseMap, /) -> ChangeTable:
    """Count how many pixels went from which phase to which.

    Parameters
    ----------
    before, after : PhaseMap
        Maps of the same pixels and phases.

    Returns
    -------
    ChangeTable

    Raises
    ------
    ValueError
        If pixels or phases differ.

    Examples
    --------
    >>> from napari_phasemap.core.data.phasemap import PhaseMap
    >>> before = PhaseMap.from_scores([[1, 0], [1, 0], [0, 1]], ["a", "b"])
    >>> table = change_table(before, before.with_labels([1, 2, 2]))
    >>> table.n_changed, table.pixels[1:, 1:].tolist()
    (1, [[1, 1], [0, 1]])
    """
    _check_same(before, after)
    n = before.n_phases + 1
    flat = before.labels.astype(np.int64) * n + after.labels
    return ChangeTable(
        names=before.names,
        pixels=np.bincount(flat, minlength=n * n).reshape(n, n),
        before=before.fractions(),
        after=after.fractions(),
    )


def disagreement(
    phase_map: PhaseMap,
    latent_map: PhaseMap,
    /,
    *,
    threshold: float = DEFAULT_THRESHOLD,
) -> NDArray[np.bool_]:
    """Return which unambiguous pixels lie in the latent cluster of another phase.

    Such pixels are worth a look (Fig. S6b of arXiv:2603.07666); few of them are real
    errors of the correlation (docs/accuracy.md).

    Parameters
    ----------
    phase_map : PhaseMap
        By correlation.
    latent_map : PhaseMap
        From an ``assign_`` function of any scope.
    threshold : float, default=0.005
        Smallest unambiguous margin of `phase_map`.

    Returns
    -------
    ndarray of bool of shape (n_pixels,)

    Raises
    ------
    ValueError
        If pixels or phases differ, or `latent_map` has no scores.
    """
    _check_same(phase_map, latent_map)
    if latent_map.scores is None:
        raise InputError("the latent map has no scores; it is not from an assign_ step")
    scores = np.where(np.isfinite(latent_map.scores), latent_map.scores, -np.inf)
    scored = np.isfinite(scores.max(axis=1))
    sure = (phase_map.labels > 0) & ~phase_map.ambiguous(threshold)
    return np.asarray(sure & scored & (scores.argmax(axis=1) + 1 != phase_map.labels))


def _check_same(one: PhaseMap, other: PhaseMap) -> None:
    if one.n_pixels != other.n_pixels or one.names != other.names:
        raise InputError(
            f"maps differ: {one.n_pixels} pixels of {one.names}, {other.n_pixels} of "
            f"{other.names}"
        )
