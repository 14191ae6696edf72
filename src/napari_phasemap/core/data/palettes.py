"""All colors of the program, in one place; color-blind people can tell them apart.

* `PALETTES`, `palette_colors`, `phase_colors`: colors of classes.
* `CURSOR`, `SELECTION`, `AMBIGUOUS` and so on: colors that have a meaning everywhere.
"""

from __future__ import annotations

from napari_phasemap.core.data.errors import InputError

__all__ = [
    "AMBIGUOUS",
    "AMBIGUOUS_POINTS",
    "A_AND_B",
    "CURSOR",
    "DIFFERENCE",
    "DISAGREEMENT",
    "FIT",
    "MEASURED",
    "PALETTE",
    "PALETTES",
    "QUIET",
    "SELECTION",
    "SIGNAL",
    "UNASSIGNED",
    "palette_colors",
    "phase_colors",
]

#: Okabe and Ito's color-blind safe set (https://jfly.uni-koeln.de/color/), without
#: black, then Paul Tol's "muted" set (https://sronpersonalpages.nl/~pault/).
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442",
    "#332288", "#117733", "#88ccee", "#ddcc77", "#cc6677", "#aa4499", "#882255",
)  # fmt: skip
#: Sets to choose from, the first is the default; the others are Paul Tol's.
PALETTES = {
    "Okabe-Ito": PALETTE,
    "Tol bright": (
        "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb",
    ),
    "Tol vibrant": (
        "#ee7733", "#0077bb", "#33bbee", "#ee3377", "#cc3311", "#009988", "#bbbbbb",
    ),
    "Tol light": (
        "#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#99ddff", "#44bb99", "#bbcc33",
        "#aaaa00", "#dddddd",
    ),
}  # fmt: skip
#: Gray and its share in the colors of a set, of the next as many and of the last.
TINTS = ((0, 0.0), (255, 0.5), (0, 0.435))

#: The pixel pointed at, on images, points and plots: with a rim, on any color.
CURSOR = "#ff2020"
#: Selected pixels, and what is being drawn: bright on grey, different from all classes.
SELECTION = "#ffff33"
#: Pixels that the resolved map sees differently.
DISAGREEMENT = "#ff2020"
#: Ambiguous pixels (arXiv:2603.07666, Fig. 4e), on images and, darker, as points.
AMBIGUOUS, AMBIGUOUS_POINTS = "#b4b4b4", "#a8a8a8"
#: What has no class.
UNASSIGNED = "#6f6f6f"
#: Measured spectra, fits and signals in plots of one spectrum.
MEASURED, FIT, SIGNAL = "#a0a0a0", "#56b4e9", "#e69f00"
#: Lines at zero, at an energy, under the mouse: seen on dark and on light.
QUIET = "#888888"
#: Two selections that are compared, and what tells them apart.
A_AND_B, DIFFERENCE = {"A": "#56b4e9", "B": "#d55e00"}, "#cc79a7"


def phase_colors(n_phases: int) -> tuple[str, ...]:
    """Return `n_phases` hexadecimal colors, color-blind safe up to 14.

    The next 14 are lighter, the 14 after them darker; then they repeat.

    Parameters
    ----------
    n_phases : int
        How many.

    Returns
    -------
    tuple of str
        "#rrggbb".

    Examples
    --------
    >>> phase_colors(2)
    ('#0072b2', '#e69f00')
    >>> phase_colors(30)[14::14]
    ('#80b8d8', '#004065')
    """
    return palette_colors("Okabe-Ito", n_phases)


def palette_colors(name: str, n_colors: int, /) -> tuple[str, ...]:
    """Return hexadecimal colors of one of `PALETTES`.

    Parameters
    ----------
    name : str
        Of the set.
    n_colors : int
        How many; beyond those of the set follow lighter and darker ones.

    Returns
    -------
    tuple of str
        "#rrggbb".

    Raises
    ------
    ValueError
        If there is no such set.

    Examples
    --------
    >>> palette_colors("Tol bright", 2)
    ('#4477aa', '#ee6677')
    """
    if name not in PALETTES:
        raise InputError(f"there is no palette {name!r}; choose of {list(PALETTES)}")
    colors = [_tinted(c, *tint) for tint in TINTS for c in PALETTES[name]]
    repeats = -(-n_colors // len(colors))
    return tuple(colors * repeats)[:n_colors]


def _tinted(color: str, target: int, share: float) -> str:
    """Return a color mixed with a gray of 0 to 255."""
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    mixed = (round((1.0 - share) * part + share * target) for part in parts)
    return "#" + "".join(f"{part:02x}" for part in mixed)
