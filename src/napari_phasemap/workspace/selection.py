"""A named set of pixels.

* `Selection`: its pixels and color.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Selection"]


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
