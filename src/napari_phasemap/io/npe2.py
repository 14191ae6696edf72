"""How a stack is laid on napari's canvas: layer data without napari.

* `image_grid`: scale, offset, units and axis labels of a 2-D layer of a stack.
* `stack_layer`: the stack itself as an image layer (energy, row, column).

Rows stay in the order of the file. Where the first row is the lowest y, a negative
row scale shows the layer the right way up, so that every layer agrees with the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = ["METADATA_KEY", "contrast_limits", "image_grid", "stack_layer"]

#: The one key under which this plugin writes into a layer's metadata.
METADATA_KEY = "phasemap"

#: How many times brighter than most the brightest frame is where frames fade.
FADING = 2.5

LayerData = tuple[Any, dict[str, Any], str]


def image_grid(
    stack: SpectralStack, left: float = 0.0, *, in_nm: bool = True
) -> dict[str, Any]:
    """Return the placement of a 2-D layer on the pixel grid of `stack`.

    Parameters
    ----------
    stack : SpectralStack
        Whose rows and columns the layer has.
    left : float, default=0.0
        World coordinate of the first column: particles lie side by side.
    in_nm : bool, default=True
        Use nm where the stack knows its pixel size; False places it in pixels, as
        beside a stack that does not.

    Returns
    -------
    dict
        `scale`, `translate`, `units` and `axis_labels` of the layer.
    """
    known = in_nm and stack.pixel_size is not None
    dy, dx = stack.pixel_size if known and stack.pixel_size else (1.0, 1.0)
    unit = "nm" if known else "pixel"
    top = 0.0
    if stack.origin == "lower":
        top = (stack.shape[0] - 1) * dy
        dy = -dy
    return {
        "scale": (dy, dx),
        "translate": (top, left),
        "units": (unit, unit),
        "axis_labels": ("y", "x"),
    }


def stack_layer(stack: SpectralStack, *, in_nm: bool = True) -> LayerData:
    """Return a stack as an image layer with axes energy, y, x; see `image_grid`.

    The energy axis counts frames: energies are not uniform, so that no scale and
    offset could express them; the energy in eV is shown as text on the canvas.

    Parameters
    ----------
    stack : SpectralStack
        What to show.
    in_nm : bool, default=True
        Scale by the pixel size; else one pixel is one unit.

    Returns
    -------
    LayerData
        Data, metadata and the type of layer.
    """
    grid = image_grid(stack, in_nm=in_nm)
    lows, highs = _frame_limits(stack)
    attributes = {
        "name": stack.name,
        "scale": (1.0, *grid["scale"]),
        "translate": (0.0, *grid["translate"]),
        "units": ("pixel", *grid["units"]),
        "axis_labels": ("energy", *grid["axis_labels"]),
        "contrast_limits": _common_limits(lows, highs),
        "auto_contrast": stack.quantity == "counts" and _fades(highs),
        "colormap": "gray",
        "metadata": {METADATA_KEY: {"kind": "stack", "stack": stack}},
    }
    return stack.data, attributes, "image"


def contrast_limits(stack: SpectralStack) -> tuple[float, float]:
    """Return limits for all frames: lowest 1st to highest 99.8th percentile.

    Where single frames are much brighter than most, as below the first edge of an EELS
    spectrum, the limit is three times the usual one, or most frames would be black.

    Parameters
    ----------
    stack : SpectralStack
        What to show.

    Returns
    -------
    tuple of float
        In the unit of the stack.
    """
    return _common_limits(*_frame_limits(stack))


def _common_limits(lows: NDArray[Any], highs: NDArray[Any]) -> tuple[float, float]:
    if not highs.size:
        return 0.0, 1.0
    low, high = lows.min(), min(highs.max(), 3.0 * np.median(highs))
    return float(low), float(high if high > low else low + 1.0)


def _fades(highs: NDArray[Any]) -> bool:
    """Return whether no common limits show all frames, so that each needs its own."""
    return bool(highs.size and highs.max() > FADING * np.median(highs))


def _frame_limits(stack: SpectralStack) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the 1st and 99.8th percentile of every frame that holds something."""
    step = tuple(max(1, n // 64) for n in stack.shape)
    sample = np.asarray(stack.data[:, :: step[0], :: step[1]])
    present = sample[np.isfinite(sample).any(axis=(1, 2))]
    if not present.size:
        return np.zeros(0), np.zeros(0)
    lows, highs = np.nanpercentile(present, [1.0, 99.8], axis=(1, 2))
    return lows, highs
