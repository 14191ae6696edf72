"""What is open and what is chosen: the one state that two views share.

* `state`: the `Workspace`, and `Selection`, a named set of pixels.

No formula lives here (those are in `core`), and nothing that draws.
"""

from napari_phasemap.workspace.state import Selection, Workspace

__all__ = ["Selection", "Workspace"]
