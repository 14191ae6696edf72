from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtWidgets import QWidget

from napari_phasemap.io.spectra import read_tables
from napari_phasemap.views.phases.column_roles import ColumnRoles

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.gui


def test_a_choice_between_two_ways_is_asked_drawn_and_used(
    qtbot: Any, tmp_path: Path
) -> None:
    scan, plain = tmp_path / "scan.dat", tmp_path / "NiO.txt"
    scan.write_text("# energy Io It If\n6500 9 3 4\n6501 9 2 5\n6502 9 1 6\n")
    plain.write_text("6500 1\n6502 2\n")
    parent = QWidget()
    qtbot.addWidget(parent)
    asked = ColumnRoles(read_tables([plain, scan]), parent)
    got: list[Any] = []
    asked.chosen.connect(got.append)
    assert asked._file.currentText() == "scan.dat"
    assert "both transmission" in asked._said.text()
    assert not asked.use.isEnabled()
    asked.set_role(3, "other")
    assert asked._said.text() == "mu = ln(Io / It); 3 energies, 6500 to 6502 eV"
    np.testing.assert_allclose(
        asked._plot.axes.lines[0].get_ydata(), np.log([3.0, 4.5, 9.0])
    )
    asked.use.click()
    assert got[0].names == ("NiO", "scan")
    np.testing.assert_allclose(got[0].spectra[0], [1.0, 1.5, 2.0])
