from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from napari_phasemap import pipeline
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.io.read import read_stack
from napari_phasemap.io.results import read_results
from napari_phasemap.io.samples import (
    sample_folder,
    sample_paths,
    sample_references,
    sample_truth,
)
from napari_phasemap.io.stackfile import write_stack
from napari_phasemap.pipeline.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "ambiguity.png", "correlation.png", "fractions.png", "phase_and_reliability.png",
    "phase_map.png", "recipe.json", "references.png", "reliability.png", "results.h5",
    "spectra.png", "summary.csv",
}  # fmt: skip


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "summary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> pipeline.Outcome:
    output = tmp_path_factory.mktemp("run") / "results"
    return pipeline.run(sample_paths(), sample_references(), output)


@pytest.fixture
def quick(monkeypatch):
    """Leave the figures out where a test does not look at them."""
    monkeypatch.setattr("napari_phasemap.pipeline.bundle._sheets", lambda *_: {})


def run(paths, output, **options):
    return pipeline.run(paths, sample_references(), output, **options)


def test_a_run_leaves_results_table_figures_and_recipe(finished):
    assert {path.name for path in finished.output.iterdir()} == FILES
    assert [p.name for p in finished.output.parent.iterdir()] == ["results"]
    assert all(path.stat().st_size for path in finished.output.iterdir())


def test_most_sample_pixels_have_their_true_phase(finished):
    stacks = finished.results.stacks
    truth = stacks.join([sample_truth()[name] for name in stacks.names])
    labels = finished.results.maps["phase_map"].labels
    assert (labels == truth)[truth > 0].mean() > 0.85


def test_the_table_has_a_row_per_particle_and_phase_that_add_up(finished):
    rows = table(finished.output)
    assert len(rows) == 4 * 5
    for name, stack in zip(
        finished.results.stacks.names, finished.results.stacks, strict=True
    ):
        own = [row for row in rows if row["particle"] == name]
        assert sum(int(row["pixels"]) for row in own) == stack.n_pixels
        assert sum(float(row["percent"]) for row in own) == pytest.approx(100, abs=0.01)
    phases = finished.results.maps["phase_map"]
    counted = sum(
        int(row["pixels"]) * float(row["ambiguous_percent"] or 0) / 100 for row in rows
    )
    assert counted == pytest.approx(np.count_nonzero(phases.ambiguous(0.005)), abs=0.5)


def test_results_are_read_back_with_everything_needed_to_draw_again(finished):
    again = read_results(finished.output / "results.h5")
    before = finished.results
    np.testing.assert_array_equal(
        again.maps["phase_map"].labels, before.maps["phase_map"].labels
    )
    assert again.stacks.names == ("P1", "P2", "P3", "P4")
    assert again.references is not None
    assert again.threshold == 0.005
    assert again.recipe["parameters"]["mask"] == "otsu"


def test_the_recipe_tells_versions_and_checksums_of_all_inputs(finished):
    recipe = json.loads((finished.output / "recipe.json").read_text())
    inputs = {one["name"]: one for one in recipe["provenance"]["inputs"]}
    assert {"P1.hdr", "P1_a000.xim", "P1_a012.xim", "P3.txt"} <= set(inputs)
    tiff = (sample_folder() / "P3.tif").read_bytes()
    assert inputs["P3.tif"]["sha256"] == hashlib.sha256(tiff).hexdigest()
    assert inputs["P3.tif"]["bytes"] == len(tiff)
    assert recipe["provenance"]["versions"]["numpy"] == np.__version__


def test_a_recipe_gives_the_same_results_again(finished, tmp_path, quick):
    recipe = Recipe.load(finished.output / "recipe.json")
    again = pipeline.run_recipe(recipe, tmp_path / "again")
    np.testing.assert_array_equal(
        again.results.maps["phase_map"].margin,
        finished.results.maps["phase_map"].margin,
    )


def test_relative_paths_of_a_recipe_count_from_its_folder(tmp_path):
    values = Recipe(("a.hdr",), ("r.csv",)).to_dict() | {"stacks": ["P1.hdr"]}
    (tmp_path / "recipe.json").write_text(json.dumps(values))
    assert Recipe.load(tmp_path / "recipe.json").stacks == (tmp_path / "P1.hdr",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no recipe"),
        ("[1]", "no recipe"),
        ('{"format": "else"}', "no recipe"),
        ('{"format": "napari-phasemap recipe", "version": 99}', "update"),
        ('{"format": "napari-phasemap recipe", "version": 1}', "damaged"),
        ("[" * 100000, "no recipe"),
    ],
    ids=["empty", "list", "other", "newer", "lacks stacks", "deep"],
)
def test_what_is_no_recipe_is_refused_by_name(tmp_path, text, message):
    path = tmp_path / "some.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"some.json.*{message}"):
        Recipe.load(path)


