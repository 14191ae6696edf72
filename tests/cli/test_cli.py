from __future__ import annotations

import signal
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from napari_phasemap.cli import main
from napari_phasemap.cli.options import Progress
from napari_phasemap.core.data.parameters import fields_of
from napari_phasemap.io.samples import sample_folder, sample_paths, sample_references
from napari_phasemap.pipeline import RunParameters

REFERENCES = str(sample_references()[0])
P1 = str(sample_paths()[0])


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("napari_phasemap.pipeline.bundle._sheets", lambda *_: {})


def call(*words: object):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_run_writes_results_and_prints_the_fractions(tmp_path):
    out = tmp_path / "out"
    result = call("run", P1, "--references", REFERENCES, "--output", out)
    assert result.exit_code == 0, result.output
    assert "Na2.4VPF" in result.stdout
    assert str(out) in result.stdout
    assert (out / "summary.csv").is_file()


def test_several_references_follow_one_option(tmp_path):
    energies = range(500, 551, 5)
    files = []
    for name, slope in (("rising", 1), ("falling", -1)):
        path = tmp_path / f"{name}.txt"
        path.write_text("\n".join(f"{e} {600 + slope * e}" for e in energies))
        files.append(path)
    result = call("run", P1, "--references", *files, "--output", tmp_path / "out", "-q")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "summary.csv").read_text()
    assert "rising" in text
    assert "falling" in text


def test_one_failure_is_exit_code_1_and_the_rest_is_written(tmp_path):
    out = tmp_path / "out"
    result = call("run", P1, tmp_path / "no.hdr", "-r", REFERENCES, "-o", out, "-q")
    assert result.exit_code == 1
    assert "Failed: no" in result.stderr
    assert (out / "results.h5").is_file()


def test_all_failures_are_exit_code_2_without_traceback(tmp_path):
    result = call("run", tmp_path / "no.hdr", "-r", REFERENCES, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "no particle could be analyzed" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["-r", "refs.csv", "-o", "out"], "before --references"),
        (["P1.hdr", "-o", "out"], "--references"),
        (["P1.hdr", "-r"], "requires an argument"),
        (["P1.hdr", "-r", "refs.csv"], "--output"),
        (["P1.hdr", "-r", "refs.csv", "-o", "out", "--threshold", "x"], "threshold"),
        (["P1.hdr", "-r", "nowhere.csv", "-o", "out"], "nowhere.csv"),
        (["--recipe", "nowhere.json", "-o", "out"], "nowhere.json"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_to_do(words, hint):
    result = CliRunner().invoke(main, ["run", *words])
    assert result.exit_code == 2
    assert hint in result.stderr


def test_a_recipe_is_run_again_and_options_win_over_it(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    options = ("--threshold", 0.1, "--i0-percentile", 97)
    assert call("run", P1, "-r", REFERENCES, "-o", first, *options).exit_code == 0
    recipe = first / "recipe.json"
    result = call("run", "--recipe", recipe, "-o", second, "--threshold", 0.2)
    assert result.exit_code == 0, result.output
    text = (second / "recipe.json").read_text()
    assert '"threshold": 0.2' in text
    assert '"i0_percentile": 97.0' in text


def test_every_parameter_of_the_pipeline_is_an_option():
    options = {option for one in main.commands["run"].params for option in one.opts}
    wanted = {f"--{one.name.replace('_', '-')}" for one in fields_of(RunParameters)}
    assert wanted <= options


def test_info_tells_stacks_and_references_apart():
    result = call("info", sample_folder() / "P2.hdf5", REFERENCES)
    assert result.exit_code == 0
    assert "13, 505-537 eV" in result.stdout
    assert "72 rows x 66 columns" in result.stdout
    assert "most alike: Na1VPF and Na1-yVPF" in result.stdout


def test_info_goes_on_after_a_file_that_it_cannot_read(tmp_path):
    junk = tmp_path / "junk.dat"
    junk.write_bytes(bytes(range(256)))
    some, none = call("info", junk, REFERENCES), call("info", junk)
    assert (some.exit_code, none.exit_code) == (1, 2)
    assert "junk.dat" in some.stderr
    assert "Na3VPF" in some.stdout


def test_demo_runs_twice_into_the_same_folder_and_tells_how_to_open_napari(tmp_path):
    for _ in range(2):
        result = call("demo", "--output", tmp_path / "demo")
        assert result.exit_code == 0, result.output
    assert "true phase was found in 9" in result.stdout
    assert "Open Sample" in result.stdout


def test_the_command_starts_without_heavy_packages():
    code = (
        "import sys; import napari_phasemap.cli;"
        "heavy = {'scipy', 'matplotlib', 'h5py', 'numba', 'napari', 'qtpy',"
        " 'skimage', 'tensorflow'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_progress_says_each_step_once_and_how_far_it_is_now_and_then(
    capsys, monkeypatch
):
    clock = [0.0]
    monkeypatch.setattr("napari_phasemap.cli.options.monotonic", lambda: clock[0])
    tell = Progress()
    for text in ("P1: reading", "P1: reading", "P2: reading"):
        tell(0, 0, text)
    for share in range(100):
        clock[0] += 0.05
        tell(1, 5, f"Si_L: layout {share} %")
    for number in range(2, 13):
        tell(3, 5, f"Si_L: {number} clusters {number} %")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["P1: reading", "P2: reading", "[1/5] Si_L: layout 0 %"]
    assert 2 <= len([line for line in lines if "layout" in line]) <= 4
    assert len([line for line in lines if "clusters" in line]) == 1


@pytest.mark.parametrize(
    "planted",
    [lambda *_, **__: np.ones(3) + np.ones(4), lambda *_, **__: [][0]],
    ids=["numpy's ValueError", "IndexError"],
)
def test_a_bug_is_exit_code_3_and_logged_with_its_traceback(
    tmp_path, monkeypatch, caplog, planted
):
    monkeypatch.setattr("napari_phasemap.core.phases.correlation.pearson_map", planted)
    result = call("run", P1, "-r", REFERENCES, "-o", tmp_path / "out", "-q")
    assert result.exit_code == 3, result.output
    assert "Error: this is a bug in napari-phasemap" in result.stderr
    assert "Traceback (most recent call last)" in caplog.text


@pytest.mark.parametrize("others", [(), (str(sample_paths()[1]),)])
def test_a_bug_with_one_particle_is_exit_code_3_too(
    tmp_path, monkeypatch, caplog, others
):
    from napari_phasemap.pipeline import collecting

    def prepare(stack, *options):
        if stack.name == "P1":
            raise AttributeError("planted")
        return original(stack, *options)

    original = collecting.prepare
    monkeypatch.setattr(collecting, "prepare", prepare)
    result = call("run", P1, *others, "-r", REFERENCES, "-o", tmp_path / "out", "-q")
    assert result.exit_code == 3, result.output
    assert "this is a bug" in result.stderr
    assert "AttributeError: planted" in caplog.text


def test_info_goes_on_after_a_bug_and_says_that_it_is_one(monkeypatch, caplog):
    info = sys.modules["napari_phasemap.cli.info"]  # the package has the command

    def describe(path):
        if path.name == "P1.hdr":
            raise TypeError("planted")
        return original(path)

    original = info._describe
    monkeypatch.setattr(info, "_describe", describe)
    result = call("info", P1, sample_paths()[1])
    assert result.exit_code == 3
    assert "this is a bug" in result.stderr
    assert "P2" in result.stdout
    assert "TypeError: planted" in caplog.text


def test_on_a_terminal_the_traceback_of_a_bug_is_printed(tmp_path):
    planted = (
        "import sys, napari_phasemap.cli\n"
        "sys.modules['napari_phasemap.cli.info']._describe = lambda path: [][0]\n"
        "sys.argv = ['napari-phasemap', 'info', 'x.h5']\n"
        "from napari_phasemap.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", planted], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "Traceback (most recent call last)" in done.stderr
    assert "IndexError: list index out of range" in done.stderr
    assert "this is a bug in napari-phasemap" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_leaves_nothing(tmp_path):
    """The signal comes while the results are being written."""
    code = (
        "import os, signal, sys; from napari_phasemap.pipeline import bundle\n"
        "def kill(*_): os.kill(os.getpid(), signal.SIGTERM)\n"
        "bundle.draw_sheets = kill\n"
        "from napari_phasemap.cli import main; main()"
    )
    words = ["run", P1, "-r", REFERENCES, "-o", tmp_path / "out"]
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], check=False)
    assert done.returncode == 143
    assert list(tmp_path.iterdir()) == []


