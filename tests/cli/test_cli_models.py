"""Commands around the latent space, as far as they need no TensorFlow."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from napari_phasemap.cli import main
from napari_phasemap.core.data.parameters import fields_of
from napari_phasemap.io.read import read_stack
from napari_phasemap.io.samples import sample_folder, sample_paths, sample_references
from napari_phasemap.models.presets import Parameters
from napari_phasemap.pipeline import TrainParameters

REFERENCES = str(sample_references()[0])
P1, P2 = map(str, sample_paths()[:2])
TRUTH = sample_folder() / "truth.npz"


def call(*words: object):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_every_number_of_a_model_is_an_option_of_train():
    options = {option for one in main.commands["train"].params for option in one.opts}
    described = (*fields_of(Parameters), *fields_of(TrainParameters))
    names = [one.name for one in described]
    assert {f"--{name.replace('_', '-')}" for name in names} <= options


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["train", "-o", "m"], "no stack"),
        (["train", P1, "-o", "m", "--hidden", "8,x"], "--hidden"),
        (["train", P1, "-o", "m", "--preset", "best"], "recommended"),
        (["train", P1, "-o", "m", "--dropout", "2"], "dropout"),
        (["compare", P1], "--references"),
        (["compare", P1, "-r", REFERENCES, "--model", "none"], "no model at none"),
        (["compare", P1, "-r", REFERENCES, "--threshold", "-1"], "threshold"),
        (["run", P1, "-r", REFERENCES, "-o", "x", "--seed", "3"], "without train"),
        (["run", P1, "-r", REFERENCES, "-o", "x", "--scope", "all"], "a model or"),
        (["run", P1, "-r", REFERENCES, "-o", "x", "--model", "x/m"], "be replaced"),
        (["run", P1, "-r", REFERENCES, "-o", "x", "--model", "m", "--train"], "either"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_one_sentence_before_any_work(
    words, hint, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = call(*words)
    assert result.exit_code == 2
    assert hint in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_compare_prints_a_table_with_the_truth_and_writes_it(tmp_path):
    out = tmp_path / "out"
    result = call("compare", P1, P2, "-r", REFERENCES, "--truth", TRUTH, "-o", out)
    assert result.exit_code == 0, result.output
    assert "PCA-3, mahalanobis" in result.stdout
    with (out / "methods.csv").open(newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert float(rows["Pearson"]["right, all"]) > 0.85
    with (out / "agreement.csv").open(newline="") as file:
        table = list(csv.reader(file))
    numbers = np.array([row[1:] for row in table[1:]], dtype=float)
    np.testing.assert_allclose(numbers, numbers.T)
    np.testing.assert_allclose(np.diag(numbers), 1.0)
    again = call("compare", P1, "-r", REFERENCES, "-o", out)
    assert again.exit_code == 2
    assert "earlier run" in again.stderr


def test_compare_goes_on_without_a_particle_that_fails():
    result = call("compare", P1, "nowhere.hdr", "-r", REFERENCES, "-q")
    assert result.exit_code == 1
    assert "Failed: nowhere" in result.stderr
    assert "Pearson" in result.stdout


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda shape: np.zeros((3, 3), int), r"\(3, 3\) known phases"),
        (lambda shape: np.full(shape, 9), "from 0 .unknown. to 5; got 9 to 9"),
        (lambda shape: np.full(shape, 0.5), "whole numbers"),
        (lambda shape: np.full(shape, np.nan), "whole numbers"),
    ],
    ids=["shape", "too large", "fractions", "nan"],
)
def test_a_truth_that_does_not_fit_is_refused_by_name(make, message, tmp_path):
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.pipeline.comparing import read_truth

    stack = read_stack(P1)
    path = tmp_path / "known.npy"
    np.save(path, make(stack.shape))
    with pytest.raises(ValueError, match=rf"known\.npy.*{message}"):
        read_truth(path, StackSet([stack]), 5)


def test_a_truth_that_is_no_array_is_refused_and_never_executed(tmp_path):
    for name, content in (("a.npz", b"junk"), ("a.npy", b""), ("a.csv", b"1,2")):
        path = tmp_path / name
        path.write_bytes(content)
        result = call("compare", P1, "-r", REFERENCES, "--truth", path, "-q")
        assert result.exit_code == 2
        assert name in result.stderr
    np.save(tmp_path / "p.npy", np.array([print], dtype=object), allow_pickle=True)
    result = call("compare", P1, "-r", REFERENCES, "--truth", tmp_path / "p.npy", "-q")
    assert result.exit_code == 2
    assert "p.npy" in result.stderr


def test_a_run_without_a_model_never_imports_tensorflow(tmp_path):
    code = (
        "import contextlib, sys; from napari_phasemap.cli import main\n"
        "with contextlib.suppress(SystemExit): main(sys.argv[1:])\n"
        "found = {'tensorflow', 'keras'} & set(sys.modules)\n"
        "assert not found, found"
    )
    for words in (
        ["run", P1, "-r", REFERENCES, "-o", str(tmp_path / "out"), "-q"],
        ["compare", P1, "-r", REFERENCES, "-q"],
    ):
        subprocess.run([sys.executable, "-c", code, *words], check=True)
    assert (tmp_path / "out" / "results.h5").is_file()
