"""From frames and axes as a file has them to a `SpectralStack`.

Every reader of other programs' files ends here, so that the traps of real files are met
in one place; our own files give back what was written (`stackfile`).

* `Options`: what the caller of a reader may ask for.
* `assemble`: order the energies, notice missing frames, find pixel size and origin.
* `in_ev`: energies in eV from a number and its unit.
* `EV_PER_UNIT`, `NM_PER_UNIT`: what files call units of energy and length.
* `check_size`: refuse a file that claims more values than it can hold.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.io.energies import given_energies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.stack import Origin, Quantity
    from napari_phasemap.io.energies import Energies

__all__ = [
    "EV_PER_UNIT",
    "NM_PER_UNIT",
    "Duplicates",
    "EnergyUnit",
    "Options",
    "assemble",
    "check_size",
    "in_ev",
]

logger = logging.getLogger(__name__)

Duplicates: TypeAlias = Literal["refuse", "merge"]
EnergyUnit: TypeAlias = Literal["eV", "keV"]

#: No edge that is mapped lies below, in eV: smaller numbers are suspect of keV.
SUSPECT_OF_KEV = 30.0
#: Positions whose steps scatter by more than this fraction are called uneven.
UNEVEN_STEPS = 0.05
#: A file may claim this many bytes whatever its size.
FREE_BYTES = 1 << 26
#: deflate reaches at most about 1030:1 (https://zlib.net/zlib_tech.html)
LARGEST_RATIO = 1100
#: One unit of energy in eV, by what files call it; no spectrum is in MeV.
EV_PER_UNIT = {
    "ev": 1.0, "electronvolt": 1.0, "electron volt": 1.0, "kev": 1e3, "mev": 1e-3,
}  # fmt: skip
#: One unit of length in nm, by what files call it.
NM_PER_UNIT = {
    "nm": 1.0, "nanometer": 1.0, "nanometers": 1.0,
    "um": 1e3, "µm": 1e3, "μm": 1e3, "micron": 1e3, "microns": 1e3,
    "micrometer": 1e3, "micrometers": 1e3,
    "mm": 1e6, "m": 1e9, "pm": 1e-3, "a": 0.1, "å": 0.1, "angstrom": 0.1,
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """What the caller of a reader asks for; see `read.read_stack`."""

    energies: Energies | None = None
    energy_unit: EnergyUnit | None = None
    detector: str | None = None
    duplicates: Duplicates = "refuse"


def check_size(shape: Sequence[int], n_bytes: int, what: str) -> None:
    """Raise ValueError if `n_bytes` on disk cannot hold values of this shape.

    Parameters
    ----------
    shape : sequence of int
        Number of values along each axis.
    n_bytes : int
        Stored in the file.
    what : str
        Names them in the message.
    """
    claimed = 4
    for length in shape:
        claimed *= int(length)
    if claimed > FREE_BYTES and claimed > LARGEST_RATIO * max(n_bytes, 0):
        raise InputError(
            f"{what} claims {' x '.join(map(str, shape))} values "
            f"({claimed / 1e9:.3g} GB) but only {n_bytes} bytes are stored; "
            "the file is damaged or incomplete"
        )


def in_ev(
    energy: NDArray[np.float64], unit: str, options: Options
) -> tuple[NDArray[np.float64], list[str]]:
    """Return energies in eV and what has to be said about it.

    A unit given by the caller comes before the one in the file. Without any unit
    nothing is converted: low-loss spectra really have energies of a few eV.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In `unit`.
    unit : str
        As the file has it; "" where it has none.
    options : Options
        Its `energy_unit` comes first.

    Returns
    -------
    energy : ndarray of shape (n_energies,)
        In eV.
    notes : list of str
        What was converted, or what is in doubt.
    """
    unit = (options.energy_unit or unit).strip()
    factor = EV_PER_UNIT.get(unit.lower())
    if factor is not None and factor != 1.0:
        return energy * factor, [f"energies converted from {unit} to eV"]
    if unit and factor is None:
        return energy, [f"warning: energy unit {unit!r} is not known, taken as eV"]
    span = np.abs(energy[np.isfinite(energy)])
    if not unit and span.size and 0.0 < span.max() < SUSPECT_OF_KEV:
        return energy, [
            f"warning: energies {span.min():g}-{span.max():g} have no unit and look "
            'like keV; taken as eV, give energy_unit="keV" to convert'
        ]
    return energy, []


def assemble(
    frames: NDArray[np.float32],
    energy: ArrayLike,
    /,
    *,
    name: str,
    options: Options,
    source: str,
    energy_unit: str = "",
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    position_unit: str = "um",
    pixel_size: tuple[float, float] | None = None,
    quantity: Quantity = "counts",
    mask: NDArray[np.bool_] | None = None,
    metadata: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    one_by_one: bool = True,
) -> SpectralStack:
    """Make a stack of frames and axes as a file has them.

    Parameters
    ----------
    frames : ndarray of float32 of shape (n_energies, n_rows, n_cols)
        Owned by the caller, who gives it away; missing frames are NaN.
    energy : array_like of shape (n_energies,)
        In any order.
    name : str
        Name of the stack.
    options : Options
        What the user asked for.
    source : str
        First line of the history: which file, which format.
    energy_unit : str, default=""
        As the file says, empty where it says nothing.
    x, y : array_like, optional
        Column and row positions, in `position_unit`.
    position_unit : str, default="um"
        Unit of `x` and `y`.
    pixel_size : tuple of float, optional
        (dy, dx) in nm, where the file gives it instead of positions.
    quantity, mask, metadata
        As in `SpectralStack`.
    notes : sequence of str
        What the reader has to say; lines that start with "warning" are warnings.
    one_by_one : bool, default=True
        Whether the frames were recorded one after the other, so that a scan that was
        stopped leaves some of them without counts. Where a spectrum was recorded in
        every pixel, a frame without counts was measured.

    Returns
    -------
    SpectralStack
        Energies increasing, origin from the direction of `y`.

    Raises
    ------
    ValueError
        If lengths differ, an energy is not finite, energies repeat and may not be
        merged, or no frame is there.
    """
    if options.energies is not None:
        energy, note = given_energies(options.energies)
        notes = [*notes, *([] if note in notes else [note])]
        energy_unit = ""
    values = np.array(energy, dtype=np.float64).reshape(-1)
    if len(values) != len(frames):
        raise InputError(
            f"{len(values)} energies for {len(frames)} images of {name!r}; give one "
            "energy per image with energies="
        )
    if not np.isfinite(values).all():
        raise InputError(f"energies of {name!r} are not all finite numbers: {values}")
    values, lines = in_ev(values, energy_unit, options)
    lines = [*notes, *lines]
    frames, values, more = _ordered(frames, values, options.duplicates, name)
    lines += more
    if not frames.size:
        raise InputError(f"{name!r} has no pixels: {frames.shape=}")
    if one_by_one:
        lines += _blank_incomplete(frames, values, name)
    if pixel_size is None:
        pixel_size, more = _pixel_size(x, y, position_unit)
        lines += more
    for line in lines:
        say = logger.warning if line.startswith("warning") else logger.info
        say("%s: %s", name, line)
    return SpectralStack(
        frames,
        values,
        mask=mask,  # type: ignore[arg-type] # None means every pixel
        quantity=quantity,
        pixel_size=pixel_size,
        origin=_origin(y),
        name=name,
        metadata=metadata or {},
        history=(source, *lines),
    )


def _ordered(
    frames: NDArray[np.float32],
    energy: NDArray[np.float64],
    duplicates: Duplicates,
    name: str,
) -> tuple[NDArray[np.float32], NDArray[np.float64], list[str]]:
    """Sort by energy and refuse or merge what repeats."""
    if duplicates not in ("refuse", "merge"):
        raise InputError(f"{duplicates=} is neither 'refuse' nor 'merge'")
    lines = []
    if (np.diff(energy) < 0).any():
        order = np.argsort(energy, kind="stable")
        frames, energy = frames[order], energy[order]
        lines.append("energies were not in increasing order: frames sorted")
    unique, first, counts = np.unique(energy, return_index=True, return_counts=True)
    if len(unique) == len(energy):
        return frames, energy, lines
    repeated = unique[counts > 1]
    listed = ", ".join(f"{value:g}" for value in repeated[:5])
    if duplicates == "refuse":
        raise InputError(
            f"{name!r} has more than one frame at {listed} eV; "
            'read it with duplicates="merge" to average them'
        )
    merged = frames[first]
    for at in np.flatnonzero(counts > 1):
        merged[at] = _mean(frames[first[at] : first[at] + counts[at]])
    lines.append(f"frames with the same energy averaged: {listed} eV")
    return merged, unique, lines


def _mean(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the frames that are there, NaN if none is."""
    there = np.isfinite(frames).any(axis=(1, 2))
    if not there.any():
        return np.full_like(frames[0], np.nan)
    mean: NDArray[np.float64] = frames[there].mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)


