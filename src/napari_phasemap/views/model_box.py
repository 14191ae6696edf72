"""How the network is trained: the upper half of the Latent space dock.

* `ModelBox`: preset, the few numbers that matter, the rest behind *More*, loss curve.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, Qt, Signal
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
from superqt.utils import qthrottled

from napari_phasemap.models.presets import PRESETS
from napari_phasemap.views.forms import ParameterForm
from napari_phasemap.views.plot import PlotView

__all__ = ["Epochs", "ModelBox"]

#: Milliseconds between two drawings of the loss curve.
DRAW_EVERY = 500
#: What a user changes first; everything else is behind *More*.
MAIN = ("epochs", "n_latent", "n_components")


class Epochs(QObject):
    """Carries the losses of an epoch from the job's thread to the window."""

    ended = Signal(dict)


class ModelBox(QGroupBox):
    """Shows the parameters of the model and how its loss falls.

    The buttons are connected by the dock.
    """

    def __init__(self) -> None:
        super().__init__("Model (Gaussian-mixture VAE)")
        layout = QVBoxLayout(self)
        self.preset = QComboBox()
        self.preset.addItems(["recommended", "paper"])
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
        layout.addWidget(self._main)
        more = QCollapsible("More")
        more.addWidget(self._rest)
        layout.addWidget(more)
        self._stacks = QListWidget()
        self._stacks.setToolTip("Particles to train on; all are encoded.")
        self._stacks.setMaximumHeight(84)
        layout.addWidget(self._stacks)
        layout.addLayout(self._make_buttons())
        self.plot = PlotView("The loss appears here while the model learns.")
        self.plot.setMinimumHeight(150)
        layout.addWidget(self.plot)
        self._history: dict[str, list[float]] = {}
        # matplotlib takes a good part of a frame; the window must stay responsive.
        self._draw_soon = qthrottled(self._draw, timeout=DRAW_EVERY)
        self.epochs = Epochs()
        self.epochs.ended.connect(self._on_epoch)
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
            raise ValueError("no particle is checked to train on; check one or more")
        return chosen

    def set_stacks(self, names: Any) -> None:
        """List the particles, all checked."""
        self._stacks.clear()
        for name in names:
            item = QListWidgetItem(name)
            item.setCheckState(Qt.CheckState.Checked)
            self._stacks.addItem(item)

    def show_history(self, history: dict[str, list[float]]) -> None:
        """Draw the losses of a whole training."""
        self._history = {key: list(values) for key, values in history.items()}
        self._draw()

    def begin(self) -> None:
        """Forget the losses of the last training."""
        self._history = {}

    def _on_preset(self, name: str) -> None:
        for form in (self._main, self._rest):
            form.set_value(PRESETS[name])

    def _on_epoch(self, losses: dict[str, float]) -> None:
        for key, value in losses.items():
            if key.endswith(("reconstruction", "kl")):
                self._history.setdefault(key, []).append(value)
        self._draw_soon()

    def _draw(self) -> None:
        from napari_phasemap.figures import draw_history

        if self._history:
            self.plot.draw(lambda axes: draw_history(axes, self._history))

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
