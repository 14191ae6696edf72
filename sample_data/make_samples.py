"""Make the sample files again, bit for bit: ``python make_samples.py [FOLDER]``.

Four simulated particles at different states of charge, each in another file format,
with the references of the five phases and the truth beside them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.simulate.synthetic import Particle, particle, references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: Name, image size, state of charge and seed.
PARTICLES = (
    ("P1", (60, 84), 0.10, 11),
    ("P2", (72, 66), 0.45, 12),
    ("P3", (64, 90), 0.70, 13),
    ("P4", (70, 76), 0.95, 15),
)
DWELL_MS = 2.0


def main(folder: Path) -> None:
    """Write all sample files into a folder."""
    simulated = [
        particle(shape, seed=seed, charge=charge, n_domains=24, name=name)
        for name, shape, charge, seed in PARTICLES
    ]
    folder.mkdir(parents=True, exist_ok=True)
    write_references(folder / "references.csv")
    write_truth(folder / "truth.npz", simulated)
    write_sdf(folder / "P1", simulated[0])
    write_nxstxm(folder / "P2.hdf5", simulated[1])
    write_tiff(folder / "P3.tif", simulated[2])
    write_own(folder / "P4.h5", simulated[3])


def write_references(path: Path) -> None:
    """Write the references as one table with a column per phase."""
    table = references(np.arange(500.0, 550.05, 0.1))
    rows = ["energy (eV)," + ",".join(table.names)]
    for energy, *values in zip(table.energy, *table.spectra, strict=True):
        rows.append(f"{energy:.1f}," + ",".join(f"{value:.5f}" for value in values))
    write_text(path, rows)


def write_truth(path: Path, simulated: Iterable[Particle]) -> None:
    """Write the true phase and the true fractions of every pixel."""
    arrays = {}
    for one in simulated:
        arrays[f"labels_{one.counts.name}"] = one.labels
        arrays[f"fractions_{one.counts.name}"] = one.fractions.round(3)
    np.savez_compressed(path, **arrays)


def write_sdf(folder: Path, simulated: Particle) -> None:
    """Write an SDF header and one text image per energy; row 0 is the lowest y."""
    folder.mkdir(exist_ok=True)
    stack = simulated.counts
    y, x = (axis.round(3).tolist() for axis in positions(simulated))
    energy = stack.energy.tolist()
    header = [
        f'ScanDefinition = {{ Label = "{stack.name}.hdr"; Type = "NEXAFS Image Scan";'
        f' Flags = "Image Stack"; Dwell = {DWELL_MS};',
        "\tRegions = (1,",
        "{",
        f"\t\t\tPAxis = {sdf_axis('Sample X', 'um', x)}",
        f"\t\t\tQAxis = {sdf_axis('Sample Y', 'um', y)}",
        "});",
        f"\tStackAxis = {sdf_axis('Energy', 'eV', energy)}",
        '\tChannels = (1, { Name = "counter0"; Unit = "counts"; });',
        "};",
        "StorageRingCurrent = 500.0;",
    ]
    write_text(folder / f"{stack.name}.hdr", header)
    for number, frame in enumerate(stack.data.astype(int)):
        lines = ("\t".join(map(str, row)) + "\t" for row in frame.tolist())
        write_text(folder / f"{stack.name}_a{number:03d}.xim", lines)


def sdf_axis(name: str, unit: str, points: list[float]) -> str:
    """Return an axis in the grammar of SDF, where item 0 is the number of points."""
    values = ", ".join(map(str, [len(points), *points]))
    limits = f"Min = {points[0]}; Max = {points[-1]}; Dir = 1;"
    return (
        f'{{ Name = "{name}"; Unit = "{unit}"; {limits}\n\t\t\tPoints = ({values}); }};'
    )


def write_nxstxm(path: Path, simulated: Particle) -> None:
    """Write NXstxm HDF5 as the PolLux beamline does; row 0 is the lowest y."""
    import h5py

    stack = simulated.counts
    y, x = positions(simulated)
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry1"
        entry = file.create_group("entry1")
        entry.attrs["NX_class"] = b"NXentry"
        entry["definition"] = np.array([b"NXstxm"])
        entry["title"] = np.array([b"P2, simulated"])
        group = entry.create_group("counter0")
        group.attrs["NX_class"] = b"NXdata"
        group.attrs["signal"] = b"data"
        group.attrs["axes"] = np.array([b"energy", b"sample_y", b"sample_x"])
        counts = stack.data.astype(np.uint16)
        group.create_dataset("data", data=counts, compression="gzip")
        group["stxm_scan_type"] = np.array([b"sample image stack"])
        group["count_time"] = np.full(stack.n_energies, DWELL_MS / 1000.0)
        for name, values, unit in (
            ("energy", stack.energy, "eV"),
            ("sample_y", y, "um"),
            ("sample_x", x, "um"),
        ):
            group[name] = values
            group[name].attrs["units"] = np.bytes_(unit)


def write_tiff(path: Path, simulated: Particle) -> None:
    """Write one page per energy, and the energies as text beside it."""
    import tifffile

    counts = simulated.counts.data.astype(np.uint16)
    assert simulated.counts.pixel_size is not None
    dy, dx = simulated.counts.pixel_size
    tifffile.imwrite(
        path,
        counts,
        imagej=True,
        photometric="minisblack",
        resolution=(1000 / dx, 1000 / dy),
        metadata={"axes": "ZYX", "unit": "um"},
    )
    lines = [f"{value:.1f}" for value in simulated.counts.energy]
    write_text(path.with_suffix(".txt"), ["* energies in eV", *lines])


def write_own(path: Path, simulated: Particle) -> None:
    """Write this program's own HDF5."""
    from napari_phasemap.io.stackfile import write_stack

    write_stack(simulated.counts, path, overwrite=True)


def positions(simulated: Particle) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rows and columns in micrometers."""
    assert simulated.counts.pixel_size is not None
    y, x = (
        np.arange(n) * size / 1000.0
        for n, size in zip(
            simulated.counts.shape, simulated.counts.pixel_size, strict=True
        )
    )
    return y, x


def write_text(path: Path, lines: Iterable[str]) -> None:
    """Write lines with the same line ends on every system."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
