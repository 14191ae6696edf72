"""How often each method is right and how sure it is, where the truth is known.

Simulated particles of both simulators, in conditions that break the model's
assumptions. Writes `docs/accuracy.md` up to its line of dashes and a reliability
diagram; what stands below is kept.

    python benchmarks/accuracy.py                  # without GMVAE: minutes
    python benchmarks/accuracy.py --gmvae          # with: hours
    python benchmarks/accuracy.py --conditions nominal --keep accuracy.json

`--keep` adds to the numbers of earlier runs, so that conditions and seeds can be run
one by one.
"""

from __future__ import annotations

import argparse
import json
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from accuracy_measures import COLUMNS, measured

import napari_phasemap as pm
from napari_phasemap.core.simulate import synthetic
from napari_phasemap.core.simulate.independent import independent_particles
from napari_phasemap.core.simulate.independent_spectra import library

FIRST = partial(synthetic.particles, shape=(96, 120))
SECOND = partial(independent_particles, shape=(96, 120))
#: Conditions by name: simulator and its options.
CONDITIONS = {
    "nominal": (FIRST, {}),
    "low dose": (FIRST, {"dose": 1000.0}),
    "strong mixing": (FIRST, {"mixing": 2.5}),
    "references 0.08 eV off": (FIRST, {"energy_drift": 0.08}),
    "second: grains": (SECOND, {}),
    "second: low dose": (SECOND, {"dose": 1000.0}),
    "second: strong mixing": (SECOND, {"mixing": 2.5}),
    "second: 0.08 eV off": (SECOND, {"shift": 0.08}),
    "second: wrong shapes": (SECOND, {"wrong_shapes": 1.0}),
    "second: gradients": (SECOND, {"arrangement": "gradient"}),
    "second: small domains": (SECOND, {"arrangement": "specks"}),
    "second: small, sharp": (SECOND, {"arrangement": "specks", "mixing": 0.0}),
    "second: misaligned frames": (SECOND, {"misalignment": 0.5}),
    "second: unknown phase": (SECOND, {"foreign": 0.1}),
    "second: blurred probe": (SECOND, {"blur": 1.5, "mixing": 0.5}),
}
THRESHOLD = 0.005
#: The preset "paper" takes minutes per training: a random part is enough to learn from.
PAPER_SPECTRA = 15_000


def run(condition, seed, n_particles, gmvae):
    """Return the numbers of every method, and what else is asked of the posterior."""
    simulator, options = CONDITIONS[condition]
    particles = simulator(n_particles, seed=seed, **options)
    stacks = pm.StackSet([one.optical_density for one in particles])
    truth = np.concatenate([one.true_labels for one in particles])
    references = synthetic.references() if simulator is FIRST else library()
    pearson = pm.pearson_map(stacks, references)
    ambiguous = pearson.ambiguous(THRESHOLD)
    found = {}

    def add(name, phase_map, *, probable=True):
        found[name] = measured(phase_map, particles, ambiguous, probable=probable)
        print(condition, seed, name, f"{found[name]['ambiguous']:.3f}", flush=True)

    add("Pearson (paper)", pearson, probable=False)
    report = pm.check_references(stacks, references)
    mended = report.apply()
    for neighbors, words in ((False, "alone"), (True, "with neighbors")):
        plain = pm.posterior_map(stacks, references, neighbors=neighbors)
        add(f"posterior, {words}", plain)
        again = pm.posterior_map(*mended, neighbors=neighbors)
        add(f"posterior, {words}, recalibrated", again)
    for preset in ("paper", "recommended") if gmvae else ():
        space = latent(preset, stacks, references, seed)
        resolved = pm.assign_mahalanobis(space, pearson, threshold=THRESHOLD)
        add(f"GMVAE {preset} + Mahalanobis", resolved, probable=False)
    return {
        "seed": seed,
        "ambiguous": float(ambiguous.mean()),
        "n_pixels": stacks.n_pixels,
        "methods": found,
        "checks": checks(truth, pearson, plain, again, report),
    }


def latent(preset, stacks, references, seed):
    """Return latent coordinates of a model trained on the spectra."""
    spectra = stacks.spectra()
    model = pm.GMVAE(preset, seed=seed)
    rows = np.random.default_rng(seed).permutation(len(spectra))
    part = spectra[rows[:PAPER_SPECTRA]] if preset == "paper" else spectra
    return model.fit(part, energy=stacks.energy).encode(spectra)


