"""Small valid files of every format and dialect, written from parameters."""

from __future__ import annotations

import h5py
import numpy as np


def counts(n_energies=3, n_rows=4, n_cols=5, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n_energies, n_rows, n_cols)
    return (rng.poisson(500, shape) + 0.25).astype(np.float32)


def _points(values):
    return f"({len(values)}, " + ", ".join(f"{value:.4f}" for value in values) + ")"


def _axis(key, name, unit, values):
    return (
        f'{key} = {{ Name = "{name}"; Unit = "{unit}"; Min = 0; Max = 0; Dir = 1;\n'
        f"\tPoints = {_points(values)};\n}};\n"
    )


def sdf_text(
    regions,
    energy,
    *,
    kind="NEXAFS Image Scan",
    flags="Image Stack",
    channels=("counter1",),
    unit="eV",
    extra="",
):
    """`regions` are pairs of axis arguments (name, unit, values) for P and Q."""
    blocks = ",\n".join(
        "{" + _axis("PAxis", *p) + _axis("QAxis", *q) + "}" for p, q in regions
    )
    listed = ",\n".join(f'{{ Name = "{name}"; Unit = "Hz";}}' for name in channels)
    return (
        f'ScanDefinition = {{ Label = "a; {{b"; Type = "{kind}"; Flags = "{flags}";\n'
        f"Regions = ({len(regions)},\n{blocks});\n"
        + _axis("StackAxis", "Energy", unit, energy)
        + f"Channels = ({len(channels)},\n{listed});\n}};\n"
        "Channels = (1,\n{ ID = 6; Far = -6.2774386e+066;});\n"
        "Energy = { LastPosition = 281.5; Status = 0;};\n"
        "BeamFeedback = false; StorageRingCurrent = 253.321;\n" + extra
    )


def write_image(path, image, *, trailing=True, decimals=True):
    end = "\t\n" if trailing else "\n"
    text = "%.6f" if decimals else "%.0f"
    rows = ["\t".join(text % value for value in row) + end for row in image]
    path.write_text("".join(rows))


#: How the writers differ, by beamline.
DIALECTS = {
    "PolLux": {"group": "counter0", "strings": "bytes", "array": True, "axes": "list"},
    "HERMES": {"group": "Counter0", "strings": None, "array": True, "axes": None},
    "CLS": {"group": "counter0", "strings": "str", "array": False, "axes": "str"},
    "I08": {"group": "Counter1", "strings": "bytes", "array": True, "axes": "numbers"},
    "SoftiMAX": {"group": "counter0", "strings": "str", "array": True, "axes": "list"},
    "ALS": {"group": "default", "strings": "bytes", "array": True, "axes": None},
}


def _string(value, dialect):
    value = value.encode() if dialect["strings"] == "bytes" else value
    if not dialect["array"]:
        return value
    kind = "S" if isinstance(value, bytes) else h5py.string_dtype()
    return np.array([value], dtype=kind)


def write_entry(
    file,
    name,
    data,
    energy,
    dialect,
    *,
    kind="sample image stack",
    axes=("energy", "sample_y", "sample_x"),
    positions=None,
    y_down=False,
    group=None,
):
    entry = file.require_group(name)
    counter = entry.create_group(group or dialect["group"])
    counter["data"] = data
    counter["energy"] = energy
    n_rows, n_cols = np.atleast_3d(data).shape[-2:] if data.ndim == 3 else (1, 1)
    y = 20.0 + np.arange(n_rows) * 0.1
    x = 10.0 + np.arange(n_cols) * 0.05
    if positions is not None:
        x, y = positions
    counter["sample_x"], counter["sample_y"] = x, y[::-1] if y_down else y
    if dialect["strings"] is not None:
        entry.attrs["NX_class"] = "NXentry"
        counter.attrs["NX_class"] = np.bytes_("NXdata")
        if "definition" not in entry:
            entry["definition"] = _string("NXstxm", dialect)
        counter["stxm_scan_type"] = _string(kind, dialect)
        counter["energy"].attrs["units"] = "eV"
        for axis in ("sample_x", "sample_y"):
            counter[axis].attrs["units"] = np.bytes_("µm".encode())
    if dialect["axes"] == "list":
        counter.attrs["axes"] = np.array([a.encode() for a in axes])
        counter.attrs["signal"] = np.bytes_("data")
    elif dialect["axes"] == "str":
        counter.attrs["axes"] = np.array(axes, dtype=h5py.string_dtype())
        counter.attrs["signal"] = "data"
    elif dialect["axes"] == "numbers":
        for number, axis in enumerate(axes):
            counter[axis].attrs["axis"] = number + 1
    return entry
