"""The parameters of a run, each declared and described once.

The command line makes its options of these fields, a recipe file holds them by name,
and every step takes them as one object.

* `Reading`: how files are read. `Preparation`: also which pixels are analyzed.
* `Correlation`: also when a pixel is ambiguous; what `compare` takes.
* `Trusting`: also how references are checked and probabilities computed.
* `TrainParameters`: what `train` takes beside the numbers of the network.
* `RunParameters`: what `run` takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.parameters import checked_fields
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.latent.methods import (
    ASSIGNMENTS,
    DEFAULT_METHOD,
    method_names,
)
from napari_phasemap.core.phases.decisions import DEFAULT_LEVEL
from napari_phasemap.models.presets import PRESETS
from napari_phasemap.pipeline.folders import sendable

__all__ = [
    "Correlation",
    "Preparation",
    "Reading",
    "RunParameters",
    "TrainParameters",
    "Trusting",
]

#: The method that needs no latent space, and the word for what a check suggests.
POSTERIOR, SUGGESTED = "posterior", "suggested"

#: A word or the path of a file; the path of a folder.
FILE, FOLDER = {"path": "file"}, {"path": "folder"}
#: What a parameter means nothing without.
WITH_TRAIN, WITH_LATENT = {"needs": "train"}, {"needs": "a model or train"}
WITH_POSTERIOR = {"needs": "method 'posterior'"}
WITH_CHECK = {"needs": "check_references"}
#: A number of the network, in place of the preset's.
NETWORK = {"network": True, **WITH_TRAIN}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the files of particles are read.

    Parameters
    ----------
    energies : str, optional
        Text file with one energy per image, for stacks that hold none.
    energy_unit : {"eV", "keV"}, optional
        Unit of energies where the files do not say it.
    detector : str, optional
        Name of the detector, for files with several.
    duplicates : {"refuse", "merge"}, default="refuse"
        What happens to frames with the same energy.

    Raises
    ------
    ValueError
        If a value is of another type or none of its choices.
    """

    energies: str | None = field(default=None, metadata=FILE)
    energy_unit: Literal["eV", "keV"] | None = None
    detector: str | None = None
    duplicates: Literal["refuse", "merge"] = "refuse"

    def __post_init__(self) -> None:
        checked_fields(self)

    def for_reader(self) -> dict[str, Any]:
        """Return the keyword parameters of `read_stack`."""
        return {item.name: getattr(self, item.name) for item in fields(Reading)}

    def as_dict(self) -> dict[str, Any]:
        """Return plain values by name, with full paths, as a recipe holds them."""
        values = {}
        for item in fields(self):
            value, kind = getattr(self, item.name), item.metadata.get("path")
            if value and (kind == "folder" or (kind and Path(value).is_file())):
                value = sendable(Path(value))
            values[item.name] = value
        return values


@dataclass(frozen=True, kw_only=True)
class Preparation(Reading):
    """How particles are read, and how their optical density and pixels are found.

    Parameters
    ----------
    i0 : str, default="brightest"
        Incident intensity: "brightest" pixels, "none" (files hold optical density), or
        a text file with a spectrum.
    i0_percentile : float, default=95.0
        Percentile above which a pixel counts as background, for i0 "brightest".
    min_counts : float, default=0.0
        Leave out pixels with no more counts than this at some energy.
    mask : str, default="otsu"
        Pixels to analyze: "otsu" (the thicker ones), "none" (all), or a mask file;
        always within the mask that a stack brings along.
    reference_columns : str, optional
        What the columns of reference files are, where it is not clear, by name or
        number: "energy=1 mu=4" or "scan.dat:energy=1 scan.dat:i0=2
        scan.dat:transmitted=3" for one of several files.
    """

    i0: str = field(default="brightest", metadata=FILE)
    i0_percentile: float = 95.0
    min_counts: float = 0.0
    mask: str = field(default="otsu", metadata=FILE)
    reference_columns: str | None = None


