"""Which energies tell phases apart: the planned ones against others, at equal dose.

    python benchmarks/energies.py [--quick]

For n = 6, 9, 13, 20 energies of a dense library: `choose_energies` for a map that
weighs by the noise ("planned") and for one by Pearson's r ("planned r"), n equidistant
ones, and three published ways to choose: recursive feature elimination (RFE, Guyon et
al. 2002, DOI: 10.1023/A:1012487302797) of a linear discriminant on simulated spectra,
the discrete empirical interpolation method (DEIM, Chaturantabut and Sorensen 2010,
DOI: 10.1137/090766498; modes of simulated noisy spectra, pivoted QR), and sampling by
leverage scores (RISS; Mahoney and Drineas 2009, DOI: 10.1073/pnas.0803205106; best of
20 draws by its own criterion, the volume). Printed are the smallest separation in units
of the noise, the ambiguous share and the accuracy by chi-square and by Pearson's r (as
the program maps), on simulated pixels of the same dose. Then a random search over
100 000 sets, and the time for 300 candidates, 13 energies, 8 references.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.planning.choosing import choose_energies
from napari_phasemap.core.planning.criteria import Separation, contest
from napari_phasemap.core.planning.gain import expected_outcome
from napari_phasemap.core.simulate.independent_spectra import library
from napari_phasemap.core.simulate.synthetic_spectra import references

DOSE, NUMBERS = 40_000.0, (6, 9, 13, 20)


def pixels(of, n_pixels, rng, n):
    """Return noisy optical densities of pure pixels and their phases."""
    thickness = rng.uniform(0.4, 1.0, (len(of.density), n_pixels, 1))
    photons = DOSE / n
    counts = rng.poisson(photons * np.exp(-thickness * of.density[:, None]))
    measured = -np.log(np.maximum(counts, 0.5) / photons)
    labels = np.repeat(np.arange(len(of.density)), n_pixels)
    return measured.reshape(len(labels), -1), labels


def equidistant(of, n, rng):
    return np.linspace(0, len(of.energy) - 1, n).round().astype(int)


def rfe(of, n, rng):
    """Leave out the energy of the smallest weight, again and again."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = pixels(of, 200, rng, n)
    x = x / x.mean(axis=1, keepdims=True)  # the amount of a pixel tells nothing
    left = np.arange(x.shape[1])
    while len(left) > n:
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        weights = np.abs(model.fit(x[:, left], y).coef_ * x[:, left].std(axis=0))
        drop = max(1, min(len(left) - n, len(left) // 10))
        left = np.delete(left, np.argsort(weights.max(axis=0))[:drop])
    return left


def modes(of, n, rng):
    """Return the n leading modes of simulated spectra over the energies."""
    x, _ = pixels(of, 400, rng, n)
    return np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[2][:n].T


def deim(of, n, rng):
    from scipy.linalg import qr

    return qr(modes(of, n, rng).T, pivoting=True)[2][:n]


def riss(of, n, rng):
    """Draw by leverage scores of the leading modes; the largest volume wins."""
    signal = modes(of, len(of.density), rng)
    leverage = (signal**2).sum(axis=1) / signal.shape[1]
    draws = [rng.choice(len(leverage), n, replace=False, p=leverage) for _ in range(20)]
    return max(draws, key=lambda d: np.linalg.slogdet(signal[d].T @ signal[d])[1])


def planned(of, n, library_, criterion):
    plan = choose_energies(library_, n, dose=DOSE, criterion=criterion)
    return np.searchsorted(of.energy, plan.energy)


def compare(name, library_):
    of = contest(library_, dose=DOSE)
    print(f"\n{name}, {len(of.energy)} candidates, {DOSE:g} photons per pixel")
    print("  n  way          separation  ambiguous        right r: ambiguous     right")
    ways = {"equidistant": equidistant, "RFE": rfe, "DEIM": deim, "RISS": riss}
    for n in NUMBERS:
        measure = Separation(of, n)
        sets = {
            "planned": planned(of, n, library_, "separation"),
            "planned r": planned(of, n, library_, "pearson"),
        }
        sets |= {
            w: np.sort(f(of, n, np.random.default_rng(0))) for w, f in ways.items()
        }
        for way, chosen in sets.items():
            d = measure.score(measure.features[chosen].sum(axis=0))
            out, by_r = (
                expected_outcome(
                    library_,
                    of.energy[chosen],
                    dose=DOSE,
                    criterion=criterion,
                    n_pixels=2000,
                    seed=1,
                )
                for criterion in ("separation", "pearson")
            )
            shares = [out.ambiguous, out.right, by_r.ambiguous, by_r.right]
            text = "".join(f"{100 * share:11.1f} %" for share in shares)
            print(f"{n:3d}  {way:11s}  {d:8.3f} {text}")


def random_search(library_, n, n_sets):
    """Return the best separation of random sets over that of the plan."""
    of = contest(library_, dose=DOSE)
    measure, rng, best = Separation(of, n), np.random.default_rng(3), 0.0
    for _ in range(n_sets // 1000):
        sets = np.argsort(rng.random((1000, len(of.energy))), axis=1)[:, :n]
        sums = np.array([measure.features[one].sum(axis=0) for one in sets])
        best = max(best, float(measure.score(sums).max()))
    return best / choose_energies(library_, n, dose=DOSE).closest[2]


def eight(n_candidates=300):
    """Return eight references between the two ends of a library, each its own shape."""
    energy = np.linspace(505.0, 545.0, n_candidates)
    both = [references(energy).spectra, library(energy).spectra]
    spectra = np.vstack([both[0], both[1][:3]])
    return ReferenceSpectra([f"R{k}" for k in range(8)], energy, spectra)


def main():
    quick = "--quick" in sys.argv
    for name, library_ in (("first simulator", references()), ("second", library())):
        compare(name, library_)
        for n in NUMBERS:
            best = random_search(library_, n, 2000 if quick else 100_000)
            print(f"  best of random sets / planned, n = {n}: {best:.3f}")
    dense = eight()
    start = time.process_time()
    plan = choose_energies(dense, 13, dose=DOSE)
    seconds = time.process_time() - start
    print(f"\n300 candidates, n = 13, 8 references: {seconds:.2f} CPU-s")
    print(plan.summary())


if __name__ == "__main__":
    main()
