"""The steps of the way as a row of buttons, and what is to be done.

* `StepRow`: a view of `workspace.path`; decides nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fonticon_mdi7 import MDI7
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget
from superqt import QFlowLayout
from superqt.fonticon import icon

from napari_phasemap.workspace.path import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_phasemap.workspace.path import Station

__all__ = ["StepRow"]

#: Pixels of an icon.
ICON = 16
ICONS = {
    Standing.DONE: MDI7.check_circle,
    Standing.STALE: MDI7.refresh_circle,
    Standing.NEXT: MDI7.arrow_right_circle,
    Standing.LATER: MDI7.circle_outline,
}
#: Of the palette that color-blind people can tell apart, on dark and on light; None is
#: the color of the theme's icons.
COLORS = {
    Standing.DONE: "#009e73",
    Standing.STALE: "#d55e00",
    Standing.NEXT: "#56b4e9",
    Standing.LATER: None,
}
#: Steps that can be done again from here, and what the button says.
AGAIN = {
    "Correlate": "Make it again",
    "Resolve": "Resolve again",
    "Figure": "Save again…",
}


class StepRow(QWidget):
    """Shows how the steps stand.

    `chosen` (step) after a click on one; `again` (step) when a stale result is to be
    made again.
    """

    chosen = Signal(str)
    again = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._buttons: dict[str, QToolButton] = {}
        self._stations: tuple[Station, ...] = ()
        self._stale = ""
        self._icon_color = "#909090"
        self._row = QFlowLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setHorizontalSpacing(2)
        self._row.setVerticalSpacing(0)
        self.said = QWidget()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button = QPushButton()
        self.button.clicked.connect(self._on_again)
        beside = QHBoxLayout(self.said)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self._text, 1)
        beside.addWidget(self.button)

    @property
    def text(self) -> str:
        """What is said of the step that counts now."""
        return str(self._text.text())

    def show_stations(self, stations: Sequence[Station]) -> None:
        """Show how the steps stand; say the first stale one, else the next one."""
        if tuple(stations) == self._stations:
            return
        self._stations = tuple(stations)
        if [one.name for one in stations] != list(self._buttons):
            self._make([one.name for one in stations])
        self._draw()
        said = next((x for x in stations if x.standing == Standing.STALE), None)
        self._stale = "" if said is None or said.name not in AGAIN else said.name
        said = said or next((x for x in stations if x.standing == Standing.NEXT), None)
        self._text.setText("" if said is None else said.text)
        self.button.setVisible(bool(self._stale))
        self.button.setText(AGAIN.get(self._stale, ""))

    def step(self, name: str) -> QToolButton:
        """Return the button of a step."""
        return self._buttons[name]

    def recolor(self, color: str) -> None:
        """Draw in the icon color of another theme."""
        self._icon_color = color
        self._draw()

    def _draw(self) -> None:
        for station in self._stations:
            button = self._buttons[station.name]
            color = COLORS[station.standing] or self._icon_color
            button.setIcon(icon(ICONS[station.standing], color=color))
            button.setToolTip(f"<b>{station.standing}</b>: {station.text}")
            button.setAccessibleDescription(f"{station.standing}: {station.text}")
            font = button.font()
            font.setBold(station.standing in (Standing.NEXT, Standing.STALE))
            button.setFont(font)

    def _make(self, names: Sequence[str]) -> None:
        for button in self._buttons.values():
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = {}
        for name in names:
            button = QToolButton()
            button.setText(name)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setIconSize(QSize(ICON, ICON))
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(partial(self._on_chosen, name))
            self._row.addWidget(button)
            self._buttons[name] = button

    def _on_chosen(self, name: str, *_: object) -> None:
        self.chosen.emit(name)

    def _on_again(self, *_: object) -> None:
        self.again.emit(self._stale)
