"""References from what was measured: the mean of some pixels with its standard error.

* `reference_from`: one reference of a selection, a phase, a class or a particle.
* `normalized`: references scaled to the same edge step or area.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack_set import as_set
from napari_phasemap.core.phases.spectra import mean_spectra

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_phasemap.core.data.stack_set import Stacks

__all__ = ["Normalization", "normalized", "reference_from"]

Normalization: TypeAlias = Literal["none", "step", "area"]

#: Share of the energies at either end over which an edge step is measured.
ENDS = 0.1


def reference_from(
    stacks: Stacks,
    pixels: ArrayLike,
    name: str,
    /,
    *,
    normalization: Normalization = "none",
) -> ReferenceSpectra:
    """Return the mean spectrum of some pixels as a reference, with its standard error.

    The error is that of the mean of independent pixels, ``std / sqrt(n)`` (with n - 1
    degrees of freedom); neighbors that share their noise make it larger.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Optical density, or net counts of an edge.
    pixels : array_like of bool of shape (n_pixels,)
        Which pixels, in pixel order: a selection, ``phases.labels == 2``, a class.
    name : str
        Name of the reference.
    normalization : {"none", "step", "area"}, default="none"
        See `normalized`.

    Returns
    -------
    ReferenceSpectra
        One reference on the energies of the stacks, with `errors`.

    Raises
    ------
    InputError
        If no pixel is chosen, their number is wrong, a value is not finite, or the
        stacks hold counts, which have the structure of I0 in them.

    Examples
    --------
    >>> from napari_phasemap.core.simulate import synthetic
    >>> density = synthetic.particle((20, 20), seed=0).optical_density
    >>> thick = density.spectra().max(axis=1) > 0.5
    >>> reference_from(density, thick, "thick").errors.shape
    (1, 13)
    """
    stacks = as_set(stacks)
    chosen = np.asarray(pixels, dtype=bool)
    if chosen.shape != (stacks.n_pixels,):
        raise InputError(f"{chosen.shape=} != ({stacks.n_pixels} pixels,)")
    if stacks.quantity == "counts":
        raise InputError(
            f"{stacks.names[0]!r} holds counts; a reference is made of optical density"
        )
    if not chosen.any():
        raise InputError(f"no pixel for the reference {name!r}; choose some first")
    mean, std, count = mean_spectra(stacks, chosen.astype(np.int64), 1)
    n = int(count[0])
    errors = std / np.sqrt(n - 1) if n > 1 else np.full_like(std, np.nan)
    made = ReferenceSpectra((name,), stacks.energy, mean, errors=errors)
    return normalized(made, normalization)


def normalized(
    references: ReferenceSpectra, normalization: Normalization, /
) -> ReferenceSpectra:
    """Return references scaled to an edge step or an area of one.

    Parameters
    ----------
    references : ReferenceSpectra
        With the energies before and behind the edge.
    normalization : {"none", "step", "area"}
        * "none": as they are.
        * "step": the mean of the first tenth of the energies becomes 0, that of the
          last tenth 1.
        * "area": lowest value 0, area under the spectrum 1 per eV times eV.

    Returns
    -------
    ReferenceSpectra
        Errors are scaled along.

    Raises
    ------
    InputError
        If there is no step, or no area.
    """
    if normalization not in get_args(Normalization):
        raise InputError(f"{normalization=} is not one of {get_args(Normalization)}")
    if normalization == "none":
        return references
    rows, energy = references.spectra, references.energy
    if normalization == "step":
        n = max(1, round(ENDS * len(energy)))
        low = rows[:, :n].mean(axis=1, keepdims=True)
        scale = rows[:, -n:].mean(axis=1, keepdims=True) - low
    else:
        low = rows.min(axis=1, keepdims=True)
        scale = np.trapezoid(rows - low, energy, axis=1)[:, None]
    bad = scale[:, 0] <= 0
    if bad.any():
        names = [x for x, b in zip(references.names, bad, strict=True) if b]
        raise InputError(f"no {normalization} to normalize by: {', '.join(names)}")
    errors = None if references.errors is None else references.errors / scale
    return replace(references, spectra=(rows - low) / scale, errors=errors)
