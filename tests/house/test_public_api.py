from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import napari_phasemap as pm

#: What a notebook may rely on: names and the parameters it calls them with.
PROMISED = {
    "read_stack": [],
    "estimate_i0": ["method", "percentile"],
    "optical_density": [],
    "read_references": [],
    "StackSet": [],
    "SpectralStack": [],
    "ReferenceSpectra": [],
    "PhaseMap": [],
    "pearson_map": [],
    "GMVAE": ["preset", "seed"],
    "assign_mahalanobis": ["threshold"],
    "assign_euclidean": ["threshold"],
    "assign_knn": ["threshold"],
    "assign_centroid": ["threshold"],
    "estimate_shifts": [],
    "align": [],
    "subtract_background": ["fit_window", "window"],
    "pca": ["n_components"],
    "umap_embedding": ["seed"],
    "kmeans": ["n_clusters", "seed"],
    "mutual_information": [],
}
MEMBERS = {
    "SpectralStack": ["with_mask"],
    "StackSet": ["spectra", "split", "to_image", "locate", "pixel_at"],
    "ReferenceSpectra": ["resample", "correlation"],
    "PhaseMap": ["reliability", "ambiguous", "ambiguous_pairs", "fractions"],
    "GMVAE": ["fit", "encode", "save", "load"],
}


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_name_is_public_documented_and_takes_what_was_promised(name):
    promised = getattr(pm, name)
    assert name in pm.__all__
    assert promised.__doc__
    parameters = inspect.signature(promised).parameters
    assert set(PROMISED[name]) <= set(parameters)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_promised_object_has_its_members(name):
    assert not [one for one in MEMBERS[name] if not hasattr(getattr(pm, name), one)]


def test_data_are_positional_and_options_are_keywords():
    for name in PROMISED:
        promised = getattr(pm, name)
        if inspect.isclass(promised):
            continue
        kinds = {one.kind for one in inspect.signature(promised).parameters.values()}
        free = inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert name == "compare_methods" or free not in kinds, name


def test_no_public_name_has_two_homes():
    names = [name for names in pm._PUBLIC.values() for name in names]
    assert sorted(names) == sorted(set(names))


def test_the_promised_names_load_no_heavy_library():
    code = (
        "import sys, napari_phasemap as pm;"
        f"[getattr(pm, name) for name in {list(PROMISED)!r}];"
        "heavy = {'tensorflow', 'umap', 'sklearn', 'matplotlib', 'napari', 'qtpy'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


FIRST_GENERATION = json.loads(
    (Path(__file__).parent / "data" / "public_0.1.json").read_text()
)


def spelled(default: object) -> str:
    """Return a default as text, functions without their address."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(default))


@pytest.mark.parametrize("name", FIRST_GENERATION)
def test_scripts_written_for_the_first_generation_still_call_what_they_called(name):
    """Names, parameters, their kinds, their defaults and the members of classes."""
    before = FIRST_GENERATION[name]
    assert name in pm.__all__
    now = getattr(pm, name)
    missing = [one for one in before["members"] if not hasattr(now, one)]
    assert not missing
    if not before["parameters"]:
        return
    parameters = inspect.signature(now).parameters
    for parameter, kind, default in before["parameters"]:
        assert parameter in parameters
        assert parameters[parameter].kind.name == kind
        if default is not None:
            assert spelled(parameters[parameter].default) == default
    required = {key for key, one in parameters.items() if one.default is one.empty}
    assert required <= {one for one, _, default in before["parameters"] if not default}
