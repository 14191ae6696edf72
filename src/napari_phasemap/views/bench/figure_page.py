"""Figures and results to files: the last page of the form.

* `FigurePage`: says what there is to save, and saves it into a new folder.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QGroupBox, QLabel, QPushButton, QVBoxLayout

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.shell.dock import Dock
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.workspace.path import saveable
from napari_phasemap.workspace.steps import note_saved

if TYPE_CHECKING:
    import napari.viewer

    from napari_phasemap.workspace import Workspace

__all__ = ["FigurePage", "free_folder"]

NOTHING = (
    "Figures come from a phase map, or from the classes of an edge: make one first."
)
EELS_FOLDER, FOLDER = "eels_results", "phasemap_results"


class FigurePage(Dock):
    """Writes figures, tables and results of what the workspace holds.

    Writes `workspace.made`.
    """

    title = "Figure"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        box = QGroupBox("What is saved")
        layout = QVBoxLayout(box)
        self._text = QLabel()
        self._text.setWordWrap(True)
        layout.addWidget(self._text)
        self._save = QPushButton("Save figures and results…")
        self._save.setToolTip("Choose where; a new folder is made there.")
        self._save.clicked.connect(self.ask)
        layout.addWidget(self._save)
        self.body.addWidget(box)
        self.saved = QLabel()
        self.saved.setWordWrap(True)
        self.saved.setOpenExternalLinks(True)
        self.body.addWidget(self.saved)
        self.body.addStretch(1)
        events = self.workspace.events
        for signal in (
            events.stacks,
            events.phase_map,
            events.resolved,
            events.latent,
            events.edges,
        ):
            self.listen(signal, self._on_state)
        self._on_state()

    # ---- What a user does ----

    def ask(self) -> None:
        """Ask where, and save."""
        parent = QFileDialog.getExistingDirectory(self, "Save into a new folder inside")
        if parent:
            name = EELS_FOLDER if self.workspace.edges else FOLDER
            self.save(free_folder(Path(parent), name))

    def save(self, folder: Path) -> None:
        """Write everything there is into a new folder, beside the window."""
        done = partial(self._on_saved, saveable(self.workspace))
        try:
            function, *about = self._writing()
        except InputError as error:
            tell_error(error)
            return
        self.job.start(function, *about, folder, on_done=done, text="saving")

    def _writing(self) -> tuple[Any, ...]:
        """Return what writes, and what it is given before the folder."""
        workspace = self.workspace
        if workspace.edges:
            from napari_phasemap.pipeline.eels import write_edges

            stack = next(iter(workspace.edges.values())).stack
            return write_edges, stack, workspace.edges, workspace.thickness
        from napari_phasemap.views.shell.saving import results_of, save_workspace

        return save_workspace, results_of(workspace)

    def _on_saved(self, saved: tuple[Any, ...], path: Path) -> None:
        note_saved(self.workspace, saved)
        link = f'<a href="{path.as_uri()}">{path}</a>'
        self.saved.setText(f"Saved in {link}")

    # ---- Following the workspace ----

    def _on_state(self, *_: Any) -> None:
        text = _what(self.workspace)
        self._text.setText(text or NOTHING)
        self._save.setEnabled(bool(text))


def free_folder(parent: Path, name: str, /) -> Path:
    """Return a folder that is not there yet: the name, or the name with a number."""
    if not (parent / name).exists():
        return parent / name
    return next(
        path
        for number in count(2)
        if not (path := parent / f"{name}_{number}").exists()
    )


def _what(workspace: Workspace) -> str:
    """Return what would be saved, "" for nothing."""
    if workspace.edges:
        return (
            f"Of {', '.join(workspace.edges)}: the figure (PNG, SVG, PDF), maps, "
            "spectra and pairs of classes as tables."
        )
    stacks, phases = workspace.stacks, workspace.phase_map
    if stacks is None or phases is None:
        return ""
    figures = ["phases", "reliability", "spectra", "fractions"]
    if workspace.resolved is not None:
        figures.append("the resolved map with what has changed")
    if workspace.latent is not None:
        figures.append(f"the latent space ({workspace.latent_name})")
    return (
        f"Of {len(stacks)} particle{'s' if len(stacks) != 1 else ''}, "
        f"{stacks.n_pixels} pixels: figures of {', '.join(figures)}; summary.csv, "
        "recipe.json, and results.h5, from which all of it opens again."
    )
