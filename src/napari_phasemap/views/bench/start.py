"""What to drop or press while nothing is open, at the top of the form.

* `StartBox`: files, or samples that go all the way to a phase map at once.
* `sample_map`: the sample particles with their phase map.
* `sorted_paths`: which of the files that were dropped are what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGroupBox, QLabel, QPushButton, QVBoxLayout

from napari_phasemap.core.data.progress import OnProgress, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet

__all__ = ["Dropped", "Sample", "StartBox", "sample_map", "sorted_paths"]

STXM_TEXT = (
    "Drop stacks and reference spectra here, or open files. To look around first, take "
    "the sample: four simulated cathode particles of five phases."
)
EELS_TEXT = (
    "Drop a spectrum image here (with its low loss, if you have it), or open files. To "
    "look around first, take the sample: a simulated Si-C composite."
)


@dataclass(frozen=True)
class Sample:
    """The sample particles with all that is known of them at once."""

    stacks: StackSet
    references: ReferenceSpectra
    phases: PhaseMap


@dataclass(frozen=True)
class Dropped:
    """Files by what they hold."""

    stacks: tuple[Path, ...]
    spectra: tuple[Path, ...]
    results: tuple[Path, ...]


class StartBox(QGroupBox):
    """`files`, `sample` and `last` after a press of the button."""

    files = Signal()
    sample = Signal()
    last = Signal()

    def __init__(self) -> None:
        super().__init__("Start")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self.open = QPushButton("Open files…")
        self.take = QPushButton("")
        self.open.clicked.connect(self.files)
        self.take.clicked.connect(self.sample)
        self.go_on = QPushButton("Go on where you left off")
        self.go_on.clicked.connect(self.last)
        layout = QVBoxLayout(self)
        for widget in (self._text, self.open, self.take, self.go_on):
            layout.addWidget(widget)
        self.set_eels(eels=False)

    def set_eels(self, *, eels: bool) -> None:
        """Speak of spectrum images, or of particles."""
        self._text.setText(EELS_TEXT if eels else STXM_TEXT)
        self.take.setText(
            "Open the sample composite" if eels else "Phase map of the sample particles"
        )


def sample_map(on_progress: OnProgress = ignore_progress) -> Sample:
    """Open the sample particles and correlate them with their references.

    Parameters
    ----------
    on_progress : callable, optional
        Told what is done; may raise `Cancelled`.

    Returns
    -------
    Sample
        As the Data and Phase map docks would make it, one step after the other.
    """
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.phases.correlation import pearson_map
    from napari_phasemap.io.samples import sample_references
    from napari_phasemap.io.spectra import read_references
    from napari_phasemap.views.shell.opening import sample_densities

    stacks = StackSet(sample_densities(on_progress=on_progress))
    references = read_references(sample_references())
    return Sample(
        stacks, references, pearson_map(stacks, references, on_progress=on_progress)
    )


def sorted_paths(
    paths: Sequence[Path], /, *, on_progress: OnProgress = ignore_progress
) -> Dropped:
    """Tell stacks, spectra and results apart, by content.

    Parameters
    ----------
    paths : sequence of Path
        Files or folders that were dropped.
    on_progress : callable, optional
        Told what is done; may raise `Cancelled`.

    Returns
    -------
    Dropped
        What is none of them counts as a stack: its reader says what is wrong.
    """
    from napari_phasemap.io.read import is_readable
    from napari_phasemap.io.results import holds_results
    from napari_phasemap.io.spectra import pattern

    on_progress(0, 1, "looking at files")
    endings = tuple(one.lstrip("*") for one in pattern().split())
    results = tuple(path for path in paths if holds_results(path))
    spectra = tuple(
        path
        for path in paths
        if path not in results
        and path.name.lower().endswith(endings)
        and not is_readable(path)
    )
    stacks = tuple(path for path in paths if path not in results + spectra)
    return Dropped(stacks, spectra, results)
