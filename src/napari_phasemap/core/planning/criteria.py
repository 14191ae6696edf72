"""How good a set of energies is, as sums over its energies.

* `Contest`: reference spectra as a specimen of a given thickness would show them.
* `Separation`: the smallest distance between two phases in units of the noise.
* `PearsonSeparation`: the same for a map by Pearson's r.
* `Amounts`: how well the amounts of all phases are known (D- and A-optimal).

Each criterion has `features`, one row per candidate energy, and `score` of the sums of
such rows over a set: an energy is tried by one addition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.references import ReferenceSpectra

__all__ = ["Amounts", "Contest", "PearsonSeparation", "Separation", "contest"]

#: A weighted square sum below this share of another is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Contest:
    """References as they are expected to be measured.

    Parameters
    ----------
    names : tuple of str
        Of the phases.
    energy : ndarray of shape (n_candidates,)
        In eV.
    density : ndarray of shape (n_phases, n_candidates)
        Optical density of a pixel of each pure phase.
    dose : float
        Photons that reach a pixel, over all energies of a set.
    floor : float
        Noise of the optical density that no dose removes, as a standard deviation.
    offset : bool
        Whether a constant in the optical density is unknown, too.
    """

    names: tuple[str, ...]
    energy: NDArray[np.float64]
    density: NDArray[np.float64]
    dose: float
    floor: float
    offset: bool

    def weights(self, n: int) -> NDArray[np.float64]:
        r"""Return one over the variance of the optical density at n energies.

        Of N incident photons :math:`N e^{-D}` arrive, so by the delta method
        :math:`\sigma^2 = e^{D} n / \mathrm{dose} + \mathrm{floor}^2`.

        Parameters
        ----------
        n : int
            Energies that share the dose.

        Returns
        -------
        ndarray of shape (n_phases, n_candidates)
            One over optical density squared.
        """
        variance = n * np.exp(self.density) / self.dose + self.floor**2
        return np.asarray(1.0 / variance)

    def between(self, low: float | None, high: float | None) -> Contest:
        """Return the candidates between two energies, both included.

        Parameters
        ----------
        low, high : float or None
            In eV; None for no bound.

        Returns
        -------
        Contest
            Of fewer candidates.

        Raises
        ------
        InputError
            If fewer than two candidates are left.
        """
        bottom = -np.inf if low is None else low
        top = np.inf if high is None else high
        kept = (self.energy >= bottom) & (self.energy <= top)
        if kept.sum() < 2:
            raise InputError(
                f"{kept.sum()} energies of the references ({self.energy[0]:g}-"
                f"{self.energy[-1]:g} eV) are from {bottom:g} to {top:g} eV"
            )
        return replace(self, energy=self.energy[kept], density=self.density[:, kept])


def contest(
    references: ReferenceSpectra,
    /,
    *,
    dose: float,
    optical_density: float = 1.0,
    floor: float = 0.0,
    offset: bool = False,
) -> Contest:
    """Return references as pixels whose highest optical density is given.

    Parameters
    ----------
    references : ReferenceSpectra
        Two or more.
    dose, optical_density, floor, offset
        As for `choose_energies`.

    Returns
    -------
    Contest
        With the energies of the references as candidates.

    Raises
    ------
    InputError
        If there are fewer than two references, one has no positive value, or a number
        is not positive.
    """
    for name, value in (("dose", dose), ("optical_density", optical_density)):
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"{name} is positive; got {value}")
    if not (np.isfinite(floor) and floor >= 0):
        raise InputError(f"floor is a noise, 0 or more; got {floor}")
    if len(references) < 2:
        raise InputError(
            f"to tell phases apart takes two references; got {len(references)}"
        )
    top = references.spectra.max(axis=1, keepdims=True)
    if (top <= 0).any():
        names = [n for n, t in zip(references.names, top[:, 0], strict=True) if t <= 0]
        raise InputError(f"references without a positive value: {', '.join(names)}")
    return Contest(
        references.names,
        references.energy,
        references.spectra * (optical_density / top),
        dose,
        floor,
        offset,
    )


class Separation:
    r"""The smallest distance of two phases in units of the noise.

    Of a pixel of phase a what phase b cannot explain, with any amount s (and offset
    o), is

    .. math:: d_{ab}^2 = \min_{s, o} \sum_e w_e (D_a - s D_b - o)^2,

    with the weights of a. The chance to take one for the other is about
    :math:`\Phi(-d / 2)` [1]_; d is taken in the direction where it is smaller.

    References
    ----------
    .. [1] R. O. Duda, P. E. Hart, D. G. Stork, Pattern Classification, section 2.6,
       ISBN 978-0-471-05669-0
    """

    def __init__(self, of: Contest, n: int) -> None:
        self.n_phases = len(of.density)
        self.offset = of.offset
        self.fewest = 3 if self.offset else 2
        self._first, self._second = (
            index[~np.eye(self.n_phases, dtype=bool)]
            for index in np.indices((self.n_phases, self.n_phases))
        )
        terms = self._terms(
            of.weights(n)[self._first],
            of.density[self._first],
            of.density[self._second],
        )
        #: Of shape (n_candidates, n_terms, n_pairs).
        self.features = np.ascontiguousarray(np.array(terms).transpose(2, 0, 1))

    def _terms(
        self, w: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
    ) -> list[NDArray[np.float64]]:
        """Return what is summed over energies, of shape (n_pairs, n_candidates)."""
        terms = [w * a * a, w * a * b, w * b * b]
        return [*terms, w, w * a, w * b] if self.offset else terms

    def squared(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the squared distance of all ordered pairs.

        Parameters
        ----------
        sums : ndarray of shape (..., n_terms, n_pairs)
            Of `features` over sets of energies, in their units.

        Returns
        -------
        ndarray of shape (..., n_pairs)
            In units of the noise, squared.
        """
        aa, ab, bb = (sums[..., k, :] for k in range(3))
        if self.offset:
            total, a, b = (sums[..., k, :] for k in range(3, 6))
            total = np.where(total > 0, total, 1.0)
            least = ROUNDING * bb
            aa, ab, bb = aa - a * a / total, ab - a * b / total, bb - b * b / total
            bb = np.where(bb > least, bb, np.inf)
        explained = ab * ab / np.where(bb > 0, bb, np.inf)
        return np.asarray(np.clip(aa - explained, 0.0, None))

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the smallest distance.

        Parameters
        ----------
        sums : ndarray of shape (..., n_terms, n_pairs)
            Of `features` over sets of energies, in their units.

        Returns
        -------
        ndarray of shape (...)
            In units of the noise.
        """
        return np.asarray(np.sqrt(self.squared(sums).min(axis=-1)))

    def soft_score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a score that all pairs enter, the closest most; for building up.

        Parameters
        ----------
        sums : ndarray of shape (..., n_terms, n_pairs)
            Of `features` over sets of energies, in their units.

        Returns
        -------
        ndarray of shape (...)
            Mean logarithm of the squared distances, dimensionless.
        """
        return np.asarray(np.log(self.squared(sums) + ROUNDING).mean(axis=-1))

    def matrix(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distances of all pairs in the direction where they are smaller.

        Parameters
        ----------
        sums : ndarray of shape (n_terms, n_pairs)
            Of `features` over sets of energies, in their units.

        Returns
        -------
        ndarray of shape (n_phases, n_phases)
            In units of the noise, 0 on the diagonal.
        """
        one_way = np.zeros((self.n_phases, self.n_phases))
        one_way[self._first, self._second] = np.sqrt(self.squared(sums))
        return np.asarray(np.minimum(one_way, one_way.T))


class PearsonSeparation(Separation):
    r"""The smallest distance of two phases for a map by Pearson's r.

    With :math:`\hat a` and :math:`\hat b` the centered references of length one, a
    pixel of phase a is taken for b where :math:`\sum_e D_e v_e < 0` with
    :math:`v = \hat a - \hat b`. The mean of that sum is
    :math:`m = |a| (1 - r_{ab})`, its variance :math:`\sum_e \sigma_e^2 v_e^2`; the
    chance is :math:`\Phi(-d / 2)` with d = 2 m over the standard deviation. Energies
    are not weighted by their noise, as r does not, and an offset is always taken out.
    """

    def __init__(self, of: Contest, n: int) -> None:
        super().__init__(of, n)
        self.fewest = 3

    def _terms(
        self, w: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
    ) -> list[NDArray[np.float64]]:
        """Return sums of the spectra, and of the variance times them."""
        variance = 1.0 / w
        plain = [a * a, a * b, b * b, np.ones_like(a), a, b]
        return [*plain, *(variance * one for one in plain)]

    def squared(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the squared distance of all ordered pairs.

        Parameters
        ----------
        sums : ndarray of shape (..., n_terms, n_pairs)
            Of `features` over sets of energies, in their units.

        Returns
        -------
        ndarray of shape (..., n_pairs)
            In units of the noise, squared.
        """
        aa, ab, bb, n, a, b = (sums[..., k, :] for k in range(6))
        vaa, vab, vbb, v1, va, vb = (sums[..., k, :] for k in range(6, 12))
        n = np.maximum(n, 1.0)
        mean_a, mean_b = a / n, b / n
        aa, bb = aa - n * mean_a**2, bb - n * mean_b**2
        there = (aa > ROUNDING) & (bb > ROUNDING)
        long_a, long_b = (np.sqrt(np.where(there, one, 1.0)) for one in (aa, bb))
        r = (ab - n * mean_a * mean_b) / (long_a * long_b)
        # v = f a - g b - h, so its weighted square is a sum of six terms.
        f, g = 1.0 / long_a, 1.0 / long_b
        h = mean_a * f - mean_b * g
        noise = f * f * vaa + g * g * vbb + h * h * v1
        noise += 2.0 * (f * (-g * vab - h * va) + g * h * vb)
        margin = long_a * np.clip(1.0 - r, 0.0, None)
        ok = there & (noise > 0)
        return np.where(ok, 4.0 * margin**2 / np.where(ok, noise, 1.0), 0.0)


class Amounts:
    r"""How well a linear combination fit knows the amounts of all phases.

    The information :math:`M = \sum_e w_e r_e r_e^T` of a pixel of mean weight is large:
    its determinant ("D") or, negative, the mean variance of the amounts ("A") [1]_.

    References
    ----------
    .. [1] V. V. Fedorov, Theory of Optimal Experiments, chapter 2,
       ISBN 978-0-12-250750-2
    """

    def __init__(self, of: Contest, n: int, kind: Literal["D", "A"]) -> None:
        weights = of.weights(n).mean(axis=0)
        rows = [*of.density, *([np.ones_like(of.energy)] if of.offset else [])]
        design = np.array(rows)
        self.kind, self.n_phases, self.fewest = kind, len(of.density), len(rows)
        #: Of shape (n_candidates, n_unknowns, n_unknowns).
        self.features = np.ascontiguousarray(
            (weights * design[:, None] * design[None]).transpose(2, 0, 1)
        )

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log det M over its size, or minus the mean variance.

        Parameters
        ----------
        sums : ndarray of shape (..., n_unknowns, n_unknowns)
            Of `features` over sets of energies, in their units.

        Returns
        -------
        ndarray of shape (...)
            Dimensionless: amounts are shares of the references.
        """
        size = sums.shape[-1]
        # So that sets that are too small can be compared, too.
        ridge = ROUNDING * np.trace(self.features.sum(axis=0)) * np.eye(size)
        if self.kind == "D":
            return np.asarray(np.linalg.slogdet(sums + ridge)[1] / size)
        variance = np.diagonal(np.linalg.inv(sums + ridge), axis1=-2, axis2=-1)
        return np.asarray(-variance[..., : self.n_phases].mean(axis=-1))

    soft_score = score
