"""Colors of labels layers.

* `label_colors`: one color per label, all other labels transparent.
* `shown_colors`: the colors that a layer shows, whoever chose them.
* `changed_colors`: what a user wants instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.utils.colormaps import CyclicLabelColormap

from napari_phasemap.core.data.palettes import PALETTE, phase_colors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Labels

__all__ = ["changed_colors", "label_colors", "shown_colors"]

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


def shown_colors(layer: Labels, n_labels: int) -> tuple[str, ...]:
    """Return the colors of labels 1 to `n_labels` as "#rrggbb"; "" for a clear one."""
    table = layer.colormap.map(np.arange(1, n_labels + 1, dtype=np.uint8))
    return tuple(
        "#" + "".join(f"{round(255 * float(part)):02x}" for part in color[:3])
        if color[3] > 0
        else ""
        for color in table
    )


def changed_colors(layer: Labels, colors: Sequence[str]) -> tuple[str, ...]:
    """Return the colors that a user wants instead of `colors`; empty for the same.

    napari's button for other colors shuffles the whole table, in which most entries are
    clear; it is answered with other colors of ours.
    """
    if layer.show_selected_label:
        return ()  # the other labels are hidden, not recolored
    shown = shown_colors(layer, len(colors))
    if shown == tuple(colors) or not shown:
        return ()
    if all(shown):
        return shown
    rng, palette = np.random.default_rng(), phase_colors(max(len(PALETTE), len(shown)))
    drawn = tuple(colors)
    while drawn == tuple(colors):
        drawn = tuple(rng.permutation(palette)[: len(shown)].tolist())
    return drawn
