"""Windows for the GUI tests: shown, and released when a test ends."""

from __future__ import annotations

import gc
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

os.environ.setdefault("QT_API", "pyqt6")

from qtpy.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_settings_of_the_user(tmp_path: Any) -> None:
    """Nothing that an earlier window remembered decides where a dock goes."""
    ini, user = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    QSettings.setPath(ini, user, str(tmp_path / "settings"))


@pytest.fixture
def viewer(qtbot: Any) -> Iterator[Any]:
    """A shown napari viewer."""
    import napari

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1100, 700)
    qtbot.wait(50)
    yield viewer
    viewer.close()
    gc.collect()


@pytest.fixture
def two_particles() -> list[Any]:
    """Two non-square optical-density stacks, the second lowest row first."""
    from napari_phasemap.core.data.stack import SpectralStack

    rng = np.random.default_rng(1)
    energy = [515.0, 517.5, 520.0, 525.0, 530.3]
    shapes = ((20, 30), (26, 18))
    stacks = []
    for number, shape in enumerate(shapes):
        data = rng.uniform(0.1, 0.2, (5, *shape))
        data[1, :, : shape[1] // 2] += 1.0
        data[3, :, shape[1] // 2 :] += 1.0
        mask = np.ones(shape, dtype=bool)
        mask[0, :] = False
        origin = "lower" if number else "upper"
        stacks.append(
            SpectralStack(
                data,
                energy,
                mask=mask,
                quantity="optical_density",
                pixel_size=(30.0, 30.0),
                origin=origin,
                name=f"P{number + 1}",
            )
        )
    return stacks


@pytest.fixture
def references() -> Any:
    """Two references: the left and the right half of `two_particles`."""
    from napari_phasemap.core.data.references import ReferenceSpectra

    energy = [515.0, 517.5, 520.0, 525.0, 530.3]
    spectra = [[0.15, 1.15, 0.15, 0.15, 0.15], [0.15, 0.15, 0.15, 1.15, 0.15]]
    return ReferenceSpectra(("left", "right"), energy, spectra)


@pytest.fixture
def mouse(qtbot: Any) -> Any:
    """A mouse for the images: real events at world positions."""
    return Mouse(qtbot)


class Mouse:
    """Moves and clicks on a viewer's canvas, in world coordinates (y, x)."""

    def __init__(self, qtbot: Any) -> None:
        self.qtbot = qtbot

    def move(self, viewer: Any, world: tuple[float, float]) -> None:
        QTest.mouseMove(_canvas(viewer), self._position(viewer, world))
        self.qtbot.wait(30)

    def click(self, viewer: Any, world: tuple[float, float]) -> None:
        self.move(viewer, world)
        button = Qt.MouseButton.LeftButton
        QTest.mouseClick(_canvas(viewer), button, pos=self._position(viewer, world))
        self.qtbot.wait(30)

    def drag(
        self, viewer: Any, start: tuple[float, float], end: tuple[float, float]
    ) -> None:
        canvas, button = _canvas(viewer), Qt.MouseButton.LeftButton
        self.move(viewer, start)
        QTest.mousePress(canvas, button, pos=self._position(viewer, start))
        for share in (0.3, 0.7, 1.0):
            place = np.add(start, share * np.subtract(end, start))
            event = QMouseEvent(
                QEvent.Type.MouseMove,
                QPointF(self._position(viewer, tuple(place))),
                button,
                button,
                Qt.KeyboardModifier.NoModifier,
            )
            QApplication.sendEvent(canvas, event)
            self.qtbot.wait(30)
        QTest.mouseRelease(canvas, button, pos=self._position(viewer, end))
        self.qtbot.wait(30)

    def leave(self, viewer: Any) -> None:
        QTest.mouseMove(_canvas(viewer), QPoint(2, 2))
        self.qtbot.wait(30)

    def _position(self, viewer: Any, world: tuple[float, float]) -> QPoint:
        widget = _canvas(viewer)
        offset = (
            np.subtract(world, viewer.scene.camera.center[-2:])
            * viewer.scene.camera.zoom
        )
        row, col = np.array([widget.height(), widget.width()]) / 2 + offset
        return QPoint(round(col), round(row))


def _canvas(viewer: Any) -> Any:
    """Return the widget that draws the images."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # napari has no public way to its canvas
        return viewer.window._qt_viewer.canvas.native
