"""A three-dimensional scatter of a million points that can be turned and picked from.

* `Scatter`: the canvas. It knows points, colors and a selection, and nothing of
  pixels, spectra or napari.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from vispy import gloo
from vispy.app import Canvas

from napari_phasemap.core.latent.camera import Camera
from napari_phasemap.core.latent.projection import pick, project, visible
from napari_phasemap.core.latent.selection import in_ball, in_polygon, in_rectangle
from napari_phasemap.core.latent.viewing import facing, framing, separating_direction
from napari_phasemap.views.scatter.overlay import Marks, Overlay
from napari_phasemap.views.scatter.scene import Scene
from napari_phasemap.views.scatter.tools import Gestures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.latent.projection import Screen
    from napari_phasemap.views.scatter.colors import Coloring
    from napari_phasemap.views.scatter.tools import Stroke

__all__ = ["Scatter"]

#: Milliseconds without a camera move after which all points are drawn again.
REST = 180
#: Azimuth and elevation of the standard views.
VIEWS = {"front": (0.0, 0.0), "side": (90.0, 0.0), "top": (0.0, 90.0)}
#: Field of view of the perspective camera, in degrees.
PERSPECTIVE = 35.0
#: The camera stays within this many box sizes; points further out are clipped.
MAX_REACH = 50.0


class Scatter(QWidget):
    """Shows points; reports clicks and strokes, changes nothing itself.

    Signals: `picked` (point or None, mode) after a click; `stroked` (bool array, mode,
    tool) after a drag with a selection tool; `asked` (action) after a key.
    """

    picked = Signal(object, str)
    stroked = Signal(object, str, str)
    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.visible_only = False
        self.camera = Camera(fov=PERSPECTIVE)
        #: Whether a person has chosen the direction of view.
        self.is_turned = False
        self.scene = Scene()
        self._stroke: Stroke | None = None
        self._is_moving = False
        self._screen: tuple[Any, Screen] | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._make_canvas()
        self.overlay = Overlay(self.native, self._marks)
        self.gestures = Gestures(self)
        self.native.installEventFilter(self.gestures)
        self.gestures.turned.connect(self._on_turned)
        self.gestures.moved.connect(self._on_moved)
        self.gestures.zoomed.connect(self._on_zoomed)
        self.gestures.clicked.connect(self._on_clicked)
        self.gestures.stroking.connect(self._on_stroking)
        self.gestures.stroked.connect(self._on_stroked)
        self.gestures.asked.connect(self.asked)
        self._rest = self._make_timer(REST, self._on_rest)
        self._renewal = self._make_timer(0, self._renew)
        self.setMinimumSize(160, 140)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def _make_canvas(self) -> None:
        self._has_context = False
        # vispy keeps the parent it is told for ever; the layout tells it to Qt alone.
        self.canvas = Canvas(keys=None, show=False, size=(400, 300))
        self.native: QWidget = self.canvas.native
        self.native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.canvas.events.initialize.connect(self._on_context)
        self.canvas.events.draw.connect(self._on_draw)
        self.canvas.events.resize.connect(self._on_resize)
        self.layout().addWidget(self.native)

    def _make_timer(self, interval: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the images."""
        return QSize(380, 320)

    # ---- What is shown ----

    def set_points(
        self, columns: NDArray[Any], names: Sequence[str], *, stretch: bool = False
    ) -> None:
        """Show points of shape (3, n_points) in latent units.

        Parameters
        ----------
        columns : ndarray of shape (3, n_points)
            Rows are axes; a point with a NaN is not drawn.
        names : sequence of str
            Titles of the three axes, "" for one that is not used.
        stretch : bool, default=False
            Scale every axis by itself; otherwise a unit is as long on each.
        """
        self.scene.set_points(columns, names, stretch=stretch)
        self._screen = None
        self.is_turned = False
        self.face()
        self.fit()
        self._draw_again()

    def set_coloring(self, coloring: Coloring) -> None:
        """Color the points; classes of the same names stay hidden or shown.

        Until a person turns the cloud it shows the side that tells the classes apart.
        """
        self.scene.set_coloring(coloring)
        if not self.is_turned and coloring.names:
            self.face()
            self.fit()
        self._draw_again()

    def set_shown(self, shown: NDArray[np.bool_]) -> None:
        """Draw only some classes; the others can not be picked or selected."""
        self.scene.set_shown(shown)
        self._draw_again()

    def set_selection(self, selected: NDArray[np.bool_] | None) -> None:
        """Let the selected points stand out."""
        if self.scene.set_selection(selected):
            self._draw_again()

    def set_cursor(self, point: int | None) -> None:
        """Mark one point."""
        is_known = point is not None and 0 <= point < self.scene.n_points
        self.scene.cursor = point if is_known else None
        self.overlay.update()

    def set_markers(self, markers: Mapping[str, NDArray[Any]]) -> None:
        """Show named places, given as three latent coordinates each."""
        self.scene.set_markers(markers)
        self.overlay.update()

    def restyle(self, **changes: Any) -> None:
        """Change any field of `Style`."""
        style = replace(self.scene.style, **changes)
        if style != self.scene.style:
            self.scene.set_style(style)
            self._draw_again()

    # ---- Camera ----

    def set_camera(self, camera: Camera) -> None:
        """Look from elsewhere; many points are thinned out until the camera rests."""
        if camera == self.camera:
            return
        self.camera = camera
        self.gestures.is_flat = camera.flat
        self._is_moving = True
        self._rest.start()
        self._draw_again()

    def face(self) -> None:
        """Look from where the classes of the coloring are told apart best."""
        points, coloring = self.scene.points, self.scene.coloring
        classes = coloring.codes if coloring.names else None
        self.set_camera(facing(self.camera, separating_direction(points, classes)))

    def fit(self) -> None:
        """Let the cloud fill the canvas."""
        points = self.scene.points
        some = np.abs(points[:, :: max(1, points.shape[1] // 100_000)])
        furthest = float(np.nanmax(some[np.isfinite(some)], initial=0.9))
        flat = self.camera.flat or self.scene.frame.n_axes < 3
        camera = replace(
            self.camera, reach=min(2 * np.sqrt(3) * furthest, MAX_REACH), flat=flat
        )
        self.set_camera(framing(camera, points, *self.size_in_pixels()))

    def view_from(self, side: str) -> None:
        """Look from the "front", the "side" or the "top"."""
        azimuth, elevation = VIEWS[side]
        self.is_turned = True
        self.set_camera(replace(self.camera, azimuth=azimuth, elevation=elevation))
        self.fit()

    def set_flat(self, flat: bool) -> None:
        """Show two axes from above, or three."""
        self.set_camera(replace(self.camera, flat=flat))
        self.fit()

    def set_perspective(self, perspective: bool) -> None:
        """Let near points be further apart, or project in parallel."""
        fov = PERSPECTIVE if perspective else 0.0
        self.set_camera(replace(self.camera, fov=fov))

    # ---- Where the points are ----

    def size_in_pixels(self) -> tuple[int, int]:
        """Return width and height of the canvas in logical pixels."""
        return max(self.native.width(), 1), max(self.native.height(), 1)

    def screen(self) -> Screen:
        """Return where every point is on the screen; computed once per view."""
        key = (self.camera, self.size_in_pixels())
        if self._screen is None or self._screen[0] != key:
            matrix = self.camera.screen_matrix(*key[1])
            self._screen = (key, project(self.scene.points, matrix))
        return self._screen[1]

    def position_of(self, point: int) -> tuple[float, float]:
        """Return the screen position of a point; NaN where it has none."""
        place = self.scene.points[:, point : point + 1]
        there = project(place, self.camera.screen_matrix(*self.size_in_pixels()))
        return float(there.x[0]), float(there.y[0])

    def point_at(self, x: float, y: float) -> int | None:
        """Return the point that is seen at a position, None where there is none."""
        screen = self.screen()
        return pick(
            screen,
            x,
            y,
            size=self.scene.style.point_size,
            shown=self.scene.drawn(),
            depth=self.scene.depth(screen),
        )

    def inside(self, stroke: Stroke) -> NDArray[np.bool_]:
        """Return which drawn points a stroke encloses."""
        screen, drawn = self.screen(), self.scene.drawn()
        if stroke.tool == "lasso":
            mask = in_polygon(screen.x, screen.y, stroke.points)
        elif stroke.tool == "rectangle":
            mask = in_rectangle(screen.x, screen.y, *stroke.points)
        else:
            mask = self._in_ball(*stroke.points)
        if drawn is not None:
            mask &= drawn
        if self.visible_only:
            mask &= visible(
                screen,
                *self.size_in_pixels(),
                size=self.scene.style.point_size,
                shown=drawn,
                depth=self.scene.depth(screen),
            )
        return mask

    def _in_ball(
        self, center: tuple[float, float], rim: tuple[float, float]
    ) -> NDArray[np.bool_]:
        """Return the points in a ball around the point under its center."""
        size, points = self.size_in_pixels(), self.scene.points
        point = self.point_at(*center)
        place = (
            self.camera.under(*center, *size)
            if point is None
            else points[:, point].astype(float)
        )
        n_pixels = float(np.hypot(rim[0] - center[0], rim[1] - center[1]))
        radius = n_pixels * self.camera.scale_at(place, *size)
        n_axes = 2 if self.camera.flat else 3
        return in_ball(points[:n_axes], place[:n_axes], radius)

    # ---- Drawing and events ----

    def _draw_again(self) -> None:
        self.canvas.update()
        self.overlay.update()

    def _on_context(self, event: Any) -> None:
        """Notice a second OpenGL context: the canvas went to another window.

        A dock that is detached takes all buffers of the old context with it.
        """
        if self._has_context:
            self.canvas.events.draw.disconnect(self._on_draw)
            self._renewal.start()
        self._has_context = True

    def _renew(self) -> None:
        """Replace the canvas by one that belongs to the window we are in now."""
        old, canvas = self.native, self.canvas
        self._make_canvas()
        self.scene.make_buffers()
        self.overlay.setParent(self.native)
        self.overlay.setGeometry(self.native.rect())
        self.overlay.show()
        self.native.installEventFilter(self.gestures)
        self.layout().removeWidget(old)
        canvas.events.resize.disconnect(self._on_resize)
        old.removeEventFilter(self.gestures)
        old.setParent(None)
        canvas.close()
        old.deleteLater()

    def _on_draw(self, event: Any) -> None:
        gloo.set_viewport(0, 0, *self.canvas.physical_size)
        self.scene.paint(
            self.camera,
            self.size_in_pixels(),
            scale=self.canvas.pixel_scale,
            pixel=self.canvas.pixel_scale,
            moving=self._is_moving,
        )

    def _marks(self) -> Marks:
        marks = self.scene.marks(self.camera, self.size_in_pixels())
        return replace(marks, stroke=self._stroke)

    def _on_resize(self, event: Any) -> None:
        self.overlay.setGeometry(self.native.rect())
        if not self.is_turned and self.scene.n_points:
            self.fit()

    def _on_rest(self) -> None:
        self._is_moving = False
        self.canvas.update()

    def _on_turned(self, dx: float, dy: float) -> None:
        self.is_turned = True
        self.set_camera(self.camera.turned(dx, dy))

    def _on_moved(self, dx: float, dy: float) -> None:
        self.is_turned = True
        self.set_camera(self.camera.moved(dx, dy, *self.size_in_pixels()))

    def _on_zoomed(self, factor: float) -> None:
        self.is_turned = True
        self.set_camera(self.camera.zoomed(factor))

    def _on_clicked(self, x: float, y: float, mode: str) -> None:
        if self.scene.n_points:
            self.picked.emit(self.point_at(x, y), mode)

    def _on_stroking(self, stroke: Stroke | None) -> None:
        self._stroke = stroke
        self.overlay.update()

    def _on_stroked(self, stroke: Stroke, mode: str) -> None:
        if self.scene.n_points:
            self.stroked.emit(self.inside(stroke), mode, stroke.tool)
