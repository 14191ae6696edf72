"""The folder, the figure and the command of an unsupervised EELS analysis."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

from napari_phasemap.cli import main
from napari_phasemap.cli.options import SOME_FAILED
from napari_phasemap.core.data.errors import InputError, ProcessDied
from napari_phasemap.core.eels.recipe import EdgeRecipe, edge_recipe
from napari_phasemap.core.eels.thickness import thickness
from napari_phasemap.core.eels.workflow import analyze_edges, compare_edges
from napari_phasemap.core.simulate.synthetic_eels import EDGE_WINDOWS, simulate_si_c
from napari_phasemap.figures import draw_embedding, eels_sheet
from napari_phasemap.io.stackfile import write_stack
from napari_phasemap.pipeline.eels import run_eels, write_eels


@pytest.fixture(scope="module")
def sample():
    return simulate_si_c(shape=(32, 32), dose=2000.0, seed=3)


@pytest.fixture(scope="module")
def recipes():
    return [
        edge_recipe(name, *windows, embed=False, n_clusters=3)
        for name, windows in EDGE_WINDOWS.items()
    ]


@pytest.fixture(scope="module")
def analysis(sample, recipes):
    return analyze_edges(sample.core_loss, recipes, low_loss=sample.low_loss)


@pytest.fixture(scope="module")
def files(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("si")
    core = write_stack(sample.core_loss, folder / "core.h5")
    return core, write_stack(sample.low_loss, folder / "low.h5")


def test_all_edges_pairs_and_the_thickness_are_there(analysis):
    assert list(analysis.edges) == ["Si_L", "C_K", "O_K"]
    assert list(analysis.pairs) == [("Si_L", "C_K"), ("Si_L", "O_K"), ("C_K", "O_K")]
    assert set(analysis.thickness_pairs) == set(analysis.edges)
    assert analysis.pairs["Si_L", "O_K"].excess > 0.1


def test_unchanged_edges_and_pairs_are_taken_over(sample, recipes, analysis):
    changed = [*recipes[:2], replace(recipes[2], n_clusters=2)]
    again = analyze_edges(sample.core_loss, changed, previous=analysis)
    first, last = ("Si_L", "C_K"), ("C_K", "O_K")
    assert again.pairs[first] is analysis.pairs[first]
    assert again.pairs[last] is not analysis.pairs[last]
    assert again.edges["O_K"].edge.net is analysis.edges["O_K"].edge.net


def test_wrong_sets_of_edges_are_refused(sample, recipes):
    with pytest.raises(ValueError, match="at least one"):
        analyze_edges(sample.core_loss, [])
    with pytest.raises(ValueError, match="different names"):
        analyze_edges(sample.core_loss, [recipes[0], recipes[0]])
    small = simulate_si_c(shape=(4, 4))
    with pytest.raises(ValueError, match=r"\(4, 4\) pixels, core loss of \(32, 32\)"):
        analyze_edges(sample.core_loss, recipes, low_loss=small.low_loss)


def test_the_figure_has_five_kinds_of_panels(analysis):
    figure = eels_sheet(analysis)
    letters = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"a", "b", "c", "d", "e"} <= letters
    # One thickness, three times spectra, embedding, pairs and map, two color bars.
    assert len(figure.axes) == 1 + 4 * 3 + 2
    spectra = [a for a in figure.axes if a.get_ylabel() == "Net counts"]
    assert [len(axes.lines) for axes in spectra] == [4, 4, 4]


def test_many_classes_have_a_legend_and_numbers_on_the_axes_of_pairs(sample, recipes):
    many = [replace(recipes[0], n_clusters=17), recipes[1]]
    figure = eels_sheet(analyze_edges(sample.core_loss, many))
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert [len(legend.get_texts()) for legend in legends] == [17, 3]
    colors = {patch.get_facecolor() for patch in legends[0].get_patches()}
    assert len(colors) == 17
    (pairs,) = [a for a in figure.axes if a.get_ylabel().endswith(" class")]
    assert [t.get_text() for t in pairs.get_yticklabels()][:3] == ["(absent)", "1", "2"]


def test_classes_that_have_names_keep_them_on_the_axes_of_pairs(analysis):
    silicon = analysis.edges["Si_L"]
    named = replace(silicon.classes, names=("Si", "SiC", "SiO2"))
    edges = {**analysis.edges, "Si_L": replace(silicon, classes=named)}
    found = compare_edges(analysis.stack, edges)
    figure = eels_sheet(found)
    (pairs, _) = [a for a in figure.axes if a.get_ylabel() == "Si_L"]
    labels = [text.get_text() for text in pairs.get_yticklabels()]
    assert labels == ["(absent)", "Si", "SiC", "SiO2"]


def test_one_component_is_drawn_as_a_strip(analysis):
    edge = analysis.edges["Si_L"]
    one = replace(edge, values=edge.values[:, :1].copy(), embedding=None)
    assert (edge.kind, one.kind) == ("PCA", "strip")
    assert one.picture().shape == (32 * 32, 2)
    figure = Figure()
    draw_embedding(axes := figure.add_subplot(), one)
    assert axes.get_xlabel() == "component 1"
    drawn = axes.collections[0].get_offsets()
    assert np.ptp(drawn[:, 0]) == pytest.approx(10.0)
    assert 0 < np.ptp(drawn[:, 1]) <= 6.0


def test_one_edge_without_low_loss_is_drawn_too(sample, recipes):
    alone = analyze_edges(sample.core_loss, recipes[:1])
    figure = eels_sheet(alone)
    letters = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert "d" not in letters
    assert figure.axes[0].get_title() == "mean counts"


def test_the_command_writes_the_folder(files, tmp_path):
    core, low = files
    output = tmp_path / "out"
    words = ["eels", str(core), "-e", "Si_L:72-97:98-130", "-e", "O_K"]
    words += ["--low-loss", str(low), "--clusters", "3", "--no-umap"]
    result = CliRunner().invoke(main, [*words, "--output", str(output)])
    assert result.exit_code == 0, result.output
    settings = json.loads((output / "recipe.json").read_text())
    assert set(settings["files"]) == {path.name for path in output.iterdir()}
    assert settings["edges"][0]["fit_window"] == [72.0, 97.0]
    with np.load(output / "maps.npz") as maps:
        assert maps["Si_L_classes"].shape == (32, 32)
        assert maps["Si_L_classes"].max() == 3
        assert np.isfinite(maps["t_over_lambda"]).all()
    with (output / "pairs_Si_L_O_K.csv").open(newline="") as file:
        assert sum(int(row["n"]) for row in csv.DictReader(file)) == 32 * 32
    again = CliRunner().invoke(main, [*words, "--output", str(output)])
    assert again.exit_code == 2
    assert "overwrite" in again.output
    third = CliRunner().invoke(main, [*words, "--output", str(output), "--overwrite"])
    assert third.exit_code == 0


def test_mistakes_on_the_command_line_are_sentences(files, tmp_path):
    core, low = files
    for words, message in (
        ([str(core), "-e", "Si_L:72-97"], "NAME:FITLOW"),
        ([str(core), "-e", "Xx"], "no edge 'Xx'"),
        ([str(core), "-e", "Fe_L"], "no room"),
        ([str(low), "-e", "O_K"], "0 core-loss stacks"),
        ([str(core), "-e", "a:72-99:98-130"], "overlaps"),
    ):
        output = str(tmp_path / "no")
        result = CliRunner().invoke(main, ["eels", *words, "--output", output])
        assert result.exit_code == 2
        assert message in result.output
        assert "Traceback" not in result.output
    assert not (tmp_path / "no").exists()
    with pytest.raises(ValueError, match="no edge"):
        run_eels(core, [], tmp_path / "no")


def test_run_says_that_a_recipe_is_of_another_command(analysis, tmp_path):
    folder = write_eels(analysis, tmp_path / "out")
    assert {"eels.png", "eels.svg", "eels.pdf"} <= {p.name for p in folder.iterdir()}
    words = ["run", "--recipe", str(folder / "recipe.json")]
    result = CliRunner().invoke(main, [*words, "--output", str(tmp_path / "no")])
    assert result.exit_code == 2
    assert "was written by 'napari-phasemap eels'" in result.output


def test_the_command_line_gives_what_python_gives_bit_by_bit(sample, files, tmp_path):
    core, low = files
    words = ["eels", str(core), "--low-loss", str(low), "--clusters", "3", "--no-umap"]
    for name, ((a, b), (c, d)) in EDGE_WINDOWS.items():
        words += ["--edge", f"{name}:{a:g}-{b:g}:{c:g}-{d:g}"]
    result = CliRunner().invoke(main, [*words, "--output", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    written = json.loads((tmp_path / "out" / "recipe.json").read_text())["edges"]
    windows = ("fit_window", "window")
    used = [EdgeRecipe(**{**e, **{w: tuple(e[w]) for w in windows}}) for e in written]
    analysis = analyze_edges(sample.core_loss, used, low_loss=sample.low_loss)
    with np.load(tmp_path / "out" / "maps.npz") as maps:
        for name, edge in analysis.edges.items():
            for what, values in (
                ("classes", edge.classes.labels),
                ("net", edge.edge.signal),
                ("snr", edge.edge.snr),
            ):
                np.testing.assert_array_equal(maps[f"{name}_{what}"].ravel(), values)
        t = analysis.thickness.t_over_lambda
        np.testing.assert_array_equal(maps["t_over_lambda"].ravel(), t)
    for (a, b), pairs in analysis.pairs.items():
        pairs.to_csv(tmp_path / "mine.csv", overwrite=True)
        theirs = tmp_path / "out" / f"pairs_{a}_{b}.csv"
        assert theirs.read_bytes() == (tmp_path / "mine.csv").read_bytes()


def test_a_dead_umap_process_leaves_the_edges_that_are_done(sample, recipes, analysis):
    """The first edge needs no picture, the second one dies in it."""

    def dies(values, **options):
        raise ProcessDied("the UMAP process ended by itself (signal 9)")

    asked = [recipes[0], replace(recipes[1], embed=True)]
    found = analyze_edges(sample.core_loss, asked, embed=dies)
    assert list(found.edges) == ["Si_L"]
    assert found.failed == {"C_K": "the UMAP process ended by itself (signal 9)"}
    np.testing.assert_array_equal(
        found.edges["Si_L"].classes.labels, analysis.edges["Si_L"].classes.labels
    )
    with pytest.raises(ProcessDied, match="signal 9"):
        analyze_edges(sample.core_loss, asked[1:], embed=dies)
    wrong = [replace(r, fit_window=(20.0, 60.0)) for r in recipes[:2]]
    with pytest.raises(InputError, match=r"Si_L: .*20-60 eV.*C_K: .*20-60 eV"):
        analyze_edges(sample.core_loss, wrong)


def test_the_command_line_writes_what_worked_and_says_what_did_not(files, tmp_path):
    core, _ = files
    words = ["eels", str(core), "-e", "O_K", "-e", "a:72-99:98-130", "--no-umap"]
    result = CliRunner().invoke(main, [*words, "--output", str(tmp_path / "out")])
    assert result.exit_code == SOME_FAILED
    assert "a failed: " in result.output
    settings = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert "overlaps" in settings["failed"]["a"]
    assert [edge["name"] for edge in settings["edges"]] == ["O_K"]


def test_a_thickness_that_was_measured_counts_as_a_low_loss(sample, recipes, analysis):
    found = analyze_edges(
        sample.core_loss, recipes[:1], measured=thickness(sample.low_loss)
    )
    assert found.thickness_pairs["Si_L"].bits == analysis.thickness_pairs["Si_L"].bits
    assert found.warnings == tuple(w for w in analysis.warnings if "Si_L" in w)
