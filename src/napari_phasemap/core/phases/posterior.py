"""How probable is each phase of a pixel, given its noise and its neighbors.

* `posterior_map`: a `PhaseMap` whose scores are log-probabilities.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.phases.correlation import comparable_set
from napari_phasemap.core.phases.particle_posterior import (
    FOREIGN,
    N_STEPS,
    Model,
    ParticlePosterior,
)
from napari_phasemap.core.prepare.noise_level import estimate_noise

if TYPE_CHECKING:
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import Stacks, StackSet

__all__ = ["posterior_map"]

#: Widest blur in pixels: beyond, bin the pixels.
WIDEST = 6.0


def posterior_map(
    stacks: Stacks,
    references: ReferenceSpectra,
    /,
    *,
    neighbors: bool = True,
    mixtures: bool = True,
    offset: bool = False,
    blur: float | None = None,
    on_progress: OnProgress = ignore_progress,
) -> PhaseMap:
    r"""Give every phase of every pixel a probability.

    A spectrum is a reference times a free amount plus noise of known variance, so a
    phase is as likely as :math:`\exp(-\chi^2 / 2 c)`, with c such that the median pixel
    of a particle has the misfit its degrees of freedom call for. A pixel may also be a
    mixture of two phases, the larger one of which is its phase; how many are, and which
    phases are met around a pixel, is found from the particle itself. Neighbors within a
    particle tend to agree: `NeighborPrior`. What is blurred is told from what is a
    phase of its own by the pixels around: `BlurredImage`.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Optical density or net counts. Where nothing is known of their noise, one scale
        is estimated from what the best references leave (`estimate_noise`).
    references : ReferenceSpectra
        Two or more, interpolated to the energies of `stacks`.
    neighbors : bool, default=True
        False leaves each pixel alone: right where domains are as small as a pixel.
    mixtures : bool, default=True
        False takes every pixel for pure.
    offset : bool, default=False
        Fit a constant to every spectrum: for stacks whose zero is uncertain.
    blur : float, optional
        Width (standard deviation, in pixels) of what makes boundaries mixtures: the
        probe, frames that do not lie on one another, real mixing. Default estimated
        from each particle; 0 takes the mixture in each pixel for itself. Used with
        `neighbors` and `mixtures`.
    on_progress : callable, optional
        Told the number of steps done; may raise `Cancelled`.

    Returns
    -------
    PhaseMap
        Scores are natural logarithms of probabilities that sum to 1, `best` is that of
        the phase, the margin is a log-odds; `misfit` says how often a pixel of the
        phases fits worse. Spectra with NaN have label 0. Parameters: per stack the
        source of the noise, the misfit in units of the noise, the strength of the
        prior, the share of mixed pixels, the width of the blur.

    Raises
    ------
    InputError
        For counts, a single reference, a reference that does not cover the energies or
        is 0 on them, fewer energies than unknowns plus one, or if the noise is neither
        known nor can be estimated.

    Warns
    -----
    UserWarning
        If the spectra of a particle resemble no reference.

    Notes
    -----
    Probabilities mean what they say where the references are right: check them with
    `check_references`. Domains of a pixel or two may be lost to their neighbors.

    Examples
    --------
    >>> from napari_phasemap.core.simulate import synthetic
    >>> simulated = synthetic.particle((48, 60), seed=0)
    >>> phases = posterior_map(simulated.optical_density, simulated.references)
    >>> float(np.exp(phases.scores).sum(axis=1).round(3).min())
    1.0
    """
    stacks = comparable_set(stacks)
    model = _model(stacks, references, mixtures=mixtures, offset=offset, blur=blur)
    scores = np.full((stacks.n_pixels, len(references)), np.nan, dtype=np.float32)
    misfit = np.full(stacks.n_pixels, np.nan, dtype=np.float32)
    frames, found = np.flatnonzero(stacks.energy_used), []
    n_steps = len(stacks) * N_STEPS
    parts = zip(stacks, stacks.split(scores), stacks.split(misfit), strict=True)
    for number, (stack, own_scores, own_misfit) in enumerate(parts):
        particle = ParticlePosterior(_with_noise(stack, references), frames, model)
        for step in particle.rounds(neighbors):
            on_progress(number * N_STEPS + step, n_steps, "posterior")
        particle.write(own_scores, own_misfit)
        found.append(particle.summary())
    on_progress(n_steps, n_steps, "posterior")
    _warn_of_strangers(stacks, found)
    phases = PhaseMap.from_scores(
        scores,
        references.names,
        method="posterior with neighbors" if neighbors else "posterior",
        parameters={
            "references": list(references.names),
            "stacks": list(stacks.names),
            "mixtures": mixtures,
            "offset": offset,
            **{key: [one[key] for one in found] for key in found[0]},
        },
    )
    return replace(phases, misfit=misfit)


def _model(
    stacks: StackSet,
    references: ReferenceSpectra,
    *,
    mixtures: bool,
    offset: bool,
    blur: float | None,
) -> Model:
    """Return the model, or raise where it cannot be decided with."""
    if blur is not None and not 0.0 <= blur <= WIDEST:
        raise InputError(f"blur is 0 to {WIDEST:g} pixels; got {blur}")
    if len(references) < 2:
        raise InputError(
            "a probability needs two references or more; "
            f"{references.names[0]!r} alone would be certain everywhere"
        )
    shapes = np.ascontiguousarray(references.resample(stacks.energy).spectra)
    empty = [
        name
        for name, shape in zip(references.names, shapes, strict=True)
        if not (np.ptp(shape) if offset else np.abs(shape).max()) > 0
    ]
    if empty:
        raise InputError(
            f"{', '.join(empty)}: nothing but a constant at the energies of the stacks"
        )
    model = Model(shapes, offset, mixtures, blur)
    needed = 3 + offset + mixtures
    if stacks.n_energies < needed:
        fitted = "amount" + ", offset" * offset + ", mixture" * mixtures
        raise InputError(
            f"{stacks.n_energies} energies cannot decide: {fitted} and noise need "
            f"{needed} or more; leave out mixtures or an offset, or use pearson_map"
        )
    return model


def _with_noise(stack: SpectralStack, references: ReferenceSpectra) -> SpectralStack:
    """Return a stack whose noise is known or, if need be, estimated."""
    if stack.noise is not None or not stack.n_pixels:
        return stack
    return estimate_noise(stack, references=references)


def _warn_of_strangers(stacks: StackSet, found: list[dict[str, Any]]) -> None:
    """Warn of particles most pixels of which resemble no reference."""
    for name, one in zip(stacks.names, found, strict=True):
        if one["misfit"] > FOREIGN:
            warnings.warn(
                f"most spectra of {name!r} fit no reference: their misfit is "
                f"{one['misfit']:.1f} times the noise; check the references and I0",
                UserWarning,
                stacklevel=3,
            )
