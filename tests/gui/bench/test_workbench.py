"""The workbench as a user meets it: by clicks, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDockWidget, QFileDialog, QPushButton

pytestmark = pytest.mark.gui

from napari_phasemap.core.data.errors import InputError  # noqa: E402
from napari_phasemap.core.data.stack_set import StackSet  # noqa: E402
from napari_phasemap.io.samples import sample_references  # noqa: E402
from napari_phasemap.io.stackfile import write_stack  # noqa: E402
from napari_phasemap.views.bench import session as session_of_views  # noqa: E402
from napari_phasemap.views.bench.session import recent  # noqa: E402
from napari_phasemap.views.bench.workbench import Workbench  # noqa: E402
from napari_phasemap.views.latent.view import LatentView  # noqa: E402
from napari_phasemap.views.shell import opening  # noqa: E402
from napari_phasemap.views.shell.job import tell_error  # noqa: E402
from napari_phasemap.views.shell.kinds import PHASE, correlation  # noqa: E402
from napari_phasemap.views.shell.link import workspace_for  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

LEFT = Qt.MouseButton.LeftButton
COLORS = ("#112233", "#445566")
PATIENCE = 120_000


class Hand:
    """Presses with the mouse, and counts."""

    def __init__(self, window: Any, qtbot: Any) -> None:
        self.window, self.qtbot, self.clicks = window, qtbot, 0

    def click(self, widget: Any, pos: QPoint | None = None) -> None:
        assert widget.isVisible()
        assert widget.isEnabled()
        QTest.mouseClick(widget, LEFT, pos=pos or widget.rect().center())
        self.clicks += 1

    def press(self, text: str) -> None:
        """Click the button of a text as soon as it is seen."""

        def seen() -> list[Any]:
            return [
                one
                for one in self.window.findChildren(QPushButton)
                if one.text() == text and not one.visibleRegion().isEmpty()
            ]

        self.qtbot.waitUntil(lambda: len(seen()) == 1, timeout=10_000)
        self.click(seen()[0])

    def open_workbench(self) -> Workbench:
        """Click on Plugins, and on the workbench in the menu that opens beside it."""
        bar = self.window.menuBar()
        (plugins,) = (one for one in bar.actions() if "Plugins" in one.text())
        self.click(bar, bar.actionGeometry(plugins).center())
        menu = plugins.menu()
        (ours,) = (one for one in menu.actions() if one.text() == "Phase map")
        place = menu.actionGeometry(ours)
        for spot in 10 * (place.center(), place.center() + QPoint(3, 1)):
            QTest.mouseMove(menu, spot)
            self.qtbot.wait(100)
            if ours.menu().isVisible():
                break
        (entry,) = (
            one for one in ours.menu().actions() if one.text().startswith("Workbench")
        )
        self.click(ours.menu(), ours.menu().actionGeometry(entry).center())
        self.qtbot.waitUntil(
            lambda: self.window.findChild(LatentView) is not None, timeout=10_000
        )
        self.qtbot.wait(400)
        return self.window.findChild(Workbench)

    def draw(self, canvas: Any, path: list[tuple[float, float]]) -> None:
        """Drag along a path: one press of the button."""
        spots = [QPoint(round(x), round(y)) for x, y in path]
        QTest.mousePress(canvas, LEFT, pos=spots[0])
        for spot in spots[1:]:
            QTest.mouseMove(canvas, spot)
        QTest.mouseRelease(canvas, LEFT, pos=spots[-1])
        self.clicks += 1


@pytest.fixture
def hand(viewer: Any, qtbot: Any) -> Hand:
    return Hand(viewer.window._qt_window, qtbot)


def test_from_the_menu_to_a_map_in_3_clicks_a_lasso_in_6_a_figure_in_9(
    viewer: Any, hand: Hand, qtbot: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """With the last of the particles: every figure of one more takes a second."""
    whole = opening.sample_densities
    monkeypatch.setattr(opening, "sample_densities", lambda **told: whole(**told)[-1:])
    workspace = workspace_for(viewer)
    bench = hand.open_workbench()
    hand.press("Phase map of the sample particles")
    qtbot.waitUntil(lambda: workspace.phase_map is not None, timeout=PATIENCE)
    assert hand.clicks == 3
    assert "phase" in viewer.layers
    view = hand.window.findChild(LatentView)
    qtbot.wait(300)
    hand.click(view._pca)
    qtbot.waitUntil(lambda: workspace.latent is not None, timeout=PATIENCE)
    qtbot.wait(300)
    (lasso,) = (one for one in view.tools.actions() if one.text() == "lasso")
    hand.click(view.tools.widgetForAction(lasso))
    canvas = view.scatter.native
    w, h = canvas.width(), canvas.height()
    corners = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2)]
    hand.draw(canvas, [(x * w, y * h) for x, y in corners])
    assert hand.clicks == 6
    assert np.count_nonzero(viewer.layers["selection"].data) > 0
    hand.click(bench.steps.step("Figure"))
    qtbot.wait(100)

    def choose() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        dialog.setDirectory(str(tmp_path))
        (button,) = (
            one
            for one in dialog.findChildren(QPushButton)
            if "hoose" in one.text() and one.isVisible()
        )
        hand.click(button)

    QTimer.singleShot(800, choose)
    hand.press("Save figures and results…")
    assert hand.clicks == 9
    page = bench.page("Figure")
    qtbot.waitUntil(lambda: not page.job.running, timeout=PATIENCE)
    assert list((tmp_path / "phasemap_results").glob("*.png"))
    assert workspace.made.saved
    assert 300 <= bench.width() <= 360


def test_own_files_dropped_on_the_window_need_two_clicks_more(
    viewer: Any, hand: Hand, qtbot: Any, tmp_path: Path, two_particles: Any
) -> None:
    """Counts and references together, then Convert and Correlate."""
    workspace = workspace_for(viewer)
    bench = hand.open_workbench()
    tell_error(InputError("no 1 is 2"))
    assert bench.errors.isVisible()
    hand.press("Copy")
    assert QApplication.clipboard().text() == "no 1 is 2"
    hand.press("Dismiss")
    assert not bench.errors.isVisible()
    hand.clicks = 2
    for stack in two_particles:
        counts = stack.with_step("as counts", data=1000 * np.exp(-stack.data))
        counts = counts.with_step("counts", quantity="counts")
        write_stack(counts, tmp_path / f"{stack.name}.h5")
    dropped = [*tmp_path.glob("P*.h5"), *sample_references()]
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in dropped])
    none = Qt.KeyboardModifier.NoModifier
    action = Qt.DropAction.CopyAction
    place = bench.rect().center()
    enter = QDragEnterEvent(place, action, data, LEFT, none)
    QApplication.sendEvent(bench, enter)
    place = QPointF(place)
    QApplication.sendEvent(bench, QDropEvent(place, action, data, LEFT, none))
    qtbot.waitUntil(
        lambda: len(workspace.sources) == 2 and workspace.references is not None,
        timeout=PATIENCE,
    )
    qtbot.wait(100)
    hand.press("Convert to optical density")
    qtbot.waitUntil(lambda: workspace.stacks is not None, timeout=PATIENCE)
    hand.click(bench.steps.step("Correlate"))
    qtbot.wait(200)
    hand.press("Correlate")
    qtbot.waitUntil(lambda: workspace.phase_map is not None, timeout=PATIENCE)
    assert hand.clicks == 5


def test_stale_maps_say_so_and_are_made_again_and_steps_go_back_and_on(
    viewer: Any, hand: Hand, qtbot: Any, two_particles: Any, references: Any
) -> None:
    from napari_phasemap.core.phases.correlation import pearson_map
    from napari_phasemap.workspace.steps import put_map, put_references

    workspace = workspace_for(viewer)
    viewer.window.add_plugin_dock_widget("napari-phasemap", "Workbench")
    bench = hand.window.findChild(Workbench)
    workspace.set_stacks(StackSet(two_particles))
    put_references(workspace, references)
    put_map(workspace, references, pearson_map(workspace.stacks, references))
    old = workspace.phase_map
    put_references(workspace, references.resample([515.0, 517.5, 520.0, 525.0, 530.3]))
    qtbot.wait(700)
    assert bench.steps.text.startswith("The references have changed")
    hand.click(bench.steps.button)
    qtbot.waitUntil(lambda: workspace.phase_map is not old, timeout=PATIENCE)
    assert bench.tabs.tabText(bench.tabs.currentIndex()) == "Phases"
    assert not bench.steps.button.isVisible()
    hand.click(bench.undo.undo)
    assert workspace.phase_map is old
    assert bench.steps.text.startswith("The references have changed")
    assert bench.undo.redo.toolTip() == "Redo: correlate. Ctrl+Shift+Z"
    hand.click(bench.undo.redo)
    assert workspace.phase_map is not old
    canvas = viewer.window._qt_viewer.canvas.native
    viewer.layers.selection.clear()
    canvas.setFocus()
    for _ in range(2):
        QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert workspace.references is references
    bench.set_arrangement("EELS")
    shown = [
        bench.tabs.tabText(number)
        for number in range(bench.tabs.count())
        if bench.tabs.isTabVisible(number)
    ]
    assert shown == ["Edges", "Pairs", "Figure"]
    frames = [one.windowTitle() for one in hand.window.findChildren(QDockWidget)]
    assert sum("Workbench" in title for title in frames) == 1


def test_a_session_brings_back_what_was_open_and_how_it_was_shown(
    viewer: Any,
    hand: Hand,
    qtbot: Any,
    two_particles: Any,
    references: Any,
    tmp_path: Path,
) -> None:
    from napari_phasemap.core.phases.correlation import pearson_map
    from napari_phasemap.workspace.steps import put_latent, put_map, put_references

    workspace = workspace_for(viewer)
    viewer.window.add_plugin_dock_widget("napari-phasemap", "Workbench")
    bench = hand.window.findChild(Workbench)
    bench.link.open_stacks(two_particles)
    workspace.set_stacks(StackSet(list(workspace.sources)))
    put_references(workspace, references)
    put_map(
        workspace,
        references,
        pearson_map(workspace.stacks, references).with_colors(COLORS),
    )
    put_latent(workspace, np.ones((workspace.stacks.n_pixels, 2), np.float32), "mine")
    chosen = np.arange(workspace.stacks.n_pixels) % 7 == 0
    workspace.select(chosen)
    for kind in (PHASE, correlation("left")):
        bench.link.results.show(kind)
    viewer.layers["phase"].opacity = 0.25
    viewer.layers["P2"].visible = False
    viewer.scene.camera.zoom = 0.0321
    bench.set_arrangement("EELS")
    bench.set_arrangement("STXM")
    bench.tabs.setCurrentIndex(1)
    labels = workspace.phase_map.labels
    bench.save_session(tmp_path / "mine.h5")
    qtbot.waitUntil(lambda: not bench.job.running, timeout=PATIENCE)
    assert recent() == [tmp_path / "mine.h5"]
    for name in ("P1", "P2"):
        bench.link.close_stack(name)
    viewer.layers.clear()
    workspace.references = None
    bench.tabs.setCurrentIndex(0)
    viewer.scene.camera.zoom = 1.0
    bench.open_session(tmp_path / "mine.h5")
    qtbot.waitUntil(lambda: workspace.latent is not None, timeout=PATIENCE)
    qtbot.wait(100)
    np.testing.assert_array_equal(workspace.phase_map.labels, labels)
    assert workspace.phase_map.colors == COLORS
    assert workspace.latent_name == "mine"
    np.testing.assert_array_equal(workspace.selection, chosen)
    assert viewer.layers["phase"].opacity == 0.25
    assert not viewer.layers["P2"].visible
    assert "r(left)" in viewer.layers
    assert viewer.scene.camera.zoom == pytest.approx(0.0321)
    assert bench.tabs.tabText(bench.tabs.currentIndex()) == "Phases"
    assert bench.steps.step("Correlate").toolTip().startswith("<b>done")


def test_what_was_open_is_offered_again_and_a_full_disk_is_told(
    viewer: Any, hand: Hand, qtbot: Any, two_particles: Any, monkeypatch: Any
) -> None:
    """Without being asked: what was open when napari was closed."""

    def written() -> None:
        bench.last.write()
        qtbot.waitUntil(lambda: not bench.last._work.is_alive, timeout=PATIENCE)

    workspace = workspace_for(viewer)
    viewer.window.add_plugin_dock_widget("napari-phasemap", "Workbench")
    bench = hand.window.findChild(Workbench)
    assert not bench.start.go_on.isVisibleTo(bench.start)
    bench.link.open_stacks(two_particles)
    workspace.set_stacks(StackSet(list(workspace.sources)))
    workspace.level = 0.77
    assert bench.last._timer.isActive()  # any change that a session holds
    written()
    told = []
    monkeypatch.setattr(session_of_views, "tell_error", told.append)
    with monkeypatch.context() as full:
        full.setattr(session_of_views, "write_session", no_room)
        written()
        written()
    written()
    assert [str(one) for one in told] == ["no room"]
    bench.link.close_stack("P1", "P2")
    workspace.level = 0.5
    later = Workbench(viewer)
    qtbot.addWidget(later)
    assert later.start.go_on.isVisibleTo(later.start)
    later.open_last()
    qtbot.waitUntil(lambda: workspace.level == 0.77, timeout=PATIENCE)
    assert workspace.stacks.names == ("P1", "P2")


def no_room(*_: Any, **__: Any) -> None:
    raise OSError("no room")
