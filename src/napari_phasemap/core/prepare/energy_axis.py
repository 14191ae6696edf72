"""What is done along the energy axis before spectra are compared.

* `crop_energies`: keep a range.
* `calibrate_energy`: relabel the axis.
* `subtract_pre_edge`: take a straight line through the pre-edge off every pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["calibrate_energy", "crop_energies", "subtract_pre_edge"]


def crop_energies(stack: SpectralStack, /, *, low: float, high: float) -> SpectralStack:
    """Keep the energies from `low` to `high`, both included.

    Parameters
    ----------
    stack : SpectralStack
        Anything.
    low, high : float
        In eV.

    Returns
    -------
    SpectralStack
        Its data are a view on those of `stack`.

    Raises
    ------
    ValueError
        If no energy lies in the range.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack(np.zeros((3, 1, 1)), [505.0, 517.5, 530.3])
    >>> crop_energies(stack, low=510, high=540).energy.tolist()
    [517.5, 530.3]
    """
    kept = np.flatnonzero((stack.energy >= low) & (stack.energy <= high))
    if not kept.size:
        raise InputError(
            f"no energy of {stack.name!r} ({_span(stack)}) is from {low:g} to "
            f"{high:g} eV"
        )
    part = slice(int(kept[0]), int(kept[-1]) + 1)
    return stack.with_step(
        f"cropped to {low:g}-{high:g} eV, {kept.size} of {stack.n_energies} energies",
        data=stack.data[part],
        energy=stack.energy[part],
        noise=None if stack.noise is None else stack.noise.at_energies(part),
    )


def calibrate_energy(stack: SpectralStack, /, *, shift: float) -> SpectralStack:
    """Relabel the energy axis; no value is interpolated.

    Parameters
    ----------
    stack : SpectralStack
        Anything.
    shift : float
        Added to every energy, in eV: the energy that a known feature should have less
        the energy that it has.

    Returns
    -------
    SpectralStack
        With the same data.

    Raises
    ------
    ValueError
        If `shift` is not finite.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> stack = SpectralStack(np.zeros((2, 1, 1)), [517.0, 525.0])
    >>> calibrate_energy(stack, shift=0.5).energy.tolist()
    [517.5, 525.5]
    """
    if not np.isfinite(shift):
        raise InputError(f"an energy shift must be finite; got {shift}")
    return stack.with_energy_moved(shift, f"energies shifted by {shift:+g} eV")


def subtract_pre_edge(
    stack: SpectralStack, /, *, window: tuple[float, float]
) -> SpectralStack:
    """Subtract the straight line through the pre-edge from every pixel's spectrum.

    The line is the least-squares fit to the energies of `window`, extrapolated over
    all energies. With one energy in the window, that value is subtracted.

    Parameters
    ----------
    stack : SpectralStack
        Optical density.
    window : tuple of float
        First and last energy of the pre-edge, in eV.

    Returns
    -------
    SpectralStack
        float32. Missing frames stay NaN and are left out of the fit.

    Raises
    ------
    ValueError
        If `stack` holds counts, or no frame lies in the window.

    Notes
    -----
    Pearson's r does not see the constant part of the line, only its slope. A narrow
    window gives a slope that noise dominates.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> data = np.array([1.0, 2.0, 3.0, 9.0]).reshape(4, 1, 1)
    >>> od = SpectralStack(data, [1.0, 2, 3, 4], quantity="optical_density")
    >>> flat = subtract_pre_edge(od, window=(1, 3)).data.ravel()
    >>> np.abs(flat).round(6).tolist()
    [0.0, 0.0, 0.0, 5.0]
    """
    if stack.quantity == "counts":
        raise InputError(
            f"a pre-edge is subtracted from optical density; {stack.name!r} holds "
            "counts, so convert with optical_density first"
        )
    low, high = window
    inside = (stack.energy >= low) & (stack.energy <= high) & ~stack.missing_frames
    used = np.flatnonzero(inside)
    if not used.size:
        raise InputError(
            f"no frame of {stack.name!r} ({_span(stack)}) lies in the pre-edge window "
            f"{low:g}-{high:g} eV"
        )
    center = stack.energy[used].mean()
    offsets = stack.energy - center
    spread = float(np.sum(offsets[used] ** 2))
    level = np.zeros(stack.shape)
    slope = np.zeros(stack.shape)
    for index in used:
        frame = np.asarray(stack.data[index])
        level += frame / used.size
        if spread:
            slope += frame * (offsets[index] / spread)
    data = np.empty(stack.data.shape, dtype=np.float32)
    for number, offset in enumerate(offsets):
        data[number] = np.asarray(stack.data[number]) - (level + slope * offset)
    weights = np.eye(stack.n_energies)
    weights[:, used] -= 1.0 / used.size
    if spread:
        weights[:, used] -= np.outer(offsets, offsets[used]) / spread
    noise = stack.noise
    if noise is not None:
        noise = noise.with_line(weights, level, slope, offsets)
    return stack.with_step(
        f"pre-edge line through {used.size} energies in {low:g}-{high:g} eV subtracted",
        data=data,
        noise=noise,
    )


def _span(stack: SpectralStack) -> str:
    return (
        f"{stack.energy[0]:g}-{stack.energy[-1]:g} eV" if stack.n_energies else "none"
    )
