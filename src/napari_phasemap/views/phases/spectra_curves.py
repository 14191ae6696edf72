"""The spectra that the workspace has to show.

* `SpectraCurves`: of phases, references, selections and pixels, each averaged once.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.phases.curves import Curve
from napari_phasemap.core.phases.spectra import mean_spectra
from napari_phasemap.views.shell.kinds import SELECTION_COLOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.workspace import Workspace

__all__ = ["SpectraCurves"]

Means = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.int64]"]


class SpectraCurves:
    """Reads the workspace; what takes long is kept as long as it is true."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._kept: dict[str, tuple[tuple[Any, ...], Means]] = {}

    def phases(self) -> list[Curve]:
        """Return the mean of each phase that has pixels, with standard deviation."""
        stacks, phases = self._workspace.stacks, self._workspace.best_map()
        if stacks is None or phases is None:
            return []
        mean, std, count = self._mean(
            "phases", phases.labels, phases.labels, phases.n_phases
        )
        return [
            Curve(phases.names[row], mean[row], std[row], phases.colors[row])
            for row in np.flatnonzero(count)
        ]

    def references(self) -> list[Curve]:
        """Return the references on the energies of the stacks, if they cover them."""
        references, phases = self.resampled(), self._workspace.phase_map
        if references is None:
            return []
        colors: tuple[str | None, ...] = (None,) * len(references)
        if phases is not None and phases.names == references.names:
            colors = phases.colors
        return [
            Curve(f"{name} (reference)", row, None, color, is_reference=True)
            for name, row, color in zip(
                references.names, references.spectra, colors, strict=True
            )
        ]

    def selections(self) -> list[Curve]:
        """Return the mean of each named selection and of the present one."""
        workspace = self._workspace
        groups = [(s.name, s.pixels, s.color) for s in workspace.selections]
        if workspace.selection is not None and workspace.selection.any():
            groups.append(("selection", workspace.selection, SELECTION_COLOR))
        curves = []
        for name, pixels, color in groups:
            mean, std, _ = self._mean(f"of {name}", pixels, pixels.view(np.uint8), 1)
            curves.append(Curve(name, mean[0], std[0], color))
        gone = self._kept.keys() - {"phases"} - {f"of {name}" for name, *_ in groups}
        for name in gone:
            del self._kept[name]
        return curves

    def resampled(self) -> ReferenceSpectra | None:
        """Return the references on the energies of the stacks, None without."""
        stacks, references = self._workspace.stacks, self._workspace.references
        if stacks is None or references is None:
            return None
        try:
            return references.resample(stacks.energy)
        except InputError:  # said where the references are loaded and correlated
            return None

    def standards(self) -> dict[str, Callable[[], NDArray[np.float64]]]:
        """Return what curves can be compared with, by name."""
        found: dict[str, Callable[[], NDArray[np.float64]]] = {}
        references, phases = self.resampled(), self._workspace.best_map()
        if references is not None:
            for name, row in zip(references.names, references.spectra, strict=True):
                found[name] = partial(np.asarray, row)
        for name in () if phases is None else phases.names:
            found[f"mean of {name}"] = partial(_named, self.phases, name)
        for one in self._workspace.selections:
            found[f"selection {one.name}"] = partial(_named, self.selections, one.name)
        return found

    def _mean(self, name: str, key: Any, labels: NDArray[Any], n_classes: int) -> Means:
        """Return means of classes; computed once for the same stacks and labels."""
        stacks = self._workspace.stacks
        assert stacks is not None  # callers have looked
        kept = self._kept.get(name)
        if kept is None or kept[0][0] is not stacks or kept[0][1] is not key:
            kept = ((stacks, key), mean_spectra(stacks, labels, n_classes))
            self._kept[name] = kept
        return kept[1]


def _named(curves: Callable[[], list[Curve]], name: str) -> NDArray[np.float64]:
    """Return the values of the curve of a name."""
    for curve in curves():
        if curve.name == name:
            return curve.values
    raise InputError(f"{name} has no pixels, so there is nothing to compare with")
