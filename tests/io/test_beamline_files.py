"""Text files in the style of beamlines: right, or refused with their columns."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from napari_phasemap import read_references
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.spectra import read_tables

ENERGY = np.array([6400.0, 6450.0, 6539.0, 6560.0])
I0 = np.array([9.0e4, 9.1e4, 9.2e4, 9.3e4])
MU = np.array([0.1, 0.2, 1.4, 1.1])
IT = I0 * np.exp(-MU)
YIELD = I0 * (MU + 0.3)
CLOCK = np.full(4, 2.0)


def rows(*columns, form="%14.6f", sep=" "):
    return "".join(
        sep.join(form % value for value in row) + "\n"
        for row in zip(*columns, strict=True)
    )


def xdi(*labels):
    lines = [f"# Column.{n}: {label}" for n, label in enumerate(labels, start=1)]
    return "# XDI/1.0 GSE/1.0\n" + "\n".join(lines) + "\n# Sample.name: MnO\n# ---\n"


#: A header and its columns, whose absorption is MU: energy, I0 and transmitted, or mu.
RIGHT = {
    "XDI": xdi("energy eV", "time", "i0", "itrans", "irefer")
    + rows(ENERGY, CLOCK, I0, IT, I0),
    "XDI with PVs": xdi("Energy eV || 13ID:E.VAL", "i0 counts || :S2", "i1 || :S3")
    + rows(ENERGY, I0, IT),
    "XDI with mu": xdi("energy eV", "i0", "itrans", "mutrans")
    + rows(ENERGY, I0, I0, MU),
    "SPEC": "#S 1 zapscan\n#N 5\n#L ZapEnergy  Epoch  Ion Chamber Current  I0  It\n"
    + rows(ENERGY / 1000, CLOCK, CLOCK, I0, IT),
    "Athena": "# Athena data file\n#  Fe foil at 7.1 KeV\n#---\n#  energy  xmu  i0\n"
    + rows(ENERGY, MU, I0),
    "step scan": "; P1 = {Energy} --> a.VAL\n; D1 = {I0} --> b\n; D2 = {I1} --> c\n"
    ";---\n;  P1 P2 D1 D2\n" + rows(ENERGY, CLOCK, I0, IT),
    "labels as wide as each other": "# Column Headings:\n#"
    + "".join(
        f"{w:<21}" for w in ("Mono Energy *", "Scaler preset time *", "I0", "I1")
    )
    + "\n" + rows(ENERGY, CLOCK, I0, IT),
    "list of labels": "SSRL EXAFS\nPTS: 4 COLS: 5\nWeights:\n 1 1 1 1 1\nOffsets:\n"
    " 0 0 0 0 0\nData:\nReal time clock\nRequested Energy\nAchieved Energy\nI0\nI1\n\n"
    + rows(CLOCK, ENERGY + 7, ENERGY, I0, IT),
    "numbered labels": "#C 1_Energy (keV) 2_sec 3_mononrg 4_i0 5_i1 6_dt\n"
    + rows(ENERGY / 1000, CLOCK, ENERGY / 1000, I0, IT, CLOCK),
    "fluorescence": "E [eV],I0,Mn_Ka\n" + rows(ENERGY, I0, YIELD, sep=","),
    "mu among detectors": "#eBraggEnergy I0_EH1 I1_EH1 mu I1_EH2 IR_EH2 mu_ref\n"
    + rows(ENERGY, I0, I0, MU, I0, I0, MU * 2),
}  # fmt: skip


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_absorption_is_taken_or_computed_and_no_detector_is_a_phase(tmp_path, text):
    path = tmp_path / "scan.dat"
    path.write_text(text)
    references = read_references(path)
    assert references.names in (("MnO",), ("scan",))
    np.testing.assert_allclose(references.energy, ENERGY)
    expected = MU + 0.3 if "Mn_Ka" in text else MU
    np.testing.assert_allclose(references.spectra[0], expected, atol=2e-6)


#: Why a file cannot be used without an answer.
REFUSED = {
    "its 7 columns have no names": rows(ENERGY, I0, IT, MU, I0, I0, MU),
    r"both transmission \(It\) and fluorescence \(If\)":
    "# energy Io It If\n" + rows(ENERGY, I0, IT, YIELD),
    "mufluor, mutrans are all absorption":
    xdi("energy eV", "mufluor", "mutrans") + rows(ENERGY, MU, MU),
    "Pre_KB, I0 are all i0": "# energy Pre_KB I0 It\n" + rows(ENERGY, I0, I0, IT),
    "MonEx, ZCryo may be samples beside detectors":
    "#L Energy  Det1  MonEx  ZCryo\n" + rows(ENERGY, I0, MU, MU),
    "no column is the energy": "Angle(c) Angle(o) time/s 2 3\nMode 0 0 1 3\n"
    + rows(ENERGY / 500, ENERGY / 500, CLOCK, I0, IT),
    "no column is absorption": "energy,clock\n" + rows(ENERGY, CLOCK, sep=","),
    "fluorescence needs one, or is mu":
    "energy(ev)\tTEY\n" + rows(ENERGY, MU, sep="\t"),
    "differ in scale": "energy,run 1,run 2\n" + rows(ENERGY, MU, I0 + 0.5, sep=","),
    "look like counts": "energy,aa,bb\n" + rows(ENERGY, I0, I0, form="%.0f", sep=","),
    "energies -25-135 .* relative to an edge":
    "  Energy  <xanes>\n" + rows(ENERGY - 6425, MU),
    "in 'degrees' by their label": xdi("energy degrees", "mu") + rows(ENERGY, MU),
    "keV by their size, but their label says eV":
    "energy (eV),NiO\n" + rows(ENERGY / 1000, MU, sep=","),
    "may be eV as well as keV": rows(np.linspace(25.0, 25.03, 4), MU),
    "20 and 200000": rows(ENERGY * 100, MU),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_not_clear_is_refused_by_name(tmp_path, why):
    path = tmp_path / "scan.dat"
    path.write_text(REFUSED[why])
    with pytest.raises(InputError, match=why) as caught:
        read_references(path)
    assert "scan.dat" in str(caught.value)


def test_i0_by_the_name_of_its_file_is_no_reference(tmp_path):
    path = tmp_path / "i0.xsp"
    path.write_text(rows(ENERGY, I0))
    with pytest.raises(InputError, match="the name of the file says I0"):
        read_references(path)


def test_the_refusal_lists_the_columns_and_an_answer_computes(tmp_path):
    path = tmp_path / "scan.dat"
    path.write_text("# energy Io It If If2\n" + rows(ENERGY, I0, IT, YIELD, YIELD))
    with pytest.raises(InputError, match=r"2 Io: i0 \(its name says incident"):
        read_references(path)
    of = {"energy": "energy", "i0": 2}
    through = read_references(path, columns=of | {"transmitted": "it"})
    np.testing.assert_allclose(through.spectra[0], MU, atol=1e-6)
    yields = read_references(path, columns="energy=1 i0=Io fluorescence=4,5")
    np.testing.assert_allclose(yields.spectra[0], 2 * MU + 0.6, atol=1e-6)
    for bad, said in (
        ({"mu": "xmu"}, "no column 'xmu'"),
        ({"energy": 1, "mu": 9}, "no column 9"),
        ({"energi": 1}, "no role"),
        ({"energy": 1, "fluorescence": 4}, "0 columns are i0"),
        ({"energy": 1, "i0": 2, "transmitted": [3, 4]}, "more than one column"),
        ({"other.dat": {"energy": 1}}, "columns of 'other.dat'"),
        ("energy:1", "ROLE=COLUMN"),
    ):
        with pytest.raises(InputError, match=said):
            read_references(path, columns=bad)


def test_an_answer_may_be_for_one_of_several_files(tmp_path):
    scan, plain = tmp_path / "scan.dat", tmp_path / "NiO.txt"
    scan.write_text(rows(ENERGY, I0, IT))
    plain.write_text(rows(ENERGY, MU))
    told = "scan.dat:energy=1 scan.dat:i0=2 scan.dat:transmitted=3"
    references = read_references([scan, plain], columns=told)
    assert references.names == ("scan", "NiO")
    np.testing.assert_allclose(references.spectra, [MU, MU], atol=1e-6)


def test_rows_without_counts_name_row_and_both_numbers(tmp_path):
    path = tmp_path / "scan.dat"
    path.write_text("# energy i0 it\n" + rows(ENERGY, I0, IT * [1, 1, 0, 1]))
    with pytest.raises(InputError, match=r"row 3 has no ln\(i0 / it\): i0 is 92000"):
        read_references(path)


def test_a_library_needs_no_question_and_what_was_computed_is_said(tmp_path, caplog):
    library = tmp_path / "lib.csv"
    library.write_text("energy (eV),Na2VPF,FePO4\n" + rows(ENERGY, MU, MU, sep=","))
    assert read_tables([library])[0].is_plain
    assert read_references(library).names == ("Na2VPF", "FePO4")
    scan = tmp_path / "scan.dat"
    scan.write_text("# energy i0 it\n" + rows(ENERGY, I0, IT))
    with caplog.at_level(logging.INFO):
        assert not read_tables([scan])[0].is_plain
        read_references(scan)
    assert "mu = ln(i0 / it)" in caplog.text


@pytest.mark.parametrize("broken", [0, 1, 3])
def test_a_broken_row_does_not_become_a_header(tmp_path, broken):
    lines = rows(ENERGY, MU).splitlines()
    lines[broken] = lines[broken].replace(".", ".4.", 1)
    path = tmp_path / "scan.dat"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="is not 2 numbers like"):
        read_references(path)
