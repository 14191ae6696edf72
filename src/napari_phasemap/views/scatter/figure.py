"""The scatter as a figure: any size, any background, or a slow turn.

* `render`: an image with axes and legend.
* `Turn`: writes a full turn as GIF or MP4, one frame per call.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtGui import QImage, QPainter
from vispy import gloo

from napari_phasemap.core.data.errors import InputError, MissingPackage
from napari_phasemap.views.scatter.overlay import paint_legend, paint_marks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.views.scatter.scatter import Scatter

__all__ = ["Turn", "render"]

#: Text on a light and on a dark figure.
ON_LIGHT, ON_DARK = "#202020", "#f0f1f2"


def render(
    scatter: Scatter,
    width: int,
    height: int,
    *,
    background: str = "",
    legend: bool = True,
) -> QImage:
    """Draw a scatter as it is shown, all points, into an image of another size.

    Parameters
    ----------
    scatter : Scatter
        Must have been shown once: it needs its OpenGL context.
    width, height : int
        Size in pixels; points, lines and text grow with it.
    background : str, default=""
        Hexadecimal color, "transparent", or "" for the color on the screen.
    legend : bool, default=True
        Paint the classes or the color scale into the upper right corner.
    """
    scene, style = scatter.scene, scatter.scene.style
    opaque = background != "transparent"
    color = (background or style.background) if opaque else "#ffffff"
    is_light = sum(int(color[i : i + 2], 16) for i in (1, 3, 5)) > 3 * 127
    scale = min(width, height) / min(scatter.size_in_pixels())
    scene.set_style(
        replace(style, background=color, foreground=ON_LIGHT if is_light else ON_DARK)
    )
    try:
        pixels = _painted(scatter, (width, height), opaque=opaque, scale=scale)
        image = QImage(
            pixels.data,
            width,
            height,
            4 * width,
            QImage.Format.Format_RGBA8888_Premultiplied,
        ).copy()
        painter = QPainter(image)
        marks = scene.marks(scatter.camera, (width, height), scale)
        paint_marks(painter, marks, width, height)
        if legend:
            paint_legend(
                painter,
                scene.coloring,
                scene.shown,
                width=width,
                foreground=scene.style.foreground,
                scale=scale,
            )
        painter.end()
    finally:
        scene.set_style(style)
        scatter.canvas.update()
    return image


def _painted(
    scatter: Scatter, size: tuple[int, int], *, opaque: bool, scale: float
) -> NDArray[np.uint8]:
    """Return RGBA pixels of the points, drawn off the screen."""
    scatter.canvas.set_current()
    shape = size[::-1]
    buffer = gloo.FrameBuffer(
        gloo.Texture2D((*shape, 4)), gloo.RenderBuffer(shape, "depth")
    )
    with buffer:
        gloo.set_viewport(0, 0, *size)
        scatter.scene.paint(scatter.camera, size, opaque=opaque, scale=scale)
        pixels = buffer.read("color", alpha=True)
    buffer.delete()
    return np.ascontiguousarray(pixels)


class Turn:
    """A movie of one full turn, written frame by frame.

    Parameters
    ----------
    scatter : Scatter
        What to turn; it ends where it began.
    path : Path
        ``.gif`` or ``.mp4``.
    size : (int, int), default=(800, 800)
        Width and height; even numbers, as MP4 needs them.
    n_frames : int, default=120
        Frames of the full turn, at 25 per second.

    Raises
    ------
    ImportError
        If an MP4 is asked for and imageio-ffmpeg is not installed.
    ValueError
        If the file is neither GIF nor MP4.
    """

    def __init__(
        self,
        scatter: Scatter,
        path: Path,
        *,
        size: tuple[int, int] = (800, 800),
        n_frames: int = 120,
    ) -> None:
        import imageio.v2 as imageio

        self.n_frames, self.n_done = n_frames, 0
        self._scatter, self._size, self._path = scatter, size, Path(path)
        options: dict[str, Any] = {"fps": 25}
        if self._path.suffix == ".mp4":
            _require_ffmpeg()
            options |= {"codec": "libx264", "macro_block_size": 2}
        elif self._path.suffix == ".gif":
            options = {"duration": 40, "loop": 0}
        else:
            raise InputError(f"a movie is .gif or .mp4; got {self._path.name!r}")
        self._writer = imageio.get_writer(self._path, **options)

    def add_frame(self) -> bool:
        """Write one more frame; return whether there are more to come."""
        scatter, camera = self._scatter, self._scatter.camera
        angle = camera.azimuth + 360.0 * self.n_done / self.n_frames
        scatter.camera = replace(camera, azimuth=angle)
        try:
            image = render(scatter, *self._size)
        finally:
            scatter.camera = camera
        image = image.convertToFormat(QImage.Format.Format_RGB888)
        bits = image.constBits()
        bits.setsize(image.sizeInBytes())
        rows = np.frombuffer(bits, np.uint8).reshape(self._size[1], -1)
        self._writer.append_data(
            rows[:, : 3 * self._size[0]].reshape(self._size[1], self._size[0], 3)
        )
        self.n_done += 1
        return self.n_done < self.n_frames

    def close(self, *, complete: bool = True) -> None:
        """Finish the file; a movie that was stopped is deleted."""
        self._writer.close()
        if not complete:
            self._path.unlink(missing_ok=True)


def _require_ffmpeg() -> None:
    if find_spec("imageio_ffmpeg") is None:
        raise MissingPackage(
            "an MP4 needs the package imageio-ffmpeg (pip install imageio-ffmpeg); "
            "without it, save the turn as GIF"
        )
