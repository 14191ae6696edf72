"""A stack, several or a set of them: every function of stacks takes each of these."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import napari_phasemap as pm
from napari_phasemap import figures
from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.simulate import synthetic

SAMPLE = synthetic.particle((26, 32), seed=0, dose=1e5)
STACK, REFERENCES = SAMPLE.optical_density, SAMPLE.references
PHASES = pm.pearson_map(STACK, REFERENCES)
POSTERIOR = pm.posterior_map(STACK, REFERENCES)
SOME = PHASES.labels == 1


def axes() -> Any:
    return Figure().subplots()


#: How each public function of stacks is called, and what of its result is compared.
CALLS: dict[str, Any] = {
    "average_neighbors": lambda s: pm.average_neighbors(PHASES.margin, s, sigma=1.0),
    "check_references": lambda s: repr(pm.check_references(s, REFERENCES)),
    "chi_square_map": lambda s: pm.chi_square_map(s, PHASES).margin,
    "class_spectra": lambda s: pm.class_spectra(s, PHASES).mean,
    "compare_selections": lambda s: pm.compare_selections(s, SOME, ~SOME).difference,
    "conformal_sets": lambda s: pm.conformal_sets(POSTERIOR, PHASES.labels, stacks=s),
    "compare_methods": lambda s: repr(pm.compare_methods(s, REFERENCES)),
    "fraction_intervals": lambda s: pm.fraction_intervals(PHASES, s, block=2).low,
    "linear_combination_fit": lambda s: (
        pm.linear_combination_fit(s, REFERENCES).residual
    ),
    "mutual_information": lambda s: repr(
        pm.mutual_information(PHASES, PHASES, stacks=s, n_null=9)
    ),
    "pca": lambda s: pm.pca(s, n_components=2).singular_values,
    "pearson_map": lambda s: pm.pearson_map(s, REFERENCES).margin,
    "posterior_map": lambda s: pm.posterior_map(s, REFERENCES).margin,
    "reference_from": lambda s: pm.reference_from(s, SOME, "mean").spectra,
    "smooth_potts": lambda s: pm.smooth_potts(s, pm.chi_square_map(s, PHASES)).margin,
    "correlation_sheet": lambda s: len(figures.correlation_sheet(s, PHASES).axes),
    "draw_correlation_map": lambda s: figures.draw_correlation_map(
        axes(), s, PHASES, phase=PHASES.names[0]
    ).get_array(),
    "draw_fractions": lambda s: len(figures.draw_fractions(axes(), s, PHASES)),
    "draw_phase_map": lambda s: figures.draw_phase_map(axes(), s, PHASES).get_array(),
    "draw_probability": lambda s: figures.draw_probability(
        axes(), s, PHASES
    ).get_array(),
    "draw_reliability": lambda s: figures.draw_reliability(
        axes(), s, PHASES
    ).get_array(),
    "draw_spectra": lambda s: [
        line.get_ydata() for line in figures.draw_spectra(axes(), s, PHASES)
    ],
    "fraction_sheet": lambda s: len(figures.fraction_sheet(s, PHASES).axes),
    "map_sheet": lambda s: len(figures.map_sheet(s, PHASES).axes),
    "spectra_sheet": lambda s: len(figures.spectra_sheet(s, PHASES).axes),
}


def functions_of_stacks(home: Any) -> set[str]:
    found = set()
    for name in home.__all__:
        public = getattr(home, name)
        if not inspect.isclass(public):
            types = inspect.get_annotations(public)
            words = re.findall(r"\w+", " ".join(map(str, types.values())))
            if {"StackSet", "Stacks", "Spectra"} & set(words):
                found.add(name)
    return found


def test_no_function_of_stacks_is_forgotten_here() -> None:
    """A new one takes `Stacks`, calls `as_set` first, and has a line in `CALLS`."""
    assert functions_of_stacks(pm) | functions_of_stacks(figures) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_stack_a_list_and_a_set_give_the_same(name: str) -> None:
    of_set = CALLS[name](pm.StackSet([STACK]))
    np.testing.assert_array_equal(CALLS[name](STACK), of_set)
    np.testing.assert_array_equal(CALLS[name]([STACK]), of_set)


@pytest.mark.parametrize("name", CALLS)
def test_an_array_of_frames_is_refused_in_words(name: str) -> None:
    with pytest.raises(InputError, match=r"got ndarray; make a stack|n_pixels, n_ener"):
        CALLS[name](np.asarray(STACK.data))


def test_a_list_of_what_is_no_stack_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="holds stacks; got str; make a stack by"):
        pm.StackSet(["particle.hdr"])
