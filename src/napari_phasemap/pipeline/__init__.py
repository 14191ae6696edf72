"""The whole way from files to a folder of results, without a window.

* `run`: many particles, one set of references, one folder of results.
* `train`: a model of the latent space of many particles.
* `compare`: methods against one another and against a truth.
* `resolve`: ambiguous pixels in a latent space.
* `RunParameters`: everything that decides what a run makes of its files.
* `Recipe`: what was run, kept in a file that can be run again.
* `write_bundle`: results as HDF5, tables, figures and recipe.
"""

from napari_phasemap.pipeline.batch import Outcome, run, run_recipe
from napari_phasemap.pipeline.bundle import write_bundle
from napari_phasemap.pipeline.collecting import Collected, collect
from napari_phasemap.pipeline.comparing import Compared, compare
from napari_phasemap.pipeline.learning import Trained, train
from napari_phasemap.pipeline.parameters import (
    Correlation,
    Preparation,
    RunParameters,
    TrainParameters,
)
from napari_phasemap.pipeline.preparation import prepare
from napari_phasemap.pipeline.recipe import Recipe
from napari_phasemap.pipeline.resolving import Resolved, resolve
from napari_phasemap.pipeline.summary import Failure

__all__ = [
    "Collected",
    "Compared",
    "Correlation",
    "Failure",
    "Outcome",
    "Preparation",
    "Recipe",
    "Resolved",
    "RunParameters",
    "TrainParameters",
    "Trained",
    "collect",
    "compare",
    "prepare",
    "resolve",
    "run",
    "run_recipe",
    "train",
    "write_bundle",
]
