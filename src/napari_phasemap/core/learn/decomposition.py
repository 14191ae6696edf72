"""How many independent spectra a data set holds, and how much of each a pixel has.

* `pca`: principal components, weighted by the known noise of counts where there is one.
* `Decomposition`: scores, components and the evidence for their number.
* `singular_threshold`: the threshold for noise of variance 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.frozen import read_only
from napari_phasemap.core.data.pixel_spectra import average_neighbors, spectra_parts
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.text_table import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_phasemap.core.data.pixel_spectra import Spectra
    from napari_phasemap.core.data.stack_set import Stacks

__all__ = ["Decomposition", "pca", "singular_threshold"]

Weighting: TypeAlias = Literal["auto", "poisson", "none"]

#: Pixels whose spectra are copied at a time.
CHUNK = 16384
#: Singular values below this share of the largest are the rounding of float32 data.
ROUNDING = 1e-6
#: Pixels with less than this share of the median amount are divided by it instead:
#: their composition is noise.
LEAST_AMOUNT = 0.2


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition:
    """Principal components of spectra, in units of the noise where it is known.

    Parameters
    ----------
    scores : ndarray of float32 of shape (n_pixels, n_components)
        Amount of each component; NaN for pixels that were left out.
    components : ndarray of float32 of shape (n_components, n_energies)
        Orthonormal in the weighted energies; `spectra` gives physical ones.
        Dimensionless.
    singular_values : ndarray of shape (n_energies,)
        All of them, largest first: the scree plot. In units of the noise where that is
        known, else in that of the spectra.
    threshold : float
        Singular value above which a component is more than noise.
    explained_variance : ndarray of shape (n_energies,)
        Share of the (weighted) variance of each component; sums to 1.
    noise : {"known", "unknown"}
        Whether the threshold follows from counting statistics or from the median.
    mean : ndarray of shape (n_energies,)
        What was subtracted first, weighted; zeros for counts.
    pixel_weights, energy_weights : ndarray of shape (n_pixels,), (n_energies,)
        What spectra were divided by. Their product is in the unit of the spectra.
    energy : ndarray of shape (n_energies,), optional
        In eV, where the data say.
    """

    scores: NDArray[np.float32]
    components: NDArray[np.float32]
    singular_values: NDArray[np.float64]
    threshold: float
    explained_variance: NDArray[np.float64]
    noise: Literal["known", "unknown"]
    mean: NDArray[np.float64]
    pixel_weights: NDArray[np.float32]
    energy_weights: NDArray[np.float32]
    energy: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for key, value in list(self.__dict__.items()):
            object.__setattr__(self, key, read_only(value))

    @property
    def n_components(self) -> int:
        """Number of components that were kept."""
        return int(self.scores.shape[1])

    @property
    def n_significant(self) -> int:
        """Number of components above the threshold."""
        return int(np.count_nonzero(self.singular_values > self.threshold))

    @cached_property
    def whitened(self) -> NDArray[np.float32]:
        """Scores of unit mean square, (n_pixels, n_components)."""
        size = np.sqrt(np.nanmean(self.scores.astype(np.float64) ** 2, axis=0))
        return (self.scores / np.where(size > 0, size, 1.0)).astype(np.float32)

    @cached_property
    def composition(self) -> NDArray[np.float32]:
        """Scores divided by how much of the mean spectrum a pixel has.

        What a pixel is made of, whatever its thickness. Meaningful for data that
        were not centered, such as net counts; of shape (n_pixels, n_components). A
        single component has no composition: its whitened amount is returned.
        """
        if self.n_components == 1:
            return self.whitened
        direction = np.nanmean(self.scores, axis=0, dtype=np.float64)
        length = np.linalg.norm(direction)
        if not length > 0:
            return self.whitened
        amount = self.scores @ (direction / length).astype(np.float32)
        least = LEAST_AMOUNT * float(np.nanmedian(np.abs(amount)))
        floor = np.maximum(amount, np.float32(least))[:, None]
        return np.asarray(self.scores / floor, dtype=np.float32)

    def averaged(self, stacks: Stacks, sigma: float) -> Decomposition:
        """Return this with scores averaged over neighbors, see `average_neighbors`.

        Averaging comes before `composition`: pixels then count by their amount.

        Parameters
        ----------
        stacks : Stacks
            Where the pixels lie.
        sigma : float
            Standard deviation of the Gaussian in pixels; 0 averages nothing.

        Returns
        -------
        Decomposition
            With other scores.
        """
        return replace(self, scores=average_neighbors(self.scores, stacks, sigma=sigma))

    def denoised(self, n_components: int | None = None) -> NDArray[np.float32]:
        """Return the spectra made of the components alone, (n_pixels, n_energies).

        Parameters
        ----------
        n_components : int, optional
            How many of the first; default all that were kept.

        Returns
        -------
        ndarray of float32 of shape (n_pixels, n_energies)
            In the unit of the spectra.
        """
        kept = slice(0, n_components)
        weighted = self.scores[:, kept] @ self.components[kept]
        weighted += self.mean.astype(np.float32)
        weighted *= self.energy_weights
        weighted *= self.pixel_weights[:, None]
        return np.asarray(weighted, dtype=np.float32)

    def __repr__(self) -> str:
        shares = ", ".join(f"{100 * s:.3g}" for s in self.explained_variance[:6])
        return described(
            f"Decomposition of {len(self.scores)} pixels",
            {
                "components": f"{self.n_components} kept, {self.n_significant} above "
                f"the noise ({self.noise})",
                "variance": f"{shares} %",
            },
        )


def pca(
    spectra: Spectra,
    /,
    *,
    n_components: int | Literal["auto"] = "auto",
    weighting: Weighting = "auto",
    where: NDArray[np.bool_] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Decomposition:
    """Find the principal components and how many of them are more than noise.

    Net counts are divided by the square roots of the mean raw counts of their pixel and
    of their energy [1]_, which leaves noise of variance 1, and components above the
    optimal threshold for known noise are kept [2]_. Other data are centered, and the
    threshold follows from the median singular value [2]_.

    Parameters
    ----------
    spectra : NetEdge, SpectralStack, StackSet, sequence of these, or ndarray
        One spectrum per pixel; an array has the shape (n_pixels, n_energies).
        Several edges must have the same energies: their pixels follow one another.
    n_components : int or "auto", default="auto"
        How many to keep; "auto" keeps those above the threshold, at least one.
    weighting : {"auto", "poisson", "none"}, default="auto"
        * "auto": "poisson" for counts and for edges fitted as counts, else "none".
        * "poisson": weights from the raw counts (the spectra themselves without them).
        * "none": center only.
    where : bool ndarray of shape (n_pixels,), optional
        Pixels to use; the others get NaN, as do pixels that are not finite.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Decomposition
        Scores in pixel order.

    Raises
    ------
    ValueError
        If there are fewer usable pixels than two, or more components are asked for
        than there are pixels or energies.

    References
    ----------
    .. [1] M. R. Keenan, P. G. Kotula, Surf. Interface Anal. 36, 203 (2004),
       doi:10.1002/sia.1657.
    .. [2] M. Gavish, D. L. Donoho, IEEE Trans. Inf. Theory 60, 5040 (2014),
       doi:10.1109/TIT.2014.2323359.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> spectra = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 30))
    >>> pca(spectra + 0.01 * rng.normal(size=(200, 30))).n_components
    2
    """
    if weighting not in get_args(Weighting):
        raise InputError(f"{weighting=} is not one of {get_args(Weighting)}")
    parts, raw, energy = spectra_parts(spectra)
    counted = weighting == "poisson" or (weighting == "auto" and raw is not None)
    if counted and raw is None:
        raw = parts
    n_energies = parts[0].shape[0]
    used = _used(parts, where)
    n_used = int(used.sum())
    if n_used < 2:
        raise InputError(
            f"{n_used} of {len(used)} pixels are finite and chosen; at least 2 needed"
        )
    pixel_weights = np.ones(len(used), dtype=np.float32)
    energy_weights = np.ones(n_energies, dtype=np.float32)
    if counted and raw is not None:
        pixel_weights, energy_weights, used = _noise_weights(raw, used)
        n_used = int(used.sum())
        if n_used < 2:
            raise InputError(f"{n_used} pixels have counts; at least 2 are needed")
    on_progress(0, 2, "components")
    gram, total = _gram(parts, used, pixel_weights, energy_weights, exact=not counted)
    mean = np.zeros(n_energies) if counted else total / n_used
    gram -= n_used * np.outer(mean, mean)
    values, vectors = np.linalg.eigh(gram)
    singular = np.sqrt(np.clip(values[::-1], 0.0, None))
    if counted:
        threshold = singular_threshold(n_used, n_energies)
    else:
        threshold = _median_threshold(singular, n_used, n_energies)
    rank = min(n_used, n_energies)
    if n_components == "auto":
        kept = int(np.clip(np.count_nonzero(singular > threshold), 1, rank))
    else:
        kept = int(n_components)
        if not 1 <= kept <= rank:
            raise InputError(
                f"{n_components=} is not in 1..{rank} ({n_used} pixels, {n_energies} "
                "energies)"
            )
    components = vectors[:, ::-1][:, :kept].T
    components = components * np.where(components.sum(axis=1) < 0, -1.0, 1.0)[:, None]
    on_progress(1, 2, "scores")
    scores = np.full((len(used), kept), np.nan, dtype=np.float32)
    projector = (components / energy_weights).astype(np.float32)
    offset = (components @ mean).astype(np.float32)
    for rows, block in _blocks(parts, used):
        scores[rows] = (projector @ block).T / pixel_weights[rows, None] - offset
    on_progress(2, 2, "done")
    variance = singular**2
    return Decomposition(
        scores=scores,
        components=components.astype(np.float32),
        singular_values=singular,
        threshold=threshold,
        explained_variance=variance / max(variance.sum(), np.finfo(float).tiny),
        noise="known" if counted else "unknown",
        mean=mean,
        pixel_weights=pixel_weights,
        energy_weights=energy_weights,
        energy=energy,
    )


def singular_threshold(n_rows: int, n_columns: int) -> float:
    """Return the optimal hard threshold for singular values under noise of variance 1.

    Gavish and Donoho 2014, Eq. 11, times the root of the larger dimension.

    Parameters
    ----------
    n_rows, n_columns : int
        Of the matrix; either may be the larger.

    Returns
    -------
    float
        In units of the noise's standard deviation.
    """
    large, small = max(n_rows, n_columns), min(n_rows, n_columns)
    beta = small / large
    root = np.sqrt(beta**2 + 14.0 * beta + 1.0)
    factor = np.sqrt(2.0 * (beta + 1.0) + 8.0 * beta / (beta + 1.0 + root))
    return float(factor * np.sqrt(large))


def _used(
    parts: list[NDArray[np.float32]], where: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Return which pixels are finite and chosen."""
    sums = [np.ones(len(part), dtype=part.dtype) @ part for part in parts]
    finite: NDArray[np.bool_] = np.isfinite(np.concatenate(sums))
    if where is None:
        return finite
    where = np.asarray(where, dtype=bool)
    if where.shape != finite.shape:
        raise InputError(f"{where.shape=} != ({len(finite)} pixels,)")
    return finite & where


