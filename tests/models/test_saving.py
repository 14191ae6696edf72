from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest
from tiny_model import ENERGY, TINY

from napari_phasemap.models import saving
from napari_phasemap.models.gmvae import GMVAE

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="session")
def saved(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "model"
    trained.save(folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def change(folder, **values):
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_loaded_model_does_exactly_what_the_saved_one_did(trained, saved, spectra):
    loaded = GMVAE.load(saved)
    np.testing.assert_array_equal(loaded.encode(spectra), trained.encode(spectra))
    np.testing.assert_array_equal(
        loaded.reconstruct(spectra), trained.reconstruct(spectra)
    )
    np.testing.assert_array_equal(
        loaded.component_probabilities(spectra),
        trained.component_probabilities(spectra),
    )
    for name in saving._PLAIN:
        assert getattr(loaded, name) == getattr(trained, name), name
    assert loaded.names_ == ("P1", "P2")
    assert loaded.parameters == trained.parameters
    np.testing.assert_array_equal(loaded.energy_, ENERGY)
    np.testing.assert_array_equal(loaded.component_usage_, trained.component_usage_)
    with pytest.raises(ValueError, match="510 to 530 eV"):
        loaded.encode(spectra, energy=ENERGY - 3)


def test_a_categorical_model_without_energies_comes_back(spectra, tmp_path):
    model = GMVAE(**TINY, kl="categorical").fit(spectra)
    model.save(tmp_path / "m")
    loaded = GMVAE.load(tmp_path / "m")
    assert loaded.energy_ is None
    np.testing.assert_array_equal(
        loaded.component_probabilities(spectra), model.component_probabilities(spectra)
    )


def test_keras_itself_can_open_the_encoder(trained, saved, spectra):
    import keras

    encoder = keras.saving.load_model(saved / "encoder.keras", safe_mode=True)
    x = (spectra - spectra.mean(1, keepdims=True)) / spectra.std(1, keepdims=True)
    found = encoder.predict(x, verbose=0)[0]
    np.testing.assert_allclose(found, trained.encode(spectra), atol=1e-4)


def test_a_folder_is_only_overwritten_when_asked_and_only_if_it_is_a_model(
    trained, copy, tmp_path
):
    with pytest.raises(FileExistsError, match="overwrite"):
        trained.save(copy)
    trained.save(copy, overwrite=True)
    GMVAE.load(copy)
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "photo.jpg").write_bytes(b"x")
    with pytest.raises(FileExistsError, match="is not a model"):
        trained.save(other, overwrite=True)
    assert (other / "photo.jpg").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["holiday", "model"]


def test_a_full_disk_leaves_the_old_model_and_nothing_half_written(
    trained, copy, tmp_path, spectra, monkeypatch
):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving.np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        trained.save(copy, overwrite=True)
    with pytest.raises(OSError, match="No space left"):
        trained.save(tmp_path / "new")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    np.testing.assert_array_equal(
        GMVAE.load(copy).encode(spectra), trained.encode(spectra)
    )


def test_what_is_not_a_model_is_refused_with_a_sentence(tmp_path, copy):
    with pytest.raises(FileNotFoundError, match="there is no model at"):
        GMVAE.load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"is not a model: it has no model\.json"):
        GMVAE.load(tmp_path)
    change(copy, format="something else")
    with pytest.raises(ValueError, match="not a model of this program"):
        GMVAE.load(copy)


def test_a_newer_format_is_refused_with_both_numbers(copy):
    change(copy, format_version=2)
    with pytest.raises(ValueError, match=r"newer version \(format 2.*up to 1\)"):
        GMVAE.load(copy)


@pytest.mark.parametrize("name", saving.FILES)
def test_a_cut_or_missing_file_is_called_damage(copy, name):
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[:-7])
    with pytest.raises(ValueError, match=f"damaged: {name} was changed or cut"):
        GMVAE.load(copy)
    (copy / name).unlink()
    with pytest.raises(ValueError, match=f"damaged: {name} is missing"):
        GMVAE.load(copy)


def test_a_description_that_makes_no_sense_is_called_damage(copy):
    text = json.loads((copy / "model.json").read_text())
    change(copy, parameters={**text["parameters"], "hidden": [8]})
    with pytest.raises(ValueError, match="is damaged"):
        GMVAE.load(copy)
    change(copy, parameters={"surprise": 1})
    with pytest.raises(ValueError, match=r"damaged.*surprise"):
        GMVAE.load(copy)
    (copy / "model.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        GMVAE.load(copy)


def test_code_in_a_model_file_is_never_executed(copy, tmp_path, spectra, trained):
    import keras

    trap = tmp_path / "trap"
    evil = keras.Sequential(
        [
            keras.Input((9,)),
            keras.layers.Lambda(
                lambda x, path=str(trap): __import__("pathlib").Path(path).touch() or x
            ),
        ]
    )
    evil.save(tmp_path / "evil.keras")
    trap.unlink(missing_ok=True)
    with zipfile.ZipFile(tmp_path / "evil.keras") as archive:
        config = archive.read("config.json")
    parts = {}
    with zipfile.ZipFile(copy / "encoder.keras") as archive:
        for name in archive.namelist():
            parts[name] = archive.read(name)
    with zipfile.ZipFile(copy / "encoder.keras", "w") as archive:
        for name, data in {**parts, "config.json": config}.items():
            archive.writestr(name, data)
    text = json.loads((copy / "model.json").read_text())
    checksum = saving._checksum(copy / "encoder.keras")
    change(copy, sha256={**text["sha256"], "encoder.keras": checksum})
    loaded = GMVAE.load(copy)
    np.testing.assert_array_equal(loaded.encode(spectra), trained.encode(spectra))
    assert not trap.exists()
