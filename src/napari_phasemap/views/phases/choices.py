"""How I0 and the analyzed pixels are found: two small forms.

* `I0Choice`: brightest pixels, a drawn region, or a spectrum from a file.
* `MaskChoice`: Otsu on the mean optical density, a drawn region, a file, or all.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import (
    QDoubleSpinBox,
)

from napari_phasemap.core.prepare.masking import mask_from, mean_image
from napari_phasemap.core.prepare.preprocess import estimate_i0
from napari_phasemap.views.shell.choice import Choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.views.shell.link import ViewerLink

__all__ = ["I0Choice", "MaskChoice"]


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

    def estimator(
        self, stack: SpectralStack
    ) -> Callable[[SpectralStack], NDArray[np.float64]]:
        """Return the function that estimates I0; what is drawn is read now."""
        if self.way == "region":
            return partial(estimate_i0, method="region", region=self.drawn(stack))
        if self.way == "file":
            from napari_phasemap.io.spectra import read_spectrum

            spectrum = read_spectrum(self.chosen_path())
            return partial(estimate_i0, method="spectrum", spectrum=spectrum)
        percentile = 100.0 - self._share.value()
        return partial(estimate_i0, method="brightest", percentile=percentile)

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
            "all": "all pixels",
        }
        super().__init__(viewer, link, ways)
        self._form.insertRow(1, "", self._lowest)
        self._show_control()

    def maker(
        self, stack: SpectralStack
    ) -> Callable[[SpectralStack], NDArray[np.bool_]]:
        """Return the function that makes a mask; what is drawn is read now."""
        if self.way == "region":
            return partial(mask_from, method="mask", mask=self.drawn(stack))
        if self.way == "file":
            return partial(_mask_of_file, path=self.chosen_path())
        if self.way == "threshold":
            low = self._lowest.value()
            return partial(mask_from, method="threshold", low=low)
        if self.way == "all":
            return _all_pixels
        return partial(mask_from, method="otsu")

    def describe(self) -> str:
        """Return the choice in words, with the number that belongs to it."""
        words = super().describe()
        return (
            f"{words} > {self._lowest.value():g}" if self.way == "threshold" else words
        )

    def _show_control(self) -> None:
        super()._show_control()
        if self._form.indexOf(self._lowest) >= 0:
            self._form.setRowVisible(self._lowest, self.way == "threshold")


def _mask_of_file(stack: SpectralStack, /, *, path: str) -> NDArray[np.bool_]:
    from napari_phasemap.io.spectra import read_mask

    return read_mask(path, stack.shape)


def _all_pixels(stack: SpectralStack, /) -> NDArray[np.bool_]:
    """Return every pixel that has a value at every energy."""
    return np.isfinite(mean_image(stack))
