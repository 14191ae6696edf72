"""Every real stack and spectrum of the shared data, against its known answers."""

from __future__ import annotations

import numpy as np
import pytest

from napari_phasemap import read_mask, read_references, read_spectrum, read_stack


@pytest.fixture(scope="module")
def als(real_data):
    folder = real_data / "als-toner-71214078-fe2p"
    return folder, read_stack(folder / "71214078" / "71214078.hdr")


def test_the_als_stack_has_its_decimals_and_its_last_energy(als):
    _, stack = als
    assert stack.data.shape == (123, 125, 125)
    assert stack.energy[[0, -1]].tolist() == [700.0, 730.353]
    assert stack.pixel_size == (80.0, 80.0)
    assert stack.origin == "lower"
    assert stack.data[0, 0, :3].tolist() == [353.0, 371.0, 346.0]
    assert not stack.missing_frames.any()
    assert (np.asarray(stack.data) % 1 != 0).any()


def test_the_als_tiff_equals_the_sdf_bit_for_bit(als):
    folder, stack = als
    tiff = folder / "derived" / "71214078_counts.tif"
    for energies in (folder / "Energy.txt", stack.energy):
        other = read_stack(tiff, energies=energies)
        assert other.data.tobytes() == stack.data.tobytes()
        np.testing.assert_array_equal(other.energy, stack.energy)


def test_the_als_i0_is_the_brightest_five_per_cent(als):
    folder, stack = als
    energy, i0 = read_spectrum(folder / "answers" / "i0.xsp")
    np.testing.assert_allclose(energy, stack.energy, atol=5e-3)
    spectra = stack.spectra()
    mean = spectra.mean(axis=1)
    ratio = spectra[mean > np.percentile(mean, 95)].mean(axis=0) / i0
    np.testing.assert_allclose(ratio, 0.43368, rtol=3e-3)


def test_the_als_mask_and_references_are_read(als):
    folder, stack = als
    mask = read_mask(folder / "answers" / "mask_file.msk", stack.shape)
    assert mask.mean() == pytest.approx(0.280, abs=5e-4)
    references = read_references(
        [folder / "answers" / name for name in ("oxidized.t", "reduced.t")]
    )
    assert references.names == ("oxidized", "reduced")
    assert references.energy[references.spectra[0].argmax()] == pytest.approx(
        709.67, abs=0.01
    )
    assert references.spectra.max(axis=1) == pytest.approx([1.197, 0.933], abs=1e-3)


def test_the_maxiv_stack_is_read(real_data):
    stack = read_stack(real_data / "sdf-maxiv" / "max_iv.hdr")
    assert stack.data.shape == (2, 10, 10)
    assert stack.energy.tolist() == [698.0, 700.0]
    assert stack.pixel_size == (50.0, 50.0)
    assert stack.data[0, 0, :4].tolist() == [1251, 1281, 1275, 1303]


@pytest.mark.parametrize(
    ("name", "shape", "energies", "pixel"),
    [
        ("Stack_2021-03-16_128", (4, 50, 50), (280.0, 320.0), (500.0, 500.0)),
        ("Line_2021-03-16_096", (81, 1, 50), (280.0, 320.0), (300.0, 300.0)),
        ("Image_2021-03-16_095", (1, 50, 50), (350.0, 350.0), (1000.0, 1000.0)),
    ],
)
def test_pollux_files_are_read(real_data, name, shape, energies, pixel):
    stack = read_stack(real_data / "pollux-nxstxm-2021" / f"Sample_{name}.hdf5")
    assert stack.data.shape == shape
    assert tuple(stack.energy[[0, -1]]) == energies
    assert stack.pixel_size == pixel
    assert 400 < stack.metadata["ring_current"].mean() < 402


def test_the_hermes_file_is_read(real_data):
    stack = read_stack(real_data / "nxstxm-hermes" / "small_OK.hdf5")
    assert stack.data.shape == (2, 2, 2)
    assert stack.energy.tolist() == [100.1, 101.1]
    assert stack.metadata["entry1"]["collection"]["beamline"] == "Hermes"


def test_the_mn3o4_arrays_are_read(real_data):
    stack = read_stack(real_data / "mn3o4-eels-rank2" / "SI_data.npz")
    assert stack.data.shape == (138, 24, 22)


@pytest.mark.parametrize(
    ("files", "n_energies", "names"),
    [
        (["c-K-xanesquant/PEEK.txt"], 216, ("PEEK",)),
        (["c-K-xanesquant/PES_S2.txt"], 136, ("PES",)),
        (["c-K-xanesquant/PLA-CO_S2.txt"], 226, ("PLA-CO_S2",)),
        (["c-K-xanesquant/nebulotron.txt"], 421, ("CO-N2 Clean",)),
        (["fe-K-library/ref_NiO.txt", "fe-K-library/ref_LiNiO2.txt"], None,
         ("ref_NiO", "ref_LiNiO2")),
        (["eels-db/al2o3-alK/data.msa"], 226, ("Al2O3_Al_K_Flank_1xray",)),
        (["eels-db/bn-lowloss/data.msa"], 546, ("BN_EELS-Low-Loss_Stephan_Odile_225",)),
        (["eels-db/yag-oK/data.msa"], 1340, ("Y3Al5O12_O_K_Saso_Sturm_182",)),
    ],
)  # fmt: skip
def test_real_references_are_read(real_data, files, n_energies, names):
    folder = real_data / "reference-spectra"
    references = read_references([folder / file for file in files])
    assert references.names == names
    assert n_energies in (None, references.n_energies)


def test_the_iron_library_has_its_eleven_names(real_data):
    path = real_data / "reference-spectra" / "fe-K-library" / "FeLibNov2021.nor"
    references = read_references(path)
    assert len(references) == 11
    assert references.names[6] == "LiFe(II)PO4"
    assert references.spectra[0, 0] == 0.0031976961
