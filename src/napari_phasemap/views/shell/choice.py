"""A small form: several ways to get one thing, each with the control it needs.

* `Choice`: the form; what each way gives is for its children to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Shapes
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.shell.regions import draw_region, region_mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.views.shell.link import ViewerLink

__all__ = ["Choice"]


class Choice(QWidget):
    """A list of ways, each with the one control that it needs."""

    action = ""
    region_name = ""

    def __init__(self, viewer: Any, link: ViewerLink, ways: dict[str, str]) -> None:
        super().__init__()
        self._viewer = viewer
        self._link = link
        self._ways = QComboBox()
        shortened = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self._ways.setSizeAdjustPolicy(shortened)
        for way, text in ways.items():
            self._ways.addItem(text, way)
        self._draw = QPushButton("Draw region")
        self._draw.setToolTip("Drag on the image; several regions are joined.")
        self._draw.clicked.connect(self._on_draw)
        self._file = QPushButton("Choose file…")
        self._file.clicked.connect(self._on_file)
        self._path = QLineEdit()
        self._path.setPlaceholderText("no file chosen")
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.addRow("from", self._ways)
        self._form.addRow("", self._draw)
        self._form.addRow(self._file, self._path)
        self._ways.currentIndexChanged.connect(self._show_control)
        self._show_control()

    @property
    def way(self) -> str:
        """The chosen way."""
        return str(self._ways.currentData())

    def set_way(self, way: str) -> None:
        """Choose a way."""
        self._ways.setCurrentIndex(self._ways.findData(way))

    def describe(self) -> str:
        """Return the choice in words, for the history."""
        return str(self._ways.currentText())

    def drawn(self, stack: SpectralStack) -> NDArray[np.bool_]:
        """Return the drawn region of one stack, or say that there is none."""
        layer = next(
            (
                x
                for x in self._viewer.layers
                if isinstance(x, Shapes) and x.name == self.region_name
            ),
            None,
        )
        mask = None if layer is None else region_mask(layer, stack, self._link)
        if mask is None or not mask.any():
            raise InputError(
                f"nothing is drawn on {stack.name!r}; press 'Draw region', outline it "
                f"on the image of {stack.name!r}, or choose another way"
            )
        return mask

    def chosen_path(self) -> str:
        """Return the file, or say that none is chosen."""
        path = str(self._path.text()).strip()
        if not path:
            raise InputError("no file is chosen; press 'Choose file…'")
        return path

    def _show_control(self) -> None:
        self._form.setRowVisible(self._draw, self.way == "region")
        self._form.setRowVisible(self._path, self.way == "file")

    def _on_draw(self) -> None:
        draw_region(self._viewer, self.region_name, self._link)

    def _on_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a file")
        if path:
            self._path.setText(path)
