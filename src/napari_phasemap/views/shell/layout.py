"""Where the particles of a workspace lie on the canvas.

* `Arrangement`: what a person chose: rows, a number of columns, values of a table.
* `ParticleLayout`: the places that follow from it, and which pixel is at a position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_phasemap.core.data.layout import Layout, Place, in_rows, lay_out
from napari_phasemap.core.data.pixel_grid import PixelGrid, pixel_grids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.workspace import Workspace

__all__ = ["Arrangement", "ParticleLayout"]


@dataclass(frozen=True)
class Arrangement:
    """How particles stand in rows.

    Parameters
    ----------
    n_columns : int, optional
        Most particles of a row; default what suits a canvas.
    groups : mapping of str to str, optional
        A value per particle; each value begins a new row.
    """

    n_columns: int | None = None
    groups: Mapping[str, str] | None = None


class ParticleLayout:
    """Places of the particles: all of them in rows, or one alone.

    Follows `workspace.sources`; `changed` is emitted after every change of a place.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._arrangement = Arrangement()
        self._alone = ""
        self._expected: tuple[SpectralStack, ...] = ()
        self.layout = Layout({})
        self.grids: tuple[PixelGrid, ...] = ()
        workspace.events.sources.connect(self.update)
        self.update()

    @property
    def arrangement(self) -> Arrangement:
        """How the particles stand in rows."""
        return self._arrangement

    @arrangement.setter
    def arrangement(self, arrangement: Arrangement) -> None:
        self._arrangement = arrangement
        self._alone = ""
        self.update()

    @property
    def alone(self) -> str:
        """Name of the particle that is shown alone; "" for all."""
        return self._alone

    @alone.setter
    def alone(self, name: str) -> None:
        self._alone = name if name in self.names else ""
        self.update()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all particles, in the order they were opened."""
        return tuple(stack.name for stack in self._all())

    @property
    def in_nm(self) -> bool:
        """Whether every stack knows its pixel size: napari wants one unit for all."""
        return all(stack.pixel_size is not None for stack in self._all())

    @property
    def unit(self) -> str:
        """Unit of the world."""
        return "nm" if self.in_nm else "pixel"

    def label(self, name: str) -> str:
        """Return what stands above a particle: its name, and its value if it has one.

        The value is that of the table by which the particles are arranged.
        """
        value = (self._arrangement.groups or {}).get(name, "")
        return f"{name}: {value}" if value else name

    def expect(self, stacks: Sequence[SpectralStack]) -> None:
        """Make room for stacks that are about to be opened."""
        self._expected = tuple(stacks)
        if stacks:
            self._alone = ""
        self.update()

    def update(self, *_: Any) -> None:
        """Find the places again; tell it where one is new."""
        if self._alone not in self.names:
            self._alone = ""
        before, self.layout = self.layout, self._planned()
        if dict(before.places) != dict(self.layout.places):
            self._find_grids()
            self.changed.emit()

    def _all(self) -> tuple[SpectralStack, ...]:
        """Return what is open, as analyzed where it is, and what is about to be."""
        analyzed = {stack.name: stack for stack in self._workspace.stacks or ()}
        opened = {
            stack.name: analyzed.get(stack.name, stack)
            for stack in self._workspace.sources
        }
        more = {s.name: s for s in self._expected if s.name not in opened}
        return (*opened.values(), *more.values())

    def _planned(self) -> Layout:
        chosen = self._arrangement
        rows = (
            [[self._alone]]
            if self._alone
            else in_rows(self.names, n_columns=chosen.n_columns, groups=chosen.groups)
        )
        return lay_out(self._all(), rows, in_nm=self.in_nm)

    def follow_stacks(self) -> None:
        """Lay out the stacks under analysis, which have changed."""
        self._find_grids()
        self.update()

    def _find_grids(self) -> None:
        stacks = self._workspace.stacks
        self.grids = () if stacks is None else pixel_grids(stacks, self.layout)

    # ---- Pixels ----

    def place(self, name: str) -> Place | None:
        """Return where a particle lies, None where it is not shown."""
        return self.layout.places.get(name)

    def pixel_at(self, position: Sequence[float]) -> int | None:
        """Return the pixel at a world position, None beside the analyzed pixels."""
        stacks = self._workspace.stacks
        found = self.layout.at(position[-2], position[-1])
        if stacks is None or found is None or found[0] not in stacks.names:
            return None
        name, row, col = found
        return stacks.pixel_at(stacks.names.index(name), row, col)

    def world(self, pixel: int) -> tuple[float, float] | None:
        """Return the world position of a pixel's center, None where it is not shown."""
        stacks = self._workspace.stacks
        if stacks is None:
            return None
        index, row, col = stacks.locate(pixel)
        place = self.place(stacks[index].name)
        return None if place is None else place.world(row, col)
