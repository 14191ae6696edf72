"""What the mouse and the keyboard do in the scatter.

* `Gestures`: turns Qt events on the canvas into camera moves, clicks and strokes.
* `Stroke`: a finished drag with a selection tool.
* `KEYS`, `GESTURES`: the key of each action, and the list for the help button.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeySequence

if TYPE_CHECKING:
    from napari_phasemap.core.latent.selection import SelectionMode

__all__ = ["GESTURES", "KEYS", "Gestures", "Stroke", "Tool"]

Tool: TypeAlias = Literal["navigate", "lasso", "rectangle", "ball"]
TOOLS: tuple[Tool, ...] = ("navigate", "lasso", "rectangle", "ball")
#: Pixels that the mouse may move between press and release of a click.
CLICK_SLACK = 4.0
#: Pixels between two corners of a lasso.
LASSO_STEP = 2.0
#: Degrees-to-be per arrow key, in pixels of a drag.
ARROW = 20.0

#: Key of each action; they work while the scatter has the keyboard. Esc and the keys
#: of napari's window are left alone.
KEYS = {
    "V": "navigate",
    "L": "lasso",
    "R": "rectangle",
    "B": "ball",
    "F": "fit",
    "1": "front",
    "2": "side",
    "3": "top",
    "D": "flat",
    "T": "visible only",
    "I": "invert",
    "G": "grow",
    "P": "phase",
    "S": "toggle cursor",
    ".": "next",
    ",": "previous",
    "Backspace": "clear",
    "Del": "clear",
    "Ctrl+Z": "undo",
    "Ctrl+Y": "redo",
    "Ctrl+Shift+Z": "redo",
    "Left": "turn left",
    "Right": "turn right",
    "Up": "turn up",
    "Down": "turn down",
    "+": "zoom in",
    "-": "zoom out",
    "F1": "help",
}

GESTURES = (
    ("Click a point", "show its pixel and spectrum everywhere"),
    ("Click beside the points", "clear the selection"),
    ("Shift or Alt + click", "add or take away one point"),
    ("Drag (navigate, V)", "turn; in the 2-D view: move"),
    ("Shift + drag, or middle button", "move"),
    ("Right button + drag", "turn, also while a tool is on"),
    ("Wheel, + and -", "zoom"),
    ("Lasso L, rectangle R, ball B", "drag to select; hidden classes are left out"),
    ("Shift / Alt / both while dragging", "add / subtract / intersect"),
    ("T", "select only what is visible, or through"),
    ("I, G, P", "invert, grow to the cluster, whole phase of the marked point"),
    ("S", "add or take away the marked point"),
    (". and ,", "mark the next or the previous point"),
    ("Backspace", "clear the selection"),
    ("Ctrl+Z, Ctrl+Y", "undo and redo"),
    ("F, 1, 2, 3, D", "fit, front, side, top, 2-D view"),
    ("Arrow keys", "turn"),
)


@dataclass(frozen=True)
class Stroke:
    """A drag with a selection tool.

    Parameters
    ----------
    tool : {"lasso", "rectangle", "ball"}
        Which tool.
    points : tuple of (float, float)
        Pixels: the outline of a lasso, two corners of a rectangle, or center and rim
        of a ball.
    """

    tool: Tool
    points: tuple[tuple[float, float], ...]


class Gestures(QObject):
    """Reads the mouse and the keyboard of a canvas that it filters the events of.

    The canvas keeps nothing of them for itself, so a drag never means two things.
    """

    clicked = Signal(float, float, str)
    stroked = Signal(object, str)
    stroking = Signal(object)
    turned = Signal(float, float)
    moved = Signal(float, float)
    zoomed = Signal(float)
    asked = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.tool: Tool = "navigate"
        self.mode: SelectionMode = "replace"
        self.is_flat = False
        self._keys = {
            QKeySequence(key).toString(): action for key, action in KEYS.items()
        }
        self._start: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._path: list[tuple[float, float]] = []
        self._action = ""
        self._is_click = False

    def eventFilter(self, canvas: Any, event: Any) -> bool:
        """Take mouse and key events; leave all others to the canvas."""
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress:
            self._press(canvas, event)
        elif kind == QEvent.Type.MouseMove:
            self._move(event)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._release(event)
        elif kind == QEvent.Type.Wheel:
            self.zoomed.emit(1.1 ** (-event.angleDelta().y() / 120.0))
        elif kind == QEvent.Type.ShortcutOverride and self._action_of(event):
            event.accept()  # ours, not a shortcut of the window
            return True
        elif kind == QEvent.Type.KeyPress and self._action_of(event):
            self.asked.emit(self._action_of(event))
        else:
            return bool(kind == QEvent.Type.MouseButtonDblClick)
        event.accept()
        return True

    def mode_of(self, modifiers: Any) -> SelectionMode:
        """Return how a selection joins the old one: keys before the chosen mode."""
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        alt = bool(modifiers & Qt.KeyboardModifier.AltModifier)
        if shift and alt:
            return "intersect"
        if shift:
            return "add"
        return "subtract" if alt else self.mode

    def _press(self, canvas: Any, event: Any) -> None:
        canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        place = (event.position().x(), event.position().y())
        self._start = self._last = place
        self._path = [place]
        self._is_click = True
        left = event.button() == Qt.MouseButton.LeftButton
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if left and self.tool != "navigate":
            self._action = "stroke"
        elif event.button() == Qt.MouseButton.MiddleButton or (left and shift):
            self._action = "move"
        else:
            self._action = "move" if self.is_flat else "turn"

    def _move(self, event: Any) -> None:
        if self._start is None:
            return
        place = (event.position().x(), event.position().y())
        if _distance(place, self._start) > CLICK_SLACK:
            self._is_click = False
        if self._is_click:
            return
        dx, dy = place[0] - self._last[0], place[1] - self._last[1]
        if self._action == "turn":
            self.turned.emit(dx, dy)
        elif self._action == "move":
            self.moved.emit(dx, dy)
        elif self.tool == "lasso":
            if _distance(place, self._path[-1]) >= LASSO_STEP:
                self._path.append(place)
            self.stroking.emit(self._stroke(place))
        else:
            self.stroking.emit(self._stroke(place))
        self._last = place

    def _release(self, event: Any) -> None:
        if self._start is None:
            return
        place = (event.position().x(), event.position().y())
        start, self._start = self._start, None
        mode = self.mode_of(event.modifiers())
        if self._is_click:
            if event.button() == Qt.MouseButton.LeftButton:
                self.clicked.emit(*start, mode)
        elif self._action == "stroke":
            self.stroking.emit(None)
            self.stroked.emit(self._stroke(place), mode)

    def _stroke(self, place: tuple[float, float]) -> Stroke:
        if self.tool == "lasso":
            return Stroke("lasso", (*self._path, place))
        return Stroke(self.tool, (self._path[0], place))

    def _action_of(self, event: Any) -> str:
        keypad = Qt.KeyboardModifier.KeypadModifier
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            return self._keys["+" if event.key() == Qt.Key.Key_Plus else "-"]
        code = (event.modifiers() & ~keypad).value | int(event.key())
        return self._keys.get(QKeySequence(code).toString(), "")


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5)