def _noise_weights(
    raw: list[NDArray[np.float32]], used: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Return weights of pixels and energies whose product is the noise's deviation."""
    n_energies = raw[0].shape[0]
    per_pixel = np.concatenate([np.ones(n_energies, "f4") @ part for part in raw])
    per_pixel /= n_energies
    used = used & (per_pixel > 0)
    per_energy = np.zeros(n_energies)
    first = 0
    for part in raw:
        chosen = used[first : first + part.shape[1]]
        per_energy += part @ chosen.astype(np.float32)
        first += part.shape[1]
    per_energy /= max(int(used.sum()), 1)
    per_energy = np.maximum(per_energy, 1e-3 * max(per_energy.max(), 1e-30))
    pixel_weights = np.where(used, np.sqrt(np.maximum(per_pixel, 0.0)), 1.0)
    energy_weights = np.sqrt(per_energy / per_energy.mean())
    return pixel_weights.astype("f4"), energy_weights.astype("f4"), used


def _blocks(
    parts: list[NDArray[np.float32]], used: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Yield used pixel numbers and their spectra (n_energies, n) chunk by chunk."""
    first = 0
    for part in parts:
        for low in range(0, part.shape[1], CHUNK):
            block = part[:, low : low + CHUNK]
            chosen = used[first + low : first + low + block.shape[1]]
            rows = np.flatnonzero(chosen) + first + low
            if len(rows):
                yield rows, block if chosen.all() else block[:, chosen]
        first += part.shape[1]


def _gram(
    parts: list[NDArray[np.float32]],
    used: NDArray[np.bool_],
    pixel_weights: NDArray[np.float32],
    energy_weights: NDArray[np.float32],
    *,
    exact: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weighted X^T X and the sum of X over pixels, in float64."""
    n_energies = len(energy_weights)
    gram = np.zeros((n_energies, n_energies))
    total = np.zeros(n_energies)
    for rows, block in _blocks(parts, used):
        weighted = block / pixel_weights[rows]
        weighted /= energy_weights[:, None]
        if exact:
            weighted = weighted.astype(np.float64)
            total += weighted.sum(axis=1)
        gram += weighted @ weighted.T
    return gram, total


def _median_threshold(
    singular: NDArray[np.float64], n_rows: int, n_columns: int
) -> float:
    """Return the threshold for unknown noise: Gavish and Donoho 2014, Eq. 4 and 5."""
    large, small = max(n_rows, n_columns), min(n_rows, n_columns)
    beta = small / large
    omega = 0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43
    median = float(np.median(singular[:small]))
    return max(omega * median, ROUNDING * float(singular[0]))
