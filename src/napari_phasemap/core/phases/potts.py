"""What neighboring pixels say about each other's phase, and how much it is worth.

* `NeighborPrior`: a Potts prior on the pixels of one image, solved by belief
  propagation, with its strength and the proportions of the phases found from the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["SMALLEST", "NeighborPrior"]

#: No probability is smaller: float32 and the model know no better.
SMALLEST = 1e-12

#: What a diagonal neighbor is worth against one at a side: its distance's inverse.
DIAGONAL = 0.7
#: Share of the old in a new message, so that loops do not swing.
DAMPING = 0.3
#: No agreement is worth more, in nats: a pixel has to be able to disagree.
STRONGEST = 4.0
#: Pixels the strength is estimated from: more change it by less than 1 %.
MOST_PIXELS = 3000
#: Halvings of the range in which the strength is looked for.
N_HALVINGS = 12
#: Share below which a phase is not thought rarer, and the largest |ln| of a proportion.
RAREST, LARGEST_FIELD = 3e-3, 2.0


class NeighborPrior:
    r"""A Potts prior on the analyzed pixels of one image.

    The probability of a map is proportional to :math:`\prod_i h(z_i)\,\exp(J \sum_{ij}
    w_{ij} [z_i = z_j])` over pairs of the eight neighbors inside the mask; w is 1 at
    the sides and 0.7 at the corners [1]_. Marginals come from sum-product loopy belief
    propagation with damping [2]_; J maximizes the pseudo-likelihood of the marginals
    [3]_, and h is scaled so that the proportions of the phases agree with them.

    Parameters
    ----------
    mask : bool ndarray of shape (n_rows, n_cols)
        Analyzed pixels; nothing is exchanged across its edge.
    n_phases : int
        Number of phases.
    strength : float, optional
        J in nats; default estimated from the data, 0 where they say so.

    Attributes
    ----------
    strength : float
        J as it is now.

    References
    ----------
    .. [1] S. Z. Li, Markov Random Field Modeling in Image Analysis,
       DOI: 10.1007/978-1-84800-279-1
    .. [2] J. S. Yedidia, W. T. Freeman, Y. Weiss, IEEE Trans. Inf. Theory 51 (2005)
       2282-2312, DOI: 10.1109/TIT.2005.850085
    .. [3] J. Besag, The Statistician 24 (1975) 179-195, DOI: 10.2307/2987782
    """

    def __init__(
        self, mask: NDArray[np.bool_], n_phases: int, strength: float | None = None
    ) -> None:
        n_pixels = int(np.count_nonzero(mask))
        self._index = np.full((mask.shape[0] + 2, mask.shape[1] + 2), -1, np.int32)
        self._index[1:-1, 1:-1][mask] = np.arange(n_pixels, dtype=np.int32)
        self._messages = np.full((n_pixels, 8, n_phases), 65535, dtype=np.uint16)
        self._field = np.zeros(n_phases)
        self._fixed = strength is not None
        self.strength = 0.0 if strength is None else float(strength)

    def update(self, likelihoods: Floats, marginals: Floats, n_sweeps: int, /) -> None:
        """Estimate the strength from the marginals, then improve the marginals.

        Parameters
        ----------
        likelihoods : ndarray of float32 of shape (n_pixels, n_phases)
            What each pixel thinks alone, up to a factor per pixel.
        marginals : ndarray of float32 of shape (n_pixels, n_phases)
            Probabilities: read for the estimate, then overwritten.
        n_sweeps : int
            Of messages over all pixels.
        """
        from napari_phasemap.core.phases.posterior_kernels import pass_messages

        if not self._fixed:
            self._estimate(marginals)
        pass_messages(
            likelihoods,
            self._index,
            self._messages,
            np.exp(self._field),
            self.strength,
            DIAGONAL,
            n_sweeps,
            DAMPING,
            marginals,
        )

    def _estimate(self, marginals: Floats) -> None:
        """Set strength and proportions to those that explain the marginals best."""
        from napari_phasemap.core.phases.posterior_kernels import add_neighbors

        around = np.empty_like(marginals)
        add_neighbors(marginals, self._index, DIAGONAL, around)
        step = max(len(marginals) // MOST_PIXELS, 1)
        own = marginals[::step].astype(np.float64)
        votes = around[::step].astype(np.float64)
        low, high = 0.0, STRONGEST
        if self._slope(own, votes, 0.0) <= 0.0:
            high = 0.0
        for _ in range(N_HALVINGS if high else 0):
            middle = 0.5 * (low + high)
            if self._slope(own, votes, middle) > 0.0:
                low = middle
            else:
                high = middle
        self.strength = 0.5 * (low + high)
        expected = self._expected(votes, self.strength).mean(axis=0)
        field = self._field + np.log((own.mean(axis=0) + RAREST) / (expected + RAREST))
        field = np.clip(field, -LARGEST_FIELD, LARGEST_FIELD)
        self._field = field - field.mean()

    def _expected(
        self, votes: NDArray[np.float64], strength: float
    ) -> NDArray[np.float64]:
        """Return the probabilities that the neighbors alone would give a pixel."""
        exponent = self._field + strength * votes
        weights = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def _slope(
        self, own: NDArray[np.float64], votes: NDArray[np.float64], strength: float
    ) -> float:
        """Return the derivative of the pseudo-likelihood by the strength."""
        return float(((own - self._expected(votes, strength)) * votes).sum())
