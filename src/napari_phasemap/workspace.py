"""What is open and what is chosen: the one state that two views share.

* `Workspace`: an evented dataclass; views write to it and listen to it.
* `Selection`: a named set of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from psygnal import SignalGroupDescriptor

from napari_phasemap.core.phasemap import DEFAULT_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_phasemap.core.phasemap import PhaseMap
    from napari_phasemap.core.references import ReferenceSpectra
    from napari_phasemap.core.stack import SpectralStack, StackSet

__all__ = ["Selection", "Workspace"]


@dataclass(frozen=True, eq=False)
class Selection:
    """A named set of pixels with its color.

    Parameters
    ----------
    name : str
        Shown in lists and legends.
    pixels : bool ndarray of shape (n_pixels,)
        True where a pixel belongs to the selection.
    color : str
        Hexadecimal color.
    """

    name: str
    pixels: NDArray[np.bool_]
    color: str


def _is(old: Any, new: Any) -> bool:
    """Whether two values are the same object: arrays are never compared."""
    return old is new


#: Fields that hold arrays: "changed" means another object.
_ARRAY_FIELDS = (
    "sources",
    "stacks",
    "references",
    "phase_map",
    "resolved",
    "latent",
    "features",
    "selection",
    "selections",
)


@dataclass(eq=False)
class Workspace:
    """State of one viewer. Values are replaced, never changed in place.

    Assigning a field emits ``workspace.events.<field>`` with the new value, in the
    thread that assigns: only the GUI thread may. Assigning the same object is silent.

    Parameters
    ----------
    sources : tuple of SpectralStack
        Everything that was opened, counts or optical density, in order.
    stacks : StackSet, optional
        The stacks under analysis. Assigning it drops what was computed per pixel of
        the old ones, if the pixels differ (see `set_stacks`).
    references : ReferenceSpectra, optional
        As loaded, on their own energy axis.
    phase_map : PhaseMap, optional
        Pearson phase map (or classes) of all pixels of `stacks`.
    resolved : PhaseMap, optional
        The map after ambiguous pixels were resolved in a latent space.
    latent : ndarray of float32 of shape (n_pixels, n_latent), optional
        Latent coordinates; their axes are named by `latent_name`.
    latent_name : str
        What made `latent`: "GMVAE", "PCA", "UMAP".
    features : mapping of str to ndarray of shape (n_pixels,)
        Any other per-pixel values that a scatter may be colored by.
    selection : bool ndarray of shape (n_pixels,), optional
        The current selection; None without stacks.
    selections : tuple of Selection
        Named selections.
    cursor : int, optional
        The pixel that all views point at, chosen by a click.
    hover : int, optional
        The pixel under the mouse; views show it before `cursor` (see `pointed`).
    energy_index : int
        Frame shown.
    threshold : float
        Smallest unambiguous Q1 - Q2.
    """

    sources: tuple[SpectralStack, ...] = ()
    stacks: StackSet | None = None
    references: ReferenceSpectra | None = None
    phase_map: PhaseMap | None = None
    resolved: PhaseMap | None = None
    latent: NDArray[np.float32] | None = None
    latent_name: str = ""
    features: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    selection: NDArray[np.bool_] | None = None
    selections: tuple[Selection, ...] = ()
    cursor: int | None = None
    hover: int | None = None
    energy_index: int = 0
    threshold: float = DEFAULT_THRESHOLD

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor(
        equality_operators=dict.fromkeys(_ARRAY_FIELDS, _is)
    )

    def set_stacks(self, stacks: StackSet | None) -> None:
        """Analyze other stacks: what was computed per pixel of the old ones goes."""
        if stacks is self.stacks:
            return
        self.cursor = None
        self.hover = None
        self.selections = ()
        self.selection = None
        self.resolved = None
        self.features = {}
        self.latent = None
        self.latent_name = ""
        self.phase_map = None
        self.stacks = stacks
        if stacks is not None:
            self.selection = np.zeros(stacks.n_pixels, dtype=bool)

    @property
    def pointed(self) -> int | None:
        """The pixel to show: the one under the mouse, else the chosen one."""
        return self.hover if self.hover is not None else self.cursor

    def best_map(self) -> PhaseMap | None:
        """Return the resolved map where there is one, else the phase map."""
        return self.resolved if self.resolved is not None else self.phase_map
