"""From where a cloud of points is best looked at.

* `separating_direction`: along which its classes are least told apart.
* `facing`: a camera that looks along a direction.
* `framing`: a camera from which the cloud fills the canvas.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.latent.camera import Camera

__all__ = ["facing", "framing", "separating_direction"]

#: How much the spread of all points counts beside that between classes.
OVERALL = 0.1
#: Part of the canvas, along the side that limits it, that the cloud takes.
FILL = 0.76
#: Per cent of the points that must be seen: single outliers may lie outside.
SEEN = (0.25, 99.75)
MAX_SAMPLE = 100_000


def separating_direction(
    points: NDArray[np.float32], codes: NDArray[Any] | None = None, /
) -> NDArray[np.float64]:
    """Return the direction that, looked along, hides the least of what differs.

    The smallest eigenvector of the covariance between the means of the classes and, for
    a tenth, of that of all points (cf. Fisher's discriminant, without its whitening:
    the screen keeps right angles).

    Parameters
    ----------
    points : ndarray of shape (3, n_points)
        In drawn units; columns with NaN are left out.
    codes : ndarray of int of shape (n_points,), optional
        Class of each point; without classes the spread of the points alone decides.

    Returns
    -------
    ndarray of shape (3,)
        Of length 1, pointing down or level. Without two different points the second
        axis. Dimensionless.

    Examples
    --------
    >>> points = np.array([[0, 4, 0, 4], [0, 0, 0, 0], [0, 0, 1, 1]], dtype=np.float32)
    >>> separating_direction(points).tolist()
    [0.0, 1.0, 0.0]
    """
    step = max(1, points.shape[1] // MAX_SAMPLE)
    some = np.asarray(points[:, ::step], dtype=np.float64)
    known = np.isfinite(some).all(axis=0)
    some = some[:, known]
    if some.shape[1] < 2 or not np.ptp(some, axis=1).any():
        return np.array([0.0, 1.0, 0.0])
    spread = np.cov(some, bias=True)
    matrix = spread / np.trace(spread)
    if codes is not None:
        between = _between(some, np.asarray(codes)[::step][known])
        if np.trace(between) > 0:
            matrix = between / np.trace(between) + OVERALL * matrix
    direction = np.linalg.eigh(matrix)[1][:, 0]
    # From above rather than from below; level and from the front rather than behind.
    turned_over = (direction[2] > 1e-9) or (
        abs(direction[2]) <= 1e-9 and direction[np.argmax(np.abs(direction))] < 0
    )
    return np.asarray((-direction if turned_over else direction) + 0.0)


def _between(points: NDArray[np.float64], codes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the covariance of the means of the classes, each counted once."""
    classes = [points[:, codes == code].mean(axis=1) for code in np.unique(codes)]
    means = np.stack(classes, axis=1)
    off = means - means.mean(axis=1, keepdims=True)
    return np.asarray(off @ off.T / off.shape[1])


def facing(camera: Camera, direction: NDArray[np.float64], /) -> Camera:
    """Return the camera turned so that it looks along a direction.

    Parameters
    ----------
    camera : Camera
        Keeps everything but its angles.
    direction : ndarray of shape (3,)
        Of any length but 0, in drawn units.

    Returns
    -------
    Camera
    """
    x, y, z = np.asarray(direction, dtype=np.float64) / np.linalg.norm(direction)
    elevation = float(np.degrees(np.arcsin(np.clip(-z, -1.0, 1.0))))
    azimuth = float(np.degrees(np.arctan2(-x, y))) if np.hypot(x, y) > 1e-9 else 0.0
    return replace(camera, azimuth=azimuth, elevation=elevation)


def framing(
    camera: Camera, points: NDArray[np.float32], width: float, height: float, /
) -> Camera:
    """Return the camera moved and zoomed so that the cloud fills the canvas.

    Parameters
    ----------
    camera : Camera
        Keeps its direction.
    points : ndarray of shape (3, n_points)
        In drawn units; columns with NaN are left out.
    width, height : float
        Of the canvas in pixels.

    Returns
    -------
    Camera
        From which the middle 99.5 % of the points take 76 % of the side that limits
        them; unchanged where there is no point.
    """
    step = max(1, points.shape[1] // MAX_SAMPLE)
    some = np.asarray(points[:, ::step], dtype=np.float64)
    some = some[:, np.isfinite(some).all(axis=0)]
    if not some.shape[1]:
        return camera
    axes = camera.axes()
    low, high = np.percentile(axes @ some, SEEN, axis=1)
    if camera.flat:
        low[2] = high[2] = 0.0
    center = axes.T @ (0.5 * (low + high))
    shorter = max(min(width, height), 1.0)
    needed = (high - low)[:2] * shorter / (FILL * np.array([width, height]))
    return replace(
        camera,
        center=(float(center[0]), float(center[1]), float(center[2])),
        height=float(needed.max()) or camera.height,
    )
