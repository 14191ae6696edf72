"""A window of spectra taken as it is, for data without a background to subtract.

* `plain_edge`: the window as an edge, so that the same steps follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.net_edge import NO_COUNTS, NOT_FINITE, NetEdge

if TYPE_CHECKING:
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["plain_edge"]


def plain_edge(
    stack: SpectralStack, /, *, window: tuple[float, float], name: str = ""
) -> NetEdge:
    """Return a window of the spectra as an edge with background 0.

    Parameters
    ----------
    stack : SpectralStack
        Any quantity; optical density is the usual one.
    window : tuple of float
        Energies (low, high) in eV, both included.
    name : str, optional
        Name of the edge; default the stack's.

    Returns
    -------
    NetEdge
        `net` and `raw` are the same spectra. Exponents, amplitudes and variances of the
        background are 0; where the spectra are not counts, `signal_variance` is 0, too.
        Pixels with NaN in the window are flagged.

    Raises
    ------
    ValueError
        If the window is outside the axis or holds fewer than two channels.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack(np.ones((4, 1, 2)), [280.0, 281.0, 282.0, 283.0])
    >>> plain_edge(stack, window=(281.0, 283.0)).signal
    array([3., 3.], dtype=float32)
    """
    low, high = float(stack.energy[0]), float(stack.energy[-1])
    start, stop = window
    if not start < stop or start < low - 1e-6 or stop > high + 1e-6:
        raise InputError(
            f"window {start:g}-{stop:g} eV is not inside the energy axis "
            f"{low:g}-{high:g} eV of {stack.name!r}; move the window"
        )
    used = (stack.energy >= start - 1e-6) & (stack.energy <= stop + 1e-6)
    used &= ~stack.missing_frames
    if np.count_nonzero(used) < 2:
        raise InputError(
            f"{start:g}-{stop:g} eV holds {np.count_nonzero(used)} channels of "
            f"{stack.name!r}; at least 2 are needed, widen the window"
        )
    cut = stack.with_step(
        f"cropped to {start:g}-{stop:g} eV",
        data=np.asarray(stack.data[used]),
        energy=stack.energy[used],
    )
    flat = np.asarray(cut.data).reshape(len(cut.energy), -1)
    signal = (np.ones(len(flat), dtype=np.float32) @ flat)[stack.mask.ravel()]
    counts = stack.quantity == "counts"
    zeros = np.zeros(len(signal), dtype=np.float32)
    finite = np.isfinite(signal)
    flags = NOT_FINITE * ~finite + NO_COUNTS * (counts & finite & (signal <= 0))
    return NetEdge(
        net=cut,
        raw=cut,
        exponent=zeros,
        exponent_error=zeros,
        amplitude=zeros,
        reference_energy=float(np.sqrt(max(start, 1.0) * max(stop, 1.0))),
        signal=signal,
        signal_variance=signal if counts else zeros,
        null_variance=zeros,
        background=zeros,
        flags=flags.astype(np.uint8),
        fit_window=(start, start),
        method="poisson" if counts else "least_squares",
        name=name or stack.name,
    )
