"""What the monkey of `monkey.py` does, and what it takes for a fault.

* `play`: open windows, act at random, close everything, report.
* `Faults`: every way in which an exception can reach a user.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

os.environ.setdefault("QT_API", "pyqt6")

import napari
import psutil
from napari.layers import Labels
from napari.qt import get_qapp
from napari.utils.notifications import notification_manager
from qtpy.QtCore import (
    QEvent,
    QPoint,
    QPointF,
    QSettings,
    Qt,
    QTimer,
    qInstallMessageHandler,
)
from qtpy.QtGui import QColor, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QColorDialog,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QTabBar,
    QWidget,
)

from napari_phasemap.views.shell.dock import Dock
from napari_phasemap.views.widgets.plot import PlotView

if TYPE_CHECKING:
    from collections.abc import Callable

PLUGIN = "napari-phasemap"
DOCKS = (
    "Workbench", "Data", "Phase map", "Latent space", "Latent view", "Spectra",
    "EELS classes", "Co-occurrence", "Plan energies",
)  # fmt: skip
SAMPLES = ("particles", "particles_counts", "composite")
#: Buttons along the way through the docks, which chance alone would rarely find.
PATH = (
    "Open sample particles", "Correlate", "Use PCA (3 components)", "Train", "Apply",
    "Resolve ambiguity", "Analyze this image", "Run", "Run all", "Save results…",
    "Cancel", "Thickness map", "Phase map of the sample particles", "Check references",
    "Compute probabilities", "Apply checked", "Add mean spectrum as a reference",
    "Undo", "Use probabilities instead", "Go on where you left off",
)  # fmt: skip
#: Controls that can be pressed, moved or typed into.
CONTROLS = (
    QAbstractButton, QComboBox, QAbstractSpinBox, QAbstractSlider, QLineEdit,
    QAbstractItemView, QTabBar,
)  # fmt: skip
KEYS = "123456789VCGTPFXYZQWH"
TEXTS = ("3", "0.01", "-1", "1e9", "", "abc", "520-530", "nan")
#: Actions after which memory is measured for the first time.
WARM = 1000
#: Layers above which no more are opened.
MOST_LAYERS = 40
#: Children that end with the process instead of with a window.
OF_THE_PROCESS = ("napari_phasemap.io.helper_worker", "resource_tracker")
#: Seconds after the last window in which children must be gone.
END_WITHIN = 2.0
#: What Qt says when a thread touches what is not its own.
WRONG_THREAD = ("thread", "Thread", "QBasicTimer", "QPaintDevice")
LEFT = Qt.MouseButton.LeftButton


class Faults:
    """Collects the exceptions that reached a user, an event loop or a thread."""

    def __init__(self) -> None:
        self.ours: list[str] = []
        self.upstream: list[str] = []
        self.qt: list[str] = []
        sys.excepthook = self._on_error
        threading.excepthook = lambda args: self._on_error(*args[:3])
        sys.unraisablehook = lambda args: self._on_error(
            args.exc_type, args.exc_value, args.exc_traceback
        )
        notification_manager.receive_error = self._on_error
        qInstallMessageHandler(self._on_message)

    def _on_error(self, kind: Any, error: Any, where: Any = None, *_: Any) -> None:
        text = "".join(traceback.format_exception(kind, error, where))
        ours = "/napari_phasemap/" in text
        (self.ours if ours else self.upstream).append(text)
        print("TRACEBACK", "ours" if ours else "upstream", text, flush=True)

    def _on_message(self, kind: Any, context: Any, text: str) -> None:
        if any(word in text for word in WRONG_THREAD):
            self.qt.append(text)
        print("QT", text, flush=True)


class Monkey:
    """Acts at random on windows with our docks."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = np.random.default_rng(seed)
        self.folder = folder
        self.viewers: list[Any] = []
        self.faults = Faults()
        get_qapp()
        self._closer = QTimer()
        self._closer.timeout.connect(close_popups)
        self._closer.start(150)
        self._answer_dialogs()
        self.actions: dict[Callable[[], str], float] = {
            self.use_control: 40, self.follow_path: 8, self.use_canvas: 12,
            self.use_scatter: 10, self.use_plot: 4, self.press_key: 4,
            self.change_layer: 8, self.paint: 3, self.move_slider: 3,
            self.open_dock: 4, self.close_dock: 3,
            self.float_dock: 1, self.open_sample: 1.5, self.open_file: 1.5,
            self.change_window: 3, self.wait: 4, self.second_viewer: 0.6,
            self.close_viewer: 0.4,
        }  # fmt: skip

    def act(self) -> str:
        """Do one thing and let the window answer."""
        if not self.viewers:
            self.new_viewer()
        weights = np.array(list(self.actions.values()))
        chosen = self.rng.choice(len(weights), p=weights / weights.sum())
        done = list(self.actions)[chosen]()
        QTest.qWait(int(self.rng.choice([1, 5, 20])))
        return done

    def look_around(self) -> None:
        """Open all there is once, so that every library is loaded; then close it.

        What is loaded for the first time stays, and is no growth.
        """
        viewer = self.new_viewer()
        for name in SAMPLES:
            viewer.open_sample(PLUGIN, name)
        for name in DOCKS:
            viewer.window.add_plugin_dock_widget(PLUGIN, name)
            QTest.qWait(200)
        self.close_viewer()

    # ---- Windows ----

    def new_viewer(self) -> Any:
        viewer = napari.Viewer(show=True)
        viewer.window.resize(*self.pick([(1100, 700), (900, 650), (700, 500)]))
        self.viewers.append(viewer)
        QTest.qWait(50)
        return viewer

    def second_viewer(self) -> str:
        if len(self.viewers) > 1:
            return self.close_viewer()
        self.new_viewer()
        return "second viewer"

    def close_viewer(self) -> str:
        self.viewers.pop(int(self.rng.integers(len(self.viewers)))).close()
        QTest.qWait(10)
        return "close viewer"

    @property
    def viewer(self) -> Any:
        return self.viewers[int(self.rng.integers(len(self.viewers)))]

    def change_window(self) -> str:
        viewer = self.viewer
        what = self.pick(["theme", "3-D", "grid", "reset", "size"])
        if what == "theme":
            viewer.theme = "light" if viewer.theme == "dark" else "dark"
        elif what == "3-D":
            # In 3-D stacks are volumes, which software paints for seconds each.
            is_flat = viewer.dims.ndisplay == 2 and self.rng.random() < 0.5
            viewer.dims.ndisplay = 3 if is_flat else 2
        elif what == "grid":
            viewer.canvas.grid.enabled = not viewer.canvas.grid.enabled
        elif what == "reset":
            viewer.reset_view()
        else:
            size = self.rng.integers(500, 1100, 2)
            viewer.window.resize(*map(int, size))
        return f"window: {what}"

    def open_dock(self) -> str:
        name = str(self.pick(DOCKS))
        self.viewer.window.add_plugin_dock_widget(PLUGIN, name)
        return f"open {name}"

    def close_dock(self) -> str:
        docks = self.docks()
        if docks:
            dock = self.pick(docks)
            dock.destroyOnClose() if self.rng.random() < 0.8 else dock.hide()
            return f"close {dock.name}"
        return self.open_dock()

    def float_dock(self) -> str:
        docks = self.docks()
        if not docks:
            return self.open_dock()
        dock = self.pick(docks)
        dock.setFloating(not dock.isFloating())
        return f"float {dock.name}"

    def open_sample(self) -> str:
        viewer, name = self.viewer, str(self.pick(SAMPLES))
        if len(viewer.layers) < MOST_LAYERS:
            viewer.open_sample(PLUGIN, name)
        return f"sample {name}"

    def open_file(self) -> str:
        viewer, path = self.viewer, self.any_file()
        try:
            viewer.open(path, plugin=PLUGIN)
        except Exception as error:
            # napari hands the exceptions of readers on to whoever calls.
            if not isinstance(error, ValueError | OSError | ImportError):
                raise
        return f"file {Path(path).name}"

    def wait(self) -> str:
        QTest.qWait(int(self.rng.choice([50, 200, 500])))
        return "wait"

    # ---- Controls of the docks ----

    def docks(self, visible: bool = True) -> list[Any]:
        window = self.viewer.window._qt_window
        return [
            dock
            for dock in window.findChildren(QDockWidget)
            if isinstance(inner_of(dock), Dock) and (dock.isVisible() or not visible)
        ]

    def use_control(self) -> str:
        docks = self.docks()
        if not docks:
            return self.open_dock()
        dock = self.pick(docks)
        dock.raise_()
        found = [
            child
            for child in inner_of(dock).findChildren(QWidget)
            if isinstance(child, CONTROLS) and child.isVisible() and child.isEnabled()
        ]
        return self.press(self.pick(found)) if found else "no control"

    def follow_path(self) -> str:
        dock = self.pick(self.docks() or [None])
        if dock is None:
            return self.open_dock()
        dock.raise_()
        buttons = [
            button
            for button in inner_of(dock).findChildren(QAbstractButton)
            if button.text() in PATH and button.isVisible() and button.isEnabled()
        ]
        return self.press(self.pick(buttons)) if buttons else "no path"

    def press(self, control: Any) -> str:
        """Use a control as its kind wants, at a place in it."""
        text = getattr(control, "text", lambda: "")()
        name = f"{type(control).__name__} {text if isinstance(text, str) else ''}"
        print("press", name, flush=True)
        spot = self.spot(control)
        if isinstance(control, QComboBox) and control.count():
            QTest.keyClick(control, self.pick([Qt.Key.Key_Down, Qt.Key.Key_Up]))
        elif isinstance(control, QAbstractSpinBox | QLineEdit):
            control.selectAll()
            QTest.keyClicks(control, str(self.pick(TEXTS)))
            QTest.keyClick(control, Qt.Key.Key_Return)
        elif isinstance(control, QAbstractItemView):
            QTest.mouseClick(control.viewport(), LEFT, pos=spot)
            if self.rng.random() < 0.2:
                QTest.mouseDClick(control.viewport(), LEFT, pos=spot)
        elif isinstance(control, QAbstractButton):
            QTest.mouseClick(control, LEFT)
        else:
            QTest.mouseClick(control, LEFT, pos=spot)
        return f"press {name}"

    # ---- Canvases ----

    def use_canvas(self) -> str:
        canvas = self.viewer.window._qt_viewer.canvas.native
        self.drag(canvas) if self.rng.random() < 0.5 else self.click(canvas)
        return "canvas"

    def use_scatter(self) -> str:
        scatters = [
            inner_of(dock).scatter
            for dock in self.docks()
            if getattr(inner_of(dock), "scatter", None) is not None
        ]
        if not scatters:
            return self.use_control()
        native = self.pick(scatters).native
        if not native.isVisible():
            return "no scatter"
        if self.rng.random() < 0.3:
            QTest.keyClick(native, str(self.pick(list(KEYS))))
        self.drag(native) if self.rng.random() < 0.6 else self.click(native)
        return "scatter"

    def use_plot(self) -> str:
        plots = [
            plot
            for dock in self.docks()
            for plot in inner_of(dock).findChildren(PlotView)
            if plot.canvas is not None and plot.canvas.isVisible()
        ]
        if not plots:
            return self.use_control()
        canvas = self.pick(plots).canvas
        if self.rng.random() < 0.3:
            keys = (Qt.Key.Key_Left, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Home)
            QTest.keyClick(canvas, self.pick(keys))
        self.drag(canvas) if self.rng.random() < 0.5 else self.click(canvas)
        return "plot"

    def press_key(self) -> str:
        canvas = self.viewer.window._qt_viewer.canvas.native
        key = str(self.pick(list(KEYS)))
        QTest.keyClick(canvas, key)
        return f"key {key}"

    def move_slider(self) -> str:
        viewer = self.viewer
        if viewer.dims.ndim > 2:
            last = int(viewer.dims.nsteps[0])
            viewer.dims.set_current_step(0, int(self.rng.integers(last)))
        return "slider"

    def click(self, widget: QWidget) -> None:
        spot = self.spot(widget)
        QTest.mouseMove(widget, spot)
        QTest.mouseClick(widget, LEFT, pos=spot)

    def drag(self, widget: QWidget) -> None:
        keys = self.pick(
            [Qt.KeyboardModifier.NoModifier] * 3 + [Qt.KeyboardModifier.ShiftModifier]
        )
        spots = [self.spot(widget) for _ in range(5)]
        QTest.mousePress(widget, LEFT, keys, spots[0])
        for spot in spots[1:]:
            there = QPointF(widget.mapToGlobal(spot))
            event = QMouseEvent(
                QEvent.Type.MouseMove, QPointF(spot), there, LEFT, LEFT, keys
            )
            QApplication.sendEvent(widget, event)
            QTest.qWait(3)
        QTest.mouseRelease(widget, LEFT, keys, spots[-1])

    def spot(self, widget: QWidget) -> QPoint:
        width, height = max(widget.width(), 2), max(widget.height(), 2)
        return QPoint(int(self.rng.integers(width)), int(self.rng.integers(height)))

    # ---- Layers ----

    def change_layer(self) -> str:
        viewer = self.viewer
        if not len(viewer.layers):
            return self.open_sample()
        layer = self.pick(list(viewer.layers))
        what = str(
            self.pick(["hide", "rename", "duplicate", "select", "move", "delete"])
        )
        if what == "hide":
            layer.visible = not layer.visible
        elif what == "rename":
            layer.name = f"{layer.name[:20]} {int(self.rng.integers(9))}"
        elif what == "duplicate" and len(viewer.layers) < MOST_LAYERS:
            data, attributes, kind = layer.as_layer_data_tuple()
            viewer.add_layer(type(layer).create(data, dict(attributes), kind))
        elif what == "select":
            viewer.layers.selection.active = layer
        elif what == "move":
            viewer.layers.move(int(self.rng.integers(len(viewer.layers))), 0)
        elif what == "delete":
            viewer.layers.remove(layer)
        return f"layer: {what}"

    def paint(self) -> str:
        viewer = self.viewer
        labels = [layer for layer in viewer.layers if isinstance(layer, Labels)]
        if not labels:
            return "nothing to paint"
        layer = self.pick(labels)
        viewer.layers.selection.active = layer
        layer.mode = self.pick(["paint", "fill", "erase", "pan_zoom"])
        layer.selected_label = int(self.rng.integers(8))
        self.drag(viewer.window._qt_viewer.canvas.native)
        if self.rng.random() < 0.3:
            layer.undo()
        return f"paint {layer.mode}"

    # ---- Dialogs ----

    def _answer_dialogs(self) -> None:
        """Let dialogs for files and colors answer at once, sometimes with nothing."""
        QFileDialog.getOpenFileName = lambda *_, **__: (self.any_file(), "")
        QFileDialog.getOpenFileNames = lambda *_, **__: ([self.any_file()], "")
        QFileDialog.getExistingDirectory = lambda *_, **__: self.any_target()
        QFileDialog.getSaveFileName = lambda *_, **__: (self.any_target(), "")
        QColorDialog.getColor = lambda *_, **__: QColor(str(self.pick(["red", "no"])))
        QInputDialog.getText = lambda *_, **__: ("monkey", True)
        for name in ("question", "warning", "information", "critical"):
            setattr(QMessageBox, name, lambda *_, **__: QMessageBox.StandardButton.Ok)

    def any_file(self) -> str:
        return str(self.pick([*sorted(self.folder.glob("in/*")), "", "/nowhere/x.h5"]))

    def any_target(self) -> str:
        name = self.pick(["a", "b.png", "c.gif", "d.csv", "none/e.png", ""])
        return str(self.folder / "out" / name) if name else ""

    def pick(self, items: Any) -> Any:
        return items[int(self.rng.integers(len(items)))]


