"""Fixtures that write small files, see `writers`."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from writers import DIALECTS, sdf_text, write_entry, write_image


@pytest.fixture
def write_sdf(tmp_path):
    """Write a stack of one or more regions; returns the header."""

    def write(frames, energy, *, name="scan", x0=10.0, step=0.05, y_down=False, **text):
        frames = frames if isinstance(frames, list) else [frames]
        regions = []
        for data in frames:
            y = np.arange(data.shape[1]) * step
            regions.append(
                (
                    ("Sample X", "um", x0 + np.arange(data.shape[2]) * step),
                    ("Sample Y", "um", y[::-1] if y_down else y),
                )
            )
        header = tmp_path / f"{name}.hdr"
        if len(frames) > 1:
            text.setdefault("flags", "Multi-Region Image Stack")
        header.write_text(sdf_text(regions, energy, **text))
        for region, data in enumerate(frames):
            digit = str(region) if len(frames) > 1 else ""
            for number, image in enumerate(data):
                write_image(tmp_path / f"{name}_a{number:03d}{digit}.xim", image)
        return header

    return write


@pytest.fixture
def write_nxstxm(tmp_path):
    """Write one entry of a dialect; returns the path."""

    def write(data, energy, dialect="PolLux", *, name="scan.hdf5", **entry):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            write_entry(file, "entry1", data, energy, DIALECTS[dialect], **entry)
        return path

    return write
