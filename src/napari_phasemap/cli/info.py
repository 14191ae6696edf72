"""``info``: what is in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from napari_phasemap.cli.options import BUG, leave
from napari_phasemap.core.data.errors import InputError, is_bug, told

if TYPE_CHECKING:
    from napari_phasemap.core.prepare.column_roles import ColumnTable

__all__ = ["info"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def info(files: tuple[Path, ...]) -> None:
    """Say what is in each file: stacks or reference spectra."""
    failed, bug = 0, False
    for number, path in enumerate(files):
        if number:
            click.echo()
        try:
            click.echo(_describe(path))
        except Exception as error:  # noqa: BLE001 # the next file is none the worse
            failed += 1
            bug = bug or is_bug(error)
            click.echo(f"Error: {told(error, where=str(path))}", err=True)
    if bug:
        raise SystemExit(BUG)
    leave(failed, len(files))


def _describe(path: Path) -> str:
    """Return what is in a file, as stacks or else as reference spectra."""
    from napari_phasemap.io.read import describe
    from napari_phasemap.io.spectra import read_tables

    try:
        found = describe(path)
    except InputError as error:
        try:
            table = read_tables([path])[0]
        except InputError:
            raise error from None
        return _describe_references(table)
    lines = [str(found)]
    for stack in found.stacks:
        values = " ".join(f"{energy:g}" for energy in stack.energy[:20])
        more = f" ... {stack.energy[-1]:g}" if stack.n_energies > 20 else ""
        lines.append(f"  energies of {stack.name!r}, eV: {values}{more}")
    return "\n".join(lines)


def _describe_references(table: ColumnTable) -> str:
    from napari_phasemap.io.spectra import references_of

    if table.doubt:
        # Whoever has to say what the columns are wants to see them.
        return f"{table.source}: {table.doubt}. Its columns:\n{table.listing()}"
    spectra = references_of([table])
    text = f"{table.source}: {spectra!r}"
    if not table.is_plain:
        text += f"\n  {table.how()}, of the columns\n{table.listing()}"
    if len(spectra) > 1:
        first, second, gap = spectra.closest_pair()
        text += f"\n  most alike: {first} and {second}, r differs from 1 by {gap:.5f}"
    return text
