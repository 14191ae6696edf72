"""A tiny network and tiny data, for tests in this process and in others."""

from __future__ import annotations

import numpy as np

ENERGY = np.linspace(510.0, 530.0, 9)
TINY = {
    "hidden": (8, 4),
    "epochs": 2,
    "min_steps": 0,
    "batch_size": 16,
    "precision": "float32",
}


def tiny_spectra(n_spectra: int = 64, seed: int = 0) -> np.ndarray:
    """Return spectra of two phases of different thickness, with noise."""
    rng = np.random.default_rng(seed)
    peaks = np.exp(-0.5 * ((ENERGY - np.array([[516.0], [523.0]])) / 1.5) ** 2)
    thickness = rng.uniform(0.3, 1.2, (n_spectra, 1))
    clean = thickness * (0.2 + peaks[np.arange(n_spectra) % 2])
    return (clean + rng.normal(0, 0.01, clean.shape)).astype(np.float32)
