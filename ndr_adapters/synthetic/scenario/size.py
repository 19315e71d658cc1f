"""How large a scenario is, and which days it covers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from attrs import frozen

from ndr_core.errors import UsageError
from ndr_core.times import DAY_US, to_datetime, to_us

_LAST_DAY: Final = datetime(2025, 3, 13, tzinfo=UTC)
"""A Thursday, whatever the number of days: what is planted falls on a working day."""
_LIMITS: Final = (("days", 2, 400), ("hosts", 50, 20_000))
"""Name, least, most: on fewer days nothing is new, among fewer hosts there are too few for all that is planted."""


@frozen
class Size:
    """The numbers that users choose."""

    seed: int = 0
    """Same seed, same bytes."""
    days: int = 14
    """Whole UTC days; attacks fall on the last one."""
    hosts: int = 2000
    """Internal hosts, servers among them."""

    def __attrs_post_init__(self) -> None:
        """Raise UsageError for a number of days or hosts that can't hold what is planted."""
        for name, least, most in _LIMITS:
            found = getattr(self, name)
            if not least <= found <= most:
                raise UsageError(
                    f"{name}: {found} can't hold the scenario; give {least} to {most} with --scenario"
                )

    def day_us(self, day: int) -> int:
        """Give the start of a day, counted from 0, in us since 1970."""
        return to_us(_LAST_DAY) - (self.days - 1 - day) * DAY_US

    def day_text(self, day: int) -> str:
        """Write the date of a day, counted from 0: 2025-03-13."""
        return f"{to_datetime(self.day_us(day)):%Y-%m-%d}"

    def is_weekend(self, day: int) -> bool:
        """Whether a day, counted from 0, is a Saturday or a Sunday."""
        return to_datetime(self.day_us(day)).weekday() >= 5

    def is_last(self, day: int) -> bool:
        """Whether a day, counted from 0, is the one with the attacks."""
        return day == self.days - 1
