"""Several stacks as one, for steps that take one.

* `mosaic`: all stacks below one another, in the pixel order of the set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.stack import SpectralStack

if TYPE_CHECKING:
    from napari_phasemap.core.data.stack_set import StackSet

__all__ = ["mosaic"]

#: Rows outside the mask between two stacks: averages over neighbors reach four standard
#: deviations, 6 pixels at the usual 1.5.
GAP = 8


def mosaic(stacks: StackSet, /) -> SpectralStack:
    """Return all stacks below one another as one stack.

    Its masked pixels in C order are those of the set, so per-pixel arrays of one are
    per-pixel arrays of the other.

    Parameters
    ----------
    stacks : StackSet
        One or more stacks. One stack without missing frames is returned itself.

    Returns
    -------
    SpectralStack
        Zeros between and beside the stacks, outside the mask.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack_set import StackSet
    >>> one = SpectralStack(np.ones((2, 2, 3)), [280.0, 285.0])
    >>> two = SpectralStack(np.ones((2, 1, 5)), [280.0, 285.0])
    >>> joined = mosaic(StackSet([one, two]))
    >>> joined.shape, joined.n_pixels
    ((11, 5), 11)
    """
    first = stacks[0]
    if len(stacks) == 1 and stacks.energy_used.all():
        return first
    n_rows = sum(s.shape[0] for s in stacks) + GAP * (len(stacks) - 1)
    n_cols = max(s.shape[1] for s in stacks)
    data = np.zeros((stacks.n_energies, n_rows, n_cols), dtype=np.float32)
    mask = np.zeros((n_rows, n_cols), dtype=bool)
    top = 0
    for stack in stacks:
        rows, cols = stack.shape
        data[:, top : top + rows, :cols] = np.asarray(stack.data)[stacks.energy_used]
        mask[top : top + rows, :cols] = stack.mask
        top += rows + GAP
    return SpectralStack(
        data,
        stacks.energy,
        mask=mask,
        quantity=stacks.quantity,
        name=first.name if len(stacks) == 1 else f"{len(stacks)} stacks",
        history=(f"joined from {', '.join(stacks.names)}",),
    )
