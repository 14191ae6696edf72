"""Which classes of two maps lie on the same pixels more often than chance has it.

* `mutual_information`: how much two label maps say about each other, with its null.
* `ClassPairs`: the table of pairs of classes.

Labels are spatially correlated, so pixels are no independent samples: shifting one map
against the other keeps both maps' own structure and breaks what they share.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from napari_phasemap.core.bonds.label_shifts import (
    ShiftNull,
    permutation_null,
    shift_null,
)
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.phasemap import PhaseMap
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.data.stack_set import as_set

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from napari_phasemap.core.data.stack_set import Stacks

__all__ = ["ClassPairs", "Null", "mutual_information"]

Null: TypeAlias = Literal["shift", "permutation"]

#: Name of class 0 in tables.
ABSENT = "(absent)"
#: Columns of `ClassPairs.rows`.
COLUMNS = (
    "a", "b", "n", "expected", "log2_lift", "contribution", "z", "p", "p_family",
    "direction",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class ClassPairs:
    """How often classes of two maps share a pixel. Row and column 0 are class 0.

    Parameters
    ----------
    names_a, names_b : tuple of str
        Names, class 0 first.
    n : ndarray of int of shape (n_a + 1, n_b + 1)
        Pixels of each pair.
    expected : ndarray of float of the same shape
        Pixels if the maps were independent.
    contribution : ndarray of the same shape
        Share of each pair in `bits`; negative for depleted pairs.
    z : ndarray of the same shape
        Deviation from the null in its standard deviations; NaN where not tested.
        Dimensionless.
    p, p_family : ndarray of the same shape
        Two-sided p of each pair alone, and with all pairs that were tested.
        Dimensionless.
    bits : float
        Mutual information in bits.
    excess : float
        `bits` minus its mean under the null.
    p_value : float
        Share of the null with at least as much mutual information.
    normalized, adjusted : float
        Mutual information over the mean entropy; and corrected for chance [1]_.
    null : {"shift", "permutation"}
        What was compared with.
    n_null : int
        Shifts or permutations compared with, the maps as they are included: no p is
        below 1 / n_null.
    n_pixels : int
        Pixels that were counted.

    References
    ----------
    .. [1] N. X. Vinh, J. Epps, J. Bailey, J. Mach. Learn. Res. 11, 2837 (2010).
    """

    names_a: tuple[str, ...]
    names_b: tuple[str, ...]
    n: NDArray[np.int64]
    expected: NDArray[np.float64]
    contribution: NDArray[np.float64]
    z: NDArray[np.float64]
    p: NDArray[np.float64]
    p_family: NDArray[np.float64]
    bits: float
    excess: float
    p_value: float
    normalized: float
    adjusted: float
    null: Null
    n_null: int
    n_pixels: int

    @property
    def nats(self) -> float:
        """Mutual information in nats."""
        return self.bits * float(np.log(2.0))

    @property
    def log2_lift(self) -> NDArray[np.float64]:
        """Log2 of n / expected; -inf where nothing is shared, NaN for empty classes."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.expected > 0, np.log2(self.n / self.expected), np.nan)

    def significant(self, alpha: float = 0.01) -> NDArray[np.bool_]:
        """Return which pairs have a family-wise p below `alpha`.

        Parameters
        ----------
        alpha : float, default=0.01
            Largest chance that any pair of unrelated maps is among those found.

        Returns
        -------
        bool ndarray of shape (n_classes_a, n_classes_b)
            False where a pair was not tested.
        """
        with np.errstate(invalid="ignore"):
            found: NDArray[np.bool_] = self.p_family < alpha
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per pair, largest absolute z first, untested pairs last."""
        order = np.argsort(-np.nan_to_num(np.abs(self.z), nan=-1.0), axis=None)
        lift = self.log2_lift
        table = []
        for a, b in zip(*np.unravel_index(order, self.n.shape), strict=True):
            table.append(
                {
                    "a": self.names_a[a],
                    "b": self.names_b[b],
                    "n": int(self.n[a, b]),
                    "expected": float(self.expected[a, b]),
                    "log2_lift": float(lift[a, b]),
                    "contribution": float(self.contribution[a, b]),
                    "z": float(self.z[a, b]),
                    "p": float(self.p[a, b]),
                    "p_family": float(self.p_family[a, b]),
                    "direction": _direction(self.n[a, b], self.expected[a, b]),
                }
            )
        return table

    def to_csv(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write `rows` as a comma-separated file.

        Parameters
        ----------
        path : str or path
            The file to write.
        overwrite : bool, default=False
            Replace an existing file.

        Raises
        ------
        FileExistsError
            If the file exists and `overwrite` is False.
        """
        target = Path(path)
        if target.exists() and not overwrite:
            raise FileExistsError(f"{target} exists; choose another name or overwrite")
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows())

    def __repr__(self) -> str:
        lines = [
            f"ClassPairs, {self.n_pixels} pixels, {self.bits:.4f} bits "
            f"({self.nats:.4f} nats)",
            f"  excess {self.excess:.4f} bits, p {self.p_value:.3g} of {self.n_null} "
            f"({self.null}); normalized {self.normalized:.3f}, adjusted "
            f"{self.adjusted:.3f}",
            "  pair                                n  expected   lift       z   p all",
        ]
        for row in self.rows()[:8]:
            lines.append(
                f"  {row['a'] + ' & ' + row['b']:<28.28} {row['n']:>8} "
                f"{row['expected']:>9.1f} {2.0 ** row['log2_lift']:>6.2f} "
                f"{row['z']:>7.2f} {row['p_family']:>8.3g}"
            )
        return "\n".join(lines)


