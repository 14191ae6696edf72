"""The row of tools above the scatter.

* `ToolBar`: what a drag does, how selections join, and a list of all gestures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

from napari_phasemap.core.latent.selection import SelectionMode
from napari_phasemap.views.scatter.tools import ARROW, GESTURES, TOOLS

if TYPE_CHECKING:
    from napari_phasemap.views.scatter.scatter import Scatter
    from napari_phasemap.views.scatter.tools import Tool

__all__ = ["ToolBar"]

TIPS = {
    "navigate": "Turn (drag), move (Shift + drag), zoom (wheel), click a point. Key V",
    "lasso": "Draw around points. Shift adds, Alt subtracts, both intersect. Key L",
    "rectangle": "Drag a rectangle around points. Key R",
    "ball": "Press on a point and drag: a ball around it in latent space. Key B",
}
#: Pixels beside the text of a button, all together.
PADDING = 16
MODE_TIP = "How a selection joins the old one; Shift and Alt go before this."
VISIBLE_TIP = "Select only points that are not hidden behind others. Key T"


class ToolBar(QWidget):
    """Sets the tool and the mode of a scatter; wraps in a narrow dock.

    `asked` (action) for what the bar can not do itself.
    """

    asked = Signal(str)

    def __init__(self, scatter: Scatter) -> None:
        super().__init__()
        self._scatter = scatter
        self._layout = QFlowLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(3)
        self._layout.setVerticalSpacing(3)
        self._group = QButtonGroup(self)
        self._tools: dict[str, QPushButton] = {}
        for tool in TOOLS:
            button = self._button(tool, TIPS[tool], partial(self.set_tool, tool))
            button.setCheckable(True)
            self._group.addButton(button)
            self._tools[tool] = button
        self._tools["navigate"].setChecked(True)
        self._mode = QComboBox()
        self._mode.addItems(get_args(SelectionMode))
        self._mode.setToolTip(MODE_TIP)
        self._mode.currentTextChanged.connect(self._on_mode)
        self._layout.addWidget(self._mode)
        self._visible = self._button("visible only", VISIBLE_TIP, self._on_visible)
        self._visible.setCheckable(True)
        self._button(
            "undo", "Take the last step back. Ctrl+Z", partial(self._ask, "undo")
        )
        self._button("redo", "Do it again. Ctrl+Y", partial(self._ask, "redo"))
        self._button("fit", "Show all points. Key F", scatter.fit)
        self._button("?", "All gestures and keys. F1", self.show_help)
        self._help: QDialog | None = None

    def add(self, widget: QWidget) -> None:
        """Append a widget."""
        self._layout.addWidget(widget)

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
            self._tools[action].click()
        elif action in ("front", "side", "top"):
            scatter.view_from(action)
        elif action in turns:
            scatter.set_camera(camera.turned(*turns[action]))
        elif action == "visible only":
            self._visible.click()
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

    def _on_mode(self, mode: SelectionMode) -> None:
        self._scatter.gestures.mode = mode

    def _on_visible(self, *_: Any) -> None:
        self._scatter.visible_only = self._visible.isChecked()

    def _button(self, text: str, tip: str, slot: Any) -> QPushButton:
        button = QPushButton(text)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        button.setFixedWidth(button.fontMetrics().horizontalAdvance(text) + PADDING)
        button.setToolTip(tip)
        button.clicked.connect(slot)
        self._layout.addWidget(button)
        return button
