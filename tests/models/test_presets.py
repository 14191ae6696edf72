from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.models.applying import standardized
from napari_phasemap.models.gmvae import GMVAE
from napari_phasemap.models.presets import PRESETS, Parameters, parameters_of
from napari_phasemap.models.training import learning_rates, split_sizes


def test_the_paper_preset_has_the_numbers_of_the_paper():
    p = PRESETS["paper"]
    assert p.hidden == (512, 256, 128, 64)
    assert (p.n_latent, p.n_components, p.dropout) == (3, 5, 0.1)
    assert (p.learning_rate, p.batch_size, p.beta, p.epochs) == (1e-3, 128, 1e-5, 400)
    assert (p.validation_fraction, p.test_fraction) == (0.025, 0.025)
    assert (p.schedule, p.normalization, p.reconstruction) == (
        "constant",
        "none",
        "sum",
    )


def test_a_preset_is_a_table_of_documented_values():
    documented = Parameters.__doc__
    for name in Parameters.__dataclass_fields__:
        assert f"\n    {name} : " in documented, name


def test_overrides_change_single_values_of_a_preset():
    assert parameters_of("paper", epochs=3).epochs == 3
    assert GMVAE("paper", epochs=3).parameters.batch_size == 128


@pytest.mark.parametrize(
    ("preset", "overrides", "error", "text"),
    [
        ("fast", {}, ValueError, "'fast' is not one of"),
        ("paper", {"epoch": 3}, InputError, "no parameter epoch"),
        ("paper", {"kl": "soft"}, ValueError, "kl='soft' is not one of"),
        ("paper", {"epochs": 0}, ValueError, "epochs=0 is not at least 1"),
        ("paper", {"dropout": 1.0}, ValueError, "dropout=1.0 is outside"),
        ("paper", {"hidden": ()}, ValueError, "positive widths"),
        ("paper", {"test_fraction": 0.95}, ValueError, "leave 10 %"),
        ("paper", {"learning_rate": -1.0}, ValueError, "learning_rate > 0"),
        ("paper", {"min_steps": 9, "max_steps": 5}, ValueError, "max_steps=5"),
    ],
)
def test_a_wrong_value_is_refused_by_name(preset, overrides, error, text):
    with pytest.raises(error, match=text):
        GMVAE(preset, **overrides)


def test_few_spectra_get_more_epochs_and_many_fewer():
    p = parameters_of("paper", batch_size=10, epochs=40, min_steps=100, max_steps=200)
    assert p.n_epochs(20) == 50
    assert p.n_epochs(40) == 40
    assert p.n_epochs(100) == 20
    assert p.n_epochs(10_000) == 1


def test_the_split_keeps_a_test_part_and_loses_nothing():
    assert split_sizes(1000, PRESETS["paper"]) == (950, 25, 25)
    assert split_sizes(10, PRESETS["paper"]) == (8, 1, 1)
    none = parameters_of("paper", validation_fraction=0.0, test_fraction=0.0)
    assert split_sizes(10, none) == (10, 0, 0)


def test_the_cosine_schedule_rises_to_its_peak_and_ends_near_zero():
    p = parameters_of("paper", schedule="cosine", warmup=0.1, learning_rate=2.0)
    rates = learning_rates(p, 100)
    np.testing.assert_allclose(rates[[0, 9, 10, 55]], [0.2, 2.0, 2.0, 1.0], rtol=1e-6)
    assert rates[-1] < 0.01
    constant = learning_rates(parameters_of("paper"), 5)
    np.testing.assert_allclose(constant, 1e-3)


def test_standardized_spectra_have_mean_zero_and_deviation_one():
    x = np.array([[1, 2, 3], [10, 10, 10], [1e-3, 2e-3, 3e-3]], dtype=np.float32)
    z, mean, deviation = standardized(x)
    np.testing.assert_allclose(z[0], [-(1.5**0.5), 0, 1.5**0.5], rtol=1e-6)
    np.testing.assert_allclose(z[2], z[0], rtol=1e-5)
    np.testing.assert_allclose(mean, [2, 10, 2e-3])
    assert np.isnan(deviation[1])
    assert np.isnan(z[1]).all()
    np.testing.assert_array_equal(x[0], [1, 2, 3])
