"""What the Spectra dock shows for what a person chose.

* `Content`: curves, and what is below them.
* `SpectraContent`: makes it from the workspace.
* `Fit`, `fit_text`: the best sum of references for one pixel, and its words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.palettes import DIFFERENCE
from napari_phasemap.core.phases.baselines import fit_spectrum
from napari_phasemap.core.phases.comparing import compare_selections
from napari_phasemap.core.phases.curves import Curve, shown_as
from napari_phasemap.views.phases.spectra_curves import SpectraCurves
from napari_phasemap.views.phases.spectra_plot import unit_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.phases.comparing import SelectionComparison
    from napari_phasemap.core.phases.curves import Way
    from napari_phasemap.views.phases.spectra_bar import Options
    from napari_phasemap.workspace import Workspace

__all__ = ["Content", "Fit", "SpectraContent", "fit_text"]

NO_PAIR = (
    "Select pixels and choose 'Set A' under Compare, select others and choose 'Set B': "
    "their spectra, the difference, phases and particles are compared here."
)
NO_REFERENCES = "the residual needs references that cover the energies; load them first"
#: Shares of a fit below this are not told.
LEAST_SHARE = 0.005


@dataclass(frozen=True, eq=False)
class Content:
    """What is drawn.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In eV.
    curves, below : tuple of Curve
        As plotted; `below` is what fits leave, or a difference.
    unit, title_below : str
        Titles of the axes; "" for nothing below.
    way : str
        One of `WAYS`.
    standard : ndarray of shape (n_energies,), optional
        What the way compares with.
    references : ReferenceSpectra, optional
        What is fitted.
    comparison : SelectionComparison, optional
        Of A and B, where these are shown.
    """

    energy: NDArray[np.float64]
    curves: tuple[Curve, ...]
    below: tuple[Curve, ...]
    unit: str
    title_below: str
    way: Way
    standard: NDArray[np.float64] | None = None
    references: ReferenceSpectra | None = None
    comparison: SelectionComparison | None = None

    @property
    def all_curves(self) -> tuple[Curve, ...]:
        """Everything that is drawn, for a table."""
        below = (
            replace(one, name=f"{self.title_below} {one.name}") for one in self.below
        )
        return (*self.curves, *below)


@dataclass(frozen=True, eq=False)
class Fit:
    """The best sum of references for one spectrum.

    Parameters
    ----------
    names : tuple of str
        Of the references.
    factors : ndarray of shape (n_references,)
        Not negative.
    residual : ndarray of shape (n_energies,)
        Measured minus fitted.
    """

    names: tuple[str, ...]
    factors: NDArray[np.float64]
    residual: NDArray[np.float64]


class SpectraContent:
    """Makes contents; means are taken once, see `SpectraCurves`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.curves = SpectraCurves(workspace)

    def of(self, options: Options) -> Content:
        """Return what is shown for a choice.

        Raises
        ------
        ValueError
            If there are no stacks, no A and B, or nothing to compare with.
        """
        stacks = self._workspace.stacks
        if stacks is None:
            raise InputError("there are no stacks; open them first")
        if options.compare:
            return self._compared(stacks)
        standard = self._standard(options)
        measured = self.curves.phases() if options.phases else []
        measured += self.curves.selections()
        curves = [*measured, *(self.curves.references() if options.references else [])]
        references = self.curves.resampled() if options.residual else None
        if options.residual and references is None:
            raise InputError(NO_REFERENCES)
        below = (
            [] if references is None else [_left(one, references) for one in measured]
        )
        return Content(
            energy=stacks.energy,
            curves=tuple(shown_as(one, options.way, standard) for one in curves),
            below=tuple(below),
            unit=unit_of(stacks.quantity, options.way),
            title_below="residual" if options.residual else "",
            way=options.way,
            standard=standard,
            references=references,
        )

    def pixel(
        self, content: Content, pixel: int, color: str
    ) -> tuple[Curve, Fit | None]:
        """Return the spectrum of a pixel as plotted, and its fit if that is shown."""
        stacks = self._workspace.stacks
        if stacks is None:
            raise InputError("there are no stacks; open them first")
        values = stacks.spectrum(pixel).astype(np.float64)
        curve = shown_as(
            Curve("pixel", values, None, color), content.way, content.standard
        )
        fit = None
        if content.references is not None:
            factors, residual = fit_spectrum(values, content.references.spectra)
            fit = Fit(content.references.names, factors, residual)
        return curve, fit

    def with_pixel(self, content: Content, pixel: int, color: str) -> Content:
        """Return a content with the spectrum of a pixel in it."""
        curve, fit = self.pixel(content, pixel, color)
        below = content.below
        if fit is not None:
            below = (*below, Curve("pixel", fit.residual, None, color))
        return replace(content, curves=(*content.curves, curve), below=below)

    def _standard(self, options: Options) -> NDArray[np.float64] | None:
        if options.way not in ("difference", "ratio"):
            return None
        found = self.curves.standards()
        if options.against not in found:
            raise InputError(
                f"a {options.way} needs a reference or a phase to compare with; load "
                "references or make a phase map"
            )
        return found[options.against]()

    def _compared(self, stacks: StackSet) -> Content:
        kept = {one.name: one for one in self._workspace.selections}
        if not {"A", "B"} <= kept.keys():
            raise InputError(NO_PAIR)
        a, b = kept["A"], kept["B"]
        found = compare_selections(
            stacks, a.pixels, b.pixels, phase_map=self._workspace.best_map()
        )
        means = tuple(
            Curve(f"{one.name}: {found.n_pixels[row]} pixels", found.mean[row],
                  found.error[row], one.color)
            for row, one in enumerate((a, b))
        )  # fmt: skip
        return Content(
            energy=stacks.energy,
            curves=means,
            below=(Curve("", found.difference, found.difference_error, DIFFERENCE),),
            unit=unit_of(stacks.quantity, "as measured"),
            title_below="B − A",
            way="as measured",
            comparison=found,
        )


def fit_text(fit: Fit | None) -> str:
    """Return the parts of a fit in words, "" without one."""
    if fit is None:
        return ""
    total = float(fit.factors.sum())
    parts = [
        f"{factor:.2f} {name}"
        for name, factor in zip(fit.names, fit.factors, strict=True)
        if factor > LEAST_SHARE * total
    ]
    rms = float(np.sqrt(np.nanmean(fit.residual**2)))
    return f" | fit {' + '.join(parts) or 'nothing'}, rms residual {rms:.3g}"


def _left(curve: Curve, references: ReferenceSpectra) -> Curve:
    """Return what the best sum of references leaves of a curve."""
    residual = fit_spectrum(curve.values, references.spectra)[1]
    return Curve(curve.name, residual, None, curve.color)
