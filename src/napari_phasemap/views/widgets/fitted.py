"""Containers whose plots shrink to the dock instead of making it scroll.

* `FittedTabs`, `FittedBox`: as high as the dock, down to what their contents need.

A wrapped text anywhere inside makes a scroll area give its contents the preferred
height, which for a plot is twice that of a dock.
"""

from __future__ import annotations

from qtpy.QtWidgets import QSizePolicy, QTabWidget, QWidget

__all__ = ["FittedBox", "FittedTabs"]


class FittedTabs(QTabWidget):
    """Tabs that are never higher than the one that is seen must be."""

    def __init__(self) -> None:
        super().__init__()
        self.currentChanged.connect(self._on_current)

    def tabInserted(self, index: int) -> None:
        """Let a page that is added have no say either, unless it is the first."""
        super().tabInserted(index)
        self._on_current(self.currentIndex())

    def _on_current(self, current: int) -> None:
        """Let the other pages have no say in the height."""
        for index in range(self.count()):
            page = self.widget(index)
            policy = page.sizePolicy()
            seen = QSizePolicy.Policy.Preferred
            unseen = QSizePolicy.Policy.Ignored
            policy.setVerticalPolicy(seen if index == current else unseen)
            page.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        """Return False: the height does not follow from the width."""
        return False


class FittedBox(QWidget):
    """A container that is never higher than it must be."""

    def hasHeightForWidth(self) -> bool:
        """Return False: the height does not follow from the width."""
        return False
