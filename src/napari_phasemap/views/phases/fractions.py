"""How much of each phase there is: the table under the phase map.

* `FractionTable`: per cent per phase with intervals, for all particles and for each;
  colors.
* `FractionModel`: the numbers of the table, one array.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QTableView

from napari_phasemap.core.phases.decisions import UNDECIDED, UNKNOWN, decisions_of
from napari_phasemap.core.phases.intervals import fraction_intervals
from napari_phasemap.views.shell.collecting import collect_here_until
from napari_phasemap.views.shell.work import Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.progress import OnProgress
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.phases.intervals import FractionIntervals
    from napari_phasemap.workspace import Workspace

__all__ = ["FractionModel", "FractionTable"]

#: Pixels; a longer table scrolls.
MAX_HEIGHT = 320
#: Columns before the numbers: the color and the name of the phase.
LEADING = 2
#: Pixels of the column of colors.
SWATCH = 24
#: As wide as any number of the table.
WIDEST = "100.00"
#: Column of the intervals of all particles together; those of each are tool tips.
INTERVAL = LEADING + 1
WIDEST_INTERVAL = "100.0 – 100.0"
#: Rows below the phases, by what tells the phases.
REST = ("ambiguous", "not assigned")
PROBABLE_REST = (UNDECIDED, UNKNOWN, "not assigned")
#: Milliseconds between two looks whether the intervals are there.
LOOK_EVERY = 60
#: Milliseconds after the map changed last until they are asked for.
ASK_AFTER = 200

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class FractionModel(QAbstractTableModel):
    """Per cent of each phase (rows) in all particles and in each (columns).

    Numbers are an array: a step of the threshold replaces one row of it, and only that
    row is painted again, however many particles there are.
    """

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._titles: tuple[str, ...] = ()
        self._colors: tuple[str, ...] = ()
        self._values: NDArray[np.float64] = np.zeros((0, 0))
        self._intervals: FractionIntervals | None = None

    def show(
        self,
        names: Sequence[str],
        titles: Sequence[str],
        colors: Sequence[str],
        values: NDArray[np.float64],
    ) -> bool:
        """Show other numbers; return whether the rows or columns are others, too.

        Parameters
        ----------
        names, titles : sequence of str
            Of the rows, and of the columns that hold numbers, all particles first.
        colors : sequence of str
            Of the first rows, "#rrggbb".
        values : ndarray of shape (n_rows, n_columns)
            Per cent.
        """
        frame = tuple(names), tuple(titles)
        new = frame != (self._names, self._titles)
        if new:
            self.beginResetModel()
        self._names, self._titles = frame
        self._colors, self._values = tuple(colors), values
        self._intervals = None
        if new:
            self.endResetModel()
        else:
            self._tell(0, len(names) - 1)
        return new

    def set_row(self, row: int, values: NDArray[np.float64]) -> None:
        """Replace the numbers of one row."""
        self._values[row] = values
        self._tell(row, row)

    def set_intervals(self, found: FractionIntervals | None) -> None:
        """Show how far the per cent of the first rows may lie beside what was found."""
        self._intervals = found
        if self._names:
            self._tell(0, len(self._names) - 1)

    def _tell(self, first: int, last: int) -> None:
        end = self.columnCount() - 1
        self.dataChanged.emit(self.index(first, 0), self.index(last, end))

    # ---- What Qt asks ----

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows."""
        return len(self._names)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns, color and name among them."""
        return LEADING + 1 + len(self._titles) if self._names else 0

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column >= LEADING:
            return RIGHT
        colored = column == 0 and row < len(self._colors)
        if role == Qt.ItemDataRole.BackgroundRole and colored:
            return QColor(self._colors[row])
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        return None

    def _tip(self, row: int, column: int) -> str | None:
        if column >= LEADING:
            interval = self._interval(row, max(column - INTERVAL, 0))
            return f"95 % interval: {interval} %" if interval else None
        known = self._intervals is None or row < len(self._intervals.names)
        if column == 0 and row < len(self._colors) and known:
            return "Click to change the color everywhere."
        return None

    def _interval(self, row: int, part: int) -> str:
        """Return an interval as text; part 0 is all particles."""
        found = self._intervals
        if found is None or row >= len(found.names) or part >= len(found.low):
            return ""
        low, high = found.low[part, row], found.high[part, row]
        return f"{low:.1f} – {high:.1f}" if np.isfinite(low) else "–"

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return the title of a column."""
        shown = orientation == Qt.Orientation.Horizontal
        if shown and role == Qt.ItemDataRole.DisplayRole:
            first, *each = self._titles
            return ("", "phase", first, "95 %", *each)[section]
        return None

    def _text(self, row: int, column: int) -> str:
        if column < LEADING:
            return self._names[row] if column else ""
        if column == INTERVAL:
            return self._interval(row, 0)
        number = column - LEADING - (column > INTERVAL)
        return f"{self._values[row, number]:.2f}"


