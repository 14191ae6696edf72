"""How far methods agree with each other and with the truth.

* `compare_methods`: fractions, agreement and accuracy of many methods in one table.
* `accuracy`: of a map against known labels.
"""

from __future__ import annotations

import warnings
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import as_set
from napari_phasemap.core.data.text_table import aligned_table
from napari_phasemap.core.latent.components import pca_latent
from napari_phasemap.core.latent.methods import (
    ASSIGNMENTS,
    Evidence,
    all_assignments,
)
from napari_phasemap.core.phases.abstention import probability
from napari_phasemap.core.phases.baselines import linear_combination_fit
from napari_phasemap.core.phases.calibration import calibration_error, risk_coverage
from napari_phasemap.core.phases.correlation import pearson_map
from napari_phasemap.core.phases.posterior import posterior_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack_set import Stacks
    from napari_phasemap.core.latent.latent import LatentSpace
    from napari_phasemap.core.latent.ranking import Candidates

__all__ = [
    "Accuracy",
    "MethodComparison",
    "accuracy",
    "compare_methods",
]


#: What the columns of `Accuracy` are called.
KNOWN = (
    "right, ambiguous", "right, all", "macro F1", "calibration error", "risk-coverage"
)  # fmt: skip


@dataclass(frozen=True)
class Accuracy:
    """Share of right labels, 0 to 1; NaN where there is no such pixel.

    Parameters
    ----------
    ambiguous, all_pixels : float
        Among the ambiguous pixels, and among all with a known phase.
    macro_f1 : float
        Mean over the phases that occur of the harmonic mean of precision and recall.
    calibration_error : float
        Of the probabilities, see `calibration_error`; NaN for a method without.
    risk_coverage : float
        Area under the risk-coverage curve of the margins, see `risk_coverage`.
    """

    ambiguous: float
    all_pixels: float
    macro_f1: float
    calibration_error: float = float("nan")
    risk_coverage: float = float("nan")


def accuracy(
    labels: NDArray[Any], truth: ArrayLike, ambiguous: NDArray[np.bool_], /
) -> Accuracy:
    """Compare labels with the truth.

    Parameters
    ----------
    labels : ndarray of int of shape (n_pixels,)
        A pixel without a phase (0) counts as wrong.
    truth : array_like of int of shape (n_pixels,)
        Known phases from 1; 0 is unknown and left out.
    ambiguous : ndarray of bool of shape (n_pixels,)
        Pixels of the first number.

    Returns
    -------
    Accuracy

    Examples
    --------
    >>> found = accuracy(np.array([1, 2, 2]), [1, 2, 1], np.array([False, True, True]))
    >>> found.ambiguous, round(found.all_pixels, 3), round(found.macro_f1, 3)
    (0.5, 0.667, 0.667)
    """
    known = np.asarray(truth)
    if known.shape != labels.shape:
        raise InputError(f"{known.shape=} of the truth != {labels.shape=}")
    right = labels == known
    there = known > 0
    scores = []
    for phase in np.unique(known[there]):
        hits = np.count_nonzero(right & (known == phase))
        both = np.count_nonzero(known == phase) + np.count_nonzero(
            (labels == phase) & there
        )
        scores.append(2.0 * hits / both)
    return Accuracy(
        ambiguous=_share(right[ambiguous & there]),
        all_pixels=_share(right[there]),
        macro_f1=float(np.mean(scores)) if scores else float("nan"),
    )


