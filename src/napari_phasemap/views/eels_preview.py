"""What the settings of an edge do before it is run.

* `SubtractionPlot`: background and net spectrum of the mean and of one pixel.
* `JumpPlot`: histogram of the jump ratio with the threshold, moved by the mouse.
* `AgreementPlot`: how reproducible each number of classes is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal

from napari_phasemap.views.eels_windows import FIT_COLOR, SIGNAL_COLOR
from napari_phasemap.views.plot import PlotView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_phasemap.core.clustering import ClusterSuggestion
    from napari_phasemap.core.edge_preview import EdgePreview

__all__ = ["AgreementPlot", "JumpPlot", "SubtractionPlot"]

N_BINS = 60
MEASURED_COLOR = "#a0a0a0"


class SubtractionPlot(PlotView):
    """Shows the subtraction of the mean spectrum beside that of one pixel."""

    def __init__(self) -> None:
        super().__init__("Add an edge to see its background subtracted.")
        self.setMinimumHeight(140)

    def show_previews(
        self,
        mean: EdgePreview,
        pixel: EdgePreview | None,
        window: tuple[float, float],
        title: str,
    ) -> None:
        """Draw both; `title` names the pixel or says how to choose one."""

        def draw(axes: Axes) -> None:
            figure = axes.figure
            axes.remove()
            left, right = figure.subplots(1, 2)
            _draw_preview(left, mean, window)
            left.set_title("mean")
            right.set_title(title)
            if pixel is None:
                right.set_axis_off()
            else:
                _draw_preview(right, pixel, window)
            _label_lines(left)
            self.axes = left

        self.draw(draw)

    def curves(self) -> list[list[NDArray[np.float64]]]:
        """Return what is drawn per panel: measured, background, net."""
        if self.axes is None:
            return []
        return [
            [np.asarray(line.get_ydata()) for line in axes.get_lines()[:3]]
            for axes in self.axes.figure.axes
        ]


def _draw_preview(
    axes: Axes, preview: EdgePreview, window: tuple[float, float]
) -> None:
    inside = preview.energy >= window[0] - 1e-6
    axes.plot(preview.energy, preview.measured, color=MEASURED_COLOR, lw=0.9,
              label="measured")  # fmt: skip
    axes.plot(preview.energy, preview.background, color=FIT_COLOR, lw=1.2, ls="--",
              label="background")  # fmt: skip
    net = np.where(inside, preview.net, np.nan)
    axes.plot(preview.energy, net, color=SIGNAL_COLOR, lw=1.2, label="net")
    axes.fill_between(preview.energy, 0.0, np.nan_to_num(net), where=inside,
                      color=SIGNAL_COLOR, alpha=0.25, lw=0)  # fmt: skip
    axes.axhline(0.0, color=MEASURED_COLOR, lw=0.5)
    axes.margins(x=0.01)


def _label_lines(axes: Axes) -> None:
    """Name the lines in their colors: there is no room for a legend."""
    words = (
        ("measured", MEASURED_COLOR),
        ("background", FIT_COLOR),
        ("net", SIGNAL_COLOR),
    )
    for number, (text, color) in enumerate(words):
        axes.annotate(
            text,
            (1.0, 1.0),
            xycoords="axes fraction",
            xytext=(-3, -3 - 11 * number),
            textcoords="offset points",
            color=color,
            fontsize=8,
            ha="right",
            va="top",
        )


class JumpPlot(PlotView):
    """Shows how many pixels have which jump ratio.

    `dragged` carries the threshold and whether the mouse was released.
    """

    dragged = Signal(float, bool)

    def __init__(self) -> None:
        super().__init__("Add an edge with a background window to see jump ratios.")
        self.setMinimumHeight(140)
        self._line: Any = None
        self._dragging = False
        self._connected = False

    def show_ratios(
        self,
        jump: NDArray[np.float32],
        significant: NDArray[np.bool_],
        threshold: float,
        text: str,
    ) -> None:
        """Draw the histogram of all pixels and of those with a significant signal."""
        known = jump[np.isfinite(jump)]
        if not known.size:
            self.set_empty("No pixel has a background, so there is no jump ratio.")
            return

        def draw(axes: Axes) -> None:
            low, high = np.percentile(known, (0.2, 99.8))
            high = max(high, low + 0.02, 1.1)
            bins = np.linspace(min(low, 0.98), high, N_BINS + 1).tolist()
            axes.hist(np.clip(known, bins[0], bins[-1]), bins,
                      color=MEASURED_COLOR, label="all pixels")  # fmt: skip
            chosen = jump[significant & np.isfinite(jump)]
            axes.hist(np.clip(chosen, bins[0], bins[-1]), bins,
                      color=SIGNAL_COLOR, label="significant")  # fmt: skip
            shown = max(threshold, bins[0]) if np.isfinite(threshold) else bins[0]
            self._line = axes.axvline(shown, color="#ff2020", lw=2.0)
            axes.set_xlim(bins[0], bins[-1])
            axes.set_xlabel("jump ratio: drag the red line")
            axes.set_ylabel("pixels")
            axes.set_title(text)
            axes.legend(loc="upper right", handlelength=1.2)

        self.draw(draw)
        if not self._connected:
            self._connected = True
            self.canvas.mpl_connect("button_press_event", self._on_press)
            self.canvas.mpl_connect("motion_notify_event", self._on_motion)
            self.canvas.mpl_connect("button_release_event", self._on_release)

    def set_text(self, text: str) -> None:
        """Say how many pixels are above the threshold."""
        if self.axes is not None:
            self.axes.set_title(text)
            self._paint_theme()
            self.redraw()

    def _on_press(self, event: Any) -> None:
        if event.inaxes is self.axes and event.button == 1:
            self._dragging = True
            self._move(float(event.xdata), done=False)

    def _on_motion(self, event: Any) -> None:
        if self._dragging and event.inaxes is self.axes:
            self._move(float(event.xdata), done=False)

    def _on_release(self, event: Any) -> None:
        if self._dragging:
            self._dragging = False
            self._move(float(self._line.get_xdata()[0]), done=True)

    def _move(self, value: float, *, done: bool) -> None:
        self._line.set_xdata([value, value])
        self.redraw()
        self.dragged.emit(round(value, 3), done)


class AgreementPlot(PlotView):
    """Shows the agreement of halves per number of classes; a click chooses one."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__("Press 'Suggest number' or run an edge with 'auto' classes.")
        self.setMinimumHeight(110)
        self._connected = False
        self._candidates: NDArray[np.intp] = np.zeros(0, dtype=np.intp)

    def show_suggestion(self, suggestion: ClusterSuggestion) -> None:
        """Draw the curve and the number that follows from it."""
        from napari_phasemap.core.clustering import AGREEMENT

        self._candidates = np.array(suggestion.candidates)
        best = suggestion.n_clusters

        def draw(axes: Axes) -> None:
            axes.plot(self._candidates, suggestion.agreement, "o-", color=FIT_COLOR)
            axes.axhline(AGREEMENT, color=MEASURED_COLOR, ls="--", lw=0.8)
            if best > 1:
                axes.axvline(best, color=SIGNAL_COLOR, lw=2.0)
            axes.set_ylim(0.0, 1.05)
            axes.set_xticks(self._candidates)
            axes.set_xlabel("classes (click to choose)")
            axes.set_ylabel("halves agree")
            sure = f"suggested: {best}" if best > 1 else "no number is reproducible"
            axes.set_title(sure)

        self.draw(draw)
        if not self._connected:
            self._connected = True
            self.canvas.mpl_connect("button_release_event", self._on_click)

    def _on_click(self, event: Any) -> None:
        if event.inaxes is self.axes and self._candidates.size:
            nearest = int(np.abs(self._candidates - event.xdata).argmin())
            self.chosen.emit(int(self._candidates[nearest]))
