"""What a map of probabilities says of every pixel: a phase, undecided, or unknown.

* `without_unknown`: pixels that fit no reference have no phase.
* `Decisions`, `decisions_of`: the same for drawing and counting, computed once per map.
* `mean_chance`: how often labels are right by their probabilities.
* `noise_sentence`, `gap_sentence`, `strangers`: what a user must know, in words.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.phases.abstention import (
    chance_of_error,
    probability,
    unknown,
)
from napari_phasemap.core.phases.particle_posterior import FOREIGN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap

__all__ = [
    "DEFAULT_LEVEL",
    "UNDECIDED",
    "UNDECIDED_COLOR",
    "UNKNOWN",
    "UNKNOWN_COLOR",
    "Decisions",
    "decisions_of",
    "gap_sentence",
    "mean_chance",
    "noise_sentence",
    "strangers",
    "without_unknown",
]

#: Probability below which the phase of a pixel is undecided.
DEFAULT_LEVEL = 0.9
#: Names and colors of what is no phase; no phase has these colors.
UNDECIDED, UNDECIDED_COLOR = "undecided", "#b4b4b4"
UNKNOWN, UNKNOWN_COLOR = "unknown", "#ff00ff"


@dataclass(frozen=True, eq=False)
class Decisions:
    """What is known of every pixel of a map of probabilities.

    Parameters
    ----------
    phase_map : PhaseMap
        From `posterior_map`.
    probability : ndarray of float32 of shape (n_pixels,)
        Of the pixel's phase; NaN without one.
    unknown : ndarray of bool of shape (n_pixels,)
        Pixels that fit no reference and have no phase.
    """

    phase_map: PhaseMap
    probability: NDArray[np.float32]
    unknown: NDArray[np.bool_]

    @property
    def names(self) -> tuple[str, ...]:
        """The phases, "undecided" and "unknown"."""
        return (*self.phase_map.names, UNDECIDED, UNKNOWN)

    @property
    def colors(self) -> tuple[str, ...]:
        """The colors of `names`."""
        return (*self.phase_map.colors, UNDECIDED_COLOR, UNKNOWN_COLOR)

    def undecided(self, level: float) -> NDArray[np.bool_]:
        """Return the pixels whose phase has a probability below a level.

        Parameters
        ----------
        level : float
            0 to 1.

        Returns
        -------
        ndarray of bool of shape (n_pixels,)
        """
        with np.errstate(invalid="ignore"):
            return np.asarray(self.probability < np.float32(level))

    def labels(self, level: float) -> NDArray[np.integer]:
        """Return a label per pixel that counts `names` from 1; 0 is none of them.

        Parameters
        ----------
        level : float
            Probability below which a pixel is undecided, 0 to 1.

        Returns
        -------
        ndarray of int of shape (n_pixels,)
        """
        n_phases = self.phase_map.n_phases
        labels = self.phase_map.labels.copy()
        labels[self.undecided(level)] = n_phases + 1
        labels[self.unknown] = n_phases + 2
        return labels

    def as_map(self, level: float) -> PhaseMap:
        """Return a map whose phases are `names`, for figures and legends.

        Parameters
        ----------
        level : float
            Probability below which a pixel is undecided, 0 to 1.

        Returns
        -------
        PhaseMap
            Without scores.
        """
        return replace(
            self.phase_map,
            labels=self.labels(level),
            names=self.names,
            colors=self.colors,
            scores=None,
        )


_KNOWN: WeakKeyDictionary[PhaseMap, Decisions] = WeakKeyDictionary()


def decisions_of(phase_map: PhaseMap, /) -> Decisions:
    """Return what a map of probabilities says, remembered as long as the map is there.

    Parameters
    ----------
    phase_map : PhaseMap
        With log-probabilities, from `posterior_map`.

    Returns
    -------
    Decisions
    """
    found = _KNOWN.get(phase_map)
    if found is None:
        strange = np.zeros(phase_map.n_pixels, dtype=bool)
        if phase_map.misfit is not None:
            strange = unknown(phase_map) & (phase_map.labels == 0)
        # The copy holds no map: it would keep itself alive.
        found = Decisions(replace(phase_map), probability(phase_map), strange)
        _KNOWN[phase_map] = found
    return found


def without_unknown(phase_map: PhaseMap, /, *, rate: float = 0.01) -> PhaseMap:
    """Return the map in which pixels that fit no reference have no phase.

    Parameters
    ----------
    phase_map : PhaseMap
        From `posterior_map`.
    rate : float, default=0.01
        As for `unknown`.

    Returns
    -------
    PhaseMap
        The same object where all pixels fit.
    """
    strange = unknown(phase_map, rate=rate)
    if not strange.any():
        return phase_map
    return phase_map.with_labels(np.where(strange, 0, phase_map.labels))


def gap_sentence(
    phase_map: PhaseMap, posterior: PhaseMap, /, *, gap: float = DEFAULT_THRESHOLD
) -> str:
    """Say what a gap Q1 - Q2 means at this dose.

    Parameters
    ----------
    phase_map : PhaseMap
        By correlation.
    posterior : PhaseMap
        Of the same pixels and phases.
    gap : float, default=0.005
        As for `chance_of_error`.

    Returns
    -------
    str
    """
    chance = chance_of_error(phase_map, posterior, gap=gap)
    if np.isnan(chance):
        return (
            f"What a gap of {gap:g} means at this dose cannot be said: fewer than 50 "
            "pixels have one."
        )
    return (
        f"At this dose, of pixels with a gap of {gap:g} the best r is the wrong phase "
        f"in {100 * chance:.0f} % of the cases."
    )


def mean_chance(
    posterior: PhaseMap, labels: NDArray[np.integer], pixels: NDArray[np.bool_], /
) -> float:
    """Return how often labels are right by a map of probabilities.

    Parameters
    ----------
    posterior : PhaseMap
        With log-probabilities.
    labels : ndarray of int of shape (n_pixels,)
        Phases from 1.
    pixels : ndarray of bool of shape (n_pixels,)
        Which of them count; those without a label, or unknown, do not.

    Returns
    -------
    float
        0 to 1; NaN without a pixel.
    """
    if posterior.scores is None:
        return float("nan")
    rows = np.flatnonzero(pixels & (labels > 0) & (posterior.labels > 0))
    chance = np.exp(posterior.scores[rows, labels[rows].astype(int) - 1])
    return float(chance.mean()) if rows.size else float("nan")


def noise_sentence(names: Sequence[str], sources: Sequence[str], /) -> str:
    """Say where the noise of particles is known from.

    Parameters
    ----------
    names, sources : sequence of str
        Of the particles.

    Returns
    -------
    str

    Examples
    --------
    >>> noise_sentence(("P1", "P2"), ("photon counts", "photon counts"))
    'Noise from: photon counts.'
    >>> noise_sentence(("P1", "P2"), ("photon counts", "flat region"))
    'Noise from: photon counts (P1); flat region (P2).'
    """
    pairs = sorted(zip(sources, names, strict=True), key=lambda pair: pair[0])
    groups = [
        (source, [name for _, name in group])
        for source, group in itertools.groupby(pairs, key=lambda pair: pair[0])
    ]
    if len(groups) == 1:
        return f"Noise from: {groups[0][0]}."
    groups.sort(key=lambda group: list(names).index(group[1][0]))
    told = [f"{source} ({', '.join(members)})" for source, members in groups]
    return f"Noise from: {'; '.join(told)}."


def strangers(phase_map: PhaseMap, /) -> list[str]:
    """Return the particles most spectra of which resemble no reference, in sentences.

    Parameters
    ----------
    phase_map : PhaseMap
        From `posterior_map`.

    Returns
    -------
    list of str
        Empty where all is well.
    """
    about = phase_map.parameters
    return [
        f"Most spectra of {name} fit no reference: their misfit is {misfit:.1f} times "
        "the noise. Check references, energies and I0."
        for name, misfit in zip(
            about.get("stacks", ()), about.get("misfit", ()), strict=True
        )
        if misfit > FOREIGN
    ]
