"""Whether the references fit the measurement, before their map is believed.

* `check_references`: what seems to be wrong, how sure that is and what it changes.
* `ReferenceReport`: the answer in sentences, and what is corrected on request.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.changes import change_table
from napari_phasemap.core.phases.correlation import comparable_set
from napari_phasemap.core.phases.posterior import posterior_map
from napari_phasemap.core.phases.reference_cautions import cautions
from napari_phasemap.core.phases.reference_corrections import (
    Correction,
    corrected,
    corrections_of,
)
from napari_phasemap.core.phases.reference_fit import (
    Sample,
    fit_distortion,
    phase_residuals,
)
from napari_phasemap.core.prepare.noise_level import estimate_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import Stacks
    from napari_phasemap.core.phases.distortion import Distortion

__all__ = ["Correction", "ReferenceReport", "check_references"]

#: Pixels that are fitted: more make no standard error smaller than what limits it.
MOST_PIXELS, FEWEST_PIXELS = 4000, 100
#: A correction that moves a larger share of the pixels may be other phases in disguise,
#: unless there are so many per cent of every phase after it.
MOST_MOVED, LEAST_MET = 0.5, 2.0
#: References whose energies are further apart, in eV, cannot be moved: what lies
#: between them is not known.
SPARSE = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class ReferenceReport:
    """What `check_references` found. Nothing is changed before `apply`.

    Parameters
    ----------
    stacks, references
        As they were given.
    distortion : Distortion
        What was fitted.
    corrections : tuple of Correction
        Energy shift, stray light, baseline and error of I0.
    warnings : tuple of str
        What no correction mends.
    residuals, residual_errors : ndarray of shape (n_references, n_energies)
        What the references leave on average after the corrections, in optical density,
        and its standard error.
    groups : ndarray of int of shape (n_stacks,)
        Which row of the offsets of `distortion` each stack has.
    """

    stacks: StackSet
    references: ReferenceSpectra
    distortion: Distortion
    corrections: tuple[Correction, ...]
    warnings: tuple[str, ...]
    residuals: NDArray[np.float64]
    residual_errors: NDArray[np.float64]
    groups: NDArray[np.int64]

    @property
    def suggested(self) -> tuple[str, ...]:
        """Corrections that are more than chance, and no other phases in disguise."""
        found = [one for one in self.corrections if one.significant]
        if any(_disguised(one, self.stacks.n_pixels) for one in found):
            return ()  # all were fitted together
        return tuple(one.name for one in found)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found and what applying it moves, one text per correction."""
        return tuple(self._sentence(one) for one in self.corrections)

    def summary(self) -> str:
        """Return the report in plain sentences, one a line."""
        return "\n".join([*self.sentences, *self.warnings])

    def as_dict(self) -> dict[str, Any]:
        """Return what was found as plain values, as a recipe holds them."""
        return {
            "found": dict(
                zip((one.name for one in self.corrections), self.sentences, strict=True)
            ),
            "suggested": list(self.suggested),
            "cautions": list(self.warnings),
        }

    def _sentence(self, one: Correction) -> str:
        if not one.significant:
            return one.sentence
        share = 100.0 * one.n_changed / self.stacks.n_pixels
        gain = np.nan_to_num(one.after - one.before)
        most = int(np.abs(gain).argmax())
        name = self.references.names[most]
        return (
            f"{one.sentence} Applying this moves {share:.1f} % of the pixels "
            f"({name}: {one.before[most]:.1f} to {one.after[most]:.1f} %)."
        )

    def apply(
        self, accepted: Iterable[str] | None = None
    ) -> tuple[StackSet, ReferenceSpectra]:
        """Return stacks and references with what was accepted corrected.

        Parameters
        ----------
        accepted : iterable of str, optional
            Names of corrections; default `suggested`.

        Returns
        -------
        stacks, references
            The very objects that were given where nothing was accepted. The history of
            the stacks says what was done; the old ones are not changed.

        Raises
        ------
        InputError
            If a name is unknown, or a shift is asked for that could not be fitted.
        """
        names = set(self.suggested if accepted is None else accepted)
        known = {one.name: one for one in self.corrections}
        if names - set(known):
            raise InputError(
                f"no correction {sorted(names - set(known))}; there are {list(known)}"
            )
        if "energy shift" in names and not np.isfinite(self.distortion.shift):
            raise InputError(known["energy shift"].sentence)
        if not names:
            return self.stacks, self.references
        return self._corrected(names)

    def _corrected(self, names: set[str]) -> tuple[StackSet, ReferenceSpectra]:
        return corrected(
            self.stacks, self.references, self.distortion, self.groups, names
        )

    def __repr__(self) -> str:
        return f"ReferenceReport\n{self.summary()}"


