"""Files and samples into the viewer: what the manifest names.

* `get_reader`, `open_paths`: files by drag and drop, File > Open, and the Data dock.
* `stack_files`, `spectra_files`: what the dialogs offer.
* `sample_particles`, `sample_counts`, `sample_composite`: File > Open Sample.
* `write_layer`: File > Save of a stack layer as our own HDF5.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.io.npe2 import METADATA_KEY, stack_layer
from napari_phasemap.views.shell.link import link_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.io.npe2 import LayerData

__all__ = [
    "composite_stacks",
    "get_reader",
    "open_paths",
    "sample_composite",
    "sample_counts",
    "sample_particles",
    "spectra_files",
    "stack_files",
    "write_layer",
]


def open_paths(
    paths: Sequence[Path],
    /,
    *,
    energies: Any = None,
    detector: str | None = None,
    failures: list[Exception] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> list[SpectralStack]:
    """Read stacks from files, one after the other.

    Parameters
    ----------
    paths : sequence of Path
        Files of any format that `read_stack` knows.
    energies, detector
        As for `read_stack`, for all files.
    failures : list of Exception, optional
        Takes the error of each file that cannot be read, and the others go on; where
        it is None the first such file ends the reading.
    on_progress : callable, optional
        Told the number of files read.

    Returns
    -------
    list of SpectralStack
        A file with several regions gives several.
    """
    from napari_phasemap.io.read import read_stack

    stacks: list[SpectralStack] = []
    for number, path in enumerate(paths):
        on_progress(number, len(paths), f"reading {path.name}")
        try:
            read = read_stack(path, energies=energies, detector=detector)
        except Exception as error:
            if failures is None:
                raise
            failures.append(error)
            continue
        stacks.extend(read if isinstance(read, list) else [read])
    return stacks


def stack_files() -> str:
    """Return what a dialog offers to open as stacks: what the readers name."""
    from napari_phasemap.io.read import pattern

    return f"Stacks ({pattern()});;All files (*)"


def spectra_files() -> str:
    """Return what a dialog offers to open as spectra of references."""
    from napari_phasemap.io.spectra import pattern

    return f"Spectra ({pattern()});;All files (*)"


def get_reader(path: str | list[str]) -> Callable[..., list[LayerData]] | None:
    """Return a reader if every file is one of ours, judged by content."""
    from napari_phasemap.io.read import is_readable

    paths = [path] if isinstance(path, str) else path
    if not all(is_readable(Path(one)) for one in paths):
        return None
    return _read_layers


def _read_layers(path: str | list[str]) -> list[LayerData]:
    paths = [path] if isinstance(path, str) else path
    return _layers(open_paths([Path(one) for one in paths]))


def sample_particles() -> list[LayerData]:
    """Return the sample particles as optical density, background masked."""
    return _layers(sample_densities())


def sample_counts() -> list[LayerData]:
    """Return the sample particles as transmitted counts."""
    from napari_phasemap.io.samples import sample_paths

    return _layers(open_paths(sample_paths()))


def sample_composite() -> list[LayerData]:
    """Return the simulated Si-C composite as an EELS spectrum image."""
    return _layers(composite_stacks())


def composite_stacks(on_progress: OnProgress = ignore_progress) -> list[SpectralStack]:
    """Simulate the Si-C composite: core loss and low loss of the same pixels."""
    from napari_phasemap.core.simulate.synthetic_eels import simulate_si_c

    on_progress(0, 1, "simulating the composite")
    sample = simulate_si_c(seed=0)
    return [sample.core_loss, sample.low_loss]


def sample_densities(on_progress: OnProgress = ignore_progress) -> list[SpectralStack]:
    """Read the sample particles and convert them as the Data dock would."""
    from napari_phasemap.core.prepare.prepare import prepare
    from napari_phasemap.io.samples import sample_paths

    opened = open_paths(sample_paths(), on_progress=on_progress)
    return [prepare(stack) for stack in opened]


def _layers(stacks: Sequence[SpectralStack]) -> list[LayerData]:
    """Return layer data; the viewer's link lays the layers side by side."""
    viewer = napari.current_viewer()
    if viewer is not None:
        link_for(viewer)
    return [stack_layer(stack) for stack in stacks]


def write_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write the stack of an image layer with everything it knows.

    Raises
    ------
    ValueError
        If the layer does not hold a stack: there would be no energies to write.
    """
    from napari_phasemap.io.stackfile import write_stack

    about = attributes.get("metadata", {}).get(METADATA_KEY, {})
    stack = about.get("stack")
    if stack is None:
        raise InputError(
            f"layer {attributes.get('name')!r} holds no spectral stack; choose the "
            "image layer of a particle"
        )
    write_stack(stack, path, overwrite=True)
    return [path]
