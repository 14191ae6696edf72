"""What a user can cause, told apart from what is a bug.

* `InputError`: a value, a file or a choice that cannot work, in words that say what is
  wrong, with both sides, and what to do.

Whatever else a function raises (a bare ``ValueError`` of numpy, a ``TypeError``, an
``IndexError``) is a bug: it is logged with its traceback and shown as such.
"""

from __future__ import annotations

__all__ = ["InputError"]


class InputError(ValueError):
    """Something given to the program that cannot work; the message says what to do."""
