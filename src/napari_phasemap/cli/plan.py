"""``plan-energies``: which energies to measure next, from dense references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from napari_phasemap.cli.options import (
    Progress,
    foreseen_told,
    given,
    options_of,
    output_option,
    overwrite_option,
    quiet_option,
    silent,
)
from napari_phasemap.core.data.parameters import parameters_of
from napari_phasemap.core.planning.choosing import choose_energies
from napari_phasemap.core.planning.gain import steps_around

__all__ = ["plan_energies"]

EXAMPLE = """\b
Example:
  napari-phasemap plan-energies refs.csv -n 13 --forced 505 --output energies.txt
"""


@click.command("plan-energies", epilog=EXAMPLE)
@click.argument("references", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-n", "number", type=int, default=13, show_default=True,
              help="How many energies.")  # fmt: skip
@options_of(parameters_of(choose_energies))
@click.option("--reference-columns", help="What unclear columns of files are, as "
              "for run.")  # fmt: skip
@click.option("--dwell", type=float, default=1.0, show_default=True,
              help="Time per pixel at each energy, in ms.")  # fmt: skip
@output_option(
    "Text file for the energies; a table of expectations (.csv) and a figure (.png) of "
    "the same name go beside it."
)
@overwrite_option
@quiet_option
def plan_energies(
    references: tuple[Path, ...],
    number: int,
    reference_columns: str | None,
    dwell: float,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    **parameters: Any,
) -> None:
    """Choose the energies that tell the phases of dense REFERENCES apart best."""
    from napari_phasemap.core.planning.gain import energy_gain
    from napari_phasemap.io.spectra import read_references

    wanted, on_progress = given(parameters), silent if quiet else Progress()
    with foreseen_told():
        spectra = read_references(references, columns=reference_columns)
        plan = choose_energies(spectra, number, **wanted, on_progress=on_progress)
        numbers, doses = steps_around(number, plan.dose, spectra.n_energies)
        gains = {
            "energies": energy_gain(
                spectra, numbers=numbers, **wanted, on_progress=on_progress
            ),
            "photons per pixel": energy_gain(
                spectra, numbers=(number,), doses=doses, **wanted,
                on_progress=on_progress,
            ),
        }  # fmt: skip
        if output is not None:
            _write(spectra, plan, gains, output, dwell=dwell, overwrite=overwrite)
    click.echo("\n".join(f"{energy:.3f} {dwell:g}" for energy in plan.energy))
    if not quiet:
        click.echo(plan.summary(), err=True)
        for over, gain in gains.items():
            click.echo(gain.table(over), err=True)


def _write(
    spectra: Any, plan: Any, gains: Any, output: Path, *, dwell: float, overwrite: bool
) -> None:
    """Write energies, expectations and figure."""
    from napari_phasemap.figures import plan_sheet, save_figure
    from napari_phasemap.io.energy_list import write_energies, write_gain

    write_energies(plan, output, dwell=dwell, overwrite=overwrite)
    write_gain(gains, output.with_suffix(".csv"), overwrite=overwrite)
    sheet = plan_sheet(spectra, plan, *gains.values())
    save_figure(sheet, output.with_suffix(".png"), overwrite=overwrite)
