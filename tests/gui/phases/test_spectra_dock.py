from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.views.phases.spectra import SpectraView
from napari_phasemap.views.shell.brush import brush_for
from napari_phasemap.views.shell.link import link_for, workspace_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(viewer: Any, qtbot: Any, two_particles: list[Any], references: Any) -> Any:
    """The dock of two particles with references and a phase map, drawn."""
    link_for(viewer).open_stacks(two_particles)
    workspace = workspace_for(viewer)
    workspace.set_stacks(StackSet(two_particles))
    workspace.references = references
    workspace.phase_map = pearson_map(workspace.stacks, references)
    _, dock = viewer.window.add_plugin_dock_widget("napari-phasemap", "Spectra")
    assert isinstance(dock, SpectraView)
    qtbot.waitUntil(lambda: dock.plot._kept is not None, timeout=10_000)
    return dock


def spot_of(dock: Any, x: float, y: float) -> QPoint:
    """The place of data coordinates on the canvas, in logical pixels."""
    canvas, axes = dock.plot.canvas, dock.plot.axes
    col, row = axes.transData.transform((x, y)) / canvas.device_pixel_ratio
    return QPoint(round(col), round(canvas.height() - row))


def test_mouse_and_keys_look_into_the_plot(viewer: Any, qtbot: Any, dock: Any) -> None:
    plot, canvas = dock.plot, dock.plot.canvas
    assert plot.axes.get_legend() is not None
    assert plot.axes.bbox.width / canvas.device_pixel_ratio > 0.75 * canvas.width()
    middle = float(np.mean(plot.axes.get_ylim()))
    left = Qt.MouseButton.LeftButton
    QTest.mouseClick(canvas, left, pos=spot_of(dock, 524.0, middle))
    assert viewer.dims.current_step[0] == 3  # 525 eV is the nearest
    assert dock._lines["energy"].get_xdata()[0] == 525.0
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert viewer.dims.current_step[0] == 2

    whole = plot.axes.get_xlim()
    place = spot_of(dock, 520.0, middle)
    wheel = QWheelEvent(
        QPointF(place),
        QPointF(canvas.mapToGlobal(place)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, wheel)
    closer = plot.axes.get_xlim()
    assert np.ptp(closer) == pytest.approx(np.ptp(whole) / 1.25)
    share = np.subtract(520.0, [whole[0], closer[0]]) / [np.ptp(whole), np.ptp(closer)]
    assert share[0] == pytest.approx(share[1], abs=0.01)  # what is pointed at stays
    workspace_for(viewer).cursor = 30
    dock.draw()
    assert plot.axes.get_xlim() == closer
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    assert plot.axes.get_xlim() == whole


def test_what_is_shown_is_written(viewer: Any, dock: Any, tmp_path: Path) -> None:
    workspace = workspace_for(viewer)
    dock.bar.show_part("residual")
    dock.bar.show_part("peaks and edge")
    dock.bar.set_way("difference", "left")
    workspace.cursor = 40
    dock.draw()
    spectra = workspace.stacks.spectra().astype(float)
    reference = np.asarray(workspace.references.spectra[0])
    factor = spectra[40] @ reference / (reference @ reference)
    line = dock._lines["pixel"].get_ydata()
    np.testing.assert_allclose(line, spectra[40] - factor * reference, atol=1e-6)
    assert "rms residual" in dock.pointed.text()
    dock.save_numbers(tmp_path / "spectra.csv")
    rows = (tmp_path / "spectra.csv").read_text().splitlines()
    headings = rows[0].split(",")
    assert headings[:3] == ["energy (eV)", "left", "right"]
    assert headings[3:] == [
        "pixel",
        "residual left",
        "residual right",
        "residual pixel",
    ]
    table = np.array([row.split(",") for row in rows[1:]], dtype=float)
    np.testing.assert_allclose(table[:, 0], workspace.stacks.energy)
    np.testing.assert_allclose(table[:, 3], line, rtol=1e-6)
    dock.save_picture(tmp_path / "spectra.png")
    assert (tmp_path / "spectra.png").stat().st_size > 10_000
    dock._on_asked("Copy numbers")
    assert QApplication.clipboard().text().startswith("energy (eV)\tleft\t")
    dock._on_asked("Copy picture")
    assert QApplication.clipboard().image().width() == 1200


def test_two_selections_stand_side_by_side(viewer: Any, dock: Any) -> None:
    workspace = workspace_for(viewer)
    dock.bar.set_compare(True)
    dock.draw()
    assert "choose 'Set A'" in dock.plot._empty.text()
    with pytest.raises(InputError, match="no pixel is selected"):
        dock.keep_as("A")
    n_pixels, labels = workspace.stacks.n_pixels, workspace.phase_map.labels
    first = (np.arange(n_pixels) < 300) & (labels == 1)
    workspace.select(first)
    dock.keep_as("A")
    workspace.select(labels == 2)
    dock.keep_as("B")
    dock.draw()
    table = dock._table
    rows = [
        [table.topLevelItem(i).text(column) for column in range(3)]
        for i in range(table.topLevelItemCount())
    ]
    n_a, n_b = int(first.sum()), int((labels == 2).sum())
    assert rows[0] == ["pixels", f"{n_a}", f"{n_b}"]
    assert ["left", "100.0", "0.0"] in rows
    assert ["right", "0.0", "100.0"] in rows
    assert ["P1", "100.0"] in [row[:2] for row in rows]
    below = dock.plot.below.lines[1].get_ydata()
    spectra = workspace.stacks.spectra().astype(float)
    expected = spectra[labels == 2].mean(axis=0) - spectra[first].mean(axis=0)
    np.testing.assert_allclose(below, expected, rtol=1e-5)
    workspace.undo()
    dock.draw()
    assert "choose 'Set A'" in dock.plot._empty.text()


def test_one_key_draws_on_the_image_and_points_light_up(
    viewer: Any, qtbot: Any, mouse: Any, dock: Any
) -> None:
    workspace = workspace_for(viewer)
    canvas = viewer.window._qt_viewer.canvas.native
    image = viewer.layers["P1"]
    place = partial(_world, image)

    def selected() -> tuple[int, ...]:
        grid = workspace.stacks.to_image(workspace.selection, 0, 0)
        rows, cols = np.nonzero(grid)
        return (rows.min(), rows.max(), cols.min(), cols.max()) if len(rows) else ()

    QTest.keyClick(canvas, Qt.Key.Key_W)
    mouse.drag(viewer, place(4, 5), place(9, 15))
    assert selected() == pytest.approx((4, 9, 5, 15), abs=1)
    QTest.keyClick(canvas, Qt.Key.Key_W)  # begins anew
    assert selected() == pytest.approx((4, 9, 5, 15), abs=1)
    mouse.drag(viewer, place(12, 20), place(16, 26))
    assert selected() == pytest.approx((12, 16, 20, 26), abs=1)
    assert len(viewer.layers["selection region"].data) == 1
    n_before = int(workspace.selection.sum())
    QTest.keyClick(canvas, Qt.Key.Key_G)
    assert viewer.layers.selection.active.name == "selection"
    mouse.drag(viewer, place(5, 5), place(5, 15))
    assert workspace.selection.sum() > n_before + 10
    QTest.keyClick(canvas, Qt.Key.Key_H)
    assert viewer.layers.selection.active is image
    mouse.click(viewer, place(8, 8))
    assert workspace.stacks.locate(workspace.cursor) == (0, 8, 8)
    viewer.dims.ndisplay = 3
    with pytest.raises(InputError, match="2-D"):
        brush_for(viewer).take("lasso")


def _world(image: Any, row: float, col: float) -> tuple[float, float]:
    y, x = image.data_to_world((0, row, col))[-2:]
    return float(y), float(x)


def test_tab_goes_through_the_controls_as_they_stand(qtbot: Any, dock: Any) -> None:
    qtbot.wait(300)
    controls, one = [], dock.bar
    while True:
        one = one.nextInFocusChain()
        if one is dock.bar or len(controls) > 40:
            break
        inside = dock.bar.isAncestorOf(one) and one.isVisible()
        if inside and one.focusPolicy() & Qt.FocusPolicy.TabFocus:
            controls.append(one)
    texts = [one.text() for one in controls if isinstance(one, QPushButton)]
    assert texts == ["Show", "Select on image", "Clear", "Compare", "Export"]
    dock.window().activateWindow()
    controls[-1].setFocus()
    qtbot.waitUntil(controls[-1].hasFocus)
    shown = controls[-1].grab().toImage()
    controls[0].setFocus()
    hidden = controls[-1].grab().toImage()
    assert shown != hidden  # a frame shows where the keyboard is
