"""How much CPU time the training takes, against plain Keras ``fit``.

One run, CPU time of this process, the import of TensorFlow left out, compilation
included. "Plain" is a `keras.Model` with `compile` and `fit`: the same network, loss
and optimizer. All recipes see the same 15 000 simulated spectra as they are (no
normalization), and are judged by the mean squared error of the decoded latent means
on the same 2000 other spectra.

    python benchmarks/training.py            # about 10 CPU-minutes
    python benchmarks/training.py --epochs 4 # a quick look; ratios mean nothing
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.simulate import synthetic
from napari_phasemap.models.gmvae import GMVAE
from napari_phasemap.models.hardware import (
    available_threads,
    multiplies_bfloat16,
    start_tensorflow,
)
from napari_phasemap.models.presets import PRESETS, Parameters
from napari_phasemap.models.training import learning_rates

N_SPECTRA, N_HELD_OUT = 15_000, 2_000


def plain_model(p: Parameters, n_energies: int):
    """Return what one would write with Keras' own layers and `fit`."""
    import keras
    import tensorflow as tf

    layers = keras.layers

    class Plain(keras.Model):
        def __init__(self):
            super().__init__()
            x = inputs = keras.Input((n_energies,))
            for units in p.hidden:
                x = layers.Dense(units, activation="relu")(x)
            x = layers.BatchNormalization(momentum=p.batch_norm_momentum)(x)
            x = layers.Dropout(p.dropout)(x)
            heads = [layers.Dense(p.n_latent)(x), layers.Dense(p.n_latent)(x)]
            self.encoder = keras.Model(inputs, heads)
            x = inputs = keras.Input((p.n_latent,))
            for units in reversed(p.hidden):
                x = layers.Dense(units, activation="relu")(x)
            self.decoder = keras.Model(inputs, layers.Dense(n_energies)(x))
            shape = (p.n_components, p.n_latent)
            self.means = self.add_weight(shape=shape, initializer="random_normal")
            self.log_vars = self.add_weight(shape=shape, initializer="zeros")

        def call(self, x, training=False):
            mean, log_var = self.encoder(x, training=training)
            if not training:
                return self.decoder(mean)
            epsilon = tf.random.normal(tf.shape(mean))
            z = mean + tf.exp(0.5 * log_var) * epsilon
            log_2_pi = float(np.log(2 * np.pi))
            log_q = -0.5 * tf.reduce_sum(log_2_pi + log_var + epsilon**2, axis=1)
            squared = (z[:, None] - self.means) ** 2 * tf.exp(-self.log_vars)
            log_n = -0.5 * tf.reduce_sum(log_2_pi + self.log_vars + squared, axis=2)
            log_p = tf.reduce_logsumexp(log_n, axis=1) - np.log(p.n_components)
            self.add_loss(p.beta * tf.reduce_mean(log_q - log_p))
            return self.decoder(z)

    def summed(y_true, y_pred):
        return tf.reduce_sum((y_pred - y_true) ** 2, axis=-1)

    model = Plain()
    return model, summed


def time_plain(p: Parameters, spectra, held_out) -> tuple[float, list[float]]:
    """Train with plain `fit`; return CPU seconds and the held-out error per epoch."""
    import keras

    keras.utils.set_random_seed(0)
    start = time.process_time()
    model, summed = plain_model(p, spectra.shape[1])
    n_steps = len(spectra) // p.batch_size * p.epochs

    class Rates(keras.callbacks.Callback):
        rates = learning_rates(p, n_steps)
        number = 0

        def on_train_batch_begin(self, batch, logs=None):
            self.model.optimizer.learning_rate.assign(
                self.rates[min(self.number, n_steps - 1)]
            )
            self.number += 1

    model.compile(optimizer=keras.optimizers.Adam(p.learning_rate), loss=summed)
    history = model.fit(
        spectra,
        spectra,
        batch_size=p.batch_size,
        epochs=p.epochs,
        validation_data=(held_out, held_out),
        callbacks=[Rates()] if p.schedule == "cosine" else [],
        verbose=0,
    )
    errors = np.array(history.history["val_loss"]) / spectra.shape[1]
    return time.process_time() - start, errors.tolist()


def time_ours(spectra, held_out, **overrides) -> tuple[float, float, GMVAE]:
    """Train a `GMVAE`; return CPU seconds and the final held-out error."""
    start = time.process_time()
    model = GMVAE(normalization="none", **overrides).fit(spectra)
    spent = time.process_time() - start
    return spent, float(((model.reconstruct(held_out) - held_out) ** 2).mean()), model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=PRESETS["paper"].epochs)
    epochs = parser.parse_args().epochs
    particles = synthetic.particles(10, seed=0)
    spectra = StackSet([one.optical_density for one in particles]).spectra()
    order = np.random.default_rng(0).permutation(len(spectra))
    held_out, rest = spectra[order[:N_HELD_OUT]], spectra[order[N_HELD_OUT:]]
    some, many = rest[:N_SPECTRA], rest[: 4 * N_SPECTRA]
    start_tensorflow()
    time_ours(some[:600], held_out, epochs=1, min_steps=0)  # warm up TensorFlow itself

    rows = []
    schedule = PRESETS["recommended"]
    for precision in ("auto", "float32"):
        spent, error, model = time_ours(some, held_out, precision=precision)
        rows.append((f"GMVAE, {model.precision_}", model.n_epochs_, spent, error))
    spent, error, model = time_ours(many, held_out)
    rows.append((f"GMVAE, {len(many)} spectra", model.n_epochs_, spent, error))
    spent, errors = time_plain(schedule, some, held_out)
    rows.append(("plain fit, same schedule", schedule.epochs, spent, errors[-1]))
    paper = Parameters(epochs=epochs)
    spent, errors = time_plain(paper, some, held_out)
    rows.append(("plain fit, the paper's", epochs, spent, errors[-1]))
    baseline, best = spent, min(errors)

    print(f"{available_threads()} threads of {os.cpu_count()} processors, ", end="")
    print(f"bfloat16 products: {'yes' if multiplies_bfloat16() else 'no'}")
    print(f"{N_SPECTRA} spectra of {spectra.shape[1]} energies unless stated\n")
    print("| recipe | epochs | CPU-s | plain fit / this | held-out error | / best |")
    print("|---|---|---|---|---|---|")
    for name, n_epochs, spent, error in rows:
        print(
            f"| {name} | {n_epochs} | {spent:.1f} | {baseline / spent:.1f} | "
            f"{error:.3g} | {error / best:.3f} |"
        )
    ours, same = rows[0][2], rows[3][2]
    print(f"\nSame schedule, plain fit / {rows[0][0]}: {same / ours:.1f}")
    last = float(np.median(errors[-50:]))
    print(f"\nBest epoch of the paper's settings: {best:.3g} (epoch ", end="")
    print(f"{int(np.argmin(errors)) + 1}); median of its last 50: {last:.3g}")


if __name__ == "__main__":
    main()
