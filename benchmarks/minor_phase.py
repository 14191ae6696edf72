"""Is a phase found that covers nearly nothing? A phantom with 5 to 0.1 % of it.

Mean F1 over the three phases (and that of the smallest one), per method, three seeds:
two large halves, a third phase in discs, photon noise. The references are either the
three phases or the whole library of five.

    python benchmarks/minor_phase.py
"""

from __future__ import annotations

import argparse

import numpy as np

import napari_phasemap as pm
from napari_phasemap.core.latent.comparison import accuracy
from napari_phasemap.core.simulate.independent import minor_phase_particle
from napari_phasemap.core.simulate.independent_spectra import library

SHARES = (0.05, 0.02, 0.01, 0.005, 0.001)
SMALL = "E"


def maps(stack, references):
    """Return the maps of all methods."""
    return {
        "Pearson": pm.pearson_map(stack, references),
        "linear combination fit": pm.linear_combination_fit(
            stack, references
        ).phase_map,
        "posterior alone": pm.posterior_map(stack, references, neighbors=False),
        "posterior with neighbors": pm.posterior_map(stack, references),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=[101, 102, 103])
    options = parser.parse_args()
    for names in ("ACE", "ABCDE"):
        references = library().select(list(names))
        small = references.names.index(SMALL) + 1
        total = {}
        print(f"references {' '.join(names)}")
        for share in SHARES:
            found = {}
            for seed in options.seeds:
                one = minor_phase_particle(share, seed=seed)
                letters = np.array(["", *library().names])[one.true_labels]
                number = {name: i for i, name in enumerate(references.names, 1)}
                truth = np.array([number[letter] for letter in letters])
                nothing = np.zeros(len(truth), dtype=bool)
                for name, phases in maps(one.optical_density, references).items():
                    mean = accuracy(phases.labels, truth, nothing).macro_f1
                    both = (phases.labels == small).sum() + (truth == small).sum()
                    hits = ((phases.labels == small) & (truth == small)).sum()
                    found.setdefault(name, []).append((mean, 2.0 * hits / both))
            for name, values in found.items():
                mean, own = np.mean(values, axis=0)
                total.setdefault(name, []).append(mean)
                print(
                    f"  {100 * share:4.1f} %  {name:26s} mean F1 {mean:.3f}, ", end=""
                )
                print(f"smallest phase {own:.3f}", flush=True)
        for name, means in total.items():
            print(f"  all     {name:26s} mean F1 {np.mean(means):.3f}")


if __name__ == "__main__":
    main()
