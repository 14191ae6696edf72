from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import napari_phasemap as pm


@pytest.mark.parametrize("name", pm.__all__)
def test_a_public_name_is_documented_and_takes_data_by_place_options_by_name(name):
    public = getattr(pm, name)
    assert public.__doc__
    if not inspect.isclass(public):
        kinds = {one.kind for one in inspect.signature(public).parameters.values()}
        assert inspect.Parameter.POSITIONAL_OR_KEYWORD not in kinds


def test_no_public_name_has_two_homes():
    names = [name for names in pm._PUBLIC.values() for name in names]
    assert sorted(names) == sorted(set(names))


def test_the_public_names_load_no_heavy_library():
    code = (
        "import sys, napari_phasemap as pm;"
        "[getattr(pm, name) for name in pm.__all__];"
        "heavy = {'tensorflow', 'umap', 'sklearn', 'matplotlib', 'napari', 'qtpy'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


#: All names that scripts of version 0.1 may use: their parameters with kind and
#: default, and the members of classes.
FIRST_GENERATION = json.loads(
    (Path(__file__).parent / "data" / "public_0.1.json").read_text()
)


def test_the_first_generation_had_58_names():
    assert len(FIRST_GENERATION) == 58


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
