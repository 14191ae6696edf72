"""``eels``: from a spectrum image to classes of its edges and their bonds."""

from __future__ import annotations

from pathlib import Path

import click

from napari_phasemap.cli.options import (
    Progress,
    foreseen_told,
    leave,
    output_option,
    overwrite_option,
    quiet_option,
    silent,
)

__all__ = ["eels"]

EXAMPLE = """\b
Example:
  napari-phasemap eels SI.dm3 --edge Si_L:70-95:99-130 --edge C_K --output results
"""


@click.command(epilog=EXAMPLE)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--edge",
    "-e",
    "edges",
    multiple=True,
    required=True,
    metavar="NAME[:FIT:WINDOW]",
    help="Edge with its windows in eV, as Si_L:70-95:99-130, or a known edge's name "
    "for suggested windows; repeat for more edges. Which pixels have it is suggested.",
)
@output_option("Folder for the results.", required=True)
@click.option(
    "--low-loss", type=click.Path(path_type=Path), help="File with the low loss."
)
@click.option(
    "--preset",
    type=click.Choice(["recommended", "paper"]),
    default="recommended",
    show_default=True,
    help="Table of settings.",
)
@click.option("--clusters", type=int, help="Classes per edge  [default: the preset's].")
@click.option(
    "--method",
    type=click.Choice(["poisson", "least_squares"]),
    help="Background fit: for counts or for anything else  [default: the preset's].",
)
@click.option("--umap/--no-umap", default=True, show_default=True, help="Embed.")
@click.option("--seed", type=int, help="Of everything random  [default: the preset's].")
@overwrite_option
@quiet_option
def eels(
    file: Path,
    edges: tuple[str, ...],
    output: Path,
    low_loss: Path | None,
    preset: str,
    clusters: int | None,
    method: str | None,
    umap: bool,
    seed: int | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Sort the edges of a spectrum image FILE into classes and find their bonds."""
    from napari_phasemap.pipeline.eels import run_eels

    with foreseen_told():
        found = run_eels(
            file,
            edges,
            output,
            low_loss=low_loss,
            preset=preset,
            n_clusters=clusters,
            method=method,
            embed=umap,
            seed=seed,
            overwrite=overwrite,
            on_progress=silent if quiet else Progress(),
        )
    for warning in found.warnings:
        click.echo(f"Warning: {warning}", err=True)
    for name, why in found.failed.items():
        click.echo(f"{name} failed: {why}", err=True)
    if not quiet:
        for edge in found.edges.values():
            click.echo(f"{edge.recipe.name}: {edge.classes!r}")
            click.echo(f"{edge.recipe.name}: {edge.kinds.reason}")
            if edge.presence is not None:
                click.echo(f"{edge.recipe.name}: {edge.presence.reason}")
        for (a, b), pairs in found.pairs.items():
            click.echo(f"{a} and {b}: {pairs!r}")
        click.echo(f"Results are in {output}")
    leave(len(found.failed), len(edges))
