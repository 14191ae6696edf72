"""What the spectra look like: under the mouse, of the phases, of the selection.

* `SpectraView`: one plot with a line of text about the pixel pointed at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QSizePolicy
from superqt import QFlowLayout

from napari_phasemap.core.data.describe import describe_pixel
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.phases.spectra import mean_spectra, standardize
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.kinds import SELECTION_COLOR
from napari_phasemap.views.shell.regions import start_selecting
from napari_phasemap.views.widgets.plot import PlotView

if TYPE_CHECKING:
    import napari.viewer
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.workspace import Workspace

__all__ = ["SpectraView"]

EMPTY = "Open stacks, then point at a pixel of the image: its spectrum appears here."
SELECT_TIP = (
    "Draw around pixels on the image: they and their points in the scatter are "
    "selected. Move or delete the shape to change the selection."
)
PIXEL_COLOR = "#ff2020"
#: Milliseconds between two full drawings.
DRAW_EVERY = 60
#: Pixels: beside a second canvas in a small window.
NARROWEST = 220


class SpectraView(Dock):
    """Shows the spectrum under the mouse against phases, references and selection.

    Writes `workspace.selection`, by what is drawn on the image.
    """

    title = "Spectra"
    area = "bottom"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.layout().removeWidget(self.job)  # nothing runs here, the plot has its room
        self._count = QLabel("")
        ignored = QSizePolicy.Policy.Ignored
        self._count.setSizePolicy(ignored, QSizePolicy.Policy.Preferred)
        self._plot = PlotView(EMPTY)
        self._plot.set_theme(self.viewer.theme)
        self._boxes = self._make_boxes()
        self.body.addWidget(self._plot, 1)
        self.body.addLayout(self._make_controls())
        self.body.addWidget(self._count)
        self._line: Any = None
        self._phases: Any = None
        # A timer of the dock dies with it, so that nothing is drawn on a closed one.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DRAW_EVERY)
        self._timer.timeout.connect(self.draw)
        events = self.workspace.events
        for signal in (events.stacks, events.phase_map, events.resolved):
            self.listen(signal, self._on_phases)
        for signal in (events.references, events.selection, events.selections):
            self.listen(signal, self._on_change)
        for signal in (events.cursor, events.hover):
            self.listen(signal, self._on_pointed)
        self.listen(self.viewer.events.theme, self._plot.on_theme)
        self.setMinimumSize(NARROWEST, 190)
        self.draw()

    def draw(self) -> None:
        """Draw phases, references, selection and the pixel pointed at."""
        stacks = self.workspace.stacks
        if stacks is None:
            self._plot.set_empty(EMPTY)
            self._line = None
            return
        self._plot.draw(lambda axes: self._draw_on(axes, stacks))
        self._on_pointed()
        self._show_count(stacks)

    # ---- What a user does ----

    @guarded
    def select_on_image(self) -> None:
        """Draw on the image; the pixels inside become the selection."""
        if self.workspace.stacks is None:
            raise InputError("there are no stacks to select pixels of; open them first")
        start_selecting(self.viewer, self.link)

    @guarded
    def clear_selection(self) -> None:
        """Select nothing."""
        if self.workspace.stacks is not None:
            none = np.zeros(self.workspace.stacks.n_pixels, dtype=bool)
            self.workspace.select(none, "clear the selection")

    # ---- Following the workspace ----

    def _draw_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_phases(self, *_: Any) -> None:
        self._phases = None
        self._draw_soon()

    def _on_change(self, *_: Any) -> None:
        self._draw_soon()

    def _on_pointed(self, *_: Any) -> None:
        """Move one line: nothing else depends on the mouse."""
        stacks, pixel = self.workspace.stacks, self.workspace.pointed
        if stacks is None or self._line is None:
            self.set_hint("")
            return
        if pixel is None:
            self._line.set_visible(False)
            self.set_hint("Point at a pixel; click to keep it.")
        else:
            self._line.set_data(stacks.energy, self._scaled(stacks.spectrum(pixel)))
            self._line.set_visible(True)
            self.set_hint(self._describe(stacks, pixel))
            self._line.axes.relim(visible_only=True)
            self._line.axes.autoscale_view()
        self._plot.redraw()

    def _describe(self, stacks: StackSet, pixel: int) -> str:
        workspace = self.workspace
        return describe_pixel(
            stacks,
            pixel,
            phase_map=workspace.phase_map,
            resolved=workspace.resolved,
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

    def _draw_on(self, axes: Axes, stacks: StackSet) -> None:
        self._draw_phases(axes, stacks)
        self._draw_references(axes, stacks)
        self._draw_selections(axes, stacks)
        (self._line,) = axes.plot([], [], color=PIXEL_COLOR, lw=1.4, label="_pixel")
        self._line.set_visible(False)
        quantity = "OD" if stacks.quantity == "optical_density" else stacks.quantity
        axes.set_xlabel("energy (eV)")
        axes.set_ylabel("normalized" if self._normalized else quantity)
        if len(axes.get_lines()) > 1:
            axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))

    def _draw_phases(self, axes: Axes, stacks: StackSet) -> None:
        from napari_phasemap.figures.means import draw_mean

        phases = self.workspace.best_map()
        if phases is None or not self._boxes["phases"].isChecked():
            return
        if self._phases is None:
            self._phases = mean_spectra(stacks, phases.labels, phases.n_phases)
        mean, std, count = self._phases
        for row in np.flatnonzero(count):
            draw_mean(
                axes,
                stacks.energy,
                mean[row],
                std[row],
                label=phases.names[row],
                color=phases.colors[row],
                normalized=self._normalized,
            )

    def _draw_references(self, axes: Axes, stacks: StackSet) -> None:
        references = self.workspace.references
        if references is None or not self._boxes["references"].isChecked():
            return
        try:
            references = references.resample(stacks.energy)
        except InputError:  # said where the references are loaded and correlated
            return
        from napari_phasemap.figures.means import draw_mean

        phases = self.workspace.phase_map
        colors: tuple[str | None, ...] = (None,) * len(references)
        if phases is not None and phases.names == references.names:
            colors = phases.colors
        for name, row, color in zip(
            references.names, references.spectra, colors, strict=True
        ):
            draw_mean(
                axes,
                stacks.energy,
                row,
                None,
                label=f"{name} (reference)",
                color=color,
                linestyle="--",
                normalized=self._normalized,
            )

    def _draw_selections(self, axes: Axes, stacks: StackSet) -> None:
        from napari_phasemap.figures.means import draw_mean

        workspace = self.workspace
        groups = [(s.name, s.pixels, s.color) for s in workspace.selections]
        if workspace.selection is not None and workspace.selection.any():
            groups.append(("selection", workspace.selection, SELECTION_COLOR))
        for name, pixels, color in groups:
            mean, std, _ = mean_spectra(stacks, pixels.view(np.uint8), 1)
            draw_mean(
                axes,
                stacks.energy,
                mean[0],
                std[0],
                label=name,
                color=color,
                normalized=self._normalized,
            )

    @property
    def _normalized(self) -> bool:
        return bool(self._boxes["normalized"].isChecked())

    def _scaled(self, spectra: NDArray[Any]) -> NDArray[Any]:
        return standardize(spectra) if self._normalized else spectra

    def _make_boxes(self) -> dict[str, QCheckBox]:
        tips = {
            "phases": "Mean of each phase, band: standard deviation.",
            "references": "As loaded, on the energies of the stacks.",
            "normalized": "Minus mean, over standard deviation: what r compares.",
        }
        boxes = {}
        for name, tip in tips.items():
            boxes[name] = QCheckBox(name)
            boxes[name].setToolTip(tip)
        boxes["phases"].setChecked(True)
        return boxes

    def _make_controls(self) -> QFlowLayout:
        """Return check boxes and buttons, which wrap beside a second canvas."""
        row = QFlowLayout()
        row.setHorizontalSpacing(8)
        row.setVerticalSpacing(2)
        for box in self._boxes.values():
            box.toggled.connect(self._on_change)
            row.addWidget(box)
        for text, tip, slot in (
            ("Select on image", SELECT_TIP, self.select_on_image),
            ("Clear", "Select nothing.", self.clear_selection),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            row.addWidget(button)
        return row
