"""Train the network: split, schedule, epochs, and what is recorded about it.

* `train`: from spectra to everything that a fitted `GMVAE` knows.
* `standardized`, `split_sizes`, `learning_rates`: its parts.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.models.applying import Runner
from napari_phasemap.models.hardware import chosen_precision, start_tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_phasemap.core.data.progress import OnProgress
    from napari_phasemap.models.presets import Parameters

__all__ = ["learned", "learning_rates", "split_sizes", "train"]

#: Spectra between two looks at ``on_progress``, and the bounds of steps in between.
CHECK_SPECTRA, CHECK_STEPS = 4096, (8, 16)


def train(
    spectra: NDArray[np.float32],
    parameters: Parameters,
    /,
    *,
    seed: int,
    n_threads: int | None,
    on_progress: OnProgress,
    on_epoch: Callable[[dict[str, float]], None] | None,
) -> dict[str, Any]:
    """Train a new network and return the attributes of a fitted `GMVAE`.

    Parameters
    ----------
    spectra : ndarray of shape (n_spectra, n_energies)
        Checked and normalized.
    parameters : Parameters
        All numbers.
    seed, n_threads, on_progress, on_epoch
        As for `GMVAE` and `GMVAE.fit`.

    Returns
    -------
    dict
        Attribute names and values.

    Raises
    ------
    ValueError
        If the loss is no longer finite.
    """
    on_progress(0, 0, "starting TensorFlow")
    threads, device = start_tensorflow(n_threads)
    precision = chosen_precision(parameters.precision, device)
    from napari_phasemap.models.network import Network, train_steps

    rng = np.random.default_rng([seed, 1])
    order = rng.permutation(len(spectra))
    n_train, n_validation, _ = split_sizes(len(spectra), parameters)
    parts = np.split(order, [n_train, n_train + n_validation])
    batch = min(parameters.batch_size, n_train)
    n_epochs, per_epoch = parameters.n_epochs(n_train), n_train // batch
    rates = learning_rates(parameters, n_epochs * per_epoch)
    network = Network(parameters, spectra.shape[1], seed=seed)
    run = train_steps(
        network,
        spectra,
        rates,
        batch_size=batch,
        low=precision == "bfloat16",
        seed=int(rng.integers(2**31)),
    )
    evaluate = _evaluation(network)
    validation, test = spectra[parts[1]], spectra[parts[2]]
    history: dict[str, list[float]] = {}
    every = int(np.clip(CHECK_SPECTRA // batch, *CHECK_STEPS))
    text = "compiling the training loop"
    for epoch in range(n_epochs):
        shuffled = parts[0][rng.permutation(n_train)[: per_epoch * batch]]
        rows = shuffled.astype(np.int32).reshape(per_epoch, batch)
        sums = np.zeros(2)
        for low in range(0, per_epoch, every):
            first = epoch * per_epoch + low
            on_progress(first, len(rates), text)
            sums += run(rows[low : low + every], first)
        losses = dict(zip(("reconstruction", "kl"), sums / per_epoch, strict=True))
        losses.update({f"validation_{k}": v for k, v in evaluate(validation).items()})
        if not np.isfinite(losses["reconstruction"]):
            raise InputError(
                f"the training diverged in epoch {epoch + 1} (loss is not finite); "
                f"lower learning_rate={parameters.learning_rate:g}"
            )
        for key, value in losses.items():
            history.setdefault(key, []).append(float(value))
        if on_epoch is not None:
            on_epoch({key: values[-1] for key, values in history.items()})
        text = f"epoch {epoch + 1} of {n_epochs}, error {losses['reconstruction']:.3g}"
    on_progress(len(rates), len(rates), text)
    return {
        **learned(network),
        "history_": history,
        "test_loss_": evaluate(test),
        "component_usage_": _usage(network, spectra[parts[0]]),
        "n_epochs_": n_epochs,
        "n_steps_": len(rates),
        "n_threads_": threads,
        "precision_": precision,
        "device_": device,
        "versions_": _versions(),
    }


def learned(network: Any) -> dict[str, Any]:
    """Return the attributes that follow from a network alone.

    Parameters
    ----------
    network : Network
        With its prior.

    Returns
    -------
    dict of str to object
        By the names that they have in `GMVAE`.
    """
    variances = np.exp(network.prior_log_vars.numpy())
    n_components = len(variances)
    return {
        "network_": network,
        "n_energies_": network.n_energies,
        "component_weights_": np.full(n_components, 1 / n_components, dtype=np.float32),
        "component_means_": network.prior_means.numpy(),
        "component_covariances_": np.stack([np.diag(row) for row in variances]),
    }


def split_sizes(n_spectra: int, parameters: Parameters) -> tuple[int, int, int]:
    """Return the numbers of training, validation and test spectra.

    Validation and test get one spectrum at least where their share is not 0.

    Parameters
    ----------
    n_spectra : int
        In all.
    parameters : Parameters
        With the shares.

    Returns
    -------
    tuple of int
        Their sum is `n_spectra`, unless that is too small.
    """
    fractions = parameters.validation_fraction, parameters.test_fraction
    n_validation, n_test = (
        max(round(share * n_spectra), 1) if share > 0 else 0 for share in fractions
    )
    return max(n_spectra - n_validation - n_test, 0), n_validation, n_test


def learning_rates(parameters: Parameters, n_steps: int) -> NDArray[np.float32]:
    """Return the learning rate of every step.

    The cosine schedule is that of Loshchilov and Hutter (arXiv:1608.03983) without
    restarts, after a linear warm-up.

    Parameters
    ----------
    parameters : Parameters
        With the schedule and the highest rate.
    n_steps : int
        Of the training.

    Returns
    -------
    ndarray of float32 of shape (n_steps,)
        Dimensionless.
    """
    step = np.arange(n_steps)
    n_warm = int(parameters.warmup * n_steps)
    rates = np.ones(n_steps)
    if parameters.schedule == "cosine":
        done = (step - n_warm) / max(n_steps - n_warm, 1)
        rates = 0.5 * (1.0 + np.cos(np.pi * done))
    rates[:n_warm] = (step[:n_warm] + 1) / max(n_warm, 1)
    return (parameters.learning_rate * rates).astype(np.float32)


def _evaluation(network: Any) -> Callable[[NDArray[np.float32]], dict[str, float]]:
    """Return a function that gives the losses at the latent means, without dropout."""
    import tensorflow as tf

    from napari_phasemap.models.network import CHUNK_ROWS, mapped

    seed = tf.constant([0, 0])

    def rows(x: Any) -> Any:
        heads = network.encoder(x, training=False)
        kl = network.losses(x, heads, seed, low=False)[1]
        squared = (network.decoder(heads[0], training=False) - x) ** 2
        return tf.reduce_mean(squared, axis=1), kl

    run = mapped(rows, network.n_energies)

    def evaluate(spectra: NDArray[np.float32]) -> dict[str, float]:
        sums = np.zeros(2)
        for low in range(0, len(spectra), CHUNK_ROWS):
            sums += [part.sum() for part in run(spectra[low : low + CHUNK_ROWS])]
        means = sums / len(spectra) if len(spectra) else np.full(2, np.nan)
        return {"reconstruction": float(means[0]), "kl": float(means[1])}

    return evaluate


def _usage(network: Any, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    shares = Runner(network, "components", normalize=False).run(spectra)[0]
    return np.asarray(shares.mean(axis=0, dtype=np.float64), dtype=np.float32)


def _versions() -> dict[str, str]:
    packages = ("napari-phasemap", "tensorflow", "keras", "numpy")
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
