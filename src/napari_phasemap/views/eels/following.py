"""The plots of the Edges page: what the windows do before an edge is run.

* `EdgePreviews`: draws them as windows, settings and the pixel pointed at change.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer
from threadpoolctl import ThreadpoolController

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.eels.edge_preview import (
    jump_ratios,
    preview_mean,
    preview_pixel,
)

if TYPE_CHECKING:
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.eels.edge_preview import EdgePreview
    from napari_phasemap.core.eels.presence import Presence
    from napari_phasemap.core.eels.recipe import EdgeRecipe
    from napari_phasemap.views.eels.edge_forms import EdgesPage
    from napari_phasemap.views.shell.job import JobRow
    from napari_phasemap.workspace import Workspace

__all__ = ["AT_ONCE", "EdgePreviews"]

#: Milliseconds between two previews while the mouse moves.
PREVIEW_EVERY = 40
#: Values of a stack up to which a step is done at once instead of beside the window.
AT_ONCE = 6_000_000


class EdgePreviews:
    """Draws subtraction and jump ratios on the plots of an `EdgesPage`.

    Nothing is kept here that is more than a drawing: results are in the workspace.
    """

    def __init__(self, setup: EdgesPage, workspace: Workspace, job: JobRow) -> None:
        self.setup = setup
        self.workspace = workspace
        self.job = job
        self._stack: SpectralStack | None = None
        self._mean: Any = None
        self._ratios: tuple[Any, Presence] | None = None
        # A timer of the page dies with it, so that nothing is drawn on a closed dock.
        self._timer = QTimer(setup)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PREVIEW_EVERY)
        self._timer.timeout.connect(self.preview)
        setup.edited.connect(self.refresh)
        setup.moving.connect(self._preview_soon)
        setup.threshold_moved.connect(self._on_threshold)

    def set_stack(self, stack: SpectralStack | None, mean: Any = None) -> None:
        """Show another stack; its mean spectrum may come later."""
        self._stack, self._mean, self._ratios = stack, mean, None
        if stack is not None and mean is not None:
            self.setup.windows.set_spectrum(stack.energy, mean)
            self.setup.redraw_windows()
            self.refresh()

    @cached_property
    def _threads(self) -> ThreadpoolController:
        return ThreadpoolController()

    def _preview_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def refresh(self) -> None:
        """Bring the plot that is seen up to date."""
        self._preview_soon()
        self._show_ratios()
        self.show_agreement()

    def on_pointed(self, *_: Any) -> None:
        """Follow the pixel pointed at."""
        if self.setup.isVisible():
            self._preview_soon()

    def preview(self) -> None:
        """Draw what the current windows do to the mean and to the pixel pointed at."""
        setup = self.setup
        if self._mean is None or setup.tabs.currentWidget() is not setup.subtraction:
            return
        try:
            recipe = setup.recipe()
            if recipe is None or self._stack is None:
                setup.subtraction.set_empty("Add an edge to see it without background.")
                return
            # A small fit on several threads waits for them ten times longer.
            with self._threads.limit(limits=1):
                mean = preview_mean(
                    self._stack.energy,
                    self._mean,
                    recipe,
                    quantity=self._stack.quantity,
                )
                pixel, title = self._pixel_preview(recipe)
        except InputError as error:
            setup.subtraction.set_empty(str(error))
            return
        setup.subtraction.show_previews(mean, pixel, recipe.window, title)

    def _pixel_preview(self, recipe: EdgeRecipe) -> tuple[EdgePreview | None, str]:
        stacks, pixel = self.workspace.stacks, self.workspace.pointed
        if stacks is None or pixel is None:
            return None, "point at a pixel"
        index, row, col = stacks.locate(pixel)
        return preview_pixel(stacks[index], row, col, recipe), f"row {row}, col {col}"

    def _show_ratios(self) -> None:
        """Bring the histogram up to date, beside the window where it takes long."""
        setup, stack = self.setup, self._stack
        if setup.tabs.currentWidget() is not setup.jumps or stack is None:
            return
        try:
            recipe = setup.recipe()
        except InputError as error:
            setup.jumps.set_empty(str(error))
            return
        if recipe is None or recipe.fit_window is None:
            setup.jumps.set_empty("Without a background there is no jump ratio.")
            return
        key = _ratio_key(stack, recipe)
        if self._ratios is not None and self._ratios[0] == key:
            self._draw_ratios(self._ratios[1], recipe)
            return
        arguments = (stack, recipe, self.workspace.computed.get(recipe.name))
        if stack.data.size <= AT_ONCE:
            try:
                self._set_ratios(key, jump_ratios(*arguments))
            except InputError as error:
                setup.jumps.set_empty(str(error))
        elif not self.job.running:
            self.job.start(
                jump_ratios,
                *arguments,
                on_done=partial(self._set_ratios, key),
                text="jump ratios",
            )

    def show_agreement(self, *_: Any) -> None:
        """Show what the halves of the pixels say about the current edge."""
        setup = self.setup
        if setup.tabs.currentWidget() is setup.numbers:
            name = setup.current_name
            setup.agreement.show_suggestion(self.workspace.suggestions.get(name))

    def _set_ratios(self, key: Any, ratios: Presence) -> None:
        self._ratios = (key, ratios)
        recipe = self.setup.recipe()
        if recipe is not None:
            self._draw_ratios(ratios, recipe)

    def _draw_ratios(self, ratios: Presence, recipe: EdgeRecipe) -> None:
        text = _present_text(ratios, recipe.jump_ratio)
        self.setup.jumps.show_ratios(
            ratios.jump, ratios.significant, recipe.jump_ratio, text, ratios.reason
        )

    def _on_threshold(self, threshold: float) -> None:
        if self._ratios is not None:
            self.setup.jumps.set_text(_present_text(self._ratios[1], threshold))


def _ratio_key(stack: SpectralStack, recipe: EdgeRecipe) -> tuple[Any, ...]:
    """Return what the jump ratios depend on."""
    return (
        id(stack),
        recipe.fit_window,
        recipe.window,
        recipe.method,
        recipe.background_neighbors,
        recipe.present_neighbors,
        recipe.significance,
    )


def _present_text(ratios: Presence, threshold: float) -> str:
    n_present = int(np.count_nonzero(ratios.at(threshold)))
    return f"{n_present} of {len(ratios.jump)} pixels have the edge"
