"""How columns are called, from whatever stands over the numbers.

* `column_names`: one name per column, empty where the header gives none.
* `sample_title`: what the header calls the sample.

Known are the labels of XDI (``Column.N``), of SPEC (``#L``), of step scans
(``D1 = {I0}``), a list of labels below ``Data:``, labels as wide as the numbers, and a
last line of as many words as there are columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_phasemap.core.prepare.column_words import role_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["COMMENT", "column_names", "is_number", "sample_title"]

COMMENT = ("#", "%", "*", "!", ";", "//", '"#')
_XDI = re.compile(r"#\s*Column\.(\d{1,4}):\s*(.+)", re.IGNORECASE)
_SCAN = re.compile(r";?\s*([PD]\d+)\s*=\s*\{([^}]*)\}")
_NUMBERED = re.compile(r"(?:^|\s)(\d+)_(\S+(?: \([A-Za-z]+\))?)")
#: ``|| EpicsPV`` and ``# remark`` behind a label.
_REMARK = re.compile(r"\s*(\|\||#).*")
_TITLE = re.compile(r"(?:#\s*Sample\.name|.*common name)\s*:\s*(.*)", re.IGNORECASE)
#: A unit in brackets belongs to the word before it.
_LOOSE_UNIT = re.compile(r"\s+([(\[][A-Za-z.]{1,9}[)\]])")
#: Labels stand this many lines above the numbers at most.
NEAREST = 4
#: Labels of one width are filled up to this many characters at least.
NARROWEST = 8


def is_number(word: str) -> bool:
    """Whether a word is a number.

    Parameters
    ----------
    word : str
        Without blanks.

    Returns
    -------
    bool
        "nan" and "inf" are numbers, too.
    """
    try:
        float(word)
    except ValueError:
        return False
    return True


def sample_title(header: Sequence[str]) -> str:
    """Return what a header calls the sample, empty where it does not.

    Parameters
    ----------
    header : sequence of str
        Lines over the numbers.

    Returns
    -------
    str
        Without blanks around.
    """
    if len(header) > 1 and header[0].split() == ["%", "1d"]:
        title = header[1].lstrip("% ").strip()
        return "" if is_number(title) else title
    for line in header:
        found = _TITLE.match(line)
        if found:
            return found[1].strip()
    return ""


def column_names(
    header: Sequence[str], n_columns: int, split: Callable[[str], list[str]]
) -> tuple[str, ...]:
    """Return one name per column, all empty where the header gives none.

    Parameters
    ----------
    header : sequence of str
        Lines over the numbers, without their line ends.
    n_columns : int
        Numbers in a row.
    split : callable
        Splits a line of numbers into words.

    Returns
    -------
    tuple of str
        From the first column to the last.
    """
    xdi = {int(m[1]): m[2].strip() for m in map(_XDI.match, header) if m}
    if xdi:
        return tuple(_REMARK.sub("", xdi.get(at + 1, "")) for at in range(n_columns))
    listed = _listed(header, n_columns)
    if listed:
        return listed
    meant = {m[1]: m[2].strip() for m in map(_SCAN.match, header) if m}
    lines = [line for line in header if re.search(r"[A-Za-z]", line)]
    for line in reversed(lines[-NEAREST:]):
        names = _labels(line, n_columns, split, meant)
        if names:
            return names
    return ("",) * n_columns


def _labels(
    line: str,
    n_columns: int,
    split: Callable[[str], list[str]],
    meant: Mapping[str, str],
) -> tuple[str, ...]:
    """Return the labels of a line, none where it is no line of labels."""
    numbered = _NUMBERED.findall(line)
    if [int(number) for number, _ in numbered] == list(range(1, n_columns + 1)):
        return tuple(name for _, name in numbered)
    text = line.lstrip().lstrip("#*!;%/ \t")
    if line.startswith("#L "):
        spec = tuple(re.split(r"\s{2,}", line[3:].strip()))
        if len(spec) == n_columns:
            return spec
    glued = _LOOSE_UNIT.sub(r"\1", text)
    is_comment = line.lstrip().startswith(COMMENT)
    for words in (split(glued), glued.split(), _as_wide(line, n_columns)):
        if len(words) != n_columns or is_number(words[0]):
            continue
        words = [meant.get(word, word) for word in words]
        telling = any(role_of(word)[0] == "energy" for word in words)
        if telling or (not is_comment and sum(map(is_number, words)) * 2 < n_columns):
            return tuple(word.strip("\"'") for word in words)
    return ()


def _as_wide(line: str, n_columns: int) -> list[str]:
    """Return labels that were all filled up to the same width."""
    text = line[1:] if line.startswith("#") else line
    width = len(text) // n_columns
    if len(text) % n_columns or width < NARROWEST:
        return []
    words = [text[at : at + width].strip() for at in range(0, len(text), width)]
    return words if all(words) else []


def _listed(header: Sequence[str], n_columns: int) -> tuple[str, ...]:
    """Return the labels of a list below ``Data:``, one a line."""
    for at, line in enumerate(header):
        if line.strip() == "Data:":
            names = tuple(one.strip() for one in header[at + 1 :] if one.strip())
            return names if len(names) == n_columns else ()
    return ()
