"""The probabilities of the pixels of one particle.

* `Model`: what all pixels are compared with.
* `ParticlePosterior`: one particle on its way from spectra to probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.phases.potts import SMALLEST, NeighborPrior

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack

    Floats = NDArray[np.float32]

__all__ = ["FOREIGN", "N_ROUNDS", "Model", "ParticlePosterior"]

#: Shares of the second phase in a mixture.
SHARES = np.arange(1, 6) / 6.0
#: Share of mixed pixels to start with, and the range it may take.
MIXED, LEAST_MIXED, MOST_MIXED = 0.4, 0.02, 0.95
#: Degrees of freedom that the share of a mixture takes: less than 1, because it cannot
#: be negative.
MIXTURE_FREEDOM = 0.7
#: Alternations of likelihoods, strength and messages; sweeps in each and in the last.
N_ROUNDS, N_SWEEPS, N_LAST_SWEEPS = 4, 3, 6
#: Phases within so many pixels (standard deviation) may mix into a pixel, and the share
#: that any phase has there at least.
REACH, ANY_PARTNER = 2.5, 0.02
#: A particle whose median misfit is so many times the noise resembles no reference.
FOREIGN = 3.0
#: Pixels worked on at once.
CHUNK_PIXELS = 1 << 14


@dataclass(frozen=True)
class Model:
    """What all pixels are compared with.

    Parameters
    ----------
    shapes : ndarray of shape (n_references, n_energies)
        References at the energies of the spectra. In the unit of the spectra.
    offset, mixtures : bool
        As for `posterior_map`.
    """

    shapes: NDArray[np.float64]
    offset: bool
    mixtures: bool

    @property
    def freedom(self) -> float:
        """Degrees of freedom that are left of the energies."""
        used = 1.0 + self.offset + MIXTURE_FREEDOM * self.mixtures
        return float(self.shapes.shape[1] - used)


class ParticlePosterior:
    """One particle on its way from spectra to probabilities.

    Parameters
    ----------
    stack : SpectralStack
        With its noise.
    frames : ndarray of int of shape (n_energies,)
        Frames to use.
    model : Model
        What its spectra are compared with.
    """

    def __init__(
        self, stack: SpectralStack, frames: NDArray[np.int64], model: Model
    ) -> None:
        self._stack, self._frames, self._model = stack, frames, model
        self._flat = np.asarray(stack.data).reshape(stack.n_energies, -1)
        analyzed = np.flatnonzero(stack.mask)
        self._usable = np.ones(len(analyzed), dtype=bool)
        for frame in frames:
            self._usable &= np.isfinite(self._flat[frame, analyzed])
        self._positions = analyzed[self._usable]
        n_pixels, n_phases = len(self._positions), len(model.shapes)
        self._best = np.zeros(n_pixels, dtype=np.int64)
        self._amount = np.zeros(n_pixels, dtype=np.float32)
        self._level = np.zeros(n_pixels, dtype=np.float32)
        self._likelihoods = np.empty((n_pixels, n_phases), dtype=np.float32)
        self._marginals = np.empty((n_pixels, n_phases), dtype=np.float32)
        self._partners = np.ones((n_pixels, n_phases), dtype=np.float32)
        self._misfit = np.empty(n_pixels, dtype=np.float32)
        self._scale, self._strength = 1.0, 0.0
        self._mixed = MIXED if model.mixtures else 0.0

    def summary(self) -> dict[str, Any]:
        """Return what was found about the particle, for the provenance."""
        noise = self._stack.noise
        return {
            "noise": "unknown" if noise is None else noise.source,
            "misfit": self._scale,
            "strength": self._strength,
            "mixed": self._mixed,
        }

    def rounds(self, neighbors: bool, /) -> Iterator[int]:
        """Alternate between pixels and neighbors; yields the number of rounds done.

        Parameters
        ----------
        neighbors : bool
            Whether neighbors have a say.

        Returns
        -------
        iterator of int
            From 0: nothing is done yet.
        """
        yield 0
        if not self._positions.size:
            return
        self._fit()
        prior = None
        if neighbors:
            prior = NeighborPrior(self._usable_mask(), len(self._model.shapes))
        for number in range(N_ROUNDS):
            last = number == N_ROUNDS - 1
            self._ask_pixels()
            if number == 0:
                self._set_scale()
                if self._scale > FOREIGN:
                    prior = None  # agreeing about nonsense does not make it likely
            if number == 0 or prior is None:
                self._marginals[:] = self._likelihoods
                self._marginals /= self._marginals.sum(axis=1, keepdims=True)
            if prior is not None:
                sweeps = N_LAST_SWEEPS if last else N_SWEEPS
                prior.update(self._likelihoods, self._marginals, sweeps)
                self._strength = prior.strength
                self._look_around()
            yield number + 1

    def write(self, scores: Floats, misfit: Floats, /) -> None:
        """Write log-probabilities and how often a pixel fits worse.

        Parameters
        ----------
        scores : ndarray of shape (n_pixels, n_phases)
            Of the analyzed pixels; those with NaN are left as they are.
        misfit : ndarray of shape (n_pixels,)
            Likewise, in units of what the noise explains.
        """
        from scipy.stats import chi2

        scores[self._usable] = np.log(np.maximum(self._marginals, SMALLEST))
        if not self._positions.size:
            return
        measured = self._misfit / min(self._scale, FOREIGN)
        chance = chi2.sf(measured, self._model.freedom)
        chance[self._beside_strangers(measured - self._model.freedom)] = 1.0
        misfit[self._usable] = chance

    def _beside_strangers(self, excess: Floats) -> NDArray[np.bool_]:
        """Return pixels that hold the smaller part of what fits nothing around them.

        A share s of a foreign phase leaves s squared of its misfit, so below a quarter
        of the misfit nearby (per squared signal) the larger part is a known phase.
        """
        from scipy.ndimage import maximum_filter, uniform_filter

        signal = np.empty(len(excess), dtype=np.float32)
        for part, spectra, variance in self._chunks():
            signal[part] = (spectra**2 / variance).sum(axis=1)
        own = excess / signal
        image = np.zeros(self._flat.shape[1], dtype=np.float32)
        image[self._positions] = own
        means = uniform_filter(image.reshape(self._stack.shape), 3, mode="constant")
        around = maximum_filter(means, 5).ravel()[self._positions]
        return np.asarray(own < 0.25 * around)

    def _usable_mask(self) -> NDArray[np.bool_]:
        mask = np.zeros(self._flat.shape[1], dtype=bool)
        mask[self._positions] = True
        return mask.reshape(self._stack.shape)

    def _chunks(self) -> Iterator[tuple[slice, Floats, Floats]]:
        """Yield pixels, their spectra and the variances of what was fitted to them."""
        for low in range(0, len(self._positions), CHUNK_PIXELS):
            part = slice(low, min(low + CHUNK_PIXELS, len(self._positions)))
            values = self._flat[np.ix_(self._frames, self._positions[part])]
            spectra = np.ascontiguousarray(values.T)
            yield part, spectra, self._variance(part)

    def _variance(self, part: slice) -> Floats:
        """Return the variance of the fitted spectra: less noisy than the spectra."""
        noise = self._stack.noise
        assert noise is not None
        fitted = self._model.shapes.T[:, self._best[part]] * self._amount[part]
        density = np.zeros((self._stack.n_energies, fitted.shape[1]), np.float32)
        density[self._frames] = fitted + self._level[part]
        line = noise.line
        if line is not None:
            line = line.reshape(2, -1)[:, self._positions[part]]
        variance = noise.of_density(density, line)[self._frames]
        return np.ascontiguousarray(variance.T)

    def _fit(self) -> None:
        """Fit the best reference, from which the variance of the pixels follows."""
        from napari_phasemap.core.phases.posterior_kernels import fit_references

        # First with the variance of the mean spectrum, then with that of the fit.
        means = [self._flat[frame, self._positions].mean() for frame in self._frames]
        self._level[:] = np.mean(means)
        for part, spectra, variance in self._chunks():
            fit_references(
                spectra,
                variance,
                self._model.shapes,
                self._model.offset,
                self._best[part],
                self._amount[part],
                self._level[part],
            )

    def _set_scale(self) -> None:
        """Set the scale of the misfit so that the median pixel has the expected one."""
        from scipy.stats import chi2

        median = float(np.median(self._misfit))
        self._scale = max(median / float(chi2.median(self._model.freedom)), SMALLEST)

    def _ask_pixels(self) -> None:
        """Compute how likely each phase is by each pixel's own spectrum."""
        from napari_phasemap.core.phases.posterior_kernels import mixture_likelihoods

        mixing = np.empty(len(self._positions), dtype=np.float32)
        for part, spectra, variance in self._chunks():
            mixture_likelihoods(
                spectra,
                variance,
                self._model.shapes,
                self._model.offset,
                SHARES,
                self._scale,
                self._mixed,
                self._partners[part],
                self._likelihoods[part],
                self._misfit[part],
                mixing[part],
            )
        if self._model.mixtures:
            self._mixed = float(np.clip(mixing.mean(), LEAST_MIXED, MOST_MIXED))

    def _look_around(self) -> None:
        """Set which phases are met around each pixel."""
        from scipy.ndimage import gaussian_filter

        image = np.zeros(self._flat.shape[1], dtype=np.float32)
        for phase, column in enumerate(self._marginals.T):
            image[self._positions] = column
            smooth = gaussian_filter(image.reshape(self._stack.shape), REACH)
            self._partners[:, phase] = smooth.ravel()[self._positions]
        self._partners /= self._partners.sum(axis=1, keepdims=True)
        self._partners += np.float32(ANY_PARTNER)
