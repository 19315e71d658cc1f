"""The range of int64, in which every integer of a record and of a table lies."""

from __future__ import annotations

from typing import Final

INT64_MAX: Final = (1 << 63) - 1
INT64_MIN: Final = -INT64_MAX - 1


def is_int64(number: int) -> bool:
    """Whether a number lies in the range of int64."""
    return INT64_MIN <= number <= INT64_MAX
