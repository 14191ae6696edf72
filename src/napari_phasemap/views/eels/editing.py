"""What a user does to the classes of the edge that is shown.

* `ClassEditor`: merge, split, rename, recolor, select and name, on the Classes page.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.eels.class_edits import (
    edit_classes,
    merge_classes,
    rename_class,
    split_class,
)
from napari_phasemap.pipeline.eels import name_by_files
from napari_phasemap.views.shell.dock import guarded
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.opening import spectra_files
from napari_phasemap.workspace.edges import put_classes, show_edge, shown_edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.naming import ClassNames
    from napari_phasemap.views.eels.classes import ClassesPage
    from napari_phasemap.views.shell.job import JobRow
    from napari_phasemap.workspace import Workspace

__all__ = ["ClassEditor"]

#: Milliseconds in which changes are shown as one.
SHOW_AFTER = 40


class ClassEditor:
    """Acts on the buttons and the table of a `ClassesPage`.

    Writes `workspace.edges`, `edge`, `class_names` and `selection`, as steps that can
    be undone.
    """

    def __init__(self, page: ClassesPage, workspace: Workspace, job: JobRow) -> None:
        self.classes = page
        self.workspace = workspace
        self.job = job
        # A timer of the page dies with it, so that nothing is shown on a closed dock.
        self._timer = QTimer(page)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOW_AFTER)
        self._timer.timeout.connect(self._show_classes)
        page.edge_chosen.connect(self._choose_edge)
        page.merge.connect(self.merge)
        page.split.connect(self.split)
        page.select.connect(self.select)
        page.undo.connect(self.undo)
        page.open_references.connect(self._ask_references)
        page.use_names.connect(self.use_names)
        page.table.renamed.connect(self._rename)
        page.table.recolored.connect(self._recolor)

    def show_soon(self) -> None:
        """Bring the page up to date when the present changes are done."""
        self._timer.start()

    @guarded
    def merge(self) -> None:
        """Make one class of the chosen ones."""
        merged = self.classes.table.chosen()
        self._edit(lambda classes: merge_classes(classes, merged), "merge classes")

    @guarded
    def split(self) -> None:
        """Split the chosen class in two."""
        chosen = self.classes.table.chosen()
        if len(chosen) != 1:
            raise InputError(f"{len(chosen)} classes are chosen; choose one to split")
        values = self._active().clustered
        self._edit(
            lambda classes: split_class(classes, values, chosen[0]), "split class"
        )

    @guarded
    def select(self) -> None:
        """Select the pixels of the chosen classes."""
        chosen = self.classes.table.chosen()
        if not chosen:
            raise InputError("no class is chosen; click a row of the table")
        labels = self._active().classes.labels
        self.workspace.select(np.isin(labels, chosen), "select classes")

    @guarded
    def undo(self) -> None:
        """Take the last step back."""
        self.workspace.undo()

    def name_by(self, paths: list[Path]) -> None:
        """Compare the classes with reference spectra from files."""
        analysis = shown_edge(self.workspace)
        if analysis is not None:
            self.job.start(
                name_by_files,
                analysis,
                paths,
                on_done=partial(self._set_names, analysis),
                text="references",
            )

    @guarded
    def use_names(self) -> None:
        """Name the classes by their references."""
        analysis = self._active()
        names = self.workspace.class_names.get(analysis.recipe.name)
        if names is None:
            raise InputError("nothing is compared yet; press 'References…'")
        self._put(names.rename(analysis.classes), "name classes")

    def _active(self) -> EdgeAnalysis:
        analysis = shown_edge(self.workspace)
        if analysis is None:
            raise InputError("no edge is analyzed yet; press 'Run' on the page 'Edges'")
        return analysis

    def _edit(self, edit: Callable[[PhaseMap], PhaseMap], text: str) -> None:
        analysis = self._active()
        edit(analysis.classes)  # a mistake is told before the job starts
        self.job.start(
            edit_classes,
            analysis,
            edit,
            on_done=partial(self._on_changed, analysis, text),
            text=text,
        )

    def _on_changed(
        self, before: EdgeAnalysis, text: str, changed: EdgeAnalysis
    ) -> None:
        if shown_edge(self.workspace) is not before:
            show_info("The classes changed meanwhile; do it again.")
            return
        put_classes(self.workspace, changed, text)

    def _put(self, classes: PhaseMap, text: str) -> None:
        """Take other names or colors of the same classes in."""
        put_classes(self.workspace, self._active().with_classes(classes), text)

    def _rename(self, label: int, name: str) -> None:
        try:
            analysis = self._active()
            if analysis.classes.names[label - 1] != name:
                renamed = rename_class(analysis.classes, label, name)
                self._put(renamed, "rename class")
        except InputError as error:
            tell_error(error)
            self._show_classes()

    def _recolor(self, label: int, color: str) -> None:
        classes = self._active().classes
        colors = list(classes.colors)
        colors[label - 1] = color
        self._put(classes.with_colors(colors), "color of a class")

    def _choose_edge(self, name: str) -> None:
        show_edge(self.workspace, name)

    def _set_names(self, analysis: EdgeAnalysis, names: ClassNames) -> None:
        name = analysis.recipe.name
        if self.workspace.edges.get(name) is not analysis:
            show_info("The classes changed meanwhile; do it again.")
            return
        known = {**self.workspace.class_names, name: names}
        self.workspace.apply("compare with references", class_names=known)
        if names.shift:
            show_info(f"The references fit best moved by {names.shift:+.1f} eV.")

    def _ask_references(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(
            self, "Open spectra of pure phases", "", spectra_files()
        )
        if paths:
            self.name_by([Path(path) for path in paths])

    def _show_classes(self) -> None:
        workspace = self.workspace
        self.classes.set_edges(list(workspace.edges), workspace.edge)
        names = workspace.class_names.get(workspace.edge)
        self.classes.show_analysis(shown_edge(workspace), names)
