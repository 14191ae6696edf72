"""What is corrected in references and stacks, and in which words.

* `Correction`: one thing that may be wrong.
* `corrections_of`: what was fitted, in sentences.
* `corrected`: references and stacks with some of it applied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.distortion import Distortion, undistorted

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["Correction", "corrected", "corrections_of"]

#: A correction is offered from so many standard errors.
SIGNIFICANT = 3.0


@dataclass(frozen=True)
class Correction:
    """One thing that may be wrong.

    Parameters
    ----------
    name : str
        "energy shift", "stray light", "baseline" or "I0".
    sentence : str
        What was found, in words.
    value, error : float
        The shift in eV, the stray light as a share of I0, or the largest error of an
        optical density, and its standard error; NaN where it could not be fitted.
    significant : bool
        Whether it is more than chance.
    n_changed : int
        Pixels that get another phase by this correction alone.
    before, after : ndarray of shape (n_phases,)
        Per cent of each phase.
    """

    name: str
    sentence: str
    value: float
    error: float
    significant: bool
    n_changed: int
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def corrections_of(
    found: Distortion, stacks: StackSet, sparse: float, /
) -> list[Correction]:
    """Return what was fitted, in words, before its effect is known.

    Parameters
    ----------
    found : Distortion
        What was fitted.
    stacks : StackSet
        Whose energies it was fitted at.
    sparse : float
        Distance of the references' energies in eV where it is too large to fit a shift,
        else 0.

    Returns
    -------
    list of Correction
        Those that were fitted, sure or not.
    """
    nothing = np.empty(0)

    def told(name: str, sentence: str, value: float, error: float) -> Correction:
        sure = bool(np.abs(value) > SIGNIFICANT * error)
        return Correction(name, sentence, value, error, sure, 0, nothing, nothing)

    way = "low" if found.shift > 0 else "high"
    shift = (
        f"The references sit {abs(found.shift):.2f} ± {found.shift_error:.2f} eV too "
        f"{way}."
    )
    if sparse:
        shift = (
            f"The references have energies {sparse:.2g} eV apart: a shift cannot be "
            "fitted; load references on their own dense axis."
        )
    elif abs(found.shift) <= SIGNIFICANT * found.shift_error:
        shift = (
            "The energies of references and stacks agree: the shift is "
            f"{found.shift:.3f} ± {found.shift_error:.3f} eV."
        )
    stray = (
        f"Stray light is {100 * found.stray:.1f} ± {100 * found.stray_error:.1f} % of "
        "I0."
    )
    line = _line(stacks.energy, found.offsets)
    rest = found.offsets - line
    parts = []
    for values, what in ((line, "A straight baseline"), (rest, "The error of I0")):
        at = np.unravel_index(np.argmax(np.abs(values)), values.shape)
        value, error = float(values[at]), float(found.offset_errors[at])
        parts.append(
            (
                f"{what} is at most {value:+.3f} ± {error:.3f} in optical density, at "
                f"{stacks.energy[at[1]]:.1f} eV.",
                value,
                error,
            )
        )
    return [
        told("energy shift", shift, found.shift, found.shift_error),
        told("stray light", stray, found.stray, found.stray_error),
        told("baseline", *parts[0]),
        told("I0", *parts[1]),
    ]


def corrected(
    stacks: StackSet,
    references: ReferenceSpectra,
    found: Distortion,
    groups: NDArray[np.int64],
    names: Collection[str],
    /,
) -> tuple[StackSet, ReferenceSpectra]:
    """Return stacks and references with these corrections applied.

    Parameters
    ----------
    stacks, references
        Not changed.
    found : Distortion
        What was fitted.
    groups : ndarray of int of shape (n_stacks,)
        Which offsets each stack has.
    names : collection of str
        Which corrections.

    Returns
    -------
    stacks, references
        The history of the stacks says what was done.
    """
    if "energy shift" in names:
        references = _moved(references, found.shift)
    line = _line(stacks.energy, found.offsets)
    offsets = np.zeros_like(found.offsets)
    if "baseline" in names:
        offsets = offsets + line
    if "I0" in names:
        offsets = offsets + found.offsets - line
    stray = found.stray if "stray light" in names else 0.0
    step = f"recalibrated by {len(stacks)} particles: {', '.join(sorted(names))}"
    if "energy shift" in names:
        step += f"; references moved by {found.shift:+.3f} eV"
    changed = []
    for stack, group in zip(stacks, groups, strict=True):
        own = np.zeros(stack.n_energies)
        own[stacks.energy_used] = offsets[group]
        changed.append(_without(stack, stray, own, step))
    return StackSet(changed), references


def _moved(references: ReferenceSpectra, shift: float) -> ReferenceSpectra:
    """Return references at other energies that still cover what they covered.

    They keep their last value where they were moved away from, as in the fit.
    """
    energy, spectra = references.energy + shift, references.spectra
    if energy[0] > references.energy[0]:
        energy = np.r_[references.energy[0], energy]
        spectra = np.column_stack([spectra[:, 0], spectra])
    elif energy[-1] < references.energy[-1]:
        energy = np.r_[energy, references.energy[-1]]
        spectra = np.column_stack([spectra, spectra[:, -1]])
    return replace(references, energy=energy, spectra=spectra)


def _line(
    energy: NDArray[np.float64], offsets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the straight part of offsets of shape (..., n_energies)."""
    design = np.column_stack([np.ones_like(energy), energy - energy.mean()])
    return np.asarray(offsets @ np.linalg.pinv(design).T @ design.T)


def _without(
    stack: SpectralStack, stray: float, offsets: NDArray[np.float64], step: str
) -> SpectralStack:
    """Return a stack without stray light and offsets; what is left undefined is NaN."""
    if not stray and not offsets.any():
        return stack.with_step(step)
    data = np.empty(stack.data.shape, dtype=np.float32)
    for index, offset in enumerate(offsets):
        data[index] = undistorted(np.asarray(stack.data[index]), stray, offset)
    return stack.with_step(step, data=data, noise=stack.noise)