@pytest.mark.parametrize(
    "parameters",
    [{"size": 3}, {"threshold": "x"}, {"threshold": True}, {"duplicates": "drop"}],
    ids=str,
)
def test_parameters_that_run_does_not_know_are_refused(parameters, tmp_path):
    name = next(iter(parameters))
    with pytest.raises((TypeError, ValueError), match=name):
        pipeline.run(["a"], ["b"], tmp_path / "o", **parameters)
    values = Recipe(("a",), ("b",)).to_dict()
    values["parameters"] |= parameters
    (tmp_path / "r.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=rf"r\.json is a damaged recipe: .*{name}"):
        Recipe.load(tmp_path / "r.json")


#: As version 0.1.0 wrote it.
OLD_RECIPE = {
    "format": "napari-phasemap recipe",
    "version": 1,
    "stacks": [],
    "references": [],
    "parameters": {
        "threshold": 0.01, "i0": "brightest", "i0_percentile": 97.0, "min_counts": 0.0,
        "mask": "otsu", "energies": None, "energy_unit": None, "detector": None,
        "duplicates": "refuse", "model": None, "train": False, "method": "mahalanobis",
        "scope": "ambiguous", "preset": "recommended", "seed": 0, "n_threads": None,
        "epochs": None, "n_latent": None, "n_components": None,
    },
    "provenance": {"time": "2026-01-01T00:00:00+00:00"},
    "files": ["results.h5"],
}  # fmt: skip


def test_a_recipe_of_the_first_version_still_runs(tmp_path, quick):
    old = OLD_RECIPE | {
        "stacks": [str(sample_paths()[0])],
        "references": [str(path) for path in sample_references()],
    }
    (tmp_path / "recipe.json").write_text(json.dumps(old))
    recipe = Recipe.load(tmp_path / "recipe.json")
    later = {
        "reference_columns": None, "check_references": False, "per_particle": False,
        "recalibrate": None, "neighbors": True, "mixtures": True, "offset": False,
        "level": 0.9,
    }  # fmt: skip
    assert recipe.parameters.as_dict() == OLD_RECIPE["parameters"] | later
    again = pipeline.run_recipe(recipe, tmp_path / "out")
    direct = run(
        sample_paths()[:1], tmp_path / "o2", threshold=0.01, i0_percentile=97.0
    )
    maps = [one.results.maps["phase_map"] for one in (again, direct)]
    np.testing.assert_array_equal(maps[0].margin, maps[1].margin)
    assert again.results.threshold == 0.01


def test_a_particle_that_fails_is_a_row_and_the_others_go_on(tmp_path, quick):
    broken = tmp_path / "broken.hdr"
    broken.write_text("ScanDefinition = { Type = ")
    paths = [broken, sample_paths()[0], tmp_path / "missing.tif", sample_paths()[1]]
    outcome = run(paths, tmp_path / "out")
    assert outcome.results.stacks.names == ("P1", "P2")
    assert [failure.name for failure in outcome.failures] == ["broken", "missing"]
    rows = table(tmp_path / "out")
    assert len(rows) == 2 * 5 + 2
    assert "broken.hdr" in rows[-2]["message"]
    assert "missing.tif" in rows[-1]["message"]
    assert rows[-1]["phase"] == "" == rows[-1]["pixels"]


def test_a_bug_is_a_row_too_and_is_logged(tmp_path, quick, monkeypatch, caplog):
    from napari_phasemap.pipeline import collecting

    def fail_once(stack, *options):
        if stack.name == "P1":
            raise ZeroDivisionError("a bug")
        return original(stack, *options)

    original = collecting.prepare
    monkeypatch.setattr(collecting, "prepare", fail_once)
    outcome = run(sample_paths()[:2], tmp_path / "out")
    assert outcome.failures[0].is_bug
    assert "this is a bug" in outcome.failures[0].message
    assert "ZeroDivisionError: a bug" in outcome.failures[0].message
    (record,) = (one for one in caplog.records if one.exc_info)
    assert str(sample_paths()[0]) in record.getMessage()


def test_a_stack_on_other_energies_fails_and_the_majority_goes_on(tmp_path, quick):
    odd = read_stack(sample_paths()[0])
    write_stack(
        SpectralStack(odd.data[:-1], odd.energy[:-1], name="odd"), tmp_path / "odd.h5"
    )
    outcome = run([tmp_path / "odd.h5", *sample_paths()[:2]], tmp_path / "out")
    assert outcome.results.stacks.names == ("P1", "P2")
    assert "12 from 505 to 532.4 eV" in outcome.failures[0].message


def test_a_stack_outside_the_references_fails_with_both_ranges(tmp_path):
    far = SpectralStack(np.ones((3, 9, 9)), [700.0, 705.0, 710.0], name="far")
    write_stack(far, tmp_path / "far.h5")
    with pytest.raises(ValueError, match=r"700-710 eV.*500-550 eV"):
        run([tmp_path / "far.h5"], tmp_path / "out", mask="none", i0="none")
    assert not (tmp_path / "out").exists()


def test_the_same_name_twice_gets_a_number(tmp_path, quick):
    path = sample_paths()[0]
    outcome = run([path, path], tmp_path / "out")
    assert outcome.results.stacks.names == ("P1", "P1 (2)")


def test_existing_results_are_replaced_only_when_asked(tmp_path, quick):
    paths = sample_paths()[:1]
    run(paths, tmp_path / "out")
    with pytest.raises(FileExistsError, match="earlier run"):
        run(paths, tmp_path / "out")
    run(paths, tmp_path / "out", threshold=0.1, overwrite=True)
    assert read_results(tmp_path / "out" / "results.h5").threshold == 0.1


def test_files_of_somebody_else_are_never_replaced(tmp_path, quick):
    out = tmp_path / "out"
    run(sample_paths()[:1], out)
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"thesis\.txt"):
        run(sample_paths()[:1], out, overwrite=True)
    assert (out / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_is_used(tmp_path, quick):
    (tmp_path / "out").mkdir()
    run(sample_paths()[:1], tmp_path / "out")
    assert (tmp_path / "out" / "results.h5").is_file()


@pytest.mark.parametrize("at", ["P2.hdf5", "correlating", "results"])
def test_a_cancelled_run_leaves_nothing(tmp_path, quick, at):
    def cancel(step: int, total: int, text: str) -> None:
        if text == at:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(sample_paths()[:2], tmp_path / "out", on_progress=cancel)
    assert not list(tmp_path.iterdir())


def test_a_run_that_fails_while_writing_leaves_the_earlier_results(
    tmp_path, quick, monkeypatch
):
    run(sample_paths()[:1], tmp_path / "out")
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}

    def fail(*_args, **_options):
        raise OSError("disk full")

    monkeypatch.setattr("napari_phasemap.pipeline.bundle.write_csv", fail)
    with pytest.raises(OSError, match="disk full"):
        run(sample_paths()[:2], tmp_path / "out", overwrite=True)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_killed_run_leaves_nothing_under_the_final_name(tmp_path):
    code = (
        "import os, sys; from napari_phasemap import pipeline;"
        "kill = lambda step, total, text: text == 'results' and os._exit(9);"
        "pipeline.run(sys.argv[1:2], sys.argv[2:3], sys.argv[3], on_progress=kill)"
    )
    words = [sample_paths()[0], sample_references()[0], tmp_path / "out"]
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], check=False)
    assert done.returncode == 9
    assert not (tmp_path / "out").exists()


