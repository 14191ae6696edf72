"""References from files into a dock, with a question where one is needed.

* `load_references`: read, ask where columns are not clear, hand on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.prepare.column_roles import ColumnTable
    from napari_phasemap.views.shell.dock import Dock

__all__ = ["load_references"]


def load_references(
    dock: Dock, paths: list[Path], use: Callable[[ReferenceSpectra], None]
) -> None:
    """Read reference files in a job of a dock.

    Where there is more than energies and absorption in a file, its columns are shown
    with the spectra that they give before `use` gets them.
    """

    def on_tables(tables: list[ColumnTable]) -> None:
        if all(table.is_plain for table in tables):
            dock.job.start(_compute, tables, on_done=use)
            return
        from napari_phasemap.views.phases.column_roles import ColumnRoles

        roles = ColumnRoles(tables, dock, theme=dock.viewer.theme)
        roles.chosen.connect(use)
        roles.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        roles.show()

    dock.job.start(_read, paths, on_done=on_tables)


def _read(paths: list[Path], /, *, on_progress: Any) -> list[ColumnTable]:
    """Read the columns of reference files in a job."""
    from napari_phasemap.io import spectra

    on_progress(0, 1, "reading references")
    return spectra.read_tables(paths)


def _compute(tables: list[ColumnTable], /, *, on_progress: Any) -> ReferenceSpectra:
    """Compute references from the columns of files in a job."""
    from napari_phasemap.io import spectra

    on_progress(0, 1, "reading references")
    return spectra.references_of(tables)
