"""What the settings of an edge do before it is run.

* `SubtractionPlot`: background and net spectrum of the mean and of one pixel.
* `JumpPlot`: histogram of the jump ratio with the threshold, moved by the mouse.
* `AgreementPlot`: how reproducible each number of classes is.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal

from napari_phasemap.core.data.palettes import CURSOR, MEASURED
from napari_phasemap.views.eels.windows import FIT_COLOR, SIGNAL_COLOR
from napari_phasemap.views.widgets.quick_plot import QuickPlot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_phasemap.core.eels.edge_preview import EdgePreview
    from napari_phasemap.core.learn.clustering import ClusterSuggestion

__all__ = ["AgreementPlot", "JumpPlot", "SubtractionPlot"]

N_BINS = 60
#: Characters of a line in the histogram.
REASON_WIDTH = 34
#: Where the names of lines may be, as shares of the height.
NAME_HEIGHTS = (0.8, 0.5, 0.2)


class SubtractionPlot(QuickPlot):
    """Shows the subtraction of the mean spectrum beside that of one pixel."""

    margins = (44, 20, 8, 20, 44)

    def __init__(self) -> None:
        super().__init__("Add an edge to see its background subtracted.")
        self.setMinimumHeight(140)
        self._panels: list[_Panel] = []

    def show_previews(
        self,
        mean: EdgePreview,
        pixel: EdgePreview | None,
        window: tuple[float, float],
        title: str,
    ) -> None:
        """Draw both; `title` names the pixel or says how to choose one."""
        if not self._panels or self.canvas is None or not self.canvas.isVisible():
            self.draw(self._make_panels)
        for panel, preview, text in zip(
            self._panels, (mean, pixel), ("mean", title), strict=True
        ):
            panel.show(preview, window, text)
        self.redraw()

    def set_empty(self, text: str) -> None:
        """Show a sentence instead of the figure."""
        super().set_empty(text)
        self._panels = []

    def curves(self) -> list[list[NDArray[np.float64]]]:
        """Return what is drawn per panel: measured, background, net."""
        return [
            [np.asarray(line.get_ydata()) for line in panel.lines]
            for panel in self._panels
        ]

    def _make_panels(self, axes: Axes) -> None:
        figure = axes.figure
        axes.remove()
        self._panels = [_Panel(one) for one in figure.subplots(1, 2)]
        self.axes = self._panels[0].axes
        self._panels[0].name_lines()


class _Panel:
    """One spectrum with its background and net: lines that are moved, not remade."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.lines = [
            axes.plot([], [], color=color, lw=width, ls=style)[0]
            for color, width, style in (
                (MEASURED, 0.9, "-"),
                (FIT_COLOR, 1.2, "--"),
                (SIGNAL_COLOR, 1.2, "-"),
            )
        ]
        self._zero = axes.axhline(0.0, color=MEASURED, lw=0.5)
        self._names: list[Any] = []
        axes.margins(x=0.01)

    def name_lines(self) -> None:
        """Name the lines in their colors: there is no room for a legend."""
        for text, line in zip(("measured", "background", "net"), self.lines,
                              strict=True):  # fmt: skip
            self._names.append(
                self.axes.annotate(
                    text,
                    (1.0, 1.0),
                    xycoords="axes fraction",
                    xytext=(0, 0),
                    textcoords="offset points",
                    color=line.get_color(),
                    fontsize=8,
                    ha="right",
                    va="center",
                )
            )

    def show(
        self, preview: EdgePreview | None, window: tuple[float, float], title: str
    ) -> None:
        """Show another spectrum, or only the title."""
        self.axes.set_title(title, fontsize=9)
        self.axes.set_axis_on()
        for line in (*self.lines, self._zero):
            line.set_visible(preview is not None)
        if preview is None:
            self.axes.set_axis_off()  # the title remains
            return
        inside = preview.energy >= window[0] - 1e-6
        net = np.where(inside, preview.net, np.nan)
        for line, values in zip(
            self.lines, (preview.measured, preview.background, net), strict=True
        ):
            line.set_data(preview.energy, values)
        self.axes.set_xlim(float(preview.energy[0]), float(preview.energy[-1]))
        self.axes.relim(visible_only=True)
        self.axes.autoscale_view(scalex=False)
        if self._names:
            self._place_names()

    def _place_names(self) -> None:
        """Put the names where the fewest points are: high, in the middle or low."""
        low, high = self.axes.get_ylim()
        left, right = self.axes.get_xlim()
        points = np.concatenate([line.get_xydata() for line in self.lines])
        behind = points[points[:, 0] > 0.5 * (left + right), 1]
        heights = (behind - low) / (high - low)
        crowd = [np.count_nonzero(abs(heights - at) < 0.2) for at in NAME_HEIGHTS]
        at = NAME_HEIGHTS[int(np.argmin(crowd))]
        for number, name in enumerate(self._names):
            name.xy = (1.0, at)
            name.set_position((-3, 11 * (1 - number)))


