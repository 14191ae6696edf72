"""What a phase map is worth where the true phases are known.

* `measured`: the numbers of one map.
* `reliability`: how often pixels are right that say they are, in 15 bins.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_cdt, label

from napari_phasemap.core.latent.comparison import accuracy

#: Columns of the tables, with what is said of them.
COLUMNS = {
    "ambiguous": "Right among the pixels that Pearson finds ambiguous",
    "all": "Right among all pixels",
    "boundary": "Right within 2 pixels of a boundary of the true phases",
    "small": "Right in true domains of fewer than 9 pixels",
    "macro F1": "Mean over the phases of the harmonic mean of precision and recall",
    "ECE": "Expected calibration error of the probability, 15 bins, all pixels",
    "ECE ambiguous": "The same among the ambiguous pixels",
    "AURC": "Area under the risk-coverage curve: mean share of errors among the surest "
    "pixels, over all shares of pixels that are kept",
}
SMALL, NEAR, N_BINS = 9, 2, 15


def near_boundaries(labels):
    """Return which pixels have another phase within `NEAR` pixels."""
    near = np.zeros(labels.shape, dtype=bool)
    for phase in np.unique(labels[labels > 0]):
        own = labels == phase
        if not (own | (labels == 0)).all():
            other = distance_transform_cdt(own | (labels == 0), "chessboard")
            near |= own & (other <= NEAR)
    return near


def small_domains(labels):
    """Return which pixels lie in a domain, with corners, of fewer than `SMALL`."""
    small = np.zeros(labels.shape, dtype=bool)
    for phase in np.unique(labels[labels > 0]):
        numbers, _ = label(labels == phase, np.ones((3, 3)))
        sizes = np.bincount(numbers.ravel())
        sizes[0] = SMALL
        small |= sizes[numbers] < SMALL
    return small


def reliability(probability, right):
    """Return pixels, mean probability and share of right pixels, bin by bin."""
    bins = np.minimum((probability * N_BINS).astype(int), N_BINS - 1)
    count = np.bincount(bins, minlength=N_BINS)
    return np.array(
        [
            count,
            np.bincount(bins, probability, N_BINS) / np.maximum(count, 1),
            np.bincount(bins, right, N_BINS) / np.maximum(count, 1),
        ]
    )


def calibration_error(probability, right):
    """Return the expected calibration error."""
    if not len(right):
        return float("nan")
    count, said, seen = reliability(probability, right)
    return float((count * np.abs(said - seen)).sum() / count.sum())


def risk_coverage(confidence, right):
    """Return the area under the risk-coverage curve."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    return float(np.mean(wrong / np.arange(1, len(wrong) + 1)))


def measured(phase_map, particles, ambiguous, *, probable):
    """Return the numbers of `COLUMNS` of a map.

    `probable` says that the scores are log-probabilities. Pixels of a phase outside the
    library are left out.
    """
    images = [
        np.where(one.optical_density.mask, one.labels, 0).astype(int)
        for one in particles
    ]
    masks = [one.optical_density.mask for one in particles]
    pixels = list(zip(images, masks, strict=True))
    truth = np.concatenate([image[mask] for image, mask in pixels])
    near = np.concatenate([near_boundaries(image)[mask] for image, mask in pixels])
    small = np.concatenate([small_domains(image)[mask] for image, mask in pixels])
    there = truth <= phase_map.n_phases
    truth = np.where(there, truth, 0)
    known = accuracy(phase_map.labels, truth, ambiguous)
    right = phase_map.labels == truth
    found = {
        "ambiguous": known.ambiguous,
        "all": known.all_pixels,
        "boundary": float(np.mean(right[near & there])),
        "small": float(np.mean(right[small & there])) if small.any() else np.nan,
        "macro F1": known.macro_f1,
        "ECE": np.nan,
        "ECE ambiguous": np.nan,
        "AURC": risk_coverage(np.nan_to_num(phase_map.margin[there]), right[there]),
    }
    if probable:
        sure = np.exp(phase_map.best.astype(float))
        found["ECE"] = calibration_error(sure[there], right[there])
        unclear = there & ambiguous
        found["ECE ambiguous"] = calibration_error(sure[unclear], right[unclear])
        found["bins"] = reliability(sure[there], right[there]).tolist()
    return found
