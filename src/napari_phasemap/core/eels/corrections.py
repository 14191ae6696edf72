"""Several stacks put right in one go, with words on what was done.

* `despiked`: spikes taken out.
* `calibrated`: the energies moved so that an edge lies where it should.
* `Corrected`: the stacks before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.eels.axis import calibrate_onset, remove_spikes
from napari_phasemap.core.eels.recipe import EDGES
from napari_phasemap.core.prepare.energy_axis import calibrate_energy

if TYPE_CHECKING:
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["ONSET_REACH", "Corrected", "calibrated", "despiked"]

#: How far in eV from its place an edge is looked for.
ONSET_REACH = 12.0


@dataclass(frozen=True, eq=False)
class Corrected:
    """Stacks before and after a correction.

    Parameters
    ----------
    before, after : StackSet
        The same stacks in the same order; one without need is the same object.
    """

    before: StackSet
    after: StackSet

    @property
    def changed(self) -> bool:
        """Whether any stack is another one."""
        return any(a is not b for a, b in zip(self.before, self.after, strict=True))

    @property
    def words(self) -> str:
        """What was done to every stack."""
        lines = []
        for old, new in zip(self.before, self.after, strict=True):
            said = "nothing to correct" if old is new else new.history[-1]
            lines.append(f"{new.name}: {said}")
        return "; ".join(lines)


def despiked(
    stacks: StackSet, /, *, on_progress: OnProgress = ignore_progress
) -> Corrected:
    """Take spikes out of every stack.

    Parameters
    ----------
    stacks : StackSet
        Counts.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Corrected
        See `remove_spikes`.

    Raises
    ------
    InputError
        If a stack holds no counts.
    """
    done = [remove_spikes(stack, on_progress=on_progress) for stack in stacks]
    return Corrected(stacks, StackSet(done))


def calibrated(
    stacks: StackSet,
    edge: str,
    measured: float | None,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Corrected:
    """Move the energies so that an edge lies where it should.

    Parameters
    ----------
    stacks : StackSet
        Any quantity.
    edge : str
        One of `EDGES`.
    measured : float or None
        Where the edge begins now, in eV; None looks for the steepest rise of each stack
        within `ONSET_REACH` of where it belongs.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Corrected
        Only axes differ.

    Raises
    ------
    InputError
        If the edge is unknown, or nothing rises where it is looked for.
    """
    if edge not in EDGES:
        raise InputError(f"no edge {edge!r}; there are {', '.join(EDGES)}")
    done = []
    for number, stack in enumerate(stacks):
        on_progress(number, len(stacks), f"energies of {stack.name}")
        done.append(_moved(stack, EDGES[edge], measured))
    return Corrected(stacks, StackSet(done))


def _moved(stack: SpectralStack, known: float, measured: float | None) -> SpectralStack:
    if measured is not None:
        return calibrate_energy(stack, shift=known - measured)
    window = (known - ONSET_REACH, known + ONSET_REACH)
    return calibrate_onset(stack, window=window, onset=known)
