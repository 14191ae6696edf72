"""A plot of spectra that is looked into with the mouse and the keyboard.

* `LivePlot`: wheel, drag and keys zoom and pan; what follows the mouse is painted over
  a kept picture of the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, QTimer, Signal

from napari_phasemap.core.data.palettes import QUIET
from napari_phasemap.views.widgets.plot import PlotView
from napari_phasemap.views.widgets.view_range import moved, shifted, zoomed

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from napari_phasemap.views.widgets.view_range import Range

__all__ = ["LivePlot"]

#: Left, bottom, right and top margin in pixels, and part of the height that a second
#: panel takes.
MARGINS, BELOW = (52.0, 38.0, 8.0, 6.0), 0.27
#: Pixels that the mouse may move between press and release of a click.
CLICK_SLACK = 4.0
#: Zoom per step of the wheel or key.
STEP = 1.25
#: Milliseconds after a change of size until the kept picture is made anew.
SETTLE = 40


class LivePlot(PlotView):
    """Shows axes over energy, and below them, if asked, axes for what is left.

    Signals: `clicked` (x in data units) on a click; `stepped` (-1 or 1) on an arrow
    key. Wheel: zoom along x, with Shift along y. Drag: pan. Double click: all.
    """

    clicked = Signal(float)
    stepped = Signal(int)

    def __init__(self, empty_text: str) -> None:
        super().__init__(empty_text)
        #: The second panel, None without.
        self.below: Any = None
        self._live: list[Any] = []
        self._kept: Any = None
        self._whole: tuple[Range, Range] | None = None
        self._zoom: tuple[Range, Range] | None = None
        self._press: tuple[float, float] | None = None
        self._dragged = False
        self._cross: Any = None
        self._where: Any = None
        self._repaint = QTimer(self)
        self._repaint.setSingleShot(True)
        self._repaint.setInterval(0)
        self._repaint.timeout.connect(self._paint_live)

    # ---- Drawing ----

    def draw(self, function: Callable[[Axes], Any], *, has_below: bool = False) -> Any:
        """Clear everything, call ``function(axes)`` and return what it returns.

        What was zoomed into stays in view.
        """
        self._make_canvas()
        figure = self.axes.figure
        figure.clear()
        self._live, self._kept = [], None
        rows = [1.0 - BELOW, BELOW] if has_below else [1.0]
        grid = figure.add_gridspec(len(rows), 1, height_ratios=rows, hspace=0.06)
        self.axes = figure.add_subplot(grid[0])
        self.below = None
        if has_below:
            self.below = figure.add_subplot(grid[1], sharex=self.axes)
            self.axes.tick_params(labelbottom=False)
        artists = function(self.axes)
        self._whole = (self.axes.get_xlim(), self.axes.get_ylim())
        self.axes.autoscale(False)
        if self._zoom is not None:
            self._set_limits(self._zoom)
        self._make_cross()
        self._fit()
        self._paint_theme()
        self._painter.start()
        return artists

    def keep_live(self, *artists: Any) -> None:
        """Paint artists over the kept picture: they may change at every move."""
        for artist in artists:
            artist.set_animated(True)
        self._live += artists

    def refresh_live(self) -> None:
        """Paint what follows the mouse again, soon and once."""
        if self._kept is None:
            self.redraw()
        elif not self._repaint.isActive():
            self._repaint.start()

    def forget_zoom(self) -> None:
        """Show everything at the next drawing: what was zoomed into means nothing."""
        self._zoom = None

    def show_all(self) -> None:
        """Show everything."""
        if self._whole is not None:
            self._zoom = None
            self._set_limits(self._whole)
            self.redraw()

    def include(self, values: Any, left: Any = None) -> None:
        """Make room for values that are outside, unless a person has zoomed in.

        `left` are values for the axes below, whose zero stays in the middle.
        """
        if left is not None and self.below is not None:
            reach = 1.1 * float(np.nanmax(np.abs(left), initial=0.0))
            if reach > self.below.get_ylim()[1]:
                self.below.set_ylim(-reach, reach)
                self._kept = None
        if self._whole is None or self._zoom is not None:
            return
        x, (low, high) = self._whole
        finite = values[np.isfinite(values)]
        if not finite.size:
            return
        pad = 0.05 * float(finite.max() - finite.min())
        bottom, top = float(finite.min()) - pad, float(finite.max()) + pad
        if bottom < low or top > high:
            self._whole = (x, (min(low, bottom), max(high, top)))
            self._set_limits(self._whole)
            self._kept = None

    def zoom(self, factor: float, *, along: str = "x", at: float = 0.5) -> None:
        """Show `factor` times as much along "x" or "y"; part `at` of it stays put."""
        x, y = self._limits()
        if along == "x":
            self._zoom = (zoomed(x, factor, at), y)
        else:
            self._zoom = (x, zoomed(y, factor, at))
        self._set_limits(self._zoom)
        self.redraw()

    def _make_canvas(self) -> None:
        is_new = self.canvas is None
        super()._make_canvas()
        if not is_new:
            return
        self.axes.figure.set_layout_engine(None)
        self.canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for event, slot in (
            ("draw_event", self._on_drawn),
            ("resize_event", self._on_resized),
            ("scroll_event", self._on_wheel),
            ("button_press_event", self._on_press),
            ("button_release_event", self._on_release),
            ("motion_notify_event", self._on_move),
            ("axes_leave_event", self._on_leave),
            ("figure_leave_event", self._on_leave),
            ("key_press_event", self._on_key),
        ):
            self.canvas.mpl_connect(event, slot)

    def _fit(self) -> None:
        """Leave the margins that labels need, whatever the size."""
        figure = self.axes.figure
        width, height = (max(float(size), 1.0) for size in figure.bbox.size)
        ratio = self.canvas.device_pixel_ratio
        left, bottom, right, top = (ratio * margin for margin in MARGINS)
        if width > left + right + 20 and height > bottom + top + 20:
            figure.subplots_adjust(
                left=left / width,
                right=1.0 - right / width,
                bottom=bottom / height,
                top=1.0 - top / height,
            )

    def _make_cross(self) -> None:
        """Make the line under the mouse and the text that tells where it is."""
        color = QUIET
        start = self.axes.get_xlim()[0]
        self._cross = self.axes.axvline(start, color=color, lw=0.8, visible=False)
        self._where = self.axes.text(
            0.01, 0.98, "", transform=self.axes.transAxes, va="top", fontsize=8,
            visible=False,
        )  # fmt: skip
        self.keep_live(self._cross, self._where)

    def _paint_theme(self) -> None:
        super()._paint_theme()
        self._kept = None
        if self._where is not None:
            self._where.set_color(self.axes.xaxis.label.get_color())

    def _on_drawn(self, _: Any) -> None:
        """Keep the picture, and paint over it what is alive."""
        self._kept = self.canvas.copy_from_bbox(self.axes.figure.bbox)
        self._draw_live()

    def _on_resized(self, _: Any) -> None:
        self._kept = None
        self._fit()

    def _draw_live(self) -> None:
        for artist in self._live:
            if artist.get_visible():
                artist.axes.draw_artist(artist)

    def _paint_live(self) -> None:
        if self._kept is None:
            self.redraw()
            return
        self.canvas.restore_region(self._kept)
        self._draw_live()
        # Together with what else changed in the window, which is put together once:
        # matplotlib's own blit would not wait, for 15 ms more in software rendering.
        self.canvas.update()

    # ---- Mouse and keys ----

    def _limits(self) -> tuple[Range, Range]:
        return self.axes.get_xlim(), self.axes.get_ylim()

    def _set_limits(self, limits: tuple[Range, Range]) -> None:
        self.axes.set_xlim(limits[0])
        self.axes.set_ylim(limits[1])

    def _share(self, event: Any) -> tuple[float, float]:
        """Return where in the axes the mouse is, 0 to 1."""
        x, y = self.axes.transAxes.inverted().transform((event.x, event.y))
        return float(x), float(y)

    def _on_wheel(self, event: Any) -> None:
        if event.inaxes is None:
            return
        along = "y" if event.key == "shift" else "x"
        at = self._share(event)[0 if along == "x" else 1]
        self.zoom(STEP ** -float(np.sign(event.step)), along=along, at=at)

    def _on_press(self, event: Any) -> None:
        if event.inaxes is None or event.button != 1:
            return
        if event.dblclick:
            self._press = None
            self.show_all()
            return
        self._press, self._dragged = (event.x, event.y), False

    def _on_move(self, event: Any) -> None:
        if self._press is None:
            self._point_at(event)
            return
        here, before = (event.x, event.y), self._press
        if not self._dragged and max(map(abs, np.subtract(here, before))) < CLICK_SLACK:
            return
        self._dragged, self._press = True, here
        size = self.axes.bbox.size
        x, y = self._limits()
        self._zoom = (
            moved(x, (before[0] - here[0]) / size[0]),
            moved(y, (before[1] - here[1]) / size[1]),
        )
        self._set_limits(self._zoom)
        self.redraw()

    def _on_release(self, event: Any) -> None:
        pressed, self._press = self._press, None
        if pressed is None or self._dragged or event.inaxes is None:
            return
        self.clicked.emit(float(event.xdata))

    def _on_leave(self, _: Any) -> None:
        self._tell("")

    def _on_key(self, event: Any) -> None:
        if event.key in ("left", "right"):
            self.stepped.emit(-1 if event.key == "left" else 1)
        elif event.key in ("+", "="):
            self.zoom(1 / STEP)
        elif event.key == "-":
            self.zoom(STEP)
        elif event.key in ("shift+left", "shift+right"):
            x, y = self._limits()
            self._zoom = (shifted(x, -1 if event.key.endswith("left") else 1), y)
            self._set_limits(self._zoom)
            self.redraw()
        elif event.key == "home":
            self.show_all()

    def _point_at(self, event: Any) -> None:
        """Move the line to the mouse and say where that is."""
        if event.inaxes is None or self._cross is None:
            self._tell("")
            return
        self._cross.set_xdata([event.xdata, event.xdata])
        self._tell(f"{event.xdata:.2f} eV, {event.ydata:.4g}")

    def _tell(self, text: str) -> None:
        if self._where is None or (not text and not self._where.get_visible()):
            return
        self._where.set_text(text)
        for artist in (self._cross, self._where):
            artist.set_visible(bool(text))
        self.refresh_live()