@dataclass(frozen=True, eq=False, repr=False)
class MethodComparison:
    """Maps of several methods and how they compare.

    Parameters
    ----------
    maps : mapping of str to PhaseMap
        By the name of the method.
    agreement : ndarray of shape (n_methods, n_methods)
        Share of pixels with the same label, among those that both assign.
    accuracies : mapping of str to Accuracy
        Empty without a truth.
    """

    maps: Mapping[str, PhaseMap]
    agreement: NDArray[np.float64]
    accuracies: Mapping[str, Accuracy]

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of `rows`."""
        first = next(iter(self.maps.values()))
        known = KNOWN if self.accuracies else ()
        shares = [f"{name} (%)" for name in first.names]
        return ("method", *shares, "like the first", *known)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """One row per method."""
        rows = []
        for index, (name, phase_map) in enumerate(self.maps.items()):
            known: tuple[float, ...] = ()
            if self.accuracies:
                own = self.accuracies[name]
                known = astuple(own)
            shares = (float(share) for share in phase_map.fractions())
            rows.append((name, *shares, float(self.agreement[index, 0]), *known))
        return rows

    def __repr__(self) -> str:
        first = next(iter(self.maps.values()))
        title = f"{len(self.maps)} methods on {first.n_pixels} pixels"
        return "\n".join([title, *aligned_table([self.header, *self.rows])])


def compare_methods(
    stacks: Stacks,
    references: ReferenceSpectra,
    truth: ArrayLike | None = None,
    /,
    *,
    latents: Mapping[str, LatentSpace] | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    candidates: Candidates = "all",
    on_progress: OnProgress = ignore_progress,
) -> MethodComparison:
    """Classify by every method and compare the maps.

    Methods: Pearson's best guess, the linear combination fit, the posterior with and
    without neighbors (where its noise can be known), and every method of the table
    `ASSIGNMENTS` for the ambiguous pixels, those that need a latent space in that of
    three principal components and in each of `latents`.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Optical density or net counts.
    references : ReferenceSpectra
        The phases.
    truth : array_like of int of shape (n_pixels,), optional
        Known phases from 1 in the order of `references`; 0 is unknown.
    latents : mapping of str to LatentSpace, optional
        Further latent spaces, for example ``{"GMVAE": LatentSpace(model.encode(X),
        model.encode(reference_spectra))}``. Without coordinates of the references
        `assign_euclidean` is left out.
    threshold : float, default=0.005
        Smallest unambiguous Q1 - Q2.
    candidates : {"all", "pair"}, default="all"
        As for `assign_mahalanobis`.
    on_progress : callable, optional
        May raise `Cancelled`.

    Returns
    -------
    MethodComparison
        `repr` is the table.

    Raises
    ------
    ValueError
        As for the methods; if the truth has another length.
    """
    stacks = as_set(stacks)
    pearson = pearson_map(stacks, references, on_progress=on_progress)
    fit = linear_combination_fit(stacks, references, on_progress=on_progress)
    maps = {"Pearson": pearson, "linear combination": fit.phase_map}
    maps |= _posteriors(stacks, references, on_progress)
    resampled = references.resample(stacks.energy).spectra
    spaces = {
        "PCA-3": pca_latent(
            stacks.spectra(), resampled, n_components=min(3, stacks.n_energies)
        ),
        **(latents or {}),
    }
    if pearson.ambiguous(threshold).any():
        options: dict[str, Any] = {
            "threshold": threshold,
            "candidates": candidates,
            "on_progress": on_progress,
        }
        alone = [name for name, row in ASSIGNMENTS.items() if "latent" not in row.needs]
        whole = Evidence(pearson, stacks=stacks, references=references)
        maps |= all_assignments(whole, methods=alone, **options)
        latent = [name for name in ASSIGNMENTS if name not in alone]
        for space_name, space in spaces.items():
            there = replace(
                whole, latent=space.coordinates, reference_latent=space.references
            )
            found = all_assignments(there, methods=latent, **options)
            maps |= {f"{space_name}, {name}": one for name, one in found.items()}
    accuracies = {}
    if truth is not None:
        ambiguous = pearson.ambiguous(threshold)
        for name, phase_map in maps.items():
            accuracies[name] = _with_calibration(
                accuracy(phase_map.labels, truth, ambiguous), phase_map, truth
            )
    labels = [phase_map.labels for phase_map in maps.values()]
    agreement = [[_share((a == b)[(a > 0) & (b > 0)]) for b in labels] for a in labels]
    return MethodComparison(maps, np.array(agreement), accuracies)


def _posteriors(
    stacks: Stacks, references: ReferenceSpectra, on_progress: OnProgress
) -> dict[str, PhaseMap]:
    """Return the maps of probabilities, none where they cannot be computed."""
    found = {}
    for name, neighbors in (("posterior", True), ("posterior, pixels alone", False)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                found[name] = posterior_map(
                    stacks, references, neighbors=neighbors, on_progress=on_progress
                )
        except InputError:  # a single reference, too few energies, no noise
            break
    return found


def _with_calibration(
    right: Accuracy, phase_map: PhaseMap, truth: ArrayLike
) -> Accuracy:
    """Return the accuracy with what is known of how sure the map is of itself."""
    known = np.asarray(truth)
    there = known > 0
    hits = (phase_map.labels == known)[there]
    error = float("nan")
    if phase_map.method.startswith("posterior"):
        error = calibration_error(probability(phase_map)[there], hits)
    area = risk_coverage(phase_map.margin[there], hits)
    return replace(right, calibration_error=error, risk_coverage=area)


def _share(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if right.size else float("nan")