@dataclass(frozen=True, kw_only=True)
class Correlation(Preparation):
    """How particles are prepared and correlated with references.

    Parameters
    ----------
    threshold : float, default=0.005
        Gap between best and second best r below which a pixel is ambiguous.
    """

    threshold: float = DEFAULT_THRESHOLD

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (np.isfinite(self.threshold) and self.threshold >= 0):
            raise InputError(
                f"the threshold is a gap of r, 0 to 2; got {self.threshold}"
            )


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a model is trained, beside the numbers of its network.

    Parameters
    ----------
    preset : {"recommended", "paper"}, default="recommended"
        Table of values for the training.
    seed : int, default=0
        Of the training: the same seed, data and number of threads give the same model.
    n_threads : int, optional
        Threads of the training; default all that this process may use.
    """

    preset: str = field(
        default="recommended", metadata={"choices": lambda: PRESETS, **WITH_TRAIN}
    )
    seed: int = field(default=0, metadata=WITH_TRAIN)
    n_threads: int | None = field(default=None, metadata=WITH_TRAIN)


@dataclass(frozen=True, kw_only=True)
class TrainParameters(Training, Preparation):
    """How particles are prepared for a training, and how that goes."""


@dataclass(frozen=True, kw_only=True)
class Trusting(Correlation):
    """Whether references are checked, and how probabilities are computed.

    Parameters
    ----------
    check_references : bool, default=False
        Say whether references and I0 fit the measurement; changes nothing by itself.
    per_particle : bool, default=False
        Check I0 of every particle by itself: right where each has its own.
    recalibrate : str, optional
        Corrections of the check to apply: "suggested", or names with commas between
        them, as "energy shift, I0".
    neighbors : bool, default=True
        Let neighbors within a particle have a say in a probability.
    mixtures : bool, default=True
        Take a pixel for a possible mixture of two phases in a probability.
    offset : bool, default=False
        Fit a constant to every spectrum for a probability.
    level : float, default=0.9
        Probability below which the phase of a pixel is undecided.
    """

    check_references: bool = False
    per_particle: bool = field(default=False, metadata=WITH_CHECK)
    recalibrate: str | None = field(default=None, metadata=WITH_CHECK)
    neighbors: bool = field(default=True, metadata=WITH_POSTERIOR)
    mixtures: bool = field(default=True, metadata=WITH_POSTERIOR)
    offset: bool = field(default=False, metadata=WITH_POSTERIOR)
    level: float = field(default=DEFAULT_LEVEL, metadata=WITH_POSTERIOR)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.level < 1.0:
            raise InputError(f"level is a probability, 0 to 1; got {self.level}")

    def corrections(self) -> tuple[str, ...] | None:
        """Return the corrections to apply: none, those named, or None for suggested."""
        if self.recalibrate == SUGGESTED:
            return None
        names = (self.recalibrate or "").split(",")
        return tuple(name.strip() for name in names if name.strip())

    def posterior_options(self) -> dict[str, bool]:
        """Return the keyword parameters of `posterior_map`."""
        names = ("neighbors", "mixtures", "offset")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class RunParameters(Training, Trusting):
    """Everything that decides what `run` makes of its files.

    Parameters
    ----------
    model : str, optional
        Folder of a trained model, whose latent space resolves ambiguous pixels.
    train : bool, default=False
        Train such a model on these particles and keep it with the results.
    method : str, default="mahalanobis"
        How an ambiguous pixel gets its phase in a latent space, a name of the table of
        assignments (`core.latent.methods`); or "posterior", which gives every phase of
        every pixel a probability and needs no latent space.
    scope : {"ambiguous", "all"}, default="ambiguous"
        Which pixels get a new phase.
    epochs : int, optional
        Passes over the spectra, in place of what the preset makes of their number.
    n_latent : int, optional
        Latent dimensions, in place of the preset's.
    n_components : int, optional
        Components of the prior, in place of the preset's.

    Raises
    ------
    ValueError
        If a value is wrong, or has no meaning beside the others.

    Examples
    --------
    >>> RunParameters(train=True, epochs=20).network_numbers()
    {'epochs': 20}
    """

    model: str | None = field(default=None, metadata=FOLDER)
    train: bool = False
    method: str = field(
        default=DEFAULT_METHOD,
        metadata={"choices": lambda: (POSTERIOR, *method_names()), **WITH_LATENT},
    )
    scope: Literal["ambiguous", "all"] = field(
        default="ambiguous", metadata=WITH_LATENT
    )
    epochs: int | None = field(default=None, metadata=NETWORK)
    n_latent: int | None = field(default=None, metadata=NETWORK)
    n_components: int | None = field(default=None, metadata=NETWORK)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model and self.train:
            raise InputError("give either a model to apply or train=True, not both")
        if self.resolves and self.posterior:
            raise InputError(
                "method='posterior' needs no latent space; leave out model and train, "
                "or choose another method"
            )
        there = {
            "train": self.train,
            "a model or train": self.resolves,
            "method 'posterior'": self.posterior,
            "check_references": self.check_references,
        }
        for item in fields(self):
            need, value = item.metadata.get("needs"), getattr(self, item.name)
            if item.name == "method" and self.posterior:
                continue
            if need and value != item.default and not there[need]:
                raise InputError(f"{item.name}={value!r} means nothing without {need}")

    @property
    def resolves(self) -> bool:
        """Whether ambiguous pixels are resolved: in a latent space, or without one."""
        if self.posterior:
            return bool(self.model) or self.train
        alone = "latent" not in ASSIGNMENTS[self.method].needs
        return bool(self.model) or self.train or alone

    @property
    def posterior(self) -> bool:
        """Whether the phases get probabilities."""
        return self.method == POSTERIOR

    def network_numbers(self) -> dict[str, int]:
        """Return the numbers of the network that differ from the preset's."""
        return {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if "network" in item.metadata and getattr(self, item.name) is not None
        }
