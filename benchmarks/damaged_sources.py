"""Small whole files of every format that is read, to be damaged.

* `made`: one of each, written into a folder.
* `signal`: values as RosettaSciIO writes them.
* `given`: files that somebody has, one of each ending in each folder.
"""

from __future__ import annotations

import json
import shutil
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import imageio.v3 as iio
import numpy as np

from napari_phasemap import (
    Results,
    StackSet,
    estimate_i0,
    optical_density,
    pearson_map,
    read_references,
    read_stack,
    write_results,
)
from napari_phasemap.io.read import companions
from napari_phasemap.io.samples import sample_paths, sample_references
from napari_phasemap.pipeline import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["SHAPE", "Source", "given", "made", "signal"]

#: Rows and columns of masks, and energies, rows and columns of what is made here.
SHAPE = (20, 30)
N_ENERGIES, N_ROWS, N_COLS = 12, 3, 4
#: Larger files are left out: what is damaged are headers, and they are the same there.
LARGEST = 3 << 20
#: How files are read, by their endings; all others are read as stacks.
REFERENCES = {".csv", ".xsp", ".txt", ".nor", ".dat", ".r", ".t"}
STACKS = {
    ".hdr", ".hdf5", ".h5", ".nxs", ".hspy", ".emd", ".dm3", ".dm4", ".msa", ".tif",
    ".npz", ".npy", ".ser", ".emi", ".bcf", ".rpl", ".prz", ".zspy",
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A file or folder to be damaged: its format, how it is read, where it lies."""

    format: str
    kind: str
    path: Path

    @property
    def parts(self) -> list[Path]:
        """What can be damaged: the file first, then what is read with it."""
        found = [] if self.path.is_dir() else [self.path]
        if self.kind == "model":
            return sorted(self.path.iterdir())
        return found + (companions(self.path) if self.kind == "stack" else [])

    @property
    def top(self) -> Path:
        """What is copied so that the parts lie as they do here."""
        return self.path if self.path.is_dir() else self.path.parent


def made(folder: Path) -> Iterator[Source]:
    """Write one small file of each format into a folder of its own."""
    for name, path in zip(
        ("SDF", "NXstxm", "TIFF", "own stack"), sample_paths(), strict=True
    ):
        yield Source(name, "stack", _copied(path, folder / path.stem))
    yield Source(
        "CSV spectra", "references", _copied(sample_references()[0], folder / "refs")
    )
    yield from _masks(folder)
    yield from _own(folder)
    yield from _others(folder)
    yield from _microscopes(folder)


def given(places: list[Path]) -> Iterator[Source]:
    """Return files that somebody has, one of each ending in each folder at most."""
    seen: set[tuple[Path, str]] = set()
    for place in places:
        for path in sorted([place] if place.is_file() else place.rglob("*")):
            ending = path.suffix.lower()
            if ending not in STACKS | REFERENCES or (path.parent, ending) in seen:
                continue
            if path.is_file() and path.stat().st_size < LARGEST:
                seen.add((path.parent, ending))
                kind = "references" if ending in REFERENCES else "stack"
                yield Source(f"{ending} (real)", kind, path)


def _copied(path: Path, folder: Path) -> Path:
    """Copy a file and what is read with it into a new folder."""
    folder.mkdir(parents=True)
    for one in (path, *companions(path)):
        shutil.copy(one, folder)
    return folder / path.name


def _masks(folder: Path) -> Iterator[Source]:
    mask = np.random.default_rng(0).random(SHAPE) < 0.7
    (folder / "mask").mkdir()
    for name in ("png", "tif", "npy", "txt"):
        path = folder / "mask" / f"mask.{name}"
        if name == "npy":
            np.save(path, mask)
        elif name == "txt":
            rows = ("".join("1" if x else "0" for x in row) for row in mask)
            path.write_text("\n".join(rows))
        else:
            iio.imwrite(path, 255 * mask.astype(np.uint8))
        yield Source(f"{name} mask", "mask", path)


def _own(folder: Path) -> Iterator[Source]:
    """Results, a recipe and a table of particles."""
    stack = read_stack(sample_paths()[1])
    stacks = StackSet([optical_density(stack, estimate_i0(stack))])
    references = read_references(sample_references())
    maps = {"phase_map": pearson_map(stacks, references)}
    (folder / "own").mkdir()
    path = folder / "own" / "results.h5"
    found = Results(
        stacks, references, maps, features={"a": np.arange(stacks.n_pixels)}
    )
    yield Source("own results", "results", write_results(found, path))
    recipe = Recipe(sample_paths(), sample_references())
    path = folder / "own" / "recipe.json"
    path.write_text(json.dumps(recipe.to_dict(), indent=2))
    yield Source("recipe", "recipe", path)
    path = folder / "own" / "states.csv"
    path.write_text("particle,charge,side\nP1,0.5,left\nP2,0.7,right\n")
    yield Source("particle table", "table", path)


def _others(folder: Path) -> Iterator[Source]:
    """Arrays, a MANTiS exchange file and spectra in columns."""
    (folder / "others").mkdir()
    data = np.random.default_rng(1).poisson(500, (N_ENERGIES, N_ROWS, N_COLS))
    energy = np.linspace(280.0, 292.0, N_ENERGIES)
    path = folder / "others" / "arrays.npz"
    np.savez(path, data=data.astype("f4"), energy=energy, mask=data[0] > 0)
    yield Source("npz", "stack", path)
    path = folder / "others" / "array.npy"
    np.save(path, data.astype("f4"))
    path.with_suffix(".txt").write_text("\n".join(map(str, energy)))
    yield Source("npy", "stack", path)
    path = folder / "others" / "exchange.hdf5"
    with h5py.File(path, "w") as file:
        file["implements"] = "information:exchange:spectromicroscopy"
        file["exchange/data"] = data.transpose(2, 1, 0).astype("f4")
        file["exchange/energy"] = energy
        file["exchange/x"], file["exchange/y"] = np.arange(N_COLS), np.arange(N_ROWS)
    yield Source("MANTiS exchange", "stack", path)
    path = folder / "others" / "spectrum.xsp"
    table = "\n".join(f"{e:.2f}  {np.sin(e):.5f}" for e in energy)
    path.write_text(f"% 1d\n% name {N_ENERGIES}\n{table}\n")
    yield Source("xsp spectrum", "references", path)


def _microscopes(folder: Path) -> Iterator[Source]:
    """What RosettaSciIO writes, and a series of Thermo Fisher's."""
    from importlib import import_module

    (folder / "em").mkdir()
    modules = {
        "hspy": "hspy", "zspy": "zspy", "emd": "emd", "rpl": "ripple", "msa": "msa",
        "prz": "pantarhei",
    }  # fmt: skip
    shape = (N_ROWS, N_COLS, N_ENERGIES)
    counts = np.random.default_rng(2).poisson(50, shape).astype(np.float32)
    for ending, module in modules.items():
        path = folder / "em" / f"{ending}_made.{ending}"
        writer = import_module(f"rsciio.{module}").file_writer
        writer(str(path), signal(counts[0, 0] if ending == "msa" else counts))
        yield Source(ending, "stack", path)
    path = folder / "em" / "series.ser"
    path.write_bytes(_series())
    yield Source("ser", "stack", path)


def signal(data: NDArray[np.float32]) -> dict[str, Any]:
    """Return a signal as RosettaSciIO wants it; the last axis is the energy."""
    names = ("y", "x", "Energy loss")[-data.ndim :]
    axes = [
        {
            "name": name, "size": size, "units": "eV" if "E" in name else "nm",
            "scale": 1.0, "offset": 100.0 if "E" in name else 0.0,
            "navigate": "E" not in name, "_type": "UniformDataAxis",
            "index_in_array": number, "is_binned": False,
        }
        for number, (name, size) in enumerate(zip(names, data.shape, strict=True))
    ]  # fmt: skip
    return {
        "data": data, "axes": axes, "original_metadata": {}, "learning_results": {},
        "metadata": {
            "General": {"title": "made", "original_filename": "made"},
            "Signal": {"signal_type": "EELS"},
        },
        "package_info": {"package": "made", "package_version": "0"},
        "attributes": {"_lazy": False}, "models": {}, "tmp_parameters": {},
    }  # fmt: skip


def _series() -> bytes:
    """Return a TIA series of spectra along a line, as its published layout says."""
    dimension = struct.pack("<IddI", N_COLS, 0.0, 1e-9, 0)
    words = struct.pack("<I", 8) + b"Position" + struct.pack("<I", 1) + b"m"
    head = 30 + len(dimension) + len(words)
    values = np.random.default_rng(3).poisson(50, N_ENERGIES).astype("<f4").tobytes()
    element = struct.pack("<ddIHI", 100.0, 1.0, 0, 7, N_ENERGIES) + values
    tag = struct.pack("<HI", 0x4152, 0)
    first = head + 8 * N_COLS
    data_at = [first + n * len(element) for n in range(N_COLS)]
    tags_at = [first + N_COLS * len(element) + n * len(tag) for n in range(N_COLS)]
    begin = struct.pack(
        "<HHHIIII", 0x4949, 0x0197, 0x0210, 0x4120, 0x4152, N_COLS, N_COLS
    )
    begin += struct.pack("<II", head, 1)
    offsets = struct.pack(f"<{2 * N_COLS}I", *data_at, *tags_at)
    return begin + dimension + words + offsets + element * N_COLS + tag * N_COLS
