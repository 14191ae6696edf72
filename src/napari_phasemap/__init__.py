"""Find the chemical phases in hyperspectral stacks and how far to trust them.

Every public name is loaded when it is first used, so that importing the package
costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

#: Which module holds which public names.
_PUBLIC = {
    "core.data.stack": ("SpectralStack",),
    "core.data.stack_set": ("StackSet",),
    "core.data.references": ("ReferenceSpectra",),
    "core.data.phasemap": ("PhaseMap",),
    "core.prepare.alignment": ("align", "estimate_shifts", "register_frames"),
    "core.prepare.registration": ("Registration",),
    "core.prepare.energy_axis": (
        "calibrate_energy",
        "crop_energies",
        "subtract_pre_edge",
    ),
    "core.prepare.combining": ("average_stacks", "bin_pixels", "crop_pixels"),
    "core.prepare.masking": ("mask_from",),
    "core.prepare.noise_level": ("estimate_noise",),
    "core.prepare.preprocess": ("estimate_i0", "optical_density"),
    "core.phases.correlation": ("pearson_map",),
    "core.latent.assignment": (
        "assign_centroid",
        "assign_euclidean",
        "assign_knn",
        "assign_mahalanobis",
    ),
    "core.phases.baselines": ("LinearFit", "linear_combination_fit"),
    "core.latent.components": ("pca_latent",),
    "core.phases.comparing": ("SelectionComparison", "compare_selections"),
    "core.phases.intervals": ("FractionIntervals", "fraction_intervals"),
    "core.phases.changes": ("ChangeTable", "change_table", "disagreement"),
    "core.latent.comparison": ("Accuracy", "MethodComparison", "compare_methods"),
    "core.latent.latent": ("LatentSpace",),
    "core.phases.posterior": ("posterior_map",),
    "core.phases.abstention": (
        "chance_of_error",
        "conformal_sets",
        "contradicted",
        "undecided",
        "unknown",
    ),
    "core.phases.contradictions": ("Contradictions", "contradictions"),
    "core.latent.clusters": ("class_likelihoods",),
    "core.phases.reference_check": (
        "Correction",
        "ReferenceReport",
        "check_references",
    ),
    "core.phases.distortion": ("Distortion",),
    "core.planning.choosing": ("choose_energies",),
    "core.planning.gain": (
        "EnergyGain",
        "ExpectedOutcome",
        "energy_gain",
        "expected_outcome",
    ),
    "core.planning.plan": ("EnergyPlan",),
    "core.phases.matching": ("ReferenceMatches", "match_references"),
    "core.phases.neighbors": ("chi_square_map", "smooth_potts"),
    "core.data.noise": ("Noise",),
    "core.data.progress": ("Cancelled",),
    "core.phases.reference_making": ("normalized", "reference_from"),
    "core.eels.background": ("subtract_background",),
    "core.data.net_edge": ("NetEdge", "edge_present"),
    "core.learn.decomposition": ("Decomposition", "pca"),
    "core.data.pixel_spectra": ("average_neighbors",),
    "core.learn.embedding": ("umap_embedding",),
    "core.learn.clustering": (
        "ClusterSuggestion",
        "class_stability",
        "kmeans",
        "suggest_n_clusters",
    ),
    "core.bonds.mutual_information": ("ClassPairs", "mutual_information"),
    "core.learn.kinds": ("Kinds", "kinds_of"),
    "core.bonds.co_occurrence": ("co_occurrence_map",),
    "core.eels.presence": ("Presence",),
    "core.eels.naming": ("ClassNames", "ClassSpectra", "class_spectra", "name_classes"),
    "core.eels.thickness": ("Thickness", "thickness", "thickness_bins"),
    "core.eels.edge": ("EdgeAnalysis", "analyze_edge"),
    "core.eels.workflow": ("EelsAnalysis", "analyze_edges"),
    "core.eels.recipe": ("EdgeRecipe", "edge_recipe"),
    "core.eels.axis": ("align_zero_loss", "calibrate_onset", "remove_spikes"),
    "core.simulate.synthetic_eels": ("SiCSample", "simulate_si_c"),
    "core.eels.jump_ratio": ("JumpSuggestion", "suggest_presence"),
    "core.simulate.embedded": ("EmbeddedSample", "simulate_embedded"),
    "models.gmvae": ("GMVAE",),
    "io.read": ("read_stack",),
    "io.masks": ("read_mask",),
    "io.reference_files": ("write_references",),
    "io.spectra": ("read_references", "read_spectrum"),
    "io.stackfile": ("write_stack",),
    "io.results": ("NamedPixels", "Results", "read_results", "write_results"),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted(_HOME)

try:
    __version__ = version("napari-phasemap")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
