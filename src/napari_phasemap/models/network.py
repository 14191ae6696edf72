"""The network: encoder, decoder, mixture prior, and one compiled training loop.

Everything here is TensorFlow; `gmvae` is numpy in, numpy out. Importing this module
imports TensorFlow.

* `Network`: the two Keras models and the prior, with the losses.
* `train_steps`: compile a loop of training steps.
* `mapped`: apply a Keras model to many rows, in chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_phasemap.models.presets import Parameters

__all__ = ["Network", "mapped", "train_steps"]

LOG_2_PI = float(np.log(2.0 * np.pi))
#: Range of latent log-variances: exp stays finite and no variance is exactly 0.
LOG_VAR_RANGE = (-20.0, 20.0)
#: Adam's moments and guard (Kingma and Ba, arXiv:1412.6980; Keras' epsilon).
ADAM = (0.9, 0.999, 1e-7)
#: Rows that pass through a model at once: the widest layer then stays in the cache.
CHUNK_ROWS = 4096


class Network:
    """Encoder, decoder and Gaussian mixture prior.

    Parameters
    ----------
    parameters : Parameters
        Sizes, losses and regularization.
    n_energies : int
        Length of a spectrum.
    seed : int, default=0
        Seed of the initial weights.
    """

    def __init__(
        self, parameters: Parameters, n_energies: int, *, seed: int = 0
    ) -> None:
        self.parameters = parameters
        self.n_energies = n_energies
        # Seeds are drawn in the order of the layers; 64 bits never repeat in practice.
        rng = np.random.default_rng([seed, 0])
        self.encoder = self._build_encoder(rng)
        self.decoder = self._build_decoder(rng)
        shape = (parameters.n_components, parameters.n_latent)
        means = rng.standard_normal(shape).astype(np.float32)
        self.prior_means = tf.Variable(means, name="prior_means")
        self.prior_log_vars = tf.Variable(tf.zeros(shape), name="prior_log_vars")
        self._log_weight = float(-np.log(parameters.n_components))

    @property
    def variables(self) -> list[Any]:
        """Everything that is learned, as TensorFlow variables."""
        layers = self.encoder.trainable_variables + self.decoder.trainable_variables
        return [item.value for item in layers] + [
            self.prior_means,
            self.prior_log_vars,
        ]

    def _build_encoder(self, rng: np.random.Generator) -> Any:
        p = self.parameters
        x = inputs = keras.Input((self.n_energies,), name="spectrum")
        for index, units in enumerate(p.hidden):
            x = _dense(units, rng, activation="relu")(x)
            if p.regularization == "each" or index == len(p.hidden) - 1:
                momentum = p.batch_norm_momentum
                x = keras.layers.BatchNormalization(momentum=momentum)(x)
                x = keras.layers.Dropout(p.dropout)(x)
        heads = {
            "z_mean": _dense(p.n_latent, rng, name="z_mean")(x),
            "z_log_var": _dense(p.n_latent, rng, name="z_log_var")(x),
        }
        if p.kl == "categorical":
            heads["logits"] = _dense(p.n_components, rng, name="logits")(x)
        return keras.Model(inputs, list(heads.values()), name="encoder")

    def _build_decoder(self, rng: np.random.Generator) -> Any:
        x = inputs = keras.Input((self.parameters.n_latent,), name="latent")
        for units in reversed(self.parameters.hidden):
            x = _dense(units, rng, activation="relu")(x)
        x = _dense(self.n_energies, rng, name="reconstruction")(x)
        return keras.Model(inputs, x, name="decoder")

    def encode_training(self, x: Any, seed: Any, low: bool) -> list[Any]:
        """Return the encoder's outputs with dropout and batch statistics.

        `low` multiplies hidden by hidden layers in bfloat16.

        Parameters
        ----------
        x : tensor
            Spectra, (n_rows, n_energies).
        seed : tensor
            Two numbers, from which dropout is drawn.
        low : bool
            Whether products are in bfloat16.

        Returns
        -------
        list of tensor
            The heads, each (n_rows, width).
        """
        n_heads = len(self.encoder.outputs)
        body, heads = self.encoder.layers[1:-n_heads], self.encoder.layers[-n_heads:]
        for index, layer in enumerate(body):
            if isinstance(layer, keras.layers.Dense):
                x = _product(x, layer, low=low and index > 0, activation=tf.nn.relu)
            elif isinstance(layer, keras.layers.BatchNormalization):
                x = layer(tf.cast(x, tf.float32), training=True)
            elif layer.rate:
                draw = tf.random.stateless_uniform(tf.shape(x), seed + index)
                kept = tf.cast(draw >= layer.rate, x.dtype)
                x = x * kept / (1.0 - layer.rate)
        x = tf.cast(x, tf.float32)
        return [_product(x, head, low=False) for head in heads]

    def decode_training(self, z: Any, low: bool) -> Any:
        """Return reconstructions; `low` as in `encode_training`.

        Parameters
        ----------
        z : tensor
            Latent points, (n_rows, n_latent).
        low : bool
            Whether products are in bfloat16.

        Returns
        -------
        tensor
            Spectra, (n_rows, n_energies).
        """
        x = z
        body = self.decoder.layers[1:]
        for index, layer in enumerate(body[:-1]):
            x = _product(x, layer, low=low and index > 0, activation=tf.nn.relu)
        return _product(tf.cast(x, tf.float32), body[-1], low=False)

    def divergence(self, heads: list[Any], z: Any, epsilon: Any) -> Any:
        """Return the KL term of every row; see `Parameters` for its two forms.

        Parameters
        ----------
        heads : list of tensor
            Of the encoder.
        z : tensor
            Drawn from them, (n_rows, n_latent).
        epsilon : tensor
            The standard normal numbers that `z` was made of.

        Returns
        -------
        tensor
            In nats, (n_rows,).
        """
        z_mean, z_log_var = heads[0], _clipped(heads[1])
        if self.parameters.kl == "mc":
            log_q = -0.5 * tf.reduce_sum(LOG_2_PI + z_log_var + epsilon**2, axis=1)
            return log_q - tf.reduce_logsumexp(self._log_joint(z), axis=1)
        log_y = tf.nn.log_softmax(heads[2])
        y = tf.exp(log_y)
        means, log_vars = self.prior_means[None], self.prior_log_vars[None]
        spread = tf.exp(z_log_var)[:, None] + (z_mean[:, None] - means) ** 2
        per_component = 0.5 * tf.reduce_sum(
            log_vars - z_log_var[:, None] + spread * tf.exp(-log_vars) - 1.0, axis=2
        )
        return tf.reduce_sum(y * (log_y - self._log_weight + per_component), axis=1)

    def _log_joint(self, z: Any) -> Any:
        """Return log pi_k N(z; mu_k, Sigma_k), of shape (rows, components)."""
        means, log_vars = self.prior_means[None], self.prior_log_vars[None]
        squared = (z[:, None] - means) ** 2 * tf.exp(-log_vars)
        return self._log_weight - 0.5 * tf.reduce_sum(
            LOG_2_PI + log_vars + squared, axis=2
        )

    def losses(self, x: Any, heads: list[Any], seed: Any, low: bool) -> tuple[Any, Any]:
        """Return the squared error and the divergence per row, at one drawn z.

        Parameters
        ----------
        x : tensor
            Spectra, (n_rows, n_energies).
        heads : list of tensor
            Of the encoder.
        seed : tensor
            Two numbers, from which z is drawn.
        low : bool
            Whether products are in bfloat16.

        Returns
        -------
        squared, divergence : tensor
            Both (n_rows,).
        """
        epsilon = tf.random.stateless_normal(tf.shape(heads[0]), seed)
        z = heads[0] + tf.exp(0.5 * _clipped(heads[1])) * epsilon
        squared = tf.reduce_sum((self.decode_training(z, low) - x) ** 2, axis=1)
        return squared, self.divergence(heads, z, epsilon)

    def component_probabilities(self, heads: list[Any]) -> Any:
        """Return p(k|x): the encoder's output, or from the prior at its mean.

        Parameters
        ----------
        heads : list of tensor
            Of the encoder.

        Returns
        -------
        tensor
            0 to 1, (n_rows, n_components).
        """
        if self.parameters.kl == "categorical":
            return tf.nn.softmax(heads[2])
        return tf.nn.softmax(self._log_joint(heads[0]))


def train_steps(
    network: Network,
    spectra: NDArray[np.float32],
    rates: NDArray[np.float32],
    *,
    batch_size: int,
    low: bool,
    seed: int,
) -> Callable[[NDArray[np.int32], int], tuple[float, float]]:
    """Compile a loop of Adam steps over rows of `spectra`.

    Parameters
    ----------
    network : Network
        Changed in place.
    spectra : ndarray of shape (n_spectra, n_energies)
        Normalized spectra, those for training among them.
    rates : ndarray of shape (n_steps,)
        Learning rate of every step.
    batch_size : int
        Rows per step.
    low : bool
        Whether hidden products are done in bfloat16.
    seed : int
        Seed of dropout and of the draws of z.

    Returns
    -------
    callable
        ``run(rows, first)`` does the steps `first`, `first` + 1, ... on the batches
        `rows` of shape (n_steps, batch_size); returns the sums of their mean squared
        error per energy and of their mean divergence.
    """
    parameters = network.parameters
    data, schedule = tf.constant(spectra), tf.constant(rates)
    variables = network.variables
    moments = [tf.Variable(tf.zeros_like(v)) for v in variables]
    second = [tf.Variable(tf.zeros_like(v)) for v in variables]
    scale = 1.0 if parameters.reconstruction == "sum" else 1.0 / network.n_energies

    def step(rows: Any, number: Any) -> tuple[Any, Any]:
        x = tf.gather(data, rows)
        draw = tf.stack([tf.constant(seed, tf.int32), number * 64])
        with tf.GradientTape() as tape:
            heads = network.encode_training(x, draw + 1, low)
            squared, kl = network.losses(x, heads, draw, low)
            squared, kl = tf.reduce_mean(squared), tf.reduce_mean(kl)
            loss = scale * squared + parameters.beta * kl
        gradients = tape.gradient(loss, variables)
        _adam(variables, moments, second, gradients, number, schedule[number])
        return squared / network.n_energies, kl

    signature = [
        tf.TensorSpec([None, batch_size], tf.int32),
        tf.TensorSpec([], tf.int32),
    ]

    @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]
    def loop(rows: Any, first: Any) -> Any:
        def body(index: Any, squared: Any, kl: Any) -> tuple[Any, Any, Any]:
            more = step(rows[index], first + index)
            return index + 1, squared + more[0], kl + more[1]

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        n_steps = tf.shape(rows)[0]
        return tf.while_loop(
            lambda index, *_: index < n_steps, body, start, parallel_iterations=1
        )[1:]

    def run(rows: NDArray[np.int32], first: int) -> tuple[float, float]:
        squared, kl = loop(tf.constant(rows), tf.constant(first, tf.int32))
        return float(squared), float(kl)

    return run


def mapped(
    function: Callable[[Any], Any], n_columns: int
) -> Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Compile a function of rows; call it with at most `CHUNK_ROWS` rows.

    Parameters
    ----------
    function : callable
        Of a tensor of shape (n_rows, n_columns); returns tensors of as many rows.
    n_columns : int
        Of the rows.

    Returns
    -------
    callable
        From rows to a list of arrays.
    """
    signature = [tf.TensorSpec([None, n_columns], tf.float32)]
    traced = tf.function(function, input_signature=signature, autograph=False)
    compiled = traced.get_concrete_function()

    def run(rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        outputs = compiled(tf.constant(rows))
        return [value.numpy() for value in tf.nest.flatten(outputs)]

    return run


def _dense(units: int, rng: np.random.Generator, **options: Any) -> Any:
    seed = int(rng.integers(2**31))
    initializer = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(units, kernel_initializer=initializer, **options)


def _product(x: Any, layer: Any, *, low: bool, activation: Any = tf.identity) -> Any:
    """Return activation(x W + b), computed in bfloat16 if `low`."""
    dtype = tf.bfloat16 if low else tf.float32
    kernel = tf.cast(layer.kernel.value, dtype)
    product = tf.matmul(tf.cast(x, dtype), kernel)
    return activation(tf.nn.bias_add(product, tf.cast(layer.bias.value, dtype)))


def _clipped(log_var: Any) -> Any:
    return tf.clip_by_value(log_var, *LOG_VAR_RANGE)


def _adam(
    variables: list[Any],
    first: list[Any],
    second: list[Any],
    gradients: list[Any],
    number: Any,
    rate: Any,
) -> None:
    """Update all variables by Adam's rule, one fused operation each."""
    beta1, beta2, guard = (tf.constant(value, tf.float32) for value in ADAM)
    done = tf.cast(number + 1, tf.float32)
    for variable, m, v, gradient in zip(
        variables, first, second, gradients, strict=True
    ):
        if gradient is None:  # the prior's weights under beta = 0 or an unused head
            continue
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m.handle,
            v=v.handle,
            beta1_power=beta1**done,
            beta2_power=beta2**done,
            lr=rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=guard,
            grad=gradient,
        )
