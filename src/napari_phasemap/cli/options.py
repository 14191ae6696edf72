"""Options and manners that several commands share.

* `ManyValues`: a command where ``--references a b c`` means three references.
* `references_option`, `output_option`, `overwrite_option`, `quiet_option`.
* `options_of`: one option for each described parameter.
* `foreseen_told`: what a user can do something about is a line, a bug a traceback.
* `Progress`, `silent`: what is being done.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from napari_phasemap.core.data.errors import InputError, is_bug, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from napari_phasemap.core.data.parameters import Parameter
    from napari_phasemap.pipeline import Failure

__all__ = [
    "ALL_FAILED",
    "BUG",
    "SOME_FAILED",
    "ManyValues",
    "Progress",
    "demand",
    "foreseen_told",
    "given",
    "leave",
    "options_of",
    "output_option",
    "overwrite_option",
    "quiet_option",
    "references_option",
    "silent",
    "tell_failures",
]

#: Exit codes.
SOME_FAILED, ALL_FAILED, BUG = 1, 2, 3
#: What of a text only says how far a step is, and seconds between two such lines.
COUNTING = re.compile(r" \d+ %$|(?<=^epoch ).*|\d+(?= clusters)")
PAUSE = 2.0


class ManyValues(click.Command):
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


references_option = click.option(
    "--references",
    "-r",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="REF...",
    help="One or more files of reference spectra; they end at the next option.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace the results of an earlier run."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")


def output_option(text: str, **attributes: Any) -> Callable[[Any], Any]:
    """Give a command the option ``--output``."""
    kind = click.Path(path_type=Path)
    return click.option("--output", "-o", type=kind, help=text, **attributes)


class _Text(click.ParamType):  # type: ignore[type-arg] # generic from click 8.4 on
    """A value that the parameter itself reads from a text."""

    name = "text"

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter

    def convert(self, value: Any, *where: Any) -> Any:
        """Return the value, or tell click what is wrong with it."""
        try:
            return self.parameter.parsed(value) if isinstance(value, str) else value
        except InputError as error:
            self.fail(str(error), *where)


def options_of(
    parameters: Iterable[Parameter], *, default: str = ""
) -> Callable[[Any], Any]:
    """Give a command one option for each parameter; None where it is not given.

    Parameters
    ----------
    parameters : iterable of Parameter
        From `parameters_of` or `fields_of`.
    default : str, optional
        What the help says of defaults, in place of the parameter's own.
    """

    def add(command: Any) -> Any:
        for one in reversed(tuple(parameters)):
            flag = one.name.replace("_", "-")
            text = f"{one.text}{_default_text(default or one.default)}"
            if one.type is bool:
                both = f"--{flag}/--no-{flag}" if one.default else f"--{flag}"
                command = click.option(
                    both, one.name, is_flag=True, default=None, help=one.text
                )(command)
                continue
            kind: Any = click.Choice(one.choices) if one.choices else one.type
            if one.words or one.type is tuple:
                kind = _Text(one)
            command = click.option(
                f"--{flag}", one.name, type=kind, default=None, help=text
            )(command)
        return command

    return add


def _default_text(default: Any) -> str:
    return "" if default is None else f"  [default: {default}]"


def given(parameters: dict[str, Any], described: type | None = None) -> dict[str, Any]:
    """Return the parameters that were given, of a dataclass of them or all."""
    names = None if described is None else {one.name for one in fields(described)}
    return {
        name: value
        for name, value in parameters.items()
        if value is not None and (names is None or name in names)
    }


@contextmanager
def foreseen_told() -> Iterator[None]:
    """End with exit code 2 and one line on what a user can do something about.

    A bug ends with exit code 3; its traceback is logged, on a terminal that shows it.
    """
    try:
        yield
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:
        click.echo(f"Error: {told(error)}", err=True)
        raise SystemExit(BUG if is_bug(error) else ALL_FAILED) from error


class Progress:
    """Tells what is being done, each step once and how far it is now and then."""

    def __init__(self) -> None:
        self.text = self.what = ""
        self.when = -PAUSE

    def __call__(self, step: int, total: int, text: str) -> None:
        """Print a step to the error stream, where it is not in the way of pipes."""
        now, what = monotonic(), COUNTING.sub("", text)
        soon = what == self.what and now < self.when + PAUSE
        if text == self.text or soon:
            return
        self.text, self.what, self.when = text, what, now
        click.echo(f"[{step}/{total}] {text}" if total else text, err=True)


def silent(step: int, total: int, text: str) -> None:
    """Print nothing."""


def demand(
    stacks: Sequence[Path], references: Sequence[Path], *, recipe: bool = False
) -> None:
    """Raise UsageError where the files are missing."""
    otherwise = " or --recipe" if recipe else ""
    if not references:
        raise click.UsageError(
            f"no reference spectra; give --references FILE...{otherwise}"
        )
    if not stacks:
        raise click.UsageError(
            "no stack; name the stacks before --references"
            f"{', or give --recipe' if recipe else ''}"
        )


def tell_failures(failures: Sequence[Failure]) -> None:
    """List particles that failed; end with the exit code that tells of them."""
    for failure in failures:
        click.echo(f"Failed: {failure.name}: {failure.message}", err=True)
    if any(failure.is_bug for failure in failures):
        raise SystemExit(BUG)
    raise SystemExit(SOME_FAILED if failures else 0)


def leave(failed: int, total: int) -> None:
    """End with the exit code that tells how much failed."""
    if failed:
        raise SystemExit(ALL_FAILED if failed == total else SOME_FAILED)