def inner_of(dock: Any) -> Any:
    """Return our widget in a dock; napari wraps it in no more than a scroll area."""
    inner = dock.widget()
    return inner if isinstance(inner, Dock) else dock.findChild(Dock)


def close_popups() -> None:
    """Close menus and dialogs that wait for an answer."""
    for widget in (QApplication.activePopupWidget(), QApplication.activeModalWidget()):
        if widget is not None:
            actions = [a for a in widget.actions() if a.isEnabled()]
            if actions and not actions[-1].menu():
                actions[-1].trigger()
            widget.close()


def make_files(folder: Path) -> None:
    """Lay down good and bad files."""
    from napari_phasemap.io.samples import sample_paths, sample_references

    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    for path in [*sample_paths(), *sample_references()]:
        if path.is_file():
            data = path.read_bytes()
            (folder / "in" / path.name).write_bytes(data)
            (folder / "in" / f"half_{path.name}").write_bytes(data[: len(data) // 2])
    (folder / "in" / "text.csv").write_text("energy,a\nnot,numbers\n")
    (folder / "in" / "empty.h5").write_bytes(b"")


def memory() -> float:
    """Return what the process holds, in MiB, after everything unused was given back."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return float(psutil.Process().memory_info().rss / 2**20)


def children() -> list[str]:
    """Return the commands of the processes that a window may leave behind.

    The one that meets files is the process's own, as is Python's tracker of shared
    memory: both end with it.
    """
    found = psutil.Process().children(recursive=True)
    commands = [
        " ".join(one.cmdline()) for one in found if one.status() != psutil.STATUS_ZOMBIE
    ]
    return [one for one in commands if not any(own in one for own in OF_THE_PROCESS)]


def close_all(monkey: Monkey) -> int:
    """Close every window; return the children left when they must be gone."""
    while monkey.viewers:
        monkey.viewers.pop().close()
    end = time.monotonic() + END_WITHIN
    while children() and time.monotonic() < end:
        QTest.qWait(20)
    QTest.qWait(100)
    for left in children():
        print("LEFT", left)
    return len(children())


def play(seed: int, n_actions: int, patience: float) -> dict[str, Any]:
    """Do `n_actions` things at random and return what came of it."""
    with tempfile.TemporaryDirectory() as name:
        make_files(Path(name))
        ini, user = QSettings.Format.IniFormat, QSettings.Scope.UserScope
        QSettings.setPath(ini, user, str(Path(name, "settings")))
        monkey = Monkey(seed, Path(name))
        monkey.look_around()
        held, left, slowest = [], 0, 0.0
        for number in range(1, n_actions + 1):
            begin = time.monotonic()
            faulthandler.dump_traceback_later(patience, exit=True)
            try:
                done = monkey.act()
            except Exception:  # noqa: BLE001
                done = "failed"
                monkey.faults._on_error(*sys.exc_info())
            took = time.monotonic() - begin
            slowest = max(took, slowest)
            print(f"action {number} {done} {took:.2f} s", flush=True)
            if number == min(WARM, n_actions // 2):
                faulthandler.cancel_dump_traceback_later()
                left += close_all(monkey)
                held.append(memory())
        faulthandler.cancel_dump_traceback_later()
        left += close_all(monkey)
        held.append(memory())
    faults = monkey.faults
    return {
        "slowest": round(slowest, 1),
        "tracebacks": len(faults.ours),
        "upstream": len(faults.upstream),
        "Qt": len(faults.qt),
        "memory_MB": round(held[-1] - held[0]),
        "children": left,
    }
