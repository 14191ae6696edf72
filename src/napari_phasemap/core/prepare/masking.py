"""Which pixels are analyzed.

* `mask_from`: by Otsu's threshold, by limits, by drawn polygons, by a loaded image.
* `mean_image`: the mean over energies, which the first two look at.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from napari_phasemap.core.data.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_phasemap.core.data.stack import SpectralStack

__all__ = [
    "MaskMethod",
    "chosen_pixels",
    "image_mask",
    "inside_polygons",
    "mask_from",
    "mean_image",
]

MaskMethod: TypeAlias = Literal["otsu", "threshold", "polygon", "mask"]

#: Bins of the histogram in which Otsu's threshold is looked for.
N_BINS = 256


def mask_from(
    stack: SpectralStack,
    /,
    *,
    method: MaskMethod = "otsu",
    low: float | None = None,
    high: float | None = None,
    polygons: Sequence[ArrayLike] = (),
    mask: ArrayLike | None = None,
) -> NDArray[np.bool_]:
    """Choose the pixels that are analyzed.

    Parameters
    ----------
    stack : SpectralStack
        Optical density or net counts for "otsu" and "threshold", anything otherwise.
        Its own mask is not used.
    method : {"otsu", "threshold", "polygon", "mask"}, default="otsu"
        * "otsu": pixels whose mean over energies is above Otsu's threshold [1]_, which
          splits the histogram into the two most compact classes.
        * "threshold": pixels whose mean over energies is from `low` to `high`. An
          optical density above about 1 to 2 is no longer linear in thickness.
        * "polygon": pixels whose center lies in at least one of `polygons`.
        * "mask": pixels where `mask` is not 0.
    low, high : float, optional
        For "threshold": smallest and largest mean.
    polygons : sequence of array_like of shape (n_vertices, 2)
        For "polygon": vertices (row, column) in pixels; pixel (i, j) has its center at
        (i, j).
    mask : array_like of shape (n_rows, n_cols), optional
        For "mask": for example a loaded image, dimensionless: what is not 0 is kept.

    Returns
    -------
    ndarray of bool of shape (n_rows, n_cols)
        True where a pixel is analyzed. Pixels with NaN at an energy whose frame is not
        missing are never kept.

    Raises
    ------
    ValueError
        If no pixel would be kept, if `stack` holds counts where a mean optical density
        is needed, or if an argument of the method is missing.

    Warns
    -----
    UserWarning
        If "threshold" or "polygon" keeps every pixel.

    References
    ----------
    .. [1] N. Otsu, IEEE Trans. Syst. Man Cybern. 9 (1979) 62-66,
       DOI: 10.1109/TSMC.1979.4310076

    Examples
    --------
    >>> from napari_phasemap.core.data.stack import SpectralStack
    >>> data = [[[0.1, 0.2, 1.1]], [[0.1, 0.1, 1.3]]]
    >>> od = SpectralStack(data, [280.0, 285.0], quantity="optical_density")
    >>> mask_from(od).tolist()
    [[False, False, True]]
    """
    kept, note = chosen_pixels(
        stack, method=method, low=low, high=high, polygons=polygons, mask=mask
    )
    if note:
        warnings.warn(note, stacklevel=2)
    return kept


def chosen_pixels(
    stack: SpectralStack,
    /,
    *,
    method: MaskMethod = "otsu",
    low: float | None = None,
    high: float | None = None,
    polygons: Sequence[ArrayLike] = (),
    mask: ArrayLike | None = None,
) -> tuple[NDArray[np.bool_], str]:
    """Choose the pixels that are analyzed, and say what is odd about the choice.

    Parameters
    ----------
    stack, method, low, high, polygons, mask
        As for `mask_from`.

    Returns
    -------
    kept : ndarray of bool of shape (n_rows, n_cols)
        As for `mask_from`.
    note : str
        What `mask_from` warns of, empty where there is nothing.

    Raises
    ------
    ValueError
        As for `mask_from`.
    """
    mean = mean_image(stack)
    finite = np.isfinite(mean)
    if not finite.any():
        raise InputError(f"{stack.name!r} has no pixel with a value at every energy")
    if method == "polygon":
        if not len(polygons):
            raise InputError('method="polygon" needs at least one polygon')
        kept = inside_polygons(stack.shape, polygons)
    elif method == "mask":
        kept = image_mask(stack, mask, "mask")
    elif method in ("otsu", "threshold"):
        if stack.quantity == "counts":
            raise InputError(
                f"{stack.name!r} holds counts, which are small where the sample is; "
                "convert with optical_density first"
            )
        low = _otsu_threshold(mean[finite]) if method == "otsu" else low
        kept = _between(mean, low, high)
    else:
        raise InputError(f"{method=} is not one of otsu, threshold, polygon, mask")
    kept = kept & finite
    span = f"mean values are {mean[finite].min():.4g} to {mean[finite].max():.4g}"
    if not kept.any():
        raise InputError(
            f"the mask by {method} keeps no pixel of {stack.name!r}; {span}"
        )
    note = ""
    if kept.all() and method != "mask":
        note = (
            f"the mask by {method} keeps all {kept.size} pixels of {stack.name!r}; "
            f"{span}"
        )
    return kept, note


def mean_image(stack: SpectralStack, /) -> NDArray[np.float32]:
    """Return the mean over energies, of shape (n_rows, n_cols).

    Missing frames are left out; a pixel with NaN in another frame is NaN.

    Parameters
    ----------
    stack : SpectralStack
        Of any quantity.

    Returns
    -------
    ndarray of float32 of shape (n_rows, n_cols)
        In the unit of the stack.
    """
    present = np.flatnonzero(~stack.missing_frames)
    total = np.zeros(stack.shape)
    for index in present:
        total += np.asarray(stack.data[index])
    mean: NDArray[np.float32] = (total / max(len(present), 1)).astype(np.float32)
    return mean


def image_mask(
    stack: SpectralStack, mask: ArrayLike | None, name: str
) -> NDArray[np.bool_]:
    """Return a given mask as bool of the stack's shape, or raise ValueError.

    Parameters
    ----------
    stack : SpectralStack
        Whose shape the mask must have.
    mask : array_like of shape (n_rows, n_cols), or None
        Dimensionless; what is not 0 is kept.
    name : str
        What the user calls it, for the message.

    Returns
    -------
    bool ndarray of shape (n_rows, n_cols)
        True where a pixel is kept.
    """
    if mask is None:
        raise InputError(f'method="{name}" needs {name}, an image of {stack.shape}')
    values = np.asarray(mask)
    if values.shape != stack.shape:
        raise InputError(
            f"{values.shape=} of the {name} != {stack.shape} of {stack.name!r}"
        )
    return np.asarray(values != 0)


def inside_polygons(
    shape: tuple[int, int], polygons: Sequence[ArrayLike]
) -> NDArray[np.bool_]:
    """Return True inside at least one polygon of (row, column) vertices.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    polygons : sequence of array_like of shape (n_vertices, 2)
        Rows and columns in pixels; three vertices or more each.

    Returns
    -------
    bool ndarray of shape (n_rows, n_cols)
        True where the center of a pixel is inside.
    """
    from skimage.draw import polygon2mask

    kept = np.zeros(shape, dtype=bool)
    for vertices in polygons:
        corners = np.asarray(vertices, dtype=float)
        if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
            raise InputError(
                f"a polygon has three or more (row, column) vertices; got shape "
                f"{corners.shape}"
            )
        kept |= polygon2mask(shape, corners)
    return kept


def _between(
    mean: NDArray[np.float32], low: float | None, high: float | None
) -> NDArray[np.bool_]:
    """Return where the mean is from low to high; an open end is None."""
    if low is None and high is None:
        raise InputError('method="threshold" needs low, high or both')
    above = mean >= (-np.inf if low is None else low)
    return above & (mean <= (np.inf if high is None else high))


def _otsu_threshold(values: NDArray[np.float32]) -> float:
    """Return the edge between the two classes with the largest variance between."""
    if values.min() == values.max():
        raise InputError(
            f"all pixels have the same mean, {values.min():g}: there is nothing to "
            "separate; draw a region instead"
        )
    counts, edges = np.histogram(values.astype(np.float64), bins=N_BINS)
    centers = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = values.size - below
    sums = np.cumsum(counts * centers)
    means_below = sums[:-1] / np.maximum(below, 1)
    means_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    between = below * above * (means_below - means_above) ** 2
    return float(edges[int(np.argmax(between)) + 1])
