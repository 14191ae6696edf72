"""Text that comes and goes without moving what stands beside it.

* `SteadyLabel`: a label that keeps the height it once needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QLabel

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

__all__ = ["SteadyLabel"]

#: Pixels per line beside its own height, for margins and rounding.
SLACK = 2


class SteadyLabel(QLabel):
    """A wrapped text of changing length, which can be marked and copied.

    It grows when a text needs more lines, up to a limit, but never shrinks while it is
    as wide as it is: a canvas that gives way to one more line of text draws all its
    points again. The tool tip has the whole text.

    Parameters
    ----------
    n_lines : int
        Lines that it has at least.
    at_most : int, optional
        Lines above which it is cut off; default as many as the text needs.
    """

    def __init__(self, n_lines: int, at_most: int | None = None) -> None:
        super().__init__()
        self._n_lines, self._at_most = n_lines, at_most
        self._heights: dict[int, int] = {}
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def heightForWidth(self, width: int) -> int:
        """Return the height of the longest text so far, `n_lines` lines at least."""
        line = self.fontMetrics().lineSpacing() + SLACK
        needed = max(super().heightForWidth(width), self._n_lines * line)
        if self._at_most is not None:
            needed = min(needed, self._at_most * line)
        self._heights[width] = max(needed, self._heights.get(width, 0))
        return self._heights[width]

    def setText(self, text: str | None) -> None:
        """Show another text."""
        super().setText(text)
        if self._at_most is not None:
            self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """Return the room of the lines that it has at least."""
        line = self.fontMetrics().lineSpacing() + SLACK
        return QSize(super().minimumSizeHint().width(), self._n_lines * line)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Forget what was needed at other widths."""
        width = self.width()
        self._heights = {w: h for w, h in self._heights.items() if w == width}
        super().resizeEvent(event)
