"""What an HDF5 file takes from other files: nothing may come from there.

* `look_through`: the tree and the headers of a file, and what points out of it.
* `of_dataset`: the same of one array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import h5py

__all__ = ["look_through", "of_dataset"]

#: Arrays with more values stay in the file when its tree is copied.
LARGEST_IN_TREE = 4096


def look_through(file: h5py.File) -> str | None:
    """Go through all links, headers, attributes and small arrays, and read texts.

    What they hold is of no interest: a damaged one can end the process, or keep it for
    ever, and shall do so here. Texts and other values of any length are what does.

    Parameters
    ----------
    file : h5py.File
        An open file.

    Returns
    -------
    str or None
        What the file takes from another one, None where it stands on its own: an
        external link, an array in external storage, a virtual dataset of other files.
    """
    from h5py import h5d, h5l, h5o, h5s

    root, first, types = file.id, int(file.userblock_size), _fixed_types()

    def look(name: bytes, link: Any) -> str | None:
        if link.type == h5l.TYPE_EXTERNAL:
            target = root.links.get_val(name)[0]
            return f"{_text(name)} is a link to the file {_text(target)}"
        if link.type != h5l.TYPE_HARD:
            return None
        item = h5o.open(root, name)
        _read_attributes(item, types)
        if not isinstance(item, h5d.DatasetID):
            return None
        # What has a place in this file needs no look at how it was made, which takes
        # long. "No place" is -1, and a block before the HDF5 file is added to it.
        place = item.get_offset()
        if place is None or place < first:
            outside = of_dataset(_text(name), item.get_create_plist())
            if outside is not None:
                return outside
        _read(item, types, h5s.ALL, h5s.ALL)
        return None

    _read_attributes(root, types)  # the root is no link
    found: str | None = root.links.visit(look, info=True)
    return found


def _fixed_types() -> frozenset[int]:
    """Return the classes of values that stand where they are, of one length each."""
    from h5py import h5t

    kinds = h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.BITFIELD, h5t.OPAQUE
    return frozenset(map(int, kinds))


def _read_attributes(item: Any, fixed: frozenset[int]) -> None:
    from h5py import h5a

    for number in range(h5a.get_num_attrs(item)):
        _read(h5a.open(item, index=number), fixed)


def _read(item: Any, fixed: frozenset[int], *spaces: Any) -> None:
    """Read values of any length if they are few; what is raised is told later."""
    try:
        kind = item.get_type()
        if kind.get_class() in fixed or _is_fixed_text(kind):
            return
        shape = item.shape or ()
        if np.prod(shape, dtype=np.float64) <= LARGEST_IN_TREE:
            item.read(*spaces, np.empty(shape, dtype=item.dtype))
    # Only the end of the process is of interest: reading says what is wrong.
    except Exception:  # noqa: BLE001
        return


def _is_fixed_text(kind: Any) -> bool:
    from h5py import h5t

    return isinstance(kind, h5t.TypeStringID) and not kind.is_variable_str()


def of_dataset(name: str, made: Any) -> str | None:
    """Return what an array takes from other files, by how it was made.

    Parameters
    ----------
    name : str
        Of the array, for the sentence.
    made : h5py property list
        How the array was created.

    Returns
    -------
    str or None
        A sentence; None where it keeps its values itself.
    """
    from h5py import h5d

    if made.get_external_count():
        other = _text(made.get_external(0)[0])
        return f"{name} keeps its values in the file {other}"
    if made.get_layout() == h5d.VIRTUAL:
        for number in range(made.get_virtual_count()):
            source = _text(made.get_virtual_filename(number))
            if source != ".":  # the file itself
                return f"{name} is put together from the file {source}"
    return None


def _text(name: bytes | str) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