def test_i0_and_mask_may_come_from_files(tmp_path, quick):
    stack = read_stack(sample_paths()[0])
    counts = np.linspace(9000, 8000, 13)
    lines = [f"{e} {c}" for e, c in zip(stack.energy, counts, strict=True)]
    (tmp_path / "i0.txt").write_text("\n".join(lines))
    mask = np.zeros(stack.shape, dtype=bool)
    mask[20:30, 30:50] = True
    np.save(tmp_path / "mask.npy", mask)
    ready = pipeline.prepare(
        stack,
        pipeline.Preparation(
            i0=str(tmp_path / "i0.txt"), mask=str(tmp_path / "mask.npy")
        ),
    )
    np.testing.assert_array_equal(ready.mask, mask)
    expected = -np.log(stack.data[4][mask] / counts[4])
    np.testing.assert_allclose(ready.data[4][mask], expected, rtol=1e-4)


def test_what_is_neither_a_word_nor_a_file_is_refused():
    stack = read_stack(sample_paths()[0])
    with pytest.raises(FileNotFoundError, match="i0='brigthest'"):
        pipeline.prepare(stack, pipeline.Preparation(i0="brigthest"))
    with pytest.raises(FileNotFoundError, match="mask='otzu'"):
        pipeline.prepare(stack, pipeline.Preparation(mask="otzu"))


