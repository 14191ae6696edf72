"""What a person does on the way from files to figures, each as a step to take back.

* `analyze`: other pixels, or other values of the same.
* `put_references`, `put_map`, `put_latent`, `put_resolved`: results taken in.
* `put_probabilities`: both maps at once.
* `set_threshold`, `set_level`: drags of a slider join to one step.
* `undo_past`: a step and all that came after it.
* `note_saved`: figures are on the disk.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_phasemap.workspace.fields import Follows, fresh, rules, with_fewer
from napari_phasemap.workspace.state import PEARSON, POSTERIOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.workspace.state import Workspace

__all__ = [
    "analyze",
    "note_saved",
    "put_latent",
    "put_map",
    "put_probabilities",
    "put_references",
    "put_resolved",
    "set_level",
    "set_threshold",
    "undo_past",
]

#: Made from the pixels or standing with them: an undo of other pixels brings it back.
_GOES = (Follows.CUT, Follows.WITH_CUT, Follows.DROPPED)


def analyze(workspace: Workspace, stacks: StackSet, text: str, /) -> None:
    """Analyze other pixels; what was made of the old ones comes back with an undo.

    Parameters
    ----------
    workspace : Workspace
        Where pixels were taken out of the same stacks, or none, the others keep what
        they have; of other pixels or values nothing is known yet.
    stacks : StackSet
        The new pixels.
    text : str
        Names the step: "mask".
    """
    kept = _kept(workspace.stacks, stacks)
    if kept is not None and kept.all() and _is_told(workspace.stacks, stacks):
        return
    changes: dict[str, Any] = {"stacks": stacks}
    if kept is None:
        for name, rule in rules(workspace).items():
            if rule in _GOES:
                changes[name] = fresh(workspace, name)
        changes["selection"] = np.zeros(stacks.n_pixels, dtype=bool)
        changes["made"] = workspace.made  # says that there was a map
    else:
        changes |= with_fewer(workspace, kept)
    workspace.apply(text, **changes)


def put_references(
    workspace: Workspace, references: ReferenceSpectra, text: str = "open references", /
) -> None:
    """Take other references; what was made from the old ones stays, see `path`.

    Parameters
    ----------
    workspace : Workspace
        Its phase map says of itself that it is stale.
    references : ReferenceSpectra
        In place of those there are.
    text : str, default="open references"
        Names the step.
    """
    workspace.apply(text, references=references)


def put_map(
    workspace: Workspace, references: ReferenceSpectra | None, phases: PhaseMap, /
) -> None:
    """Take a phase map.

    Parameters
    ----------
    workspace : Workspace
        A map that was resolved from the old one goes.
    references : ReferenceSpectra or None
        What it was made from: there may be others by now.
    phases : PhaseMap
        Of all pixels.
    """
    made = replace(workspace.made, references=references, threshold=None)
    workspace.apply(
        "correlate", resolved=None, phase_map=phases, method=PEARSON, made=made
    )


def put_probabilities(
    workspace: Workspace,
    references: ReferenceSpectra | None,
    phases: PhaseMap,
    posterior: PhaseMap,
    /,
) -> None:
    """Take both maps; probabilities tell the phases.

    Parameters
    ----------
    workspace : Workspace
        With the pixels of the maps.
    references : ReferenceSpectra or None
        What they were made from: there may be others by now.
    phases : PhaseMap
        The correlation.
    posterior : PhaseMap
        The probabilities.
    """
    made = replace(workspace.made, references=references)
    workspace.apply(
        "probabilities",
        phase_map=phases,
        posterior=posterior,
        method=POSTERIOR,
        made=made,
    )


def put_resolved(workspace: Workspace, threshold: float, phases: PhaseMap, /) -> None:
    """Take a resolved map.

    Parameters
    ----------
    workspace : Workspace
        With the phase map that it comes from.
    threshold : float
        At which it was resolved: it may be another by now.
    phases : PhaseMap
        Of all pixels.
    """
    made = replace(workspace.made, threshold=threshold)
    # What was resolved is shown, not the probabilities.
    workspace.apply("resolve ambiguity", method=PEARSON, resolved=phases, made=made)


def put_latent(
    workspace: Workspace,
    latent: NDArray[np.float32],
    name: str,
    /,
    *,
    markers: Mapping[str, NDArray[Any]] | None = None,
    features: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Take another latent space; what was resolved in the old one goes.

    Parameters
    ----------
    workspace : Workspace
        With the pixels that were encoded.
    latent : ndarray of float32 of shape (n_pixels, n_latent)
        Coordinates.
    name : str
        What made them: "GMVAE", "PCA".
    markers : mapping of str to ndarray of shape (n_latent,), optional
        Named places in it; default none.
    features : mapping of str to ndarray of shape (n_pixels,), optional
        Values that came with it, added to those there are.
    """
    workspace.apply(
        name,
        resolved=None,
        latent_markers=dict(markers or {}),
        features={**workspace.features, **(features or {})},
        latent_name=name,
        latent=latent,
    )