def check_references(
    stacks: Stacks,
    references: ReferenceSpectra,
    /,
    *,
    per_particle: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> ReferenceReport:
    """Look for what is wrong with references and I0, and say how sure that is.

    On pixels whose neighbors have the same phase, a common energy shift, stray light
    and an error of I0 at every energy are fitted jointly, while every pixel keeps its
    own amount and its phase is left open (`fit_distortion`). The straight part of the
    error of I0 is told as a baseline.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Optical density.
    references : ReferenceSpectra
        On their own dense energies: a shift of sparse ones cannot be fitted.
    per_particle : bool, default=False
        Give every particle its own error of I0; needed where each has its own I0.
    on_progress : callable, optional
        May raise `Cancelled`.

    Returns
    -------
    ReferenceReport
        `summary` says it in words, `apply` corrects what was accepted.

    Raises
    ------
    InputError
        For anything but optical density, or if there are too few pixels or energies.

    Notes
    -----
    Shapes that are wrong (other peak widths, a missing feature) are not mended but
    warned of. A multiple of the mean reference in the error of I0 cannot be seen.

    Examples
    --------
    >>> from napari_phasemap.core.simulate import synthetic
    >>> simulated = synthetic.particle((60, 72), seed=1, energy_drift=0.08)
    >>> report = check_references(simulated.optical_density, synthetic.references())
    >>> report.suggested, round(report.distortion.shift, 1)
    (('energy shift',), 0.1)
    """
    stacks = comparable_set(stacks)
    if stacks.quantity != "optical_density":
        raise InputError(
            f"references are checked on optical density; {stacks.names[0]!r} holds "
            f"{stacks.quantity.replace('_', ' ')}"
        )

    def step_of(step: int) -> OnProgress:
        """Return what keeps saying how far this is, and may raise `Cancelled`."""
        return lambda *_: on_progress(step, 4, "checking references")

    before = _quiet_map(stacks, references, step_of(0))
    sample = _sample(stacks, references, before, per_particle)
    shapes, sparse = _shapes(references, stacks.energy), _sparse(references, stacks)
    found = fit_distortion(sample, shapes, shiftable=not sparse, on_progress=step_of(1))
    residuals, errors = phase_residuals(sample, shapes, found)
    groups = np.arange(len(stacks)) if per_particle else np.zeros(len(stacks), np.int64)
    report = ReferenceReport(
        stacks,
        references,
        found,
        tuple(corrections_of(found, stacks, sparse)),
        (),
        residuals,
        errors,
        groups,
    )
    corrections = [
        _with_effect(one, report, before, step_of(2)) for one in report.corrections
    ]
    on_progress(3, 4, "checking references")
    told = cautions(stacks, references, before, residuals, errors)
    told += [
        f"With the {one.name} corrected most pixels would be another phase, and not "
        "all references are met here: a shift can make one phase look like another. "
        "Nothing is suggested: check more particles together, or calibrate by "
        "something else."
        for one in corrections
        if one.significant and _disguised(one, stacks.n_pixels)
    ]
    on_progress(4, 4, "checking references")
    return replace(report, corrections=tuple(corrections), warnings=tuple(told))


def _quiet_map(
    stacks: StackSet, references: ReferenceSpectra, on_progress: OnProgress
) -> PhaseMap:
    """Return the posterior; that nothing fits is what the report is about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return posterior_map(stacks, references, on_progress=on_progress)


def _sparse(references: ReferenceSpectra, stacks: StackSet) -> float:
    """Return how far apart, in eV, the references' energies are if that is too far."""
    axis = references.energy
    above = np.clip(np.searchsorted(axis, stacks.energy), 1, len(axis) - 1)
    gap = float(np.median(axis[above] - axis[above - 1]))
    return gap if gap > SPARSE else 0.0


def _shapes(
    references: ReferenceSpectra, energy: NDArray[np.float64]
) -> Callable[[float], NDArray[np.float64]]:
    """Return the references as a function of how far they are moved up in energy."""

    def moved(shift: float) -> NDArray[np.float64]:
        axis = references.energy + shift
        return np.array([np.interp(energy, axis, row) for row in references.spectra])

    return moved


def _sample(
    stacks: StackSet,
    references: ReferenceSpectra,
    phases: PhaseMap,
    per_particle: bool,
) -> Sample:
    """Return pixels whose neighbors all have the same phase as they."""
    from scipy.ndimage import maximum_filter, minimum_filter

    spectra, variance, particle = [], [], []
    for index, stack in enumerate(stacks):
        if stack.noise is None:
            stack = estimate_noise(stack, references=references)
        image = stacks.to_image(phases.labels, index, fill=0)
        inner = minimum_filter(image, 3) == maximum_filter(image, 3)
        chosen = inner[stack.mask] & (image[stack.mask] > 0)
        one = StackSet([stack])
        used = stacks.energy_used[one.energy_used]
        spectra.append(one.stack_spectra(0)[:, used][chosen])
        variance.append(one.stack_variance(0)[:, used][chosen])
        particle.append(np.full(len(spectra[-1]), index))
    numbers = np.concatenate(particle)
    if len(numbers) < FEWEST_PIXELS:
        raise InputError(
            f"{len(numbers)} pixels have neighbors of the same phase only; to check "
            f"references takes {FEWEST_PIXELS}: analyze a larger area or more particles"
        )
    return Sample(
        np.concatenate(spectra).astype(np.float64),
        np.concatenate(variance).astype(np.float64),
        numbers,
        numbers if per_particle else np.zeros_like(numbers),
        stacks.energy,
    ).some(MOST_PIXELS)


def _disguised(one: Correction, n_pixels: int) -> bool:
    """Whether other phases could look like this correction."""
    met = np.nan_to_num(one.after) >= LEAST_MET
    return bool(one.n_changed > MOST_MOVED * n_pixels and not met.all())


def _with_effect(
    correction: Correction,
    report: ReferenceReport,
    before: PhaseMap,
    on_progress: OnProgress,
) -> Correction:
    """Return a correction with what it changes."""
    if not correction.significant:
        shares = before.fractions()
        return replace(correction, before=shares, after=shares)
    stacks, references = report.apply({correction.name})
    table = change_table(before, _quiet_map(stacks, references, on_progress))
    return replace(
        correction, n_changed=table.n_changed, before=table.before, after=table.after
    )
