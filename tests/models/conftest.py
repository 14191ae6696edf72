"""Tiny trained models, made once for all tests."""

from __future__ import annotations

import pytest
from tiny_model import ENERGY, TINY, tiny_spectra


@pytest.fixture(scope="session")
def spectra():
    return tiny_spectra()


@pytest.fixture(scope="session")
def trained(spectra):
    from napari_phasemap.models.gmvae import GMVAE

    model = GMVAE(seed=3, n_threads=1, **TINY)
    return model.fit(spectra, energy=ENERGY, names=["P1", "P2"])