def set_threshold(
    workspace: Workspace, threshold: float, /, *, goes_on: bool = False
) -> None:
    """Choose the smallest unambiguous margin.

    Parameters
    ----------
    workspace : Workspace
        An unchanged threshold makes no step.
    threshold : float
        In the unit of the scores.
    goes_on : bool, default=False
        Whether this is the same drag of the slider as the last change.
    """
    if threshold != workspace.threshold:
        change = workspace.go_on if goes_on else workspace.apply
        change("threshold", threshold=float(threshold))


def set_level(workspace: Workspace, level: float, /, *, goes_on: bool = False) -> None:
    """Choose the probability below which a pixel is undecided.

    Parameters
    ----------
    workspace : Workspace
        An unchanged level makes no step.
    level : float
        From 0 to 1.
    goes_on : bool, default=False
        Whether this is the same drag of the slider as the last change.
    """
    if level != workspace.level:
        change = workspace.go_on if goes_on else workspace.apply
        change("level", level=float(level))


def undo_past(workspace: Workspace, text: str, /) -> None:
    """Take back the last step whose text begins like this, and what came after it.

    Parameters
    ----------
    workspace : Workspace
        Nothing happens where it has no such step.
    text : str
        For example "recalibrate".
    """
    if any(step.text.startswith(text) for step in workspace.history.done):
        while not workspace.history.done[-1].text.startswith(text):
            workspace.undo()
        workspace.undo()


def note_saved(workspace: Workspace, saved: tuple[Any, ...], /) -> None:
    """Remember what was written to disk; no step, since it cannot be taken back.

    Parameters
    ----------
    workspace : Workspace
        Its `made` is replaced.
    saved : tuple of object
        As `path.saveable` gave it before.
    """
    workspace.made = replace(workspace.made, saved=saved)


def _kept(old: StackSet | None, new: StackSet) -> NDArray[np.bool_] | None:
    """Return which old pixels are in a set that has no others, None if it has."""
    if old is None or len(old) != len(new):
        return None
    kept = []
    for one, other in zip(old, new, strict=True):
        if not _same_values(one, other) or (other.mask & ~one.mask).any():
            return None
        kept.append(other.mask[one.mask])
    return np.concatenate(kept)


def _is_told(old: StackSet | None, new: StackSet) -> bool:
    """Whether the history of the new stacks says nothing that the old one does not."""
    pairs = zip(old or (), new, strict=True)
    return all(set(other.history) <= set(one.history) for one, other in pairs)


def _same_values(one: SpectralStack, other: SpectralStack) -> bool:
    """Whether two stacks differ in nothing but their masks."""
    if one.name != other.name or one.quantity != other.quantity:
        return False
    if not np.array_equal(one.energy, other.energy):
        return False
    if one.data is other.data:
        return True
    if not (isinstance(one.data, np.ndarray) and isinstance(other.data, np.ndarray)):
        return False
    # A stack makes a view of the array that it is given.
    where, there = one.data.__array_interface__, other.data.__array_interface__
    return bool(where["data"] == there["data"]) and one.data.shape == other.data.shape