def _blank_incomplete(
    frames: NDArray[np.float32], energy: NDArray[np.float64], name: str
) -> list[str]:
    """Turn frames that a scan left unfinished into NaN and report them.

    Unfinished are frames whose last row is NaN, and frames of a counting detector
    without one count beside frames that have some.
    """
    lines = []
    unfinished = np.isnan(frames[:, -1]).all(axis=1)
    empty = ~unfinished & np.array([not frame.any() for frame in frames])
    if empty.any() and not (empty | unfinished).all():
        lines.append(_report("frames without a single count", energy[empty]))
        unfinished |= empty
    partial = unfinished & ~np.array([np.isnan(frame).all() for frame in frames])
    for at in np.flatnonzero(partial):
        frames[at] = np.nan
    if unfinished.all():
        raise InputError(f"{name!r} holds no complete frame")
    missing = unfinished & ~empty if lines else unfinished
    if missing.any():
        lines.append(_report("missing or incomplete frames", energy[missing]))
    return lines


def _report(what: str, energy: NDArray[np.float64]) -> str:
    listed = ", ".join(f"{value:g}" for value in energy[:10])
    more = f" and {len(energy) - 10} more" if len(energy) > 10 else ""
    return (
        f"warning: {len(energy)} {what}, set to NaN and left out of the analysis: "
        f"{listed} eV{more}"
    )


