"""The latent view beside the images: places, and what it shows when it opens."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QDockWidget
from test_latent_view import fill

from napari_phasemap.core.phases.posterior import posterior_map
from napari_phasemap.views.latent.view import LatentView
from napari_phasemap.workspace import PEARSON
from napari_phasemap.workspace.steps import put_probabilities, put_resolved

pytestmark = pytest.mark.gui

FORM, VIEW = "Phase map", "Latent view"


@pytest.fixture
def open_docks(viewer, two_particles, qtbot):
    """Open a form, then the view, in a window of a size."""

    def open_at(width, height):
        fill(viewer, two_particles)
        window = viewer.window._qt_window
        window.resize(width, height)
        qtbot.wait(100)
        for name in (FORM, VIEW):
            viewer.window.add_plugin_dock_widget("napari-phasemap", name)
            # The title is what a dock gets when it takes its place.
            qtbot.waitUntil(partial(is_placed, window, name), timeout=10_000)
            qtbot.wait(250)
        view = window.findChild(LatentView)
        return window, view

    return open_at


def is_placed(window, title):
    docks = window.findChildren(QDockWidget)
    return any(one.windowTitle() == title for one in docks)


def frame(window, title):
    return next(
        one for one in window.findChildren(QDockWidget) if one.windowTitle() == title
    )


def left_of(widget, window):
    return widget.mapTo(window, QPoint(0, 0)).x()


def test_in_a_wide_window_it_stands_between_the_images_and_the_forms(open_docks):
    window, view = open_docks(1400, 850)
    image, scatter = window.centralWidget(), view.scatter
    assert min(image.width(), scatter.width()) >= 280
    assert scatter.height() > 0.7 * window.height()
    places = [left_of(one, window) for one in (image, view, frame(window, FORM))]
    assert places == sorted(places)
    assert not window.tabifiedDockWidgets(frame(window, VIEW))


def test_in_a_small_window_it_stands_below_the_images(open_docks):
    window, view = open_docks(1100, 700)
    image = window.centralWidget()
    assert window.width() <= 1100
    assert min(image.width(), view.width()) >= 300
    assert min(image.height(), view.height()) >= 250
    assert view.mapTo(window, QPoint(0, 0)).y() > image.height()


def test_it_takes_the_window_a_window_of_its_own_and_comes_back(open_docks, qtbot):
    window, view = open_docks(1400, 850)
    toggles = {one.text(): one for one in view.tools.actions()}
    toggles["larger"].trigger()
    qtbot.wait(150)
    assert not window.centralWidget().isVisible()
    assert view.scatter.width() > 0.9 * window.width()
    toggles["larger"].trigger()
    qtbot.wait(150)
    assert window.centralWidget().isVisible()
    assert frame(window, FORM).isVisible()
    toggles["own window"].trigger()
    qtbot.wait(150)
    assert frame(window, VIEW).isFloating()
    assert view.second_canvas.place == "own window"
    toggles["own window"].trigger()
    qtbot.wait(150)
    assert not frame(window, VIEW).isFloating()
    places = [left_of(one, window) for one in (view, frame(window, FORM))]
    assert places == sorted(places)


@pytest.mark.parametrize("way", ["hide", "destroyOnClose"])
def test_a_view_that_goes_gives_the_window_back(open_docks, qtbot, way):
    window, view = open_docks(1400, 850)
    toggle = {one.text(): one for one in view.tools.actions()}["larger"]
    toggle.trigger()
    assert not window.centralWidget().isVisible()
    getattr(frame(window, VIEW), way)()
    qtbot.waitUntil(window.centralWidget().isVisible)
    assert frame(window, FORM).isVisible()
    if way == "hide":
        frame(window, VIEW).show()
        assert not toggle.isChecked()


def test_where_it_was_is_remembered(open_docks, viewer, qtbot):
    window, view = open_docks(1400, 850)
    view.second_canvas.set_place("own window", True)
    viewer.window.remove_dock_widget(frame(window, VIEW))
    qtbot.wait(100)
    viewer.window.add_plugin_dock_widget("napari-phasemap", VIEW)
    qtbot.waitUntil(partial(is_placed, window, VIEW), timeout=10_000)
    qtbot.wait(200)
    assert frame(window, VIEW).isFloating()


def test_pages_unfold_at_its_side_and_take_no_height(open_docks, qtbot):
    _, view = open_docks(1400, 850)
    before = view.scatter.height(), view.scatter.width()
    view.show_page("legend")
    qtbot.wait(100)
    assert view.legend.isVisible()
    assert view.scatter.height() == before[0]
    view.show_page("look")
    qtbot.wait(50)
    assert view.look.isVisible()
    assert not view.legend.isVisible()
    view.show_page("look", shown=False)
    qtbot.wait(50)
    assert view.scatter.width() == before[1]


def test_the_cloud_fills_the_canvas_and_shows_phases(open_docks):
    _, view = open_docks(1400, 850)
    assert view._colors.currentText() == "phase"
    screen, size = view.scatter.screen(), view.scatter.size_in_pixels()
    spans = [np.ptp(np.percentile(at, (0.25, 99.75))) for at in (screen.x, screen.y)]
    assert max(np.array(spans) / min(size)) >= 0.7


def test_a_coloring_that_a_person_chose_stays(open_docks, qtbot):
    _, view = open_docks(1100, 700)
    view._colors.setCurrentText("particle")
    view._colors.activated.emit(view._colors.currentIndex())
    view.workspace.resolved = view.workspace.phase_map
    qtbot.wait(30)
    assert view._colors.currentText() == "particle"


def test_unasked_the_colors_are_those_of_the_map_on_the_images(
    open_docks, references, qtbot
):
    _, view = open_docks(1100, 700)
    workspace, phases = view.workspace, view.workspace.phase_map
    posterior = posterior_map(workspace.stacks, references, neighbors=False)
    put_probabilities(workspace, references, phases, posterior)
    assert view._colors.currentText() == "probable phase"
    workspace.method = PEARSON
    assert view._colors.currentText() == "phase"
    put_resolved(workspace, 0.005, phases)
    qtbot.wait(30)
    assert view._colors.currentText() == "resolved phase"
