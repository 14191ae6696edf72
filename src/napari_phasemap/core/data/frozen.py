"""Arrays that nobody can write into by accident.

* `read_only`: a view that refuses writing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["read_only"]


def read_only(array: Any) -> Any:
    """Return a view that refuses writing, dask arrays as they are.

    Parameters
    ----------
    array : ndarray or dask array of any shape
        Of any shape and unit. An array is not copied.

    Returns
    -------
    ndarray or dask array of the same shape
        In the same unit; writing into it is refused.
    """
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view
