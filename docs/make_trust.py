"""Print every number of docs/trust.md: run it, and the page and its pictures are new.

    python docs/make_trust.py

Everything is done to the sample particles, whose true phases are known.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

import napari_phasemap as pm
from napari_phasemap.core.data.subset import with_mean_spectrum
from napari_phasemap.core.phases.abstention import chance_of_error, probability
from napari_phasemap.core.phases.calibration import calibration_error
from napari_phasemap.core.phases.decisions import decisions_of
from napari_phasemap.figures import fraction_sheet, map_sheet, save_figure
from napari_phasemap.io.samples import sample_paths, sample_references, sample_truth
from napari_phasemap.pipeline.probabilities import probable_phases

HERE = Path(__file__).parent
THRESHOLD, LEVEL, SHIFT, THINNED = 0.005, 0.9, 0.08, 0.1

# fmt: off
PAGE = """# How far to trust a phase map

One data set, the four sample particles ({n_pixels} pixels, {n_energies} energies, five phases). They are simulated, so
the true phase of every pixel is known and every method can be caught out. Every number here was printed by
`docs/make_trust.py`.

**In short**

| you want | use | believe it when |
|---|---|---|
| what the paper shows | *Pearson*, gap 0.005 | references and energies are right and the dose is good; gray pixels stay open |
| a phase for the gray pixels, and how sure it is | *Posterior* | **Check references** found nothing, or you applied what it found |
| to see groups, outliers, gradients | *Latent space* | as a picture; it decides gray pixels no better than Pearson |
| phases that no reference describes | *Posterior*: unknown | their mean spectrum makes sense to you |
| per cent of a phase | the table with its 95 % interval | the interval is about which pixels were seen, not about wrong references |

## 1. Two maps of the same pixels

*Phase map* dock, **Method: Pearson (paper)**, **Correlate**; then **Method: Posterior**, **Compute probabilities**. Pearson
compares shapes and calls a pixel ambiguous where the best two r differ by less than 0.005. The posterior asks how likely each
phase is with the noise of this very pixel (its photon counts), lets a pixel be a mixture of two phases, and lets neighbors have
a say, as much as the particle itself shows that neighbors agree.

| | Pearson | posterior |
|---|---|---|
| right, all pixels | {a_pearson} % | {a_posterior} % |
| right, the {a_ambiguous} % that Pearson finds ambiguous | {a_pearson_amb} % | {a_posterior_amb} % |
| calibration error of its probabilities | | {a_ece} |
| left open (ambiguous, or probability below 0.9) | {a_ambiguous} % | {a_undecided} % |
| right among those that are not left open | {a_pearson_sure} % | {a_posterior_sure} % |

![Posterior: gray pixels are undecided](pictures/trust_posterior.png)

The line below the button says what the gap means: here, of pixels with a gap of 0.005, the best r is the wrong phase in
{a_chance} % of the cases. The layer *contradicts Pearson* shows unambiguous pixels with another phase: {a_contradicted} of
them, {a_contradicted_right} % of which Pearson really has wrong.

## 2. The same with a tenth of the photons

| | Pearson | posterior |
|---|---|---|
| right, all pixels | {b_pearson} % | {b_posterior} % |
| right, the {b_ambiguous} % that Pearson finds ambiguous | {b_pearson_amb} % | {b_posterior_amb} % |
| calibration error of its probabilities | | {b_ece} |

The gap of 0.005 knows nothing of dose: now the best r is wrong in {b_chance} % of the cases where the gap is 0.005. Pearson's
gaps do not warn you; its unambiguous pixels are right in {b_pearson_sure} % only, the decided ones of the posterior in
{b_posterior_sure} %.

## 3. Check the references before you believe anything

With the references moved up by {shift} eV, Pearson is right in {c_pearson} % of all pixels and the posterior in {c_posterior} %,
and it does not know: it says {c_said} % on average. **No method that believes its references can see that they are wrong.**
**Check references** (beside *Open references…*) says:

> {c_report}

After **Apply checked** Pearson is right in {d_pearson} %, the posterior in {d_posterior} %, and its calibration error is
{d_ece}. With the references as they are, the check says:

> {a_report}