def test_the_handler_of_sigterm_goes_with_the_command():
    before = signal.getsignal(signal.SIGTERM)
    assert call("info", REFERENCES).exit_code == 0
    assert signal.getsignal(signal.SIGTERM) == before


def test_energies_are_planned_and_written_with_what_others_would_give(tmp_path):
    out = tmp_path / "energies.txt"
    words = ("--spacing", 2, "--forced", 505, "--dwell", 3, "-o", out)
    result = call("plan-energies", REFERENCES, "-n", 4, *words)
    assert result.exit_code == 0, result.output
    listed = np.loadtxt(out)
    assert listed[0].tolist() == [505.0, 3.0]
    assert np.diff(listed[:, 0]).min() >= 2.0 - 1e-9
    assert np.loadtxt(result.stdout.splitlines()).tolist() == listed.tolist()
    assert "Hardest to tell apart: Na1VPF and Na1-yVPF" in result.stderr
    rows = out.with_suffix(".csv").read_text().splitlines()
    assert rows[0] == "over,value,separation,ambiguous,right"
    assert {row.split(",")[0] for row in rows[1:]} == {"energies", "photons per pixel"}
    assert out.with_suffix(".png").stat().st_size > 10_000
    refused = call("plan-energies", REFERENCES, "-n", 4, "-o", out)
    assert refused.exit_code == 2
    assert "exists" in refused.output


def test_unclear_columns_are_listed_and_an_option_says_them(tmp_path):
    scan = tmp_path / "scan.dat"
    scan.write_text("# energy Io It If\n500 9 3 4\n525 9 2 5\n550 9 1 6\n")
    for words in (("info", scan), ("run", P1, "-r", scan, "-o", tmp_path / "a")):
        assert "3 It: transmitted" in call(*words).output
    told = "energy=1 i0=Io fluorescence=4"
    words = ("-n", 2, "--reference-columns", told)
    result = call("plan-energies", scan, REFERENCES, *words)
    assert result.exit_code == 0, result.output
