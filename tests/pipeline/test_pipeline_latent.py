"""Training, applying and comparing from files, with tiny networks."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from napari_phasemap import pipeline
from napari_phasemap.cli import main
from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.phases.changes import change_table
from napari_phasemap.io.read import read_stack
from napari_phasemap.io.results import read_results
from napari_phasemap.io.samples import sample_paths, sample_references
from napari_phasemap.io.stackfile import write_stack
from napari_phasemap.models.gmvae import GMVAE
from napari_phasemap.pipeline.learning import MODEL_FILES
from napari_phasemap.pipeline.recipe import Recipe

pytestmark = pytest.mark.tensorflow

REFERENCES = sample_references()
P1, P2 = sample_paths()[:2]
TINY = {"hidden": (8, 4), "epochs": 1, "precision": "float32"}


def call(*words: object):
    return CliRunner().invoke(main, [str(word) for word in words])


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("napari_phasemap.pipeline.bundle._sheets", lambda *_: {})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "model"
    pipeline.train([P1, P2], folder, parameters=TINY)
    return folder


@pytest.fixture(scope="module")
def applied(model, tmp_path_factory):
    """A run with a model and all its figures: made before `_quick` takes them away."""
    out = tmp_path_factory.mktemp("applied") / "out"
    return pipeline.run([P1], REFERENCES, out, model=str(model), method="knn")


def test_training_saves_a_model_with_names_energies_losses_and_origin(model):
    assert {path.name for path in model.iterdir()} == MODEL_FILES
    again = GMVAE.load(model)
    assert again.names_ == ("P1", "P2")
    np.testing.assert_allclose(again.energy_, read_stack(P1).energy)
    assert again.n_epochs_ == 1
    about = json.loads((model / "training.json").read_text())
    assert about["stacks"]["P1"]["pixels"] > 1000
    assert "P1_a000.xim" in {one["name"] for one in about["provenance"]["inputs"]}


def test_the_train_command_prints_the_losses_and_replaces_only_models(tmp_path):
    out = tmp_path / "model"
    words = ("train", P1, "-r", *REFERENCES, "-o", out, "--hidden", "8,4")
    words = (*words, "--epochs", 1, "--precision", "float32")
    result = call(*words)
    assert result.exit_code == 0, result.output
    assert "validation reconstruction" in result.stdout
    assert "Use of the components" in result.stdout
    assert call(*words).exit_code == 2
    assert call(*words, "--overwrite", "-q").exit_code == 0
    (out / "thesis.txt").write_text("years of work")
    result = call(*words, "--overwrite")
    assert result.exit_code == 2
    assert "thesis.txt" in result.stderr


def test_a_cancelled_training_leaves_nothing(tmp_path):
    def cancel(step: int, total: int, text: str) -> None:
        if text.startswith("epoch"):
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline.train([P1], tmp_path / "m", parameters=TINY, on_progress=cancel)
    assert not list(tmp_path.iterdir())


def test_an_applied_model_resolves_only_ambiguous_pixels(applied, model):
    before, after = applied.results.maps.values()
    ambiguous = before.ambiguous(0.005)
    np.testing.assert_array_equal(before.labels[~ambiguous], after.labels[~ambiguous])
    assert after.method == "knn"
    latent = GMVAE.load(model).encode(applied.results.stacks.spectra())
    np.testing.assert_array_equal(applied.results.latent, latent)


def test_everything_that_was_resolved_is_in_the_folder(applied):
    again = read_results(applied.output / "results.h5")
    assert list(again.maps) == ["phase_map", "resolved"]
    assert again.latent_name == "GMVAE"
    (selection,) = again.selections
    np.testing.assert_array_equal(selection.pixels, applied.resolved.disagreement)
    before, after = again.maps.values()
    rows = table(applied.output / "summary.csv")
    for number, row in enumerate(rows, 1):
        assert int(row["pixels"]) == np.count_nonzero(before.labels == number)
        assert int(row["resolved_pixels"]) == np.count_nonzero(after.labels == number)
    total = sum(int(row["disagreeing_pixels"] or 0) for row in rows)
    assert total == np.count_nonzero(selection.pixels)
    pixels = change_table(before, after).pixels
    changes = table(applied.output / "changes.csv")
    assert int(changes[0]["to Na2.4VPF"]) == pixels[1, 2]
    about = json.loads((applied.output / "recipe.json").read_text())
    assert about["resolved"]["n_changed"] == applied.resolved.n_changed
    assert not (applied.output / "model").exists()


def test_every_sheet_of_a_resolved_run_is_drawn_and_different(applied):
    drawn = {path.stem: path.read_bytes() for path in applied.output.glob("*.png")}
    plain = {"phase_map", "ambiguity", "reliability", "phase_and_reliability"}
    plain |= {"fractions", "spectra", "correlation", "references"}
    latent = {"latent", "latent_meaning", "loss"}
    assert set(drawn) == plain | {"resolved", "resolved_fractions"} | latent
    assert all(image[:4] == b"\x89PNG" for image in drawn.values())
    assert len(set(drawn.values())) == len(drawn)


def test_a_recipe_with_a_model_gives_the_same_map_again(applied, tmp_path):
    recipe = Recipe.load(applied.output / "recipe.json")
    again = pipeline.run_recipe(recipe, tmp_path / "again")
    np.testing.assert_array_equal(
        again.results.maps["resolved"].margin, applied.results.maps["resolved"].margin
    )


def test_run_can_train_first_and_its_recipe_trains_the_same_again(tmp_path):
    out = tmp_path / "out"
    words = ("run", P1, "-r", *REFERENCES, "-o", out, "--train", "--epochs", 1)
    result = call(*words, "--n-latent", 2, "--scope", "all")
    assert result.exit_code == 0, result.output
    assert "were ambiguous" in result.stdout
    trained = GMVAE.load(out / "model")
    assert (trained.n_epochs_, trained.parameters.n_latent) == (1, 2)
    recipe = Recipe.load(out / "recipe.json")
    again = pipeline.run_recipe(recipe, tmp_path / "again")
    first = read_results(out / "results.h5")
    np.testing.assert_array_equal(first.latent, again.results.latent)
    replaced = call(*words, "--overwrite", "-q")
    assert replaced.exit_code == 0, replaced.output


def test_particles_on_other_energies_than_the_model_fail_with_both_ranges(
    model, tmp_path
):
    odd = read_stack(P2)
    odd = SpectralStack(odd.data[:-1], odd.energy[:-1], name="odd")
    write_stack(odd, tmp_path / "odd.h5")
    words = ("-r", *REFERENCES, "--model", model, "-o")
    some = call("run", tmp_path / "odd.h5", P1, *words, tmp_path / "out")
    assert some.exit_code == 1
    assert "13 energies from 505 to 537 eV" in some.stderr
    assert "12 energies from 505 to 532.4 eV" in some.stderr
    none = call("run", tmp_path / "odd.h5", *words, tmp_path / "no")
    assert none.exit_code == 2
    assert "12 energies from 505 to 532.4 eV" in none.stderr
    assert not (tmp_path / "no").exists()


def test_what_is_no_model_is_one_sentence(tmp_path):
    (tmp_path / "m").mkdir()
    words = ("run", P1, "-r", *REFERENCES, "-o", tmp_path / "o", "--model")
    result = call(*words, tmp_path / "m")
    assert result.exit_code == 2
    assert "is not a model" in result.stderr


def test_a_threshold_that_leaves_no_sure_pixel_is_refused_before_training(tmp_path):
    with pytest.raises(ValueError, match="every pixel is ambiguous at threshold=2"):
        pipeline.run([P1], REFERENCES, tmp_path / "o", train=True, threshold=2.0)
    assert not list(tmp_path.iterdir())


def test_compare_takes_the_latent_space_of_a_model(model):
    result = call("compare", P1, "-r", *REFERENCES, "--model", model, "-q")
    assert result.exit_code == 0, result.output
    assert "GMVAE, mahalanobis" in result.stdout
    assert "GMVAE, euclidean" in result.stdout