**A trap.** A shift can make one phase look like another. Check all particles together: from P1 alone, which holds three of the five
phases, the same right references give

> {e_report}

What is not suggested has no tick in its box, and a caution says why.

## 4. A phase that is not in your library

With all five references {a_unknown} % of the pixels are unknown. Now one of the five is taken out of the library; by Pearson its
pixels become something else without a word. What the posterior calls unknown:

| left out | its pixels that are called unknown | known pixels among the unknown | its pixels right after *Add mean spectrum as a reference* | all pixels right then |
|---|---|---|---|---|
{f_rows}

**What this cannot see:** these five phases are one series and hardly differ more than the noise of one pixel, so one that lies
between two others looks like their mixture, and one at the end like its neighbor. A pixel is called unknown only where its own
spectrum says so. With *mixtures* switched off:

| left out | its pixels that are called unknown | known pixels among the unknown |
|---|---|---|
{g_rows}

A phase of another kind is found at once: a patch of a sixth phase (a plain step), {h_pixels} pixels put into P1, is called unknown in {h_recall} % of its pixels, {h_wrong} % of the unknown pixels
are known ones, and after *Add mean spectrum as a reference* {h_after} % of them have the new phase.

![Unknown pixels are magenta](pictures/trust_unknown.png)

## 5. Per cent with an interval

Neighboring pixels are not independent, so whole blocks of 8 x 8 pixels are drawn again and again.

| phase | true % | found by the posterior, 95 % interval |
|---|---|---|
{fractions}

The interval tells how much the number hangs on which pixels were seen. It knows nothing of wrong references: with those of
section 3, {c_outside} of the 5 true values lie outside.

![Fractions with intervals](pictures/trust_fractions.png)

## 6. By command

```bash
napari-phasemap run particles/*.hdr --references refs.csv --method posterior --check-references --output results
napari-phasemap run particles/*.hdr --references refs.csv --method posterior --check-references \\
    --recalibrate suggested --output results2
napari-phasemap compare particles/*.hdr --references refs.csv --truth truth.npz
```

The first only says what the check found; nothing is corrected unless `--recalibrate` names it (`suggested`, or for example
`"energy shift, I0"`). `compare` with a truth prints the calibration error and the area under the risk-coverage curve.

In Python:

```python
import napari_phasemap as pm
from napari_phasemap.io.samples import sample_paths, sample_references

counts = [pm.read_stack(path) for path in sample_paths()]
densities = [pm.optical_density(stack, pm.estimate_i0(stack)) for stack in counts]
stacks = pm.StackSet(
    [od.with_mask(pm.mask_from(od, method="otsu")) for od in densities]
)
references = pm.read_references(sample_references())
report = pm.check_references(stacks, references)
print(report)
stacks, references = report.apply(["energy shift"])
posterior = pm.posterior_map(stacks, references)
print(posterior, pm.undecided(posterior).sum(), pm.unknown(posterior).sum())
print(pm.fraction_intervals(posterior, stacks).low[0].round(1))
```

## Where it does not help

* Domains of one or two pixels can be lost to their neighbors: switch *neighbors* off where they matter.
* Reference shapes that are wrong (other peak widths, a missing feature) are not mended; the check warns where residuals have
  structure.
* Optical density without counts: one scale of the noise is estimated, from a flat region that you outline or from what the best
  fits leave. The dock says which. Too large a noise makes probabilities timid, too small a noise makes them bold.
