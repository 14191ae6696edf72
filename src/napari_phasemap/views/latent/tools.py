"""The row of tools above the scatter.

* `ToolBar`: what a drag does, how selections join, and a list of all gestures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from fonticon_mdi7 import MDI7
from qtpy.QtCore import QSize, Signal
from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import (
    QDialog,
    QLabel,
    QMenu,
    QToolBar,
    QToolButton,
    QVBoxLayout,
)
from superqt.fonticon import icon
from superqt.utils import signals_blocked

from napari_phasemap.core.latent.selection import SelectionMode
from napari_phasemap.views.scatter.tools import ARROW, GESTURES, TOOLS
from napari_phasemap.views.shell.second_canvas import PLACES

if TYPE_CHECKING:
    from napari_phasemap.views.scatter.scatter import Scatter
    from napari_phasemap.views.scatter.tools import Tool
    from napari_phasemap.views.shell.second_canvas import SecondCanvas

__all__ = ["ToolBar"]

TIPS = {
    "navigate": "Turn (drag), move (Shift + drag), zoom (wheel), click a point. Key V",
    "lasso": "Draw around points. Shift adds, Alt subtracts, both intersect. Key L",
    "rectangle": "Drag a rectangle around points. Key R",
    "ball": "Press on a point and drag: a ball around it in latent space. Key B",
}
#: Pixels of an icon.
ICON = 18
MODE_ICONS = {
    "replace": MDI7.set_all,
    "add": MDI7.set_none,
    "subtract": MDI7.set_left,
    "intersect": MDI7.set_center,
}
ICONS = {
    "navigate": MDI7.rotate_orbit,
    "lasso": MDI7.lasso,
    "rectangle": MDI7.selection,
    "ball": MDI7.sphere,
    "visible only": MDI7.eye_outline,
    "undo": MDI7.undo,
    "redo": MDI7.redo,
    "fit": MDI7.fit_to_page_outline,
    "legend": MDI7.format_list_bulleted,
    "selection": MDI7.select_group,
    "look": MDI7.palette_outline,
    "figure": MDI7.image_outline,
    "larger": MDI7.arrow_expand,
    "own window": MDI7.open_in_new,
    "help": MDI7.help_circle_outline,
}
MODE_TIP = "How a selection joins the old one; Shift and Alt go before this."
VISIBLE_TIP = "Select only points that are not hidden behind others. Key T"


def _follow(action: QAction, name: str, place: str) -> None:
    """Show which place the view has."""
    with signals_blocked(action):
        action.setChecked(place == name)


class ToolBar(QToolBar):
    """Sets the tool and the mode of a scatter; one row, what does not fit in a menu.

    `asked` (action) for what the bar can not do itself.
    """

    asked = Signal(str)

    def __init__(self, scatter: Scatter) -> None:
        super().__init__()
        self._scatter = scatter
        self._color: str | None = None
        self.setIconSize(QSize(ICON, ICON))
        self._group = QActionGroup(self)
        self._tools = {
            tool: self._add(tool, TIPS[tool], partial(self.set_tool, tool), check=True)
            for tool in TOOLS
        }
        for action in self._tools.values():
            self._group.addAction(action)
        self._tools["navigate"].setChecked(True)
        self._mode = QMenu(self)
        self._mode_button = self._add_modes()
        self._visible = self._add(
            "visible only", VISIBLE_TIP, self._on_visible, check=True
        )
        self._add("undo", "Take the last step back. Ctrl+Z", partial(self._ask, "undo"))
        self._add("redo", "Do it again. Ctrl+Y", partial(self._ask, "redo"))
        self._add("fit", "Let the points fill the view. Key F", scatter.fit)
        self._help: QDialog | None = None

    def add_toggle(self, name: str, tip: str, slot: Any) -> QAction:
        """Append a button that stays down; `slot` gets whether it is."""
        action = self._add(name, tip, lambda *_: None, check=True)
        action.toggled.connect(slot)
        return action

    def add_button(self, name: str, tip: str, slot: Any) -> QAction:
        """Append a button."""
        return self._add(name, tip, slot)

    def add_places(self, places: SecondCanvas) -> None:
        """Append the buttons that give the view the window, or one of its own."""
        for name, tip in PLACES.items():
            action = self.add_toggle(name, tip, partial(places.set_place, name))
            places.changed.connect(partial(_follow, action, name))

    def recolor(self, color: str) -> None:
        """Draw the icons in a color, for another theme."""
        self._color = color
        self._draw_mode()
        for action in self.actions():
            if action.text() in ICONS:
                action.setIcon(icon(ICONS[action.text()], color=color))

    def set_tool(self, tool: Tool, *_: Any) -> None:
        """Choose what a drag does."""
        self._scatter.gestures.tool = tool
        self._tools[tool].setChecked(True)

    def do(self, action: str) -> None:
        """Do what a key stands for, as far as tools and camera go."""
        scatter, camera = self._scatter, self._scatter.camera
        turns = {
            "turn left": (ARROW, 0.0),
            "turn right": (-ARROW, 0.0),
            "turn up": (0.0, ARROW),
            "turn down": (0.0, -ARROW),
        }
        if action in TOOLS:
            self._tools[action].trigger()
        elif action in ("front", "side", "top"):
            scatter.view_from(action)
        elif action in turns:
            scatter.set_camera(camera.turned(*turns[action]))
        elif action == "visible only":
            self._visible.trigger()
        elif action == "fit":
            scatter.fit()
        elif action == "zoom in":
            scatter.set_camera(camera.zoomed(1 / 1.2))
        elif action == "zoom out":
            scatter.set_camera(camera.zoomed(1.2))
        elif action == "help":
            self.show_help()

    def show_help(self, *_: Any) -> None:
        """List all gestures and keys."""
        if self._help is None:
            self._help = QDialog(self)
            self._help.setWindowTitle("Latent view: mouse and keyboard")
            rows = "".join(
                f"<tr><td><b>{a}</b></td><td>{b}</td></tr>" for a, b in GESTURES
            )
            QVBoxLayout(self._help).addWidget(
                QLabel(f"<table cellpadding=3>{rows}</table>")
            )
        self._help.show()

    def _ask(self, action: str, *_: Any) -> None:
        self.asked.emit(action)

    def set_mode(self, mode: SelectionMode, *_: Any) -> None:
        """Choose how a selection joins the old one."""
        self._scatter.gestures.mode = mode
        self._mode_button.setText(mode)
        for action in self._mode.actions():
            action.setChecked(action.text() == mode)
        self._draw_mode()

    def _add_modes(self) -> QToolButton:
        """Append a button that opens the list of modes and shows the chosen one."""
        button = QToolButton()
        button.setMenu(self._mode)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolTip(f"<b>mode</b>: {MODE_TIP}")
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        for mode in get_args(SelectionMode):
            action = self._mode.addAction(mode)
            action.setCheckable(True)
            action.setChecked(mode == "replace")
            action.triggered.connect(partial(self.set_mode, mode))
        button.setText("replace")
        button.setIcon(icon(MODE_ICONS["replace"]))
        self.addWidget(button)
        return button

    def _draw_mode(self) -> None:
        glyph = MODE_ICONS[self._mode_button.text()]
        self._mode_button.setIcon(icon(glyph, color=self._color))

    def _on_visible(self, *_: Any) -> None:
        self._scatter.visible_only = self._visible.isChecked()

    def _add(self, name: str, tip: str, slot: Any, *, check: bool = False) -> QAction:
        action = QAction(icon(ICONS[name]), name, self)
        action.setToolTip(f"<b>{name}</b>: {tip}")
        action.setCheckable(check)
        action.triggered.connect(slot)
        self.addAction(action)
        return action
