"""The whole way from files to a folder of results, without a window.

* `run`: many particles, one set of references, one folder of results.
* `Recipe`: what was run, kept in a file that can be run again.
* `write_bundle`: results as HDF5, table, figures and recipe.
"""

from napari_phasemap.pipeline.batch import Outcome, run, run_recipe
from napari_phasemap.pipeline.bundle import Failure, write_bundle
from napari_phasemap.pipeline.preparation import prepare
from napari_phasemap.pipeline.recipe import Recipe

__all__ = [
    "Failure",
    "Outcome",
    "Recipe",
    "prepare",
    "run",
    "run_recipe",
    "write_bundle",
]
