"""What belongs to classes that were changed by hand.

* `ShownClasses`: analyses whose spectra and stabilities fit their classes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_phasemap.core.eels.edge import EdgeAnalysis

__all__ = ["ShownClasses"]

#: Analyses kept; with undo a user goes back to earlier ones.
MOST = 30


class ShownClasses:
    """Remembers spectra and stabilities of classes, and makes what is missing.

    Painting, assigning and undoing change the classes of an analysis elsewhere, so its
    spectra are those of other classes until somebody looks at them.
    """

    def __init__(self) -> None:
        self._known: dict[int, EdgeAnalysis] = {}
        self._last: EdgeAnalysis | None = None

    def clear(self) -> None:
        """Forget everything: other pixels are analyzed."""
        self._known.clear()
        self._last = None

    def keep(self, analysis: EdgeAnalysis) -> None:
        """Remember an analysis whose spectra are those of its classes."""
        self._known[id(analysis.classes)] = analysis
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def of(self, analysis: EdgeAnalysis) -> EdgeAnalysis:
        """Return the analysis with spectra that fit its classes."""
        known = self._known.get(id(analysis.classes))
        if known is None or known.classes is not analysis.classes:
            known = self._made(analysis)
            self.keep(known)
        self._last = known
        return known

    def _made(self, analysis: EdgeAnalysis) -> EdgeAnalysis:
        from napari_phasemap.core.eels.naming import class_spectra

        classes, last = analysis.classes, self._last
        if (
            last is not None
            and last.edge is analysis.edge
            and last.classes.n_phases == classes.n_phases
            and np.array_equal(last.classes.labels, classes.labels)
        ):  # only names or colors changed
            spectra = replace(last.spectra, names=classes.names)
            return replace(analysis, stability=last.stability, spectra=spectra)
        return replace(
            analysis,
            stability=np.full(classes.n_phases, np.nan),
            spectra=class_spectra(analysis.edge, classes),
        )
