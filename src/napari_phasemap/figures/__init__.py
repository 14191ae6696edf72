"""Draw results: on a panel of the window and in a file, by the same functions.

* Maps of one particle: `draw_phase_map`, `draw_reliability`, `draw_probability`,
  `draw_correlation_map`.
* Curves and tables: `draw_references`, `draw_reference_correlation`, `draw_spectra`,
  `draw_mean`, `draw_fractions`.
* The next scan: `draw_energy_plan`, `draw_energy_gain`, `plan_sheet`.
* Models: `draw_history`, `draw_latent`, `draw_traversal`, `draw_axis_intensity`,
  `draw_phase_reconstructions`.
* Unsupervised EELS: `draw_thickness`, `draw_class_spectra`, `draw_embedding`,
  `draw_pairs`, `eels_sheet`.
* Whole figures of several particles: `map_sheet`, `correlation_sheet`,
  `spectra_sheet`, `reference_sheet`, `fraction_sheet`.
* Whole figures of a latent space: `latent_sheet`, `meaning_sheet`, `loss_sheet`.
* `save_figure`: to PNG, SVG, PDF or TIFF.

Every ``draw_...`` function draws on the axes it is given and returns the artists.
Figures are made without pyplot, so that any thread may draw.
"""

from napari_phasemap.figures.curves import (
    draw_reference_correlation,
    draw_references,
    draw_spectra,
)
from napari_phasemap.figures.eels import (
    draw_class_spectra,
    draw_embedding,
    draw_pairs,
    draw_thickness,
    eels_sheet,
)
from napari_phasemap.figures.energy_plan import (
    draw_energy_gain,
    draw_energy_plan,
    plan_sheet,
)
from napari_phasemap.figures.fractions import draw_fractions
from napari_phasemap.figures.history import draw_history
from napari_phasemap.figures.latent import (
    draw_axis_intensity,
    draw_latent,
    draw_phase_reconstructions,
    draw_traversal,
)
from napari_phasemap.figures.latent_sheets import (
    latent_sheet,
    loss_sheet,
    meaning_sheet,
)
from napari_phasemap.figures.maps import (
    draw_correlation_map,
    draw_phase_map,
    draw_probability,
    draw_reliability,
)
from napari_phasemap.figures.means import draw_mean
from napari_phasemap.figures.saving import save_figure
from napari_phasemap.figures.sheets import (
    correlation_sheet,
    fraction_sheet,
    map_sheet,
    reference_sheet,
    spectra_sheet,
)

__all__ = [
    "correlation_sheet",
    "draw_axis_intensity",
    "draw_class_spectra",
    "draw_correlation_map",
    "draw_embedding",
    "draw_energy_gain",
    "draw_energy_plan",
    "draw_fractions",
    "draw_history",
    "draw_latent",
    "draw_mean",
    "draw_pairs",
    "draw_phase_map",
    "draw_phase_reconstructions",
    "draw_probability",
    "draw_reference_correlation",
    "draw_references",
    "draw_reliability",
    "draw_spectra",
    "draw_thickness",
    "draw_traversal",
    "eels_sheet",
    "fraction_sheet",
    "latent_sheet",
    "loss_sheet",
    "map_sheet",
    "meaning_sheet",
    "plan_sheet",
    "reference_sheet",
    "save_figure",
    "spectra_sheet",
]
