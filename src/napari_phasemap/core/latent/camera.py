"""From where a three-dimensional cloud is looked at.

* `Camera`: a turntable camera; turning, moving and zooming return another camera.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Camera"]

#: A view narrower than this fraction of the cloud shows single points only.
MIN_HEIGHT, MAX_HEIGHT = 1e-4, 1e3


@dataclass(frozen=True)
class Camera:
    """A camera that turns around a center with the third axis upright.

    Parameters
    ----------
    azimuth, elevation : float
        Direction of view in degrees: around the third axis, and above the horizon.
        At 0, 0 the first axis points right and the third up.
    center : tuple of float
        Point in the middle of the screen.
    height : float
        What the shorter side of the screen spans at `center`, in data units.
    fov : float
        Field of view in degrees; 0 is orthographic (parallel) projection.
    reach : float
        Radius around `center` that holds all points: depth is resolved within it.
    flat : bool
        Ignore the third coordinate and look from above: a 2-D view.
    """

    azimuth: float = 30.0
    elevation: float = 25.0
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
    height: float = 1.7
    fov: float = 0.0
    reach: float = 2.0
    flat: bool = False

    def axes(self) -> NDArray[np.float64]:
        """Return the rows right, up and forward, of shape (3, 3)."""
        azimuth, elevation = (
            (0.0, 90.0) if self.flat else (self.azimuth, self.elevation)
        )
        sin_a, cos_a = np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))
        sin_e, cos_e = np.sin(np.radians(elevation)), np.cos(np.radians(elevation))
        right = (cos_a, sin_a, 0.0)
        up = (-sin_a * sin_e, cos_a * sin_e, cos_e)
        forward = (-sin_a * cos_e, cos_a * cos_e, -sin_e)
        return np.array([right, up, forward])

    def clip_matrix(self, width: float, height: float) -> NDArray[np.float64]:
        """Return the matrix from data to OpenGL's clip space, for column vectors.

        Parameters
        ----------
        width, height : float
            Size of the screen in pixels.

        Returns
        -------
        ndarray of shape (4, 4)
            x to the right, y up, z away from the viewer, each -1..1 after division by
            the fourth coordinate. Dimensionless.
        """
        axes = self.axes()
        world = np.eye(4)
        world[:3, :3] = axes
        world[:3, 3] = -axes @ np.array(self.center)
        if self.flat:
            world[:, 2] = 0.0
            world[2, 3] = 0.0
        shorter = max(min(width, height), 1.0)
        half = 0.5 * self.height * np.array([width, height]) / shorter
        lens = np.zeros((4, 4))
        if self.fov <= 0 or self.flat:
            lens[0, 0], lens[1, 1] = 1.0 / half
            lens[2, 2], lens[3, 3] = 1.0 / self.reach, 1.0
            return lens @ world
        distance = self.height / (2.0 * np.tan(np.radians(self.fov) / 2.0))
        near = max(distance - self.reach, 1e-2 * distance)
        far = distance + self.reach
        lens[0, 0], lens[1, 1] = distance / half
        lens[2, 2] = (far + near) / (far - near)
        lens[2, 3] = lens[2, 2] * distance - 2.0 * far * near / (far - near)
        lens[3, 2], lens[3, 3] = 1.0, distance
        return lens @ world

    def screen_matrix(self, width: float, height: float) -> NDArray[np.float64]:
        """Return the matrix from data to pixels (x right, y down) and depth.

        Parameters
        ----------
        width, height : float
            Of the canvas, in pixels.

        Returns
        -------
        ndarray of shape (4, 4)
            For column vectors (x, y, z, 1) in drawn units.
        """
        viewport = np.array(
            [
                [width / 2.0, 0.0, 0.0, width / 2.0],
                [0.0, -height / 2.0, 0.0, height / 2.0],
                [0.0, 0.0, 1.0, 0.0],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        return viewport @ self.clip_matrix(width, height)

    def turned(self, dx: float, dy: float) -> Camera:
        """Return the camera after a drag by pixels, half a degree per pixel.

        Parameters
        ----------
        dx, dy : float
            To the right and down.

        Returns
        -------
        Camera
            Around the same center.
        """
        elevation = min(90.0, max(-90.0, self.elevation + 0.5 * dy))
        azimuth = (self.azimuth - 0.5 * dx + 180.0) % 360.0 - 180.0
        return replace(self, azimuth=azimuth, elevation=elevation)

    def zoomed(self, factor: float) -> Camera:
        """Return the camera that sees `factor` times as much.

        Parameters
        ----------
        factor : float
            Above 1 to see more.

        Returns
        -------
        Camera
            Around the same center.
        """
        height = min(MAX_HEIGHT, max(MIN_HEIGHT, self.height * factor))
        return replace(self, height=height)

    def moved(self, dx: float, dy: float, width: float, height: float) -> Camera:
        """Return the camera after the scene was dragged by (dx, dy) pixels.

        Parameters
        ----------
        dx, dy : float
            In pixels, to the right and down.
        width, height : float
            Of the canvas, in pixels.

        Returns
        -------
        Camera
            In the same direction.
        """
        per_pixel = self.height / max(min(width, height), 1.0)
        right, up, _ = self.axes()
        shift = per_pixel * (dy * up - dx * right)
        x, y, z = np.array(self.center) + shift
        return replace(self, center=(float(x), float(y), float(z)))

    def scale_at(
        self, point: NDArray[np.floating[Any]], width: float, height: float
    ) -> float:
        """Return how many data units one pixel spans at a point of shape (3,).

        Parameters
        ----------
        point : ndarray of shape (3,)
            In drawn units.
        width, height : float
            Of the canvas, in pixels.

        Returns
        -------
        float
            In drawn units per pixel.
        """
        per_pixel = self.height / max(min(width, height), 1.0)
        if self.fov <= 0 or self.flat:
            return per_pixel
        distance = self.height / (2.0 * np.tan(np.radians(self.fov) / 2.0))
        away = float(self.axes()[2] @ (np.asarray(point) - np.array(self.center)))
        return float(per_pixel * (distance + away) / distance)

    def under(
        self, x: float, y: float, width: float, height: float
    ) -> NDArray[np.float64]:
        """Return the point under a screen position, as far away as `center`.

        Parameters
        ----------
        x, y : float
            In pixels, from the upper left corner.
        width, height : float
            Of the canvas, in pixels.

        Returns
        -------
        ndarray of shape (3,)
            In drawn units.
        """
        right, up, _ = self.axes()
        per_pixel = self.height / max(min(width, height), 1.0)
        offset = (x - width / 2) * right - (y - height / 2) * up
        place: NDArray[np.float64] = np.array(self.center) + per_pixel * offset
        return place
