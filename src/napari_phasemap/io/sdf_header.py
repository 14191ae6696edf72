"""What a self-describing STXM header says: text to nested dict.

The grammar is ``Key = value;`` with ``{ ... }`` for structures and
``(N, item1, ..., itemN)`` for arrays. Writers are careless with separators and leave
stray brackets, so whatever does not fit is skipped.

* `parse_header`: the whole header as nested dict.
"""

from __future__ import annotations

import re
from typing import Any

from napari_phasemap.core.data.errors import InputError

__all__ = ["parse_header"]

_TOKEN = re.compile(r'"([^"]*)"|([={}();,])|([^\s={}();,"]+)')
#: No real header nests deeper than 6.
_DEEPEST = 50


def parse_header(text: str) -> dict[str, Any]:
    """Return a header as nested dict of dict, list, str, float, int and bool.

    An array is the list of its items; their count is checked.

    Parameters
    ----------
    text : str
        All of the header.

    Returns
    -------
    dict of str to object
        By the names in the file.

    Raises
    ------
    ValueError
        If brackets nest too deep or an array holds another number of items than it
        says.
    """
    tokens = [
        (match.group(2) or "", match.group(1), match.group(3))
        for match in _TOKEN.finditer(text)
    ]
    return _Parser(tokens).structure(depth=0, closing="")


class _Parser:
    """A cursor over the tokens (mark, quoted, word); exactly one of them is set."""

    def __init__(self, tokens: list[tuple[str, str | None, str | None]]) -> None:
        self.tokens = tokens
        self.at = 0

    def structure(self, *, depth: int, closing: str) -> dict[str, Any]:
        """Read ``key = value;`` up to the closing bracket or the end."""
        found: dict[str, Any] = {}
        key = ""
        while self.at < len(self.tokens):
            mark, quoted, word = self.tokens[self.at]
            self.at += 1
            if mark == "=" and key:
                found[key] = self.value(depth=depth)
                key = ""
            elif mark and mark == closing:
                break
            elif not mark:
                key = word if word is not None else quoted or ""
        return found

    def value(self, *, depth: int) -> Any:
        """Read a structure, an array or a scalar."""
        if depth > _DEEPEST:
            raise InputError(f"brackets of the header nest deeper than {_DEEPEST}")
        mark = self.tokens[self.at][0] if self.at < len(self.tokens) else ";"
        if mark == "{":
            self.at += 1
            return self.structure(depth=depth + 1, closing="}")
        if mark == "(":
            self.at += 1
            return self.array(depth=depth + 1)
        return self.scalar(until=";})")

    def array(self, *, depth: int) -> list[Any]:
        """Read the items up to ``)`` and check that there are as many as claimed."""
        items: list[Any] = []
        while self.at < len(self.tokens):
            mark = self.tokens[self.at][0]
            if mark == ")":
                self.at += 1
                break
            if mark in {"{", "("}:
                items.append(self.value(depth=depth))
            elif mark:
                self.at += 1
            else:
                items.append(self.scalar(until=",;)}{("))
        return _counted(items)

    def scalar(self, *, until: str) -> Any:
        """Read words up to a mark that ends them; the mark stays."""
        words: list[str] = []
        while self.at < len(self.tokens):
            mark, quoted, word = self.tokens[self.at]
            if mark and mark in until:
                break
            self.at += 1
            if quoted is not None:
                return quoted
            if word is not None:
                words.append(word)
        return _plain(" ".join(words))


def _counted(items: list[Any]) -> list[Any]:
    """Return the items after the count, which must be right."""
    if not items:
        return []
    count, rest = items[0], items[1:]
    if not isinstance(count, int):
        return items
    if count != len(rest):
        raise InputError(
            f"an array of the header says {count} items but holds {len(rest)}"
        )
    return rest


def _plain(word: str) -> Any:
    """Return a number or bool where the word is one."""
    if word in ("true", "false"):
        return word == "true"
    try:
        return int(word) if len(word) < 20 else float(word)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        return word
