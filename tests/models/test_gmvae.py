from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from tiny_model import ENERGY, TINY, tiny_spectra

from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.models.gmvae import GMVAE

pytestmark = pytest.mark.tensorflow


def weights_of(model) -> list[np.ndarray]:
    return [v.numpy() for v in model.network_.variables]


def test_a_trained_model_knows_what_it_was_trained_on(trained):
    assert (trained.n_energies_, trained.n_spectra_) == (9, 64)
    assert (trained.n_epochs_, trained.n_steps_) == (2, 6)
    assert trained.names_ == ("P1", "P2")
    np.testing.assert_array_equal(trained.energy_, ENERGY)
    assert trained.n_threads_ >= 1
    assert trained.precision_ == "float32"
    assert {"tensorflow", "keras", "numpy", "napari-phasemap"} <= set(trained.versions_)
    assert "64 spectra of 9 energies" in repr(trained)


def test_the_history_has_finite_losses_of_every_epoch(trained):
    assert set(trained.history_) == {
        "reconstruction",
        "kl",
        "validation_reconstruction",
        "validation_kl",
    }
    for values in trained.history_.values():
        assert len(values) == 2
        assert np.isfinite(values).all()
    assert np.isfinite(list(trained.test_loss_.values())).all()


def test_the_prior_has_the_shapes_of_the_mixture(trained):
    assert trained.component_means_.shape == (5, 3)
    assert trained.component_covariances_.shape == (5, 3, 3)
    np.testing.assert_allclose(trained.component_weights_, 0.2)
    assert trained.component_usage_.sum() == pytest.approx(1.0, abs=1e-5)


def test_outputs_have_one_row_per_spectrum(trained, spectra):
    latent = trained.encode(spectra)
    mean, log_var = trained.encode_distribution(spectra)
    assert latent.shape == log_var.shape == (64, 3)
    assert latent.dtype == np.float32
    np.testing.assert_array_equal(mean, latent)
    assert trained.decode(latent).shape == spectra.shape
    shares = trained.component_probabilities(spectra)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-5)
    assert trained.encode(spectra[:1]).shape == (1, 3)
    assert trained.encode(spectra[:0]).shape == (0, 3)


def test_encoding_is_that_of_the_layers_written_out(trained, spectra):
    x = (spectra - spectra.mean(1, keepdims=True)) / spectra.std(1, keepdims=True)
    layers = trained.network_.encoder.layers
    for dense in layers[1:3]:
        kernel, bias = dense.get_weights()
        x = np.maximum(x @ kernel + bias, 0)
    gamma, beta, mean, variance = layers[3].get_weights()
    x = gamma * (x - mean) / np.sqrt(variance + layers[3].epsilon) + beta
    kernel, bias = trained.network_.encoder.get_layer("z_mean").get_weights()
    np.testing.assert_allclose(trained.encode(spectra), x @ kernel + bias, atol=2e-5)


def test_reconstruct_gives_each_spectrum_its_own_mean_and_deviation_back(
    trained, spectra
):
    inner = trained.decode(trained.encode(spectra))
    expected = inner * spectra.std(1, keepdims=True) + spectra.mean(1, keepdims=True)
    np.testing.assert_allclose(trained.reconstruct(spectra), expected, atol=1e-5)


def test_a_scaled_and_shifted_spectrum_is_the_same_point(trained, spectra):
    np.testing.assert_allclose(
        trained.encode(3 * spectra + 2), trained.encode(spectra), atol=1e-3
    )


def test_rows_without_information_give_nan_and_leave_the_others_alone(trained, spectra):
    broken = spectra[:4].copy()
    broken[1, 2], broken[2] = np.nan, 0.7
    for values in (
        trained.encode(broken),
        trained.reconstruct(broken),
        trained.component_probabilities(broken),
    ):
        assert np.isnan(values[[1, 2]]).all()
        assert np.isfinite(values[[0, 3]]).all()
    np.testing.assert_allclose(
        trained.encode(broken)[0], trained.encode(spectra)[0], rtol=1e-5
    )


def test_chunks_do_not_show(trained):
    many = tiny_spectra(4100)
    whole = trained.encode(many)
    np.testing.assert_allclose(whole[4090:], trained.encode(many[4090:]), atol=1e-5)