* How each method does on other simulated particles, gradients and wrong shapes: [accuracy](accuracy.md).
"""  # noqa: E501
# fmt: on


def prepared(paths, share: float = 1.0) -> pm.StackSet:
    """Return masked optical densities, of a part of the photons."""
    rng = np.random.default_rng(0)
    stacks = []
    for path in paths:
        counts = pm.read_stack(path)
        if share < 1.0:
            few = rng.binomial(np.round(counts.data).astype(int), share)
            counts = replace(counts, data=np.maximum(few, 1).astype(np.float32))
        full = pm.read_stack(path)
        density = pm.optical_density(full, pm.estimate_i0(full))
        mask = pm.mask_from(density, method="otsu")
        density = pm.optical_density(counts, pm.estimate_i0(counts))
        stacks.append(density.with_mask(mask))
    return pm.StackSet(stacks)


def judged(prefix: str, stacks, references, truth) -> tuple[dict, pm.PhaseMap]:
    """Return the numbers of one case, and its map of probabilities."""
    pearson = pm.pearson_map(stacks, references)
    posterior = probable_phases(stacks, references)
    told, there = decisions_of(posterior), truth > 0
    unclear, undecided = pearson.ambiguous(THRESHOLD), told.undecided(LEVEL)
    odd = pm.contradicted(pearson, posterior, threshold=THRESHOLD)
    right, probable = pearson.labels == truth, posterior.labels == truth

    def share(hits, where) -> str:
        return f"{100 * hits[where & there].mean():.1f}"

    found = {
        "pearson": share(right, there),
        "posterior": share(probable, there),
        "pearson_amb": share(right, unclear),
        "posterior_amb": share(probable, unclear),
        "pearson_sure": share(right, ~unclear),
        "posterior_sure": share(probable, ~undecided & (posterior.labels > 0)),
        "ambiguous": f"{100 * unclear.mean():.0f}",
        "undecided": f"{100 * undecided.mean():.1f}",
        "unknown": f"{100 * told.unknown.mean():.2f}",
        "ece": f"{calibration_error(told.probability[there], probable[there]):.3f}",
        "said": f"{100 * np.nanmean(probability(posterior)):.0f}",
        "chance": f"{100 * chance_of_error(pearson, posterior, gap=THRESHOLD):.0f}",
        "contradicted": int(odd.sum()),
        "contradicted_right": share(~right, odd),
    }
    for name, value in found.items():
        print(f"{prefix} {name}: {value}", flush=True)
    return {f"{prefix}_{name}": value for name, value in found.items()}, posterior


def said(report) -> str:
    """Return a report as a quotation."""
    print(report, flush=True)
    return "\n> ".join([*report.sentences, *(f"Caution: {w}" for w in report.warnings)])


def without(references, name: str):
    """Return the references but one."""
    kept = [i for i, other in enumerate(references.names) if other != name]
    return replace(
        references,
        names=tuple(references.names[i] for i in kept),
        spectra=references.spectra[kept],
    )


def found_unknown(stacks, few, own, truth, **options) -> tuple[str, str, pm.PhaseMap]:
    """Return per cent: unknown pixels of a phase, and others among the unknown."""
    posterior = probable_phases(stacks, few, **options)
    told = decisions_of(posterior)
    known = (truth > 0) & ~own & told.unknown
    wrong = 100 * known.sum() / max(told.unknown.sum(), 1)
    return f"{100 * told.unknown[own].mean():.1f}", f"{wrong:.1f}", posterior


def library(stacks, references, truth, **options) -> str:
    """Leave out one phase after another, and take its mean back as a reference."""
    rows = []
    for number, name in enumerate(references.names, 1):
        few, own = without(references, name), truth == number
        recall, wrong, posterior = found_unknown(stacks, few, own, truth, **options)
        row = [name, f"{recall} %", f"{wrong} %"]
        strange = decisions_of(posterior).unknown
        if not options and strange.any():
            labels = again(stacks, few, strange, [*few.names, name], references)
            row += [
                f"{100 * (labels == number)[own].mean():.1f} %",
                f"{100 * (labels == truth)[truth > 0].mean():.1f} %",
            ]
        elif not options:
            row += ["none is unknown", ""]
        rows.append(f"| {' | '.join(row)} |")
        print(rows[-1], flush=True)
    return "\n".join(rows)


def again(stacks, few, strange, names, references) -> np.ndarray:
    """Return labels, in the order of the references, with the mean of the unknown."""
    more = with_mean_spectrum(few, stacks, strange, "unknown")
    order = [0, *(references.names.index(name) + 1 for name in names)]
    return np.array(order)[probable_phases(stacks, more).labels]


def contaminated(stacks, references, truth, numbers: dict) -> None:
    """Put a patch of a phase that is no mixture into P1, with the noise there."""
    first = stacks[0]
    rows, columns = np.nonzero(first.mask)
    center = int(rows.mean()), int(columns.mean())
    patch = np.zeros(first.shape, bool)
    patch[center[0] - 5 : center[0] + 5, center[1] - 6 : center[1] + 6] = True
    patch &= first.mask
    center_ev = first.energy.mean()
    shape = 0.3 + 0.9 / (1 + np.exp(-(first.energy - center_ev) / 3.0))
    data = np.array(first.data)
    noise = np.sqrt(first.variance())
    rng = np.random.default_rng(1)
    thick = data.mean(axis=0)[patch] / shape.mean()
    fresh = (
        shape[:, None] * thick
        + rng.normal(size=(len(shape), patch.sum())) * (noise[:, patch])
    )
    data[:, patch] = fresh
    other = pm.StackSet([replace(first, data=data), *stacks.stacks[1:]])
    own = other.join([patch, *(np.zeros(s.shape, bool) for s in other.stacks[1:])])
    own = own.astype(bool)
    recall, wrong, posterior = found_unknown(other, references, own, truth)
    strange = decisions_of(posterior).unknown
    more = with_mean_spectrum(references, other, strange, "unknown")
    labels = probable_phases(other, more).labels
    numbers |= {
        "h_pixels": int(own.sum()),
        "h_recall": recall,
        "h_wrong": wrong,
        "h_after": f"{100 * (labels == len(references) + 1)[own].mean():.1f}",
    }
    sheet = map_sheet(other, decisions_of(posterior).as_map(LEVEL))
    save_figure(sheet, picture("unknown"), dpi=130, overwrite=True)


def intervals(stacks, posterior, truth) -> tuple[str, int]:
    """Return rows of a table, and how many true values lie outside."""
    found = pm.fraction_intervals(posterior, stacks)
    counts = np.bincount(truth[truth > 0], minlength=posterior.n_phases + 1)[1:]
    shares = 100.0 * counts / counts.sum()
    rows = [
        f"| {name} | {share:.1f} | {value:.1f} ({low:.1f} to {high:.1f}) |"
        for name, share, value, low, high in zip(
            posterior.names,
            shares,
            found.fractions[0],
            found.low[0],
            found.high[0],
            strict=True,
        )
    ]
    outside = (shares < found.low[0]) | (shares > found.high[0])
    return "\n".join(rows), int(outside.sum())


def picture(name: str) -> Path:
    return HERE / "pictures" / f"trust_{name}.png"


def main() -> None:
    references = pm.read_references(sample_references())
    stacks, known = prepared(sample_paths()), sample_truth()
    truth = stacks.join([known[name] for name in stacks.names]).astype(int)
    numbers = {
        "n_pixels": stacks.n_pixels,
        "n_energies": stacks.n_energies,
        "shift": SHIFT,
    }
    more, posterior = judged("a", stacks, references, truth)
    numbers |= more
    told = decisions_of(posterior).as_map(LEVEL)
    save_figure(map_sheet(stacks, told), picture("posterior"), dpi=130, overwrite=True)
    found = pm.fraction_intervals(posterior, stacks)
    sheet = fraction_sheet(stacks, posterior, intervals=found)
    save_figure(sheet, picture("fractions"), dpi=130, overwrite=True)
    numbers["fractions"], _ = intervals(stacks, posterior, truth)
    numbers["a_report"] = said(pm.check_references(stacks, references))
    dim = prepared(sample_paths(), THINNED)
    numbers |= judged("b", dim, references, truth)[0]
    moved = replace(references, energy=references.energy + SHIFT)
    more, wrong = judged("c", stacks, moved, truth)
    numbers |= more
    _, numbers["c_outside"] = intervals(stacks, wrong, truth)
    report = pm.check_references(stacks, moved)
    numbers["c_report"] = said(report)
    numbers |= judged("d", *report.apply(), truth)[0]
    alone = pm.check_references(pm.StackSet([stacks[0]]), references)
    numbers["e_report"] = said(alone)
    numbers["f_rows"] = library(stacks, references, truth)
    numbers["g_rows"] = library(stacks, references, truth, mixtures=False)
    contaminated(stacks, references, truth, numbers)
    print({name: numbers[name] for name in numbers if name.startswith("h_")})
    (HERE / "trust.md").write_text(PAGE.format(**numbers), encoding="utf-8")


if __name__ == "__main__":
    main()
