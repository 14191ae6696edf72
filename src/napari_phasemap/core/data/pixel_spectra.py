"""Where one spectrum per pixel comes from, and what neighbors say about a pixel.

* `spectra_parts`: the spectra of stacks, edges or plain arrays, without copies.
* `average_neighbors`: per-pixel values averaged over the neighbors of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, TypeVar, Union

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.net_edge import NetEdge, averaged_inside, check_reach
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import Stacks, StackSet, as_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Spectra", "average_neighbors", "spectra_parts"]

Kind = TypeVar("Kind")

#: What holds one spectrum per pixel. An array has the shape (n_pixels, n_energies).
Spectra: TypeAlias = Union[Stacks, NetEdge, Sequence[NetEdge], "NDArray[Any]"]


def average_neighbors(
    values: NDArray[Any], stacks: Stacks, /, *, sigma: float
) -> NDArray[np.float32]:
    """Average per-pixel values over neighbors with a Gaussian, inside the mask.

    Parameters
    ----------
    values : ndarray of shape (n_pixels,) or (n_pixels, n_values)
        Per-pixel values in pixel order. NaN is not averaged and stays NaN.
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Where the pixels lie.
    sigma : float
        Standard deviation in pixels; 0 returns the values as they are.

    Returns
    -------
    ndarray of float32 of the same shape
        The averages, in the same unit.

    Raises
    ------
    ValueError
        If `sigma` is below 0 or not finite.
    """
    check_reach(sigma)
    stacks = as_set(stacks)
    out = np.array(values, dtype=np.float32)
    if sigma == 0:
        return out
    columns = out.reshape(len(out), -1)
    for stack, part in zip(stacks.stacks, stacks.split(columns), strict=True):
        for column in part.T:
            keep = np.isfinite(column)
            column[keep] = averaged_inside(column, stack.mask, sigma)[keep]
    return out


#: Spectra of (n_energies, n_pixels), raw counts of the same shape, energies.
_Parts: TypeAlias = tuple[
    "list[NDArray[np.float32]]",
    "list[NDArray[np.float32]] | None",
    "NDArray[np.float64] | None",
]


def spectra_parts(
    spectra: Spectra,
) -> _Parts:
    """Return (n_energies, n_pixels) arrays, their raw counts, and the energies.

    Parameters
    ----------
    spectra : Spectra
        Stacks, edges, or an array of shape (n_pixels, n_energies).

    Returns
    -------
    parts : list of ndarray of float32 of shape (n_energies, n_pixels)
        One per stack or edge, in its unit; views where they can be.
    raw : list of ndarray of float32, or None
        Counts of the same shapes, from which the noise is known.
    energy : ndarray of shape (n_energies,), or None
        In eV; None for an array.
    """
    if isinstance(spectra, NetEdge):
        spectra = [spectra]
    if isinstance(spectra, StackSet | SpectralStack):
        return _parts_of_stacks(as_set(spectra))
    if _all_are(spectra, SpectralStack):
        return _parts_of_stacks(as_set(spectra))
    if _all_are(spectra, NetEdge):
        edges = list(spectra)
        StackSet([edge.net for edge in edges])
        parts = [_columns(edge.net) for edge in edges]
        counted = all(edge.method == "poisson" for edge in edges)
        raw = [_columns(edge.raw) for edge in edges] if counted else None
        return parts, raw, edges[0].energy
    array = np.asarray(spectra)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{array.shape=} is not (n_pixels, n_energies)")
    return [array.T], None, None


def _parts_of_stacks(stacks: StackSet) -> _Parts:
    parts = [stack.spectra().T for stack in stacks]
    if not stacks.energy_used.all():
        parts = [part[stacks.energy_used] for part in parts]
    return parts, parts if stacks.quantity == "counts" else None, stacks.energy


def _all_are(spectra: object, kind: type[Kind]) -> TypeGuard[Sequence[Kind]]:
    """Whether this is a sequence of one kind of thing, one or more of them."""
    return (
        isinstance(spectra, Sequence)
        and len(spectra) > 0
        and all(isinstance(one, kind) for one in spectra)
    )


def _columns(stack: SpectralStack) -> NDArray[np.float32]:
    """Return the masked pixels as (n_energies, n_pixels), a view where all are."""
    flat = np.asarray(stack.data).reshape(stack.n_energies, -1)
    return flat if stack.mask.all() else flat[:, np.flatnonzero(stack.mask)]
