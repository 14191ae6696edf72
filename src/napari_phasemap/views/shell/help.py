"""The page of the docs that belongs to a dock, without a network.

* `help_button`: the "?" of a dock.
* `show_page`: a page in a window of its own.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices, QImage, QTextDocument
from qtpy.QtWidgets import QDialog, QTextBrowser, QToolButton, QVBoxLayout, QWidget

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from qtpy.QtWidgets import QMainWindow

__all__ = ["PAGES", "docs_folder", "help_button", "show_page"]

FOLDER = "docs"
#: Page of each dock, by its title.
PAGES = {
    "Workbench": "workbench",
    "Data": "stxm",
    "Phase map": "stxm",
    "Spectra": "linked_view",
    "Latent space": "training",
    "Latent view": "linked_view",
    "EELS classes": "eels",
    "Co-occurrence": "eels_results",
    "Figure": "workbench",
    "Plan energies": "planning",
}
#: Width and height of the window, and what its frame and scroll bar take, in pixels.
SIZE, FRAME = (760, 720), 60

_WINDOWS: WeakKeyDictionary[QWidget, _Pages] = WeakKeyDictionary()


def docs_folder() -> Path:
    """Return the folder of the docs: in the package, or beside `src` in a checkout.

    Raises
    ------
    InputError
        If it is in neither place.
    """
    package = Path(__file__).parents[2]
    places = (package / FOLDER, package.parents[1] / FOLDER)
    for place in places:
        if (place / "stxm.md").is_file():
            return place
    raise InputError(
        f"the docs are missing; looked in {' and '.join(map(str, places))}"
    )


def help_button(title: str) -> QToolButton:
    """Return a button that opens the page of the dock of a title."""
    button = QToolButton()
    button.setText("?")
    button.setAutoRaise(True)
    button.setToolTip("Open the page of the docs.")
    button.setAccessibleName("Help")
    button.clicked.connect(partial(_on_help, button, PAGES[title]))
    return button


def _on_help(button: QToolButton, page: str, *_: object) -> None:
    show_page(button.window(), page)


def show_page(window: QWidget | QMainWindow, page: str) -> QDialog:
    """Show a page of the docs in the one help window of a window.

    Parameters
    ----------
    window : QWidget
        The help window goes with it.
    page : str
        Name of the file without its ending.

    Returns
    -------
    QDialog
    """
    dialog = _WINDOWS.get(window)
    if dialog is None:
        dialog = _WINDOWS[window] = _Pages(window)
    dialog.show_page(page)
    return dialog


class _Browser(QTextBrowser):
    """Shows Markdown with its pictures no wider than the window."""

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """Return a picture that fits, anything else as it is."""
        resource = super().loadResource(kind, name)
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return resource
        path = Path(self.source().toLocalFile()).parent / name.path()
        image = QImage(str(path))
        width = max(self.width() - FRAME, 200)
        if image.isNull() or image.width() <= width:
            return image
        return image.scaledToWidth(width)


class _Pages(QDialog):
    """A window for pages; links between them work, others open in the browser."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setWindowTitle("Phase map: help")
        self.browser = _Browser()
        self.browser.setOpenLinks(False)
        self.browser.anchorClicked.connect(self._on_link)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.browser)
        self.resize(*SIZE)

    def show_page(self, page: str) -> None:
        """Show a page and come to the front."""
        self.show()
        self._open(docs_folder() / f"{page}.md")
        self.raise_()

    def _open(self, path: Path) -> None:
        kind = QTextDocument.ResourceType.MarkdownResource
        self.browser.setSource(QUrl.fromLocalFile(str(path)), kind)

    def _on_link(self, link: QUrl) -> None:
        path = self.browser.source().resolved(link)
        if path.isLocalFile() and path.path().endswith(".md"):
            self._open(Path(path.toLocalFile()))
        else:
            QDesktopServices.openUrl(path)
