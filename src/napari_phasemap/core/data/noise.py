"""How uncertain the values of a stack are, without a second cube.

* `Noise`: three numbers per frame and, after a pre-edge was subtracted, two images;
  with the stack's own values they give the variance of every value.
* `counting_noise`, `density_noise`: of counts, and of the optical density made of them.
* `mean_noise`: of the mean of several stacks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.frozen import read_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Noise", "NoiseSource", "counting_noise", "density_noise", "mean_noise"]

NoiseSource: TypeAlias = Literal[
    "photon counts", "flat region", "repeated frames", "residual of the best fits"
]


@dataclass(frozen=True, eq=False)
class Noise:
    r"""What the variance of every value of a stack follows from.

    Of counts n, the variance is ``shot * n``: one photon gives `shot` counts. Of an
    optical density D it is, by the delta method [1]_,

    .. math:: \sigma^2 = a\,e^{D} + b\,e^{2 D} + c

    with a = gain / I0 (photons through the specimen), b = gain * dark / I0^2 (a dark
    level that is subtracted, but whose noise stays) and c = var(I0) / I0^2, which all
    pixels of a frame share. After a pre-edge line has been subtracted, every value is a
    weighted sum of the frames there were.

    Parameters
    ----------
    shot, dark, common : array_like of shape (n_frames,)
        a, b and c of the frames before any line was subtracted.
    source : {"photon counts", "flat region", "repeated frames", \
"residual of the best fits"}
        Where the numbers come from: counted, or one scale estimated from the data.
    weights : array_like of shape (n_energies, n_frames), optional
        The values of the stack as sums over frames; default each frame for itself.
    frames : array_like of int of shape (n_energies,), optional
        Which of the frames each energy of the stack was; default all, in order.
    line : array_like of shape (2, n_rows, n_cols), optional
        Level and slope that were subtracted, OD and OD per eV.
    line_at : array_like of shape (n_frames,), optional
        Distance in eV of every frame from where the level counts.

    References
    ----------
    .. [1] L. Wasserman, All of Statistics, section 5.5,
       DOI: 10.1007/978-0-387-21736-9
    """

    shot: NDArray[np.float64]
    dark: NDArray[np.float64]
    common: NDArray[np.float64]
    source: NoiseSource = "photon counts"
    weights: NDArray[np.float64] | None = None
    frames: NDArray[np.int64] = None  # type: ignore[assignment] # filled below
    line: NDArray[np.float32] | None = None
    line_at: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        shot = np.array(self.shot, dtype=np.float64)
        if self.source not in get_args(NoiseSource):
            raise InputError(f"{self.source=} is not one of {get_args(NoiseSource)}")
        fixed: dict[str, object] = {"shot": read_only(shot)}
        for key in ("dark", "common"):
            value = np.array(getattr(self, key), dtype=np.float64)
            fixed[key] = read_only(value)
            if value.shape != shot.shape:
                raise InputError(f"{key} has {value.shape} values, shot {shot.shape}")
        frames = np.arange(shot.size) if self.frames is None else self.frames
        fixed["frames"] = read_only(np.array(frames, dtype=np.int64))
        if (self.line is None) != (self.line_at is None):
            raise InputError("a subtracted line needs both line and line_at")
        for key, dtype in (("weights", np.float64), ("line", np.float32)):
            value = getattr(self, key)
            if value is not None:
                fixed[key] = read_only(np.asarray(value, dtype=dtype))
        for key, item in fixed.items():
            object.__setattr__(self, key, item)

    @property
    def n_energies(self) -> int:
        """Number of energies of the stack it belongs to."""
        return len(self.frames)

    def of_density(
        self,
        density: NDArray[np.float32],
        line: NDArray[np.float32] | None = None,
        /,
    ) -> NDArray[np.float32]:
        """Return the variance of optical densities.

        Parameters
        ----------
        density : ndarray of shape (n_energies, ...)
            Optical density; NaN gives NaN.
        line : ndarray of shape (2, ...), optional
            `line` of the same pixels, where there is one.

        Returns
        -------
        ndarray of float32 of the same shape
            Squared optical density.
        """
        if self.weights is None:
            chosen = (self.shot, self.dark, self.common)
            a, b, c = (x[self.frames].astype(np.float32) for x in chosen)
            return _of_frames(np.asarray(density, np.float32), a, b, c)
        full = np.empty((len(self.shot), *density.shape[1:]), dtype=np.float32)
        if line is not None and self.line_at is not None:
            for frame, at in enumerate(self.line_at):
                full[frame] = line[0] + np.float32(at) * line[1]
            full[self.frames] += density
        else:
            full[self.frames] = density
        own = (x.astype(np.float32) for x in (self.shot, self.dark, self.common))
        # A missing frame is NaN, and has no part in what the others became.
        variance = np.nan_to_num(_of_frames(full, *own), copy=False)
        squared = (self.weights**2).astype(np.float32)
        mixed = np.tensordot(squared, variance, axes=1)
        mixed[np.isnan(density)] = np.nan
        return np.asarray(mixed, dtype=np.float32)

    def at_energies(self, kept: slice | NDArray[np.int64], /) -> Noise:
        """Return the noise of some of the energies of the stack.

        Parameters
        ----------
        kept : slice or ndarray of int of shape (n_kept,)
            Numbers of the energies, from 0.

        Returns
        -------
        Noise
            Of the energies kept, in the order given.
        """
        weights = None if self.weights is None else self.weights[kept]
        return replace(self, frames=self.frames[kept], weights=weights)

    def reduced(self, shares: ArrayLike, /) -> Noise:
        """Return the noise after each value became a mean of several.

        Parameters
        ----------
        shares : array_like of shape (n_energies,) or ()
            Variance after over variance before, for what pixels do not share: the sum
            of the squared weights of interpolation, 1 / 4 for bins of 2 x 2.

        Returns
        -------
        Noise
            The noise of I0, which the pixels of a frame share, stays.
        """
        factor = np.ones(len(self.shot))
        factor[self.frames] = shares
        return replace(self, shot=self.shot * factor, dark=self.dark * factor)

    def of_pixels(self, rows: slice, columns: slice, /) -> Noise:
        """Return the noise of a part of the image.

        Parameters
        ----------
        rows, columns : slice
            The part of the image.

        Returns
        -------
        Noise
            The same but for the line that was subtracted from each pixel.
        """
        if self.line is None:
            return self
        return replace(self, line=self.line[:, rows, columns])

    def scaled(self, factor: float, /, source: NoiseSource) -> Noise:
        """Return this noise with all variances multiplied, and where that is from.

        Parameters
        ----------
        factor : float
            What variances are multiplied with, dimensionless.
        source : NoiseSource
            Where the factor is from.

        Returns
        -------
        Noise
            Of the same energies.
        """
        return replace(
            self,
            shot=self.shot * factor,
            dark=self.dark * factor,
            common=self.common * factor,
            source=source,
        )

    def with_line(
        self,
        weights: NDArray[np.float64],
        level: NDArray[np.floating],
        slope: NDArray[np.floating],
        offsets: NDArray[np.float64],
        /,
    ) -> Noise:
        """Return the noise after a line was subtracted from every spectrum.

        Parameters
        ----------
        weights : ndarray of shape (n_energies, n_energies)
            Values after as sums of the values before. Dimensionless.
        level, slope : ndarray of shape (n_rows, n_cols)
            What was subtracted: level + slope * offset. In the unit of the stack, and
            in that per eV.
        offsets : ndarray of shape (n_energies,)
            In eV.

        Returns
        -------
        Noise
        """
        n_frames = len(self.shot)
        before = self.weights
        if before is None:
            before = np.zeros((self.n_energies, n_frames))
            before[np.arange(self.n_energies), self.frames] = 1.0
        line_at = self.line_at
        line = np.stack([level, slope]).astype(np.float32)
        if line_at is None:
            line_at = np.zeros(n_frames)
            line_at[self.frames] = offsets
        elif self.line is not None:
            # The new line counts from elsewhere: bring it to the origin of the old.
            moved = float(np.mean(line_at[self.frames] - offsets))
            line = self.line + np.stack([line[0] - moved * line[1], line[1]])
        return replace(self, weights=weights @ before, line=line, line_at=line_at)


def counting_noise(n_energies: int, /, *, gain: float = 1.0) -> Noise:
    """Return the noise of counts: `gain` counts per photon, all frames alike.

    Parameters
    ----------
    n_energies : int
        Number of frames.
    gain : float, default=1.0
        Counts per photon.

    Returns
    -------
    Noise
        Variances of counts, whose source is not known better.
    """
    zeros = np.zeros(n_energies)
    return Noise(np.full(n_energies, float(gain)), zeros, zeros)


def density_noise(
    i0: ArrayLike,
    /,
    *,
    i0_variance: ArrayLike = 0.0,
    gain: ArrayLike = 1.0,
    dark: ArrayLike = 0.0,
) -> Noise:
    """Return the noise of an optical density made of counts.

    Parameters
    ----------
    i0 : array_like of shape (n_energies,)
        Incident intensity in counts, the dark level taken off; NaN where a frame is
        missing.
    i0_variance : array_like of shape (n_energies,) or (), default=0.0
        Of `i0`, in counts squared: ``gain * i0 / n`` for a mean over n pixels.
    gain : array_like of shape (n_energies,) or (), default=1.0
        Counts per photon.
    dark : array_like of shape (n_energies,) or (), default=0.0
        Dark counts per value, which were subtracted.

    Returns
    -------
    Noise

    Examples
    --------
    >>> noise = density_noise([100.0, 400.0])
    >>> noise.of_density(np.zeros((2, 1))).ravel().round(4).tolist()
    [0.009999999776482582, 0.0024999999441206455]
    """
    incident = np.asarray(i0, dtype=np.float64)
    shot = np.broadcast_to(np.asarray(gain) / incident, incident.shape)
    return Noise(
        shot,
        shot * np.asarray(dark) / incident,
        np.broadcast_to(np.asarray(i0_variance) / incident**2, incident.shape),
    )


def mean_noise(noises: Sequence[Noise], /) -> Noise | None:
    """Return the noise of the mean of stacks, None where one is not known.

    Parameters
    ----------
    noises : sequence of Noise
        One per stack, one or more, of the same energies.

    Returns
    -------
    Noise or None
        None where one of them was interpolated, so that its energies share noise.
    """
    first = noises[0]
    if any(one.weights is not None for one in noises):
        return None
    shares = len(noises) ** 2
    shot, dark, common = (
        np.sum([getattr(one, key)[one.frames] for one in noises], axis=0) / shares
        for key in ("shot", "dark", "common")
    )
    return Noise(shot, dark, common, source=first.source)


def _of_frames(
    density: NDArray[np.float32],
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    c: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return a e^D + b e^2D + c of frames of shape (n_frames, ...)."""
    shape = (-1,) + (1,) * (density.ndim - 1)
    if not (a.any() or b.any()):  # net counts, whose exponential would overflow
        return np.asarray(np.where(np.isnan(density), density, c.reshape(shape)))
    grown = np.exp(density)
    variance = a.reshape(shape) * grown
    if b.any():
        variance += b.reshape(shape) * grown * grown
    variance += c.reshape(shape)
    return np.asarray(variance, dtype=np.float32)
