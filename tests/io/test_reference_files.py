from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap import ReferenceSpectra, read_references, write_references
from napari_phasemap.core.data.errors import InputError

SPECTRA = ReferenceSpectra(
    ["Na2.4VPF", "LiFe(II)PO4 a"], [510.1, 511.25, 513.0], [[0.1, 2, 1], [3, 1e-3, 2]]
)


@pytest.mark.parametrize("name", ["lib.csv", "lib.nor", "lib.xdi"])
def test_references_are_read_back_without_a_question(tmp_path, name):
    path = write_references(SPECTRA, tmp_path / name)
    again = read_references(path)
    assert again.names == SPECTRA.names
    np.testing.assert_allclose(again.energy, SPECTRA.energy)
    np.testing.assert_allclose(again.spectra, SPECTRA.spectra)
    with pytest.raises(FileExistsError):
        write_references(SPECTRA, path)


def test_names_and_endings_that_would_not_be_read_back_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"does not end with one of .csv"):
        write_references(SPECTRA, tmp_path / "lib.xlsx")
    odd = ReferenceSpectra(["a,b", "time"], SPECTRA.energy, SPECTRA.spectra)
    with pytest.raises(InputError, match="'a,b', 'time'"):
        write_references(odd, tmp_path / "lib.csv")
