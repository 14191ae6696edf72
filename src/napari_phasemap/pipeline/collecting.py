"""Read and prepare many particles; one that fails does not stop the others.

* `collect`: from files to stacks on one energy axis, and the reasons why others failed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_phasemap.core.data.errors import InputError, is_bug, told
from napari_phasemap.core.data.progress import Cancelled, OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.pipeline.parameters import Preparation
from napari_phasemap.pipeline.preparation import prepare
from napari_phasemap.pipeline.summary import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["Collected", "collect"]


@dataclass(frozen=True, eq=False)
class Collected:
    """Particles ready to be analyzed.

    Parameters
    ----------
    stacks : StackSet
        Optical density (or net counts), masked, on one energy axis.
    files : mapping of str to str
        File of each particle, by name.
    failures : tuple of Failure
        Particles that could not be prepared.
    """

    stacks: StackSet
    files: Mapping[str, str]
    failures: tuple[Failure, ...]


def collect(
    paths: Sequence[str | PathLike[str]],
    preparation: Preparation | None = None,
    /,
    *,
    checks: Sequence[Callable[[NDArray[Any]], object]] = (),
    on_progress: OnProgress = ignore_progress,
) -> Collected:
    """Read particles, convert them to optical density and mask them.

    Parameters
    ----------
    paths : sequence of path
        Files of the particles; each may hold several.
    preparation : Preparation, optional
        How they are read, converted and masked.
    checks : sequence of callable, optional
        Each gets the energies of a stack, in eV, and raises ValueError where they do
        not fit: `ReferenceSpectra.resample`, `GMVAE.check_energy`.
    on_progress : callable, optional
        Told the number of files read; may raise `Cancelled`.

    Returns
    -------
    Collected
        Where stacks have different energies, those of the most frequent axis; the
        others are failures.

    Raises
    ------
    ValueError
        If no particle is left; the message has the reason of each.
    """
    batch = _Batch(preparation or Preparation(), checks)
    for step, path in enumerate(map(Path, paths)):
        on_progress(step, len(paths), path.name)
        batch.add(path)
    stacks = batch.on_one_axis()
    return Collected(stacks, batch.files, tuple(batch.failures))


class _Batch:
    """Collects prepared stacks, and the reasons why others are not among them."""

    def __init__(
        self,
        preparation: Preparation,
        checks: Sequence[Callable[[NDArray[Any]], object]],
    ) -> None:
        self.preparation, self.checks = preparation, checks
        self.stacks: list[SpectralStack] = []
        self.files: dict[str, str] = {}
        self.failures: list[Failure] = []
        self.bug: Exception | None = None

    def add(self, path: Path) -> None:
        """Read a file and prepare what is in it."""
        from napari_phasemap.io.read import read_stack

        try:
            read = read_stack(path, **self.preparation.for_reader())
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 # a night's batch must go on
            self._fail(path.stem, path, error)
            return
        for stack in read if isinstance(read, list) else [read]:
            self._prepare(stack, path)

    def _prepare(self, stack: SpectralStack, path: Path) -> None:
        try:
            ready = prepare(stack, self.preparation)
            for check in self.checks:
                check(ready.energy)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 # a night's batch must go on
            self._fail(stack.name, path, error)
            return
        name = self._unused(ready.name)
        if name != ready.name:
            ready = ready.with_step(f"renamed from {ready.name!r}", name=name)
        self.files[name] = str(path)
        self.stacks.append(ready)

    def _fail(self, name: str, path: Path, error: Exception) -> None:
        if is_bug(error):
            self.bug = error
        message = " ".join(told(error, where=str(path)).split())
        self.failures.append(Failure(name, str(path), message, is_bug(error)))

    def _unused(self, name: str) -> str:
        number, unused = 1, name
        while unused in self.files:
            number += 1
            unused = f"{name} ({number})"
        return unused

    def on_one_axis(self) -> StackSet:
        """Return the stacks on the most frequent energy axis; others have failed."""
        if not self.stacks and self.bug is not None:
            raise RuntimeError(self._nothing()) from self.bug
        if not self.stacks:
            raise InputError(self._nothing())
        kinds = [_kind(stack, self.stacks) for stack in self.stacks]
        common = Counter(kinds).most_common(1)[0][0]
        kept = []
        for kind, stack in zip(kinds, self.stacks, strict=True):
            if kind == common:
                kept.append(stack)
                continue
            try:
                StackSet([self.stacks[common], stack])
            except InputError as error:
                self._fail(stack.name, Path(self.files[stack.name]), error)
        return StackSet(kept)

    def _nothing(self) -> str:
        reasons = "".join(f"\n  {one.name}: {one.message}" for one in self.failures)
        return f"no particle could be analyzed{reasons}"


def _kind(stack: SpectralStack, stacks: Sequence[SpectralStack]) -> int:
    """Return the number of the first stack that goes together with this one."""
    for number, other in enumerate(stacks):
        try:
            StackSet([other, stack])
        except InputError:
            continue
        return number
    raise AssertionError("a stack goes together with itself")
