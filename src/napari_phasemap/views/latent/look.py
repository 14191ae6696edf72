"""How the scatter looks, and how it leaves the window.

* `LookTab`: axes, size, opacity, camera and outlines.
* `FigureTab`: copy, save, and a turning movie.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_phasemap.core.latent.density import has_kernels, load_kernels
from napari_phasemap.views.scatter.figure import Turn, render
from napari_phasemap.views.shell.ending import when_gone
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.warm import load_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QImage

    from napari_phasemap.views.scatter.scatter import Scatter

__all__ = ["FigureTab", "LookTab"]

#: Up to how many points, and the diameter in pixels that they start with.
SIZES = ((20_000, 5.0), (300_000, 3.0), (float("inf"), 2.0))
#: More points hide one another: how many lie where tells more.
DENSE_FROM = 500_000
#: Milliseconds after a density is first shown until it is made fast.
LOAD_AFTER = 700
BACKGROUNDS = {
    "as shown": "",
    "white": "#ffffff",
    "black": "#000000",
    "transparent": "transparent",
}


class LookTab(QWidget):
    """Chooses three axes of the latent space and how points are drawn.

    `axesChanged` when other axes, or another scaling, are wanted; `clustersRequested`
    (number) asks for k-means.
    """

    axesChanged = Signal()
    clustersRequested = Signal(int)

    def __init__(self, scatter: Scatter) -> None:
        super().__init__()
        self._scatter = scatter
        self._axes = [QComboBox() for _ in range(3)]
        self._names: tuple[str, ...] = ()
        self._equal = QCheckBox("equal scales")
        self._equal.setToolTip("One unit is as long on every axis.")
        self._flat = QCheckBox("2-D view")
        self._perspective = QCheckBox("perspective")
        self._perspective.setChecked(True)
        self._size = QDoubleSpinBox()
        self._size.setRange(1.0, 30.0)
        self._size.setSuffix(" px")
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(5, 100)
        self._opacity.setValue(100)
        self._box = QCheckBox("axes")
        self._box.setChecked(True)
        self._rings = QCheckBox("ellipsoids")
        self._rings.setToolTip("1 and 2 standard deviations of each class.")
        self._rare = QCheckBox("rare classes in front")
        self._density = QCheckBox("density")
        self._density.setToolTip("How many points lie where, instead of the nearest.")
        self._is_loading = False
        # When the view is open: loading takes from it what Python does one at a time.
        self._loading = QTimer(self)
        self._loading.setInterval(LOAD_AFTER)
        self._loading.timeout.connect(self._on_loading)
        self._clusters = QSpinBox()
        self._clusters.setRange(2, 40)
        self._clusters.setValue(4)
        self._lay_out()
        for combo in self._axes:
            combo.currentIndexChanged.connect(self._on_axes)
        self._equal.toggled.connect(self._on_axes)
        self._flat.toggled.connect(scatter.set_flat)
        self._perspective.toggled.connect(scatter.set_perspective)
        self._size.valueChanged.connect(self._on_style)
        self._opacity.valueChanged.connect(self._on_style)
        for box in (self._box, self._rings, self._rare, self._density):
            box.toggled.connect(self._on_style)

    @property
    def axes(self) -> tuple[int, ...]:
        """The chosen axes of the latent space."""
        return tuple(combo.currentIndex() for combo in self._axes)

    @property
    def stretch(self) -> bool:
        """Whether each axis has its own scale."""
        return not self._equal.isChecked()

    @property
    def names(self) -> tuple[str, ...]:
        """Titles of the chosen axes, "" for one that there is not."""
        chosen = (combo.currentIndex() for combo in self._axes)
        return tuple(self._names[index] if index >= 0 else "" for index in chosen)

    def set_latent(self, names: Sequence[str], n_points: int) -> None:
        """Offer other axes; the first three are chosen."""
        self._names = tuple(names)
        # What all names begin with would leave no room for what tells them apart.
        heads = {name.rpartition(" ")[0] for name in names}
        shared = f"{heads.pop()} " if len(heads) == 1 else ""
        for index, combo in enumerate(self._axes):
            combo.setToolTip(f"Axis {index + 1} of the view: {', '.join(names)}.")
            with signals_blocked(combo):
                combo.clear()
                combo.addItems([name.removeprefix(shared) for name in names])
                combo.setCurrentIndex(index if index < len(names) else -1)
                combo.setEnabled(index < len(names))
        self._flat.setEnabled(len(names) > 2)
        self._density.setChecked(n_points > DENSE_FROM)
        self._size.setValue(next(size for most, size in SIZES if n_points <= most))

    def toggle_flat(self) -> None:
        """Change between two and three axes."""
        self._flat.toggle()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(2, 2, 2, 2)
        form.addRow("axes", _row(*self._axes))
        form.addRow("", self._equal)
        form.addRow("camera", _row(self._flat, self._perspective))
        sides = []
        for side in ("front", "side", "top"):
            button = QPushButton(side)
            button.clicked.connect(partial(self._on_side, side))
            sides.append(button)
        form.addRow("view from", _row(*sides))
        form.addRow("point size", self._size)
        form.addRow("opacity", self._opacity)
        form.addRow("show", _row(self._box, self._rings))
        form.addRow("", _row(self._rare, self._density))
        find = QPushButton("Find clusters")
        find.setToolTip("k-means in the latent space, as a coloring.")
        find.clicked.connect(self._on_clusters)
        form.addRow("k-means", _row(self._clusters, find))

    def _on_axes(self, *_: Any) -> None:
        self.axesChanged.emit()

    def _on_side(self, side: str, *_: Any) -> None:
        self._flat.setChecked(False)
        self._scatter.view_from(side)

    def _on_clusters(self, *_: Any) -> None:
        self.clustersRequested.emit(self._clusters.value())

    def _on_loading(self) -> None:
        """Load what makes densities fast; draw all points when it is there."""
        if has_kernels():
            self._loading.stop()
            self._scatter.canvas.update()
        elif not self._is_loading:
            self._is_loading = True
            load_beside(load_kernels)

    def _on_style(self, *_: Any) -> None:
        if self._density.isChecked() and not (has_kernels() or self._is_loading):
            self._loading.start()
        self._opacity.setEnabled(not self._density.isChecked())
        self._scatter.restyle(
            point_size=self._size.value(),
            opacity=self._opacity.value() / 100.0,
            axes=self._box.isChecked(),
            ellipsoids=self._rings.isChecked(),
            rare_in_front=self._rare.isChecked(),
            density=self._density.isChecked(),
        )


class FigureTab(QWidget):
    """Copies or saves the scatter as shown, at any size."""

    def __init__(self, scatter: Scatter) -> None:
        super().__init__()
        self._scatter = scatter
        self._width, self._height = QSpinBox(), QSpinBox()
        for box in (self._width, self._height):
            box.setRange(100, 8000)
            box.setValue(2400)
            box.setSuffix(" px")
        self._background = QComboBox()
        for text, color in BACKGROUNDS.items():
            self._background.addItem(text, color)
        self._legend = QCheckBox("legend")
        self._legend.setChecked(True)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setVisible(False)
        self._buttons = {}
        for text, slot in (
            ("Copy", self.copy),
            ("Save…", self._on_save),
            ("Save turn…", self._on_turn),
        ):
            self._buttons[text] = QPushButton(text)
            self._buttons[text].clicked.connect(slot)
        self._buttons["Save turn…"].setToolTip("A full turn as GIF or MP4.")
        form = QFormLayout(self)
        form.setContentsMargins(2, 2, 2, 2)
        form.addRow("size", _row(self._width, self._height))
        form.addRow("background", _row(self._background, self._legend))
        form.addRow(_row(*self._buttons.values()))
        form.addRow(self._progress)
        self._turns: list[Turn] = []
        # A window that is closed deletes the movie; the slot holds nothing of the tab.
        when_gone(self, partial(_delete_all, self._turns))
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._on_frame)

    def image(self) -> QImage:
        """Return the figure."""
        return render(
            self._scatter,
            self._width.value(),
            self._height.value(),
            background=self._background.currentData(),
            legend=self._legend.isChecked(),
        )

    def copy(self, *_: Any) -> None:
        """Put the figure into the clipboard."""
        QApplication.clipboard().setImage(self.image())

    def save(self, path: Path) -> None:
        """Write the figure; the ending gives the format.

        Raises
        ------
        OSError
            If the file can not be written.
        """
        if not self.image().save(str(path)):
            raise OSError(f"{path} could not be written; is the ending .png or .tif?")

    def start_turn(self, path: Path, *, n_frames: int = 120) -> None:
        """Begin to write a movie; the window stays alive, pressing again stops."""
        longest = 800 / max(self._width.value(), self._height.value(), 800)
        size = [
            2 * max(8, int(box.value() * longest / 2))
            for box in (self._width, self._height)
        ]
        turn = Turn(self._scatter, path, size=(size[0], size[1]), n_frames=n_frames)
        self._turns.append(turn)
        self._buttons["Save turn…"].setText("Stop")
        self._progress.setRange(0, n_frames)
        self._progress.setVisible(True)
        self._timer.start()

    def stop_turn(self, *, complete: bool = False) -> None:
        """End the movie; one that is not complete is deleted."""
        self._timer.stop()
        while self._turns:
            self._turns.pop().close(complete=complete)
        self._progress.setVisible(False)
        self._buttons["Save turn…"].setText("Save turn…")

    def _on_frame(self) -> None:
        for turn in tuple(self._turns):
            try:
                more = turn.add_frame()
            # Whatever goes wrong ends the movie, and is told.
            except Exception as error:  # noqa: BLE001
                self.stop_turn()
                tell_error(error)
                return
            self._progress.setValue(turn.n_done)
            if not more:
                self.stop_turn(complete=True)

    def _on_save(self, *_: Any) -> None:
        path, _filter = QFileDialog.getSaveFileName(
            self, "Save the scatter", "latent.png", "Images (*.png *.tif *.jpg)"
        )
        if path:
            self._guard(partial(self.save, Path(path)))

    def _on_turn(self, *_: Any) -> None:
        if self._turns:
            self.stop_turn()
            return
        path, _filter = QFileDialog.getSaveFileName(
            self, "Save a turn", "latent.gif", "Movies (*.gif *.mp4)"
        )
        if path:
            self._guard(partial(self.start_turn, Path(path)))

    def _guard(self, action: Any) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 # told as what it is
            tell_error(error)


def _delete_all(turns: list[Turn], _: Any = None) -> None:
    """Delete movies that are not complete."""
    while turns:
        turns.pop().close(complete=False)


def _row(*widgets: QWidget) -> QWidget:
    """Return the widgets side by side."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        if isinstance(widget, QComboBox):
            widget.setMinimumContentsLength(4)
            widget.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        if isinstance(widget, QComboBox | QPushButton):
            # In a narrow dock a shortened text beats a second scroll bar.
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout.addWidget(widget)
    return row
