"""What is open and what is chosen: the one state that two views share.

* `state`: the `Workspace`: its fields, and the steps that can be undone.
* `edges`: what happens to analyzed edges, each as a step.
* `shown`: what a change of the phase map is for the edge that it shows.
* `steps`: what happens to pixels, references and maps, each as a step.
* `path`, `made`: which steps of the way are done, next, or to be done again.
* `fields`: what follows for a field when the pixels change, declared with it.
* `selection`: a named set of pixels.

No formula lives here (those are in `core`), and nothing that draws.
"""

from napari_phasemap.workspace.selection import Selection
from napari_phasemap.workspace.state import PEARSON, POSTERIOR, Workspace

__all__ = ["PEARSON", "POSTERIOR", "Selection", "Workspace"]
