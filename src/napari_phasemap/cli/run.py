"""``run`` and ``demo``: from stacks and references to a folder of results."""

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
from napari_phasemap.pipeline import Recipe, RunParameters
from napari_phasemap.pipeline import run as run_pipeline

if TYPE_CHECKING:
    from napari_phasemap.io.results import Results
    from napari_phasemap.pipeline import Outcome

__all__ = ["demo", "run"]

EXAMPLES = """\b
Examples:
  napari-phasemap run P1.hdr P2.hdf5 --references refs.csv --output results
  napari-phasemap run P1.hdr --references refs.csv --train --output results
  napari-phasemap run P1.hdr --references refs.csv --method posterior
      --check-references --output results
"""


@click.command(cls=ManyValues, epilog=EXAMPLES)
@click.argument("stacks", nargs=-1, type=click.Path(path_type=Path))
@references_option
@output_option("Folder for the results.", required=True)
@click.option(
    "--recipe",
    type=click.Path(path_type=Path),
    help="Run the recipe.json of an earlier run again; other options win over it.",
)
@options_of(fields_of(RunParameters))
@overwrite_option
@quiet_option
def run(
    stacks: tuple[Path, ...],
    references: tuple[Path, ...],
    output: Path,
    recipe: Path | None,
    overwrite: bool,
    quiet: bool,
    **parameters: Any,
) -> None:
    """Correlate STACKS with references: maps, fractions and figures in a folder.

    With --train or --model ambiguous pixels are resolved in a latent space; with
    --method posterior every phase of every pixel gets a probability.
    """
    wanted = given(parameters)
    with foreseen_told():
        if recipe is not None:
            known = Recipe.load(recipe)
            stacks = stacks or known.stacks
            references = references or known.references
            wanted = {**vars(known.parameters), **wanted}
        demand(stacks, references, recipe=True)
        outcome = run_pipeline(
            stacks,
            references,
            output,
            **wanted,
            overwrite=overwrite,
            on_progress=silent if quiet else Progress(),
        )
    if not quiet:
        click.echo(_report(outcome))
    tell_failures(outcome.failures)


@click.command()
@output_option(
    "Folder for the results.", default=Path("demo_output"), show_default=True
)
@click.option("--train", is_flag=True, help="Resolve ambiguity in a latent space too.")
def demo(output: Path, train: bool) -> None:
    """Run the main job on the simulated sample particles."""
    from napari_phasemap.io.samples import sample_paths, sample_references

    with foreseen_told():
        outcome = run_pipeline(
            sample_paths(),
            sample_references(),
            output,
            train=train,
            overwrite=True,
            on_progress=Progress(),
        )
    click.echo(_report(outcome))
    for name, right in _shares_right(outcome).items():
        click.echo(f"The true phase was found in {right:.1f} % of the pixels{name}.")
    click.echo(
        "To see the particles in napari: start napari, then File > Open Sample > "
        "Phase map, or Plugins > Phase map."
    )


def _report(outcome: Outcome) -> str:
    """Return the phases of every particle as a table, and where the files are."""
    results = outcome.results
    phases = results.maps["phase_map"]
    stacks = results.stacks
    ambiguous = phases.ambiguous(results.threshold)
    rows = [["particle", *phases.names, "ambiguous", "pixels"]]
    for name, low, high in zip(
        stacks.names, stacks.offsets, stacks.offsets[1:], strict=False
    ):
        part = slice(int(low), int(high))
        shares = [f"{share:.1f} %" for share in phases.fractions(part)]
        unsure = f"{100 * ambiguous[part].mean():.1f} %"
        rows.append([name, *shares, unsure, str(high - low)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            word.ljust(width) if column == 0 else word.rjust(width)
            for column, (word, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    if "posterior" in results.maps:
        lines += ["", *_posterior_lines(results)]
    if outcome.report is not None:
        lines += ["", *_check_lines(outcome)]
    if outcome.resolved is not None:
        lines += ["", *([repr(outcome.model)] if outcome.model else [])]
        lines += [str(outcome.resolved), repr(outcome.resolved.table)]
    return "\n".join([*lines, f"Results are in {outcome.output}"])


def _posterior_lines(results: Results) -> list[str]:
    """Return what the map of probabilities says, in words."""
    from napari_phasemap.core.phases import decisions

    pearson, posterior = results.maps["phase_map"], results.maps["posterior"]
    about, told = posterior.parameters, decisions.decisions_of(posterior)
    n_undecided = int(told.undecided(results.level).sum())
    return [
        repr(posterior),
        f"{n_undecided} pixels are undecided (probability below {results.level:g}), "
        f"{int(told.unknown.sum())} fit no reference.",
        decisions.noise_sentence(about["stacks"], about["noise"]),
        decisions.gap_sentence(pearson, posterior, gap=results.threshold),
        *decisions.strangers(posterior),
    ]


def _check_lines(outcome: Outcome) -> list[str]:
    """Return what the check of the references found, and what was made of it."""
    report, parameters = outcome.report, outcome.results.recipe["parameters"]
    assert report is not None
    applied = parameters["recalibrate"]
    end = f"Applied: {applied}."
    if not applied:
        end = "Nothing was changed; --recalibrate suggested applies what is suggested."
    return [report.summary(), end]


def _shares_right(outcome: Outcome) -> dict[str, float]:
    """Return the per cent of sample pixels whose phase is the true one, by map."""
    from napari_phasemap.io.samples import sample_truth

    truth = sample_truth()
    stacks = outcome.results.stacks
    true_labels = stacks.join([truth[name] for name in stacks.names])
    inside = true_labels > 0
    texts = {
        "phase_map": "",
        "resolved": " after resolving",
        "posterior": " by probabilities",
    }
    return {
        texts[name]: float(100.0 * (phases.labels == true_labels)[inside].mean())
        for name, phases in outcome.results.maps.items()
    }