def test_the_same_seed_repeats_and_another_does_not(trained, spectra):
    again = GMVAE(seed=3, **TINY).fit(spectra)
    other = GMVAE(seed=4, **TINY).fit(spectra)
    for a, b in zip(weights_of(trained), weights_of(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(trained.encode(spectra), other.encode(spectra))


def test_a_fresh_process_gives_bit_identical_weights():
    code = f"""
        import hashlib, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from tiny_model import TINY, tiny_spectra
        from napari_phasemap.models.gmvae import GMVAE
        options = {{**TINY, "precision": "auto", "dropout": 0.2}}
        model = GMVAE(seed=5, n_threads=2, **options).fit(tiny_spectra())
        data = b"".join(v.numpy().tobytes() for v in model.network_.variables)
        print(model.n_threads_, hashlib.sha256(data).hexdigest())
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    first, second = (process.communicate()[0].decode() for process in running)
    assert first == second
    assert first.split()[0] == "2"
    assert len(first.split()[1]) == len(hashlib.sha256().hexdigest())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"kl": "categorical"}, id="categorical"),
        pytest.param({"normalization": "none"}, id="raw"),
        pytest.param({"reconstruction": "mean"}, id="mean"),
        pytest.param({"regularization": "each", "dropout": 0.2}, id="each layer"),
        pytest.param({"precision": "bfloat16"}, id="bfloat16"),
        pytest.param({"beta": 0.0}, id="no divergence"),
        pytest.param({"n_latent": 2, "n_components": 1}, id="one component"),
    ],
)
def test_every_option_trains_to_finite_losses(spectra, changes):
    model = GMVAE(**{**TINY, **changes}).fit(spectra)
    assert np.isfinite([v[-1] for v in model.history_.values()]).all()
    assert np.isfinite(model.reconstruct(spectra)).all()
    n_components = model.parameters.n_components
    assert model.component_probabilities(spectra).shape == (64, n_components)


def test_training_separates_two_phases_whatever_their_thickness():
    many = tiny_spectra(600)
    options = {**TINY, "epochs": 30, "batch_size": 64, "hidden": (32, 16)}
    model = GMVAE(**options).fit(many)
    errors = model.history_["validation_reconstruction"]
    assert errors[-1] < 0.2 * errors[0]
    latent = model.encode(many)
    a, b = latent[::2], latent[1::2]
    apart = np.linalg.norm(a.mean(0) - b.mean(0))
    assert apart > 2 * max(a.std(0).max(), b.std(0).max())


def test_the_divergence_of_one_standard_component_is_the_known_formula(spectra):
    import tensorflow as tf

    options = {**TINY, "kl": "categorical", "n_components": 1}
    network = GMVAE(**options).fit(spectra).network_
    network.prior_means.assign(tf.zeros((1, 3)))
    network.prior_log_vars.assign(tf.zeros((1, 3)))
    mean, log_var = np.array([[1.0, 0.0, -2.0]]), np.array([[0.0, 0.5, -1.0]])
    heads = [tf.constant(a, tf.float32) for a in (mean, log_var, np.zeros((1, 1)))]
    known = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum()
    found = network.divergence(heads, None, None).numpy()
    np.testing.assert_allclose(found, [known], rtol=1e-5)


def test_the_sampled_divergence_is_unbiased(spectra):
    import tensorflow as tf

    network = GMVAE(**{**TINY, "n_components": 1}).fit(spectra).network_
    network.prior_means.assign(tf.zeros((1, 3)))
    network.prior_log_vars.assign(tf.zeros((1, 3)))
    rows = 40_000
    mean = tf.constant(np.tile([1.0, 0.0, -0.5], (rows, 1)), tf.float32)
    log_var = tf.constant(np.tile([0.0, 0.5, -1.0], (rows, 1)), tf.float32)
    epsilon = tf.random.stateless_normal((rows, 3), [1, 2])
    z = mean + tf.exp(0.5 * log_var) * epsilon
    found = network.divergence([mean, log_var], z, epsilon).numpy().mean()
    m, v = np.array([1.0, 0.0, -0.5]), np.array([0.0, 0.5, -1.0])
    assert found == pytest.approx(0.5 * (np.exp(v) + m**2 - 1 - v).sum(), abs=0.03)


def test_a_cancelled_training_leaves_the_model_as_it_was(spectra):
    model = GMVAE(**TINY).fit(spectra)
    before, history = model.encode(spectra), model.history_

    def stop(step: int, total: int, text: str) -> None:
        if step:
            raise Cancelled

    with pytest.raises(Cancelled):
        model.fit(tiny_spectra(640, seed=9), on_progress=stop)
    np.testing.assert_array_equal(model.encode(spectra), before)
    assert model.history_ is history
    fresh = GMVAE(**TINY)
    with pytest.raises(Cancelled):
        fresh.fit(tiny_spectra(640), on_progress=stop)
    assert not fresh.is_fitted


def test_progress_is_told_at_least_every_16_steps_and_epochs_as_they_end(spectra):
    steps, epochs = [], []
    model = GMVAE(**{**TINY, "batch_size": 2})
    model.fit(
        spectra,
        on_progress=lambda step, total, text: steps.append((step, total)),
        on_epoch=epochs.append,
    )
    numbers = [step for step, total in steps if total]
    assert numbers[-1] == model.n_steps_ == steps[-1][1]
    assert max(np.diff(numbers)) <= 16
    assert [e["reconstruction"] for e in epochs] == model.history_["reconstruction"]


def test_a_second_fit_starts_from_nothing(spectra, trained):
    model = GMVAE(seed=3, **TINY).fit(tiny_spectra(32, seed=8)).fit(spectra)
    np.testing.assert_array_equal(model.encode(spectra), trained.encode(spectra))


def broken(spectra, where, value):
    out = spectra.copy()
    out[where] = value
    return out


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda x: broken(x, (7, 3), np.nan), "1 of 64 spectra hold NaN.*pixel 7"),
        (lambda x: broken(x, (5,), 1.0), "1 of 64 spectra are constant.*pixel 5"),
        (lambda x: x[:5], "5 spectra leave 3 for training, but 5 components"),
        (lambda x: x[:, :1], "2 energies or more"),
        (lambda x: x[0], "rows of a 2-D array"),
        (lambda x: x[:0], "0 spectra leave 0"),
    ],
)
def test_unusable_spectra_are_refused_with_what_to_do(spectra, make, text):
    with pytest.raises(ValueError, match=text):
        GMVAE(**TINY).fit(make(spectra))


def test_constant_spectra_are_fine_without_standardization(spectra):
    model = GMVAE(**TINY, normalization="none").fit(broken(spectra, (5,), 1.0))
    assert np.isfinite(model.encode(broken(spectra, (5,), 1.0))).all()


def test_energies_that_do_not_fit_the_spectra_are_refused(spectra):
    with pytest.raises(ValueError, match=r"\(8,\) of the energies"):
        GMVAE(**TINY).fit(spectra, energy=ENERGY[:8])
    with pytest.raises(ValueError, match="finite and increase"):
        GMVAE(**TINY).fit(spectra, energy=ENERGY[::-1])


def test_other_energies_are_refused_with_both_ranges(trained, spectra):
    with pytest.raises(ValueError, match="510 to 530 eV, the data have 9 energies"):
        trained.encode(spectra, energy=ENERGY + 1.0)
    with pytest.raises(ValueError, match="8 energies in the data"):
        trained.encode(spectra[:, :8])
    trained.encode(spectra, energy=ENERGY + 0.005)


def test_a_training_that_diverges_says_so(spectra):
    with pytest.raises(ValueError, match=r"diverged in epoch 1.*lower learning_rate"):
        GMVAE(**{**TINY, "normalization": "none"}).fit(spectra * np.float32(1e30))


def test_an_untrained_model_says_what_to_do(spectra, tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError, match="call fit or load"):
        GMVAE().encode(spectra)
    with pytest.raises(NotFittedError):
        GMVAE().save(tmp_path / "model")
    assert "not trained" in repr(GMVAE())


def test_another_number_of_threads_later_is_refused_with_a_warning(
    trained, spectra, caplog
):
    with caplog.at_level(logging.WARNING):
        model = GMVAE(**TINY, n_threads=trained.n_threads_ + 1).fit(spectra)
    assert model.n_threads_ == trained.n_threads_
    assert "already computes with" in caplog.text
