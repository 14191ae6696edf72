"""The probabilities of the pixels of one particle.

* `Model`: what all pixels are compared with.
* `ParticlePosterior`: one particle on its way from spectra to probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.phases.blur import N_BLUR_ROUNDS, BlurredImage
from napari_phasemap.core.phases.potts import SMALLEST, NeighborPrior

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack

    Floats = NDArray[np.float32]

__all__ = ["FOREIGN", "N_STEPS", "Model", "ParticlePosterior"]

#: Shares of the second phase in a mixture.
SHARES = np.arange(1, 6) / 6.0
#: Share of mixed pixels to start with, and the range it may take.
MIXED, LEAST_MIXED, MOST_MIXED = 0.4, 0.02, 0.95
#: Degrees of freedom that the share of a mixture takes: less than 1, because it cannot
#: be negative.
MIXTURE_FREEDOM = 0.7
#: Alternations of likelihoods, strength and messages; sweeps in each and in the last.
N_ROUNDS, N_LAST_SWEEPS = 4, 6
#: The same where a blur is found afterwards, which starts better from less agreement.
FEW_ROUNDS, FEW_SWEEPS = 2, 3
#: Steps of the work on a particle, for the progress.
N_STEPS = FEW_ROUNDS + N_BLUR_ROUNDS
#: A pixel's misfit may be so many standard deviations above its mean; beyond, its
#: variance is taken for larger, so that nonsense is not sure of anything.
STRANGE = 2.0
#: Pixels that are blurred together, which bounds the memory, and rows beside them that
#: are looked at as well.
BAND_PIXELS, BAND_EDGE = 1 << 17, 16
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
    offset, mixtures, blur
        As for `posterior_map`.
    """

    shapes: NDArray[np.float64]
    offset: bool
    mixtures: bool
    blur: float | None = None

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
        self._scale, self._strength, self._width = 1.0, 0.0, 0.0
        self._mixed = MIXED if model.mixtures else 0.0

    def summary(self) -> dict[str, Any]:
        """Return what was found about the particle, for the provenance."""
        noise = self._stack.noise
        return {
            "noise": "unknown" if noise is None else noise.source,
            "misfit": self._scale,
            "strength": self._strength,
            "mixed": self._mixed,
            "blur": self._width,
        }

    def rounds(self, neighbors: bool, /) -> Iterator[int]:
        """Alternate between pixels and neighbors; yields the number of steps done.

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
        self._ask_pixels()
        self._set_scale()
        self._start()
        # Agreeing about nonsense does not make it likely.
        neighbors = neighbors and self._scale <= FOREIGN
        blurs = neighbors and self._model.mixtures and self._model.blur != 0
        n_rounds = FEW_ROUNDS if blurs else N_ROUNDS
        prior = None
        if neighbors:
            prior = NeighborPrior(self._usable_mask(), len(self._model.shapes))
        for number in range(n_rounds):
            last = number == n_rounds - 1 and not blurs
            if number:
                self._ask_pixels()
            if prior is not None:
                sweeps = N_LAST_SWEEPS if last else FEW_SWEEPS
                prior.update(self._likelihoods, self._marginals, sweeps)
                self._strength = prior.strength
                self._look_around()
            else:
                self._start()
            yield min(number + 1, N_STEPS)
        del prior  # its messages are most of the memory
        if blurs:
            yield from self._sharpen()

    def _start(self) -> None:
        """Take what each pixel says alone for its probabilities."""
        self._marginals[:] = self._likelihoods
        self._marginals /= self._marginals.sum(axis=1, keepdims=True)

    def _sharpen(self) -> Iterator[int]:
        """Find what is blurred, band after band; yields the number of steps done."""
        n_rows, n_columns = self._stack.shape
        height = max(BAND_PIXELS // n_columns, 1)
        widths, sizes = [], []
        sharp = np.empty_like(self._marginals)
        for start in range(0, n_rows, height):
            rows = slice(
                max(start - BAND_EDGE, 0), min(start + height + BAND_EDGE, n_rows)
            )
            ends = np.array([rows.start, start, start + height, rows.stop]) * n_columns
            low, first, last, high = np.searchsorted(self._positions, ends)
            if first == last:
                continue
            image = self._image_of(rows, slice(low, high))
            for done in image.rounds(self._model.blur):
                yield FEW_ROUNDS + done * (start + height >= n_rows)
            found = image.probabilities(self._scale)
            sharp[first:last] = found[first - low : last - low]
            widths.append(image.width)
            sizes.append(last - first)
        self._marginals = sharp
        self._width = float(np.average(widths, weights=sizes))

    def _image_of(self, rows: slice, pixels: slice) -> BlurredImage:
        """Return what is known of some rows, which hold these pixels."""
        mask = self._usable_mask()[rows]
        image = BlurredImage(mask, self._marginals[pixels], self._strength)
        for part, spectra, variance in self._chunks(pixels.start, pixels.stop):
            image.place(
                self._positions[part] - rows.start * self._stack.shape[1],
                spectra,
                variance,
                self._model.shapes,
                self._model.offset,
                self._own_scale(part),
            )
        return image

    def _own_scale(self, part: slice) -> Floats:
        """Return by how much the variance of each pixel is larger than expected."""
        freedom = self._model.freedom
        allowed = freedom + STRANGE * np.sqrt(2.0 * freedom)
        excess = np.maximum(self._misfit[part] / (self._scale * allowed), 1.0)
        return np.asarray(self._scale * excess, dtype=np.float32)

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

    def _chunks(
        self, first: int = 0, last: int | None = None
    ) -> Iterator[tuple[slice, Floats, Floats]]:
        """Yield pixels, their spectra and the variances of what was fitted to them."""
        end = len(self._positions) if last is None else last
        for low in range(first, end, CHUNK_PIXELS):
            part = slice(low, min(low + CHUNK_PIXELS, end))
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
