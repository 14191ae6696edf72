"""``info``: what is in a file."""

from __future__ import annotations

from pathlib import Path

import click

from napari_phasemap.cli.options import FORESEEN, leave

__all__ = ["info"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def info(files: tuple[Path, ...]) -> None:
    """Say what is in each file: stacks or reference spectra."""
    failed = 0
    for number, path in enumerate(files):
        if number:
            click.echo()
        try:
            click.echo(_describe(path))
        except FORESEEN as error:
            failed += 1
            click.echo(f"Error: {error}", err=True)
    leave(failed, len(files))


def _describe(path: Path) -> str:
    """Return what is in a file, as stacks or else as reference spectra."""
    from napari_phasemap.io.read import describe

    try:
        found = describe(path)
    except ValueError as error:
        try:
            return _describe_references(path)
        except FORESEEN:
            raise error from None
    lines = [str(found)]
    for stack in found.stacks:
        values = " ".join(f"{energy:g}" for energy in stack.energy[:20])
        more = f" ... {stack.energy[-1]:g}" if stack.n_energies > 20 else ""
        lines.append(f"  energies of {stack.name!r}, eV: {values}{more}")
    return "\n".join(lines)


def _describe_references(path: Path) -> str:
    from napari_phasemap.io.spectra import read_references

    spectra = read_references(path)
    text = f"{path.name}: {spectra!r}"
    if len(spectra) > 1:
        first, second, gap = spectra.closest_pair()
        text += f"\n  most alike: {first} and {second}, r differs from 1 by {gap:.5f}"
    return text