def mutual_information(
    classes_a: PhaseMap | NDArray[Any],
    classes_b: PhaseMap | NDArray[Any],
    /,
    *,
    stacks: Stacks | None = None,
    null: Null = "shift",
    n_null: int = 9999,
    least_expected: float = 5.0,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> ClassPairs:
    """Measure how much two label maps of the same pixels know about each other.

    ``I = sum p_ij log2(p_ij / (p_i p_j))`` over all pairs of classes, class 0 ("this
    edge is absent") included: an element without its neighbor is also a bond.

    Parameters
    ----------
    classes_a, classes_b : PhaseMap or ndarray of int
        Labels per pixel in pixel order, or images of shape (n_rows, n_cols).
    stacks : StackSet, SpectralStack or sequence of SpectralStack, optional
        Where the pixels lie; not needed for images.
    null : {"shift", "permutation"}, default="shift"
        * "shift": one map moved over the other in all ways, around the borders. Pixels
          of one map that meet no pixel of the other are left out, and what is expected
          follows from those that meet. Shifts that keep less than half of the pixels
          are left out.
        * "permutation": pixels exchanged at random. Only for labels without spatial
          correlation; it calls unrelated maps of grains bonded.
    n_null : int, default=9999
        Random permutations, or random combinations of shifts of several stacks. All
        shifts of one stack are always used.
    least_expected : float, default=5.0
        Pairs with fewer expected pixels are not tested: their z, p are NaN.
    seed : int, default=0
        Seed of what is random.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    ClassPairs
        Mutual information with its null, and the table of pairs.

    Raises
    ------
    ValueError
        If the maps differ in size, or the pixels' places are unknown.

    Notes
    -----
    The p of a pair compares ``(n - expected) / sqrt(expected)``, less its mean over the
    null, with all shifts; the family-wise p compares z with the largest |z| over all
    tested pairs in every shift. Structure as large as the image leaves few independent
    shifts, and p cannot become small.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> image = (rng.random((32, 32)) > 0.5).astype(int) + 1
    >>> pairs = mutual_information(image, image)
    >>> round(pairs.bits, 2), bool(pairs.p_value < 0.002)
    (1.0, True)
    """
    if null not in get_args(Null):
        raise InputError(f"{null=} is not one of {get_args(Null)}")
    labels_a, names_a = _labels(classes_a)
    labels_b, names_b = _labels(classes_b)
    if labels_a.shape != labels_b.shape:
        raise InputError(
            f"maps of {labels_a.shape} and {labels_b.shape} labels; both edges must be "
            "classified on the same pixels"
        )
    if labels_a.size == 0:
        raise InputError("the maps have no pixels; the mask leaves none over")
    images = _images(labels_a, labels_b, stacks, null)
    flat_a = np.concatenate([image[0][image[2]] for image in images])
    flat_b = np.concatenate([image[1][image[2]] for image in images])
    sizes = len(names_a), len(names_b)
    n = np.bincount(
        flat_a.astype(np.int64) * sizes[1] + flat_b, minlength=sizes[0] * sizes[1]
    ).reshape(sizes)
    total = int(n.sum())
    expected = np.outer(n.sum(axis=1), n.sum(axis=0)) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(n > 0, n / total * np.log2(n / expected), 0.0)
    tested = expected >= least_expected
    result: ShiftNull
    if null == "shift":
        result = shift_null(images, sizes, tested, n_null, seed, on_progress)
    else:
        result = permutation_null(
            flat_a, flat_b, sizes, tested, n_null, seed, on_progress
        )
    bits = float(parts.sum())
    normalized, adjusted = _normalized(flat_a, flat_b, n, bits)
    return ClassPairs(
        names_a=names_a,
        names_b=names_b,
        n=n,
        expected=expected,
        contribution=parts,
        z=result.z,
        p=result.p,
        p_family=result.p_family,
        bits=bits,
        excess=bits - result.mean_bits,
        p_value=result.p_bits,
        normalized=normalized,
        adjusted=adjusted,
        null=null,
        n_null=result.n_null,
        n_pixels=total,
    )


def _labels(
    classes: PhaseMap | NDArray[Any],
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return labels and names, class 0 first."""
    if isinstance(classes, PhaseMap):
        return np.asarray(classes.labels, dtype=np.int64), (ABSENT, *classes.names)
    labels = np.asarray(classes)
    if not np.issubdtype(labels.dtype, np.integer) or (
        labels.size and labels.min() < 0
    ):
        raise TypeError(f"labels are integers from 0; got {labels.dtype}")
    labels = labels.astype(np.int64)
    highest = int(labels.max()) if labels.size else 0
    return labels, (ABSENT, *(f"class {i}" for i in range(1, highest + 1)))


def _images(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    stacks: Stacks | None,
    null: str,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]:
    """Return images of both labels and the mask, one per stack."""
    if stacks is None:
        if a.ndim == 2:
            return [(a, b, np.ones(a.shape, dtype=bool))]
        if null == "permutation" and a.ndim == 1:
            return [(a, b, np.ones(a.shape, dtype=bool))]
        raise InputError(
            f"labels of shape {a.shape} do not say where the pixels lie; give stacks="
        )
    stacks = as_set(stacks)
    if a.ndim == 2:
        a, b = stacks.join([a]), stacks.join([b])
    return [
        (
            stacks.to_image(a, index, fill=0),
            stacks.to_image(b, index, fill=0),
            np.asarray(stack.mask),
        )
        for index, stack in enumerate(stacks.stacks)
        if stack.n_pixels
    ]


def _normalized(
    a: NDArray[np.int64], b: NDArray[np.int64], n: NDArray[np.int64], bits: float
) -> tuple[float, float]:
    """Return normalized (arithmetic mean) and adjusted mutual information."""
    from sklearn.metrics import adjusted_mutual_info_score

    entropies = []
    for counts in (n.sum(axis=1), n.sum(axis=0)):
        p = counts[counts > 0] / counts.sum()
        entropies.append(-float((p * np.log2(p)).sum()))
    mean = sum(entropies) / 2.0
    if mean <= 0:
        return 0.0, 0.0
    return bits / mean, float(adjusted_mutual_info_score(a, b))


def _direction(n: int, expected: float) -> str:
    return "enriched" if n > expected else "depleted"
