"""The parameters of a run: one object for command line, recipe and steps."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from napari_phasemap import pipeline
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.parameters import fields_of
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.latent.methods import ASSIGNMENTS, Assignment
from napari_phasemap.io.read import read_stack
from napari_phasemap.io.samples import sample_paths, sample_references
from napari_phasemap.pipeline import Preparation, RunParameters, TrainParameters
from napari_phasemap.pipeline.parameters import Reading


@pytest.mark.parametrize("described", [RunParameters, TrainParameters])
def test_every_parameter_is_described(described):
    assert [one.name for one in fields_of(described) if not one.text] == []


def test_the_reader_takes_what_reading_declares():
    taken = inspect.signature(read_stack).parameters
    assert set(Reading().for_reader()) <= set(taken)
    for one in fields_of(Reading):
        assert taken[one.name].default == one.default


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": 3}, "seed=3 means nothing without train"),
        ({"model": "m", "n_latent": 2}, "n_latent=2 means nothing without train"),
        ({"scope": "all"}, "scope='all' means nothing without a model or train"),
        ({"method": "knn"}, "method='knn' means nothing without a model or train"),
        ({"model": "m", "train": True}, "either a model to apply or train=True"),
        (
            {"train": True, "method": "nearest"},
            r"'nearest' is not one of \('posterior', 'mahal",
        ),
        ({"method": "posterior", "train": True}, "needs no latent space; leave out"),
        ({"method": "posterior", "scope": "all"}, "scope='all' means nothing without"),
        ({"neighbors": False}, "nothing without method 'posterior'"),
        ({"recalibrate": "I0"}, "'I0' means nothing without check_references"),
        ({"method": "posterior", "level": 1.5}, "level is a probability, 0 to 1"),
        ({"train": True, "preset": "best"}, "'best' is not one of"),
        ({"threshold": float("nan")}, "the threshold is a gap of r, 0 to 2; got nan"),
        ({"min_counts": "many"}, "min_counts='many' is not of type float"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_is_wrong_or_has_no_meaning_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        RunParameters(**values)


def test_numbers_of_a_training_have_their_meaning_with_train_alone():
    assert TrainParameters(seed=3, preset="paper").seed == 3
    wanted = RunParameters(train=True, epochs=4, n_components=2, seed=1)
    assert wanted.network_numbers() == {"epochs": 4, "n_components": 2}
    assert wanted.resolves
    assert not RunParameters().resolves


def test_paths_become_absolute_and_words_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mask.npy").write_bytes(b"")
    Path("otsu").mkdir()
    given = RunParameters(mask="mask.npy", model="m", threshold=0.1)
    values = given.as_dict()
    assert values["mask"] == str(tmp_path / "mask.npy")
    assert values["model"] == str(tmp_path / "m")
    assert (values["i0"], values["energies"]) == ("brightest", None)
    assert replace(given, mask="otsu").as_dict()["mask"] == "otsu"
    assert list(values) == [item.name for item in fields(RunParameters)]


def always_last(stacks, references, /):
    """Give every pixel the last phase.

    Parameters
    ----------
    stacks, references : object
        Of the pixels.
    """
    scores = np.zeros((stacks.n_pixels, len(references)), np.float32)
    scores[:, -1] = 1.0
    return PhaseMap.from_scores(scores, references.names, method="last")


def test_a_fifth_method_without_a_latent_space_needs_no_model(tmp_path, monkeypatch):
    row = Assignment(always_last, "always the last", ("stacks", "references"))
    monkeypatch.setitem(ASSIGNMENTS, "last", row)
    monkeypatch.setattr("napari_phasemap.pipeline.bundle._sheets", lambda *_: {})
    (method,) = [one for one in fields_of(RunParameters) if one.name == "method"]
    assert method.choices[-1] == "last"
    outcome = pipeline.run(
        sample_paths()[:1], sample_references(), tmp_path / "out", method="last"
    )
    assert outcome.model is None
    labels = outcome.results.maps["resolved"].labels
    assert (labels == len(outcome.results.references)).all()
    assert (tmp_path / "out" / "changes.csv").is_file()


def test_a_row_added_to_the_table_is_a_choice_of_the_command_line():
    code = (
        "from napari_phasemap.core.latent.methods import ASSIGNMENTS, Assignment\n"
        "ASSIGNMENTS['last'] = Assignment(max, 'always the last', ('stacks',))\n"
        "from napari_phasemap.cli import main\n"
        "main(['run', '--help'])"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert "[posterior|mahalanobis|knn|centroid|euclidean|last]" in "".join(
        done.stdout.split()
    )


def test_preparation_is_part_of_what_a_run_and_a_training_take():
    names = {item.name for item in fields(Preparation)}
    for described in (RunParameters, TrainParameters):
        assert names < {item.name for item in fields(described)}
