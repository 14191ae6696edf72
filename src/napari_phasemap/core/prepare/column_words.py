"""What a word over a column says of the numbers below it.

* `Role`: what a column is to a reference spectrum.
* `role_of`: role and reason, from the name alone.
* `unit_of`, `bare`: the unit in a name; the name without unit, number and signs.

The words are those of the XDI dictionary [1]_, of Athena and SPEC, and of the headers
that beamlines publish with their files.

References
----------
.. [1] XAFS Data Interchange, dictionary of metadata, table of column labels;
   B. Ravel, M. Newville, J. Phys. Conf. Ser. 712, 012148 (2016),
   DOI: 10.1088/1742-6596/712/1/012148
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

__all__ = ["Role", "bare", "role_of", "unit_of"]

Role: TypeAlias = Literal["energy", "mu", "i0", "transmitted", "fluorescence", "other"]

_UNIT = re.compile(r"[(\[]\s*([A-Za-z]+)\s*[)\]]|[\s_,/]\s*(k?eV)\b", re.IGNORECASE)
#: ``12_`` before a label and ``_c12`` behind it.
_NUMBERED = re.compile(r"^\d+_(?=[a-z])|_c\d+$")

_OTHER_UNITS = frozenset(
    {"mm", "um", "nm", "m", "angstrom", "a", "deg", "degree", "degrees", "rad", "s",
     "sec", "steps", "inverse"}
)  # fmt: skip

#: The first pattern that a bare name fits decides: role, pattern, why.
_WORDS: tuple[tuple[Role, str, str], ...] = (
    ("other", r".*(angle|theta|gap|enc\d*)", "a position of the monochromator"),
    ("other", r".*(mu|norm|xmu)_?(ref|refer)|normrefer|mu(12|23|01)",
     "absorption of something else than the sample"),
    ("energy", r"e|x|hv|k?ev|h_?nu|nrg|.*energy.*|.*mononrg|energ[iy].*|.*nrg",
     "its name says energy"),
    ("mu", r"x?mu_?e?|x?mu_?(trans|fluor?)(mission|escence)?|mux|norm(ali[sz]ed)?"
     r"|nor|norm(trans|fluor)|flat(tened)?|od|optical_density|absorbance"
     r"|absorption|x?_?xanes_?|nexafs|norm_mu|mu_norm", "its name says absorption"),
    ("i0", r"i_?0(_eh\d+)?|io|izero|i0_?\d+|i0_keithley\d*|prekb_i0|pre_kb|i0_counts?"
     r"|mon(itor)?|incident(_intensity)?", "its name says incident intensity"),
    ("transmitted", r"i_?t(_?\d\d)?|i1(_eh\d+|_keithley\d*)?|i_?trans(mitted|mission)?"
     r"|trans(mitted|mission)?|it_counts?", "its name says transmitted intensity"),
    ("other", r"i_?r(ef.*|_eh\d+)?|i_?[2-9](_.*)?|refer(ence)?",
     "a detector behind the sample's, usually at a foil"),
    ("fluorescence", r"i_?f+(luor?\w*|ch\d+|fast\d+|slow\d+)?(_?\d+)?"
     r"|fluo(r|resc\w*)?(_.*)?"
     r"|(.*_)?([a-z]{1,2}_?)?[klm][ab]\d?(_.*)?|(.*_)?(t[ef]y|p[ef]y)(_.*)?|lytle"
     r"|roi_?\d*|fl(a|at)(ot|\d+)|electron_yield|drain.*|sca\d.*",
     "its name says fluorescence or electron yield"),
    ("other", r".*(time|clock|dwell|second|epoch|timer|date).*|sec|rt[cm]?",
     "its name says time"),
    ("other", r"[hkl]|chi(_.*)?|k_?\d*|index|point|pt|no|nr|scan|event.*|step",
     "its name says no intensity"),
    ("other", r".*(i[co]r|dead|dtc?|factor|count|gain|current|temp|offset|off|"
     r"scaler|mca|stddev|std|err(or)?|sigma|weight|live|slit|ring|srcur)"
     r"([_\d].*)?s?|.*(ic|oc)r\d+.*|dt(c?\d+|_.*|factor.*)|.*_dxp|.*ert[lm].*|.*elt[lm].*",
     "its name says electronics"),
    ("other", r"[dp]\d+|(.*_)?(det(ector)?|ch(an(nel)?)?|ion|pin|diode|adc\d*|ic"
     r"|keithley|counter|ctr|sr|bpm)_?\d+(_.*)?|(.*_)?(pin|diode|slit)(_.*)?|.*:.*",
     "the number of a detector, not what it sees"),
    ("other", r"", "it has no name"),
)  # fmt: skip


def unit_of(name: str, /) -> str:
    """Return the unit in a column's name, "eV", "keV" or another, or an empty text.

    Parameters
    ----------
    name : str
        Of a column.

    Returns
    -------
    str
        As it is written, but for eV and keV.

    Examples
    --------
    >>> unit_of("energy (eV)"), unit_of("1_Energy(keV)"), unit_of("x mm"), unit_of("E")
    ('eV', 'keV', 'mm', '')
    """
    label = name.strip()
    found = _UNIT.search(label)
    word = label if found is None else (found[1] or found[2])
    named = {"ev": "eV", "kev": "keV"}
    if word.lower() in named:
        return named[word.lower()]
    if found is not None:
        return word
    last = label.split()[-1:]
    return last[0] if last and last[0].lower() in _OTHER_UNITS else ""


def bare(name: str, /) -> str:
    """Return a column's name in small letters, without unit, number and signs.

    Parameters
    ----------
    name : str
        Of a column.

    Returns
    -------
    str
        Words between underscores.

    Examples
    --------
    >>> bare("3_mononrg"), bare("Mono Energy (alt) *"), bare("I0-32"), bare("time sec")
    ('mononrg', 'mono_energy', 'i0_32', 'time_sec')
    """
    label = name.strip()
    label = re.sub(r"[(\[][^)\]]*[)\]]|[<>*\"'$]", " ", label).strip().lower()
    label = re.sub(r"\s+(k?ev|counts|n?a|au|seconds|a\.u\.)$", "", label)
    label = re.sub(r"[\s\-./]+", "_", label).strip("_")
    return _NUMBERED.sub("", label)


def role_of(name: str, /) -> tuple[Role | None, str]:
    """Return what a name says of its column, and why; None where it says nothing.

    Parameters
    ----------
    name : str
        Of a column.

    Returns
    -------
    role : str or None
        What the column is.
    why : str
        To be read after "because".

    Examples
    --------
    >>> role_of("itrans")[0], role_of("Mn_Ka_mca1")[0], role_of("Clock_mca2")[0]
    ('transmitted', 'fluorescence', 'other')
    >>> role_of("Magnetite")
    (None, 'its name is of no detector')
    """
    word = bare(name)
    for role, pattern, reason in _WORDS:
        if re.fullmatch(pattern, word):
            return role, reason
    return None, "its name is of no detector"