def test_optical_density_is_not_converted_again():
    density = SpectralStack(
        np.random.default_rng(0).random((3, 8, 8)),
        [1.0, 2.0, 3.0],
        quantity="optical_density",
        mask=np.eye(8, dtype=bool),
    )
    ready = pipeline.prepare(density, pipeline.Preparation(mask="none"))
    np.testing.assert_array_equal(ready.data, density.data)
    np.testing.assert_array_equal(ready.mask, density.mask)


def test_a_negative_threshold_is_refused(tmp_path):
    with pytest.raises(ValueError, match="threshold"):
        run(sample_paths()[:1], tmp_path / "out", threshold=-1.0)


def test_notes_of_the_reader_stand_in_the_table(tmp_path, quick):
    shutil.copytree(sample_folder() / "P1", tmp_path / "P1")
    (tmp_path / "P1" / "P1_a003.xim").unlink()
    outcome = run([tmp_path / "P1" / "P1.hdr", sample_paths()[1]], tmp_path / "out")
    assert outcome.results.stacks.n_energies == 12
    rows = table(tmp_path / "out")
    assert "missing" in rows[0]["message"]
    assert rows[-1]["message"] == ""


def test_real_iron_particles_are_mostly_oxidized(real_data, tmp_path, quick):
    folder = real_data / "als-toner-71214078-fe2p"
    answers = [folder / "answers" / name for name in ("oxidized.t", "reduced.t")]
    stack = folder / "71214078" / "71214078.hdr"
    outcome = pipeline.run([stack], answers, tmp_path / "out")
    oxidized, reduced = outcome.results.maps["phase_map"].fractions()
    assert oxidized == pytest.approx(83, abs=5)  # 83 % of the iron by NNLS
    assert oxidized + reduced == pytest.approx(100)


def test_a_file_that_was_edited_is_kept_beside_when_it_is_overwritten(
    tmp_path, quick, caplog
):
    output = tmp_path / "out"
    run(sample_paths()[:1], output)
    run(sample_paths()[:1], output, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # nobody edited it
    with h5py.File(output / "results.h5", "r+") as file:
        file.attrs["remark"] = "by hand"
    for number in (1, 2):
        run(sample_paths()[:1], output, overwrite=True)
        kept = tmp_path / f"out-edited-{number}"
        assert [path.name for path in kept.iterdir()] == ["results.h5"]
        assert f"the changed version is kept in {kept}" in caplog.text
        with h5py.File(kept / "results.h5") as file:
            assert file.attrs["remark"] == "by hand"
        (output / "results.h5").write_bytes((kept / "results.h5").read_bytes())


def test_results_go_where_a_link_leads_to(tmp_path, quick):
    disk, link = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    link.symlink_to(disk)
    for _ in range(2):
        run(sample_paths()[:1], link, overwrite=True)
        assert link.is_symlink()
        assert (disk / "results.h5").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "out"]


def test_what_is_sent_to_others_names_no_folder_of_one_s_own(
    tmp_path, quick, monkeypatch
):
    home = tmp_path / "home" / "somebody"
    scan = home / "scans" / "P1"
    shutil.copytree(sample_folder() / "P1", scan)
    monkeypatch.setenv("HOME", str(home))
    lost = home / "scans" / "lost.hdr"
    outcome = run([scan / "P1.hdr", lost], home / "out")
    text = (home / "out" / "recipe.json").read_text()
    assert "~/scans/P1/P1.hdr" in text
    assert str(home) not in text
    named = [one["name"] for one in json.loads(text)["provenance"]["inputs"]]
    assert named[0] == "P1.hdr"
    assert sum(name.endswith(".xim") for name in named) == 13
    for one in (home / "out").iterdir():
        assert str(home).encode() not in one.read_bytes(), one.name
    table = (home / "out" / "summary.csv").read_text()
    assert "~/scans/P1/P1.hdr" in table
    assert "there is no file ~/scans/lost.hdr" in table
    again = Recipe.load(home / "out" / "recipe.json")
    assert again.stacks == (scan / "P1.hdr", lost)
    assert outcome.results.stacks.names == ("P1",)
