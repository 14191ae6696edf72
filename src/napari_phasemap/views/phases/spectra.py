"""What the spectra look like: under the mouse, of the phases, of the selection.

* `SpectraView`: one plot with a line of text about the pixel pointed at.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QSplitter,
)

from napari_phasemap.core.data.describe import describe_pixel
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.palettes import A_AND_B, CURSOR, QUIET
from napari_phasemap.views.phases.compare_box import CompareBox
from napari_phasemap.views.phases.spectra_bar import SpectraBar
from napari_phasemap.views.phases.spectra_content import SpectraContent, fit_text
from napari_phasemap.views.phases.spectra_export import (
    as_image,
    as_text,
    save_numbers,
    save_picture,
)
from napari_phasemap.views.phases.spectra_plot import draw_curves, draw_residuals
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.regions import start_selecting
from napari_phasemap.views.widgets.live_plot import LivePlot
from napari_phasemap.views.widgets.steady_label import SteadyLabel
from napari_phasemap.workspace import Selection

if TYPE_CHECKING:
    import napari.viewer
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.views.phases.spectra_content import Content
    from napari_phasemap.workspace import Workspace

__all__ = ["SpectraView"]

EMPTY = "Open stacks, then point at a pixel of the image: its spectrum appears here."
POINT = "Point at a pixel; click to keep it. Click in the plot to go to an energy."
#: Milliseconds between two full drawings.
DRAW_EVERY = 60
#: Pixels: beside a second canvas in a small window.
NARROWEST = 220


class SpectraView(Dock):
    """Shows the spectrum under the mouse against phases, references and selection.

    Writes `workspace.selection` by what is drawn on the image, `selections` by setting
    A and B, and moves napari's slider by a click on an energy.
    """

    title = "Spectra"
    area = "bottom"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        # Nothing runs here and nothing scrolls: the plot has the room.
        self.layout().removeWidget(self.job)
        self._hint.setVisible(False)
        self.scroll.setVisible(False)
        self.pointed, self._count = SteadyLabel(1, 2), SteadyLabel(1, 2)
        self.plot, self.bar, self._table = LivePlot(EMPTY), SpectraBar(), CompareBox()
        self.plot.set_theme(self.viewer.theme)
        self._table.setVisible(False)
        beside = QSplitter()
        beside.addWidget(self.plot)
        beside.addWidget(self._table)
        beside.setStretchFactor(0, 1)
        layout = self.layout()
        layout.setSpacing(2)
        layout.addWidget(self.bar)
        layout.addWidget(beside, 1)
        layout.addWidget(self.pointed)
        layout.addWidget(self._count)
        self._content = SpectraContent(self.workspace)
        self._shown: Content | None = None
        self._lines: dict[str, Any] = {}
        # A timer of the dock dies with it, so that nothing is drawn on a closed one.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DRAW_EVERY)
        self._timer.timeout.connect(self.draw)
        self._listen()
        self.setMinimumSize(NARROWEST, 190)
        self.draw()

    def _listen(self) -> None:
        events = self.workspace.events
        for signal in (
            events.stacks, events.phase_map, events.resolved, events.references,
            events.selection, events.selections, events.posterior, events.method,
        ):  # fmt: skip
            self.listen(signal, self._on_change)
        for signal in (events.cursor, events.hover):
            self.listen(signal, self._on_pointed)
        self.listen(events.energy_index, self._on_energy)
        self.listen(self.viewer.events.theme, self.plot.on_theme)
        self.bar.changed.connect(self._on_options)
        self.bar.asked.connect(self._on_asked)
        self.plot.clicked.connect(self.link.show_energy)
        self.plot.stepped.connect(self._on_stepped)

    def draw(self) -> None:
        """Draw phases, references, selection and the pixel pointed at."""
        stacks = self.workspace.stacks
        self._lines = {}
        if stacks is None:
            self.plot.set_empty(EMPTY)
            self._shown = None
            return
        self.bar.offer(self._content.curves.standards())
        options = self.bar.options()
        self._table.setVisible(options.compare)
        try:
            self._shown = self._content.of(options)
        except InputError as error:  # what is asked for needs something else first
            self._shown = None
            self.plot.set_empty(str(error))
            self._table.show_comparison(None)
            return
        self._table.show_comparison(self._shown.comparison)
        self.plot.draw(self._draw_on, has_below=bool(self._shown.title_below))
        self._on_pointed()
        self._show_count(stacks)

    # ---- What a user does ----

    @guarded
    def select_on_image(self) -> None:
        """Draw on the image; the pixels inside become the selection."""
        start_selecting(self.viewer, self.link)

    @guarded
    def clear_selection(self) -> None:
        """Select nothing."""
        if self.workspace.stacks is not None:
            none = np.zeros(self.workspace.stacks.n_pixels, dtype=bool)
            self.workspace.select(none, "clear the selection")

    def keep_as(self, name: str) -> None:
        """Keep the selection as "A" or "B"; with both, show how they differ.

        Raises
        ------
        ValueError
            If no pixel is selected.
        """
        workspace = self.workspace
        if workspace.selection is None or not workspace.selection.any():
            raise InputError(
                f"no pixel is selected, so there is nothing to keep as {name}"
            )
        kept = Selection(name, workspace.selection.copy(), A_AND_B[name])
        others = [one for one in workspace.selections if one.name != name]
        workspace.apply(f"set {name}", selections=(*others, kept))
        if {one.name for one in workspace.selections} >= A_AND_B.keys():
            self.bar.set_compare(True)

    def save_numbers(self, path: Path) -> None:
        """Write what is shown as a table with commas."""
        shown = self._exported()
        save_numbers(path, shown.energy, shown.all_curves)

    def save_picture(self, path: Path) -> None:
        """Write what is shown as a picture on white."""
        self._exported()
        save_picture(path, self._draw_figure)

    def _exported(self) -> Content:
        """Return what is shown, with the pixel pointed at."""
        if self._shown is None:
            raise InputError("there are no spectra to export; open stacks first")
        pixel = self.workspace.pointed
        return (
            self._shown
            if pixel is None
            else self._content.with_pixel(self._shown, pixel, CURSOR)
        )

    def _draw_figure(self, figure: Figure) -> None:
        shown = self._exported()
        rows = [0.73, 0.27] if shown.title_below else [1.0]
        grid = figure.add_gridspec(len(rows), 1, height_ratios=rows)
        axes = figure.add_subplot(grid[0])
        options = self.bar.options()
        draw_curves(
            axes, shown.energy, shown.curves,
            unit=shown.unit, peaks=options.peaks, legend=options.legend,
        )  # fmt: skip
        axes.set_xlim(self.plot.axes.get_xlim())
        axes.set_ylim(self.plot.axes.get_ylim())
        if shown.title_below:
            below = figure.add_subplot(grid[1], sharex=axes)
            draw_residuals(below, shown.energy, shown.below, title=shown.title_below)

    def _on_asked(self, name: str) -> None:
        try:
            self._do(name)
        # What a user can mend as a sentence, a bug as one; the window goes on.
        except Exception as error:  # noqa: BLE001
            tell_error(error)

    def _do(self, name: str) -> None:
        clipboard = QApplication.clipboard()
        if name == "Select on image":
            self.select_on_image()
        elif name == "Clear":
            self.clear_selection()
        elif name in ("Set A", "Set B"):
            self.keep_as(name[-1])
        elif name == "Copy numbers":
            shown = self._exported()
            clipboard.setText(as_text(shown.energy, shown.all_curves))
        elif name == "Copy picture":
            self._exported()
            clipboard.setImage(as_image(self._draw_figure))
        elif name == "Save numbers…":
            path = self._path("spectra.csv", "Tables (*.csv)")
            if path is not None:
                self.save_numbers(path)
        else:
            path = self._path("spectra.png", "Pictures (*.png *.svg *.pdf)")
            if path is not None:
                self.save_picture(path)

    def _path(self, name: str, kinds: str) -> Path | None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the spectra", name, kinds)
        return Path(path) if path else None

    # ---- Following the workspace ----

    def _on_change(self, *_: Any) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_options(self) -> None:
        options = self.bar.options()
        if self._shown is None or options.way != self._shown.way:
            self.plot.forget_zoom()
        self._on_change()

    def _on_energy(self, *_: Any) -> None:
        """Move the line at the energy of the frame that is shown."""
        line, energy = self._lines.get("energy"), self.link.energy
        if line is not None and energy is not None:
            line.set_xdata([energy, energy])
            line.set_visible(True)
            self.plot.refresh_live()

    def _on_stepped(self, by: int) -> None:
        self.link.show_frame(self.workspace.energy_index + by)

    def _on_pointed(self, *_: Any) -> None:
        """Move one line: nothing else depends on the mouse."""
        stacks, pixel = self.workspace.stacks, self.workspace.pointed
        line, left = self._lines.get("pixel"), self._lines.get("left")
        if stacks is None or line is None or self._shown is None:
            return
        if pixel is None:
            self.pointed.setText(POINT)
            for one in (line, left):
                if one is not None:
                    one.set_visible(False)
            self.plot.refresh_live()
            return
        curve, fit = self._content.pixel(self._shown, pixel, CURSOR)
        line.set_data(stacks.energy, curve.values)
        line.set_visible(True)
        if left is not None and fit is not None:
            left.set_data(stacks.energy, fit.residual)
            left.set_visible(True)
        self.pointed.setText(self._describe(stacks, pixel) + fit_text(fit))
        self.plot.include(curve.values, None if fit is None else fit.residual)
        self.plot.refresh_live()

    def _describe(self, stacks: StackSet, pixel: int) -> str:
        workspace = self.workspace
        return describe_pixel(
            stacks,
            pixel,
            phase_map=workspace.phase_map,
            resolved=workspace.resolved,
            posterior=workspace.posterior,
            latent=workspace.latent,
            threshold=workspace.threshold,
        )

    def _show_count(self, stacks: StackSet) -> None:
        selection = self.workspace.selection
        if selection is None or not selection.any():
            self._count.setText("no pixels selected")
            return
        chosen = [part.any() for part in stacks.split(selection)]
        n_pixels = int(selection.sum())
        share = 100.0 * n_pixels / max(stacks.n_pixels, 1)
        self._count.setText(
            f"{n_pixels} pixels selected ({share:.2f} %) in {sum(chosen)} of "
            f"{len(stacks)} particles"
        )

    # ---- Drawing ----

    def _draw_on(self, axes: Axes) -> None:
        shown, options = self._shown, self.bar.options()
        if shown is None:
            return
        draw_curves(
            axes, shown.energy, shown.curves,
            unit=shown.unit, peaks=options.peaks, legend=options.legend,
        )  # fmt: skip
        (pixel,) = axes.plot([], [], color=CURSOR, lw=1.4, visible=False)
        line = axes.axvline(shown.energy[0], color=QUIET, lw=0.8, ls=":", visible=False)
        self._lines = {"pixel": pixel, "energy": line}
        self.plot.keep_live(pixel, line)
        below = self.plot.below
        if below is not None:
            draw_residuals(below, shown.energy, shown.below, title=shown.title_below)
            if shown.comparison is None:
                (left,) = below.plot([], [], color=CURSOR, lw=1.0, visible=False)
                self._lines["left"] = left
                self.plot.keep_live(left)
        if not shown.curves:
            axes.set_xlim(shown.energy[0], shown.energy[-1])
        energy = self.link.energy
        if energy is not None:
            line.set_xdata([energy, energy])
            line.set_visible(True)
