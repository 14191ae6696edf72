"""What a pixel is, in one line of text.

* `describe_pixel`: particle, position, phase, r, reliability and probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_phasemap.core.data.phasemap import PhaseMap
    from napari_phasemap.core.data.stack_set import StackSet

__all__ = ["describe_pixel"]


def describe_pixel(
    stacks: StackSet,
    pixel: int,
    /,
    *,
    phase_map: PhaseMap | None = None,
    resolved: PhaseMap | None = None,
    posterior: PhaseMap | None = None,
    latent: NDArray[Any] | None = None,
    threshold: float = 0.005,
) -> str:
    """Return what is known of a pixel as one line.

    Parameters
    ----------
    stacks : StackSet
        Where the pixel is.
    pixel : int
        In pixel order.
    phase_map, resolved : PhaseMap, optional
        Classification before and after ambiguous pixels were resolved.
    posterior : PhaseMap, optional
        With log-probabilities of the phases.
    latent : ndarray of shape (n_pixels, n_latent), optional
        In latent units.
    threshold : float, default=0.005
        Smallest unambiguous Q1 - Q2.

    Returns
    -------
    str
        For example "P1 row 3 col 4 | Na2VPF r 0.991 | R 0.31 ambiguous (or Na1VPF)".
    """
    index, row, col = stacks.locate(pixel)
    parts = [f"{stacks.names[index]} row {row} col {col}"]
    if phase_map is not None:
        parts += _phase(phase_map, pixel, threshold)
    if resolved is not None and resolved.labels[pixel]:
        parts.append(f"{resolved.method}: {resolved.names[resolved.labels[pixel] - 1]}")
    if posterior is not None and posterior.n_pixels > pixel:
        parts.append(_probable(posterior, pixel))
    if latent is not None:
        numbers = ", ".join(f"{value:.2f}" for value in latent[pixel][:6])
        parts.append(f"z ({numbers})")
    return " | ".join(parts)


def _phase(phases: PhaseMap, pixel: int, threshold: float) -> list[str]:
    label = int(phases.labels[pixel])
    if label == 0:
        return ["not assigned"]
    symbol = "r" if phases.method == "pearson" else "score"
    words = [f"{phases.names[label - 1]} {symbol} {phases.best[pixel]:.4f}"]
    margin, second = float(phases.margin[pixel]), int(phases.runner_up[pixel])
    if not np.isfinite(margin) or not second:
        return words
    other = phases.names[second - 1]
    if phases.method != "pearson":
        return [*words, f"margin {margin:.3g} before {other}"]
    if margin < threshold:
        return [*words, f"R {100 * margin:.2f}, ambiguous with {other}"]
    return [*words, f"R {100 * margin:.2f} before {other}"]


def _probable(posterior: PhaseMap, pixel: int) -> str:
    label = int(posterior.labels[pixel])
    if not label:
        return "fits no reference"
    chance = np.exp(float(posterior.best[pixel]))
    return f"{posterior.names[label - 1]} with probability {chance:.3f}"
