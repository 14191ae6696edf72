from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_phasemap.core.simulate import synthetic
from napari_phasemap.views.phases.plan_energies import PlanEnergies

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.gui


def test_energies_are_chosen_drawn_and_written(
    viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    dock = PlanEnergies(viewer)
    qtbot.addWidget(dock)
    assert not dock._choose.isEnabled()
    energy = np.linspace(505.0, 540.0, 36)
    dock.workspace.references = synthetic.references(energy)
    dock._number.setValue(4)
    dock._form["forced"].value = "505"
    dock._dwell.setValue(2.5)
    dock._choose.click()
    qtbot.waitUntil(lambda: dock.planned is not None, timeout=60_000)
    plan = dock.planned.plan
    assert plan.energy[0] == 505.0
    assert "4 energies" in dock._said.text()
    dashed = [one for one in dock._plots[0].axes.lines if one.get_linestyle() == "--"]
    assert [one.get_xdata()[0] for one in dashed] == plan.energy.tolist()
    dock.save(tmp_path / "energies.txt")
    np.testing.assert_allclose(
        np.loadtxt(tmp_path / "energies.txt"),
        np.stack([plan.energy, np.full(4, 2.5)], axis=1),
    )
