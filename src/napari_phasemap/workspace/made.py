"""What results were made from.

* `Made`: kept in the workspace, read by `path`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_phasemap.core.data.references import ReferenceSpectra

__all__ = ["Made"]


@dataclass(frozen=True, eq=False)
class Made:
    """What results were made from, to see whether they still hold.

    Parameters
    ----------
    references : ReferenceSpectra, optional
        Of the last phase map; None where it needed none or there was none yet.
    threshold : float, optional
        Of the last resolved map.
    saved : tuple of object
        Phase map, resolved map, threshold and edges as they were last written to disk.
    """

    references: ReferenceSpectra | None = None
    threshold: float | None = None
    saved: tuple[Any, ...] = ()
