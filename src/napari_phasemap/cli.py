"""Run napari-phasemap from a terminal, without a window.

* ``info``: what is in a file.
* ``run``: from stacks and references to a folder of results.
* ``demo``: the same on the sample particles.
* ``eels``: from a spectrum image to classes of its edges and their bonds.

Exit codes: 0 all went well, 1 some particle or file failed, 2 wrong usage or nothing
could be done.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from napari_phasemap.pipeline import run as run_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.pipeline import Outcome

__all__ = ["main"]

#: What a user can do something about; anything else is shown with its traceback.
FORESEEN = (ValueError, TypeError, OSError, MemoryError)
SOME_FAILED, ALL_FAILED = 1, 2


class _ManyValues(click.Command):
    """A command where ``--references a b c`` means three references."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its values."""
        spread: list[str] = []
        flag = ""
        for word in args:
            if word.startswith("-") and word != "-":
                flag = word if word in ("--references", "-r") else ""
                if not flag:
                    spread.append(word)
            elif flag:
                spread += [flag, word]
            else:
                spread.append(word)
        if flag and args[-1] == flag:
            spread.append(flag)  # click says that its value is missing
        return super().parse_args(ctx, spread)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="napari-phasemap")
def main() -> None:
    """Find the chemical phases in hyperspectral stacks, pixel by pixel."""


@main.command()
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
    _leave(failed, len(files))


def _options_of(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """Give a command one option for each keyword parameter of a function."""
    from napari_phasemap.core.parameters import parameters_of

    def add(command: Any) -> Any:
        for one in reversed(parameters_of(function)):
            kind = click.Choice(one.choices) if one.choices else one.type
            command = click.option(
                f"--{one.name.replace('_', '-')}",
                one.name,
                type=kind,
                default=None,
                help=f"{one.text}{_default_text(one.default)}",
            )(command)
        return command

    return add


def _default_text(default: Any) -> str:
    return "" if default is None else f"  [default: {default}]"


@main.command(cls=_ManyValues)
@click.argument("stacks", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--references",
    "-r",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="REF...",
    help="One or more files of reference spectra; they end at the next option.",
)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for the results.",
)
@click.option(
    "--recipe",
    type=click.Path(path_type=Path),
    help="Run the recipe.json of an earlier run again; other options win over it.",
)
@_options_of(run_pipeline)
@click.option(
    "--overwrite", is_flag=True, help="Replace the results of an earlier run."
)
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
def run(
    stacks: tuple[Path, ...],
    references: tuple[Path, ...],
    output: Path,
    recipe: Path | None,
    overwrite: bool,
    quiet: bool,
    **parameters: Any,
) -> None:
    r"""Correlate STACKS with references: maps, fractions and figures in a folder.

    \b
    napari-phasemap run P1.hdr P2.hdf5 --references refs.csv --output results
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        if recipe is not None:
            from napari_phasemap.pipeline import Recipe

            known = Recipe.load(recipe)
            stacks = stacks or known.stacks
            references = references or known.references
            given = {**known.parameters, **given}
        _demand(stacks, references)
        outcome = run_pipeline(
            stacks,
            references,
            output,
            **given,
            overwrite=overwrite,
            on_progress=_silent if quiet else _Progress(),
        )
    except FORESEEN as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(ALL_FAILED) from error
    if not quiet:
        click.echo(_report(outcome))
    for failure in outcome.failures:
        click.echo(f"Failed: {failure.name}: {failure.message}", err=True)
    raise SystemExit(SOME_FAILED if outcome.failures else 0)


@main.command()
@click.option(
    "--output",
    "-o",
    default=Path("demo_output"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for the results.",
)
def demo(output: Path) -> None:
    """Run the main job on the simulated sample particles."""
    from napari_phasemap.io.samples import sample_paths, sample_references

    try:
        outcome = run_pipeline(
            sample_paths(),
            sample_references(),
            output,
            overwrite=True,
            on_progress=_Progress(),
        )
    except FORESEEN as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(ALL_FAILED) from error
    click.echo(_report(outcome))
    click.echo(
        f"The true phase was found in {_share_right(outcome):.1f} % of the pixels."
    )
    click.echo(
        "To see the particles in napari: start napari, then File > Open Sample > "
        "Phase map, or Plugins > Phase map."
    )


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--edge",
    "-e",
    "edges",
    multiple=True,
    required=True,
    metavar="NAME[:FIT:WINDOW]",
    help="Edge with its windows in eV, as Si_L:70-95:99-130, or a known edge's name "
    "for suggested windows; repeat for more edges.",
)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for the results.",
)
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
@click.option(
    "--overwrite", is_flag=True, help="Replace the results of an earlier run."
)
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
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
    r"""Sort the edges of a spectrum image FILE into classes and find their bonds.

    \b
    napari-phasemap eels SI.dm3 --edge Si_L:70-95:99-130 --edge C_K --output results
    """
    from napari_phasemap.pipeline.eels import run_eels

    try:
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
            on_progress=_silent if quiet else _Progress(),
        )
    except FORESEEN as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(ALL_FAILED) from error
    for warning in found.warnings:
        click.echo(f"Warning: {warning}", err=True)
    if not quiet:
        for edge in found.edges.values():
            click.echo(f"{edge.recipe.name}: {edge.classes!r}")
        for (a, b), pairs in found.pairs.items():
            click.echo(f"{a} and {b}: {pairs!r}")
        click.echo(f"Results are in {output}")


class _Progress:
    """Tells what is being done, each step once."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, step: int, total: int, text: str) -> None:
        """Print a step to the error stream, where it is not in the way of pipes."""
        if text != self.last:
            self.last = text
            click.echo(f"[{step}/{total}] {text}", err=True)


def _silent(step: int, total: int, text: str) -> None:
    """Print nothing."""


def _demand(stacks: tuple[Path, ...], references: tuple[Path, ...]) -> None:
    """Raise UsageError where the files are missing."""
    if not references:
        raise click.UsageError(
            "no reference spectra; give --references FILE... or --recipe"
        )
    if not stacks:
        raise click.UsageError(
            "no stack; name the stacks before --references, or give --recipe"
        )


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
    return "\n".join([*lines, f"Results are in {outcome.output}"])


def _share_right(outcome: Outcome) -> float:
    """Return the per cent of sample pixels whose phase is the true one."""
    from napari_phasemap.io.samples import sample_truth

    truth = sample_truth()
    stacks = outcome.results.stacks
    true_labels = stacks.join([truth[name] for name in stacks.names])
    labels = outcome.results.maps["phase_map"].labels
    inside = true_labels > 0
    return float(100.0 * (labels == true_labels)[inside].mean())


def _leave(failed: int, total: int) -> None:
    """End with the exit code that tells how much failed."""
    if failed:
        raise SystemExit(ALL_FAILED if failed == total else SOME_FAILED)


if __name__ == "__main__":
    main()
