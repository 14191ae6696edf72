"""Colors of labels layers.

* `label_colors`: one color per label, all other labels transparent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.utils.colormaps import CyclicLabelColormap

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["label_colors"]

#: Values that a uint8 label can have.
N_LABELS = 256


def label_colors(colors: Sequence[str]) -> CyclicLabelColormap:
    """Return the colormap of a uint8 labels layer: label i + 1 has ``colors[i]``.

    0 and every label without a color are transparent. As there is one entry for every
    value of uint8, nothing is ever repeated. napari's colormap for single labels would
    do the same, but compiles code for most of a second when the first one is shown.

    Parameters
    ----------
    colors : sequence of str
        "#rrggbb" each; at most 255.
    """
    table = np.zeros((N_LABELS, 4), dtype=np.float32)
    for label, color in enumerate(colors, start=1):
        table[label, :3] = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        table[label, 3] = 1.0
    return CyclicLabelColormap(colors=table)
