"""Pure phases whose blurred image is what was measured.

Boundaries are never sharp: the probe is wide, frames do not lie on one another, phases
mix. A pixel at a boundary then is a mixture of what lies on its two sides - and looks
like a third phase that lies between them in chemistry. That a pixel is the mean of its
surroundings tells the two apart.

* `BlurredImage`: the pure phases of one image, the width of the blur, and how probable
  each phase is the largest one in a pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.phases.potts import DIAGONAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["N_BLUR_ROUNDS", "BlurredImage"]

#: Widths that are tried (standard deviation in pixels); the first is no blur.
WIDTHS = (0.3, *(0.5 * 1.2**step for step in range(11)))
#: Steps of `WIDTHS` that the first rounds are wider than what fits best at first:
#: pixels at boundaries that were taken for a third phase make the blur look narrow.
WIDER = 2
#: Estimates of the width, sweeps between them, and the share of the old in the new.
N_BLUR_ROUNDS, N_SWEEPS, DAMPING = 3, 3, 0.2
#: Uncertainty of a share of a phase in a pixel. A boundary that is known to half a
#: pixel or less, as mean field has it, moves shares by so much (seen on simulators).
SHARE_ERROR = 0.1
#: Where the median pixel's misfit is more than so many times what noise makes, spectra
#: differ from the references in a way the model does not know, and shares are that much
#: less certain for every tenth more (seen on frames and energies that do not agree).
FITS, DISTRUST = 1.1, 0.5


class BlurredImage:
    r"""The pure phases that an image shows blurred.

    The composition of a pixel is the Gaussian mean of the pure phases around it, and
    its spectrum a free amount of that mixture. Pure phases follow a Potts prior and are
    found by mean field [1]_, starting from what is known without blur; the width is the
    one of `WIDTHS` that leaves the smallest misfit.

    Parameters
    ----------
    mask : bool ndarray of shape (n_rows, n_cols)
        Pixels that are compared; nothing spills in from outside.
    marginals : ndarray of float32 of shape (n_pixels, n_phases)
        Probabilities to start with.
    strength : float
        Of the Potts prior, in nats.

    Attributes
    ----------
    width : float
        Of the blur, as it is now; standard deviation in pixels.

    References
    ----------
    .. [1] J. Zhang, The mean field theory in EM procedures for blind Markov random
       field image restoration, IEEE Trans. Image Process. 2 (1993) 27-40,
       DOI: 10.1109/83.210863
    """

    def __init__(
        self, mask: NDArray[np.bool_], marginals: Floats, strength: float
    ) -> None:
        n_phases = marginals.shape[1]
        self._mask, self._strength = mask, strength
        self._pure = np.zeros((*mask.shape, n_phases), dtype=np.float32)
        self._pure[mask] = marginals
        self._mixed = np.zeros_like(self._pure)
        self._products = np.zeros_like(self._pure)
        self._grams = np.zeros((*self._pure.shape, n_phases), dtype=np.float32)
        self._squares = np.zeros(mask.shape, dtype=np.float32)
        self.width = WIDTHS[0]

    def place(
        self,
        places: NDArray[np.int64],
        spectra: Floats,
        variance: Floats,
        shapes: NDArray[np.float64],
        offset: bool,
        scale: Floats,
    ) -> None:
        """Take in the spectra of some pixels.

        Parameters
        ----------
        places : ndarray of int of shape (n_pixels,)
            Where they lie, as numbers in C order.
        spectra, variance : ndarray of float32 of shape (n_pixels, n_energies)
            As for `place_products`, in the unit of the stack.
        shapes : ndarray of shape (n_references, n_energies)
            References, in the same unit.
        offset : bool
            Whether a constant is fitted as well.
        scale : ndarray of float32 of shape (n_pixels,)
            By which the variance is multiplied, dimensionless.
        """
        from napari_phasemap.core.phases.blur_kernels import place_products

        n_phases = self._pure.shape[2]
        place_products(
            spectra,
            variance,
            shapes,
            offset,
            scale,
            places,
            self._products.reshape(-1, n_phases),
            self._grams.reshape(-1, n_phases, n_phases),
            self._squares.ravel(),
        )

    def rounds(self, width: float | None, /) -> Iterator[int]:
        """Find pure phases and the width.

        Parameters
        ----------
        width : float or None
            Standard deviation in pixels; None to find it.

        Returns
        -------
        iterator of int
            Number of rounds done.
        """
        step = 0 if width else self._first_width()
        for number in range(N_BLUR_ROUNDS):
            if number == 0 and not width:
                step = min(step + WIDER, len(WIDTHS) - 1)
            elif not width:
                step = self._best(step, 1)
            self.width = width or WIDTHS[step]
            self._sharpen()
            yield number + 1

    def probabilities(self, misfit: float, /) -> Floats:
        """Return how probable each phase is the largest, of shape (n_pixels, n_phases).

        Two shares are told apart as far as they differ by more than `SHARE_ERROR`.

        Parameters
        ----------
        misfit : float
            Of the median pixel, in units of the noise.

        Returns
        -------
        ndarray of float32 of shape (n_pixels, n_phases)
            Probabilities.
        """
        error = SHARE_ERROR * (1.0 + DISTRUST * max(10.0 * (misfit - FITS), 0.0))
        shares: Floats = self._mixed[self._mask] * np.float32(1.0 / error)
        shares -= shares.max(axis=1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def _sharpen(self) -> None:
        from napari_phasemap.core.phases.blur_kernels import blurred, sharpen

        weights = _weights(self.width)
        inverse = self._inverse(weights)
        blurred(self._pure, inverse, weights, self._mixed)
        sharpen(
            self._products,
            self._grams,
            inverse,
            weights,
            self._strength,
            DIAGONAL,
            DAMPING,
            N_SWEEPS,
            self._pure,
            self._mixed,
        )

    def _inverse(self, weights: Floats) -> Floats:
        """Return one over the weights inside the mask, 0 outside."""
        from scipy.ndimage import convolve1d

        total = self._mask.astype(np.float32)
        for axis in (0, 1):
            total = convolve1d(total, weights, axis=axis, mode="constant")
        inverse: Floats = (self._mask / np.maximum(total, 1e-6)).astype(np.float32)
        return inverse

    def _first_width(self) -> int:
        """Return the best of all widths, from coarse to fine."""
        coarse = range(0, len(WIDTHS), 3)
        sure = self._surely()
        best = min(coarse, key=lambda step: self._misfit(sure, step))
        return self._best(self._best(best, 2), 1)

    def _best(self, step: int, reach: int) -> int:
        """Return the best width among one and two others."""
        near = {step, max(step - reach, 0), min(step + reach, len(WIDTHS) - 1)}
        sure = self._surely()
        return min(sorted(near), key=lambda one: self._misfit(sure, one))

    def _surely(self) -> Floats:
        """Return the most probable phase of every pixel as shares of 0 and 1."""
        # Probabilities that are not sure are blurred already.
        out = np.zeros_like(self._pure)
        best = self._pure.argmax(axis=2)[..., None]
        np.put_along_axis(out, best, self._mask[..., None].astype(np.float32), axis=2)
        return out

    def _misfit(self, sure: Floats, step: int) -> float:
        from napari_phasemap.core.phases.blur_kernels import blurred, misfit_of

        weights = _weights(WIDTHS[step])
        inverse = self._inverse(weights)
        blurred(sure, inverse, weights, self._mixed)
        return float(
            misfit_of(self._mixed, inverse, self._products, self._grams, self._squares)
        )


def _weights(width: float) -> Floats:
    """Return a Gaussian along a line, of sum 1."""
    reach = int(np.ceil(2.5 * width))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.asarray(weights / weights.sum(), dtype=np.float32)
