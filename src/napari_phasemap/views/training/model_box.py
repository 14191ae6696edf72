"""How the network is trained: the upper half of the Latent space dock.

* `ModelBox`: preset, the few numbers that matter, the rest behind *More*, loss curve.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
)
from superqt import QCollapsible

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.models.presets import PRESETS
from napari_phasemap.views.training.loss_curve import LossCurve
from napari_phasemap.views.widgets.forms import ParameterForm

__all__ = ["ModelBox"]

#: What a user changes first; everything else is behind *More*.
MAIN = ("epochs", "n_latent", "n_components")


class ModelBox(QGroupBox):
    """Shows the parameters of the model and how its loss falls.

    The buttons are connected by the dock.
    """

    def __init__(self) -> None:
        super().__init__("Model (Gaussian-mixture VAE)")
        layout = QVBoxLayout(self)
        self.preset = QComboBox()
        self.preset.addItems(list(PRESETS))
        self.preset.setCurrentText("recommended")
        self.preset.setToolTip(
            "recommended: standardized spectra, cosine schedule, seconds to minutes.\n"
            "paper: arXiv:2603.07666, 400 epochs, many times slower."
        )
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed, data and threads give the same model.")
        head = QFormLayout()
        head.addRow("preset", self.preset)
        head.addRow("seed", self.seed)
        layout.addLayout(head)
        values = PRESETS["recommended"]
        self._main = ParameterForm(values, MAIN)
        self._rest = ParameterForm(
            values, [n for n in values.as_dict() if n not in MAIN]
        )
        layout.addWidget(self._main.native)
        more = QCollapsible("More")
        more.addWidget(self._rest.native)
        layout.addWidget(more)
        self._stacks = QListWidget()
        self._stacks.setToolTip("Particles to train on; all are encoded.")
        self._stacks.setMaximumHeight(84)
        layout.addWidget(self._stacks)
        layout.addLayout(self._make_buttons())
        self.losses = LossCurve()
        layout.addWidget(self.losses)
        self.preset.currentTextChanged.connect(self._on_preset)

    def parameters(self) -> dict[str, Any]:
        """Return the values that differ from the preset's."""
        preset = PRESETS[self.preset.currentText()].as_dict()
        given = {**self._main.value(), **self._rest.value()}
        given["hidden"] = list(given["hidden"])
        return {name: v for name, v in given.items() if v != preset[name]}

    def chosen(self) -> list[int]:
        """Return the numbers of the stacks to train on.

        Raises
        ------
        ValueError
            If none is checked.
        """
        items = [self._stacks.item(i) for i in range(self._stacks.count())]
        checked = Qt.CheckState.Checked
        chosen = [i for i, item in enumerate(items) if item.checkState() == checked]
        if not chosen:
            raise InputError("no particle is checked to train on; check one or more")
        return chosen

    def set_stacks(self, names: Any) -> None:
        """List the particles, all checked."""
        self._stacks.clear()
        for name in names:
            item = QListWidgetItem(name)
            item.setCheckState(Qt.CheckState.Checked)
            self._stacks.addItem(item)

    def _on_preset(self, name: str) -> None:
        for form in (self._main, self._rest):
            form.set_value(PRESETS[name])

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.train = QPushButton("Train")
        self.apply = QPushButton("Apply")
        self.apply.setToolTip("Encode the stacks with the model, without training.")
        self.save = QPushButton("Save…")
        self.load = QPushButton("Load…")
        for button in (self.train, self.apply, self.save, self.load):
            row.addWidget(button)
        return row
