"""``train`` and ``compare``: a model of the latent space, and what it is good for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from napari_phasemap.cli.options import (
    ManyValues,
    Progress,
    demand,
    foreseen_told,
    given,
    options_of,
    output_option,
    overwrite_option,
    quiet_option,
    references_option,
    silent,
    tell_failures,
)
from napari_phasemap.core.data.parameters import fields_of
from napari_phasemap.models.presets import Parameters
from napari_phasemap.pipeline import Correlation, TrainParameters
from napari_phasemap.pipeline import compare as compare_pipeline
from napari_phasemap.pipeline import train as train_pipeline

if TYPE_CHECKING:
    from napari_phasemap.models.gmvae import GMVAE

__all__ = ["compare", "train"]

TRAIN_EXAMPLES = """\b
Examples:
  napari-phasemap train P1.hdr P2.hdf5 --references refs.csv --output model
  napari-phasemap run P3.hdr --references refs.csv --model model --output results
"""
COMPARE_EXAMPLE = """\b
Example:
  napari-phasemap compare P1.hdr --references refs.csv --truth truth.npz
"""


@click.command(cls=ManyValues, epilog=TRAIN_EXAMPLES)
@click.argument("stacks", nargs=-1, type=click.Path(path_type=Path))
@references_option
@output_option("Folder for the model.", required=True)
@options_of(fields_of(TrainParameters))
@options_of(fields_of(Parameters), default="the preset's")
@overwrite_option
@quiet_option
def train(
    stacks: tuple[Path, ...],
    references: tuple[Path, ...],
    output: Path,
    overwrite: bool,
    quiet: bool,
    **parameters: Any,
) -> None:
    """Train a model of the latent space on the spectra of all STACKS.

    The references are not learned; a stack that they do not cover is left out.
    """
    if not stacks:
        raise click.UsageError("no stack; name the stacks before --references")
    with foreseen_told():
        trained = train_pipeline(
            stacks,
            output,
            references=references,
            parameters=given(parameters, Parameters),
            **given(parameters, TrainParameters),
            overwrite=overwrite,
            on_progress=silent if quiet else Progress(),
        )
    if not quiet:
        click.echo(_losses(trained.model))
        click.echo(f"The model is in {trained.output}")
    tell_failures(trained.failures)


@click.command(cls=ManyValues, epilog=COMPARE_EXAMPLE)
@click.argument("stacks", nargs=-1, type=click.Path(path_type=Path))
@references_option
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="Folder of a trained model, whose latent space is compared too.",
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    help="Known phases, counted from 1, 0 unknown: .npz with an array per particle, "
    "or .npy or .tif for one particle.",
)
@output_option("Folder for the tables as methods.csv and agreement.csv.")
@options_of(fields_of(Correlation))
@overwrite_option
@quiet_option
def compare(
    stacks: tuple[Path, ...],
    references: tuple[Path, ...],
    model: Path | None,
    truth: Path | None,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    **parameters: Any,
) -> None:
    """Classify STACKS by every method, and print how far they agree."""
    demand(stacks, references)
    with foreseen_told():
        compared = compare_pipeline(
            stacks,
            references,
            model=model,
            truth=truth,
            output=output,
            **given(parameters),
            overwrite=overwrite,
            on_progress=silent if quiet else Progress(),
        )
    click.echo(repr(compared.comparison))
    tell_failures(compared.failures)


def _losses(model: GMVAE) -> str:
    """Return how the training went: first and last epoch, and the test spectra."""
    from napari_phasemap.core.data.text_table import aligned_table

    names = ("reconstruction", "validation_reconstruction", "kl", "validation_kl")
    rows: list[tuple[str, ...]] = [("epoch", *(n.replace("_", " ") for n in names))]
    for epoch in sorted({1, model.n_epochs_}):
        values = [model.history_[name][epoch - 1] for name in names]
        rows.append((str(epoch), *(f"{value:.4g}" for value in values)))
    test = model.test_loss_
    rows.append(("test", f"{test['reconstruction']:.4g}", "", f"{test['kl']:.4g}", ""))
    used = ", ".join(f"{100 * share:.0f} %" for share in model.component_usage_)
    return "\n".join(
        [repr(model), *aligned_table(rows), f"Use of the components: {used}"]
    )
