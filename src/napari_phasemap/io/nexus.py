"""Where an STXM scan lies in a NeXus file: entries, detectors, axes.

* `entries`: the entries of a file, in the order of their numbers.
* `detectors`: the groups of an entry that hold counts, the usual counter first.
* `energies`, `axis_names`, `scan_type`: what a detector's data are over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_phasemap.io.hdf5 import children, text, texts

if TYPE_CHECKING:
    import h5py

__all__ = [
    "ENERGY_NAMES",
    "Detector",
    "axis_names",
    "detectors",
    "energies",
    "entries",
    "is_stxm",
    "scan_type",
]

_ENTRY = re.compile(r"entry_?\d*", re.IGNORECASE)
ENERGY_NAMES = ("energy", "photon_energy", "Energy")
_SCAN_TYPES = ("stxm_scan_type", "scan_type")
#: The detector that counts photons, by what beamlines call it, best first.
_USUAL_DETECTORS = ("counter0", "counter1", "default", "binned_values")


@dataclass(frozen=True)
class Detector:
    """An NXdata group with the signal and its axes."""

    name: str
    group: Any
    signal: Any


def entries(file: h5py.File) -> list[tuple[str, Any]]:
    """Return the entries by number, so that entry10 follows entry9.

    Parameters
    ----------
    file : h5py.File
        An open file.

    Returns
    -------
    list of (str, group)
        Name and group of each.
    """
    import h5py

    found = [
        (name, item)
        for name, item in children(file)
        if isinstance(item, h5py.Group)
        and (_class(item) == "NXentry" or _ENTRY.fullmatch(name))
    ]
    return sorted(found, key=lambda pair: (len(pair[0]), pair[0]))


def _class(group: h5py.Group) -> str:
    return text(group.attrs.get("NX_class", ""))


def is_stxm(entry: h5py.Group) -> bool:
    """Whether an entry says that it is NXstxm, or holds counts over energy.

    Parameters
    ----------
    entry : h5py.Group
        One of `entries`.

    Returns
    -------
    bool
        Whether `detectors` can be asked for.
    """
    if text(_value(entry, "definition")).lower() == "nxstxm":
        return True
    return bool(detectors(entry))


def _value(group: h5py.Group, name: str) -> Any:
    """Return a dataset's value, an empty string where there is none."""
    import h5py

    item = group.get(name)
    if not isinstance(item, h5py.Dataset) or item.shape is None or item.size > 64:
        return ""
    return item[()]


def detectors(entry: h5py.Group) -> list[Detector]:
    """Return the groups that hold counts and energies, the usual ones first.

    Parameters
    ----------
    entry : h5py.Group
        One of `entries`.

    Returns
    -------
    list of Detector
        Only "binned_values" where there is one: raw detectors are no images then.
    """
    import h5py

    found = []
    for name, group in children(entry):
        if not isinstance(group, h5py.Group) or _class(group) not in ("", "NXdata"):
            continue
        signal = group.get(text(group.attrs.get("signal", "data")) or "data")
        signal = group.get("data") if not isinstance(signal, h5py.Dataset) else signal
        if not isinstance(signal, h5py.Dataset):
            continue
        described = energies(entry, group) is not None or any(
            word in group for word in _SCAN_TYPES
        )
        if described:
            found.append(Detector(name, group, signal))
    if any(item.name == "binned_values" for item in found):
        found = [item for item in found if item.name == "binned_values"]
    return sorted(found, key=_rank)


def _rank(detector: Detector) -> tuple[int, str]:
    usual = detector.name.lower() in _USUAL_DETECTORS
    place = _USUAL_DETECTORS.index(detector.name.lower()) if usual else 99
    return place, detector.name


def energies(entry: h5py.Group, group: h5py.Group) -> Any:
    """Return the energy dataset of a detector, or of the entry.

    Parameters
    ----------
    entry : h5py.Group
        One of `entries`.
    group : h5py.Group
        Of the detector; its own energies come first.

    Returns
    -------
    h5py.Dataset or None
        None where there is none.
    """
    import h5py

    places = [f"{name}" for name in ENERGY_NAMES]
    for home, names in (
        (group, places),
        (entry, [f"counter0/{name}" for name in places]),
        (entry, ["instrument/monochromator/energy"]),
    ):
        for name in names:
            item = home.get(name)
            if isinstance(item, h5py.Dataset):
                return item
    return None


def scan_type(entry: h5py.Group, group: h5py.Group) -> str:
    """Return the writer's word for the scan, empty where there is none.

    Parameters
    ----------
    entry : h5py.Group
        One of `entries`.
    group : h5py.Group
        Of the detector; its own word comes first.

    Returns
    -------
    str
        Such as "sample image stack".
    """
    for home in (group, entry):
        for name in _SCAN_TYPES:
            if name in home:
                return text(_value(home, name))
    return ""


def axis_names(detector: Detector) -> list[str]:
    """Return the names of the dimensions; empty where the file does not say.

    Parameters
    ----------
    detector : Detector
        One of `detectors`.

    Returns
    -------
    list of str
        From the first dimension to the last.
    """
    if "axes" in detector.group.attrs:
        return texts(detector.group.attrs["axes"])
    if "axes" in detector.signal.attrs:
        return texts(detector.signal.attrs["axes"])
    places: dict[int, str] = {}
    for name, item in children(detector.group):
        at = text(item.attrs.get("axis", ""))
        if at.isdecimal() and len(at) == 1:
            places[int(at)] = name
    if sorted(places) == list(range(1, len(detector.signal.shape or ()) + 1)):
        return [places[at] for at in sorted(places)]
    return []
