"""Learn a latent space of all spectra with a Gaussian mixture variational autoencoder.

* `GMVAE`: numpy in, numpy out; the network itself is in `network`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import SAME_ENERGY
from napari_phasemap.models.presets import Parameters, parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

__all__ = ["GMVAE"]


class GMVAE:
    r"""Gaussian mixture variational autoencoder of spectra.

    An encoder maps each spectrum to a Gaussian q(z|x) in a latent space of few
    dimensions, a decoder maps latent points back to spectra, and the prior of the
    latent space is a mixture of Gaussians [1]_ [2]_. Minimized is

    .. math:: \|x - \hat x\|^2 + \beta\, D_{KL}(q(z|x) \,\|\, \sum_k \pi_k N_k)

    with constant weights :math:`\pi_k = 1/K` (Algorithm 2 of [1]_) and diagonal
    covariances. The constructor stores, `fit` computes.

    Parameters
    ----------
    preset : {"recommended", "paper"}, default="recommended"
        Table of values to start from, see `models.presets.PRESETS`.
    seed : int, default=0
        The same seed, data and number of threads give bit-identical weights on a CPU.
    n_threads : int, optional
        Threads of TensorFlow; default all that this process may use. It can only be
        chosen before TensorFlow has computed anything in this process.
    **overrides
        Any field of `models.presets.Parameters`.

    Attributes
    ----------
    parameters : Parameters
        All numbers, the preset's and the changed ones.
    history_ : dict of str to list of float
        Per epoch: "reconstruction" and "validation_reconstruction" (mean squared error
        per energy of what the network sees), "kl" and "validation_kl".
    test_loss_ : dict of str to float
        "reconstruction" and "kl" of the spectra that were put aside.
    component_weights_, component_means_, component_covariances_ : ndarray
        The mixture prior: shapes (K,), (K, n_latent) and (K, n_latent, n_latent).
    component_usage_ : ndarray of shape (K,)
        Mean p(k|x) over the training spectra. Often only two or three components are
        used: a component is not a phase.
    energy_, names_ : ndarray or None, tuple of str
        Energies in eV and names (of the particles) that `fit` was given.
    n_energies_, n_spectra_, n_epochs_, n_steps_, n_threads_ : int
        What it was trained on, and how.
    precision_, device_, versions_ : str, str, dict
        Products while training ("float32" or "bfloat16"), "CPU" or "GPU", versions.

    Notes
    -----
    With a small `beta` the model is nearly a deterministic autoencoder: the decoder's
    implied noise is far below photon noise, and the prior hardly acts.

    References
    ----------
    .. [1] Adrar et al., arXiv:2603.07666.
    .. [2] Dilokthanakul et al., arXiv:1611.02648; Kingma and Welling, arXiv:1312.6114.
    """

    def __init__(
        self,
        preset: str = "recommended",
        *,
        seed: int = 0,
        n_threads: int | None = None,
        **overrides: Any,
    ) -> None:
        self.preset = preset
        self.seed = int(seed)
        self.n_threads = n_threads
        self.parameters: Parameters = parameters_of(preset, **overrides)

    @property
    def is_fitted(self) -> bool:
        """Whether there is a trained network."""
        return hasattr(self, "network_")

    def fit(
        self,
        X: ArrayLike,
        /,
        *,
        energy: ArrayLike | None = None,
        names: Sequence[str] = (),
        on_progress: OnProgress = ignore_progress,
        on_epoch: Callable[[dict[str, float]], None] | None = None,
    ) -> Self:
        """Train on spectra; the network keeps nothing of an earlier training.

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            Spectra of all particles together, optical density or net counts.
        energy : array_like of shape (n_energies,), optional
            In eV; stored, so that data on another axis can be refused.
        names : sequence of str, optional
            Names of the particles, stored.
        on_progress : callable, optional
            Called every few steps; what it raises ends the training and leaves the
            estimator as it was.
        on_epoch : callable, optional
            Called after every epoch with that epoch's entries of `history_`.

        Returns
        -------
        GMVAE
            Itself.

        Raises
        ------
        ValueError
            If spectra are not finite, are constant (under "standardize"), are too few,
            or have one energy; if `energy` does not fit; if the training diverges.
        ImportError
            If TensorFlow cannot be loaded.
        """
        spectra = self._training_spectra(X)
        axis = _checked_axis(energy, spectra.shape[1])
        from napari_phasemap.models.training import train

        state = train(
            spectra,
            self.parameters,
            seed=self.seed,
            n_threads=self.n_threads,
            on_progress=on_progress,
            on_epoch=on_epoch,
        )
        state.update(energy_=axis, names_=tuple(names), n_spectra_=len(spectra))
        self.__dict__.update(state)
        return self

    def encode(
        self, X: ArrayLike, /, *, energy: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Return the latent means, of shape (n_spectra, n_latent).

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            As for `fit`. A spectrum with NaN or, under "standardize", without any
            variation gives a row of NaN.
        energy : array_like of shape (n_energies,), optional
            Checked against the energies of the training.

        Returns
        -------
        ndarray of float32

        Raises
        ------
        ValueError
            If the energies differ from those of the training.
        """
        return self._apply("mean", X, energy=energy)[0]

    def encode_distribution(
        self, X: ArrayLike, /, *, energy: ArrayLike | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and log-variance of q(z|x), each (n_spectra, n_latent).

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            As for `fit`.
        energy : array_like of shape (n_energies,), optional
            In eV, compared with that of the training.

        Returns
        -------
        mean, log_variance : ndarray of float32 of shape (n_spectra, n_latent)
            In latent units; rows of NaN where a spectrum holds NaN.
        """
        mean, log_var = self._apply("distribution", X, energy=energy)
        return mean, log_var

    def component_probabilities(
        self, X: ArrayLike, /, *, energy: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Return p(k|x) of the prior's components, of shape (n_spectra, K).

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            As for `fit`.
        energy : array_like of shape (n_energies,), optional
            In eV, compared with that of the training.

        Returns
        -------
        ndarray of float32 of shape (n_spectra, n_components)
            0 to 1, rows sum to 1; NaN where a spectrum holds NaN.
        """
        return self._apply("components", X, energy=energy)[0]

    def decode(self, Z: ArrayLike, /) -> NDArray[np.float32]:
        """Return the spectra of latent points of shape (n_points, n_latent).

        Under "standardize" they have mean 0 and standard deviation 1 or nearly so;
        `reconstruct` gives a spectrum its own mean and standard deviation back.

        Parameters
        ----------
        Z : array_like of shape (n_points, n_latent)
            In latent units.

        Returns
        -------
        ndarray of float32 of shape (n_points, n_energies)
            In the units of the training.
        """
        n_latent = self.parameters.n_latent
        points = _two_dimensional(Z, "latent points")
        if points.shape[1] != n_latent:
            raise InputError(f"{points.shape[1]} latent coordinates != {n_latent=}")
        spectra: NDArray[np.float32] = self._runner("decode").run(points)[0]
        return spectra

    def reconstruct(
        self, X: ArrayLike, /, *, energy: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Return decode(encode(X)) in the units of `X`, of the same shape.

        Parameters
        ----------
        X : array_like of shape (n_spectra, n_energies)
            As for `fit`.
        energy : array_like of shape (n_energies,), optional
            In eV, compared with that of the training.

        Returns
        -------
        ndarray of float32 of shape (n_spectra, n_energies)
            Rows of NaN where a spectrum holds NaN.
        """
        return self._apply("reconstruct", X, energy=energy)[0]

    def save(self, folder: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write the model to a folder.

        Encoder and decoder as ``.keras``, the rest as JSON and npz. All is written to
        a temporary folder beside it and moved when complete.

        Parameters
        ----------
        folder : str or path
            Where to; made if it is not there.
        overwrite : bool, default=False
            Replace an earlier model.

        Raises
        ------
        FileExistsError
            If `folder` exists and `overwrite` is false, or it is not a model.
        OSError
            If writing fails; what was there before is still there.
        """
        self._check_fitted()
        from napari_phasemap.models.saving import save

        save(self, folder, overwrite=overwrite)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Read a model that `save` wrote; nothing in it is ever executed.

        Parameters
        ----------
        folder : str or path
            What `save` wrote.

        Returns
        -------
        Self
            Fitted.

        Raises
        ------
        FileNotFoundError
            If there is no such folder.
        ValueError
            If it is not a model, is damaged, or a newer version wrote it.
        """
        from napari_phasemap.models.saving import load

        return load(cls, folder)

    def check_energy(self, energy: ArrayLike) -> None:
        """Raise ValueError unless `energy` is the axis of the training.

        Parameters
        ----------
        energy : array_like of shape (n_energies,)
            In eV.
        """
        self._check_fitted()
        axis = np.asarray(energy, dtype=np.float64)
        own = self.energy_
        same_length = len(axis) == self.n_energies_
        if same_length and (own is None or np.abs(axis - own).max() < SAME_ENERGY):
            return
        trained = _span(own) if own is not None else f"{self.n_energies_} energies"
        raise InputError(
            f"the model was trained on {trained}, the data have {_span(axis)}; train a "
            "model on these data, or bring them to the model's energies"
        )

    def _training_spectra(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the checked spectra, normalized."""
        from napari_phasemap.models.applying import standardized
        from napari_phasemap.models.training import split_sizes

        spectra = _two_dimensional(X, "spectra")
        n_spectra, n_energies = spectra.shape
        if n_energies < 2:
            raise InputError(f"a latent space needs 2 energies or more; {n_energies=}")
        n_train = split_sizes(n_spectra, self.parameters)[0]
        needed = max(self.parameters.n_components, 2)
        if n_train < needed:
            raise InputError(
                f"{n_spectra} spectra leave {n_train} for training, but "
                f"{self.parameters.n_components} components need {needed} at least; "
                "analyze more pixels or take fewer components"
            )
        finite = np.asarray(np.isfinite(spectra).all(axis=1))
        _refuse(~finite, "hold NaN or infinite values")
        if self.parameters.normalization == "none":
            return spectra
        spectra, _, deviation = standardized(spectra)
        _refuse(
            ~np.isfinite(deviation),
            "are constant and cannot be standardized (or use normalization='none')",
        )
        return spectra

    def _apply(
        self, what: str, X: ArrayLike, *, energy: ArrayLike | None
    ) -> list[NDArray[np.float32]]:
        self._check_fitted()
        spectra = _two_dimensional(X, "spectra")
        if energy is not None:
            self.check_energy(energy)
        if spectra.shape[1] != self.n_energies_:
            raise InputError(
                f"{spectra.shape[1]} energies in the data != {self.n_energies_} of the "
                "model"
            )
        outputs: list[NDArray[np.float32]] = self._runner(what).run(spectra)
        return outputs

    def _runner(self, what: str) -> Any:
        """Return the compiled function, made when it is first used."""
        self._check_fitted()
        from napari_phasemap.models.applying import Runner

        runners: dict[str, Any] = self.__dict__.setdefault("_runners", {})
        if what not in runners or runners[what].network is not self.network_:
            runners[what] = Runner(self.network_, what)
        return runners[what]

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            from sklearn.exceptions import NotFittedError

            raise NotFittedError("this GMVAE is not trained; call fit or load first")

    def __repr__(self) -> str:
        state = "not trained"
        if self.is_fitted:
            error = self.test_loss_["reconstruction"]
            state = (
                f"{self.n_spectra_} spectra of {self.n_energies_} energies, "
                f"{self.n_epochs_} epochs ({self.precision_}), test error {error:.3g}"
            )
        return f"GMVAE({self.preset!r}, seed={self.seed}): {state}"

    if TYPE_CHECKING:  # set by `fit` and `load`
        network_: Any
        history_: dict[str, list[float]]
        test_loss_: dict[str, float]
        component_weights_: NDArray[np.float32]
        component_means_: NDArray[np.float32]
        component_covariances_: NDArray[np.float32]
        component_usage_: NDArray[np.float32]
        energy_: NDArray[np.float64] | None
        names_: tuple[str, ...]
        n_energies_: int
        n_spectra_: int
        n_epochs_: int
        n_steps_: int
        n_threads_: int
        precision_: str
        device_: str
        versions_: dict[str, str]


def _two_dimensional(values: ArrayLike, what: str) -> NDArray[np.float32]:
    array = np.asarray(values, dtype=np.float32)
    if array.ndim != 2 or 0 in array.shape[1:]:
        raise InputError(f"{what} are rows of a 2-D array; got {array.shape=}")
    return array


def _refuse(bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise InputError(
            f"{int(bad.sum())} of {len(bad)} spectra {what}, first at pixel "
            f"{int(bad.argmax())}; leave these pixels out of the mask"
        )


def _checked_axis(
    energy: ArrayLike | None, n_energies: int
) -> NDArray[np.float64] | None:
    if energy is None:
        return None
    axis = np.array(energy, dtype=np.float64)
    if axis.shape != (n_energies,):
        raise InputError(f"{axis.shape=} of the energies != ({n_energies},) of spectra")
    if not np.isfinite(axis).all() or (np.diff(axis) <= 0).any():
        raise InputError(f"energies must be finite and increase; got {axis}")
    return axis


def _span(axis: NDArray[np.float64]) -> str:
    if not len(axis):
        return "no energies"
    return f"{len(axis)} energies from {axis[0]:g} to {axis[-1]:g} eV"