def _pixel_size(
    x: ArrayLike | None, y: ArrayLike | None, unit: str
) -> tuple[tuple[float, float] | None, list[str]]:
    """Return (dy, dx) in nm; a single row or column takes the other's step."""
    scale = NM_PER_UNIT.get(unit.strip().lower())
    lines = []
    if scale is None:
        return None, [f"warning: position unit {unit!r} is not known: no pixel size"]
    steps = []
    for axis, positions in (("row", y), ("column", x)):
        step, uneven = _step(positions)
        steps.append(step)
        if uneven:
            lines.append(f"warning: {axis} positions are uneven; median step taken")
    dy, dx = steps[0] or steps[1], steps[1] or steps[0]
    if x is not None and np.size(x) > 1 and np.ravel(x)[0] > np.ravel(x)[-1]:
        lines.append("warning: columns run from high to low x: seen mirrored")
    if dy is None or dx is None:
        return None, lines
    return (round(dy * scale, 6), round(dx * scale, 6)), lines


def _step(positions: ArrayLike | None) -> tuple[float | None, bool]:
    """Return the step of an axis and whether its steps scatter."""
    if positions is None or np.size(positions) < 2:
        return None, False
    steps = np.abs(np.diff(np.asarray(positions, dtype=np.float64).reshape(-1)))
    step = float(np.median(steps))
    if not np.isfinite(step) or step <= 0:
        return None, False
    if np.abs(steps - step).max() > UNEVEN_STEPS * step:
        return step, True
    return float(steps.mean()), False


def _origin(y: ArrayLike | None) -> Origin:
    """Return "lower" where row positions increase: the first row is the lowest."""
    if y is None or np.size(y) < 2:
        return "upper"
    ends = np.asarray(y, dtype=np.float64).reshape(-1)[[0, -1]]
    return "lower" if ends[1] > ends[0] else "upper"
