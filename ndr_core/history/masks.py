"""On which of the last 30 days something was active: a mask with a bit for each day.

Bit i stands for the day that lies i days before the day of the mask; bit 0 is the day itself.
"""

from __future__ import annotations

from typing import Final

DAYS: Final = 30
"""The days that a mask holds."""

ALL_DAYS: Final = (1 << DAYS) - 1
"""The mask of what was active on each of them."""


def day_bit(days_before: int) -> int:
    """Give the mask of one active day. `days_before`: 0 is the day of the mask; days beyond the 30 have no bit."""
    return (1 << days_before) & ALL_DAYS


def shifted(mask: int, days: int) -> int:
    """Give the mask as it is so many days later: days that are too long ago drop out."""
    return (mask << days) & ALL_DAYS


def next_mask(mask: int, *, is_active: bool) -> int:
    """Give the mask of the next day, on which there was activity, or not."""
    return shifted(mask, 1) | int(is_active)


def active_days(mask: int) -> int:
    """Count the active days."""
    return mask.bit_count()


def age_days(mask: int) -> int | None:
    """Give how many days before the day of the mask the first active day lies; None where none was active."""
    return mask.bit_length() - 1 if mask else None
