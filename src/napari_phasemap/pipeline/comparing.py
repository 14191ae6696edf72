"""Compare methods on files, with a truth where one is known.

* `compare`: the table of `compare_methods`, printed and written.
* `read_truth`: known phases of every pixel.
"""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.latent.comparison import MethodComparison, compare_methods
from napari_phasemap.core.latent.latent import LatentSpace
from napari_phasemap.models.gmvae import GMVAE
from napari_phasemap.pipeline.collecting import collect
from napari_phasemap.pipeline.folders import check_folder, replacing_folder
from napari_phasemap.pipeline.learning import encode
from napari_phasemap.pipeline.parameters import Correlation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.pipeline.summary import Failure

__all__ = ["Compared", "compare", "read_truth"]

METHODS, AGREEMENT = "methods.csv", "agreement.csv"


@dataclass(frozen=True, eq=False)
class Compared:
    """What `compare` led to.

    Parameters
    ----------
    comparison : MethodComparison
        Its `repr` is the table.
    failures : tuple of Failure
        Particles that are not in it.
    """

    comparison: MethodComparison
    failures: tuple[Failure, ...]


def compare(
    stacks: Sequence[str | PathLike[str]],
    references: Sequence[str | PathLike[str]],
    /,
    *,
    model: str | PathLike[str] | None = None,
    truth: str | PathLike[str] | None = None,
    output: str | PathLike[str] | None = None,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    **parameters: Any,
) -> Compared:
    """Classify particles by every method and compare the maps.

    Parameters
    ----------
    stacks, references : sequence of path
        As for `run`.
    model : path, optional
        Folder of a trained model; the assignments in its latent space are compared too.
    truth : path, optional
        File with the known phases, see `read_truth`.
    output : path, optional
        Folder for methods.csv and agreement.csv.
    overwrite : bool, default=False
        Replace the tables of an earlier comparison.
    on_progress : callable, optional
        May raise `Cancelled`.
    **parameters
        Fields of `Correlation`: `threshold`, `i0`, `mask` and the others.

    Returns
    -------
    Compared

    Raises
    ------
    FileExistsError
        If the folder holds something that may not be replaced.
    OSError
        If a file or the model cannot be read.
    ValueError
        If no particle could be analyzed or the truth does not fit them.
    """
    from napari_phasemap.io.spectra import read_references

    wanted = Correlation(**parameters)
    if output is not None:
        check_folder(Path(output), _tables, overwrite=overwrite)
    spectra = read_references(
        references,
        energy_unit=wanted.energy_unit,
        columns=wanted.reference_columns,
    )
    checks: list[Callable[[Any], object]] = [spectra.resample]
    network = None if model is None else GMVAE.load(model)
    if network is not None:
        checks.append(network.check_energy)
    found = collect(stacks, wanted, checks=checks, on_progress=on_progress)
    known = None if truth is None else read_truth(truth, found.stacks, len(spectra))
    latents = {}
    if network is not None:
        on_progress(len(stacks), len(stacks), "encoding")
        latent, markers = encode(network, found.stacks, spectra)
        latents["GMVAE"] = LatentSpace(latent, np.array(list(markers.values())))
    on_progress(len(stacks), len(stacks), "comparing")
    comparison = compare_methods(
        found.stacks, spectra, known, latents=latents, threshold=wanted.threshold
    )
    if output is not None:
        _write(comparison, Path(output), overwrite=overwrite)
    return Compared(comparison, found.failures)


def read_truth(
    path: str | PathLike[str], stacks: StackSet, n_phases: int, /
) -> NDArray[np.int64]:
    """Read the known phase of every analyzed pixel.

    Parameters
    ----------
    path : path
        ``.npz`` with an array per particle, under its name or ``labels_`` and its name,
        or for one particle ``.npy`` or ``.tif``. Arrays of shape (n_rows, n_cols);
        phases are counted from 1 in the order of the references, 0 is unknown.
    stacks : StackSet
        The particles.
    n_phases : int
        The largest label allowed.

    Returns
    -------
    ndarray of int of shape (n_pixels,)
        In pixel order.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it lacks a particle, or shape or values do not fit.
    """
    path = Path(path)
    try:
        images = _images(path, stacks.names)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path.name} holds no known phases: {error}") from error
    for stack, image in zip(stacks, images, strict=True):
        where = f"{path.name}, {stack.name}"
        if image.shape != stack.shape:
            raise InputError(f"{where}: {image.shape} known phases != {stack.shape}")
        whole = image.dtype.kind in "iub" or bool((image == np.round(image)).all())
        if not whole or image.min() < 0 or image.max() > n_phases:
            raise InputError(
                f"{where}: known phases are whole numbers from 0 (unknown) to "
                f"{n_phases}; got {image.min()} to {image.max()}"
            )
    joined: NDArray[np.int64] = stacks.join(images).astype(np.int64)
    return joined


def _images(path: Path, names: Sequence[str]) -> list[NDArray[Any]]:
    """Return one array per particle."""
    kind = path.suffix.lower()
    if kind == ".npz":
        with np.load(path, allow_pickle=False) as file:
            keys = [n if n in file.files else f"labels_{n}" for n in names]
            absent = [
                n for n, key in zip(names, keys, strict=True) if key not in file.files
            ]
            if absent:
                raise InputError(f"there is nothing for {', '.join(absent)}")
            return [file[key] for key in keys]
    if len(names) != 1:
        raise InputError(f"one image for {len(names)} particles; give an .npz file")
    if kind == ".npy":
        return [np.load(path, allow_pickle=False)]
    if kind in (".tif", ".tiff"):
        import tifffile

        return [np.asarray(tifffile.imread(path))]
    raise InputError(f"{kind!r} is not one of .npz, .npy, .tif")


def _write(comparison: MethodComparison, output: Path, *, overwrite: bool) -> None:
    """Write both tables."""
    names = list(comparison.maps)
    with replacing_folder(output, _tables, overwrite=overwrite) as folder:
        _write_csv(folder / METHODS, [comparison.header, *comparison.rows])
        agreement = comparison.agreement.tolist()
        rows = [[name, *row] for name, row in zip(names, agreement, strict=True)]
        _write_csv(folder / AGREEMENT, [["method", *names], *rows])


def _write_csv(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _tables(output: Path) -> set[str]:
    """Return the files that a comparison wrote."""
    both = {METHODS, AGREEMENT}
    return both if all((output / name).is_file() for name in both) else set()
