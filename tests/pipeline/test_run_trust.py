"""A run that checks its references and gives probabilities; Python says the same."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from napari_phasemap import pipeline
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.phases.decisions import decisions_of
from napari_phasemap.core.phases.intervals import fraction_intervals
from napari_phasemap.core.phases.reference_check import check_references
from napari_phasemap.io.results import read_results
from napari_phasemap.io.samples import sample_paths, sample_references
from napari_phasemap.io.spectra import read_references
from napari_phasemap.pipeline.probabilities import probable_phases
from napari_phasemap.pipeline.recipe import Recipe

SHIFT = 0.08


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """The sample references, moved up in energy."""
    references = read_references(sample_references())
    path = tmp_path_factory.mktemp("references") / "moved.csv"
    columns = np.column_stack([references.energy + SHIFT, references.spectra.T])
    rows = "\n".join(",".join(f"{x:.9g}" for x in row) for row in columns)
    path.write_text(f"energy,{','.join(references.names)}\n{rows}")
    return path


@pytest.fixture(scope="module")
def outcome(moved, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_phasemap.pipeline.bundle._sheets", lambda *_: {})
        return pipeline.run(
            sample_paths(),
            [moved],
            tmp_path_factory.mktemp("run") / "out",
            method="posterior",
            check_references=True,
            recalibrate="energy shift",
        )


def test_a_named_correction_is_applied_and_told_by_recipe_and_history(outcome, moved):
    assert outcome.report.distortion.shift == pytest.approx(-SHIFT, abs=0.02)
    assert "references sit 0.08" in outcome.report.summary()
    given, energy = read_references([moved]), outcome.results.references.energy
    expected = given.energy + outcome.report.distortion.shift
    # Moved down, they keep their last value up to where they ended before.
    np.testing.assert_allclose(energy, [*expected, given.energy[-1]])
    for stack in outcome.results.stacks:
        assert "recalibrated by 4 particles: energy shift" in stack.history[-1]
    said = json.loads((outcome.output / "recipe.json").read_text())
    assert said["parameters"]["recalibrate"] == "energy shift"
    assert said["reference_check"]["suggested"][0] == "energy shift"
    assert Recipe.load(outcome.output / "recipe.json").parameters.posterior


def test_python_gives_what_the_run_gave_bit_by_bit(outcome, moved):
    before = outcome.report.stacks
    report = check_references(before, read_references([moved]))
    stacks, references = report.apply(["energy shift"])
    posterior = probable_phases(stacks, references)
    kept = read_results(outcome.output / "results.h5").maps["posterior"]
    assert kept.scores.tobytes() == posterior.scores.tobytes()
    assert kept.misfit.tobytes() == posterior.misfit.tobytes()


def test_the_summary_has_intervals_and_probabilities(outcome):
    with (outcome.output / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    results = outcome.results
    posterior = results.maps["posterior"]
    found = fraction_intervals(posterior, results.stacks)
    first = rows[0]
    assert (first["particle"], first["phase"]) == ("P1", posterior.names[0])
    assert float(first["posterior_low"]) == pytest.approx(found.low[1, 0], abs=1e-3)
    assert float(first["posterior_high"]) == pytest.approx(found.high[1, 0], abs=1e-3)
    assert float(first["percent_low"]) < float(first["percent"])
    part = slice(0, int(results.stacks.offsets[1]))
    here = posterior.labels[part] == 1
    unsure = decisions_of(posterior).undecided(0.9)[part][here]
    expected = 100 * unsure.mean()
    assert float(first["undecided_percent"]) == pytest.approx(expected, abs=1e-3)
    assert int(first["posterior_pixels"]) == np.count_nonzero(here)


def test_a_correction_that_is_none_is_named(outcome):
    with pytest.raises(InputError, match="no correction"):
        outcome.report.apply(["tilt"])
