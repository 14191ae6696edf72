"""What is open and what is chosen: the one state that two views share.

* `Workspace`: an evented dataclass; views write to it and listen to it.

What a person does to pixels (select, assign, exclude, take as a reference) goes
through `Workspace.apply` and its kin, so that `undo` can take it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from psygnal import SignalGroupDescriptor

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.data.history import History, Step, values
from napari_phasemap.core.data.phasemap import DEFAULT_THRESHOLD
from napari_phasemap.core.data.subset import (
    exclude_pixels,
    with_mean_spectrum,
    with_phase,
)
from napari_phasemap.core.phases.decisions import DEFAULT_LEVEL
from napari_phasemap.workspace.fields import (
    Follows,
    fresh,
    held,
    held_names,
    plain,
    rules,
    with_fewer,
)
from napari_phasemap.workspace.made import Made
from napari_phasemap.workspace.shown import with_edge

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.references import ReferenceSpectra
    from napari_phasemap.core.data.stack import SpectralStack
    from napari_phasemap.core.data.stack_set import StackSet
    from napari_phasemap.core.eels.edge import EdgeAnalysis
    from napari_phasemap.core.eels.naming import ClassNames
    from napari_phasemap.core.eels.thickness import Thickness
    from napari_phasemap.core.learn.clustering import ClusterSuggestion
    from napari_phasemap.workspace.selection import Selection

__all__ = ["PEARSON", "POSTERIOR", "Workspace"]

#: What tells the phases: the paper's correlation, or probabilities.
PEARSON, POSTERIOR = "pearson", "posterior"


def _is(old: Any, new: Any) -> bool:
    """Whether two values are the same object: arrays are never compared."""
    return old is new


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
    posterior : PhaseMap, optional
        Probabilities of the phases; pixels that fit no reference have no phase.
    method : {"pearson", "posterior"}
        What tells the phases where both maps are there.
    level : float
        Probability below which the phase of a pixel is undecided.
    latent : ndarray of float32 of shape (n_pixels, n_latent), optional
        Latent coordinates; their axes are named by `latent_name`.
    latent_name : str
        What made `latent`: "GMVAE", "PCA", "UMAP".
    latent_markers : mapping of str to ndarray of shape (n_latent,)
        Named places in the latent space, for example encoded reference spectra.
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
    thickness : Thickness, optional
        Of the same pixels, from the low loss.
    computed : mapping of str to EdgeAnalysis
        The last run of each edge, with its own classes: what did not change is taken
        over by the next.
    suggestions : mapping of str to ClusterSuggestion
        How many classes of an edge are reproducible, by its name.
    class_names : mapping of str to ClassNames
        What references say about the classes of an edge, by its name.
    edges : mapping of str to EdgeAnalysis
        Analyzed edges by name, in the pixel order of `stacks`, with their classes as
        they are now: merged, painted, renamed.
    edge : str
        Which of them `phase_map` and `latent` show; "" for none.
    made : Made
        What the results were made from, see `workspace.path`.
    history : History
        What can be undone and redone.
    """

    sources: tuple[SpectralStack, ...] = field(default=(), metadata=held(Follows.KEPT))
    stacks: StackSet | None = field(default=None, metadata=held(Follows.PIXELS))
    references: ReferenceSpectra | None = field(
        default=None, metadata=held(Follows.KEPT)
    )
    phase_map: PhaseMap | None = field(default=None, metadata=held(Follows.CUT))
    resolved: PhaseMap | None = field(default=None, metadata=held(Follows.CUT))
    posterior: PhaseMap | None = field(default=None, metadata=held(Follows.CUT))
    method: str = field(default=PEARSON, metadata=plain(Follows.KEPT))
    level: float = field(default=DEFAULT_LEVEL, metadata=plain(Follows.KEPT))
    latent: NDArray[np.float32] | None = field(default=None, metadata=held(Follows.CUT))
    latent_name: str = field(default="", metadata=plain(Follows.WITH_CUT))
    latent_markers: Mapping[str, NDArray[Any]] = field(
        default_factory=dict, metadata=held(Follows.WITH_CUT)
    )
    features: Mapping[str, NDArray[Any]] = field(
        default_factory=dict, metadata=held(Follows.CUT)
    )
    selection: NDArray[np.bool_] | None = field(
        default=None, metadata=held(Follows.NONE_SET)
    )
    selections: tuple[Selection, ...] = field(default=(), metadata=held(Follows.CUT))
    cursor: int | None = field(default=None, metadata=plain(Follows.FORGOTTEN))
    hover: int | None = field(default=None, metadata=plain(Follows.FORGOTTEN))
    energy_index: int = field(default=0, metadata=plain(Follows.KEPT))
    threshold: float = field(default=DEFAULT_THRESHOLD, metadata=plain(Follows.KEPT))
    # Net spectra follow the mask (neighbors share exponents, components are of all
    # pixels): what comes from them is made again, not cut.
    thickness: Thickness | None = field(default=None, metadata=held(Follows.DROPPED))
    computed: Mapping[str, EdgeAnalysis] = field(
        default_factory=dict, metadata=held(Follows.DROPPED)
    )
    suggestions: Mapping[str, ClusterSuggestion] = field(
        default_factory=dict, metadata=held(Follows.DROPPED)
    )
    class_names: Mapping[str, ClassNames] = field(
        default_factory=dict, metadata=held(Follows.DROPPED)
    )
    edges: Mapping[str, EdgeAnalysis] = field(
        default_factory=dict, metadata=held(Follows.DROPPED)
    )
    edge: str = field(default="", metadata=plain(Follows.DROPPED))
    made: Made = field(default_factory=Made, metadata=held(Follows.WITH_CUT))
    history: History = field(default_factory=History, metadata=held(Follows.FORGOTTEN))

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor(
        equality_operators=dict.fromkeys(held_names(locals()), _is)
    )

    def set_stacks(self, stacks: StackSet | None) -> None:
        """Analyze other stacks: what was computed per pixel of the old ones goes.

        Parameters
        ----------
        stacks : StackSet or None
            None to analyze nothing.
        """
        if stacks is self.stacks:
            return
        # The last field first: an edge lets go of the phase map before that goes.
        for name, rule in reversed(rules(self).items()):
            if rule not in (Follows.KEPT, Follows.PIXELS):
                setattr(self, name, fresh(self, name))
        self.stacks = stacks
        if stacks is not None:
            self.selection = np.zeros(stacks.n_pixels, dtype=bool)

    @property
    def pointed(self) -> int | None:
        """The pixel to show: the one under the mouse, else the chosen one."""
        return self.hover if self.hover is not None else self.cursor

    @property
    def shown_map(self) -> str:
        """The field of the map that tells the phases, resolved where there is one."""
        if self.method == POSTERIOR and self.posterior is not None:
            return "posterior"
        return "phase_map" if self.resolved is None else "resolved"

    def best_map(self) -> PhaseMap | None:
        """Return the map that tells the phases, see `shown_map`."""
        best: PhaseMap | None = getattr(self, self.shown_map)
        return best

    # ---- Steps that can be undone ----

    def apply(self, text: str, **changes: Any) -> None:
        """Assign fields as one step of `history`; `text` names it in the menu.

        A phase map that shows an edge takes the edge's classes with it.

        Parameters
        ----------
        text : str
            What is done, as the menu has it.
        **changes : object
            Fields and their new values.
        """
        self._step(text, changes, goes_on=False)

    def go_on(self, text: str, **changes: Any) -> None:
        """Go on with the last step where it is of this name and of these fields.

        Parameters
        ----------
        text : str
            What is done, as the menu has it.
        **changes : object
            Fields and their new values.
        """
        self._step(text, changes, goes_on=True)

    def _step(self, text: str, changes: dict[str, Any], *, goes_on: bool) -> None:
        changes = with_edge(self.edges, self.edge, changes)
        before = {name: getattr(self, name) for name in changes}
        if all(before[name] is value for name, value in changes.items()):
            return
        history = self.history.push(Step(text, before, changes), goes_on=goes_on)
        self._put(changes)
        self.history = history

    def select(self, pixels: NDArray[np.bool_], text: str = "select") -> None:
        """Replace the selection, as a step that can be undone.

        An unchanged selection makes no step.

        Parameters
        ----------
        pixels : bool ndarray of shape (n_pixels,)
            True for the pixels selected.
        text : str, default="select"
            What is done, as the menu has it.
        """
        if self.stacks is None or len(pixels) != self.stacks.n_pixels:
            count = 0 if self.stacks is None else self.stacks.n_pixels
            raise InputError(f"a selection of {len(pixels)} for {count} pixels")
        if self.selection is None or not np.array_equal(pixels, self.selection):
            self.apply(text, selection=pixels)

    def undo(self) -> None:
        """Take the last step back; what was recomputed since stays as it is."""
        history, step = self.history.undo()
        self._put(self._still_valid(step.before, values(step.after)))
        self.history = history

    def redo(self) -> None:
        """Do the step again that was taken back last."""
        history, step = self.history.redo()
        self._put(self._still_valid(step.after, values(step.before)))
        self.history = history

    def assign_selection(self, phase: str) -> None:
        """Give the selected pixels a phase, in the map that tells the phases.

        A new name becomes a new phase of the map.

        Parameters
        ----------
        phase : str
            Name of the phase.
        """
        pixels = self._selected("assign")
        name, phases = self.shown_map, self.best_map()
        if phases is None:
            raise InputError(
                "there is no phase map to assign pixels in; make one first"
            )
        if phase not in phases.names:
            phases = with_phase(phases, phase)
        labels = phases.labels.copy()
        labels[pixels] = phases.names.index(phase) + 1
        self.apply(f"assign to {phase}", **{name: phases.with_labels(labels)})

    def exclude_selection(self) -> None:
        """Take the selected pixels out of the analysis.

        The others keep what they have, but for what comes from all pixels together;
        every field says where it is declared what it does.
        """
        pixels = self._selected("exclude")
        if self.stacks is not None:
            changes = {"stacks": exclude_pixels(self.stacks, pixels)}
            changes |= with_fewer(self, ~pixels)
            self.apply(f"exclude {int(pixels.sum())} pixels", **changes)

    def recalibrate(
        self,
        stacks: StackSet,
        references: ReferenceSpectra,
        text: str,
        *,
        keep: Collection[str] = (),
    ) -> None:
        """Take corrected stacks of the same pixels, and their references, as one step.

        What came of the old ones goes, but for selections and the fields in `keep`.

        Parameters
        ----------
        stacks : StackSet
            With the pixels of the present ones.
        references : ReferenceSpectra
            Those of the stacks.
        text : str
            Names the step in the menu.
        keep : collection of str, optional
            Fields whose values stay true.
        """
        gone = (Follows.CUT, Follows.WITH_CUT, Follows.DROPPED)
        names = [n for n, rule in rules(self).items() if rule in gone]
        changes = {n: fresh(self, n) for n in names}
        for name in ("selections", "selection", *keep):
            changes[name] = getattr(self, name)
        self.apply(text, **changes, stacks=stacks, references=references)

    def add_reference_from_selection(self, name: str) -> None:
        """Make the mean spectrum of the selected pixels a reference.

        Parameters
        ----------
        name : str
            Of the new reference.
        """
        pixels = self._selected("average")
        if self.stacks is not None:
            references = with_mean_spectrum(self.references, self.stacks, pixels, name)
            self.apply(f"reference {name}", references=references)

    def _selected(self, purpose: str) -> NDArray[np.bool_]:
        if self.selection is None or not self.selection.any():
            raise InputError(f"no pixel is selected, so there is nothing to {purpose}")
        return self.selection

    def _put(self, changes: Mapping[str, Any]) -> None:
        """Assign fields; new stacks first, they drop what belongs to the old."""
        if "stacks" in changes:
            self.set_stacks(changes["stacks"])
        for name, value in changes.items():
            setattr(self, name, value)

    def _still_valid(
        self, target: Mapping[str, Any], expected: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the fields of a step that nothing else has replaced since.

        A selection is taken where it has as many pixels as there are. With other
        pixels everything goes that was made for the present ones.
        """
        declared, fields = rules(self), values(target)
        chosen = {
            name: fields.pop(name)
            for name in tuple(fields)
            if declared[name] is Follows.NONE_SET
        }
        decisive = set(HELD & fields.keys())
        if "stacks" in decisive:
            decisive = {"stacks"}
        if any(getattr(self, name) is not expected[name] for name in decisive):
            fields = {}
        stacks = fields.get("stacks", self.stacks)
        n_pixels = None if stacks is None else stacks.n_pixels
        for name, pixels in chosen.items():
            if pixels is not None and len(pixels) == n_pixels:
                fields[name] = pixels
        return fields


#: Fields whose values are the same only if they are the same object.
HELD = frozenset(one.name for one in fields(Workspace) if one.metadata["held"])