class JumpPlot(QuickPlot):
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
        reason: str = "",
    ) -> None:
        """Draw the histogram of all pixels and of those with a significant signal.

        `text` is the title, `reason` says what the suggested threshold rests on.
        """
        known = jump[np.isfinite(jump)]
        if not known.size:
            self.set_empty("No pixel has a background, so there is no jump ratio.")
            return

        def draw(axes: Axes) -> None:
            low, high = np.percentile(known, (0.2, 99.8))
            high = max(high, low + 0.02, 1.1)
            bins = np.linspace(min(low, 0.98), high, N_BINS + 1).tolist()
            axes.hist(np.clip(known, bins[0], bins[-1]), bins, histtype="stepfilled",
                      color=MEASURED, label="all pixels")  # fmt: skip
            chosen = jump[significant & np.isfinite(jump)]
            axes.hist(np.clip(chosen, bins[0], bins[-1]), bins, histtype="stepfilled",
                      color=SIGNAL_COLOR, label="significant")  # fmt: skip
            shown = max(threshold, bins[0]) if np.isfinite(threshold) else bins[0]
            self._line = axes.axvline(shown, color=CURSOR, lw=2.0)
            axes.set_xlim(bins[0], bins[-1])
            axes.set_xlabel("jump ratio: drag the red line")
            axes.set_ylabel("pixels")
            axes.set_title(text)
            axes.legend(loc="upper right", handlelength=1.2)
            # Below the legend, where few pixels are, and in front of their bars.
            axes.text(0.98, 0.6, fill(reason, REASON_WIDTH), transform=axes.transAxes,
                      ha="right", va="top", fontsize=8,
                      color=MEASURED)  # fmt: skip

        self.draw(draw)
        if not self._connected:
            self._connected = True
            self.canvas.mpl_connect("button_press_event", self._on_press)
            self.canvas.mpl_connect("motion_notify_event", self._on_motion)
            self.canvas.mpl_connect("button_release_event", self._on_release)

    def set_text(self, text: str) -> None:
        """Say how many pixels are above the threshold."""
        if self.axes is not None:
            self.axes.title.set_text(text)
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


class AgreementPlot(QuickPlot):
    """Shows the agreement of halves per number of classes; a click chooses one."""

    chosen = Signal(int)
    EMPTY = "Press 'Suggest number' or run the edge with 'auto' classes."

    def __init__(self) -> None:
        super().__init__(self.EMPTY)
        self.setMinimumHeight(110)
        self._connected = False
        self._candidates: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._shown: ClusterSuggestion | None = None

    def show_suggestion(self, suggestion: ClusterSuggestion | None) -> None:
        """Draw the curve and the number that follows from it; None for neither."""
        from napari_phasemap.core.learn.clustering import AGREEMENT

        if suggestion is self._shown:
            return
        self._shown = suggestion
        if suggestion is None:
            self.set_empty(self.EMPTY)
            return
        self._candidates = np.array(suggestion.candidates)
        best = suggestion.n_clusters

        def draw(axes: Axes) -> None:
            axes.plot(self._candidates, suggestion.agreement, "o-", color=FIT_COLOR)
            axes.axhline(AGREEMENT, color=MEASURED, ls="--", lw=0.8)
            if best > 1:
                axes.axvline(best, color=SIGNAL_COLOR, lw=2.0)
            lowest = min(float(np.min(suggestion.agreement)), AGREEMENT)
            axes.set_ylim(max(0.0, lowest - 0.1), 1.02)
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
