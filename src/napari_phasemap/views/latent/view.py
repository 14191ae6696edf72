"""The latent space of all particles, linked with the images and the spectra.

* `LatentView`: the dock. A click in the scatter becomes the cursor of all views, a
  lasso their selection, and the other way round.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_phasemap.core.data.describe import describe_pixel
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.views.latent.actions import NO_STACKS, LatentActions, problem
from napari_phasemap.views.latent.color_choice import CLUSTERS, ColorChoice
from napari_phasemap.views.latent.legend import LegendTab
from napari_phasemap.views.latent.look import FigureTab, LookTab
from napari_phasemap.views.latent.selections import SelectionTab
from napari_phasemap.views.latent.tools import ToolBar
from napari_phasemap.views.scatter.colors import coloring
from napari_phasemap.views.scatter.gl import has_opengl
from napari_phasemap.views.scatter.scatter import Scatter
from napari_phasemap.views.shell.dock import Dock, guarded
from napari_phasemap.views.shell.kinds import SELECTION
from napari_phasemap.views.shell.placing import dock_of
from napari_phasemap.views.shell.second_canvas import SecondCanvas
from napari_phasemap.views.widgets.steady_label import SteadyLabel
from napari_phasemap.workspace.steps import put_latent

if TYPE_CHECKING:
    import napari.viewer

    from napari_phasemap.workspace import Workspace

__all__ = ["LatentView"]

PLUGIN = "napari-phasemap"
NO_OPENGL = (
    "OpenGL is not available here, so the latent space can not be drawn. Update the "
    "graphics driver, or start napari on a machine (or remote desktop) with OpenGL 2.1."
)
#: Colorings that depend on the threshold.
BY_THRESHOLD = ("ambiguity", "phase, ambiguous grey", "probable phase")
#: Milliseconds after opening until the selection layers are made.
PREPARE_AFTER = 300
#: Share of the screen's width that the dock asks for.
SHARE = 0.35
#: Width in pixels that the drawer begins with.
DRAWER = 190
#: Pages of the drawer: name, tool tip.
PAGES = (
    ("legend", "What the colors mean; which classes are drawn."),
    ("selection", "What to do with the selected points."),
    ("look", "Axes, size, camera, clusters."),
    ("figure", "Copy, save, a turning movie."),
)


class LatentView(Dock):
    """Shows `workspace.latent` in three dimensions.

    Writes `cursor`, `selection` and `selections`; with the buttons of the Selection tab
    also `phase_map`, `resolved`, `references` and `stacks`, each as a step that can be
    undone; `latent` with the PCA button and `features` with k-means.
    """

    title = "Latent view"
    area = "canvas"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.scatter: Scatter | None = None
        self.second_canvas = SecondCanvas(self)
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._pca = QPushButton("Use PCA (3 components)")
        self._pca.clicked.connect(self.use_pca)
        self._train = QPushButton("Open the Latent space dock")
        self._train.clicked.connect(self.open_training)
        for widget in (self._message, self._pca, self._train):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self._main = QWidget()
        self.layout().insertWidget(1, self._main, 1)
        self.setMinimumSize(300, 250)
        self.header.setVisible(False)  # help is among the tools
        if not has_opengl():
            self._main.setVisible(False)
            self._show_message(NO_OPENGL)
            return
        self._make_main()
        self._listen()
        self._on_theme()
        self._on_latent()
        # napari's first labels layer costs half a second: not at the first selection.
        self.after(PREPARE_AFTER, self._prepare)

    # ---- Building ----

    def _prepare(self) -> None:
        self.link.results.show(SELECTION)

    def _make_main(self) -> None:
        self.scatter = scatter = Scatter()
        self.actions = LatentActions(self.workspace, scatter)
        self.tools = ToolBar(scatter)
        self._colors = ColorChoice()
        self.legend = LegendTab(scatter)
        self.look = LookTab(scatter)
        self.figure = FigureTab(scatter)
        self.chosen = SelectionTab(self.workspace, self.actions)
        self._drawer = QStackedWidget()
        self._drawer.setVisible(False)
        self._pages = {}
        tabs = (self.legend, self.chosen, self.look, self.figure)
        for (name, tip), tab in zip(PAGES, tabs, strict=True):
            self._drawer.addWidget(_scrolling(tab))
            self._pages[name] = self.tools.add_toggle(
                name, tip, partial(self._on_page, name)
            )
        self.tools.add_places(self.second_canvas)
        self.tools.add_button("help", "All gestures and keys. F1", self.tools.show_help)
        self._pointed, self._count = SteadyLabel(2, 2), SteadyLabel(2, 2)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.addWidget(scatter)
        self._splitter.addWidget(self._drawer)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 0)
        self._splitter.setCollapsible(0, False)
        self._splitter.setSizes([1, DRAWER])
        below = QHBoxLayout()
        below.addWidget(QLabel("color by"))
        below.addWidget(self._colors, 1)
        layout = QVBoxLayout(self._main)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.tools)
        layout.addWidget(self._splitter, 1)
        layout.addLayout(below)
        layout.addWidget(self._pointed)
        layout.addWidget(self._count)

    def _listen(self) -> None:
        scatter, events = self.scatter, self.workspace.events
        if scatter is None:
            return
        scatter.picked.connect(self.actions.pick)
        scatter.stroked.connect(self.actions.stroke)
        scatter.asked.connect(self._on_asked)
        self._colors.currentTextChanged.connect(self._on_colors)
        self.legend.classRequested.connect(self.actions.select_class)
        self.look.axesChanged.connect(self._on_axes)
        self.look.clustersRequested.connect(self.find_clusters)
        self.tools.asked.connect(self._on_asked)
        for signal, slot in (
            (events.latent, self._on_latent),
            (events.stacks, self._on_latent),
            (events.latent_markers, self._on_markers),
            (events.phase_map, self._on_values),
            (events.resolved, self._on_values),
            (events.posterior, self._on_values),
            (events.method, self._on_values),
            (events.features, self._on_values),
            (events.threshold, self._on_threshold),
            (events.level, self._on_threshold),
            (events.selection, self._on_selection),
            (events.selections, self._on_values),
            (events.history, self.chosen.refresh),
            (events.cursor, self._on_pointed),
            (events.hover, self._on_pointed),
            (self.viewer.events.theme, self._on_theme),
        ):
            self.listen(signal, slot)

    # ---- What a user does ----

    @guarded
    def use_pca(self) -> None:
        """Take the first three principal components as the latent space."""
        from napari_phasemap.core.learn.decomposition import pca

        stacks = self.workspace.stacks
        if stacks is None:
            raise InputError(NO_STACKS)

        def take(result: Any) -> None:
            if self.workspace.stacks is stacks:
                put_latent(self.workspace, result.scores.astype(np.float32), "PCA")

        n_components = min(3, stacks.n_energies, stacks.n_pixels)
        self.job.start(pca, stacks, on_done=take, text="PCA", n_components=n_components)

    def find_clusters(self, n_clusters: int) -> None:
        """Sort the latent space into clusters and color by them."""
        from napari_phasemap.core.learn.clustering import kmeans

        latent, workspace = self.workspace.latent, self.workspace
        if latent is None:
            return

        def take(found: Any) -> None:
            if workspace.latent is latent:
                features = {**workspace.features, CLUSTERS: found.labels}
                workspace.apply("k-means", features=features)
                self._colors.choose(CLUSTERS)

        self.job.start(
            kmeans, latent, on_done=take, text="k-means", n_clusters=n_clusters
        )

    @guarded
    def open_training(self) -> None:
        """Open the dock that trains a latent space."""
        self.viewer.window.add_plugin_dock_widget(PLUGIN, "Latent space")

    def show_page(self, name: str, *, shown: bool = True) -> None:
        """Unfold "legend", "selection", "look" or "figure", or fold it away."""
        self._pages[name].setChecked(shown)

    def _on_page(self, name: str, shown: bool) -> None:
        """Show one page of the drawer; the canvas keeps its height."""
        if shown:
            for other, toggle in self._pages.items():
                if other != name:
                    toggle.setChecked(False)
            self._drawer.setCurrentIndex([page for page, _ in PAGES].index(name))
        self._drawer.setVisible(any(one.isChecked() for one in self._pages.values()))

    def _on_asked(self, action: str) -> None:
        """Do what a key or a button of the tool bar stands for."""
        if action == "flat":
            self.look.toggle_flat()
        elif not self.actions.do(action):
            self.tools.do(action)

    # ---- Following the workspace ----

    def _on_latent(self, *_: Any) -> None:
        """Show the latent space, or say why there is none to show."""
        reason = problem(self.workspace)
        self._show_message(reason)
        latent, scatter = self.workspace.latent, self.scatter
        if reason or latent is None or scatter is None:
            return
        name = self.workspace.latent_name or "latent"
        names = [f"{name} {i + 1}" for i in range(latent.shape[1])]
        self.look.set_latent(names, len(latent))
        self._colors.offer(self.workspace)
        self._on_axes()
        self.chosen.refresh()
        self._on_selection()
        self._on_pointed()

    def _is_shown(self) -> bool:
        return not problem(self.workspace)

    def _show_message(self, text: str) -> None:
        self._message.setText(text)
        self.scroll.setVisible(bool(text))
        self._main.setVisible(not text)
        self._pca.setVisible(text not in (NO_OPENGL, NO_STACKS))
        self._train.setVisible(text not in (NO_OPENGL, NO_STACKS))

    def _on_axes(self, *_: Any) -> None:
        latent, scatter = self.workspace.latent, self.scatter
        if latent is None or scatter is None or not self._is_shown():
            return
        columns = np.zeros((3, len(latent)), dtype=np.float32)
        for row, axis in zip(columns, self.look.axes, strict=True):
            if axis >= 0:
                row[:] = latent[:, axis]
        scatter.set_points(columns, self.look.names, stretch=self.look.stretch)
        self._on_markers()
        self._on_colors()

    def _on_markers(self, *_: Any) -> None:
        if self.scatter is None or not self._is_shown():
            return
        axes = self.look.axes
        self.scatter.set_markers(
            {
                name: np.array([place[a] if a >= 0 else 0.0 for a in axes])
                for name, place in self.workspace.latent_markers.items()
                if len(place) > max(axes)
            }
        )

    def _on_values(self, *_: Any) -> None:
        """Offer what there is to color by, and color by it."""
        self._colors.offer(self.workspace)
        self.chosen.refresh()
        self._on_colors()
        self._on_pointed()

    def _on_colors(self, *_: Any) -> None:
        scatter, latent = self.scatter, self.workspace.latent
        if scatter is None or latent is None or not self._is_shown():
            return
        name = str(self._colors.currentText())
        scatter.set_coloring(coloring(self.workspace, name, len(latent)))
        self.legend.refresh()

    def _on_threshold(self, *_: Any) -> None:
        if self._colors.currentText() in BY_THRESHOLD:
            self._on_colors()
        self._on_pointed()

    def _on_selection(self, *_: Any) -> None:
        selection, stacks = self.workspace.selection, self.workspace.stacks
        if self.scatter is None or stacks is None or not self._is_shown():
            return
        self.scatter.set_selection(selection)
        if selection is None or not selection.any():
            self._count.setText("no pixels selected")
            return
        n_pixels, n_all = int(selection.sum()), max(stacks.n_pixels, 1)
        n_particles = sum(bool(part.any()) for part in stacks.split(selection))
        self._count.setText(
            f"{n_pixels} of {n_all} pixels selected ({100 * n_pixels / n_all:.2f} %), "
            f"{n_particles} of {len(stacks)} particles"
        )

    def _on_pointed(self, *_: Any) -> None:
        workspace, pixel = self.workspace, self.workspace.pointed
        if self.scatter is None or not self._is_shown():
            return
        self.scatter.set_cursor(pixel)
        stacks = workspace.stacks
        if pixel is None or stacks is None:
            self._pointed.setText("Click a point to see its pixel and spectrum.")
            return
        self._pointed.setText(
            describe_pixel(
                stacks,
                pixel,
                phase_map=workspace.phase_map,
                resolved=workspace.resolved,
                posterior=workspace.posterior,
                latent=workspace.latent,
                threshold=workspace.threshold,
            )
        )

    def _on_theme(self, *_: Any) -> None:
        """Follow napari's theme."""
        colors = get_theme(self.viewer.theme)
        if self.scatter is not None:
            self.scatter.restyle(
                background=QColor(colors.canvas.as_hex()).name(),
                foreground=QColor(colors.text.as_hex()).name(),
            )
            self.tools.recolor(QColor(colors.icon.as_hex()).name())

    # ---- The window ----

    def sizeHint(self) -> QSize:
        """Return a size that leaves most of the screen to the images."""
        screen = QApplication.primaryScreen().availableSize()
        return QSize(max(300, int(SHARE * screen.width())), 500)

    def _take_place(self) -> None:
        """Become a second canvas beside the images instead of one more form."""
        if (frame := dock_of(self)) is not None:
            frame.setWindowTitle(self.title)
            self.second_canvas.take_place()

    def closeEvent(self, event: Any) -> None:
        """Stop a movie that is being written."""
        if self.scatter is not None:
            self.figure.stop_turn()
        super().closeEvent(event)


def _scrolling(tab: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(tab)
    return area
