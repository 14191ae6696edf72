"""Errors that stay until they are read, and can be copied.

* `ErrorBox`: the last error above the form; napari's own message goes after seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import NotificationSeverity
from qtpy.QtCore import Qt, QThread
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

if TYPE_CHECKING:
    from napari.utils.notifications import Notification

__all__ = ["ErrorBox"]


class ErrorBox(QFrame):
    """Shows the last error that napari was told of; hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.copy, self.dismiss = QPushButton("Copy"), QPushButton("Dismiss")
        self.copy.clicked.connect(self._on_copy)
        self.dismiss.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.addStretch(1)
        for button in (self.copy, self.dismiss):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.addWidget(self._text)
        layout.addLayout(row)
        self.setVisible(False)

    @property
    def text(self) -> str:
        """The last error."""
        return str(self._text.text())

    def on_notification(self, notification: Notification) -> None:
        """Show an error; warnings and news are napari's to show."""
        if QThread.currentThread() != self.thread():
            return  # napari shows what threads of others have to say
        if notification.severity >= NotificationSeverity.ERROR:
            self._text.setText(str(notification.message))
            self.setVisible(True)

    def _on_copy(self, *_: Any) -> None:
        QApplication.clipboard().setText(self.text)
