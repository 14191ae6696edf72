"""What an edge adds to the background in front of it.

* `subtract_background`: power law before the edge, exact for Poisson counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.net_edge import (
    AT_LIMIT,
    NO_COUNTS,
    NOT_FINITE,
    RISING,
    BackgroundMethod,
    NetEdge,
    check_reach,
    ratio,
    smoothed,
)
from napari_phasemap.core.eels.power_law import EXPONENT_LIMITS, PowerLawTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["subtract_background"]

#: A power law has two parameters; below this the fit has no say about its error.
MIN_FIT_CHANNELS = 3
#: Variance of the exponent up to which the bias of the background is corrected.
LARGEST_VARIANCE = 1.0
#: A background that rises by more standard errors than this is flagged as `RISING`.
RISING_SIGMA = 3.0


def subtract_background(
    stack: SpectralStack,
    /,
    *,
    fit_window: tuple[float, float],
    window: tuple[float, float],
    method: BackgroundMethod = "poisson",
    neighbors: float = 0.0,
    name: str = "",
) -> NetEdge:
    """Subtract the power law A * E**-r in front of an edge.

    For Poisson counts the maximum-likelihood exponent obeys
    ``sum(y ln E) / sum(y) = m(r)`` over the fit window, where m is the law's own mean
    of ln E, and the amplitude makes the sums equal. A table of m gives r exactly.

    Parameters
    ----------
    stack : SpectralStack
        Counts. Pixels outside the mask are subtracted too, but not reported.
    fit_window : tuple of float
        Energies (low, high) in eV in front of the edge, both included.
    window : tuple of float
        Energies (low, high) in eV of the edge, above the fit window.
    method : {"poisson", "least_squares"}, default="poisson"
        * "poisson": maximum likelihood for counts.
        * "least_squares": equal weights, for data that are not counts.
    neighbors : float, default=0.0
        Standard deviation in pixels over which neighbors share the exponent; every
        pixel keeps its own amplitude.
    name : str, optional
        Name of the edge; default the stack's.

    Returns
    -------
    NetEdge
        Net counts on `window` and the maps. A pixel without counts has the exponent of
        all pixels together and background 0; a pixel with NaN is NaN; both are flagged.

    Raises
    ------
    ValueError
        If a window is outside the axis, too short, or reaches into the other; if
        `stack` holds no counts, or negative ones, and `method` is "poisson".

    Notes
    -----
    The detector's gain is taken as 1; a gain g divides every z by sqrt(g).

    References
    ----------
    .. [1] R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope,
       3rd ed., Springer 2011, Sec. 4.4, doi:10.1007/978-1-4419-9583-4.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> energy = np.arange(200.0, 331.0)
    >>> counts = 1e9 * energy**-3 + 20.0 * (energy > 280)
    >>> stack = SpectralStack(counts[:, None, None], energy)
    >>> edge = subtract_background(
    ...     stack, fit_window=(200.0, 275.0), window=(285.0, 330.0)
    ... )
    >>> edge.exponent.round(3), edge.net.data.mean().round(1)
    (array([3.], dtype=float32), np.float32(20.0))
    """
    if method not in get_args(BackgroundMethod):
        raise InputError(f"{method=} is not one of {get_args(BackgroundMethod)}")
    check_reach(neighbors)
    fit, signal = _channels(stack, fit_window, window)
    table = PowerLawTable(
        stack.energy[fit],
        stack.energy[signal],
        norm="sum" if method == "poisson" else "length",
    )
    before = _slab(stack, fit)
    raw = _slab(stack, signal)
    # One pass over each window gives all sums: reading the data is what costs time.
    weights = np.stack([np.ones(len(before)), table.log_energy]).astype(np.float32)
    moments = weights @ before
    total = np.ones(len(raw), dtype=np.float32) @ raw
    measured = _measured(stack, before, moments[0] + total, method)
    if method == "poisson":
        r, error, level, level_variance = _fit_counts(
            table, moments.astype(np.float64), stack, measured, neighbors
        )
        noise = np.zeros(len(level))
    else:
        r, error, level, noise = _fit_squares(table, before, stack, measured, neighbors)
        level_variance = noise
    # Few counts leave the exponent uncertain and the curved law biased; beyond the cap
    # the correction would itself be a guess.
    variance = np.minimum(error**2, LARGEST_VARIANCE) if method == "poisson" else None
    net = table.basis @ table.window_coefficients(r, level, variance)
    np.subtract(raw, net, out=net)
    net[:, ~measured] = np.nan
    share, slope, at_reference = table.read(
        r, table.window_total, table.window_slope, table.at_reference
    )
    if variance is not None:
        (bias,) = table.read(r, table.total_bias)
        share = share - bias * variance
    background = level * share
    model = level_variance * share**2 + (background * slope * error) ** 2
    channel_noise = noise * len(raw)
    counted = method == "poisson"
    maps = {
        "exponent": r,
        "exponent_error": error,
        "amplitude": level * at_reference,
        "signal": total - background,
        "signal_variance": (total if counted else channel_noise) + model,
        "null_variance": (background if counted else channel_noise) + model,
        "background": background,
    }
    empty = measured & (level <= 0)
    limit = (r <= EXPONENT_LIMITS[0]) | (r >= EXPONENT_LIMITS[1])
    rising = measured & ~empty & (r + RISING_SIGMA * error < 0)
    flags = (
        NO_COUNTS * empty
        + AT_LIMIT * (limit & measured)
        + NOT_FINITE * ~measured
        + RISING * rising
    )
    kept = stack.mask.ravel()
    out = {}
    for key, values in maps.items():
        values[~measured] = np.nan
        out[key] = read_only(values[kept].astype(np.float32))
    label = name or stack.name
    shape = (len(raw), *stack.shape)
    line = (
        f"background {fit_window[0]:g}-{fit_window[1]:g} eV subtracted ({method}, "
        f"neighbors {neighbors:g}), {int(np.count_nonzero(flags[kept]))} pixels flagged"
    )
    energy = stack.energy[signal]
    return NetEdge(
        net=stack.with_step(
            line, data=net.reshape(shape), energy=energy, quantity="net_counts"
        ),
        raw=stack.with_step(
            f"cropped to {energy[0]:g}-{energy[-1]:g} eV",
            data=raw.reshape(shape),
            energy=energy,
        ),
        reference_energy=table.reference,
        flags=read_only(flags[kept].astype(np.uint8)),
        fit_window=(float(fit_window[0]), float(fit_window[1])),
        method=method,
        name=label,
        **out,
    )


def _channels(
    stack: SpectralStack, fit_window: tuple[float, float], window: tuple[float, float]
) -> tuple[slice, slice]:
    """Return the channels of both windows, or raise."""
    low, high = stack.energy[0], stack.energy[-1]
    for label, (start, stop) in (("fit_window", fit_window), ("window", window)):
        if not start < stop:
            raise InputError(f"{label} ({start:g}, {stop:g}) eV: low is below high")
        if start < low - 1e-6 or stop > high + 1e-6:
            raise InputError(
                f"{label} {start:g}-{stop:g} eV is not inside the energy axis "
                f"{low:g}-{high:g} eV of {stack.name!r}; move the window"
            )
    if fit_window[1] > window[0]:
        raise InputError(
            f"fit_window {fit_window[0]:g}-{fit_window[1]:g} eV overlaps the edge's "
            f"window {window[0]:g}-{window[1]:g} eV; end it below {window[0]:g} eV"
        )
    if fit_window[0] <= 0:
        raise InputError(f"a power law needs energies above 0 eV; {fit_window=}")
    found = []
    for (start, stop), least in ((fit_window, MIN_FIT_CHANNELS), (window, 1)):
        first = int(np.searchsorted(stack.energy, start - 1e-6))
        last = int(np.searchsorted(stack.energy, stop + 1e-6))
        if last - first < least:
            raise InputError(
                f"{start:g}-{stop:g} eV holds {last - first} channels of "
                f"{stack.name!r}; at least {least} are needed, widen the window"
            )
        found.append(slice(first, last))
    return found[0], found[1]


def _slab(stack: SpectralStack, channels: slice) -> NDArray[np.float32]:
    """Return channels as (n_channels, n_rows * n_cols), without a copy where it can."""
    slab = np.asarray(stack.data[channels])
    return slab.reshape(len(slab), -1)


def _measured(
    stack: SpectralStack,
    before: NDArray[np.float32],
    sums: NDArray[np.float32],
    method: str,
) -> NDArray[np.bool_]:
    """Return which pixels are finite, after refusing what is not counts."""
    if method == "poisson" and stack.quantity != "counts":
        raise InputError(
            f"{stack.name!r} holds {stack.quantity}, method 'poisson' needs counts; "
            "use method='least_squares'"
        )
    measured: NDArray[np.bool_] = np.isfinite(sums)
    if method == "poisson":
        kept = stack.mask.ravel() & measured
        if not kept.any():
            return measured
        lowest = float(before.min() if kept.all() else before[:, kept].min())
        if lowest < 0:
            share = np.mean(before[:, kept] < 0)
            raise InputError(
                f"{stack.name!r} has negative values (lowest {lowest:g}, {share:.2%} "
                "of the fit window), so these are not counts as method 'poisson' needs "
                "them; use method='least_squares' or undo the dark correction"
            )
    return measured


def _fit_counts(
    table: PowerLawTable,
    sums: NDArray[np.float64],
    stack: SpectralStack,
    measured: NDArray[np.bool_],
    neighbors: float,
) -> tuple[NDArray[np.float64], ...]:
    """Return exponent, its error, level and the level's variance from the moments."""
    sums[:, ~measured] = 0.0
    level = sums[0]
    shared, counts = sums, level
    if neighbors > 0:
        inside = (stack.mask.ravel() & measured).reshape(stack.shape)
        shared = np.stack(
            [smoothed(s.reshape(stack.shape) * inside, neighbors) for s in sums]
        ).reshape(2, -1)
        # Variance of a weighted sum of counts: the squared weights are a narrower
        # Gaussian, so the pixels together count as sum^2 / sum of squares.
        squares = smoothed(
            level.reshape(stack.shape) * inside, neighbors / np.sqrt(2.0)
        ).ravel() * min(1.0, 1.0 / (4.0 * np.pi * neighbors**2))
        counts = ratio(shared[0] ** 2, squares, empty=0.0).astype(np.float64)
    pooled = sums.sum(axis=1)
    overall = pooled[1] / pooled[0] if pooled[0] > 0 else table.mean_log[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_log = np.where(shared[0] > 0, shared[1] / shared[0], overall)
    r = table.fit_counts(mean_log)
    (variance,) = table.read(r, table.variance_log)
    widest = EXPONENT_LIMITS[1] - EXPONENT_LIMITS[0]
    with np.errstate(divide="ignore"):
        error = np.minimum(1.0 / np.sqrt(counts * variance), widest)
    return r, error, level.copy(), level.copy()


def _fit_squares(
    table: PowerLawTable,
    before: NDArray[np.float32],
    stack: SpectralStack,
    measured: NDArray[np.bool_],
    neighbors: float,
) -> tuple[NDArray[np.float64], ...]:
    """Return exponent, its error, level and the variance of one channel."""
    projected = table.fit_basis.T @ before
    projected[:, ~measured] = 0.0
    shared = projected
    if neighbors > 0:
        inside = (stack.mask.ravel() & measured).reshape(stack.shape)
        shared = np.stack(
            [smoothed(p.reshape(stack.shape) * inside, neighbors) for p in projected]
        ).reshape(projected.shape)
    pooled = table.fit_squares(projected.sum(axis=1, keepdims=True))[0]
    seen = np.abs(shared).sum(axis=0) > 0
    r = np.where(seen, table.fit_squares(shared), pooled)
    nodes = table.fit_coefficients
    level = np.zeros(len(r))
    for at_r, values in zip(table.read(r, *nodes), projected, strict=True):
        level += at_r * values
    length = np.einsum("ij,ij->j", before, before, dtype=np.float64)
    length[~measured] = 0.0
    noise = np.clip(length - level**2, 0.0, None) / (len(before) - 2)
    (bend,) = table.read(
        r, np.linalg.norm(np.gradient(nodes, table.exponents, axis=1), axis=0)
    )
    if neighbors > 0:
        bend = bend * max(1.0, np.sqrt(4.0 * np.pi) * neighbors)
    widest = EXPONENT_LIMITS[1] - EXPONENT_LIMITS[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(noise) / (np.abs(level) * bend)
    return r, np.minimum(np.nan_to_num(error, nan=widest), widest), level, noise
