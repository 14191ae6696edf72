"""The mean spectrum with the windows of the edges, moved by the mouse.

* `WindowPlot`: the spectrum and the windows; `Window` says which end is dragged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal

from napari_phasemap.core.data import palettes
from napari_phasemap.views.widgets.quick_plot import QuickPlot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_phasemap.views.eels.table import EdgeRow

__all__ = ["FIT_COLOR", "SIGNAL_COLOR", "WindowPlot"]

FIT_COLOR, SIGNAL_COLOR = palettes.FIT, palettes.SIGNAL
#: How near in pixels the mouse must be to the end of a window to move that end alone.
GRAB = 6.0
#: Names of the two windows in `EdgeRow`.
NAMES = ("fit_window", "window")

#: Share of the axis at its end in which an edge's name does not fit behind its onset.
ROOM_FOR_NAME = 0.12


class WindowPlot(QuickPlot):
    """Shows the mean spectrum; emits windows as they are dragged.

    `dragged` carries the name of the window ("fit_window" or "window"), its low and
    its high end in eV, and whether the mouse was released.
    """

    dragged = Signal(str, float, float, bool)
    margins = (44, 44, 8, 6, 0)

    def __init__(self) -> None:
        super().__init__("Choose a spectrum image first.")
        self.setMinimumHeight(110)
        self._energy: NDArray[np.float64] | None = None
        self._mean: NDArray[np.float64] | None = None
        self._bands: dict[str, Any] = {}
        self._windows: dict[str, tuple[float, float]] = {}
        self._grabbed: tuple[str, float, tuple[float, float], str] | None = None
        self._connected = False

    def set_spectrum(
        self, energy: NDArray[np.float64], mean: NDArray[np.float64]
    ) -> None:
        """Show another spectrum."""
        self._energy, self._mean = energy, mean

    def set_rows(self, rows: Sequence[EdgeRow], current: int | None) -> None:
        """Draw the windows of all edges; those of the current one can be dragged."""
        if self._energy is None:
            return
        self._windows = {}
        if current is not None:
            row = rows[current]
            self._windows["window"] = row.window
            if row.fit_window is not None:
                self._windows["fit_window"] = row.fit_window
        self.draw(lambda axes: self._draw(axes, rows, current))
        if not self._connected:
            self._connected = True
            for name, slot in (
                ("button_press_event", self._on_press),
                ("motion_notify_event", self._on_motion),
                ("button_release_event", self._on_release),
            ):
                self.canvas.mpl_connect(name, slot)

    # ---- Drawing ----

    def _draw(self, axes: Axes, rows: Sequence[EdgeRow], current: int | None) -> None:
        assert self._energy is not None
        assert self._mean is not None
        positive = self._mean[np.isfinite(self._mean) & (self._mean > 0)]
        axes.plot(self._energy, self._mean, color=palettes.MEASURED, lw=1.0)
        wide = positive.size and positive.max() > 30 * np.percentile(positive, 2)
        if wide and positive.size == self._mean.size:
            axes.set_yscale("log")
            axes.minorticks_off()  # each is a text to be measured
        axes.set_xlim(float(self._energy[0]), float(self._energy[-1]))
        axes.margins(y=0.08)
        self._bands = {}
        for index, row in enumerate(rows):
            self._draw_edge(axes, row, chosen=index == current)
        axes.set_xlabel("energy (eV): drag the windows")

    def _draw_edge(self, axes: Axes, row: EdgeRow, *, chosen: bool) -> None:
        for name, color in zip(NAMES, (FIT_COLOR, SIGNAL_COLOR), strict=True):
            window = getattr(row, name)
            if window is None:
                continue
            band = axes.axvspan(*window, color=color, alpha=0.45 if chosen else 0.12)
            if chosen:
                self._bands[name] = band
        left, right = axes.get_xlim()
        at_end = row.window[0] > right - ROOM_FOR_NAME * (right - left)
        axes.annotate(
            row.name,
            (right if at_end else row.window[0], 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-2 if at_end else 2, -2),
            textcoords="offset points",
            va="top",
            ha="right" if at_end else "left",
            fontsize=8,
            color=SIGNAL_COLOR,
            fontweight="bold" if chosen else "normal",
            annotation_clip=True,
        )

    # ---- Mouse ----

    def _on_press(self, event: Any) -> None:
        if event.inaxes is not self.axes or event.button != 1:
            return
        self._grabbed = self._under(float(event.x), float(event.xdata))

    def _on_motion(self, event: Any) -> None:
        if event.inaxes is not self.axes:
            return
        if self._grabbed is None:
            found = self._under(float(event.x), float(event.xdata))
            self._set_cursor(None if found is None else found[3])
            return
        self._move(float(event.xdata), done=False)

    def _on_release(self, event: Any) -> None:
        if self._grabbed is None:
            return
        x = event.xdata if event.inaxes is self.axes else None
        name = self._grabbed[0]
        if x is not None:
            self._move(float(x), done=True)
        else:
            self.dragged.emit(name, *self._windows[name], True)
        self._grabbed = None

    def _under(
        self, x: float, energy: float
    ) -> tuple[str, float, tuple[float, float], str] | None:
        """Return window, place, its ends and the part ("low", "high", "all") there."""
        ends = [
            (abs(float(self.axes.transData.transform((end, 1.0))[0]) - x), name, part)
            for name, window in self._windows.items()
            for end, part in zip(window, ("low", "high"), strict=True)
        ]
        if not ends:
            return None
        distance, name, part = min(ends)
        if distance <= GRAB:
            # Ends that lie on one another: the side the mouse is on decides.
            same = [e for e in ends if e[0] - distance < 1.0]
            for _, other, other_part in same:
                low, high = self._windows[other]
                if low <= energy <= high:
                    name, part = other, other_part
            return name, energy, self._windows[name], part
        for name, window in self._windows.items():
            if window[0] <= energy <= window[1]:
                return name, energy, window, "all"
        return None

    def _move(self, energy: float, *, done: bool) -> None:
        assert self._grabbed is not None
        assert self._energy is not None
        name, start, (low, high), part = self._grabbed
        first, last = float(self._energy[0]), float(self._energy[-1])
        least = 3 * float(np.median(np.diff(self._energy)))
        shift = energy - start
        if part == "low":
            low = min(max(low + shift, first), high - least)
        elif part == "high":
            high = max(min(high + shift, last), low + least)
        else:
            shift = min(max(shift, first - low), last - high)
            low, high = low + shift, high + shift
        low, high = round(low, 2), round(high, 2)
        low, high = max(low, first), min(high, last)
        self._windows[name] = (low, high)
        band = self._bands[name]
        band.set_x(low)
        band.set_width(high - low)
        self.redraw()
        self.dragged.emit(name, low, high, done)

    def _set_cursor(self, part: str | None) -> None:
        from qtpy.QtCore import Qt

        shapes = {
            None: Qt.CursorShape.ArrowCursor,
            "all": Qt.CursorShape.OpenHandCursor,
        }
        self.canvas.setCursor(shapes.get(part, Qt.CursorShape.SizeHorCursor))
