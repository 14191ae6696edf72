"""Two selections side by side: spectra, difference, phases and particles.

* `compare_selections`: the comparison, a `SelectionComparison`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.stack_set import as_set
from napari_phasemap.core.phases.spectra import mean_spectra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import Stacks

__all__ = ["SelectionComparison", "compare_selections"]


@dataclass(frozen=True, eq=False)
class SelectionComparison:
    """What two groups of pixels have in common and what not.

    Row 0 of every array is A, row 1 is B.

    Parameters
    ----------
    energy : ndarray of shape (n_energies,)
        In eV.
    mean, error : ndarray of shape (2, n_energies)
        Mean spectra and their standard errors, in the unit of the stacks.
    difference, difference_error : ndarray of shape (n_energies,)
        B minus A and its standard error, in the unit of the stacks.
    n_pixels : ndarray of int of shape (2,)
        Pixels of each.
    n_common : int
        Pixels in both: with any, the errors of A and B are not independent and that
        of the difference is too large.
    phase_names : tuple of str
        "not assigned" first; empty without a phase map.
    phases : ndarray of int of shape (2, n_phases + 1)
        Pixels of each phase.
    particle_names : tuple of str
        Of the stacks.
    particles : ndarray of int of shape (2, n_stacks)
        Pixels in each particle.
    """

    energy: NDArray[np.float64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]
    difference: NDArray[np.float64]
    difference_error: NDArray[np.float64]
    n_pixels: NDArray[np.int64]
    n_common: int
    phase_names: tuple[str, ...]
    phases: NDArray[np.int64]
    particle_names: tuple[str, ...]
    particles: NDArray[np.int64]

    def shares(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return counts of shape (2, n) as per cent of the pixels of A and of B.

        Parameters
        ----------
        counts : ndarray of int of shape (2, n)
            Pixels of A and of B, such as `phases` or `particles`.

        Returns
        -------
        ndarray of shape (2, n)
            In per cent.
        """
        return np.asarray(100.0 * counts / self.n_pixels[:, np.newaxis])


def compare_selections(
    stacks: Stacks,
    a: NDArray[np.bool_],
    b: NDArray[np.bool_],
    /,
    *,
    phase_map: PhaseMap | None = None,
) -> SelectionComparison:
    """Compare two groups of pixels.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Where the pixels are.
    a, b : bool ndarray of shape (n_pixels,)
        May overlap.
    phase_map : PhaseMap, optional
        Whose phases are counted.

    Returns
    -------
    SelectionComparison
        The standard error of a mean is the standard deviation between pixels (n - 1)
        over the root of their number, as for independent pixels: neighbors that share
        noise or blur make it too small. It is NaN for a single pixel.

    Raises
    ------
    ValueError
        If a selection has no pixel, or not one value per pixel.

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> from napari_phasemap.core.data.stack_set import StackSet
    >>> data = [[[1.0, 3.0, 5.0]], [[2.0, 6.0, 7.0]]]
    >>> stacks = StackSet([SpectralStack(data, [1.0, 2.0])])
    >>> a, b = np.array([True, True, False]), np.array([False, False, True])
    >>> found = compare_selections(stacks, a, b)
    >>> found.difference.tolist(), found.error[0].tolist()
    ([3.0, 3.0], [1.0, 2.0])
    """
    stacks = as_set(stacks)
    chosen = np.stack([np.asarray(one, dtype=bool) for one in (a, b)])
    if chosen.shape[1] != stacks.n_pixels:
        raise InputError(f"{chosen.shape[1]} values for {stacks.n_pixels} pixels")
    for name, one in zip("AB", chosen, strict=True):
        if not one.any():
            raise InputError(f"selection {name} has no pixel; draw one and set it")
    means = [mean_spectra(stacks, one.view(np.uint8), 1) for one in chosen]
    mean = np.concatenate([one[0] for one in means])
    count = np.array([one[2][0] for one in means])
    with np.errstate(invalid="ignore", divide="ignore"):
        # std is over n; the error of a mean wants n - 1 in it
        error = np.concatenate([one[1] for one in means]) / np.sqrt(count - 1)[:, None]
    error[count < 2] = np.nan
    names: tuple[str, ...] = ()
    phases = np.zeros((2, 0), dtype=np.int64)
    if phase_map is not None and phase_map.n_pixels == stacks.n_pixels:
        names = ("not assigned", *phase_map.names)
        phases = _counts(phase_map.labels, chosen, len(names))
    return SelectionComparison(
        energy=stacks.energy,
        mean=mean,
        error=error,
        difference=mean[1] - mean[0],
        difference_error=np.hypot(*error),
        n_pixels=count,
        n_common=int(np.count_nonzero(chosen.all(axis=0))),
        phase_names=names,
        phases=phases,
        particle_names=tuple(stacks.names),
        particles=_counts(stacks.stack_index, chosen, len(stacks)),
    )


def _counts(
    codes: NDArray[np.integer], chosen: NDArray[np.bool_], n_codes: int
) -> NDArray[np.int64]:
    """Return how many pixels of each code are in A and in B."""
    rows = [np.bincount(codes[one], minlength=n_codes) for one in chosen]
    return np.array(rows, dtype=np.int64)
