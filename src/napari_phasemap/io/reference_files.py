"""References into files that this program and others read.

* `write_references`: as CSV with a header, or as XDI as Athena writes libraries.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.prepare.column_words import role_of
from napari_phasemap.io.atomic import replacing

if TYPE_CHECKING:
    from os import PathLike

    from napari_phasemap.core.data.references import ReferenceSpectra

__all__ = ["write_references"]


def write_references(
    references: ReferenceSpectra,
    path: str | PathLike[str],
    /,
    *,
    overwrite: bool = False,
) -> Path:
    """Write references as text columns over the energy.

    Parameters
    ----------
    references : ReferenceSpectra
        What to write.
    path : str or path
        Ends with .csv for a header line and commas, with .nor or .xdi for XDI [1]_.
    overwrite : bool, default=False
        Replace an existing file.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    InputError
        If the ending is another, or a name would not be read back.

    Notes
    -----
    Standard errors are not written: their columns would be taken for references.

    References
    ----------
    .. [1] B. Ravel, M. Newville, J. Phys. Conf. Ser. 712, 012148 (2016),
       DOI: 10.1088/1742-6596/712/1/012148
    """
    path, names = Path(path), references.names
    strange = [
        name for name in names if set(name) & set(',;"\n\t#|') or role_of(name)[0]
    ]
    if strange:
        raise InputError(
            "a reference in a file is not called like a column of a detector and has "
            f"no , ; # | or quotes: {', '.join(map(repr, strange))}; rename them"
        )
    rows = np.column_stack([references.energy, *references.spectra])
    if path.suffix.lower() == ".csv":
        lines = [",".join(["energy (eV)", *names])]
        lines += [",".join(f"{value:.9g}" for value in row) for row in rows]
    elif path.suffix.lower() in (".nor", ".xdi"):
        labels = ["energy eV", *names]
        lines = ["# XDI/1.0 napari-phasemap"]
        lines += [f"# Column.{k}: {label}" for k, label in enumerate(labels, start=1)]
        lines += ["#" + 24 * "-"]
        lines += [" ".join(f"{value:.9g}" for value in row) for row in rows]
    else:
        raise InputError(f"{path.name!r} does not end with one of .csv, .nor, .xdi")
    with replacing(path, overwrite=overwrite) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
