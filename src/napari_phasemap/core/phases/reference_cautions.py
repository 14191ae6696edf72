"""What to be wary of in references that no recalibration mends.

* `cautions`: low correlations, pairs that noise hides, residuals with structure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.prepare.noise_level import estimate_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra

__all__ = ["cautions"]

#: The best pixels of a phase are those above this quantile of its correlations.
BEST = 0.9
#: Their 1 - r may be so many times what noise makes it, and so much more.
TIMES_NOISE, MORE = 4.0, 0.003
#: Fewest pixels of a phase that are judged.
FEWEST = 30
#: Distance of two references, in standard deviations of one pixel's noise, below which
#: a pixel alone confuses them in more than 31 % of the cases.
CLOSE = 1.0
#: Mean residuals have structure from so many standard errors and from such a part of
#: one pixel's noise.
SURE, PART_OF_NOISE = 6.0, 0.5
#: Energies that a sentence names one by one.
MOST_NAMED = 4
#: Pixels of a particle that the noise is judged by.
MOST_PIXELS = 2000


def cautions(
    stacks: StackSet,
    references: ReferenceSpectra,
    phases: PhaseMap,
    residuals: NDArray[np.float64],
    errors: NDArray[np.float64],
    /,
) -> list[str]:
    """Return sentences about what should not be believed as it stands.

    Parameters
    ----------
    stacks : StackSet
        Optical density.
    references : ReferenceSpectra
        That cover the energies.
    phases : PhaseMap
        From `posterior_map`.
    residuals, errors : ndarray of shape (n_references, n_energies)
        Mean residual of every phase, and its standard error. In the unit of the stacks.

    Returns
    -------
    list of str
        Empty where nothing is odd.
    """
    spectra, variance, labels = _some(stacks, references, phases)
    shapes = references.resample(stacks.energy).spectra
    said = _low_correlations(stacks, references, phases, spectra, variance, labels)
    said += _close_pairs(references, shapes, spectra, variance)
    noise = np.sqrt(np.median(variance, axis=0))
    for name, row, error in zip(references.names, residuals, errors, strict=True):
        odd = (np.abs(row) > SURE * error) & (np.abs(row) > PART_OF_NOISE * noise)
        if odd.any():
            where = _places(stacks.energy, row, odd)
            said.append(
                f"Pixels of {name} differ from its reference in the same way "
                f"everywhere, in optical density: {where}; its shape may be another."
            )
    return said


def _places(
    energy: NDArray[np.float64], row: NDArray[np.float64], odd: NDArray[np.bool_]
) -> str:
    """Return where residuals are odd: each place, or of many how many and the worst."""
    rows = np.flatnonzero(odd)
    if len(rows) <= MOST_NAMED:
        return ", ".join(f"{energy[e]:.1f} eV ({row[e]:+.3f})" for e in rows)
    worst = int(rows[np.abs(row[rows]).argmax()])
    return (
        f"at {len(rows)} energies from {energy[rows[0]]:.1f} to {energy[rows[-1]]:.1f} "
        f"eV, most at {energy[worst]:.1f} eV ({row[worst]:+.3f})"
    )


def _some(
    stacks: StackSet, references: ReferenceSpectra, phases: PhaseMap
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return spectra, variances and labels of some pixels with a phase."""
    parts = []
    for stack, labels in zip(stacks, stacks.split(phases.labels), strict=True):
        if stack.noise is None:
            stack = estimate_noise(stack, references=references)
        one = StackSet([stack])
        used = stacks.energy_used[one.energy_used]
        rows = np.flatnonzero(labels)
        rows = rows[:: max(len(rows) // MOST_PIXELS, 1)]
        spectra = one.stack_spectra(0)[:, used][rows]
        variance = one.stack_variance(0)[:, used][rows]
        parts.append((spectra, variance, labels[rows]))
    spectra, variance, labels = (np.concatenate(x) for x in zip(*parts, strict=True))
    return spectra.astype(float), variance.astype(float), labels.astype(np.int64)


def _low_correlations(
    stacks: StackSet,
    references: ReferenceSpectra,
    phases: PhaseMap,
    spectra: NDArray[np.float64],
    variance: NDArray[np.float64],
    labels: NDArray[np.int64],
) -> list[str]:
    """Say which phases correlate badly even in their best pixels."""
    pearson = pearson_map(stacks, references)
    centered = spectra - spectra.mean(axis=1, keepdims=True)
    signal = np.sum(centered**2, axis=1)
    allowed = np.sqrt(np.clip(1.0 - variance.sum(axis=1) / signal, 0.0, 1.0))
    said = []
    for number, name in enumerate(references.names, 1):
        own = pearson.best[(pearson.labels == number) & (phases.labels == number)]
        if len(own) < FEWEST or np.count_nonzero(labels == number) < FEWEST:
            continue
        top = float(np.quantile(own, BEST))
        limit = float(np.quantile(allowed[labels == number], BEST))
        if 1.0 - top > TIMES_NOISE * (1.0 - limit) + MORE:
            said.append(
                f"Even the best pixels of {name} correlate with r = {top:.3f} only, "
                f"where noise would allow {limit:.3f}: the phase may be another one."
            )
    return said


def _close_pairs(
    references: ReferenceSpectra,
    shapes: NDArray[np.float64],
    spectra: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> list[str]:
    """Say which references the noise of a pixel hides from one another."""
    from scipy.stats import norm

    weights = 1.0 / np.median(variance, axis=0)
    typical = np.median(spectra, axis=0)
    said = []
    for a in range(len(shapes)):
        for b in range(a):
            products = (shapes[[a, b]] * weights) @ shapes[[a, b]].T
            amount = (shapes[a] * weights) @ typical / products[0, 0]
            across = products[0, 0] - products[0, 1] ** 2 / products[1, 1]
            distance = abs(amount) * np.sqrt(max(across, 0.0))
            if distance < CLOSE:
                wrong = 100.0 * norm.sf(distance / 2.0)
                said.append(
                    f"A pixel alone confuses {references.names[b]} and "
                    f"{references.names[a]} in {wrong:.0f} % of the cases at this "
                    "noise: believe them only where neighbors agree."
                )
    return said
