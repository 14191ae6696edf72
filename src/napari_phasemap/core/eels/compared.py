"""Which classes of two edges share their pixels, in numbers and in words.

* `compare_maps`: two maps; `Compared`: the result.
* `follow_thickness`: whether classes are bands of thickness.
* `describe`, `describe_pair`, `pair_table`: what the numbers say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_phasemap.core.bonds.mutual_information import ClassPairs, mutual_information
from napari_phasemap.core.data.progress import OnProgress, ignore_progress
from napari_phasemap.core.eels.thickness import (
    Thickness,
    thickness_bins,
    thickness_warning,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import Stacks

__all__ = [
    "Compared",
    "compare_maps",
    "describe",
    "describe_pair",
    "follow_thickness",
    "pair_table",
]


@dataclass(frozen=True, eq=False)
class Compared:
    """Two maps and their pairs, as they were when they were compared.

    Parameters
    ----------
    names : tuple of str
        Of the two edges.
    maps : tuple of PhaseMap
        Their classes.
    pairs : ClassPairs
        What they have in common.
    warnings : tuple of str
        A sentence per edge whose classes follow the thickness.
    """

    names: tuple[str, str]
    maps: tuple[PhaseMap, PhaseMap]
    pairs: ClassPairs
    warnings: tuple[str, ...]


def compare_maps(
    stacks: Stacks,
    names: tuple[str, str],
    maps: tuple[PhaseMap, PhaseMap],
    measured: Thickness | None,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Compared:
    """Compare two maps; warn where classes are bands of thickness.

    Parameters
    ----------
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Where the pixels lie.
    names : tuple of str
        Of the two edges.
    maps : tuple of PhaseMap
        Of the same pixels; one may be from `thickness_bins`.
    measured : Thickness or None
        Of the same pixels.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    Compared
        With a warning per edge that follows the thickness.

    Raises
    ------
    InputError
        If the maps have other pixels than the stacks.
    """
    pairs = mutual_information(*maps, stacks=stacks, on_progress=on_progress)
    edges = {
        name: classes
        for name, classes in zip(names, maps, strict=True)
        if classes.method != "thickness"
    }
    _, warnings = follow_thickness(edges, measured, stacks, on_progress=on_progress)
    return Compared(names, maps, pairs, warnings)


def follow_thickness(
    classes: Mapping[str, PhaseMap],
    measured: Thickness | None,
    stacks: Stacks,
    /,
    *,
    on_progress: OnProgress = ignore_progress,
) -> tuple[dict[str, ClassPairs], tuple[str, ...]]:
    """Compare the classes of edges with bins of thickness.

    Parameters
    ----------
    classes : mapping of str to PhaseMap
        By the name of the edge.
    measured : Thickness or None
        Of the same pixels; None compares nothing.
    stacks : StackSet, SpectralStack or sequence of SpectralStack
        Where the pixels lie.
    on_progress : callable, optional
        Called with (step, total, text).

    Returns
    -------
    pairs : dict of str to ClassPairs
        Of each edge with `thickness_bins`.
    warnings : tuple of str
        A sentence per edge whose classes follow the thickness.
    """
    if measured is None or not classes:
        return {}, ()
    bins = thickness_bins(measured)
    pairs: dict[str, ClassPairs] = {}
    warnings = []
    for name, own in classes.items():
        pairs[name] = mutual_information(
            own, bins, stacks=stacks, on_progress=on_progress
        )
        warning = thickness_warning(pairs[name], name)
        warnings += [warning] if warning else []
    return pairs, tuple(warnings)


def describe(compared: Compared, /) -> str:
    """Return what the mutual information says, in words.

    Parameters
    ----------
    compared : Compared
        From `compare_maps`.

    Returns
    -------
    str
        A few sentences.
    """
    pairs = compared.pairs
    n_found = int(np.count_nonzero(pairs.significant()))
    lines = [
        f"{compared.names[0]} and {compared.names[1]} share {pairs.bits:.3f} bits "
        f"({pairs.nats:.3f} nats); {pairs.excess:.3f} bits more than chance has it, "
        f"p = {pairs.p_value:.2g} of {pairs.n_null} shifts.",
        f"Normalized {pairs.normalized:.2f}, adjusted {pairs.adjusted:.2f}. {n_found} "
        "pairs with family-wise p < 0.01.",
    ]
    lines += [f"Warning: {warning}." for warning in compared.warnings]
    return "\n".join(lines)


def describe_pair(pairs: ClassPairs, a: int, b: int, /) -> str:
    """Return what is known about a pair of classes, in words.

    Parameters
    ----------
    pairs : ClassPairs
        From `mutual_information`.
    a, b : int
        Labels of the classes, 0 for absent.

    Returns
    -------
    str
        One sentence.
    """
    text = f"{pairs.names_a[a]} & {pairs.names_b[b]}: {pairs.n[a, b]} pixels, "
    text += f"{pairs.expected[a, b]:.0f} expected"
    if not np.isfinite(pairs.p_family[a, b]):
        return f"{text}; too few to test."
    word = "enriched" if pairs.n[a, b] > pairs.expected[a, b] else "depleted"
    return (
        f"{text} ({word}); z {pairs.z[a, b]:+.1f}, p {pairs.p[a, b]:.2g}, with all "
        f"pairs {pairs.p_family[a, b]:.2g}."
    )


def pair_table(pairs: ClassPairs, names: tuple[str, ...], /) -> pd.DataFrame:
    """Return the rows of the pairs of a labels layer, label by label.

    Parameters
    ----------
    pairs : ClassPairs
        From `mutual_information`.
    names : tuple of str
        Pairs as `co_occurrence_map` names them; the first has label 1.

    Returns
    -------
    DataFrame
        A row per pair, with its label as ``index``.
    """
    import pandas as pd

    rows = {f"{row['a']} & {row['b']}": row for row in pairs.rows()}
    table = pd.DataFrame([rows[name] for name in names])
    table.insert(0, "pair", list(names))
    table.insert(0, "index", np.arange(1, len(names) + 1))
    return table
