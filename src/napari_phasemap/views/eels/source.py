"""Which spectrum image is analyzed, where, and with which low loss.

* `SourcePage`: the first page of the EELS dock.
* `SpecimenChoice`: which pixels are analyzed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.shell.choice import Choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.views.shell.link import ViewerLink

__all__ = ["SourcePage", "SpecimenChoice", "holds_zero_loss"]

NO_LOW_LOSS = "none"


def holds_zero_loss(stack: SpectralStack) -> bool:
    """Whether a stack's axis holds 0 eV: a low loss."""
    return bool(stack.n_energies and stack.energy[0] <= 0.0 <= stack.energy[-1])


class SpecimenChoice(Choice):
    """How the analyzed pixels are found."""

    region_name = "specimen region"

    def __init__(self, viewer: Any, link: ViewerLink) -> None:
        self._least = QDoubleSpinBox()
        self._least.setRange(0.0, 5.0)
        self._least.setSingleStep(0.05)
        self._least.setValue(0.05)
        self._least.setPrefix("t/λ at least ")
        ways = {
            "all": "all pixels",
            "thickness": "thickness from the low loss",
            "region": "drawn region",
            "file": "mask from a file",
        }
        super().__init__(viewer, link, ways)
        self._form.insertRow(1, "", self._least)
        self._show_control()

    def mask(
        self, stack: SpectralStack, low_loss: SpectralStack | None
    ) -> NDArray[np.bool_]:
        """Return the mask of a stack, True where a pixel is analyzed."""
        if self.way == "region":
            return self.drawn(stack)
        if self.way == "file":
            from napari_phasemap.io.masks import read_mask

            return read_mask(self.chosen_path(), stack.shape)
        if self.way == "all":
            return np.ones(stack.shape, dtype=bool)
        if low_loss is None:
            raise InputError(
                f"{stack.name!r} has no low loss, so there is no thickness to choose "
                "pixels by; open the low loss of the same pixels, or choose another way"
            )
        from napari_phasemap.core.eels.thickness import specimen_mask, thickness

        measured = thickness(low_loss)
        mask = specimen_mask(measured, low_loss, least=self._least.value())
        if not mask.any():
            highest = float(measured.t_over_lambda.max(initial=0.0))
            raise InputError(
                f"no pixel is as thick as t/λ = {self._least.value():g}; the thickest "
                f"has {highest:.3g}"
            )
        return mask

    def _show_control(self) -> None:
        super()._show_control()
        if self._form.indexOf(self._least) >= 0:
            self._form.setRowVisible(self._least, self.way == "thickness")


class SourcePage(QWidget):
    """Chooses source, low loss and pixels. The dock acts on the signals."""

    analyze = Signal()
    measure = Signal()
    align = Signal()

    def __init__(self, viewer: Any, link: ViewerLink) -> None:
        super().__init__()
        self._stacks: tuple[SpectralStack, ...] = ()
        self.source = QComboBox()
        self.source.setToolTip("The spectrum image whose edges are analyzed.")
        self.low_loss = QComboBox()
        self.low_loss.setToolTip("Spectra of the same pixels that hold the zero loss.")
        for box in (self.source, self.low_loss):
            box.setMinimumContentsLength(14)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self.specimen = SpecimenChoice(viewer, link)
        self.note = QLabel()
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 2, 2)
        layout.addWidget(self._make_image())
        layout.addWidget(self._make_low_loss())
        self._corrections = QVBoxLayout()
        layout.addLayout(self._corrections)
        layout.addWidget(self.note)
        layout.addStretch(1)
        self.source.currentIndexChanged.connect(self._fill_low_loss)

    def add_corrections(self, corrections: QWidget) -> None:
        """Show what corrects the analyzed image."""
        self._corrections.addWidget(corrections)

    def set_sources(self, stacks: tuple[SpectralStack, ...]) -> None:
        """List other stacks; the choice stays where it can."""
        before = self.source.currentText()
        self._stacks = stacks
        usable = [s for s in stacks if s.n_energies > 1]
        names = [s.name for s in usable if not holds_zero_loss(s)]
        names += [s.name for s in usable if holds_zero_loss(s)]
        self.source.blockSignals(True)
        self.source.clear()
        self.source.addItems(names)
        self.source.setCurrentIndex(
            max(names.index(before) if before in names else 0, 0)
        )
        self.source.blockSignals(False)
        self._fill_low_loss()

    def chosen(self) -> SpectralStack:
        """Return the chosen stack."""
        stack = self._named(self.source.currentText())
        if stack is None:
            raise InputError(
                "there is no spectrum image; open one with File > Open, or the sample "
                "in File > Open Sample > Phase map"
            )
        return stack

    def chosen_low_loss(self) -> SpectralStack | None:
        """Return the low loss, None where there is none."""
        return self._named(self.low_loss.currentText())

    def _named(self, name: str) -> SpectralStack | None:
        return next((s for s in self._stacks if s.name == name), None)

    def _fill_low_loss(self) -> None:
        source = self._named(self.source.currentText())
        before = self.low_loss.currentText()
        names = [
            s.name
            for s in self._stacks
            if source is not None
            and s is not source
            and s.shape == source.shape
            and holds_zero_loss(s)
        ]
        self.low_loss.clear()
        self.low_loss.addItems([*names, NO_LOW_LOSS])
        if before in names:
            self.low_loss.setCurrentText(before)
        for button in self._low_loss_buttons:
            button.setEnabled(bool(names))

    def _make_image(self) -> QGroupBox:
        box = QGroupBox("Spectrum image")
        layout = QVBoxLayout(box)
        form = QFormLayout()
        form.addRow("analyze", self.source)
        layout.addLayout(form)
        layout.addWidget(QLabel("Pixels"))
        layout.addWidget(self.specimen)
        button = QPushButton("Analyze this image")
        button.setToolTip(
            "Starts from the image as it was opened: results and corrections go."
        )
        button.clicked.connect(lambda: self.analyze.emit())
        layout.addWidget(button)
        return box

    def _make_low_loss(self) -> QGroupBox:
        box = QGroupBox("Low loss")
        layout = QVBoxLayout(box)
        form = QFormLayout()
        form.addRow("paired with", self.low_loss)
        layout.addLayout(form)
        row = QHBoxLayout()
        self._low_loss_buttons = []
        for text, tip, signal in (
            ("Thickness map", "t/λ by the log ratio, as a layer.", self.measure),
            (
                "Zero loss to 0 eV",
                "Moves every pixel's channels so that its zero loss is at 0 eV, in the "
                "low loss and in the spectrum image.",
                self.align,
            ),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, s=signal: s.emit())
            row.addWidget(button)
            self._low_loss_buttons.append(button)
        layout.addLayout(row)
        return box
