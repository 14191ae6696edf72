"""One place to take steps back, whatever they changed.

* `UndoButtons`: two buttons that name the step; Ctrl+Z where napari leaves it free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from fonticon_mdi7 import MDI7
from qtpy.QtWidgets import QHBoxLayout, QToolButton, QWidget
from superqt.fonticon import icon

from napari_phasemap.views.shell.job import tell_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_phasemap.core.data.history import History
    from napari_phasemap.workspace import Workspace

__all__ = ["UndoButtons"]

UNDO, REDO = "Control-Z", "Control-Shift-Z"


class UndoButtons(QWidget):
    """Takes steps of the workspace back, and does them again."""

    def __init__(self, viewer: Any, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.undo, self.redo = QToolButton(), QToolButton()
        self.undo.clicked.connect(self._on_undo)
        self.redo.clicked.connect(self._on_redo)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for button in (self.undo, self.redo):
            button.setAutoRaise(True)
            layout.addWidget(button)
        # A labels layer that is active has its own: napari asks layers first.
        viewer.bind_key(UNDO, _stepper(workspace, _undo), overwrite=True)
        viewer.bind_key(REDO, _stepper(workspace, _redo), overwrite=True)
        self.follow(workspace.history)

    def follow(self, history: History) -> None:
        """Name what would be taken back, and what would be done again."""
        for button, steps, word, key in (
            (self.undo, history.done, "Undo", "Ctrl+Z"),
            (self.redo, history.undone, "Redo", "Ctrl+Shift+Z"),
        ):
            button.setEnabled(bool(steps))
            what = (
                f"{word}: {steps[-1].text}" if steps else f"Nothing to {word.lower()}"
            )
            button.setToolTip(f"{what}. {key}")
            button.setAccessibleName(what)

    def recolor(self, color: str) -> None:
        """Draw the icons in the color of a theme."""
        self.undo.setIcon(icon(MDI7.undo, color=color))
        self.redo.setIcon(icon(MDI7.redo, color=color))

    def _on_undo(self, *_: object) -> None:
        _guarded(_undo, self._workspace)

    def _on_redo(self, *_: object) -> None:
        _guarded(_redo, self._workspace)


def _undo(workspace: Workspace) -> None:
    if workspace.history.done:
        workspace.undo()


def _redo(workspace: Workspace) -> None:
    if workspace.history.undone:
        workspace.redo()


def _guarded(function: Callable[[Workspace], None], workspace: Workspace) -> None:
    try:
        function(workspace)
    # What a user can mend as a sentence, a bug as one; the window goes on.
    except Exception as error:  # noqa: BLE001
        tell_error(error)


def _stepper(
    workspace: Workspace, function: Callable[[Workspace], None]
) -> Callable[[Any], None]:
    """Return what a key of the viewer does; it does not keep the workspace."""
    held = ref(workspace)

    def step(_: Any) -> None:
        workspace = held()
        if workspace is not None:
            _guarded(function, workspace)

    return step
