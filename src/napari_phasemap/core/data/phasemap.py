"""Which phase a pixel is, and how sure that is: the result of every classifier.

* `PhaseMap`: labels, runner-up and margin per pixel, with names and colors.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.palettes import phase_colors
from napari_phasemap.core.data.text_table import described

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["DEFAULT_THRESHOLD", "PhaseMap"]

#: Smallest gap Q1 - Q2 that is not ambiguous (arXiv:2603.07666, Algorithm 1).
DEFAULT_THRESHOLD = 0.005


@dataclass(frozen=True, eq=False, repr=False)
class PhaseMap:
    """The phase of every pixel with its score, runner-up and margin.

    Parameters
    ----------
    labels : ndarray of int of shape (n_pixels,)
        1..n_phases in the order of `names`; 0 is not assigned.
    runner_up : ndarray of int of shape (n_pixels,)
        Second best phase, numbered likewise; 0 where there is none.
    best : ndarray of float32 of shape (n_pixels,)
        Score of the best phase, in the unit of the method; NaN where not assigned.
    margin : ndarray of float32 of shape (n_pixels,)
        Best minus second best score; NaN where not assigned. For Pearson this is L of
        Algorithm 1 in arXiv:2603.07666. In the unit of the scores.
    names : sequence of str
        Names of the phases.
    colors : sequence of str, optional
        Hexadecimal colors of the phases; default `phase_colors`.
    method : str, default="pearson"
        What classified.
    scores : ndarray of float32 of shape (n_pixels, n_phases), optional
        All scores, larger is better; None where they were not kept. In the unit of the
        method: a correlation is dimensionless, a log-probability in nats.
    parameters : mapping, optional
        Parameters of the method, for the provenance.
    misfit : ndarray of float32 of shape (n_pixels,), optional
        How often a pixel of the known phases fits worse than this one, 0 to 1; None
        where the method does not tell.

    Examples
    --------
    >>> phases = PhaseMap.from_scores([[0.9, 0.7], [0.5, 0.503]], ["a", "b"])
    >>> phases.labels.tolist(), phases.ambiguous(0.005).tolist()
    ([1, 2], [False, True])
    """

    labels: NDArray[Any]
    runner_up: NDArray[Any]
    best: NDArray[np.float32]
    margin: NDArray[np.float32]
    names: tuple[str, ...]
    colors: tuple[str, ...] = ()
    method: str = "pearson"
    scores: NDArray[np.float32] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    misfit: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        names = tuple(self.names)
        colors = tuple(self.colors) or phase_colors(len(names))
        if len(colors) != len(names):
            raise InputError(f"{len(colors)} colors for {len(names)} phases")
        n_pixels = len(self.labels)
        for key in ("runner_up", "best", "margin", "scores", "misfit"):
            value = getattr(self, key)
            if value is not None and len(value) != n_pixels:
                raise InputError(f"{len(value)} {key} for {n_pixels} labels")
        if self.scores is not None and self.scores.shape != (n_pixels, len(names)):
            raise InputError(f"{self.scores.shape=} != ({n_pixels}, {len(names)})")
        if n_pixels and int(self.labels.max()) > len(names):
            raise InputError(
                f"label {self.labels.max()} is above the number of phases {len(names)}"
            )
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "colors", colors)
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        for key in ("labels", "runner_up", "best", "margin", "scores", "misfit"):
            object.__setattr__(self, key, read_only(getattr(self, key)))

    @classmethod
    def from_scores(
        cls,
        scores: ArrayLike,
        names: Sequence[str],
        *,
        colors: Sequence[str] = (),
        method: str = "pearson",
        parameters: Mapping[str, Any] | None = None,
    ) -> PhaseMap:
        """Rank scores of shape (n_pixels, n_phases); larger is better.

        A row without a finite score is not assigned (label 0, margin NaN). With one
        finite score the margin is infinite: there is no runner-up to confuse it with.

        Parameters
        ----------
        scores : array_like of shape (n_pixels, n_phases)
            In the unit of the method, larger is better; NaN is no score.
        names : sequence of str
            Of the phases, one per column.
        colors : sequence of str, optional
            One per phase; default `phase_colors`.
        method : str, default="pearson"
            What made the scores.
        parameters : mapping of str to object, optional
            Of the method.

        Returns
        -------
        PhaseMap
            With the scores.
        """
        values = np.asarray(scores, dtype=np.float32)
        if values.ndim != 2 or values.shape[1] != len(names):
            raise InputError(f"{values.shape=} != (n_pixels, {len(names)} phases)")
        ranked = np.where(np.isfinite(values), values, -np.inf)
        rows = np.arange(len(ranked))
        first = ranked.argmax(axis=1)
        best = ranked[rows, first]
        rest = ranked.copy()
        rest[rows, first] = -np.inf
        second = rest.argmax(axis=1)
        next_best = rest[rows, second]
        assigned = np.isfinite(best)
        dtype = np.uint8 if len(names) < 256 else np.uint16
        with np.errstate(invalid="ignore"):
            margin = np.where(assigned, best - next_best, np.nan).astype(np.float32)
        has_second = assigned & np.isfinite(next_best)
        return cls(
            labels=np.where(assigned, first + 1, 0).astype(dtype),
            runner_up=np.where(has_second, second + 1, 0).astype(dtype),
            best=np.where(assigned, best, np.nan).astype(np.float32),
            margin=margin,
            names=tuple(names),
            colors=tuple(colors),
            method=method,
            scores=values,
            parameters=parameters or {},
        )

    @property
    def n_pixels(self) -> int:
        """Number of pixels."""
        return len(self.labels)

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return len(self.names)

    @property
    def reliability(self) -> NDArray[np.float32]:
        """R = 100 (Q1 - Q2) per pixel (arXiv:2603.07666, Eq. 1)."""
        return np.float32(100.0) * self.margin

    @property
    def n_unassigned(self) -> int:
        """Number of pixels without a phase."""
        return int(np.count_nonzero(self.labels == 0))

    def ambiguous(self, threshold: float = DEFAULT_THRESHOLD) -> NDArray[np.bool_]:
        """Return True where the margin is below `threshold`; never for label 0.

        The threshold is on Q1 - Q2 itself: 0.005 is a reliability R of 0.5.

        Parameters
        ----------
        threshold : float, default=0.005
            Smallest unambiguous margin, in the unit of the scores.

        Returns
        -------
        bool ndarray of shape (n_pixels,)
            Whether a pixel is ambiguous.
        """
        return self.margin < np.float32(threshold)

    def ambiguous_pairs(
        self, threshold: float = DEFAULT_THRESHOLD
    ) -> NDArray[np.int64]:
        """Return P_amb of Algorithm 1: rows of (pixel, best phase, second phase).

        Parameters
        ----------
        threshold : float, default=0.005
            Smallest unambiguous margin, in the unit of the scores.

        Returns
        -------
        ndarray of int of shape (n_ambiguous, 3)
            Phases count from 1, as in `labels`.
        """
        pixels = np.flatnonzero(self.ambiguous(threshold))
        return np.stack(
            [pixels, self.labels[pixels], self.runner_up[pixels]], axis=1
        ).astype(np.int64)

    def fractions(
        self, where: NDArray[np.bool_] | slice | None = None
    ) -> NDArray[np.float64]:
        """Return the per cent of each phase among the assigned pixels.

        Parameters
        ----------
        where : bool ndarray of shape (n_pixels,) or slice, optional
            Pixels to count, for example those of one particle; default all.

        Returns
        -------
        ndarray of shape (n_phases,)
            Sums to 100; NaN where no pixel is assigned.
        """
        labels = self.labels if where is None else self.labels[where]
        counts = np.bincount(labels, minlength=self.n_phases + 1)[1:]
        total = counts.sum()
        if not total:
            return np.full(self.n_phases, np.nan)
        shares: NDArray[np.float64] = 100.0 * counts / total
        return shares

    def with_labels(self, labels: NDArray[Any]) -> PhaseMap:
        """Return this map with labels changed by hand.

        A changed pixel has no runner-up any more, an infinite margin (a person
        decided) and the score of its new phase where scores are kept.

        Parameters
        ----------
        labels : ndarray of int of shape (n_pixels,)
            From 0 to the number of phases; 0 takes a pixel's phase away.

        Returns
        -------
        PhaseMap
            What did not change keeps its margin and its runner-up.
        """
        labels = np.asarray(labels).astype(self.labels.dtype)
        changed = labels != self.labels
        best = self.best.copy()
        if self.scores is None:
            best[changed] = np.nan
        else:
            rows = np.flatnonzero(changed)
            columns = np.maximum(labels[rows].astype(int), 1) - 1
            best[rows] = np.where(labels[rows] > 0, self.scores[rows, columns], np.nan)
        margin = np.where(changed, np.where(labels > 0, np.inf, np.nan), self.margin)
        return replace(
            self,
            labels=labels,
            runner_up=np.where(changed, 0, self.runner_up).astype(labels.dtype),
            best=best,
            margin=margin.astype(np.float32),
        )

    def with_colors(self, colors: Sequence[str]) -> PhaseMap:
        """Return this map with other colors.

        Parameters
        ----------
        colors : sequence of str
            One per phase, as matplotlib knows them.

        Returns
        -------
        PhaseMap
            With the same labels.
        """
        return replace(self, colors=tuple(colors))

    def __repr__(self) -> str:
        counts = np.bincount(self.labels, minlength=self.n_phases + 1)
        rows = {
            name: f"{counts[i + 1]:>9d} pixels  {share:6.2f} %"
            for i, (name, share) in enumerate(
                zip(self.names, self.fractions(), strict=True)
            )
        }
        rows["(not assigned)"] = f"{counts[0]:>9d} pixels"
        return described(f"PhaseMap by {self.method}, {self.n_pixels} pixels", rows)
