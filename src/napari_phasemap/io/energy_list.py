"""Energies of the next scan as text that beamline software takes.

* `write_energies`: one energy per line, with its dwell time.
* `write_gain`: the curves of what more energies and dose would give, as a table.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from napari_phasemap.core.planning.gain import EnergyGain
    from napari_phasemap.core.planning.plan import EnergyPlan

__all__ = ["write_energies", "write_gain"]


def write_energies(
    plan: EnergyPlan,
    path: str | PathLike[str],
    /,
    *,
    dwell: float = 1.0,
    overwrite: bool = False,
) -> Path:
    """Write one energy per line, with the dwell time at each.

    Lines that start with ``#`` say what was planned; `read_stack` takes the file as the
    energies of a stack without any.

    Parameters
    ----------
    plan : EnergyPlan
        What to write.
    path : str or path
        A text file.
    dwell : float, default=1.0
        Time per pixel at each energy, in ms.
    overwrite : bool, default=False
        Replace an existing file.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    InputError
        If the dwell time is not positive.
    """
    if not dwell > 0:
        raise InputError(f"the dwell time is positive, in ms; got {dwell}")
    lines = [*(f"# {line}" for line in plan.summary().splitlines())]
    lines += ["# energy_eV dwell_ms", *(f"{e:.3f} {dwell:g}" for e in plan.energy)]
    with replacing(path, overwrite=overwrite) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Path(path)


def write_gain(
    gains: Mapping[str, EnergyGain],
    path: str | PathLike[str],
    /,
    *,
    overwrite: bool = False,
) -> Path:
    """Write curves of expectations as a table, one point per row.

    Parameters
    ----------
    gains : mapping of str to EnergyGain
        By what they run over, for example "energies".
    path : str or path
        A CSV file.
    overwrite : bool, default=False
        Replace an existing file.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    """
    header = ["over", "value", "separation", "ambiguous", "right"]
    rows = [
        [over, *(f"{value:.6g}" for value in row)]
        for over, gain in gains.items()
        for row in zip(gain.x, gain.separation, gain.ambiguous, gain.right, strict=True)
    ]
    with (
        replacing(path, overwrite=overwrite) as part,
        part.open("w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file).writerows([header, *rows])
    return Path(path)
