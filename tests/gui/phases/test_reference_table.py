from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_phasemap import ReferenceSpectra, SpectralStack, StackSet, read_references
from napari_phasemap.views.phases.reference_table import ReferenceTable
from napari_phasemap.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.gui


def test_references_are_made_renamed_left_out_and_saved(
    qtbot: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    told: list[Exception] = []
    monkeypatch.setattr(
        "napari_phasemap.views.phases.reference_table.tell_error", told.append
    )
    energy = np.array([500.0, 501.0, 502.0])
    data = np.random.default_rng(0).random((3, 2, 2))
    workspace = Workspace()
    workspace.set_stacks(
        StackSet([SpectralStack(data, energy, quantity="optical_density", name="P1")])
    )
    workspace.references = ReferenceSpectra(["a", "b"], energy, [[1, 2, 1], [0, 1, 2]])
    table = ReferenceTable(workspace)
    qtbot.addWidget(table)
    workspace.events.references.connect(table.show_references)
    table.show_references(workspace.references)
    assert list(table.sources()) == ["particle P1"]
    table.make("particle P1")
    assert workspace.references.names == ("a", "b", "mean of particle P1")
    np.testing.assert_allclose(
        workspace.references.spectra[2], data.mean(axis=(1, 2)), rtol=1e-6
    )
    assert table._table.item(2, 3).text()
    table._table.item(1, 0).setText("hematite")
    assert workspace.references.names[1] == "hematite"
    table._table.item(1, 0).setText("a")
    assert "names repeat" in str(told[0])
    assert table._table.item(1, 0).text() == "hematite"
    table._table.selectRow(0)
    table._leave.click()
    assert workspace.references.names == ("hematite", "mean of particle P1")
    table.save(tmp_path / "mine.csv")
    assert read_references(tmp_path / "mine.csv").names == workspace.references.names
