"""Which files of a mini-batch hold records."""

from __future__ import annotations


def is_hidden(relative: str) -> bool:
    """Whether a path below the batch has a name that begins with `_` or `.`, as files have that are no data.

    Any other name is one of data: what a file is, its content tells.
    """
    return any(name.startswith(("_", ".")) for name in relative.split("/"))
