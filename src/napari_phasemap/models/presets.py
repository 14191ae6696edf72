"""Which numbers a model is trained with, and the two named tables of them.

* `Parameters`: every number, documented once.
* `PRESETS`: "paper" and "recommended".
* `parameters_of`: a preset with some numbers changed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeAlias

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.parameters import checked_fields

__all__ = ["PRESETS", "Parameters", "parameters_of"]

Kl: TypeAlias = Literal["mc", "categorical"]
Reconstruction: TypeAlias = Literal["sum", "mean"]
Normalization: TypeAlias = Literal["none", "standardize"]
Regularization: TypeAlias = Literal["last", "each"]
Schedule: TypeAlias = Literal["constant", "cosine"]
Precision: TypeAlias = Literal["float32", "bfloat16", "auto"]


@dataclass(frozen=True)
class Parameters:
    """Everything that decides how a `GMVAE` is built and trained.

    The defaults are the values of the preset "paper" [1]_.

    Parameters
    ----------
    hidden : tuple of int, default=(512, 256, 128, 64)
        Units of the encoder's layers (ReLU); the decoder has them in reverse.
    n_latent : int, default=3
        Latent dimensions.
    n_components : int, default=5
        Components of the Gaussian mixture prior. A component is not a phase.
    dropout : float, default=0.1
        Share of the encoder's units that are dropped in training.
    regularization : {"last", "each"}, default="last"
        Where batch normalization and dropout act in the encoder. The paper's "four
        layers followed by batch normalization and dropout" can be read both ways.

        * "last": once, after the last hidden layer; a third cheaper, not worse.
        * "each": after every hidden layer.
    batch_norm_momentum : float, default=0.99
        Memory of the running mean and variance, per step. Below some 1000 steps 0.99
        has not forgotten where it began.
    kl : {"mc", "categorical"}, default="mc"
        How the Kullback-Leibler divergence to the mixture is estimated.

        * "mc": log q(z|x) - log sum_k pi_k N(z; k) at the drawn z, unbiased.
        * "categorical": KL(q(y|x), pi) + sum_k q(k|x) KL(q(z|x), N(k)) with a second
          output q(y|x) of the encoder; an upper bound.
    beta : float, default=1e-5
        Weight of the divergence against the reconstruction error.
    reconstruction : {"sum", "mean"}, default="sum"
        The reconstruction error that `beta` is weighed against.

        * "sum": squared errors summed over the energies (Algorithm 2 of the paper).
        * "mean": their mean (the paper's text, "MSE"); n_energies times smaller.
    normalization : {"none", "standardize"}, default="none"
        What the network sees.

        * "none": the spectra themselves, as in the paper; thickness dominates.
        * "standardize": each spectrum minus its mean, over its standard deviation, so
          that thickness and a constant background vanish.
    learning_rate : float, default=1e-3
        Largest step size of Adam.
    schedule : {"constant", "cosine"}, default="constant"
        Learning rate over the training.

        * "constant": the same throughout.
        * "cosine": after the warm-up down to 0 along half a cosine.
    warmup : float, default=0.0
        Share of the steps over which the learning rate rises from 0.
    batch_size : int, default=128
        Spectra per step; all of them where there are fewer.
    epochs : int, default=400
        Passes over the training spectra, within `min_steps` and `max_steps`.
    min_steps : int, default=0
        With few spectra, as many more passes as this number of steps needs.
    max_steps : int, optional
        With many spectra, only as many passes as fit into this number of steps.
    validation_fraction : float, default=0.025
        Share of the spectra whose loss is followed but not learned.
    test_fraction : float, default=0.025
        Share of the spectra that is put aside until the end.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Products between hidden layers while training; all else is float32.

        * "float32": single precision.
        * "bfloat16": 8 bits of mantissa; slow where the processor lacks them.
        * "auto": bfloat16 where the processor multiplies it natively.

    References
    ----------
    .. [1] Adrar et al., arXiv:2603.07666, section 6.6 and Algorithm 2.
    """

    hidden: tuple[int, ...] = (512, 256, 128, 64)
    n_latent: int = 3
    n_components: int = 5
    dropout: float = 0.1
    regularization: Regularization = "last"
    batch_norm_momentum: float = 0.99
    kl: Kl = "mc"
    beta: float = 1e-5
    reconstruction: Reconstruction = "sum"
    normalization: Normalization = "none"
    learning_rate: float = 1e-3
    schedule: Schedule = "constant"
    warmup: float = 0.0
    batch_size: int = 128
    epochs: int = 400
    min_steps: int = 0
    max_steps: int | None = None
    validation_fraction: float = 0.025
    test_fraction: float = 0.025
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        checked_fields(self)
        if not self.hidden or min(self.hidden) < 1:
            raise InputError(f"hidden={self.hidden} needs one or more positive widths")
        for name in ("n_latent", "n_components", "batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}={getattr(self, name)} is not at least 1")
        for name in ("dropout", "batch_norm_momentum", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name}={getattr(self, name)} is outside 0 <= x < 1")
        kept = self.validation_fraction, self.test_fraction
        if min(kept) < 0 or sum(kept) > 0.9:
            raise InputError(
                "validation_fraction and test_fraction are not negative and leave 10 % "
                f"for training; got {kept[0]} and {kept[1]}"
            )
        if self.learning_rate <= 0 or self.beta < 0:
            raise InputError(
                f"needed: learning_rate > 0 and beta >= 0; got {self.learning_rate} "
                f"and {self.beta}"
            )
        if self.max_steps is not None and self.max_steps < max(self.min_steps, 1):
            raise InputError(f"max_steps={self.max_steps} < min_steps={self.min_steps}")

    def n_epochs(self, n_train: int) -> int:
        """Return the number of passes over `n_train` spectra.

        Parameters
        ----------
        n_train : int
            Spectra of the training part.

        Returns
        -------
        int
            One or more.
        """
        steps = max(n_train // min(self.batch_size, n_train), 1)
        epochs = max(self.epochs, -(-self.min_steps // steps))
        if self.max_steps is not None:
            epochs = min(epochs, max(self.max_steps // steps, 1))
        return epochs

    def as_dict(self) -> dict[str, Any]:
        """Return the values as plain types, for JSON."""
        return {**asdict(self), "hidden": list(self.hidden)}


_PAPER = Parameters()

#: "paper" is arXiv:2603.07666; "recommended" reaches its validation loss in a small
#: part of the time, and its map varies less from seed to seed (docs/accuracy.md).
PRESETS: dict[str, Parameters] = {
    "paper": _PAPER,
    "recommended": replace(
        _PAPER,
        # Dropout before three latent units only adds noise to the reconstruction.
        dropout=0.0,
        batch_norm_momentum=0.97,
        normalization="standardize",
        learning_rate=4e-3,
        schedule="cosine",
        warmup=0.1,
        batch_size=512,
        epochs=40,
        min_steps=600,
        max_steps=2500,
        precision="auto",
    ),
}


def parameters_of(preset: str, /, **overrides: Any) -> Parameters:
    """Return the parameters of a preset with some of them changed.

    Parameters
    ----------
    preset : str
        One of `PRESETS`.
    **overrides : object
        Parameters and their values.

    Returns
    -------
    parameters : Parameters
        Checked.

    Raises
    ------
    InputError
        If the preset, a parameter or a value is unknown.
    """
    if preset not in PRESETS:
        raise InputError(f"preset={preset!r} is not one of {tuple(PRESETS)}")
    known = [item.name for item in fields(Parameters)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise InputError(f"no parameter {', '.join(unknown)}; there are {known}")
    return replace(PRESETS[preset], **overrides)
