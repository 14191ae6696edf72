"""Tables with a row per particle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.io.particle_table import read_particle_table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_by_particle(tmp_path: Path, mark: str) -> None:
    lines = ["particle,charge (%),batch", "P1.hdr,80,x", "P2,9.5,", "other,1,y", ""]
    path = tmp_path / "charge.csv"
    path.write_text("\n".join(lines).replace(",", mark), encoding="utf-8-sig")
    assert read_particle_table(path, ["P1", "P2", "P3"]) == {
        "charge (%)": {"P1": "80", "P2": "9.5"},
        "batch": {"P1": "x"},
    }


def test_a_table_of_other_particles_is_refused_with_both_names(tmp_path: Path) -> None:
    path = tmp_path / "charge.csv"
    path.write_text("particle,charge\nQ1,80\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"Q1.*P1"):
        read_particle_table(path, ["P1"])


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "charge.csv"
    path.write_text(f"particle,charge\nP1,{'8' * 200_000}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"charge\.csv is no table"):
        read_particle_table(path, ["P1"])


@pytest.mark.parametrize("text", ["", "particle\nP1\n"])
def test_a_table_without_values_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "charge.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="second column"):
        read_particle_table(path, ["P1"])
