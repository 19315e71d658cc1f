"""Which files of a mini-batch hold records."""

from __future__ import annotations

from typing import Final

from ndr_core.errors import UsageError

SUFFIXES: Final = (".gz", ".json", ".jsonl", ".ndjson", ".log", ".zst")


def is_data(relative: str, address: str) -> bool:
    """Whether a file is data, by its path below the batch: names that begin with `_` or `.` are not.

    Raises UsageError, naming the file by its `address`, for a name that is no name of JSON Lines.
    """
    if is_hidden(relative):
        return False
    if not relative.endswith(SUFFIXES):
        raise UsageError(
            f"input {address}: not a name of JSON Lines ({', '.join(SUFFIXES)}); "
            "remove the file or begin its name with '_'"
        )
    return True


def is_hidden(relative: str) -> bool:
    """Whether a path below the batch has a name that begins with `_` or `.`, as files have that are no data."""
    return any(name.startswith(("_", ".")) for name in relative.split("/"))