def checks(truth, pearson, posterior, mended, report):
    """Return unknown pixels, contradictions and what was found of the references."""
    foreign = truth > pearson.n_phases
    called = pm.unknown(posterior)
    wrong = (pearson.labels != truth) & ~pearson.ambiguous(THRESHOLD) & ~foreign
    odd = pm.contradicted(pearson, posterior, threshold=THRESHOLD) & ~foreign
    return {
        "unknown (%)": 100.0 * called.mean(),
        "unknown: recall": called[foreign].mean() if foreign.any() else np.nan,
        "unknown: false": (~foreign)[called].mean() if called.any() else 0.0,
        "contradicted: precision": wrong[odd].mean() if odd.any() else np.nan,
        "contradicted: recall": odd[wrong].mean() if wrong.any() else np.nan,
        "shift found (eV)": report.distortion.shift,
        "changed (%)": 100.0 * np.mean(posterior.labels != mended.labels),
        "blur found (px)": float(np.mean(posterior.parameters["blur"])),
    }


def cell(values):
    """Return mean and standard deviation over seeds."""
    known = [value for value in values if value is not None and np.isfinite(value)]
    if not known:
        return ""
    spread = f" ± {np.std(known, ddof=1):.3f}" if len(known) > 1 else ""
    return f"{np.mean(known):.3f}{spread}"


def table(header, rows):
    """Return a Markdown table."""
    lines = [" | ".join(header), " | ".join(["---"] * len(header))]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def report_of(results):
    """Return the page as far as numbers are printed."""
    sizes = [len(runs) for runs in results.values()]
    first = next(iter(results.values()))[0]
    parts = [
        "# How often each method is right, and how sure it is",
        f"Printed by `benchmarks/accuracy.py`: simulated particles with "
        f"{first['n_pixels']} pixels and more, five phases, 13 energies, {min(sizes)} "
        "to "
        f"{max(sizes)} seeds that were not used while the methods were made; mean ± "
        "standard deviation over seeds. Where pixels are mixed, the phase with the "
        "largest share is right. A pixel is ambiguous where Q1 - Q2 < "
        f"{THRESHOLD}. *Second* is a simulator that does not share the model's "
        "assumptions.",
        "\n".join(f"- *{name}*: {text}." for name, text in COLUMNS.items()),
        "![Reliability diagram](pictures/reliability_diagram.png)",
    ]
    for condition, runs in results.items():
        share = f"{100 * np.mean([one['ambiguous'] for one in runs]):.0f}"
        seeds = ", ".join(str(one["seed"]) for one in runs)
        parts.append(f"## {condition} ({share} % ambiguous; seeds {seeds})")
        rows = [
            [name, *(cell([r["methods"][name][c] for r in runs]) for c in COLUMNS)]
            for name in runs[0]["methods"]
        ]
        parts.append(table(["method", *COLUMNS], rows))
    parts.append("## Unknown pixels, contradicted pixels, references, blur")
    names = list(first["checks"])
    rows = [
        [condition, *(cell([r["checks"][name] for r in runs]) for name in names)]
        for condition, runs in results.items()
    ]
    parts.append(table(["condition", *names], rows))
    return "\n\n".join(parts) + "\n"


def draw(results, path):
    """Draw how often pixels are right that say they are."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    names = (
        "posterior, alone",
        "posterior, with neighbors",
        "posterior, with neighbors, recalibrated",
    )
    for ax, name in zip(axes, names, strict=True):
        ax.set_prop_cycle(color=colormaps["tab20"].colors)
        ax.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        for condition, runs in results.items():
            bins = np.array([one["methods"][name]["bins"] for one in runs])
            count = bins[:, 0].sum(axis=0)
            kept = count > 0.002 * count.sum()
            said, seen = (
                (bins[:, 0] * bins[:, i]).sum(axis=0)[kept] / count[kept]
                for i in (1, 2)
            )
            ax.plot(said, seen, marker=".", linewidth=1, label=condition)
        ax.set(title=name, xlabel="probability", xlim=(0.2, 1), ylim=(0.2, 1))
        ax.title.set_fontsize(9)
    axes[0].set_ylabel("share that is right")
    axes[2].legend(fontsize=5, loc="upper left")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conditions", nargs="+", default=list(CONDITIONS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[101, 102, 103])
    parser.add_argument("--particles", type=int, default=10)
    parser.add_argument("--gmvae", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--output", type=Path, default=Path("docs/accuracy.md"))
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # that references do not fit
    results = {}
    if options.keep and options.keep.exists():
        results = json.loads(options.keep.read_text())
    for seed in options.seeds:
        for condition in options.conditions:
            runs = results.setdefault(condition, [])
            if seed in [one["seed"] for one in runs]:
                continue
            runs.append(run(condition, seed, options.particles, options.gmvae))
            if options.keep:
                options.keep.write_text(json.dumps(results))
    results = {name: results[name] for name in CONDITIONS if name in results}
    below = options.output.read_text().partition("\n---\n")[2]
    text = report_of(results) + ("\n---\n" + below if below else "")
    options.output.write_text(text)
    draw(results, options.output.parent / "pictures" / "reliability_diagram.png")


if __name__ == "__main__":
    main()
