"""Where the sample files are.

* `sample_paths`: the particles, each in another format.
* `sample_references`: the spectra of their phases.
* `sample_truth`: what the particles really consist of.
* `sample_folder`: the folder that holds all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sample_folder", "sample_paths", "sample_references", "sample_truth"]

FOLDER = "sample_data"
PARTICLES = ("P1/P1.hdr", "P2.hdf5", "P3.tif", "P4.h5")


def sample_folder() -> Path:
    """Return the folder of the sample files.

    An installed package carries it; a checkout has it beside `src`.

    Raises
    ------
    FileNotFoundError
        If it is in neither place.
    """
    package = Path(__file__).parents[1]
    places = (package / FOLDER, package.parents[1] / FOLDER)
    for place in places:
        if (place / "references.csv").is_file():
            return place
    raise FileNotFoundError(
        f"the sample files are missing; looked in {' and '.join(map(str, places))}"
    )


def sample_paths() -> list[Path]:
    """Return the files of the sample particles, counts in four formats."""
    return [sample_folder() / name for name in PARTICLES]


def sample_references() -> list[Path]:
    """Return the file of the reference spectra, as `read_references` takes it."""
    return [sample_folder() / "references.csv"]


def sample_truth() -> dict[str, NDArray[np.uint8]]:
    """Return the true phase of every pixel of every particle.

    Returns
    -------
    dict of str to ndarray of uint8 of shape (n_rows, n_cols)
        By particle name; phases are counted from 1 in the order of the references, 0
        is outside the particle.
    """
    with np.load(sample_folder() / "truth.npz") as file:
        return {
            name.removeprefix("labels_"): file[name]
            for name in file.files
            if name.startswith("labels_")
        }
