"""How I0 and the analyzed pixels are found: two small forms.

* `I0Choice`: brightest pixels, a drawn region, or a spectrum from a file.
* `MaskChoice`: Otsu on the mean optical density, a drawn region, a file, or all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QDoubleSpinBox,
)

from napari_phasemap.core.prepare.prepare import I0Source, PixelSource
from napari_phasemap.pipeline.preparation import i0_source, pixel_source
from napari_phasemap.views.shell.choice import Choice

if TYPE_CHECKING:
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.views.shell.link import ViewerLink

__all__ = ["I0Choice", "MaskChoice"]

#: What the history calls the shapes that a user drew.
DRAWN = "drawn region"


class I0Choice(Choice):
    """How the incident intensity I0 is found."""

    action = "Convert to optical density"
    region_name = "I0 region"

    def __init__(self, viewer: Any, link: ViewerLink) -> None:
        self._share = QDoubleSpinBox()
        self._share.setRange(0.1, 50.0)
        self._share.setValue(5.0)
        self._share.setSuffix(" % brightest")
        self._share.setToolTip("Pixels beside the sample: the brightest on average.")
        ways = {
            "brightest": "brightest pixels",
            "region": "drawn empty region",
            "file": "I0 spectrum from a file",
        }
        super().__init__(viewer, link, ways)
        self._form.insertRow(1, "", self._share)
        self._show_control()

    def source(self, stack: SpectralStack) -> I0Source:
        """Return where I0 of a stack comes from; files and drawings are read now."""
        if self.way == "region":
            return I0Source("region", region=self.drawn(stack), text=DRAWN)
        if self.way == "file":
            return i0_source(self.chosen_path())
        return I0Source("brightest", 100.0 - self._share.value())

    def _show_control(self) -> None:
        super()._show_control()
        if self._form.indexOf(self._share) >= 0:
            self._form.setRowVisible(self._share, self.way == "brightest")


class MaskChoice(Choice):
    """Which pixels are analyzed."""

    action = "Apply mask"
    region_name = "mask region"

    def __init__(self, viewer: Any, link: ViewerLink) -> None:
        self._lowest = QDoubleSpinBox()
        self._lowest.setRange(-10.0, 10.0)
        self._lowest.setDecimals(3)
        self._lowest.setSingleStep(0.01)
        self._lowest.setValue(0.1)
        self._lowest.setPrefix("mean OD above ")
        self._lowest.setToolTip("Thin material that Otsu's threshold leaves out.")
        ways = {
            "otsu": "Otsu threshold of the mean OD",
            "threshold": "threshold of the mean OD",
            "region": "drawn region",
            "file": "mask from a file",
            "all": "all pixels of the stack's own mask",
        }
        super().__init__(viewer, link, ways)
        self._form.insertRow(1, "", self._lowest)
        self._show_control()

    def source(self, stack: SpectralStack) -> PixelSource:
        """Return which pixels are meant; files and drawings are read now."""
        if self.way == "region":
            return PixelSource("mask", mask=self.drawn(stack), text=DRAWN)
        if self.way == "file":
            return pixel_source(self.chosen_path(), stack.shape)
        if self.way == "threshold":
            return PixelSource("threshold", low=self._lowest.value())
        return pixel_source("none" if self.way == "all" else "otsu", stack.shape)

    def _show_control(self) -> None:
        super()._show_control()
        if self._form.indexOf(self._lowest) >= 0:
            self._form.setRowVisible(self._lowest, self.way == "threshold")