class FractionTable(QTableView):
    """Shows per cent of each phase, of unclear pixels and of those without a phase.

    A click on a color changes it everywhere: writes the maps of the workspace with the
    new color.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._model = FractionModel()
        self.setModel(self._model)
        self.verticalHeader().setVisible(False)
        self.clicked.connect(self._on_click)
        self._work: Work | None = None
        # Timers of the widget's own die with it.
        self._timer, self._soon = QTimer(self), QTimer(self)
        self._timer.setInterval(LOOK_EVERY)
        self._timer.timeout.connect(self._look)
        self._soon.setInterval(ASK_AFTER)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._ask_intervals)
        events = workspace.events
        for signal in (
            events.phase_map, events.resolved, events.posterior, events.method
        ):  # fmt: skip
            signal.connect(self._fill)
        events.threshold.connect(self._on_limit)
        events.level.connect(self._on_limit)
        self._fill()

    def _fill(self, *_: Any) -> None:
        workspace = self._workspace
        phases, stacks = workspace.best_map(), workspace.stacks
        self._work = None
        if phases is None or stacks is None:
            self._model.show((), (), (), np.zeros((0, 0)))
            return
        parts, colors = _parts(stacks), phases.colors
        rest: tuple[str, ...] = REST
        values = np.array([_shares(phases, part) for part in parts]).T
        if workspace.shown_map == "posterior":
            rest, colors = PROBABLE_REST, decisions_of(phases).colors
            strange = _per_cent(decisions_of(phases).unknown, parts)
            values[-1] -= strange
            values = np.insert(values, phases.n_phases, strange, axis=0)
        values = np.insert(values, phases.n_phases, self._unclear(phases), axis=0)
        titles = ("all (%)", *stacks.names)[: len(parts)]
        if self._model.show((*phases.names, *rest), titles, colors, values):
            self._fit()
        self._soon.start()

    def _ask_intervals(self) -> None:
        """Compute the intervals beside the window."""
        phases, stacks = self._workspace.best_map(), self._workspace.stacks
        if phases is None or stacks is None:
            return
        self._work = Work(partial(_intervals, phases, stacks))
        collect_here_until(self._work)
        self._work.start()
        self._timer.start()

    def _look(self) -> None:
        """See whether the intervals are there."""
        if self._work is None:
            self._timer.stop()
        elif self._work.outcome is not None:
            self._model.set_intervals(self._work.outcome.value)
            self._work = None

    def _on_limit(self, *_: Any) -> None:
        """Count the unclear pixels again, and nothing else."""
        phases = self._workspace.best_map()
        if phases is not None and self._model.rowCount():
            self._model.set_row(phases.n_phases, self._unclear(phases))

    def _unclear(self, phases: PhaseMap) -> NDArray[np.float64]:
        """Return per cent of the assigned pixels: of all particles, then of each."""
        workspace = self._workspace
        stacks, pearson = workspace.stacks, workspace.phase_map
        parts = [] if stacks is None else _parts(stacks)
        if workspace.shown_map == "posterior":
            unclear = decisions_of(phases).undecided(workspace.level)
        elif pearson is None:
            return np.zeros(len(parts))
        else:
            unclear = pearson.ambiguous(workspace.threshold)
        few = np.array([np.count_nonzero(unclear[part]) for part in parts])
        every = np.array([np.count_nonzero(phases.labels[part]) for part in parts])
        shares: NDArray[np.float64] = 100.0 * few / np.maximum(every, 1)
        return shares

    def _fit(self) -> None:
        """Give the columns their widths, once for all numbers, and the table height."""
        metrics = self.fontMetrics()
        margin = metrics.horizontalAdvance("nn")
        self.resizeColumnsToContents()
        self.setColumnWidth(0, SWATCH)
        for column in range(LEADING, self._model.columnCount()):
            widest = WIDEST_INTERVAL if column == INTERVAL else WIDEST
            least = metrics.horizontalAdvance(widest) + margin
            self.setColumnWidth(column, max(self.columnWidth(column), least))
        height = self.verticalHeader().length() + self.horizontalHeader().height() + 18
        self.setMinimumHeight(min(height, MAX_HEIGHT))

    def _on_click(self, index: QModelIndex) -> None:
        phases, row = self._workspace.best_map(), index.row()
        if index.column() == 0 and phases is not None and row < phases.n_phases:
            color = QColorDialog.getColor(QColor(phases.colors[row]), self)
            if color.isValid():
                self.set_color(row, color.name())

    def set_color(self, phase: int, color: str) -> None:
        """Give a phase (counted from 0) another color, in every map."""
        for field in ("phase_map", "resolved", "posterior"):
            phases: PhaseMap | None = getattr(self._workspace, field)
            if phases is not None and phase < phases.n_phases:
                colors = list(phases.colors)
                colors[phase] = color
                setattr(self._workspace, field, phases.with_colors(colors))


def _parts(stacks: StackSet) -> list[slice]:
    """Return the pixels of all particles, then of each where there are several."""
    each = [slice(low, high) for low, high in itertools.pairwise(stacks.offsets)]
    return [slice(None), *each] if len(each) > 1 else [slice(None)]


def _shares(phases: PhaseMap, part: slice) -> list[float]:
    """Return per cent of each phase, then of the pixels without one."""
    labels = phases.labels[part]
    missing = len(labels) - np.count_nonzero(labels)
    return [*phases.fractions(part), 100.0 * missing / max(len(labels), 1)]


def _per_cent(chosen: NDArray[np.bool_], parts: list[slice]) -> NDArray[np.float64]:
    """Return per cent of the pixels of each part that are chosen."""
    return np.array(
        [100.0 * np.mean(chosen[p]) if chosen[p].size else 0.0 for p in parts]
    )


def _intervals(
    phases: PhaseMap, stacks: StackSet, /, *, on_progress: OnProgress
) -> FractionIntervals:
    """Return the intervals of all fractions, in a thread."""
    on_progress(0, 1, "intervals")
    return fraction_intervals(phases, stacks)
