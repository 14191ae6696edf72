"""Everything in one arrangement, opened by one entry of the menu.

* `Workbench`: the form with the steps; opens the spectra and the latent view beside it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import notification_manager
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QMainWindow,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.sessions import Session, read_session, write_session
from napari_phasemap.views.bench.error_box import ErrorBox
from napari_phasemap.views.bench.pages import (
    ARRANGEMENTS,
    EELS,
    PATHS,
    PLACES,
    STXM,
    TITLES,
    build,
)
from napari_phasemap.views.bench.session import (
    LastSession,
    SessionMenu,
    capture,
    last_path,
    remember,
    restore,
)
from napari_phasemap.views.bench.start import (
    Dropped,
    Sample,
    StartBox,
    sample_map,
    sorted_paths,
)
from napari_phasemap.views.bench.step_row import StepRow
from napari_phasemap.views.bench.undo_buttons import UndoButtons
from napari_phasemap.views.shell.dock import Dock
from napari_phasemap.views.shell.help import help_button
from napari_phasemap.views.shell.job import tell_error
from napari_phasemap.views.shell.kinds import AMBIGUITY, PHASE
from napari_phasemap.views.shell.opening import (
    composite_stacks,
    stack_files,
)
from napari_phasemap.views.shell.placing import dock_of
from napari_phasemap.views.shell.saving import snapshot
from napari_phasemap.views.widgets.fitted import FittedTabs
from napari_phasemap.workspace.steps import put_map, put_references

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari.viewer

    from napari_phasemap.workspace import Workspace

__all__ = ["Workbench"]

PLUGIN = "napari-phasemap"
#: Docks beside the form, in the order in which they take their places.
BESIDE = ("Latent view", "Spectra")
#: Milliseconds between two docks that open: each takes its place first.
NEXT_DOCK = 200
#: Docks that stand alone, which a session opens again.
ALONE = (
    "Data",
    "Phase map",
    "Spectra",
    "Latent space",
    "Latent view",
    "EELS classes",
    "Co-occurrence",
)
#: Methods of the pages that make a result again.
ACTIONS = {"Correlate": "compute", "Resolve": "resolve", "Figure": "ask"}
ARRANGEMENT_TIP = (
    "STXM: counts, optical density, references, phases. EELS: edges and their classes."
)


class Workbench(Dock):
    """One form whose pages are the docks; above them the steps and undo.

    Writes `workspace.sources`, `stacks`, `references` and `phase_map` for the sample.
    """

    title = "Workbench"

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace | None = None
    ) -> None:
        super().__init__(viewer, workspace)
        self.header.setVisible(False)
        self.scroll.setVisible(False)
        kept = self.job.sizePolicy()
        kept.setRetainSizeWhenHidden(False)
        self.job.setSizePolicy(kept)
        self.setAcceptDrops(True)
        self._pages: dict[str, Dock] = {}
        self.arrangement = QComboBox()
        self.arrangement.addItems([STXM, EELS])
        self.arrangement.setToolTip(ARRANGEMENT_TIP)
        self.undo = UndoButtons(self.viewer, self.workspace)
        self.sessions = SessionMenu()
        self.last = LastSession(self, self.link, self.captured)
        self.errors = ErrorBox()
        self.steps = StepRow()
        self.start = StartBox()
        self.tabs = self._make_tabs()
        top = QHBoxLayout()
        top.addWidget(self.arrangement)
        top.addWidget(self.sessions)
        top.addStretch(1)
        top.addWidget(self.undo)
        top.addWidget(help_button(self.title))
        layout = self.layout()
        for number, part in enumerate(
            (top, self.errors, self.steps, self.steps.said, self.start, self.tabs)
        ):
            if isinstance(part, QWidget):
                layout.insertWidget(number, part, 1 if part is self.tabs else 0)
            else:
                layout.insertLayout(number, part)
        self._connect()
        self.set_arrangement(EELS if self.workspace.edges else STXM)
        self._on_theme()

    def _make_tabs(self) -> QTabWidget:
        tabs = FittedTabs()
        tabs.setDocumentMode(True)
        for title in TITLES:
            place = QWidget()
            layout = QVBoxLayout(place)
            layout.setContentsMargins(0, 0, 0, 0)
            tabs.addTab(place, title)
        return tabs

    def _connect(self) -> None:
        self.arrangement.currentTextChanged.connect(self.set_arrangement)
        self.tabs.currentChanged.connect(self._on_tab)
        self.steps.chosen.connect(self.go_to)
        self.steps.again.connect(self.again)
        self.start.files.connect(self.ask_files)
        self.start.sample.connect(self.open_sample)
        self.start.go_on.setVisible(last_path().is_file())
        self.start.last.connect(self.open_last)
        self.sessions.save.connect(self.save_session)
        self.sessions.open.connect(self.open_session)
        events = self.workspace.events
        for signal in (
            events.sources,
            events.stacks,
            events.references,
            events.phase_map,
            events.resolved,
            events.threshold,
            events.edges,
            events.class_names,
            events.made,
        ):
            self.listen(signal, self._on_state)
            self.listen(signal, self.last.write_soon)
        for signal in (
            events.posterior,
            events.level,
            events.latent,
            events.features,
            events.selection,
            events.selections,
        ):
            self.listen(signal, self.last.write_soon)
        self.listen(events.history, self.undo.follow)
        told = notification_manager.notification_ready
        self.listen(told, self.errors.on_notification)
        self.listen(self.viewer.events.theme, self._on_theme)

    # ---- What a user does ----

    def set_arrangement(self, name: str) -> None:
        """Show the pages and the steps of "STXM" or "EELS"."""
        shown = ARRANGEMENTS[name]
        if self.arrangement.currentText() != name:
            self.arrangement.setCurrentText(name)
            return
        for number, title in enumerate(TITLES):
            self.tabs.setTabVisible(number, title in shown)
        if TITLES[self.tabs.currentIndex()] not in shown:
            self.tabs.setCurrentIndex(TITLES.index(shown[0]))
        self.start.set_eels(eels=name == EELS)
        self._on_tab()
        self._on_state()

    def page(self, title: str) -> Dock:
        """Return a page, made when it is first needed."""
        if title not in self._pages:
            page = build(title, self.viewer, self.workspace)
            page.header.setVisible(False)  # the steps say what is next
            self._pages[title] = page
            place = self.tabs.widget(TITLES.index(title))
            place.layout().addWidget(page)
        return self._pages[title]

    def go_to(self, step: str) -> None:
        """Bring the page of a step to the front, and its box into sight."""
        title, part = PLACES[self.arrangement.currentText()][step]
        self.tabs.setCurrentIndex(TITLES.index(title))
        page = self.page(title)
        for box in page.findChildren(QGroupBox):
            if box.title() == part:
                page.scroll.ensureWidgetVisible(box)
        for tabs in page.findChildren(FittedTabs):
            names = [tabs.tabText(number) for number in range(tabs.count())]
            if part in names:
                tabs.setCurrentIndex(names.index(part))

    def again(self, step: str) -> None:
        """Make a stale result again."""
        self.go_to(step)
        title, _ = PLACES[self.arrangement.currentText()][step]
        page: Any = self.page(title)
        action: Callable[[], None] = getattr(page, ACTIONS[step])
        action()

    def ask_files(self) -> None:
        """Ask for files and open them, whatever they are."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Open files", "", stack_files())
        if paths:
            self.open_paths([Path(path) for path in paths])

    def open_paths(self, paths: list[Path]) -> None:
        """Open stacks, reference spectra or results."""
        self.job.start(sorted_paths, paths, on_done=self._on_sorted, text="looking")

    def open_sample(self) -> None:
        """Open the sample of the arrangement; of particles the phase map as well."""
        if self.arrangement.currentText() == EELS:
            self.job.start(
                composite_stacks, on_done=self.link.open_stacks, text="sample"
            )
        else:
            self.job.start(sample_map, on_done=self._on_sample, text="sample")

    def captured(self) -> dict[str, Any]:
        """Return what the window shows, for a session."""
        return {
            **capture(self.window(), self.viewer, self.link),
            "arrangement": self.arrangement.currentText(),
            "page": TITLES[self.tabs.currentIndex()],
        }

    def save_session(self, path: Path) -> None:
        """Write what is open, and how it is shown."""
        try:
            session = Session(snapshot(self.workspace), self.captured())
        except InputError as error:
            tell_error(error)
            return
        self.job.start(
            write_session, session, path, on_done=self._on_session_saved, text="saving"
        )

    def open_session(self, path: Path) -> None:
        """Show a session, or results, in place of what is there."""
        self.job.start(
            read_session,
            path,
            on_done=partial(self._on_session, path),
            text=f"opening {path.name}",
        )

    def open_last(self) -> None:
        """Show what was open when napari was closed."""
        self.open_session(last_path())

    # ---- What comes back ----

    def _on_session_saved(self, path: Path) -> None:
        remember(path)
        self.tell(f"Saved in {path}")

    def _on_session(self, path: Path, session: Session) -> None:
        restore(session, self.viewer, self.link)
        shown = session.window
        if shown.get("arrangement") in ARRANGEMENTS:
            self.set_arrangement(shown["arrangement"])
        if shown.get("page") in ARRANGEMENTS[self.arrangement.currentText()]:
            self.tabs.setCurrentIndex(TITLES.index(shown["page"]))
        for title in shown.get("docks", ()):
            if title in ALONE:
                self.viewer.window.add_plugin_dock_widget(PLUGIN, title)
        if path != last_path():
            remember(path)

    def _on_sample(self, sample: Sample) -> None:
        from napari_phasemap.core.data.stack_set import StackSet

        self.link.open_stacks(list(sample.stacks))
        opened = self.workspace.sources[-len(sample.stacks) :]
        self.workspace.set_stacks(StackSet(opened))
        put_references(self.workspace, sample.references)
        put_map(self.workspace, sample.references, sample.phases)
        for kind in (PHASE, AMBIGUITY):
            self.link.results.show(kind)
        self.go_to("Correlate")

    def _on_sorted(self, dropped: Dropped) -> None:
        """Open each kind of file on its page: progress and errors show there."""
        if dropped.results:
            self.open_session(dropped.results[0])
        if dropped.spectra:
            page: Any = self.page(TITLES[1])
            page.load_references(list(dropped.spectra))
        if dropped.stacks:
            page = self.page(TITLES[0])
            page.open_paths(list(dropped.stacks))

    # ---- Following ----

    def _on_state(self, *_: Any) -> None:
        self.steps.show_stations(PATHS[self.arrangement.currentText()](self.workspace))
        empty = not self.workspace.sources and self.workspace.stacks is None
        self.start.setVisible(empty)

    def _on_tab(self, *_: Any) -> None:
        self.page(TITLES[self.tabs.currentIndex()])

    def _on_theme(self, *_: Any) -> None:
        color = QColor(get_theme(self.viewer.theme).icon.as_hex()).name()
        self.steps.recolor(color)
        self.undo.recolor(color)

    def dragEnterEvent(self, event: Any) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Open the files that were dropped."""
        urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
        self.open_paths([Path(url.toLocalFile()) for url in urls])
        event.acceptProposedAction()

    # ---- The window ----

    def _take_place(self) -> None:
        """Stand at the right end, and open what stands beside."""
        super()._take_place()
        if isinstance(self.window(), QMainWindow):
            self._open_beside(BESIDE)

    def _open_beside(self, names: tuple[str, ...]) -> None:
        """Open docks one after the other."""
        if not names:
            self.after(NEXT_DOCK, self._come_forward)
            return
        self.viewer.window.add_plugin_dock_widget(PLUGIN, names[0])
        self.after(NEXT_DOCK, partial(self._open_beside, names[1:]))

    def _come_forward(self) -> None:
        """Stand before a dock that had to go among the forms."""
        frame = dock_of(self)
        if frame is not None:
            frame.raise_()

    def closeEvent(self, event: Any) -> None:
        """Stop what runs on the pages as well."""
        for page in self._pages.values():
            page.close()
        super().closeEvent(event)
