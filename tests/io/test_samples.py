from __future__ import annotations

import runpy

import numpy as np
import pytest

from napari_phasemap.io.read import read_stack
from napari_phasemap.io.samples import (
    sample_folder,
    sample_paths,
    sample_references,
    sample_truth,
)
from napari_phasemap.io.spectra import read_references


def data_files(folder):
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*"))}
    return {
        name: path
        for name, path in found.items()
        if path.is_file() and path.suffix not in (".py", ".pyc", ".md")
    }


def test_the_script_makes_the_sample_files_again_bit_for_bit(tmp_path):
    script = runpy.run_path(str(sample_folder() / "make_samples.py"))
    script["main"](tmp_path)
    made, kept = data_files(tmp_path), data_files(sample_folder())
    assert made.keys() == kept.keys()
    for name, path in made.items():
        if name.suffix in (".h5", ".hdf5", ".npz", ".tif"):
            continue  # compression differs between library versions: contents below
        assert path.read_bytes() == kept[name].read_bytes(), name
    for name in ("P2.hdf5", "P3.tif", "P4.h5"):
        one, other = read_stack(tmp_path / name), read_stack(sample_folder() / name)
        np.testing.assert_array_equal(one.data, other.data)


@pytest.mark.parametrize("number", range(4))
def test_every_sample_opens_as_counts_on_the_same_energies_with_its_truth(number):
    stack = read_stack(sample_paths()[number])
    assert stack.name == f"P{number + 1}"
    assert stack.quantity == "counts"
    assert stack.energy[0] == 505.0
    assert stack.n_energies == 13
    assert sample_truth()[stack.name].shape == stack.shape


def test_the_references_of_the_samples_are_those_of_the_simulator():
    spectra = read_references(sample_references())
    assert spectra.names == ("Na3VPF", "Na2.4VPF", "Na2VPF", "Na1VPF", "Na1-yVPF")
    energy = read_stack(sample_paths()[0]).energy
    assert spectra.resample(energy).closest_pair()[2] == pytest.approx(0.005, abs=2e-4)


def test_the_sample_files_are_small():
    total = sum(path.stat().st_size for path in data_files(sample_folder()).values())
    assert total < 5e6
