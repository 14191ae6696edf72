"""Which energies to measure: the best n of a dense set.

* `choose_energies`: built up one by one, then exchanged until nothing is better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.planning.criteria import (
    Amounts,
    PearsonSeparation,
    Separation,
    contest,
)
from napari_phasemap.core.planning.plan import EnergyPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.planning.criteria import Contest

__all__ = ["Criterion", "choose_energies"]

Criterion: TypeAlias = Literal["separation", "pearson", "D", "A"]

#: Sets from which an exchange starts: built up, equidistant, and at random.
RANDOM_STARTS = 20
#: An exchange counts if the score rises by more than this share of its size.
BETTER = 1e-9


def choose_energies(
    references: ReferenceSpectra,
    n: int,
    /,
    *,
    dose: float = 10_000.0,
    optical_density: float = 1.0,
    offset: bool = False,
    floor: float = 0.0,
    forced: tuple[float, ...] = (),
    low: float | None = None,
    high: float | None = None,
    spacing: float = 0.0,
    criterion: Criterion = "separation",
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> EnergyPlan:
    """Choose the n energies that tell the phases apart best at a given dose.

    The smallest distance between two phases, in units of the expected noise and after
    an unknown amount (and offset) is taken out, becomes as large as possible
    (`Separation`). Sets are built up energy by energy, then single energies are
    exchanged until none is better [1]_, from several starts.

    Parameters
    ----------
    references : ReferenceSpectra
        On dense energies: these are the candidates.
    n : int
        How many energies.
    dose : float, default=10000.0
        Photons that reach a pixel, over all energies together.
    optical_density : float, default=1.0
        Highest optical density of a pixel: thick pixels let few photons through where
        they absorb most.
    offset : bool, default=False
        Leave a constant in the optical density open, as an I0 that is off gives it.
    floor : float, default=0.0
        Noise of the optical density that no dose removes (standard deviation).
    forced : tuple of float, optional
        Energies in eV that are part of the set; each becomes the nearest candidate.
    low, high : float, optional
        Energies to choose from, in eV; default all.
    spacing : float, default=0.0
        Smallest distance between two chosen energies, in eV.
    criterion : {"separation", "pearson", "D", "A"}, default="separation"
        "separation": the two most alike phases as far apart as possible, for a map
        that weighs by the noise (`posterior_map`). "pearson": the same for a map by
        Pearson's r. "D", "A": the amounts of a linear combination fit known best, by
        determinant or mean variance.
    seed : int, default=0
        Of the random starts.
    on_progress : callable, optional
        May raise `Cancelled`.

    Returns
    -------
    EnergyPlan
        The energies and how far apart they hold the phases.

    Raises
    ------
    InputError
        If there are fewer candidates than energies, two references are the same, a
        forced energy lies outside, or a number is wrong.

    References
    ----------
    .. [1] V. V. Fedorov, Theory of Optimal Experiments, chapter 3,
       ISBN 978-0-12-250750-2

    Examples
    --------
    >>> from napari_phasemap.core.simulate import synthetic
    >>> plan = choose_energies(synthetic.references(), 6, forced=(505.0,))
    >>> plan.energy[0], len(plan.energy)
    (np.float64(505.0), 6)
    """
    if criterion not in get_args(Criterion):
        raise InputError(f"{criterion=} is not one of {get_args(Criterion)}")
    pairs = references.indistinguishable_pairs()
    if pairs:
        raise InputError(
            f"{' and '.join(pairs[0])} have the same shape: no energies tell them "
            "apart; leave one of the two out"
        )
    of = contest(
        references,
        dose=dose,
        optical_density=optical_density,
        floor=floor,
        offset=offset,
    ).between(low, high)
    measure = _measure(of, n, criterion)
    fixed = _nearest(of.energy, forced)
    search = _Search(of.energy, measure, n, fixed, spacing)
    starts = search.starts(np.random.default_rng(seed))
    best, top = starts[0], -np.inf
    for number, start in enumerate(starts):
        on_progress(number, len(starts), f"choosing {n} energies")
        found, score = search.exchanged(start)
        if score > top:
            best, top = found, score
    chosen = np.sort(np.array(best))
    if isinstance(measure, Amounts):
        measure = Separation(of, n)
    return EnergyPlan(
        names=of.names,
        energy=of.energy[chosen],
        separation=measure.matrix(measure.features[chosen].sum(axis=0)),
        dose=of.dose,
    )


def _measure(of: Contest, n: int, criterion: Criterion) -> Separation | Amounts:
    """Return the measure of a criterion."""
    if criterion == "pearson":
        return PearsonSeparation(of, n)
    return Separation(of, n) if criterion == "separation" else Amounts(of, n, criterion)


class _Search:
    """Sets of candidates, and exchanges of single ones."""

    def __init__(
        self,
        energy: NDArray[np.float64],
        measure: Separation | Amounts,
        n: int,
        fixed: Sequence[int],
        spacing: float,
    ) -> None:
        if not measure.fewest <= n <= len(energy):
            raise InputError(
                f"{n} energies: it takes {measure.fewest} or more, and there are "
                f"{len(energy)} to choose from"
            )
        if len(fixed) > n:
            raise InputError(f"{len(fixed)} forced energies are more than {n}")
        self.energy, self.measure, self.n = energy, measure, n
        self.fixed, self.spacing = list(fixed), spacing

    def starts(self, rng: np.random.Generator) -> list[list[int]]:
        """Return sets to start from: built up, equidistant, random."""
        even = np.linspace(0, len(self.energy) - 1, self.n).round().astype(int)
        drawn = [rng.permutation(len(self.energy)) for _ in range(RANDOM_STARTS)]
        found = [self._built(), *(self._filled(order) for order in (even, *drawn))]
        return [one for one in found if len(one) == self.n] or self._too_close()

    def exchanged(self, start: list[int]) -> tuple[list[int], float]:
        """Return a set that no exchange of one energy makes better, and its score."""
        chosen = list(start)
        features, score_of = self.measure.features, self.measure.score
        sums = features[chosen].sum(axis=0)
        score = float(score_of(sums))
        improved = True
        while improved:
            improved = False
            for place in range(len(self.fixed), self.n):
                rest = sums - features[chosen[place]]
                others = [c for at, c in enumerate(chosen) if at != place]
                scores = np.where(
                    self._free(others), score_of(rest + features), -np.inf
                )
                new = int(scores.argmax())
                if scores[new] > score + BETTER * abs(score):
                    chosen[place], score, improved = new, float(scores[new]), True
                    sums = features[chosen].sum(axis=0)
        return chosen, score

    def _built(self) -> list[int]:
        """Return a set built up from the forced energies, the best one each time."""
        chosen = list(self.fixed)
        ends = [0, len(self.energy) - 1, len(self.energy) // 2]
        features = self.measure.features
        for seed in ends:
            if (
                len(chosen) < min(self.measure.fewest, self.n)
                and self._free(chosen)[seed]
            ):
                chosen.append(seed)
        while len(chosen) < self.n:
            sums = features[chosen].sum(axis=0)
            scores = self.measure.soft_score(sums + features)
            free = self._free(chosen)
            if not free.any():
                break
            chosen.append(int(np.where(free, scores, -np.inf).argmax()))
        return chosen

    def _filled(self, order: NDArray[np.int64]) -> list[int]:
        """Return the forced energies and the first others of an order that may be."""
        chosen = list(self.fixed)
        for candidate in [*order, *range(len(self.energy))]:
            if len(chosen) < self.n and self._free(chosen)[candidate]:
                chosen.append(int(candidate))
        return chosen

    def _free(self, chosen: Sequence[int]) -> NDArray[np.bool_]:
        """Return which candidates may join a set."""
        free = np.ones(len(self.energy), dtype=bool)
        free[list(chosen)] = False
        if self.spacing > 0:
            for at in chosen:
                # Half an ulp of an axis in steps of 0.1 eV is no violation.
                near = np.abs(self.energy - self.energy[at]) < self.spacing * (1 - 1e-9)
                free &= ~near
        return free

    def _too_close(self) -> list[list[int]]:
        low, high = self.energy[[0, -1]]
        raise InputError(
            f"{self.n} energies {self.spacing:g} eV apart do not fit between {low:g} "
            f"and {high:g} eV"
        )


def _nearest(energy: NDArray[np.float64], forced: Sequence[float]) -> list[int]:
    """Return the candidates nearest to forced energies, each once."""
    for value in forced:
        if not energy[0] - 1e-6 <= value <= energy[-1] + 1e-6:
            raise InputError(
                f"the forced energy {value:g} eV is not among the candidates, "
                f"{energy[0]:g} to {energy[-1]:g} eV"
            )
    found = [int(np.abs(energy - value).argmin()) for value in forced]
    return list(dict.fromkeys(found))
